package conversation

import (
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"
)

// Mentions reports whether a text names a person by one of their names, in any case
// and as a whole word.
func Mentions(s string, names ...string) bool {
	s = strings.ToLower(s)
	return slices.ContainsFunc(names, func(name string) bool { return hasWord(s, strings.ToLower(name)) })
}

func hasWord(s, name string) bool {
	if name == "" {
		return false
	}
	for at := 0; ; {
		i := strings.Index(s[at:], name)
		if i < 0 {
			return false
		}
		i += at
		before, _ := utf8.DecodeLastRuneInString(s[:i])
		after, n := utf8.DecodeRuneInString(s[i+len(name):])
		if (i == 0 || !inWord(before)) && (n == 0 || !inWord(after)) {
			return true
		}
		at = i + len(name)
	}
}

// inWord reports whether a character goes on a word. Scripts that are written
// without blanks have no words to go on.
func inWord(r rune) bool {
	return (unicode.IsLetter(r) || unicode.IsDigit(r)) &&
		!unicode.In(r, unicode.Han, unicode.Hiragana, unicode.Katakana, unicode.Thai)
}
