package ui

import (
	"strings"
	"testing"

	"fyne.io/fyne/v2"
	"fyne.io/fyne/v2/test"

	"parley/client/session"
	"parley/client/store"
	"parley/client/ui/kit"
	"parley/client/ui/lang"
	"parley/client/ui/uitest"
)

// buttonAt is the place of the button with a label in the window.
func (w *world) buttonAt(label string) fyne.Position {
	w.t.Helper()
	root := w.window.Content()
	if o := w.window.Canvas().Overlays().Top(); o != nil {
		root = o
	}
	var last *kit.Tile
	at := fyne.NewPos(-1, -1)
	uitest.Walk(root, func(v uitest.Seen) {
		if t, ok := v.Object.(*kit.Tile); ok {
			last = t
		}
		if v.Text != nil && v.Text.Text == label && last != nil {
			at = fyne.CurrentApp().Driver().AbsolutePositionForObject(last)
		}
	})
	if at.X < 0 {
		w.t.Fatalf("no button %q", label)
	}
	return at
}

// What is said of an error does not move the button that a finger is on.
func TestErrorMovesNoButton(t *testing.T) {
	for _, percent := range []int{100, 200} {
		w := newWorld(t, fyne.NewSize(360, 900), func(p prefs) { p.setName(""); p.setServer(""); p.setPercent(percent) })
		p := w.landing()
		label := lang.T("landing.go")
		at := w.buttonAt(label)
		check := func(what string) {
			t.Helper()
			if now := w.buttonAt(label); now != at {
				t.Errorf("%d %%, %s: the button goes from %v to %v", percent, what, at, now)
			}
		}
		p.submit()
		check("no name")
		w.settle(func() bool { return p.state.known.icon == "check" })
		check("the server answers")
		for _, cause := range session.Causes() {
			p.state.failed(&session.Problem{Cause: cause})
			check(string(cause))
		}

		w.client.setProfile("Ann", "http://192.0.2.1:8000")
		w.client.start()
		conv := w.room("Attic")
		conv.Apply([]session.Change{{Kind: session.StatusChanged, Status: session.Status{State: session.Closed, Cause: session.CauseWrongKey}}})
		label = lang.T("key.enter")
		at = w.buttonAt(label)
		tapAction(t, w, label)
		check("no passphrase")
		w.client.back(false)

		showLock(w.client.client, "Cellar")
		label = lang.T("key.enter")
		at = w.buttonAt(label)
		tapAction(t, w, label)
		check("a new room without a passphrase")
		test.Type(w.window.Canvas().Focused(), "\u00ad12345678")
		tapAction(t, w, label)
		check("a character that can't be used")
	}
}

// What was wrong is said until it is mended, and no longer.
func TestErrorGoesWhenItIsMended(t *testing.T) {
	w := newWorld(t, uitest.Phone, func(p prefs) { p.setName(""); p.setServer("") })
	p := w.landing()
	w.settle(func() bool { return p.state.known.icon == "check" })
	p.submit()
	if p.state.text.Text != lang.T("name.empty") || p.state.text.Role(kit.Colors()) != kit.Colors().Error {
		t.Fatalf("without a name the page says %q", p.state.text.Text)
	}
	p.name.Entry.SetText("a/")
	if p.state.text.Text != lang.T("name.slash") {
		t.Errorf("with another mistake the page says %q", p.state.text.Text)
	}
	p.name.Entry.SetText("Ann")
	if p.state.text.Text == lang.T("name.slash") || p.state.known.icon != "check" {
		t.Errorf("with a name the page says %q", p.state.text.Text)
	}
	p.server.Entry.SetText("http://")
	p.submit()
	if p.state.text.Text != lang.T("cause.bad_address") {
		t.Errorf("without an address the page says %q", p.state.text.Text)
	}
	p.server.Entry.SetText("192.0.2.1:8000")
	if p.state.wrong != "" {
		t.Errorf("with an address the page says %q", p.state.text.Text)
	}

	// A server that comes back is found without a touch.
	w.set(func() { w.fault = &session.Problem{Cause: session.CauseRefused} })
	p.ask(0)
	w.settle(func() bool { return p.state.text.Text == lang.T("cause.refused") })
	w.set(func() { w.fault = nil })
	p.again()
	w.settle(func() bool { return p.state.known.icon == "check" })

	w.client.setProfile("Ann", "http://192.0.2.1:8000")
	w.client.start()
	showLock(w.client.client, "Cellar")
	tapAction(t, w, lang.T("key.enter"))
	said := func() string { return uitest.Texts(w.window.Canvas().Overlays().Top()) }
	if !strings.Contains(said(), "8 to 128 characters") {
		t.Fatalf("without a passphrase:\n%s", said())
	}
	test.Type(w.window.Canvas().Focused(), "1234567")
	if !strings.Contains(said(), "8 to 128 characters") {
		t.Error("what is wrong goes before it is mended")
	}
	if test.Type(w.window.Canvas().Focused(), "8"); strings.Contains(said(), "8 to 128 characters") {
		t.Error("what was wrong is said of a passphrase that is long enough")
	}
}

// The header of a room with a passphrase shows a lock, and what is wrong with
// the passphrase is in the colour for that.
func TestLockedRoomShowsIt(t *testing.T) {
	w := newWorld(t, uitest.Phone, nil)
	w.client.start()
	conv := w.room("Attic")
	p := w.page()
	locks := func() int { return buttons(p.header, "lock") }
	status := func(s session.Status) {
		conv.Apply([]session.Change{{Kind: session.StatusChanged, Status: s}})
	}
	if locks() != 0 {
		t.Error("an open room shows a lock")
	}
	why := func(sentence string) (r kit.Role) {
		uitest.Walk(w.window.Canvas().Overlays().Top(), func(v uitest.Seen) {
			if b, ok := v.Object.(*kit.Text); ok && b.Text == sentence {
				r = b.Role
			}
		})
		if r == nil {
			t.Fatalf("%q is not said:\n%s", sentence, uitest.Texts(w.window.Canvas().Overlays().Top()))
		}
		return r
	}
	status(session.Status{State: session.Closed, Cause: session.CauseNeedsKey})
	if locks() != 1 || why(lang.T("cause.needs_key"))(kit.Colors()) != kit.Colors().Muted {
		t.Error("a room that asks for its passphrase shows no lock, or a mistake")
	}
	w.client.back(false)
	status(session.Status{State: session.Closed, Cause: session.CauseWrongKey})
	if locks() != 1 || why(lang.T("cause.wrong_key"))(kit.Colors()) != kit.Colors().Error || p.banner.text.Role(kit.Colors()) != kit.Colors().Error {
		t.Error("a wrong passphrase is not told as an error")
	}
	w.client.back(false)
	status(session.Status{State: session.Connected, Locked: true})
	if locks() != 1 {
		t.Error("a room behind a passphrase shows no lock")
	}
	status(session.Status{State: session.Disconnected, Cause: session.CauseLost, Locked: true})
	if locks() != 1 || p.banner.text.Role(kit.Colors()) != kit.Colors().Warning {
		t.Error("a lost connection takes the lock away, or is told as a mistake")
	}
}

// Leaving a room asks; who stays loses nothing, who leaves does not see the room
// in the list again.
func TestLeavingAsks(t *testing.T) {
	w := newWorld(t, uitest.Phone, nil)
	kept, err := store.Open(t.TempDir() + "/rooms.db")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = kept.Close() })
	w.client.store = kept
	w.client.start()
	conv := w.room("Attic", "Ann", "Bob")
	_, err = conv.Session.Send("hello")
	if err != nil {
		t.Fatal(err)
	}
	w.page().menu(fyne.NewPos(400, 20))
	tapAction(t, w, lang.T("room.leave"))
	tapAction(t, w, lang.T("leave.stay"))
	if w.client.find("Attic") == nil || w.page().conv != conv {
		t.Fatal("who stays is out of the room")
	}
	w.client.back(false)
	rooms := w.client.nav.top().(*askRoomPage)
	listed := func() bool { return strings.Contains(uitest.Texts(rooms.object()), "Attic") }
	if !listed() {
		t.Fatal("the room is not in the list")
	}
	w.client.enter("Attic")
	w.page().menu(fyne.NewPos(400, 20))
	tapAction(t, w, lang.T("room.leave"))
	tapAction(t, w, lang.T("leave.go"))
	w.settle(func() bool { return len(kept.Recent()) == 0 && !listed() })
	if w.client.nav.top() != page(rooms) {
		t.Errorf("after leaving the page is a %T", w.client.nav.top())
	}
}
