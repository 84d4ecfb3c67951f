package editor

import (
	"fyne.io/fyne/v2"
	"fyne.io/fyne/v2/canvas"

	"parley/client/ui/kit"
	"parley/client/ui/text"
)

// Renderer draws the editor, as a part of self.
func (e *Editor) Renderer(self fyne.Widget) fyne.WidgetRenderer {
	e.render = &editorRenderer{editor: e, self: self, caret: &canvas.Rectangle{}}
	e.render.draw()
	return e.render
}

type editorRenderer struct {
	editor  *Editor
	self    fyne.Widget
	caret   *canvas.Rectangle
	objects []fyne.CanvasObject
	size    fyne.Size // of the last layout
}

// Layout draws for another size alone: Fyne lays out a widget again whose objects
// are new, which would draw frames for ever.
func (r *editorRenderer) Layout(size fyne.Size) {
	if size != r.size {
		r.size = size
		r.lay()
	}
}

func (r *editorRenderer) lay() {
	r.editor.lay(r.size.Width)
	r.editor.follow()
}

// draw shows the rows in sight, the selection and the caret.
func (r *editorRenderer) draw() {
	e, p := r.editor, kit.Colors()
	h, width := e.rowHeight(), e.lines.frame.width
	r.objects = r.objects[:0]
	if len(e.draft.runes) == 0 {
		hint := e.PlaceHolder
		if e.Short != "" && kit.FontBody.Wrapper().Measure(hint, width).Lines > 1 {
			hint = e.Short
		}
		for _, line := range kit.FontBody.Wrapper().Lay(hint, width)[:1] {
			x := float32(pad)
			if line.RTL {
				x += width - line.Width
			}
			r.objects = kit.AppendRuns(r.objects, line, kit.FontBody, p.Muted, x, e.top())
		}
	}
	from, to := e.draft.selection()
	for n := int(e.offset / h); n < e.lines.count() && float32(n)*h-e.offset < e.Size().Height; n++ {
		row := e.lines.row(n)
		y := e.top() + float32(n)*h - e.offset
		if from < to && e.Focused {
			r.mark(row, from, to, y)
		}
		r.objects = kit.AppendRuns(r.objects, row.line(), kit.FontBody, p.Text, pad+row.left(width), y)
	}
	if e.Focused {
		n := e.lines.find(e.draft.caret)
		r.caret.FillColor = p.Accent
		kit.Put(r.caret, pad+e.lines.row(n).x(e.draft.caret, width)-1, e.top()+float32(n)*h-e.offset, 2, h)
		r.objects = append(r.objects, r.caret)
	}
	kit.Repaint(r.self)
}

// mark draws the ground of what is selected of a row.
func (r *editorRenderer) mark(row row, from, to int, y float32) {
	end := row.begin + len(row.runes)
	if from > end || to < row.begin {
		return
	}
	a, b := row.byteOf(max(from, row.begin)), row.byteOf(min(to, end))
	spans := kit.FontBody.Wrapper().Spans(row.shown, row.line(), a, b)
	if to > end && row.last() { // the line break
		spans = append(spans, text.Span{X: row.line().Width, Width: kit.Unit})
	}
	for _, s := range spans {
		rect := canvas.NewRectangle(kit.Colors().AccentSoft)
		kit.Put(rect, pad+row.left(r.editor.lines.frame.width)+s.X, y, s.Width, r.editor.rowHeight())
		r.objects = append(r.objects, rect)
	}
}

func (r *editorRenderer) MinSize() fyne.Size { return fyne.NewSize(1, kit.Touch) }

func (r *editorRenderer) Refresh() { r.size = r.editor.Size(); r.lay() }

func (r *editorRenderer) Objects() []fyne.CanvasObject {
	return r.objects
}

func (r *editorRenderer) Destroy() {}
