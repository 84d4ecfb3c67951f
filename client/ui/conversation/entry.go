package conversation

import (
	"fyne.io/fyne/v2"
	"fyne.io/fyne/v2/driver/mobile"

	"parley/client/ui/editor"
	"parley/client/ui/kit"
)

// Entry is the composer's entry: Return sends, Shift and Return breaks
// the line.
type Entry struct {
	editor.Editor
	composer *Composer
	send     func()
	Leaf     func(pages float32) // PageUp, PageDown: nil keeps them to the entry
	onFocus  func()
	inside   []*insideButton // from the right
	shortcut kit.Shortcut
}

// Keyboard is one whose Return key ends the input; Fyne would show one that
// breaks lines, whose Return it does not tell from a line break.
func (e *Entry) Keyboard() mobile.KeyboardType { return mobile.SingleLineKeyboard }

func (e *Entry) TypedKey(k *fyne.KeyEvent) {
	switch {
	case e.composer.typedKey(k):
	case kit.GoesBack(k):
		kit.TypedOnPage(e, k)
	case k.Name == fyne.KeyReturn, k.Name == fyne.KeyEnter:
		if e.Shift {
			e.TypedRune('\n')
		} else {
			e.send()
		}
	case k.Name == fyne.KeyPageUp && e.Leaf != nil:
		e.Leaf(1)
	case k.Name == fyne.KeyPageDown && e.Leaf != nil:
		e.Leaf(-1)
	default:
		e.Editor.TypedKey(k)
	}
}

// AcceptsTab keeps Tab to the entry while it completes a name.
func (e *Entry) AcceptsTab() bool { return !e.composer.names.Hidden }

func (e *Entry) TypedShortcut(s fyne.Shortcut) {
	if !e.shortcut(s) && !chooseBy(e.composer.List, s) {
		e.Editor.TypedShortcut(s)
	}
}

func (e *Entry) FocusGained() {
	e.Editor.FocusGained()
	e.onFocus()
}

func (e *Entry) FocusLost() {
	e.Editor.FocusLost()
	e.onFocus()
}

// keepKeyboard shows the phone's keyboard again after sending: its Return key
// closes it, and only showing it clears the text that it still holds.
func (e *Entry) keepKeyboard() {
	if d, ok := fyne.CurrentDevice().(mobile.Device); ok && kit.IsPhone() {
		d.ShowVirtualKeyboardType(e.Keyboard())
	}
}

func (e *Entry) CreateRenderer() fyne.WidgetRenderer { return e.Renderer(e) }

// TouchDown shows a button inside as pressed, if the finger is on one. The button
// can't feel that itself without taking the focus, and the keyboard, away. To attach
// something, no keyboard is needed.
func (e *Entry) TouchDown(t *mobile.TouchEvent) {
	if n := int((e.Size().Width - t.Position.X) / kit.Touch); t.Position.Y >= e.Head && n >= 0 && n < len(e.inside) && e.inside[n].Visible() {
		e.inside[n].press(true)
		if e.inside[n] == e.composer.attach {
			return
		}
	}
	e.Editor.TouchDown(t)
}

func (e *Entry) TouchCancel(t *mobile.TouchEvent) {
	for _, b := range e.inside {
		b.press(false)
	}
	e.Editor.TouchCancel(t)
}
