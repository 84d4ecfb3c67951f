package session_test

import (
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"testing"

	"parley/client/session"
)

func TestNameTaken(t *testing.T) {
	s := startServer(t)
	first := enter(t, session.Config{Server: s.base, Room: "r", User: "Ann"})
	first.connected()
	second := enter(t, session.Config{Server: s.base, Room: "r", User: "ann"})
	second.send("who am I?")
	second.until("the end", func() bool { return second.status.State == session.Closed })
	if second.status.Cause != session.CauseNameTaken || second.status.Detail == "" {
		t.Fatalf("%+v", second.status)
	}
	free := second.status.Detail
	second.room.Rename(free)
	second.shows("who am I?")
	first.shows("who am I?")
	if got := first.rows[0].User; got != free {
		t.Errorf("the name is %q, want %q", got, free)
	}
}

func TestBadName(t *testing.T) {
	s := startServer(t)
	v := enter(t, session.Config{Server: s.base, Room: "r", User: "no/slash"})
	v.until("the end", func() bool { return v.status.State == session.Closed })
	if v.status.Cause != session.CauseBadHello {
		t.Errorf("%+v", v.status)
	}
	v = enter(t, session.Config{Server: s.base, Room: "..", User: "Ann"})
	v.cause(session.CauseBadRoom)
}

func TestPauseAndResume(t *testing.T) {
	s := startServer(t)
	ann := enter(t, session.Config{Server: s.base, Room: "r", User: "Ann"})
	bob := enter(t, session.Config{Server: s.base, Room: "r", User: "Bob"})
	ann.send("one")
	ann.shows("one")
	bob.shows("one")
	ann.room.Pause()
	ann.until("the pause", func() bool { return ann.status.Cause == session.CausePaused })
	if ann.status.State != session.Disconnected || !ann.status.RetryAt.IsZero() {
		t.Errorf("%+v", ann.status)
	}
	ann.room.Reconnect() // not while paused
	bob.send("two")
	bob.shows("one", "two")
	ann.send("three")
	ann.until("the row", func() bool { return len(ann.rows) == 2 })
	if ann.status.Generation != 1 {
		t.Errorf("%+v", ann.status)
	}
	ann.room.Resume()
	ann.shows("one", "two", "three")
	bob.shows("one", "two", "three")
}

// TestReadBackWhileOthersWrite reads 1,000 messages back while new ones come
// in, and comes back to a room that looks as it was left.
func TestReadBackWhileOthersWrite(t *testing.T) {
	s := startServer(t, "--rate", "0", "--sync", "normal")
	bob := enter(t, session.Config{Server: s.base, Room: "r", User: "Bob"})
	bob.send(enumerate("m %d", 1, 1100)...)
	bob.until("all", func() bool { return len(bob.rows) == 1100 && bob.settled() })

	path := filepath.Join(t.TempDir(), "store")
	store := openStore(t, path)
	config := session.Config{Server: s.base, Room: "r", User: "Ann", Store: store}
	ann := enter(t, config)
	ann.until("the last 50", func() bool { return len(ann.rows) == 50 && ann.more })
	last := 1100
	for len(ann.rows) < 1000 {
		ann.room.LoadOlder()
		ann.room.LoadOlder() // does nothing while the first runs
		last++
		bob.send(fmt.Sprintf("m %d", last))
		older := len(ann.rows) + 50
		ann.until("older ones", func() bool { return len(ann.rows) > older })
	}
	n := len(ann.rows)
	if want := enumerate("m %d", last-n+1, last); !slices.Equal(ann.texts(), want) {
		t.Errorf("shows %q", ann.texts())
	}
	for ann.more {
		rows := len(ann.rows)
		ann.room.LoadOlder()
		ann.until("older ones", func() bool { return len(ann.rows) > rows || !ann.more })
	}
	if want := enumerate("m %d", 1, last); !slices.Equal(ann.texts(), want) {
		t.Errorf("shows %q", ann.texts())
	}
	ann.room.LoadOlder() // there is nothing more
	ann.room.Close()
	if err := store.Close(); err != nil {
		t.Fatal(err)
	}

	// The store has the last 500.
	bob.send("while away")
	last++
	store = openStore(t, path)
	defer store.Close()
	config.Store = store
	ann = enter(t, config)
	ann.until("the rows", func() bool { return len(ann.rows) > 0 })
	want := append(enumerate("m %d", last-500, last-1), "while away")
	if !slices.Equal(ann.texts(), want[:500]) && !slices.Equal(ann.texts(), want) {
		t.Errorf("shows %q", ann.texts())
	}
	if !ann.more {
		t.Error("does not know of the older ones")
	}
	ann.shows(want...)
	ann.room.LoadOlder()
	ann.until("older ones", func() bool { return len(ann.rows) == 551 })
	if got, want := ann.rows[0].Text, fmt.Sprintf("m %d", last-550); got != want {
		t.Errorf("begins with %q, want %q", got, want)
	}
	ann.room.Close()
}

// TestServerLosesItsLog starts the server again over an empty folder: another
// log, of which the room knows nothing.
func TestServerLosesItsLog(t *testing.T) {
	s := startServer(t, "--rate", "0")
	ann := enter(t, session.Config{Server: s.base, Room: "r", User: "Ann"})
	ann.send("one", "two")
	ann.shows("one", "two")
	s.Kill()
	ann.send("three")
	ann.until("the row", func() bool { return len(ann.rows) == 3 })
	if err := os.RemoveAll(s.Data); err != nil {
		t.Fatal(err)
	}
	s.MustStart()
	ann.shows("one", "two", "three")
	if got := s.log(t, "r"); !slices.Equal(got, []string{"three"}) {
		t.Errorf("the log is %q", got)
	}
}

func TestRecentRooms(t *testing.T) {
	s := startServer(t, "--rate", "0")
	store := openStore(t, filepath.Join(t.TempDir(), "store"))
	defer store.Close()
	bob := map[string]*viewer{}
	for i, room := range []string{"One", "Two"} {
		ann := enter(t, session.Config{Server: s.base, Room: room, User: "Ann", Store: store})
		ann.connected()
		bob[room] = enter(t, session.Config{Server: s.base, Room: room, User: "Bob"})
		bob[room].send(enumerate("m %d", 0, i)...)
		ann.send("mine")
		ann.until("all", func() bool { return len(ann.rows) == i+2 && ann.settled() })
		ann.room.Close()
	}
	recent := store.Recent()
	if len(recent) != 2 || recent[0].Room != "Two" || recent[0].Name != "Two" || recent[0].Server != s.base ||
		recent[0].Unread != 2 || recent[1].Unread != 1 || recent[0].Used.Before(recent[1].Used) {
		t.Errorf("%+v", recent)
	}
	ann := enter(t, session.Config{Server: s.base, Room: "two", User: "Ann", Store: store})
	ann.until("the rows", func() bool { return len(ann.rows) == 3 })
	ann.room.MarkRead()
	ann.room.SetDraft("half a thought")
	ann.room.Close()
	if recent := store.Recent(); len(recent) != 2 || recent[0].Unread != 0 {
		t.Errorf("%+v", recent)
	}
	if got := store.Draft(s.base, "TWO"); got != "half a thought" {
		t.Errorf("the draft is %q", got)
	}
	if err := store.Forget(s.base, "two"); err != nil {
		t.Error(err)
	}
	if recent := store.Recent(); len(recent) != 1 || recent[0].Room != "One" {
		t.Errorf("%+v", recent)
	}
	if err := store.Forget(s.base, "never seen"); err != nil {
		t.Error(err)
	}
}

// TestStoreFails takes the store away under a room: the room says so, once, and
// goes on.
func TestStoreFails(t *testing.T) {
	s := startServer(t)
	store := openStore(t, filepath.Join(t.TempDir(), "store"))
	ann := enter(t, session.Config{Server: s.base, Room: "r", User: "Ann", Store: store})
	ann.send("one")
	ann.shows("one")
	if err := store.Close(); err != nil {
		t.Fatal(err)
	}
	ann.send("two", "three")
	ann.shows("one", "two", "three")
	failures := 0
	for _, c := range ann.changes {
		if c.Kind == session.StoreFailed && c.Err != nil {
			failures++
		}
	}
	if failures != 1 {
		t.Errorf("told of %d failures", failures)
	}
	ann.room.Close()
}

// TestTakenName lets a stranger take a freed name, on the real server. What the
// person wrote under it stays theirs, what the stranger writes does not become
// theirs, and everyone in the room learns of the new name.
func TestTakenName(t *testing.T) {
	s := startServer(t, "--name-hold", "1s", "--name-hold-spoken", "1s")
	bob := enter(t, session.Config{Server: s.base, Room: "r", User: "Bob"})
	ann := enter(t, session.Config{Server: s.base, Room: "r", User: "Ann"})
	bob.connected()
	ann.connected()
	ann.send("mine")
	ann.shows("mine")
	bob.shows("mine")
	ann.room.Rename("Anna")
	bob.until("the new name", func() bool {
		return slices.ContainsFunc(bob.changes, func(c session.Change) bool {
			return c.Kind == session.Renamed && c.From == "Ann" && c.To == "Anna" && c.By == bob.rows[0].By
		})
	})
	stranger := enter(t, session.Config{Server: s.base, Room: "r", User: "Ann"})
	stranger.until("a place", func() bool {
		if stranger.status.State == session.Closed { // the name is still held
			stranger.room.Reconnect()
		}
		return stranger.status.State == session.Connected
	})
	stranger.send("a stranger's")
	for _, v := range []*viewer{ann, bob, stranger} {
		v.shows("mine", "a stranger's")
		if v.rows[0].By == "" || v.rows[0].By == v.rows[1].By || v.rows[0].User != v.rows[1].User {
			t.Errorf("%s sees %+v", v.user, v.rows)
		}
	}
	for v, want := range map[*viewer][]string{ann: {"mine"}, bob: nil, stranger: {"a stranger's"}} {
		if !slices.Equal(v.mine(), want) {
			t.Errorf("%s's are %q, want %q", v.user, v.mine(), want)
		}
	}
}
