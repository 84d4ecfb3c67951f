package session_test

import (
	"errors"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"testing"

	"parley/client/session"
	"parley/client/store"
	"parley/shared"
)

func TestTwoPeopleTalk(t *testing.T) {
	s := startServer(t)
	ann := enter(t, session.Config{Server: s.base, Room: "Lobby", User: "Ann"})
	ann.connected()
	bob := enter(t, session.Config{Server: s.base, Room: "lobby", User: "Bob"})
	bob.connected()

	ann.send("Hello Bob")
	bob.shows("Hello Bob")
	bob.send("Hello Ann")
	ann.shows("Hello Bob", "Hello Ann")
	bob.shows("Hello Bob", "Hello Ann")

	if !ann.rows[0].Mine || ann.rows[1].Mine || bob.rows[0].Mine || !bob.rows[1].Mine {
		t.Errorf("whose messages they are is wrong: %+v and %+v", ann.rows, bob.rows)
	}
	ann.until("two people", func() bool { return ann.count == 2 })
	if want := []string{"Ann", "Bob"}; !slices.Equal(ann.people, want) {
		t.Errorf("people are %q, want %q", ann.people, want)
	}
}

func TestSendRefuses(t *testing.T) {
	s := startServer(t)
	ann := enter(t, session.Config{Server: s.base, Room: "r", User: "Ann"})
	for text, want := range map[string]error{
		"":                                    session.ErrEmpty,
		" \n\u200b\t":                         session.ErrEmpty,
		strings.Repeat("x", shared.MaxText+1): session.ErrTooLong,
		strings.Repeat("\U0001f600", shared.MaxText): nil,
	} {
		if _, err := ann.room.Send(text); !errors.Is(err, want) {
			t.Errorf("Send of %d bytes: %v, want %v", len(text), err, want)
		}
	}
	ann.until("the long one", func() bool { return len(ann.rows) == 1 && ann.settled() })
	ann.room.Close()
	if _, err := ann.room.Send("late"); !errors.Is(err, session.ErrClosed) {
		t.Errorf("Send after Close: %v", err)
	}
}

func TestWrittenOffline(t *testing.T) {
	s := startServer(t)
	ann := enter(t, session.Config{Server: s.base, Room: "r", User: "Ann"})
	bob := enter(t, session.Config{Server: s.base, Room: "r", User: "Bob"})
	ann.send("before")
	ann.shows("before")
	bob.shows("before")

	s.Stop()
	ann.until("the loss", func() bool { return ann.status.State != session.Connected })
	ann.send(enumerate("offline %d", 1, 25)...)
	ann.until("25 pending", func() bool { return len(ann.rows) == 26 })
	s.MustStart()

	want := append([]string{"before"}, enumerate("offline %d", 1, 25)...)
	ann.shows(want...)
	bob.shows(want...)
}

// What is written for outlives the app, and ends in one step with what was written.
func TestTaskOutlivesTheApp(t *testing.T) {
	s := startServer(t)
	path := filepath.Join(t.TempDir(), "store")
	var store *store.Store
	var ann *viewer
	live := func(want session.Task) {
		t.Helper()
		if ann != nil {
			ann.room.Close()
			if err := store.Close(); err != nil {
				t.Fatal(err)
			}
		}
		store = openStore(t, path)
		ann = enter(t, session.Config{Server: s.base, Room: "r", User: "Ann", Store: store})
		ann.until("the rows", func() bool { return ann.status.State == session.Connected && ann.settled() })
		got := ann.room.Task()
		if !got.Edit && got.Row != "" && got.Quote.Text != "one" {
			t.Errorf("the answer is to %+v", got.Quote)
		}
		if got.Entry, got.Quote = "", (session.Quote{}); got != want {
			t.Errorf("the task is %+v, want %+v", got, want)
		}
	}
	live(session.Task{})
	ann.send("one")
	ann.shows("one")
	ann.until("an echo", ann.settled)
	row := ann.rows[0].ID
	answer, edit := session.Task{Row: row}, session.Task{Row: row, Edit: true, Text: "onw"}

	ann.room.SetTask(answer)
	ann.room.SetDraft("two")
	live(answer)
	ann.room.React(row, shared.Emojis[0])
	live(answer)
	if _, err := ann.room.SendReply("two", row); err != nil || ann.room.Task() != (session.Task{}) {
		t.Errorf("%v; answered, the task is %+v", err, ann.room.Task())
	}
	live(session.Task{})
	ann.shows("one", "two")

	ann.room.SetTask(edit)
	live(edit)
	ann.room.Delete(ann.rows[1].ID)
	_, err := ann.room.Send("three")
	got := ann.room.Task()
	if got.Entry, got.Quote = "", (session.Quote{}); err != nil || got != edit {
		t.Errorf("%v; a message by itself has made the task %+v", err, got)
	}
	live(edit)
	if err := ann.room.Edit(row, "won"); err != nil {
		t.Fatal(err)
	}
	live(session.Task{})
	ann.room.Close()
	store.Close()
}

func TestRestartShowsTheSame(t *testing.T) {
	s := startServer(t)
	path := filepath.Join(t.TempDir(), "store")
	store := openStore(t, path)
	config := session.Config{Server: s.base, Room: "r", User: "Ann", Store: store}
	ann := enter(t, config)
	ann.send("one", "two")
	ann.shows("one", "two")
	s.Stop()
	ann.send("three", "four")
	ann.until("two pending", func() bool { return len(ann.rows) == 4 })
	ann.room.SetDraft("fi")
	if got := ann.room.Draft(); got != "fi" {
		t.Errorf("the draft is %q", got)
	}
	ann.room.Close()
	ann.take()
	before := ann.rows
	if err := store.Close(); err != nil {
		t.Fatal(err)
	}

	store = openStore(t, path)
	defer store.Close()
	config.Store = store
	ann = enter(t, config)
	ann.until("the rows", func() bool { return len(ann.rows) > 0 })
	if !reflect.DeepEqual(ann.rows, before) {
		t.Errorf("shows\n%+v\nwas\n%+v", ann.rows, before)
	}
	if got := ann.room.Draft(); got != "fi" {
		t.Errorf("the draft is %q", got)
	}
	s.MustStart()
	ann.shows("one", "two", "three", "four")
	ann.send("five") // takes the draft's place
	ann.shows("one", "two", "three", "four", "five")
	if got, saved := ann.room.Draft(), store.Draft(s.base, "r"); got != "" || saved != "" {
		t.Errorf("the draft is %q, saved %q", got, saved)
	}
	bob := enter(t, session.Config{Server: s.base, Room: "r", User: "Bob"})
	bob.shows("one", "two", "three", "four", "five")
	ann.room.Close()
}
