package editor

import (
	"slices"
	"sort"
	"strings"
	"unicode/utf8"

	"parley/client/ui/kit"
	"parley/client/ui/text"
)

// lines is the layout of a draft. After an edit only the paragraphs that differ are
// wrapped again, so that a key costs the same in a text of any length.
type lines struct {
	frame      frame
	paragraphs []*paragraph
	begins     []int // the beginning of each paragraph, in code points
	rows       []int // how many rows are above each paragraph; one more for the end
}

// frame is what a draft is laid out in.
type frame struct {
	width float32
	scale float32 // of the text
}

// paragraph is the text between two line breaks.
type paragraph struct {
	runes []rune
	shown string // with a blank for each tab
	rows  []text.Line
}

// lay wraps a text at a width.
func (l *lines) lay(runes []rune, f frame) {
	var fresh []*paragraph
	l.begins = l.begins[:0]
	last := l.paragraphs
	if f != l.frame {
		last = nil
	}
	l.frame = f
	for at := 0; ; {
		end := len(runes)
		if n := slices.Index(runes[at:], '\n'); n >= 0 {
			end = at + n
		}
		l.begins = append(l.begins, at)
		fresh = append(fresh, &paragraph{runes: runes[at:end:end]})
		if end == len(runes) {
			break
		}
		at = end + 1
	}
	from, to := 0, len(fresh) // those that differ
	for from < min(to, len(last)) && slices.Equal(fresh[from].runes, last[from].runes) {
		fresh[from] = last[from]
		from++
	}
	for behind := 1; to > from && behind <= len(last)-from; behind++ {
		p := last[len(last)-behind]
		if !slices.Equal(fresh[to-1].runes, p.runes) {
			break
		}
		to--
		fresh[to] = p
	}
	for _, p := range fresh[from:to] {
		p.runes = slices.Clone(p.runes)
		p.shown = strings.ReplaceAll(string(p.runes), "\t", " ")
		p.rows = kit.FontBody.Wrapper().Rows(p.shown, f.width)
	}
	l.paragraphs = fresh
	l.rows = append(l.rows[:0], 0)
	for i, p := range fresh {
		l.rows = append(l.rows, l.rows[i]+len(p.rows))
	}
}

func (l *lines) count() int { return l.rows[len(l.rows)-1] }

// row is a row of a paragraph.
type row struct {
	*paragraph
	begin int // the beginning of the paragraph
	n     int // which of its rows it is
}

func (r row) line() text.Line { return r.rows[r.n] }

// end is the byte of the paragraph behind the row.
func (r row) end() int {
	if r.n+1 < len(r.rows) {
		return r.rows[r.n+1].From
	}
	return len(r.shown)
}

// last reports whether the paragraph ends with the row.
func (r row) last() bool { return r.n+1 == len(r.rows) }

// left is the x of the row's line in a width.
func (r row) left(width float32) float32 {
	if r.line().RTL {
		return width - r.line().Width
	}
	return 0
}

// byteOf is the byte of the paragraph at a position of the draft.
func (r row) byteOf(at int) int {
	return len(string(r.runes[:at-r.begin]))
}

// position is the position in the draft of a byte of the paragraph.
func (r row) position(b int) int { return r.begin + utf8.RuneCountInString(r.shown[:b]) }

// x is the x of a caret at a position of the draft.
func (r row) x(at int, width float32) float32 {
	x := r.left(width) + kit.FontBody.Wrapper().Caret(r.shown, r.line(), r.byteOf(at))
	return min(max(x, 0), width)
}

// at is the position that is nearest to x.
func (r row) at(x, width float32) int {
	at := kit.FontBody.Wrapper().At(r.shown, r.line(), x-r.left(width))
	switch end := r.end(); {
	case r.last() && at == r.line().To:
		at = end // behind the blanks
	case !r.last() && at == end: // a caret there stands in the next row
		g := text.Graphemes(r.shown[r.line().From:end])
		at -= len(g[len(g)-1])
	}
	return r.position(at)
}

// row is a row by its number, the nearest there is.
func (l *lines) row(n int) row {
	n = min(max(n, 0), l.count()-1)
	p := sort.Search(len(l.paragraphs), func(i int) bool { return l.rows[i+1] > n })
	return row{l.paragraphs[p], l.begins[p], n - l.rows[p]}
}

// find is the number of the row that a position is in.
func (l *lines) find(at int) int {
	p := sort.Search(len(l.begins), func(i int) bool { return l.begins[i] > at }) - 1
	r := row{l.paragraphs[p], l.begins[p], 0}
	b := r.byteOf(at)
	return l.rows[p] + sort.Search(len(r.rows), func(i int) bool { return r.rows[i].From > b }) - 1
}
