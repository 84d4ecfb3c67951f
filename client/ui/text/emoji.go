package text

import (
	"iter"
	"strings"
)

// maxJumbo is how many emoji may stand alone to be drawn large.
const maxJumbo = 3

// Jumbo reports whether a text is one to three emoji and nothing else.
func Jumbo(s string) bool {
	return len(s) <= 150 && OnlyEmoji(s) && len(Graphemes(s)) <= maxJumbo
}

// OnlyEmoji reports whether a text is emoji and nothing else.
func OnlyEmoji(s string) bool {
	if !pictured(s) {
		return false
	}
	for _, cluster := range Graphemes(s) {
		if !emoji(cluster) {
			return false
		}
	}
	return true
}

// Pieces cuts a text before and after emoji, and says of each piece whether it is emoji.
func Pieces(s string) iter.Seq2[string, bool] {
	return func(yield func(string, bool) bool) {
		if !pictured(s) {
			yield(s, false)
			return
		}
		begin, at, pictures := 0, 0, false
		for _, cluster := range Graphemes(s) {
			if now := emoji(cluster); now != pictures {
				if at > begin && !yield(s[begin:at], pictures) {
					return
				}
				begin, pictures = at, now
			}
			at += len(cluster)
		}
		if at > begin {
			yield(s[begin:at], pictures)
		}
	}
}

// pictured reports whether a text has emoji, or may have.
func pictured(s string) bool {
	for i := range len(s) {
		// F0 leads U+10000 and above; E2 and EF lead the older pictures and the
		// selector that asks for emoji.
		if c := s[i]; c == 0xf0 || c == 0xe2 || c == 0xef {
			return strings.ContainsFunc(s[i:], func(r rune) bool {
				return r >= 0x1f000 && r <= 0x1faff || r >= 0x2300 && r <= 0x2bff || r == 0xfe0f || r == keycap
			})
		}
	}
	return false
}

// keycap makes a key of the digit, # or * before it.
const keycap = '\u20e3'

// isKey reports whether a cluster is a key, as 1️⃣.
func isKey(cluster string) bool {
	on, is := strings.CutSuffix(cluster, string(keycap))
	on = strings.TrimSuffix(on, "\ufe0f")
	return is && len(on) == 1 && strings.Contains("0123456789#*", on)
}

func emoji(cluster string) bool {
	if isKey(cluster) {
		return true
	}
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
