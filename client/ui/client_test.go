package ui

import (
	"strings"
	"testing"
	"time"

	"fyne.io/fyne/v2"
	"fyne.io/fyne/v2/driver/desktop"
	"fyne.io/fyne/v2/driver/mobile"
	"fyne.io/fyne/v2/test"

	"parley/client/session"
)

// Back and Escape go back from everywhere, with an entry focused as well.
func TestBack(t *testing.T) {
	w := newWorld(t, phone, nil)
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
	w.page().showPeople()
	back(fyne.KeyEscape)
	if canvas.Overlays().Top() != nil || len(w.client.nav.stack) != 3 {
		t.Fatal("Escape does not close just the panel")
	}
	canvas.Focus(w.page().composer.entry)
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
	w := newWorld(t, phone, nil)
	w.client.start()
	w.room("Lobby", "Ann")
	w.window.Canvas().Unfocus()
	test.TypeOnCanvas(w.window.Canvas(), "hi")
	if got := w.page().composer.entry.Text; got != "hi" {
		t.Errorf("the composer has %q", got)
	}
	w.page().showPeople()
	test.TypeOnCanvas(w.window.Canvas(), "x")
	if got := w.page().composer.entry.Text; got != "hi" {
		t.Errorf("typing behind a panel: %q", got)
	}
}

// A slow tap on a phone is a tap; a right click on a button is none.
func TestSecondaryTapOnATile(t *testing.T) {
	newWorld(t, phone, nil)
	taps := 0
	tile := newPrimary("go", func() { taps++ })
	tile.TappedSecondary(&fyne.PointEvent{})
	if taps != 0 {
		t.Error("a right click does what a click does")
	}
	onPhone(t, true)
	tile.TappedSecondary(&fyne.PointEvent{})
	if taps != 1 {
		t.Error("a slow tap does nothing")
	}
}

func TestSwitcher(t *testing.T) {
	w := newWorld(t, phone, nil)
	w.client.start()
	w.room("Lobby", "Ann")
	w.room("Kitchen", "Ann")
	entry := w.page().composer.entry
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
	if got := texts(w.window.Canvas().Overlays().Top()); !strings.Contains(got, "Lobby") || strings.Contains(got, "Kitchen") {
		t.Errorf("the switcher lists:\n%s", got)
	}
	e.TypedKey(&fyne.KeyEvent{Name: fyne.KeyReturn})
	if w.page().conv.name != "Lobby" || w.window.Canvas().Overlays().Top() != nil {
		t.Errorf("went to %q", w.page().conv.name)
	}
	w.client.showSwitcher()
	if f, ok := w.window.Canvas().Focused().(interface{ TypedKey(*fyne.KeyEvent) }); ok {
		f.TypedKey(&fyne.KeyEvent{Name: fyne.KeyReturn})
	}
	if w.page().conv.name != "Kitchen" {
		t.Errorf("Ctrl+K and Return lead to %q, not to the room before", w.page().conv.name)
	}
	w.client.showSwitcher()
	test.Type(w.window.Canvas().Focused(), "Cellar")
	tapAction(t, w, "Open “Cellar”")
	if w.page().conv.name != "Cellar" {
		t.Errorf("a new room's name leads to %q", w.page().conv.name)
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
	w.window.Resize(phone)
	if n := len(w.client.nav.shown); n != 1 {
		t.Errorf("in a narrow window %d pages are shown", n)
	}
	if b := w.page().back; !b.Visible() || b.Size().Width < touch {
		t.Error("a room that has lost the list beside it has no way back")
	}
	w.window.Resize(fyne.NewSize(1100, 760))
	if w.page().back.Visible() {
		t.Error("a room that the list has come beside has a way back")
	}
}

func TestNotifications(t *testing.T) {
	w := newWorld(t, phone, nil)
	w.client.start()
	conv := w.room("Lobby", "Ann", "Bob")
	n := 100
	say := func(text string) []session.Change { n++; return appended(said(n, "Bob", text)) }

	conv.apply(say("seen by ann"))
	test.AssertNotificationSent(t, nil, func() {})
	w.client.back(false)
	test.AssertNotificationSent(t, nil, func() { conv.apply(say("not for the annual report")) })
	test.AssertNotificationSent(t, fyne.NewNotification("Bob in Lobby", "hey ANN, look"), func() { conv.apply(say("hey ANN,\nlook")) })
	w.client.setFocused(false)
	test.AssertNotificationSent(t, fyne.NewNotification("Bob in Lobby", "anybody?"), func() { conv.apply(say("anybody?")) })
	w.client.enter("Lobby")
	test.AssertNotificationSent(t, fyne.NewNotification("Bob in Lobby", "still away"), func() { conv.apply(say("still away")) })
	w.client.setFocused(true)
	if conv.unread != 0 {
		t.Errorf("%d unread after looking", conv.unread)
	}
	test.AssertNotificationSent(t, nil, func() { conv.apply(say("here again")) })
}

func TestMentions(t *testing.T) {
	for _, tc := range []struct {
		text, name string
		want       bool
	}{
		{"hi ann!", "Ann", true}, {"@Ann", "Ann", true}, {"annual", "Ann", false}, {"Joann", "Ann", false}, {"annual ann", "Ann", true},
		{"田中さん", "田中", true}, {"x", "", false}, {"łukaszu", "Łukasz", false}, {"ŁUKASZ", "Łukasz", true},
	} {
		if got := mentions(tc.text, tc.name); got != tc.want {
			t.Errorf("%q names %q: %v", tc.text, tc.name, got)
		}
	}
}

func TestSettings(t *testing.T) {
	w := newWorld(t, phone, nil)
	w.client.start()
	w.room("Lobby", "Ann")
	w.client.nav.push(func() page { return newSettingsPage(w.client) })
	p := func() *settingsPage { return w.client.nav.top().(*settingsPage) }
	p().setSize(200)
	if textScale() != 2 || w.client.prefs.percent() != 200 {
		t.Errorf("the text's factor is %v", textScale())
	}
	p().setLook(lookDark)
	if !isDark() {
		t.Error("the look is light")
	}
	p().setLanguage("de")
	if got := texts(p().object()); !strings.Contains(got, "Einstellungen") || !strings.Contains(got, "Sprache") {
		t.Errorf("the page is not in German:\n%s", got)
	}
	p().name.entry.SetText("a/b")
	if p().problem.text == "" {
		t.Error("a bad name is not told")
	}
	p().name.entry.SetText("Anna")
	w.client.back(false)
	if w.client.prefs.name() != "Anna" {
		t.Errorf("the name is %q", w.client.prefs.name())
	}
	w.client.nav.push(func() page { return newSettingsPage(w.client) })
	p().changeServer()
	if _, ok := w.client.nav.top().(*landingPage); !ok || len(w.client.open) != 0 {
		t.Error("changing the server does not lead to the first page without rooms")
	}
	if err := useLanguage("en"); err != nil {
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

func TestDays(t *testing.T) {
	newWorld(t, phone, nil)
	for want, at := range map[string]time.Time{
		"Today": noon.Add(-12 * time.Hour), "Yesterday": noon.Add(-13 * time.Hour),
		"Monday, March 10": noon.AddDate(0, 0, -2), "December 31, 2024": time.Date(2024, 12, 31, 8, 0, 0, 0, time.UTC),
	} {
		if got := dayName(at); got != want {
			t.Errorf("%v is %q, want %q", at, got, want)
		}
	}
	for want, d := range map[string]time.Duration{"just now": 10 * time.Second, "1 minute ago": time.Minute, "3 hours ago": 3*time.Hour + time.Minute, "2 days ago": 50 * time.Hour} {
		if got := ago(noon.Add(-d)); got != want {
			t.Errorf("%v ago is %q, want %q", d, got, want)
		}
	}
}
