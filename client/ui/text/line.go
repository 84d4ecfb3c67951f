package text

import (
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/go-text/typesetting/segmenter"
	"golang.org/x/text/unicode/bidi"
)

// span is a part of a line with one level and one link.
type span struct {
	from, to int // bytes of the paragraph
	level    uint8
	link     string
}

// line makes the runs of p[from:to].
func (w *Wrapper) line(p string, from, to int, width float32, links []Link, levels []uint8, base uint8) Line {
	l := Line{Width: width, RTL: base == 1}
	if from == to {
		return l
	}
	plain := levels == nil && !pictured(p[from:to])
	for _, link := range links {
		plain = plain && (link.To <= from || link.From >= to)
	}
	if plain {
		l.Runs = []Run{{Text: p[from:to], Width: width, From: from, To: to}}
		return l
	}
	for _, s := range order(spans(from, to, links, levels, base), base) {
		if s.level&1 == 0 {
			l.addLTR(w, p[s.from:s.to], s.from, s.link)
		} else {
			w.addRTL(&l, p[s.from:s.to], s.from, s.link)
		}
	}
	l.Width = 0
	if n := len(l.Runs); n > 0 {
		l.Width = l.Runs[n-1].X + l.Runs[n-1].Width
	}
	return l
}

// addLTR appends a text of one even level, which begins at a byte. Emoji have a font of their own, so they go out
// alone, and so does every word next to them.
func (l *Line) addLTR(w *Wrapper, s string, at int, link string) {
	if !pictured(s) {
		l.add(w, s, at, link)
		return
	}
	for s != "" {
		n := strings.IndexByte(s, ' ')
		if n == 0 {
			n = len(s) - len(strings.TrimLeft(s, " "))
		} else if n < 0 {
			n = len(s)
		}
		for piece := range Pieces(s[:n]) {
			l.add(w, piece, at, link)
			at += len(piece)
		}
		s = s[n:]
	}
}

// add appends a run; one of blanks alone only takes room.
func (l *Line) add(w *Wrapper, s string, at int, link string) {
	run := Run{Text: s, Link: link, From: at, To: at + len(s)}
	if n := len(l.Runs); n > 0 {
		run.X = l.Runs[n-1].X + l.Runs[n-1].Width
	}
	run.Width = w.spanWidth(s)
	l.Runs = append(l.Runs, run)
}

// spanWidth measures a piece of a line. Blanks at its ends count, and some
// toolkits leave them out.
func (w *Wrapper) spanWidth(s string) float32 {
	inner := strings.Trim(s, " ")
	return w.width(inner) + float32(len(s)-len(inner))*w.space
}

func spans(from, to int, links []Link, levels []uint8, base uint8) []span {
	var out []span
	for i := from; i < to; i++ {
		s := span{from: i, to: i + 1, level: base}
		if levels != nil {
			s.level = levels[i]
		}
		if s.level == hidden {
			continue
		}
		for _, link := range links {
			if i >= link.From && i < link.To {
				s.link = link.URL
			}
		}
		if n := len(out); n > 0 && out[n-1].level == s.level && out[n-1].link == s.link && out[n-1].to == i {
			out[n-1].to = i + 1
			continue
		}
		out = append(out, s)
	}
	return out
}

// order puts spans into the order they are seen in, left to right (UAX 9, L2).
// L1 needs no step: wrap has cut the blanks at the line's end.
func order(s []span, base uint8) []span {
	highest := base
	for _, v := range s {
		highest = max(highest, v.level)
	}
	for level := highest; level > 0; level-- {
		for i := 0; i < len(s); i++ {
			if s[i].level < level {
				continue
			}
			j := i
			for j < len(s) && s[j].level >= level {
				j++
			}
			slices.Reverse(s[i:j])
			i = j
		}
	}
	return s
}

// addRTL appends a text of one odd level. Fyne draws the runs of a string from
// the left in the order they are written in and shapes each by itself, so every
// word goes out alone, the last one first, and what stands between words is
// turned around and mirrored here.
func (w *Wrapper) addRTL(l *Line, s string, at int, link string) {
	end := at + len(s)
	for _, piece := range slices.Backward(splitRTL(s)) {
		begin := end - len(piece)
		if strong(piece) {
			l.add(w, piece, begin, link)
		} else {
			l.add(w, reverseGraphemes(mirrorAll(piece)), begin, link)
		}
		run := &l.Runs[len(l.Runs)-1]
		run.To, run.RTL = end, true
		end = begin
	}
}

// strong reports whether a piece of splitRTL is a word of a right to left script.
func strong(piece string) bool {
	r, _ := utf8.DecodeRuneInString(piece)
	c := classOf(r)
	return c == bidi.R || c == bidi.AL
}

// splitRTL cuts a text at the beginning and the end of words in right to left scripts,
// between two such scripts, and before and after emoji.
func splitRTL(s string) []string {
	var out []string
	for piece, emoji := range Pieces(s) {
		if emoji {
			out = append(out, piece)
		} else {
			out = appendWords(out, piece)
		}
	}
	return out
}

// appendWords adds the pieces of a text without emoji.
func appendWords(out []string, s string) []string {
	start := 0
	var in, last bool
	var script *unicode.RangeTable
	for i, r := range s {
		c := classOf(r)
		now := c == bidi.R || c == bidi.AL || last && c == bidi.NSM
		sc := script
		if now && c != bidi.NSM {
			sc = scriptOf(r)
		}
		if i > 0 && (now != in || now && sc != script) {
			out = append(out, s[start:i])
			start = i
		}
		in, last, script = now, now, sc
	}
	return append(out, s[start:])
}

func scriptOf(r rune) *unicode.RangeTable {
	for _, t := range [...]*unicode.RangeTable{unicode.Hebrew, unicode.Arabic, unicode.Syriac, unicode.Thaana, unicode.Nko} {
		if unicode.Is(t, r) {
			return t
		}
	}
	return nil
}

func reverseGraphemes(s string) string {
	g := Graphemes(s)
	slices.Reverse(g)
	return strings.Join(g, "")
}

// Graphemes cuts a text into what people take for one character (UAX 29).
func Graphemes(s string) []string {
	var seg segmenter.Segmenter
	seg.Init([]rune(s))
	var out []string
	for it := seg.GraphemeIterator(); it.Next(); {
		out = append(out, string(it.Grapheme().Text))
	}
	return out
}
