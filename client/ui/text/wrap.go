// Package text lays out what people write: it wraps a text into lines, orders
// each line's runs for the eye and finds the links. It draws nothing and
// imports no toolkit; widths come from a Measure.
package text

import (
	"math"
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/go-text/typesetting/segmenter"
)

// Measure gives the width of a string on one line, in the units that widths
// and positions of this package are then in.
type Measure func(s string) float32

// Run is a piece of a line that is drawn left to right as it stands.
type Run struct {
	Text     string
	X, Width float32
	Link     string // an http or https address, or empty
	From, To int    // which bytes of the text it shows
	RTL      bool   // From is at its right end
}

// Line is one line of a layout.
type Line struct {
	Runs  []Run
	Width float32
	RTL   bool // the line belongs to a paragraph that reads from the right

	From, To int // which bytes of the text it shows
}

// Extent is how much room a text takes.
type Extent struct {
	Lines  int
	Widest float32 // the widest line
	Last   float32 // the last line
	RTL    bool    // the last paragraph reads from the right
}

// maxWord is how many bytes a word has at most that is measured and remembered
// as one. A longer one fits no line.
const maxWord = 512

// maxWords bounds the cache of widths; a conversation has a few thousand words.
const maxWords = 40_000

// Wrapper wraps texts in one font and size. It remembers the width of every
// word, which makes measuring a message some twenty times faster than asking
// the toolkit for each. It is not safe for use by several goroutines.
type Wrapper struct {
	measure Measure
	space   float32
	words   map[string]float32
	seg     segmenter.Segmenter
}

// NewWrapper makes a Wrapper over m.
func NewWrapper(m Measure) *Wrapper {
	return &Wrapper{measure: m, space: m("a a") - 2*m("a"), words: make(map[string]float32)}
}

func (w *Wrapper) width(word string) float32 {
	if word == "" {
		return 0
	}
	if v, ok := w.words[word]; ok {
		return v
	}
	if len(w.words) >= maxWords {
		clear(w.words)
	}
	v := w.measure(withoutIsolates.Replace(word))
	w.words[strings.Clone(word)] = v
	return v
}

// Measure says how much room a text takes when it is wrapped at width. The text
// is one that Clean returned.
func (w *Wrapper) Measure(text string, width float32) Extent {
	var e Extent
	for paragraph := range strings.SplitSeq(text, "\n") {
		w.wrap(paragraph, width, func(_, _ int, line float32) {
			e.Lines++
			e.Widest = max(e.Widest, line)
			e.Last = line
		})
	}
	if at := strings.LastIndexByte(text, '\n'); mayBeRTL(text[at+1:]) {
		e.RTL = direction([]rune(text[at+1:])) == 1
	}
	return e
}

// Lay wraps a text at width and orders the runs of each line. The text is one
// that Clean returned.
func (w *Wrapper) Lay(text string, width float32) []Line {
	var lines []Line
	begin := 0 // of the paragraph
	for paragraph := range strings.SplitSeq(text, "\n") {
		links := Links(paragraph)
		var levels []uint8
		base := uint8(0)
		if mayBeRTL(paragraph) {
			levels, base = paragraphLevels(paragraph)
		}
		w.wrap(paragraph, width, func(from, to int, lineWidth float32) {
			l := w.line(paragraph, from, to, lineWidth, links, levels, base)
			for i := range l.Runs {
				l.Runs[i].From += begin
				l.Runs[i].To += begin
			}
			l.From, l.To = begin+from, begin+to
			lines = append(lines, l)
		})
		begin += len(paragraph) + 1
	}
	return lines
}

// wrap calls emit with the byte range of each line of a paragraph, without the
// blanks at its end, and with the line's width.
func (w *Wrapper) wrap(p string, width float32, emit func(from, to int, width float32)) {
	start, end := 0, 0 // of the line so far
	var x, gap float32 // its width, and that of the blanks after it
	put := func(from, to int, blanks int) {
		word := float32(math.MaxFloat32)
		if to-from <= maxWord {
			word = w.width(p[from:to])
		}
		if end > start && x+gap+word > width {
			emit(start, end, x)
			start, end, x, gap = from, from, 0, 0
		}
		if word > width {
			from, word = w.cut(p, from, to, width, emit)
			start = from
		}
		x += gap + word
		end = to
		gap = float32(blanks) * w.space
	}
	if simple(p) {
		for i := 0; i < len(p); {
			j := i
			for j < len(p) && p[j] != ' ' {
				j++
				if p[j-1] == '-' && j-i > 1 && j < len(p) && letter(p[j]) && letter(p[j-2]) {
					break
				}
			}
			k := j
			for k < len(p) && p[k] == ' ' {
				k++
			}
			put(i, j, k-j)
			i = k
		}
	} else {
		w.seg.Init([]rune(p))
		at := 0
		for it := w.seg.LineIterator(); it.Next(); {
			chunk := it.Line().Text
			n := byteLen(chunk)
			blanks := 0
			for blanks < len(chunk) && chunk[len(chunk)-1-blanks] == ' ' {
				blanks++
			}
			put(at, at+n-blanks, blanks)
			at += n
		}
	}
	emit(start, end, x)
}

// cut breaks a word that is wider than a line between grapheme clusters. It emits all
// lines but the last, and returns the beginning and the width of that one.
func (w *Wrapper) cut(p string, from, to int, width float32, emit func(from, to int, width float32)) (int, float32) {
	var x float32
	at := from
	// Another segmenter: the wrapper's may be in use for the paragraph.
	var seg segmenter.Segmenter
	seg.Init([]rune(p[from:to]))
	for it := seg.GraphemeIterator(); it.Next(); {
		n := byteLen(it.Grapheme().Text)
		g := w.width(p[at : at+n])
		if at > from && x+g > width {
			emit(from, at, x)
			from, x = at, 0
		}
		x += g
		at += n
	}
	return from, x
}

func letter(c byte) bool { return c|0x20 >= 'a' && c|0x20 <= 'z' }

// simple reports whether blanks and hyphens are the only places to break at.
func simple(s string) bool {
	for i := range len(s) {
		if s[i] >= utf8.RuneSelf {
			return false
		}
	}
	return true
}

func byteLen(runes []rune) (n int) {
	for _, r := range runes {
		n += utf8.RuneLen(r)
	}
	return n
}

// maxMarks is how many combining marks one letter keeps. Scripts need three at
// most; more only climb out of the line.
const maxMarks = 4

// Clean makes a text from the network fit to be drawn: no control characters,
// no bidi overrides or isolates, tabs as blanks, few combining marks on each
// letter, no blanks at the end.
func Clean(s string) string { return clean(s, unseen) }

// CleanSentence is Clean for a sentence of the app, in which isolates stay.
func CleanSentence(s string) string {
	return clean(s, func(r rune) bool { return unseen(r) && !isolating(r) })
}

func clean(s string, out func(rune) bool) string {
	s = strings.TrimRight(s, " \t\r\n")
	plain := true
	for i := range len(s) {
		if c := s[i]; c >= utf8.RuneSelf || c < ' ' && c != '\n' || c == 0x7f {
			plain = false
			break
		}
	}
	if plain {
		return s
	}
	var b strings.Builder
	b.Grow(len(s))
	marks := 0
	for _, r := range s {
		if unicode.Is(unicode.Mn, r) || unicode.Is(unicode.Me, r) {
			if marks++; marks > maxMarks {
				continue
			}
		} else {
			marks = 0
		}
		switch {
		case r == '\t':
			b.WriteString("    ")
		case breaks(r):
			b.WriteByte('\n')
		case !out(r):
			b.WriteRune(r)
		}
	}
	return b.String()
}

// breaks reports whether a line ends with r.
func breaks(r rune) bool {
	return r == '\n' || r == '\u2028' || r == '\u2029' || r == '\u0085'
}

// unseen reports whether r is a control character, or one that turns what
// follows around.
func unseen(r rune) bool {
	return unicode.IsControl(r) || r >= '\u202a' && r <= '\u202e' || r >= '\u2066' && r <= '\u2069' || r == '\ufeff'
}

// OneLine makes a text fit for a title or a preview: Clean, with line breaks as
// blanks.
func OneLine(s string) string { return strings.Join(strings.Fields(Clean(s)), " ") }
