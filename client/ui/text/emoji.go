package text

// maxJumbo is how many emoji may stand alone to be drawn large.
const maxJumbo = 3

// Jumbo reports whether a text is one to three emoji and nothing else.
func Jumbo(s string) bool {
	if s == "" || len(s) > 150 || simple(s) {
		return false
	}
	g := Graphemes(s)
	if len(g) > maxJumbo {
		return false
	}
	for _, cluster := range g {
		if !emoji(cluster) {
			return false
		}
	}
	return true
}

func emoji(cluster string) bool {
	pictures := false
	for _, r := range cluster {
		switch {
		case r >= 0x1f000 && r <= 0x1faff:
			pictures = true
		case r >= 0x2600 && r <= 0x27bf, r >= 0x2b00 && r <= 0x2bff, r >= 0x2300 && r <= 0x23ff, r == 0x2764:
			pictures = true
		case r == 0x200d, r == 0xfe0f, r >= 0xe0020 && r <= 0xe007f:
		default:
			return false
		}
	}
	return pictures
}
