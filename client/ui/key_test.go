package ui

import (
	"strings"
	"testing"

	"fyne.io/fyne/v2/test"

	"parley/client/session"
	"parley/client/ui/uitest"
)

// A room that waits for its passphrase asks for it, once for each refusal.
func TestRoomAsksForItsPassphrase(t *testing.T) {
	w := newWorld(t, uitest.Phone, nil)
	w.client.start()
	conv := w.room("Attic")
	closed := func(c session.Cause) {
		conv.Apply([]session.Change{{Kind: session.StatusChanged, Status: session.Status{State: session.Closed, Cause: c}}})
	}
	top := func() string { return uitest.Texts(w.window.Canvas().Overlays().Top()) }
	closed(session.CauseNeedsKey)
	if got := top(); !strings.Contains(got, "The room has a passphrase.") {
		t.Fatalf("the room does not ask:\n%s", got)
	}
	tapAction(t, w, "Enter")
	if w.window.Canvas().Overlays().Top() == nil {
		t.Fatal("an empty passphrase is taken")
	}
	test.Type(w.window.Canvas().Focused(), "wrong horse")
	tapAction(t, w, "Enter")
	if w.window.Canvas().Overlays().Top() != nil {
		t.Fatal("the panel stays")
	}
	closed(session.CauseWrongKey)
	if got := top(); !strings.Contains(got, "this is not it") {
		t.Fatalf("the room does not ask again:\n%s", got)
	}
	w.client.back(false)
	closed(session.CauseOpenRoom)
	if w.window.Canvas().Overlays().Top() != nil || !strings.Contains(w.page().banner.text.Text, "open to everyone. Tap to go in without one.") {
		t.Errorf("the banner says %q", w.page().banner.text.Text)
	}
}

func TestNewLockedRoom(t *testing.T) {
	w := newWorld(t, uitest.Phone, nil)
	var opened session.Config
	w.client.net.open = func(c session.Config) *session.Room {
		opened = c
		return w.open(c)
	}
	w.client.start()
	showLock(w.client.client, "")
	fill := func(s string) {
		test.Type(w.window.Canvas().Focused(), s)
	}
	fill("Cellar")
	tapAction(t, w, "Enter")
	if got := uitest.Texts(w.window.Canvas().Overlays().Top()); !strings.Contains(got, "8 to 128 characters") {
		t.Errorf("without a passphrase:\n%s", got)
	}
	fill("correct horse")
	tapAction(t, w, "Not in the list of rooms")
	tapAction(t, w, "Enter")
	if opened.Room != "Cellar" || opened.Key != "correct horse" || !opened.Hidden {
		t.Errorf("opened %+v", opened)
	}
	if w.page().conv.Name != "Cellar" {
		t.Error("the room is not on the screen")
	}
}
