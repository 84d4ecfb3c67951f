// Package editor is a place to write several lines: the text with its caret and
// what can be undone (draft.go), its layout (lines.go), and the widget.
package editor

import (
	"unicode/utf16"

	"fyne.io/fyne/v2"
	"fyne.io/fyne/v2/canvas"
	"fyne.io/fyne/v2/driver/desktop"
	"fyne.io/fyne/v2/driver/mobile"
	"fyne.io/fyne/v2/lang"
	"fyne.io/fyne/v2/widget"

	"parley/client/ui/kit"
	"parley/client/ui/text"
)

// Editor is a place to write several lines. Fyne's Entry lays out its whole text
// several times at every key, which takes seconds for a long one; an editor lays
// out the paragraph that changes and draws the rows in sight. It also puts what
// reads from the right into its order.
//
// Fyne clips whatever is Scrollable to its size.
type Editor struct {
	widget.BaseWidget
	Text        string
	PlaceHolder string
	Short       string // stands in the place of a PlaceHolder that does not fit in a line; may be ""
	OnChanged   func(string)
	OnFull      func(limit int) // what was typed or pasted would be more than that
	Aside       float32         // the width at the right that something else needs
	Head        float32         // the height at the top that something else needs, and draws over; Refresh after a change
	Halves      bool            // deletions come once per UTF-16 unit, as on Android

	draft   draft
	lines   lines
	stale   bool    // the draft has changed since it was laid out
	offset  float32 // of the upper edge from the first row
	column  float32 // the x that Up and Down aim at; -1 before the first
	Focused bool
	Shift   bool
	dragged bool
	half    bool // the first half of a character has been deleted
	popup   *widget.PopUpMenu
	render  *editorRenderer
}

// pad is the room before the text.
const pad = 4 * kit.Unit

// Prepare makes an editor that takes texts up to limit code points. self is the
// widget that it is a part of.
func (e *Editor) Prepare(self fyne.Widget, limit int) {
	e.draft.limit = limit
	e.column = -1
	e.ExtendBaseWidget(self)
	e.stale = true
	e.lay(e.Size().Width)
}

func (e *Editor) rowHeight() float32 { return kit.FontBody.LineHeight() }

// margin is the room above and below the text.
func (e *Editor) margin() float32 { return float32(int(max(kit.Touch-e.rowHeight(), 2*kit.Unit) / 2)) }

// top is the y of the first row while nothing is scrolled, inner the height for rows.
func (e *Editor) top() float32   { return e.Head + e.margin() }
func (e *Editor) inner() float32 { return e.Size().Height - e.Head - 2*e.margin() }

// HeightFor is the height of the editor for its text at a width, with most rows at
// most.
func (e *Editor) HeightFor(width float32, most int) float32 {
	e.lay(width)
	return float32(min(e.lines.count(), most))*e.rowHeight() + e.Head + 2*e.margin()
}

func (e *Editor) lay(width float32) {
	f := frame{width: max(width-e.Aside-pad-kit.Unit, 1), scale: kit.TextScale()}
	if e.stale || f != e.lines.frame {
		e.lines.lay(e.draft.runes, f)
		e.stale = false
	}
}

// SetText replaces the text, and forgets what could be undone.
func (e *Editor) SetText(s string) {
	e.half = false
	e.draft.set(s)
	e.Changed()
}

// CursorTextOffset is how many code points are before the caret.
func (e *Editor) CursorTextOffset() int { return e.draft.caret }

// SelectedText is what is selected.
func (e *Editor) SelectedText() string { return e.draft.selected() }

// Changed lays out and shows what has been written.
func (e *Editor) Changed() {
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
func (e *Editor) moved() {
	e.column = -1
	e.follow()
}

// follow brings the caret into sight, and draws.
func (e *Editor) follow() {
	row := float32(e.lines.find(e.draft.caret))
	h := e.rowHeight()
	if in := e.inner(); in >= h {
		e.offset = min(max(e.offset, (row+1)*h-in), row*h)
	}
	e.scrollTo(e.offset)
}

func (e *Editor) scrollTo(offset float32) {
	most := float32(e.lines.count())*e.rowHeight() - e.inner()
	e.offset = min(max(offset, 0), max(most, 0))
	if e.render != nil {
		e.render.draw()
	}
}

// write puts a text in place of the selection, if there is room for it.
func (e *Editor) write(s string) {
	if e.popup != nil {
		e.popup.Hide()
	}
	if !e.draft.write(s) {
		if e.OnFull != nil {
			e.OnFull(e.draft.limit)
		}
		return
	}
	e.Changed()
}

// erase deletes the selection, or else what is between the caret and a position.
func (e *Editor) erase(to int) {
	from, end := e.draft.selection()
	if from == end {
		from, end = min(e.draft.caret, to), max(e.draft.caret, to)
	}
	e.draft.erase(from, end)
	e.Changed()
}

// Replace puts a text in place of the code points from from up to to.
func (e *Editor) Replace(from, to int, s string) {
	e.draft.move(from, false)
	e.draft.move(to, true)
	e.write(s)
}

// MoveCaret puts the caret elsewhere; with the shift key down it selects.
func (e *Editor) MoveCaret(to int) {
	e.draft.move(to, e.Shift)
	e.moved()
}

func (e *Editor) selectAll() {
	e.draft.anchor = 0
	e.draft.move(len(e.draft.runes), true)
	e.moved()
}

// leap moves the caret by rows.
func (e *Editor) leap(rows int) {
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
	e.MoveCaret(to)
	e.column = column
}

// TypedRune writes a character.
func (e *Editor) TypedRune(r rune) {
	e.half = false
	e.write(string(r))
}

// backspace deletes what a person takes for one character: on a desktop a whole
// grapheme cluster. Android sends one deletion for each UTF-16 unit, so that an
// emoji's second one must not eat the character before it.
func (e *Editor) backspace(half bool) {
	at := e.draft.caret
	from, to := e.draft.selection()
	switch {
	case from < to || !e.Halves:
		e.erase(e.draft.before(at))
	case !half && at > 0:
		e.half = len(utf16.Encode(e.draft.runes[at-1:at])) == 2
		e.erase(at - 1)
	}
}

func (e *Editor) KeyDown(k *fyne.KeyEvent) {
	if k.Name == desktop.KeyShiftLeft || k.Name == desktop.KeyShiftRight {
		e.Shift = true
	}
}

func (e *Editor) KeyUp(k *fyne.KeyEvent) {
	if k.Name == desktop.KeyShiftLeft || k.Name == desktop.KeyShiftRight {
		e.Shift = false
	}
}

func (e *Editor) TypedKey(k *fyne.KeyEvent) {
	d := &e.draft
	half := e.half
	e.half = false
	from, to := d.selection()
	collapses := from < to && !e.Shift // an arrow key goes to the selection's end
	switch k.Name {
	case fyne.KeyBackspace:
		e.backspace(half)
	case fyne.KeyDelete:
		e.erase(d.after(d.caret))
	case fyne.KeyReturn, fyne.KeyEnter:
		e.write("\n")
	case fyne.KeyLeft:
		if collapses {
			e.MoveCaret(from)
		} else {
			e.MoveCaret(d.before(d.caret))
		}
	case fyne.KeyRight:
		if collapses {
			e.MoveCaret(to)
		} else {
			e.MoveCaret(d.after(d.caret))
		}
	case fyne.KeyUp:
		e.leap(-1)
	case fyne.KeyDown:
		e.leap(1)
	case fyne.KeyHome:
		r := e.lines.row(e.lines.find(d.caret))
		e.MoveCaret(r.position(r.line().From))
	case fyne.KeyEnd:
		r := e.lines.row(e.lines.find(d.caret))
		end := r.position(r.end())
		if !r.last() {
			end = d.before(end)
		}
		e.MoveCaret(end)
	case fyne.KeyPageUp:
		e.MoveCaret(0)
	case fyne.KeyPageDown:
		e.MoveCaret(len(d.runes))
	}
}

func (e *Editor) TypedShortcut(s fyne.Shortcut) {
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
		e.Changed()
	case *fyne.ShortcutRedo:
		d.redo()
		e.Changed()
	case *desktop.CustomShortcut:
		e.byWords(s)
	}
}

// byWords moves and deletes by words: Control, or on a Mac Alt, with an arrow,
// Backspace or Delete.
func (e *Editor) byWords(s *desktop.CustomShortcut) {
	word := fyne.KeyModifierControl
	if fyne.KeyModifierShortcutDefault == fyne.KeyModifierSuper {
		word = fyne.KeyModifierAlt
	}
	if s.Modifier&^fyne.KeyModifierShift != word {
		return
	}
	d := &e.draft
	e.Shift = s.Modifier&fyne.KeyModifierShift != 0
	switch s.KeyName {
	case fyne.KeyLeft:
		e.MoveCaret(d.wordBefore(d.caret))
	case fyne.KeyRight:
		e.MoveCaret(d.wordAfter(d.caret))
	case fyne.KeyHome:
		e.MoveCaret(0)
	case fyne.KeyEnd:
		e.MoveCaret(len(d.runes))
	case fyne.KeyBackspace:
		e.erase(d.wordBefore(d.caret))
	case fyne.KeyDelete:
		e.erase(d.wordAfter(d.caret))
	}
}

// copy reports whether something is selected.
func (e *Editor) copy() bool {
	s := e.SelectedText()
	if s != "" {
		fyne.CurrentApp().Clipboard().SetContent(s)
	}
	return s != ""
}

func (e *Editor) paste() {
	if s := fyne.CurrentApp().Clipboard().Content(); s != "" {
		e.write(s)
	}
}

func (e *Editor) FocusGained() {
	e.Focused = true
	e.Refresh()
}

func (e *Editor) FocusLost() {
	e.Focused, e.Shift = false, false
	e.Refresh()
}

// positionAt is the position in the draft that is nearest to a point.
func (e *Editor) positionAt(p fyne.Position) int {
	row := e.lines.row(int(max(p.Y-e.top()+e.offset, 0) / e.rowHeight()))
	return row.at(p.X-pad, e.lines.frame.width)
}

func (e *Editor) self() fyne.Focusable { return e.render.self.(fyne.Focusable) }

func (e *Editor) takeFocus() {
	if c := kit.CanvasOf(e.render.self); c != nil {
		c.Focus(e.self())
	}
}

func (e *Editor) MouseDown(m *desktop.MouseEvent) {
	e.takeFocus()
	if from, to := e.draft.selection(); m.Button == desktop.MouseButtonPrimary || from == to {
		e.MoveCaret(e.positionAt(m.Position))
	}
}

func (e *Editor) MouseUp(*desktop.MouseEvent) {}

// TouchDown shows the keyboard, and puts the caret under the finger.
func (e *Editor) TouchDown(t *mobile.TouchEvent) {
	e.takeFocus()
	if from, to := e.draft.selection(); from == to && t.Position.X < e.Size().Width-e.Aside && t.Position.Y >= e.Head {
		e.MoveCaret(e.positionAt(t.Position))
	}
}

func (e *Editor) TouchUp(*mobile.TouchEvent)     {}
func (e *Editor) TouchCancel(*mobile.TouchEvent) {}

// Tapped ends a selection; a finger that goes on to a menu keeps it.
func (e *Editor) Tapped(p *fyne.PointEvent) {
	if kit.IsPhone() && p.Position.Y >= e.Head {
		e.MoveCaret(e.positionAt(p.Position))
	}
}

func (e *Editor) DoubleTapped(p *fyne.PointEvent) {
	e.draft.selectWord(e.positionAt(p.Position))
	e.moved()
}

// TappedSecondary shows a menu of what can be done with the selection.
func (e *Editor) TappedSecondary(p *fyne.PointEvent) {
	e.takeFocus()
	driver := fyne.CurrentApp().Driver()
	c := kit.CanvasOf(e.render.self)
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
func (e *Editor) Dragged(d *fyne.DragEvent) {
	if kit.IsPhone() && float32(e.lines.count())*e.rowHeight() > e.Size().Height-e.Head {
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

func (e *Editor) DragEnd() { e.dragged = false }

func (e *Editor) Scrolled(s *fyne.ScrollEvent) { e.scrollTo(e.offset - s.Scrolled.DY) }

func (e *Editor) Cursor() desktop.Cursor { return desktop.TextCursor }

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
func (r *editorRenderer) Refresh()           { r.size = r.editor.Size(); r.lay() }
func (r *editorRenderer) Objects() []fyne.CanvasObject {
	return r.objects
}
func (r *editorRenderer) Destroy() {}
