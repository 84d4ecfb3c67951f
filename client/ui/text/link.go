package text

import (
	"net/netip"
	"net/url"
	"regexp"
	"strings"
	"unicode/utf8"
)

// Link is an address inside a text.
type Link struct {
	From, To int    // bytes of the text
	URL      string // what it leads to
}

// inLink is what an address may hold: no space, no quotation mark, no bracket of
// the scripts that write without spaces, nothing that changes the direction.
const inLink = "[^\\s\\p{Z}<>\"`“”«»「」『』\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069]"

// candidate finds what may be a link: an http or https address, a name that
// begins with www., an IPv4 address with a port or a path, a mail address.
var candidate = regexp.MustCompile(`(?i)https?://` + inLink + `+` +
	`|(www\.[^.\s]` + inLink + `+)` +
	`|((?:[0-9]{1,3}\.){3}[0-9]{1,3}(?::[0-9]{1,5}(?:/` + inLink + `*)?|/` + inLink + `*))` +
	`|([a-z0-9._%+-]+@[a-z0-9-]+(?:\.[a-z0-9-]+)+)`)

// Links finds the addresses of a text. Punctuation that ends a sentence and a
// closing bracket that was not opened inside the address belong to the text
// around it. The page has the same rules, in text.js.
func Links(s string) []Link {
	if !strings.ContainsAny(s, "@:/") && !strings.Contains(strings.ToLower(s), "www.") {
		return nil
	}
	var out []Link
	for _, m := range candidate.FindAllStringSubmatchIndex(s, -1) {
		from, to := m[0], m[0]+len(trimLink(s[m[0]:m[1]]))
		before, _ := utf8.DecodeLastRuneInString(s[:from])
		if from > 0 && before < utf8.RuneSelf && (letter(byte(before)) || before >= '0' && before <= '9') {
			continue
		}
		target := s[from:to]
		switch {
		case m[2] >= 0:
			target = "https://" + target
		case m[4] >= 0:
			ip, _, _ := strings.Cut(target, "/")
			ip, _, _ = strings.Cut(ip, ":")
			if _, err := netip.ParseAddr(ip); err != nil {
				continue
			}
			target = "http://" + target
		case m[6] >= 0:
			out = append(out, Link{from, to, "mailto:" + target})
			continue
		}
		if u, err := url.Parse(target); err == nil && u.Hostname() != "" {
			out = append(out, Link{from, to, target})
		}
	}
	return out
}

func trimLink(s string) string {
	for s != "" {
		r, n := utf8.DecodeLastRuneInString(s)
		switch {
		case strings.ContainsRune(".,;:!?'’…。、，；：！？）】》", r):
		case r == ')' && strings.Count(s, ")") > strings.Count(s, "("):
		case r == ']' && strings.Count(s, "]") > strings.Count(s, "["):
		default:
			return s
		}
		s = s[:len(s)-n]
	}
	return s
}
