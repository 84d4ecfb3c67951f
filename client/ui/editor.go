package ui

import (
	"fyne.io/fyne/v2"
	"fyne.io/fyne/v2/canvas"
	"fyne.io/fyne/v2/driver/desktop"
	"fyne.io/fyne/v2/driver/mobile"
	"fyne.io/fyne/v2/lang"
	"fyne.io/fyne/v2/widget"

	"parley/client/ui/text"
)

// editor is a place to write several lines. Fyne's Entry lays out its whole text
// several times at every key, which takes seconds for a long one; an editor lays
// out the paragraph that changes and draws the rows in sight. It also puts what
// reads from the right into its order.
//
// Fyne clips whatever is Scrollable to its size.
type editor struct {
	widget.BaseWidget
	Text        string
	PlaceHolder string
	OnChanged   func(string)
	onFull      func(limit int) // what was typed or pasted would be more than that
	aside       float32         // the width at the right that something else needs

	draft   draft
	lines   editorLines
	stale   bool    // the draft has changed since it was laid out
	offset  float32 // of the upper edge from the first row
	column  float32 // where Up and Down want to go; -1 when nowhere yet
	focused bool
	shift   bool
	dragged bool
	popup   *widget.PopUpMenu
	render  *editorRenderer
}

// editorPad is the room before the text.
const editorPad = 4 * unit

// prepare makes an editor that takes texts up to limit code points. self is the
// widget that it is a part of.
func (e *editor) prepare(self fyne.Widget, limit int) {
	e.draft.limit = limit
	e.column = -1
	e.ExtendBaseWidget(self)
	e.stale = true
	e.lay(e.Size().Width)
}

func (e *editor) rowHeight() float32 { return fontBody.lineHeight() }

// margin is the room above and below the text.
func (e *editor) margin() float32 { return float32(int(max(touch-e.rowHeight(), 2*unit) / 2)) }

// heightFor is the height of the editor for its text at a width, with at most
// so many rows.
func (e *editor) heightFor(width float32, most int) float32 {
	e.lay(width)
	return float32(min(e.lines.count(), most))*e.rowHeight() + 2*e.margin()
}

func (e *editor) lay(width float32) {
	f := frame{width: max(width-e.aside-editorPad-unit, 1), scale: textScale()}
	if e.stale || f != e.lines.frame {
		e.lines.lay(e.draft.runes, f)
		e.stale = false
	}
}

// SetText replaces the text, and forgets what could be undone.
func (e *editor) SetText(s string) {
	e.draft.set(s)
	e.changed()
}

// CursorTextOffset is how many code points are before the caret.
func (e *editor) CursorTextOffset() int { return e.draft.caret }

// SelectedText is what is selected.
func (e *editor) SelectedText() string { return e.draft.selected() }

// changed lays out and shows what has been written.
func (e *editor) changed() {
	s := string(e.draft.runes)
	same := s == e.Text
	e.Text, e.stale = s, true
	e.lay(e.Size().Width)
	if !same && e.OnChanged != nil {
		e.OnChanged(s) // it may give the editor another height
	}
	e.moved()
}

// moved shows the caret at its new place.
func (e *editor) moved() {
	e.column = -1
	e.follow()
}

// follow brings the caret into sight, and draws.
func (e *editor) follow() {
	row := float32(e.lines.find(e.draft.caret))
	h := e.rowHeight()
	if in := e.Size().Height - 2*e.margin(); in >= h {
		e.offset = min(max(e.offset, (row+1)*h-in), row*h)
	}
	e.scrollTo(e.offset)
}

func (e *editor) scrollTo(offset float32) {
	most := float32(e.lines.count())*e.rowHeight() - (e.Size().Height - 2*e.margin())
	e.offset = min(max(offset, 0), max(most, 0))
	if e.render != nil {
		e.render.draw()
	}
}

// write puts a text in place of the selection, if there is room for it.
func (e *editor) write(s string) {
	if e.popup != nil {
		e.popup.Hide()
	}
	if !e.draft.write(s) {
		if e.onFull != nil {
			e.onFull(e.draft.limit)
		}
		return
	}
	e.changed()
}

// erase deletes the selection, or else what is between the caret and a position.
func (e *editor) erase(to int) {
	from, end := e.draft.selection()
	if from == end {
		from, end = min(e.draft.caret, to), max(e.draft.caret, to)
	}
	e.draft.erase(from, end)
	e.changed()
}

// move puts the caret elsewhere; with the shift key down it selects.
func (e *editor) move(to int) {
	e.draft.move(to, e.shift)
	e.moved()
}

func (e *editor) selectAll() {
	e.draft.anchor = 0
	e.draft.move(len(e.draft.runes), true)
	e.moved()
}

// leap moves the caret by rows.
func (e *editor) leap(rows int) {
	n := e.lines.find(e.draft.caret)
	width := e.lines.frame.width
	if e.column < 0 {
		e.column = e.lines.row(n).x(e.draft.caret, width)
	}
	to := 0
	switch {
	case n+rows >= e.lines.count():
		to = len(e.draft.runes)
	case n+rows >= 0:
		to = e.lines.row(n+rows).at(e.column, width)
	}
	column := e.column
	e.move(to)
	e.column = column
}

// TypedRune writes a character.
func (e *editor) TypedRune(r rune) { e.write(string(r)) }

func (e *editor) KeyDown(k *fyne.KeyEvent) {
	if k.Name == desktop.KeyShiftLeft || k.Name == desktop.KeyShiftRight {
		e.shift = true
	}
}

func (e *editor) KeyUp(k *fyne.KeyEvent) {
	if k.Name == desktop.KeyShiftLeft || k.Name == desktop.KeyShiftRight {
		e.shift = false
	}
}

func (e *editor) TypedKey(k *fyne.KeyEvent) {
	d := &e.draft
	from, to := d.selection()
	collapses := from < to && !e.shift // an arrow key goes to the selection's end
	switch k.Name {
	case fyne.KeyBackspace:
		e.erase(d.before(d.caret))
	case fyne.KeyDelete:
		e.erase(d.after(d.caret))
	case fyne.KeyReturn, fyne.KeyEnter:
		e.write("\n")
	case fyne.KeyLeft:
		if collapses {
			e.move(from)
		} else {
			e.move(d.before(d.caret))
		}
	case fyne.KeyRight:
		if collapses {
			e.move(to)
		} else {
			e.move(d.after(d.caret))
		}
	case fyne.KeyUp:
		e.leap(-1)
	case fyne.KeyDown:
		e.leap(1)
	case fyne.KeyHome:
		r := e.lines.row(e.lines.find(d.caret))
		e.move(r.position(r.line().From))
	case fyne.KeyEnd:
		r := e.lines.row(e.lines.find(d.caret))
		end := r.position(r.end())
		if !r.last() {
			end = d.before(end)
		}
		e.move(end)
	case fyne.KeyPageUp:
		e.move(0)
	case fyne.KeyPageDown:
		e.move(len(d.runes))
	}
}

func (e *editor) TypedShortcut(s fyne.Shortcut) {
	d := &e.draft
	switch s := s.(type) {
	case *fyne.ShortcutCopy:
		e.copy()
	case *fyne.ShortcutCut:
		if e.copy() {
			e.erase(d.caret)
		}
	case *fyne.ShortcutPaste:
		e.paste()
	case *fyne.ShortcutSelectAll:
		e.selectAll()
	case *fyne.ShortcutUndo:
		d.undo()
		e.changed()
	case *fyne.ShortcutRedo:
		d.redo()
		e.changed()
	case *desktop.CustomShortcut:
		e.byWords(s)
	}
}

// byWords moves and deletes by words: Control, or on a Mac Alt, with an arrow,
// Backspace or Delete.
func (e *editor) byWords(s *desktop.CustomShortcut) {
	word := fyne.KeyModifierControl
	if fyne.KeyModifierShortcutDefault == fyne.KeyModifierSuper {
		word = fyne.KeyModifierAlt
	}
	if s.Modifier&^fyne.KeyModifierShift != word {
		return
	}
	d := &e.draft
	e.shift = s.Modifier&fyne.KeyModifierShift != 0
	switch s.KeyName {
	case fyne.KeyLeft:
		e.move(d.wordBefore(d.caret))
	case fyne.KeyRight:
		e.move(d.wordAfter(d.caret))
	case fyne.KeyHome:
		e.move(0)
	case fyne.KeyEnd:
		e.move(len(d.runes))
	case fyne.KeyBackspace:
		e.erase(d.wordBefore(d.caret))
	case fyne.KeyDelete:
		e.erase(d.wordAfter(d.caret))
	}
}

// copy reports whether something is selected.
func (e *editor) copy() bool {
	s := e.SelectedText()
	if s != "" {
		fyne.CurrentApp().Clipboard().SetContent(s)
	}
	return s != ""
}

func (e *editor) paste() {
	if s := fyne.CurrentApp().Clipboard().Content(); s != "" {
		e.write(s)
	}
}

func (e *editor) FocusGained() {
	e.focused = true
	e.Refresh()
}

func (e *editor) FocusLost() {
	e.focused, e.shift = false, false
	e.Refresh()
}

// positionAt is the position in the draft that is nearest to a point.
func (e *editor) positionAt(p fyne.Position) int {
	row := e.lines.row(int((p.Y - e.margin() + e.offset) / e.rowHeight()))
	return row.at(p.X-editorPad, e.lines.frame.width)
}

func (e *editor) self() fyne.Focusable { return e.render.self.(fyne.Focusable) }

func (e *editor) takeFocus() {
	if c := canvasOf(e.render.self); c != nil {
		c.Focus(e.self())
	}
}

func (e *editor) MouseDown(m *desktop.MouseEvent) {
	e.takeFocus()
	if from, to := e.draft.selection(); m.Button == desktop.MouseButtonPrimary || from == to {
		e.move(e.positionAt(m.Position))
	}
}

func (e *editor) MouseUp(*desktop.MouseEvent) {}

// TouchDown shows the keyboard, and puts the caret where the finger is.
func (e *editor) TouchDown(t *mobile.TouchEvent) {
	e.takeFocus()
	if from, to := e.draft.selection(); from == to && t.Position.X < e.Size().Width-e.aside {
		e.move(e.positionAt(t.Position))
	}
}

func (e *editor) TouchUp(*mobile.TouchEvent)     {}
func (e *editor) TouchCancel(*mobile.TouchEvent) {}

// Tapped ends a selection; a finger that goes on to a menu keeps it.
func (e *editor) Tapped(p *fyne.PointEvent) {
	if isPhone() {
		e.move(e.positionAt(p.Position))
	}
}

func (e *editor) DoubleTapped(p *fyne.PointEvent) {
	e.draft.selectWord(e.positionAt(p.Position))
	e.moved()
}

// TappedSecondary shows a menu of what can be done with the selection.
func (e *editor) TappedSecondary(p *fyne.PointEvent) {
	e.takeFocus()
	driver := fyne.CurrentApp().Driver()
	c := canvasOf(e.render.self)
	if c == nil {
		return
	}
	do := func(s fyne.Shortcut) func() {
		return func() { e.render.self.(fyne.Shortcutable).TypedShortcut(s) }
	}
	items := []*fyne.MenuItem{}
	if len(e.draft.done) > 0 {
		items = append(items, fyne.NewMenuItem(lang.L("Undo"), do(&fyne.ShortcutUndo{})))
	}
	if len(e.draft.undone) > 0 {
		items = append(items, fyne.NewMenuItem(lang.L("Redo"), do(&fyne.ShortcutRedo{})))
	}
	if len(items) > 0 {
		items = append(items, fyne.NewMenuItemSeparator())
	}
	clipboard := fyne.CurrentApp().Clipboard()
	items = append(items,
		fyne.NewMenuItem(lang.L("Cut"), do(&fyne.ShortcutCut{Clipboard: clipboard})),
		fyne.NewMenuItem(lang.L("Copy"), do(&fyne.ShortcutCopy{Clipboard: clipboard})),
		fyne.NewMenuItem(lang.L("Paste"), do(&fyne.ShortcutPaste{Clipboard: clipboard})),
		fyne.NewMenuItem(lang.L("Select all"), do(&fyne.ShortcutSelectAll{})))
	e.popup = widget.NewPopUpMenu(fyne.NewMenu("", items...), c)
	e.popup.ShowAtPosition(driver.AbsolutePositionForObject(e.render.self).Add(p.Position))
}

// Dragged selects; a finger scrolls a text that is higher than the editor.
func (e *editor) Dragged(d *fyne.DragEvent) {
	if isPhone() && float32(e.lines.count())*e.rowHeight() > e.Size().Height {
		e.scrollTo(e.offset - d.Dragged.DY)
		return
	}
	if !e.dragged {
		e.dragged = true
		e.draft.move(e.positionAt(d.Position.Subtract(d.Dragged)), false)
	}
	e.draft.move(e.positionAt(d.Position), true)
	e.moved()
}

func (e *editor) DragEnd() { e.dragged = false }

func (e *editor) Scrolled(s *fyne.ScrollEvent) { e.scrollTo(e.offset - s.Scrolled.DY) }

func (e *editor) Cursor() desktop.Cursor { return desktop.TextCursor }

// renderer draws the editor, as a part of self.
func (e *editor) renderer(self fyne.Widget) fyne.WidgetRenderer {
	e.render = &editorRenderer{editor: e, self: self, caret: &canvas.Rectangle{}}
	e.render.draw()
	return e.render
}

type editorRenderer struct {
	editor  *editor
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
	e, p := r.editor, colors()
	h, width := e.rowHeight(), e.lines.frame.width
	r.objects = r.objects[:0]
	if len(e.draft.runes) == 0 {
		for _, line := range fontBody.wrapper().Lay(e.PlaceHolder, width)[:1] {
			x := float32(editorPad)
			if line.RTL {
				x += width - line.Width
			}
			r.objects = appendRuns(r.objects, line, fontBody, p.Muted, x, e.margin())
		}
	}
	from, to := e.draft.selection()
	for n := int(e.offset / h); n < e.lines.count() && float32(n)*h-e.offset < e.Size().Height; n++ {
		row := e.lines.row(n)
		y := e.margin() + float32(n)*h - e.offset
		if from < to && e.focused {
			r.mark(row, from, to, y)
		}
		r.objects = appendRuns(r.objects, row.line(), fontBody, p.Text, editorPad+row.left(width), y)
	}
	if e.focused {
		n := e.lines.find(e.draft.caret)
		r.caret.FillColor = p.Accent
		put(r.caret, editorPad+e.lines.row(n).x(e.draft.caret, width)-1, e.margin()+float32(n)*h-e.offset, 2, h)
		r.objects = append(r.objects, r.caret)
	}
	repaint(r.self)
}

// mark draws the ground of what is selected of a row.
func (r *editorRenderer) mark(row editorRow, from, to int, y float32) {
	end := row.begin + len(row.runes)
	if from > end || to < row.begin {
		return
	}
	a, b := row.byteOf(max(from, row.begin)), row.byteOf(min(to, end))
	spans := fontBody.wrapper().Spans(row.shown, row.line(), a, b)
	if to > end && row.last() { // the line break
		spans = append(spans, text.Span{X: row.line().Width, Width: unit})
	}
	for _, s := range spans {
		rect := canvas.NewRectangle(colors().AccentSoft)
		put(rect, editorPad+row.left(r.editor.lines.frame.width)+s.X, y, s.Width, r.editor.rowHeight())
		r.objects = append(r.objects, rect)
	}
}

func (r *editorRenderer) MinSize() fyne.Size { return fyne.NewSize(1, touch) }
func (r *editorRenderer) Refresh()           { r.size = r.editor.Size(); r.lay() }
func (r *editorRenderer) Objects() []fyne.CanvasObject {
	return r.objects
}
func (r *editorRenderer) Destroy() {}
