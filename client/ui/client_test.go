package ui

import (
	"strings"
	"testing"

	"fyne.io/fyne/v2"
	"fyne.io/fyne/v2/driver/desktop"
	"fyne.io/fyne/v2/driver/mobile"
	"fyne.io/fyne/v2/test"

	"parley/client/session"
	"parley/client/ui/kit"
	"parley/client/ui/lang"
	"parley/client/ui/uitest"
)

// Back and Escape go back from everywhere, with an entry focused as well.
func TestBack(t *testing.T) {
	w := newWorld(t, uitest.Phone, nil)
	w.client.start()
	w.room("Lobby", "Ann")
	canvas := w.window.Canvas()
	back := func(k fyne.KeyName) {
		if f := canvas.Focused(); f != nil {
			f.TypedKey(&fyne.KeyEvent{Name: k})
		} else {
			canvas.OnTypedKey()(&fyne.KeyEvent{Name: k})
		}
	}
	w.people()
	back(fyne.KeyEscape)
	if canvas.Overlays().Top() != nil || len(w.client.nav.stack) != 3 {
		t.Fatal("Escape does not close just the panel")
	}
	canvas.Focus(w.page().composer.Entry)
	back(mobile.KeyBack)
	p, ok := w.client.nav.top().(*askRoomPage)
	if !ok {
		t.Fatalf("back from the room is a %T", w.client.nav.top())
	}
	canvas.Focus(p.room)
	back(fyne.KeyEscape)
	if _, ok := w.client.nav.top().(*landingPage); !ok {
		t.Fatalf("back from the rooms is a %T", w.client.nav.top())
	}
	back(fyne.KeyEscape)
	if len(w.client.nav.stack) != 1 {
		t.Error("the first page is gone")
	}
}

// After a click on the conversation one can go on typing.
func TestTypingFindsTheComposer(t *testing.T) {
	w := newWorld(t, uitest.Phone, nil)
	w.client.start()
	w.room("Lobby", "Ann")
	w.window.Canvas().Unfocus()
	test.TypeOnCanvas(w.window.Canvas(), "hi")
	if got := w.page().composer.Entry.Text; got != "hi" {
		t.Errorf("the composer has %q", got)
	}
	w.people()
	test.TypeOnCanvas(w.window.Canvas(), "x")
	if got := w.page().composer.Entry.Text; got != "hi" {
		t.Errorf("typing behind a panel: %q", got)
	}
}

func TestSwitcher(t *testing.T) {
	w := newWorld(t, uitest.Phone, nil)
	w.client.start()
	w.room("Lobby", "Ann")
	w.room("Kitchen", "Ann")
	entry := w.page().composer.Entry
	w.window.Canvas().Focus(entry)
	entry.TypedShortcut(&desktop.CustomShortcut{KeyName: fyne.KeyK, Modifier: fyne.KeyModifierControl})
	e, ok := w.window.Canvas().Focused().(interface {
		fyne.Focusable
		fyne.Shortcutable
	})
	if !ok {
		t.Fatalf("the focus is on %T", w.window.Canvas().Focused())
	}
	test.Type(e, "lob")
	if got := uitest.Texts(w.window.Canvas().Overlays().Top()); !strings.Contains(got, "Lobby") || strings.Contains(got, "Kitchen") {
		t.Errorf("the switcher lists:\n%s", got)
	}
	e.TypedKey(&fyne.KeyEvent{Name: fyne.KeyReturn})
	if w.page().conv.Name != "Lobby" || w.window.Canvas().Overlays().Top() != nil {
		t.Errorf("went to %q", w.page().conv.Name)
	}
	showSwitcher(w.client.client)
	if f, ok := w.window.Canvas().Focused().(interface{ TypedKey(*fyne.KeyEvent) }); ok {
		f.TypedKey(&fyne.KeyEvent{Name: fyne.KeyReturn})
	}
	if w.page().conv.Name != "Kitchen" {
		t.Errorf("Ctrl+K and Return lead to %q, not to the room before", w.page().conv.Name)
	}
	showSwitcher(w.client.client)
	test.Type(w.window.Canvas().Focused(), "Cellar")
	tapAction(t, w, "Open “Cellar”")
	if w.page().conv.Name != "Cellar" {
		t.Errorf("a new room's name leads to %q", w.page().conv.Name)
	}
}

func TestWideWindowShowsTwoPanes(t *testing.T) {
	w := newWorld(t, fyne.NewSize(1100, 760), nil)
	w.client.start()
	w.room("Lobby", "Ann")
	if n := len(w.client.nav.shown); n != 2 {
		t.Fatalf("%d pages are shown", n)
	}
	if w.page().back.Visible() {
		t.Error("a room beside its list has a way back")
	}
	list, room := w.client.nav.shown[0].object(), w.page().object()
	if list.Size().Width != paneWidth || room.Position().X != paneWidth+1 || room.Size().Width != 1100-paneWidth-1 {
		t.Errorf("the list is %v wide, the room begins at %v", list.Size().Width, room.Position().X)
	}
	w.window.Resize(uitest.Phone)
	if n := len(w.client.nav.shown); n != 1 {
		t.Errorf("in a narrow window %d pages are shown", n)
	}
	if b := w.page().back; !b.Visible() || b.Size().Width < kit.Touch {
		t.Error("a room that has lost the list beside it has no way back")
	}
	w.window.Resize(fyne.NewSize(1100, 760))
	if w.page().back.Visible() {
		t.Error("a room that the list has come beside has a way back")
	}
}

func TestNotifications(t *testing.T) {
	w := newWorld(t, uitest.Phone, nil)
	w.client.start()
	conv := w.room("Lobby", "Ann", "Bob")
	n := 100
	say := func(text string) []session.Change { n++; return uitest.Appended(uitest.Said(n, "Bob", text)) }

	conv.Apply(say("seen by ann"))
	test.AssertNotificationSent(t, nil, func() {})
	w.client.back(false)
	test.AssertNotificationSent(t, nil, func() { conv.Apply(say("not for the annual report")) })
	test.AssertNotificationSent(t, fyne.NewNotification("Bob in Lobby", "hey ANN, look"), func() { conv.Apply(say("hey ANN,\nlook")) })
	w.client.setFocused(false)
	test.AssertNotificationSent(t, fyne.NewNotification("Bob in Lobby", "anybody?"), func() { conv.Apply(say("anybody?")) })
	w.client.enter("Lobby")
	test.AssertNotificationSent(t, fyne.NewNotification("Bob in Lobby", "still away"), func() { conv.Apply(say("still away")) })
	w.client.setFocused(true)
	if conv.Unread != 0 {
		t.Errorf("%d unread after looking", conv.Unread)
	}
	test.AssertNotificationSent(t, nil, func() { conv.Apply(say("here again")) })
}

func TestSettings(t *testing.T) {
	w := newWorld(t, uitest.Phone, nil)
	w.client.start()
	w.room("Lobby", "Ann")
	w.client.nav.push(func() page { return newSettingsPage(w.client.client) })
	p := func() *settingsPage { return w.client.nav.top().(*settingsPage) }
	p().setSize(200)
	if kit.TextScale() != 2 || w.client.prefs.percent() != 200 {
		t.Errorf("the text's factor is %v", kit.TextScale())
	}
	p().setLook(kit.LookDark)
	if !kit.IsDark() {
		t.Error("the look is light")
	}
	p().setLanguage("de")
	if got := uitest.Texts(p().object()); !strings.Contains(got, "Einstellungen") || !strings.Contains(got, "Sprache") {
		t.Errorf("the page is not in German:\n%s", got)
	}
	p().name.Entry.SetText("a/b")
	if p().problem.Text == "" {
		t.Error("a bad name is not told")
	}
	p().name.Entry.SetText("Anna")
	w.client.back(false)
	if w.client.prefs.name() != "Anna" {
		t.Errorf("the name is %q", w.client.prefs.name())
	}
	w.client.nav.push(func() page { return newSettingsPage(w.client.client) })
	p().changeServer()
	if _, ok := w.client.nav.top().(*landingPage); !ok || len(w.client.open) != 0 {
		t.Error("changing the server does not lead to the first page without rooms")
	}
	if err := lang.Use("en"); err != nil {
		t.Fatal(err)
	}
}

func TestWindowSizeIsRemembered(t *testing.T) {
	w := newWorld(t, fyne.NewSize(900, 700), nil)
	w.client.start()
	w.client.quit()
	w.closed = true
	if got := w.client.prefs.size(); got != fyne.NewSize(900, 700) {
		t.Errorf("the size is %v", got)
	}
}
