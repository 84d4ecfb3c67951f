package ui

import (
	"testing"

	"fyne.io/fyne/v2"
	"fyne.io/fyne/v2/driver/desktop"
	"fyne.io/fyne/v2/test"

	"parley/client/ui/kit"
	"parley/client/ui/uitest"
)

// listener is the window's canvas, which remembers what Fyne's drivers would
// call; the one for tests forgets it.
type listener struct {
	fyne.Canvas
	shortcuts map[string]func(fyne.Shortcut)
	down, up  func(*fyne.KeyEvent)
}

func (l *listener) AddShortcut(s fyne.Shortcut, f func(fyne.Shortcut)) {
	l.shortcuts[s.ShortcutName()] = f
}
func (l *listener) OnKeyDown() func(*fyne.KeyEvent)     { return l.down }
func (l *listener) OnKeyUp() func(*fyne.KeyEvent)       { return l.up }
func (l *listener) SetOnKeyDown(f func(*fyne.KeyEvent)) { l.down = f }
func (l *listener) SetOnKeyUp(f func(*fyne.KeyEvent))   { l.up = f }

type listenedWindow struct {
	fyne.Window
	canvas *listener
}

func (w listenedWindow) Canvas() fyne.Canvas { return w.canvas }

// After a click on a message, or a menu that was closed, nothing has the focus:
// keys and shortcuts reach the composer as letters do.
func TestKeysFindTheComposer(t *testing.T) {
	w := newWorld(t, uitest.Phone, nil)
	l := &listener{Canvas: w.window.Canvas(), shortcuts: make(map[string]func(fyne.Shortcut))}
	w.client.window = listenedWindow{w.window, l}
	listen(w.client.client)
	w.client.start()
	conv := w.room("Lobby", "Ann", "Bob")
	conv.Apply(uitest.Appended(uitest.Many(0, 100)...))
	p, e := w.page(), w.page().composer.Entry
	w.app.Clipboard().SetContent("pasted")
	key := func(k fyne.KeyName) { l.OnTypedKey()(&fyne.KeyEvent{Name: k}) }
	shortcut := func(s fyne.Shortcut) { l.shortcuts[s.ShortcutName()](s) }

	p.list.Tapped(&fyne.PointEvent{Position: fyne.NewPos(100, 300)})
	l.Unfocus()
	shortcut(&fyne.ShortcutPaste{Clipboard: w.app.Clipboard()})
	if e.Text != "pasted" || l.Focused() != fyne.Focusable(e) {
		t.Errorf("after a click Ctrl+V leads to %q, and the focus is on %T", e.Text, l.Focused())
	}

	p.menu(fyne.NewPos(400, 20))
	key(fyne.KeyReturn)
	if e.Text != "pasted" {
		t.Error("Return sends from behind a menu")
	}
	w.client.back(false)
	l.Unfocus()
	end := p.list.Offset
	if key(fyne.KeyPageUp); p.list.Offset >= end {
		t.Error("after a menu PageUp does not scroll")
	}
	l.Unfocus()
	l.down(&fyne.KeyEvent{Name: desktop.KeyShiftLeft})
	key(fyne.KeyReturn)
	l.up(&fyne.KeyEvent{Name: desktop.KeyShiftLeft})
	if e.Text != "pasted\n" {
		t.Errorf("Shift and Return lead to %q", e.Text)
	}
	l.Unfocus()
	key(fyne.KeyBackspace)
	l.Unfocus()
	if key(fyne.KeyReturn); e.Text != "" {
		t.Errorf("Return leaves %q", e.Text)
	}
	for _, s := range []fyne.Shortcut{&fyne.ShortcutUndo{}, &fyne.ShortcutSelectAll{}, &fyne.ShortcutCut{}, &fyne.ShortcutRedo{}} {
		l.Unfocus()
		shortcut(s)
		if l.Focused() != fyne.Focusable(e) {
			t.Errorf("%s does not reach the composer", s.ShortcutName())
		}
	}

	w.client.back(false)
	l.Unfocus()
	shortcut(&fyne.ShortcutPaste{Clipboard: w.app.Clipboard()})
	if got := w.client.nav.top().(*askRoomPage).room.Text; got != "pasted" {
		t.Errorf("among the rooms Ctrl+V leads to %q", got)
	}
}

// Settings stand above a room, not in its place.
func TestSettingsKeepTheRoomOpen(t *testing.T) {
	for _, size := range []fyne.Size{uitest.Phone, fyne.NewSize(1100, 760)} {
		w := newWorld(t, size, nil)
		w.client.start()
		conv := w.room("Lobby", "Ann")
		test.Type(w.page().composer.Entry, "half a sen")
		var gear *kit.Tile
		if size == uitest.Phone {
			w.page().menu(fyne.NewPos(400, 20))
			tapAction(t, w, "Settings")
		} else {
			main := w.client.nav.shown[0].object()
			uitest.Walk(main, func(v uitest.Seen) {
				if b, ok := v.Object.(*kit.Tile); ok && v.At.Y < 40 {
					gear = b
				}
			})
			test.Tap(gear)
			test.Tap(gear)
		}
		if _, ok := w.client.nav.top().(*settingsPage); !ok {
			t.Fatalf("%v: the page is a %T", size, w.client.nav.top())
		}
		w.client.back(false)
		if p, ok := w.client.nav.top().(*roomPage); !ok || p.conv != conv || p.composer.Entry.Text != "half a sen" {
			t.Fatalf("%v: back from the settings is a %T", size, w.client.nav.top())
		}
		w.client.showSettings()
		w.client.leave(conv)
		w.client.back(false)
		if _, ok := w.client.nav.top().(*askRoomPage); !ok {
			t.Errorf("%v: a room that was left is behind the settings as a %T", size, w.client.nav.top())
		}
	}
}

// phoneDriver is Fyne's driver for tests with the way out of a phone's app.
type phoneDriver struct {
	fyne.Driver
	left int
}

func (d *phoneDriver) GoBack() { d.left++ }

type phoneApp struct {
	fyne.App
	driver *phoneDriver
}

func (a phoneApp) Driver() fyne.Driver { return a.driver }

// The rooms are what a phone's app begins with: its way back leaves the app there.
func TestBackFromRoomsLeavesAPhonesApp(t *testing.T) {
	uitest.OnPhone(t, true)
	w := newWorld(t, uitest.Phone, nil)
	driver := &phoneDriver{Driver: w.app.Driver()}
	w.client.app = phoneApp{w.app, driver}
	w.client.start()
	w.room("Lobby", "Ann")
	w.client.back(true)
	rooms, ok := w.client.nav.top().(*askRoomPage)
	if !ok || driver.left != 0 {
		t.Fatalf("back from a room is a %T", w.client.nav.top())
	}
	w.client.back(true)
	if w.client.nav.top() != page(rooms) || driver.left != 1 {
		t.Errorf("back from the rooms is a %T, the app was left %d times", w.client.nav.top(), driver.left)
	}
	if n := buttons(rooms.object(), "back"); n != 0 {
		t.Error("the rooms have a way back that leads elsewhere")
	}
	w.client.nav.reset(func() page { return newLandingPage(w.client.client) })
	w.client.back(true)
	if driver.left != 2 {
		t.Error("back from the first page does not leave the app")
	}
}

// buttons counts the pictures of a name on a page.
func buttons(o fyne.CanvasObject, name string) (n int) {
	uitest.Walk(o, func(v uitest.Seen) {
		if p, ok := v.Object.(*kit.Picture); ok && p.Name == name {
			n++
		}
	})
	return n
}
