package ui

import "testing"

// Nothing is asked of the network before Fyne's loop runs: its answer would be
// drawn on the goroutine that has it. And the app begins once, even when Android
// starts its activity again.
func TestBeginsWithTheLoop(t *testing.T) {
	w := newWorld(t, phone, nil)
	l := w.app.Lifecycle()
	w.client.follow(l)
	if n := len(w.client.nav.stack); n != 0 {
		t.Fatalf("%d pages are there before the app runs", n)
	}
	started := l.(interface{ OnStarted() func() }).OnStarted()
	started()
	if _, ok := w.client.nav.top().(*askRoomPage); !ok {
		t.Fatalf("the app begins with a %T", w.client.nav.top())
	}
	w.room("Lobby", "Ann")
	started()
	w.page()
}
