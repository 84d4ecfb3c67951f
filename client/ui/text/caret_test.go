package text

import "testing"

// The caret stands behind what was typed before it, in whichever direction that
// reads.
func TestCaret(t *testing.T) {
	w := NewWrapper(func(s string) float32 { return float32(10 * len([]rune(s))) })
	for _, tc := range []struct {
		name, text string
		at         int
		want       float32
	}{
		{"at the beginning", "hello", 0, 0},
		{"in a word", "hello", 2, 20},
		{"at the end", "hello", 5, 50},
		{"after a blank", "hello ", 6, 60},
		{"an empty line", "", 0, 0},
		{"at the right of Hebrew", "שלום", 0, 40},
		{"in Hebrew", "שלום", 4, 20},
		{"at the left end of Hebrew", "שלום", 8, 0},
		{"after a blank behind Hebrew", "שלום ", 9, -10},
		{"in Hebrew inside Latin", "ab שלום cd", 5, 60},
		{"behind Hebrew inside Latin", "ab שלום cd", 14, 100},
		{"in Latin inside Hebrew", "של ab", 6, 10},
		{"before a bracket inside Hebrew", "של (ום)", 6, 30},
	} {
		lines := w.Rows(tc.text, 1000)
		if got := w.Caret(tc.text, lines[0], tc.at); got != tc.want {
			t.Errorf("%s: at %d of %q the caret stands at %v, want %v", tc.name, tc.at, tc.text, got, tc.want)
		}
	}
}

// Rows tile the paragraph, and a word that fits no line is cut, however long it
// is.
func TestRows(t *testing.T) {
	w := NewWrapper(func(s string) float32 { return float32(10 * len([]rune(s))) })
	var long [3 * maxWord]byte
	for i := range long {
		long[i] = 'x'
	}
	for _, p := range []string{"", "one two three", "a  b  ", string(long[:]), "a " + string(long[:]) + " b", "日本語日本語日本語"} {
		at := 0
		lines := w.Rows(p, 50)
		for i, l := range lines {
			if l.From < at || i == 0 && l.From != 0 {
				t.Errorf("%.20q: row %d begins at %d, after %d", p, i, l.From, at)
			}
			at = l.From
			if l.Width > 50 {
				t.Errorf("%.20q: row %d is %v wide", p, i, l.Width)
			}
		}
	}
}

func TestTyped(t *testing.T) {
	for in, want := range map[string]string{
		"a\tb \n": "a\tb \n", "a\r\nb\rc": "a\nb\nc", "a\x00\x1bb": "ab", "a\u202eb\u2066c": "abc", "a\u2028b": "a\nb", "\xff": "\ufffd",
	} {
		if got := Typed(in); got != want {
			t.Errorf("%q is typed as %q, want %q", in, got, want)
		}
	}
}
