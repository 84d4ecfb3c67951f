package editor

import (
	"fyne.io/fyne/v2"
	"fyne.io/fyne/v2/driver/desktop"
	"fyne.io/fyne/v2/driver/mobile"
	"fyne.io/fyne/v2/lang"
	"fyne.io/fyne/v2/widget"

	"parley/client/ui/kit"
)

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

func (e *Editor) TouchUp(*mobile.TouchEvent) {}

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
