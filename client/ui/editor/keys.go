package editor

import (
	"unicode/utf16"

	"fyne.io/fyne/v2"
	"fyne.io/fyne/v2/driver/desktop"
)

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
