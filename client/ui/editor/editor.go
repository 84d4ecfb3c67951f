// Package editor is a place to write several lines: the text with its caret and
// what can be undone (draft.go), its layout (lines.go), and the widget (editor.go),
// with what keys (keys.go) and pointers (pointer.go) do to it, and how it is drawn
// (render.go).
package editor

import (
	"fyne.io/fyne/v2"
	"fyne.io/fyne/v2/widget"

	"parley/client/ui/kit"
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

func (e *Editor) FocusGained() {
	e.Focused = true
	e.Refresh()
}

func (e *Editor) FocusLost() {
	e.Focused, e.Shift = false, false
	e.Refresh()
}
