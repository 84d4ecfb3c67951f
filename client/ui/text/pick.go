package text

import "strings"

// Span is a part of a line from the left edge X.
type Span struct{ X, Width float32 }

// At is the byte of the text before which a finger at x of a line is: the
// nearest end of a character of the run there.
func (w *Wrapper) At(text string, l Line, x float32) int {
	best, nearest := l.From, float32(-1)
	for i, r := range l.Runs {
		if i+1 < len(l.Runs) && x >= r.X+r.Width {
			continue // further right
		}
		at, edge := r.From, float32(0)
		for _, g := range append(Graphemes(text[r.From:r.To]), "") {
			left := r.X + edge
			if r.RTL {
				left = r.X + r.Width - edge
			}
			if d := max(left-x, x-left); nearest < 0 || d < nearest {
				best, nearest = at, d
			}
			at += len(g)
			edge = w.spanWidth(text[r.From:at])
		}
		break
	}
	return best
}

// Spans are the parts of a line that show the bytes from from up to to.
func (w *Wrapper) Spans(text string, l Line, from, to int) (spans []Span) {
	for _, r := range l.Runs {
		a, b := max(r.From, from), min(r.To, to)
		if a >= b {
			continue
		}
		left, right := w.spanWidth(text[r.From:a]), min(w.spanWidth(text[r.From:b]), r.Width)
		if b == r.To {
			right = r.Width
		}
		if r.RTL {
			left, right = r.Width-right, r.Width-left
		}
		spans = append(spans, Span{r.X + left, right - left})
	}
	return spans
}

// Word returns the beginning and the end of the word around a byte of a text.
func Word(text string, at int) (from, to int) {
	at = min(max(at, 0), len(text))
	from = strings.LastIndexAny(text[:at], " \n") + 1
	to = len(text)
	if n := strings.IndexAny(text[at:], " \n"); n >= 0 {
		to = at + n
	}
	return from, to
}
