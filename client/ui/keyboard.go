package ui

import (
	"fyne.io/fyne/v2"
	"fyne.io/fyne/v2/driver/desktop"
	"fyne.io/fyne/v2/driver/mobile"

	"parley/client/ui/kit"
)

// input is a place to write.
type input interface {
	fyne.Focusable
	fyne.Shortcutable
	desktop.Keyable
}

// writer is a page on which what is typed while nothing has the focus, as after
// a click on the conversation or a closed menu, goes somewhere.
type writer interface{ input() input }

// input is the present target of what is typed, or nil. On a phone nothing is typed
// without the focus.
func (c *client) input() input {
	if kit.IsPhone() || c.window.Canvas().Overlays().Top() != nil {
		return nil
	}
	if p, ok := c.nav.top().(writer); ok {
		return p.input()
	}
	return nil
}

// shortcuts are the app's own; a focused entry hands them on.
var shortcuts = []*desktop.CustomShortcut{
	{KeyName: fyne.KeyK, Modifier: fyne.KeyModifierControl},
	{KeyName: fyne.KeyK, Modifier: fyne.KeyModifierSuper},
	{KeyName: fyne.KeyF, Modifier: fyne.KeyModifierControl},
	{KeyName: fyne.KeyF, Modifier: fyne.KeyModifierSuper},
}

// These shortcuts and keys are meant for the input.
var (
	writingShortcuts = []fyne.Shortcut{
		&fyne.ShortcutPaste{}, &fyne.ShortcutCut{}, &fyne.ShortcutSelectAll{}, &fyne.ShortcutUndo{}, &fyne.ShortcutRedo{},
		&desktop.CustomShortcut{KeyName: fyne.KeyUp, Modifier: fyne.KeyModifierShortcutDefault},
		&desktop.CustomShortcut{KeyName: fyne.KeyDown, Modifier: fyne.KeyModifierShortcutDefault},
	}
	writingKeys = map[fyne.KeyName]bool{
		fyne.KeyReturn: true, fyne.KeyEnter: true, fyne.KeyBackspace: true, fyne.KeyDelete: true,
		fyne.KeyLeft: true, fyne.KeyRight: true, fyne.KeyUp: true, fyne.KeyDown: true,
		fyne.KeyHome: true, fyne.KeyEnd: true, fyne.KeyPageUp: true, fyne.KeyPageDown: true,
	}
)

// listen handles what is typed while nothing has the focus: keys that go back, the
// app's shortcuts, and whatever is meant for the input.
func listen(c *client) {
	c.shortcut = c.doShortcut
	canvas := c.window.Canvas()
	canvas.SetOnTypedKey(func(k *fyne.KeyEvent) {
		switch {
		case kit.GoesBack(k):
			c.ways.back(k.Name == mobile.KeyBack)
		case writingKeys[k.Name]:
			c.typed(func(in input) { in.TypedKey(k) })
		}
	})
	canvas.SetOnTypedRune(func(r rune) { c.typed(func(in input) { in.TypedRune(r) }) })
	for _, s := range writingShortcuts {
		canvas.AddShortcut(s, func(s fyne.Shortcut) { c.typed(func(in input) { in.TypedShortcut(s) }) })
	}
	for _, s := range shortcuts {
		canvas.AddShortcut(s, func(s fyne.Shortcut) { c.shortcut(s) })
	}
	if d, ok := canvas.(desktop.Canvas); ok { // Shift makes another key of Return
		d.SetOnKeyDown(func(k *fyne.KeyEvent) {
			if in := c.input(); in != nil {
				in.KeyDown(k)
			}
		})
		d.SetOnKeyUp(func(k *fyne.KeyEvent) {
			if in := c.input(); in != nil {
				in.KeyUp(k)
			}
		})
	}
}

// typed gives the input the focus, and then what was typed.
func (c *client) typed(do func(input)) {
	if in := c.input(); in != nil {
		c.window.Canvas().Focus(in)
		do(in)
	}
}

// doShortcut does what one of the app's shortcuts asks for. It reports whether it
// was one.
func (c *client) doShortcut(s fyne.Shortcut) bool {
	for _, own := range shortcuts {
		if own.ShortcutName() != s.ShortcutName() {
			continue
		}
		if p, ok := c.nav.top().(*roomPage); own.KeyName == fyne.KeyK {
			showSwitcher(c)
		} else if ok {
			p.showFind()
		}
		return true
	}
	return false
}
