package text

import (
	"net/url"
	"strings"
	"unicode/utf8"
)

// Link is an address inside a text.
type Link struct {
	From, To int // bytes of the text
	URL      string
}

// Links finds the http and https addresses of a text. Punctuation that ends a
// sentence and a closing bracket that was not opened inside the address belong
// to the text around it.
func Links(s string) []Link {
	var out []Link
	for at := 0; at < len(s); {
		i := strings.Index(s[at:], "://")
		if i < 0 {
			break
		}
		i += at
		from, ok := schemeStart(s, i)
		if !ok {
			at = i + 3
			continue
		}
		to := i + 3 + strings.IndexFunc(s[i+3:]+" ", endsLink)
		to = from + len(trimLink(s[from:to]))
		if u, err := url.Parse(s[from:to]); err == nil && u.Hostname() != "" && to > i+3 {
			out = append(out, Link{from, to, s[from:to]})
		}
		at = max(to, i+3)
	}
	return out
}

// schemeStart finds where the http or https before s[colon:] begins.
func schemeStart(s string, colon int) (int, bool) {
	for _, scheme := range [...]string{"https", "http"} {
		from := colon - len(scheme)
		if from < 0 || !strings.EqualFold(s[from:colon], scheme) {
			continue
		}
		before, _ := utf8.DecodeLastRuneInString(s[:from])
		if before < utf8.RuneSelf && (letter(byte(before)) || before >= '0' && before <= '9') && from > 0 {
			continue
		}
		return from, true
	}
	return 0, false
}

func endsLink(r rune) bool {
	return r <= ' ' || strings.ContainsRune("<>\"`“”«»", r) || r == '\u3000'
}

func trimLink(s string) string {
	for s != "" {
		r, n := utf8.DecodeLastRuneInString(s)
		switch {
		case strings.ContainsRune(".,;:!?'…。、！？", r):
		case r == ')' && strings.Count(s, ")") > strings.Count(s, "("):
		case r == ']' && strings.Count(s, "]") > strings.Count(s, "["):
		default:
			return s
		}
		s = s[:len(s)-n]
	}
	return s
}
