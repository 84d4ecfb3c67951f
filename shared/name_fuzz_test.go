package shared_test

import (
	"strings"
	"testing"
	"unicode/utf8"

	"parley/shared"
)

// FuzzName checks that a name that is accepted is one: short, of one line, and
// the same when it is read again.
func FuzzName(f *testing.F) {
	for _, s := range []string{"Ann", " a  b ", "\u0410nn", "\uff21", "a\u200bb", "\ufdfa", "\u202e", "..", "a/b", "\xff", "👩\u200d🚀", strings.Repeat("x", 33), "Ⅷ", "ſ", "İ"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		name, err := shared.PersonName(s)
		if err != nil {
			return
		}
		if n := utf8.RuneCountInString(name.Text); n < 1 || n > shared.MaxName || strings.ContainsAny(name.Text, "/\\\n\r\x00\u202e\u200b") || shared.Blank(name.Text) {
			t.Errorf("%q is the name %q", s, name.Text)
		}
		again, err := shared.PersonName(name.Text)
		if err != nil || again.Key != name.Key {
			t.Errorf("%q is the name %+v, and that one %+v, %v", s, name, again, err)
		}
	})
}
