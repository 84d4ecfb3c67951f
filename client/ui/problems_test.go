package ui

import (
	"strings"
	"testing"

	"fyne.io/fyne/v2"
	"fyne.io/fyne/v2/test"

	"parley/client/session"
	"parley/client/store"
)

// buttonAt is where the button with a label is in the window.
func (w *world) buttonAt(label string) fyne.Position {
	w.t.Helper()
	root := w.window.Content()
	if o := w.window.Canvas().Overlays().Top(); o != nil {
		root = o
	}
	var last *tile
	at := fyne.NewPos(-1, -1)
	walk(root, fyne.Position{}, func(v seen) {
		if t, ok := v.object.(*tile); ok {
			last = t
		}
		if v.text != nil && v.text.Text == label && last != nil {
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
		label := tr("landing.go")
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
		for cause := range causeKeys {
			p.state.failed(&session.Problem{Cause: cause})
			check(string(cause))
		}

		w.client.setProfile("Ann", "http://192.0.2.1:8000")
		w.client.start()
		conv := w.room("Attic")
		conv.apply([]session.Change{{Kind: session.StatusChanged, Status: session.Status{State: session.Closed, Cause: session.CauseWrongKey}}})
		label = tr("key.enter")
		at = w.buttonAt(label)
		tapAction(t, w, label)
		check("no passphrase")
		w.client.back(false)

		w.client.showLock("Cellar")
		label = tr("lock.go")
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
	w := newWorld(t, phone, func(p prefs) { p.setName(""); p.setServer("") })
	p := w.landing()
	w.settle(func() bool { return p.state.known.icon == "check" })
	p.submit()
	if p.state.text.text != tr("name.empty") || p.state.text.role(&light) != light.Error {
		t.Fatalf("without a name the page says %q", p.state.text.text)
	}
	p.name.entry.SetText("a/")
	if p.state.text.text != tr("name.slash") {
		t.Errorf("with another mistake the page says %q", p.state.text.text)
	}
	p.name.entry.SetText("Ann")
	if p.state.text.text == tr("name.slash") || p.state.known.icon != "check" {
		t.Errorf("with a name the page says %q", p.state.text.text)
	}
	p.server.entry.SetText("http://")
	p.submit()
	if p.state.text.text != tr("cause.bad_address") {
		t.Errorf("without an address the page says %q", p.state.text.text)
	}
	p.server.entry.SetText("192.0.2.1:8000")
	if p.state.wrong != "" {
		t.Errorf("with an address the page says %q", p.state.text.text)
	}

	// A server that comes back is found without a touch.
	w.fault = &session.Problem{Cause: session.CauseRefused}
	p.ask(0)
	w.settle(func() bool { return p.state.text.text == tr("cause.refused") })
	w.fault = nil
	p.again()
	w.settle(func() bool { return p.state.known.icon == "check" })

	w.client.setProfile("Ann", "http://192.0.2.1:8000")
	w.client.start()
	w.client.showLock("Cellar")
	tapAction(t, w, tr("lock.go"))
	said := func() string { return texts(w.window.Canvas().Overlays().Top()) }
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
	w := newWorld(t, phone, nil)
	w.client.start()
	conv := w.room("Attic")
	p := w.page()
	locks := func() int { return buttons(p.header, "lock") }
	status := func(s session.Status) {
		conv.apply([]session.Change{{Kind: session.StatusChanged, Status: s}})
	}
	if locks() != 0 {
		t.Error("an open room shows a lock")
	}
	why := func(sentence string) (r role) {
		walk(w.window.Canvas().Overlays().Top(), fyne.Position{}, func(v seen) {
			if b, ok := v.object.(*textBlock); ok && b.text == sentence {
				r = b.role
			}
		})
		if r == nil {
			t.Fatalf("%q is not said:\n%s", sentence, texts(w.window.Canvas().Overlays().Top()))
		}
		return r
	}
	status(session.Status{State: session.Closed, Cause: session.CauseNeedsKey})
	if locks() != 1 || why(tr("cause.needs_key"))(&light) != light.Muted {
		t.Error("a room that asks for its passphrase shows no lock, or a mistake")
	}
	w.client.back(false)
	status(session.Status{State: session.Closed, Cause: session.CauseWrongKey})
	if locks() != 1 || why(tr("cause.wrong_key"))(&light) != light.Error || p.banner.text.role(&light) != light.Error {
		t.Error("a wrong passphrase is not told as an error")
	}
	w.client.back(false)
	status(session.Status{State: session.Connected, Locked: true})
	if locks() != 1 {
		t.Error("a room behind a passphrase shows no lock")
	}
	status(session.Status{State: session.Disconnected, Cause: session.CauseLost, Locked: true})
	if locks() != 1 || p.banner.text.role(&light) != light.Warning {
		t.Error("a lost connection takes the lock away, or is told as a mistake")
	}
}

// Leaving a room asks; who stays loses nothing, who leaves does not see the room
// in the list again.
func TestLeavingAsks(t *testing.T) {
	w := newWorld(t, phone, nil)
	kept, err := store.Open(t.TempDir() + "/rooms.db")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = kept.Close() })
	w.client.store = kept
	w.client.start()
	conv := w.room("Attic", "Ann", "Bob")
	_, err = conv.room.Send("hello")
	if err != nil {
		t.Fatal(err)
	}
	w.page().menu(fyne.NewPos(400, 20))
	tapAction(t, w, tr("room.leave"))
	tapAction(t, w, tr("leave.stay"))
	if w.client.find("Attic") == nil || w.page().conv != conv {
		t.Fatal("who stays is out of the room")
	}
	w.client.back(false)
	rooms := w.client.nav.top().(*askRoomPage)
	listed := func() bool { return strings.Contains(texts(rooms.object()), "Attic") }
	if !listed() {
		t.Fatal("the room is not in the list")
	}
	w.client.enter("Attic")
	w.page().menu(fyne.NewPos(400, 20))
	tapAction(t, w, tr("room.leave"))
	tapAction(t, w, tr("leave.go"))
	w.settle(func() bool { return len(kept.Recent()) == 0 && !listed() })
	if w.client.nav.top() != page(rooms) {
		t.Errorf("after leaving the page is a %T", w.client.nav.top())
	}
}
