package session_test

import (
	"bytes"
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"testing"

	"parley/client/session"
)

// describe is what a store tells of its rooms.
func describe(store *session.Store) (lines []string) {
	for _, r := range store.Recent() {
		lines = append(lines, fmt.Sprintf("%s shown=%v unread=%d locked=%v draft=%q last=%q place=%+v", r.Room, r.Shown, r.Unread, r.Locked, r.Draft, r.Last.Text, r.Place))
	}
	return lines
}

// What testdata has was written by earlier versions: storeN.db by one of layout N.
// This version reads all of it.
func TestEarlierStores(t *testing.T) {
	files, err := filepath.Glob("testdata/store*.db")
	if err != nil || len(files) == 0 {
		t.Fatalf("no stores, %v", err)
	}
	for _, file := range files {
		data, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		path := filepath.Join(t.TempDir(), "store")
		if err := os.WriteFile(path, data, 0o600); err != nil {
			t.Fatal(err)
		}
		store := openStore(t, path)
		if name, server, err := store.Profile(); name != "Ann" || server != "http://192.0.2.1:8000" || err != nil {
			t.Errorf("%s: the profile is %q at %q, %v", file, name, server, err)
		}
		if device, err := store.Device(); device != "XD7YNNRD6N4SK5SAG7BLBGCN5Q" || err != nil {
			t.Errorf("%s: the device is %q, %v", file, device, err)
		}
		want := []string{
			`attic shown=false unread=1 locked=true draft="" last="up here" place={ID: Offset:0 Below:0}`,
			`Lobby shown=false unread=2 locked=false draft="half a thought" last="waits" place={ID: Offset:0 Below:0}`,
		}
		if got := describe(store); !slices.Equal(got, want) {
			t.Errorf("%s: the rooms are\n%q", file, got)
		}
		lobby := enter(t, session.Config{Server: "http://192.0.2.1:8000", Room: "lobby", User: "Ann", Store: store, Paused: true})
		lobby.until("the rows", func() bool { return len(lobby.rows) == 7 })
		if got, want := lobby.transcript(), "Bob: hello 👋\nAnn: hi\nBob: how are you?\nAnn: refused (failed)\nBob: anybody?\nCleo: me\nAnn: waits (pending)\n"; got != want {
			t.Errorf("%s: the room has\n%s", file, got)
		}
		lobby.room.Close()
		if err := store.Close(); err != nil {
			t.Fatal(err)
		}
		if after, err := os.ReadFile(file); err != nil || !bytes.Equal(after, data) {
			t.Errorf("%s has changed, %v", file, err)
		}
	}
}

// Which room was on the screen, and where in it one was reading, is kept; the
// room that was used last comes first, whatever came into another since.
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
	for store.Draft(deadServer, "r") == "" { // or the test's time is over
		runtime.Gosched()
	}
	if r := store.Recent(); r[0].Place.ID != "b1" {
		t.Errorf("%+v", r)
	}
	v.room.Close()
}
