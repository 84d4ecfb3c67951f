// Package find looks for one text in another, whatever the case and the accents of
// their letters.
package find

import (
	"bytes"
	"unicode"
	"unicode/utf8"

	"golang.org/x/text/cases"
	"golang.org/x/text/unicode/norm"
)

// Text is a text to look for. One goroutine may use it at a time.
type Text struct {
	folded []byte
	folder folder
}

// New returns a text to look for.
func New(text string) *Text { return &Text{folded: []byte(Fold(text))} }

// In reports whether the text is somewhere in s. One that consists of marks alone is
// nowhere.
func (t *Text) In(s string) bool {
	return len(t.folded) > 0 && bytes.Contains(t.folder.fold(s), t.folded)
}

// Spans returns where the text is in s: the first and the last byte after each place, from
// the left, none over another. Marks and format characters behind a place belong to it.
func (t *Text) Spans(s string) (spans [][2]int) {
	if len(t.folded) == 0 {
		return nil
	}
	folded := t.folder.fold(s)
	var begins []int // of each folded byte, the rune in s that it comes from
	for i, r := range s {
		n := len(t.folder.form(r))
		for range n {
			begins = append(begins, i)
		}
	}
	for from := 0; ; {
		at := bytes.Index(folded[from:], t.folded)
		if at < 0 {
			return spans
		}
		at += from
		last := begins[at+len(t.folded)-1]
		from = at + len(t.folded)
		for from < len(folded) && begins[from] == last { // the rest of the rune's form
			from++
		}
		end := len(s)
		if from < len(folded) {
			end = begins[from]
		}
		spans = append(spans, [2]int{begins[at], end})
	}
}

// Fold returns the form in which two texts are compared: decomposed (NFKD), without
// marks and format characters, with its case folded, and with spaces for all white
// space.
func Fold(s string) string {
	var f folder
	return string(f.fold(s))
}

// folder folds texts, each in the memory of the one before. A text is folded rune by
// rune: what is left without marks does not depend on its neighbours.
type folder struct {
	folded []byte
	runes  map[rune][]byte // the forms of those that were met, but for ASCII
}

func (f *folder) fold(s string) []byte {
	f.folded = f.folded[:0]
	for _, r := range s {
		switch {
		case 'A' <= r && r <= 'Z':
			f.folded = append(f.folded, byte(r)+'a'-'A')
		case '\t' <= r && r <= '\r':
			f.folded = append(f.folded, ' ')
		case r < utf8.RuneSelf:
			f.folded = append(f.folded, byte(r))
		default:
			f.folded = append(f.folded, f.form(r)...)
		}
	}
	return f.folded
}

// form is what a rune becomes. That of an ASCII one has one byte.
func (f *folder) form(r rune) []byte {
	form, ok := f.runes[r]
	if !ok {
		form = foldRune(r)
		if f.runes == nil {
			f.runes = make(map[rune][]byte)
		}
		f.runes[r] = form
	}
	return form
}

func foldRune(r rune) []byte {
	var bare []byte
	for _, r := range norm.NFKD.String(string(r)) {
		switch {
		case unicode.IsSpace(r):
			bare = append(bare, ' ')
		case !unicode.In(r, unicode.Mn, unicode.Me, unicode.Cf):
			bare = utf8.AppendRune(bare, r)
		}
	}
	return cases.Fold().Bytes(bare)
}
