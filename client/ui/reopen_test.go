//go:build !android

package ui

import (
	"fmt"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"parley/client/session"
	"parley/client/store"
)

// life is a start of the app with what the one before it kept.
func life(t *testing.T, dir, address string) *world {
	t.Helper()
	store, err := store.Open(filepath.Join(dir, "rooms.db"))
	if err != nil {
		t.Fatal(err)
	}
	w := newWorld(t, phone, func(p prefs) { p.setServer("http://" + address) })
	w.client.store, w.client.net.open = store, session.Open
	w.client.pins = session.NewPins(store)
	t.Cleanup(w.end)
	w.client.start()
	return w
}

// end ends the app without leaving a room.
func (w *world) end() {
	if !w.ended {
		w.ended = true
		w.client.close()
		if err := w.client.store.Close(); err != nil {
			w.t.Error(err)
		}
	}
}

func (w *world) connected() (rooms []string) {
	for _, conv := range w.client.open {
		if conv.status.State == session.Connected {
			rooms = append(rooms, conv.name)
		}
	}
	return rooms
}

// The room that was on the screen comes back at the place where one was reading,
// and all others connect behind it, with what came meanwhile.
func TestRoomsReopen(t *testing.T) {
	dir := t.TempDir()
	ctx := t.Context()
	address := startServer(t, "--rate", "0")
	bob := map[string]*member{}
	for _, room := range []string{"One", "Two", "Three"} {
		bob[room] = join(t, ctx, address, room, "Bob")
	}
	for i := range 40 {
		bob["Two"].say(ctx, fmt.Sprint("line ", i))
	}
	bob["One"].say(ctx, "seen")

	w := life(t, dir, address)
	for _, room := range []string{"Two", "One", "Three", "Two"} {
		w.client.enter(room)
		w.settle(func() bool { return slices.Contains(w.connected(), room) })
		if conv := w.client.find(room); room == "Two" { // else what comes when one has left it counts as new
			w.settle(func() bool { return len(conv.timeline.rows) == 40 })
		}
	}
	w.page().list.scrollBy(500)
	at := w.page().list.place
	if at.ID == "" {
		t.Fatal("the list tells no place")
	}
	w.end()
	bob["One"].say(ctx, "missed 1")
	bob["One"].say(ctx, "missed 2")
	bob["Two"].say(ctx, "below")

	w = life(t, dir, address)
	if conv := w.page().conv; conv.name != "Two" || conv.waits {
		t.Fatalf("the page is that of %s, which waits: %v", conv.name, conv.waits)
	}
	var order []string
	for _, conv := range w.client.open {
		order = append(order, conv.name)
		if conv.waits != (conv.name != "Two") {
			t.Errorf("%s waits: %v", conv.name, conv.waits)
		}
	}
	if want := []string{"Two", "Three", "One"}; !slices.Equal(order, want) {
		t.Errorf("the rooms are opened in the order %q, not %q", order, want)
	}
	w.settle(func() bool { return len(w.connected()) == 3 })
	one := w.client.find("One")
	w.settle(func() bool { return one.unread == 2 && len(w.page().conv.timeline.rows) == 41 })
	if list := w.page().list; list.stick || list.place != at || list.unseen != 1 {
		t.Errorf("the list is at %+v, not at %+v; at its end: %v; %d unseen", list.place, at, list.stick, list.unseen)
	}
	w.client.back(false)
	rooms := w.client.nav.top().(*askRoomPage)
	if got := texts(rooms.object()); !strings.Contains(got, "Bob: missed 2") || !strings.Contains(got, "2\n") || !strings.Contains(got, "Bob: below") {
		t.Errorf("the list of rooms is\n%s", got)
	}
	if one.fresh != one.timeline.rows[1].item.ID {
		t.Errorf("what is new begins at %q", one.fresh)
	}
	w.end()

	// What is on the screen is the list of rooms now, and what is unread stays so.
	w = life(t, dir, address)
	if _, ok := w.client.nav.top().(*askRoomPage); !ok || len(w.client.open) != 3 {
		t.Errorf("on top is a %T, %d rooms are open", w.client.nav.top(), len(w.client.open))
	}
	one = w.client.find("One")
	w.settle(func() bool { return len(w.connected()) == 3 && len(one.timeline.rows) == 3 })
	if one.unread != 2 || one.fresh != one.timeline.rows[1].item.ID {
		t.Errorf("%d are unread, from %q on", one.unread, one.fresh)
	}
	w.client.enter("One")
	w.client.nav.push(func() page { return newSettingsPage(w.client) })
	w.end()
	w = life(t, dir, address)
	if conv := w.page().conv; conv.name != "One" {
		t.Errorf("from Settings over One the way leads to %s", conv.name)
	}
	if w.client.unread() != 0 {
		t.Errorf("%d are unread", w.client.unread())
	}
}

// Sixteen rooms open at most, those used last.
func TestNoMoreThanSixteenReopen(t *testing.T) {
	dir := t.TempDir()
	w := life(t, dir, "127.0.0.1:1")
	for i := range 20 {
		w.client.enter(fmt.Sprint("room ", i))
	}
	for range 3 { // to the list of rooms
		w.client.back(false)
	}
	w.end()
	w = life(t, dir, "127.0.0.1:1")
	if len(w.client.open) != 16 || w.client.find("room 19") == nil || w.client.find("room 3") != nil {
		t.Errorf("%d rooms are open", len(w.client.open))
	}
	w.end()
	w = life(t, dir, "127.0.0.1:2")
	if len(w.client.open) != 0 {
		t.Error("rooms of another server are open")
	}
}

// A room that the server refuses is tried again, and nobody is told of it.
func TestRefusedRoomsTryAgain(t *testing.T) {
	dir := t.TempDir()
	address := startServer(t, "--max-per-address", "3")
	w := life(t, dir, address)
	for i := range 5 {
		w.client.enter(fmt.Sprint("room ", i))
	}
	w.settle(func() bool { return len(w.connected()) == 3 })
	w.end()
	w = life(t, dir, address)
	shown := w.page()
	refused := func() (n int) {
		for _, conv := range w.client.open {
			if conv.status.State == session.Disconnected && conv.status.Cause == session.CauseServerFull {
				n++
			}
		}
		return n
	}
	w.settle(func() bool { return len(w.connected()) == 3 && refused() == 2 })
	if w.page() != shown || shown.conv.status.State != session.Connected || w.window.Canvas().Overlays().Top() != nil {
		t.Errorf("the room on the screen is %+v", shown.conv.status)
	}
	for _, conv := range slices.Clone(w.client.open) {
		if conv != shown.conv && conv.status.State == session.Connected {
			w.client.leave(conv)
		}
	}
	w.settle(func() bool { return len(w.connected()) == 3 && refused() == 0 })
}

// A place that lies in front of what the device keeps is found in the history.
func TestPlaceInTheHistory(t *testing.T) {
	w := newWorld(t, phone, nil)
	w.client.start()
	conv := w.room("Lobby", "Ann")
	list := w.page().list
	asked := 0
	list.onOlder = func() { asked++ }
	want := session.Place{ID: "id130", Offset: 130, Below: 3}
	list.seek(want)
	conv.apply([]session.Change{{Kind: session.Reset, Items: many(200, 60), More: true}})
	if asked != 1 {
		t.Fatalf("asked %d times", asked)
	}
	conv.apply([]session.Change{{Kind: session.Prepend, Items: many(150, 50), More: true}})
	if asked != 2 || !list.stick {
		t.Fatalf("asked %d times", asked)
	}
	conv.apply([]session.Change{{Kind: session.Prepend, Items: many(100, 50), More: true}})
	if at := list.timeline.anchorAt(list.offset); at != (anchor{"id130", 3}) || list.stick {
		t.Errorf("the list is at %+v", at)
	}
	list.seek(session.Place{ID: "deleted", Offset: 120})
	list.find()
	if list.sought.ID != "" {
		t.Error("a row that is gone is sought on")
	}
	list.seek(want)
	list.scrollBy(10)
	if list.sought.ID != "" {
		t.Error("whoever scrolls is taken away")
	}
}
