package session_test

import (
	"fmt"
	"path/filepath"
	"runtime"
	"slices"
	"testing"
	"time"

	"parley/client/session"
)

// The store keeps which room was on the screen, and the place in it. The room that
// was used last comes first, whatever came into another one since.
func TestShownRoomIsKept(t *testing.T) {
	s := startServer(t)
	path := filepath.Join(t.TempDir(), "store")
	store := openStore(t, path)
	rooms := map[string]*viewer{}
	for _, room := range []string{"one", "two", "three"} {
		v := enter(t, session.Config{Server: s.base, Room: room, User: "Ann", Store: store})
		v.connected()
		rooms[room] = v
	}
	rooms["three"].room.Show(true)
	rooms["three"].room.Show(false)
	rooms["one"].room.Show(true)
	place := session.Place{ID: "b7", Offset: 7, Below: 12.5}
	rooms["one"].room.SetPlace(session.Place{ID: "b1"})
	rooms["one"].room.SetPlace(place)
	rooms["one"].send("mine")
	rooms["one"].shows("mine")
	rooms["two"].send("another")
	rooms["two"].shows("another")
	for _, room := range []string{"one", "three", "two"} {
		rooms[room].room.Close()
	}
	if err := store.Close(); err != nil {
		t.Fatal(err)
	}
	store = openStore(t, path)
	defer store.Close()
	var order []string
	for _, r := range store.Recent() {
		order = append(order, fmt.Sprint(r.Room, " ", r.Shown, " ", r.Last.Text))
		if want := r.Room == "one"; r.Shown != want || want && r.Place != place {
			t.Errorf("%+v", r)
		}
	}
	if want := []string{"two false another", "one true mine", "three false "}; !slices.Equal(order, want) {
		t.Errorf("the rooms are %q", order)
	}
}

// A room that begins paused shows what is kept and connects at Resume.
func TestBeginsPaused(t *testing.T) {
	s := startServer(t)
	store := openStore(t, filepath.Join(t.TempDir(), "store"))
	defer store.Close()
	ann := enter(t, session.Config{Server: s.base, Room: "r", User: "Ann", Store: store})
	ann.send("one")
	ann.shows("one")
	ann.room.Close()
	again := enter(t, session.Config{Server: s.base, Room: "r", User: "Ann", Store: store, Paused: true})
	again.until("what is kept", func() bool { return len(again.rows) == 1 && again.status.Cause == session.CausePaused })
	for _, c := range again.changes {
		if c.Kind == session.StatusChanged && c.Status.Cause != session.CausePaused {
			t.Errorf("before, the status is %+v", c.Status)
		}
	}
	again.room.Resume()
	again.connected()
	again.room.Close()
}

// Save saves at once what would be saved soon.
func TestSave(t *testing.T) {
	clock := newClock()
	store := openStore(t, filepath.Join(t.TempDir(), "store"))
	defer store.Close()
	v := enter(t, session.Config{Server: deadServer, Room: "r", User: "Ann", Store: store, Clock: clock, Paused: true})
	v.until("the beginning", func() bool { return v.status.Cause == session.CausePaused })
	v.send("x")
	v.until("the row", func() bool { return len(v.rows) == 1 })
	v.room.SetPlace(session.Place{ID: "b1"})
	v.room.SetDraft("half")
	v.room.Save()
	for end := time.Now().Add(stuckAfter); store.Draft(deadServer, "r") == ""; runtime.Gosched() {
		if time.Now().After(end) {
			t.Fatal("nothing is saved")
		}
	}
	if r := store.Recent(); r[0].Place.ID != "b1" {
		t.Errorf("%+v", r)
	}
	v.room.Close()
}
