package text

import "strings"

// Rows wraps a paragraph as Lay does, for a person who writes it: links are not
// looked for.
func (w *Wrapper) Rows(paragraph string, width float32) []Line {
	var levels []uint8
	base := uint8(0)
	if mayBeRTL(paragraph) {
		levels, base = paragraphLevels(paragraph)
	}
	var lines []Line
	w.wrap(paragraph, width, func(from, to int, lineWidth float32) {
		l := w.line(paragraph, from, to, lineWidth, nil, levels, base)
		l.From, l.To = from, to
		lines = append(lines, l)
	})
	return lines
}

// Caret is the x of a caret in a line of a paragraph, from the line's left edge. at is
// the byte of the paragraph that the caret stands before.
func (w *Wrapper) Caret(paragraph string, l Line, at int) float32 {
	if at > l.To { // in the blanks at the end
		blanks := w.span(paragraph[l.To:at])
		if l.RTL {
			return -blanks
		}
		return l.Width + blanks
	}
	for _, run := range l.Runs {
		if run.From < at && at <= run.To || at == l.From && run.From == at {
			return run.X + w.into(run, at-run.From)
		}
	}
	if l.RTL {
		return l.Width
	}
	return 0
}

// into is how far into a run the caret stands that n of its bytes are before.
func (w *Wrapper) into(r Run, n int) float32 {
	switch {
	case !r.RTL:
		return w.span(r.Text[:n])
	case strong(r.Text):
		return r.Width - w.span(r.Text[:n])
	}
	return r.Width - w.span(r.Text[len(r.Text)-n:]) // it has been turned around
}

// span measures a piece of a line without remembering it.
func (w *Wrapper) span(s string) float32 {
	inner := strings.Trim(s, " ")
	blanks := float32(len(s)-len(inner)) * w.space
	if inner == "" {
		return blanks
	}
	return w.measure(inner) + blanks
}

// Typed makes what is typed or pasted fit to be written on: no control
// characters but tabs and line feeds, and no bidi overrides or isolates.
func Typed(s string) string {
	s = strings.ReplaceAll(strings.ToValidUTF8(s, "\ufffd"), "\r\n", "\n")
	return strings.Map(func(r rune) rune {
		switch {
		case breaks(r), r == '\r':
			return '\n'
		case r != '\t' && unseen(r):
			return -1
		}
		return r
	}, s)
}
