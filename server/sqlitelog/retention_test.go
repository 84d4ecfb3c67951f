package sqlitelog_test

import (
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"parley/server/chat"
	"parley/server/sqlitelog"
	"parley/shared"
)

// retain has a log kept within bounds until it has deleted so many.
func retain(t *testing.T, l *sqlitelog.Log, r sqlitelog.Retention, n int) {
	t.Helper()
	expired := make(chan int)
	over := t.Context().Done()
	r.Every = time.Millisecond
	r.Expired = func(n int) {
		select {
		case expired <- n:
		case <-over:
		}
	}
	l.Retain(r)
	for n > 0 {
		n -= <-expired
	}
	if n != 0 {
		t.Errorf("%d too many were deleted", -n)
	}
}

// addAt appends an entry with a time of its own.
func addAt(t *testing.T, l *sqlitelog.Log, room shared.Name, id string, at time.Time) {
	t.Helper()
	done := make(chan error, 1)
	l.Append(t.Context(), room, chat.Entry{ID: id, Device: "d", User: "u", Text: "x", Time: at}, func(_ chat.Receipt, err error) { done <- err })
	if err := <-done; err != nil {
		t.Fatal(err)
	}
}

func kept(t *testing.T, l *sqlitelog.Log, room shared.Name) string {
	t.Helper()
	entries, err := l.Read(t.Context(), room.Key, 0, shared.MaxOffset, 1<<20)
	if err != nil {
		t.Fatal(err)
	}
	var ids []string
	for _, e := range entries {
		ids = append(ids, fmt.Sprint(e.Offset, e.ID))
	}
	return strings.Join(ids, " ")
}

func TestRetainAge(t *testing.T) {
	now := time.Date(2026, 6, 1, 0, 0, 0, 0, time.UTC)
	old, fresh, future := now.Add(-2*time.Hour), now.Add(-time.Minute), now.Add(time.Hour)
	attic := shared.Name{Text: "Attic", Key: "attic"}
	cellar := shared.Name{Text: "Cellar", Key: "cellar"}
	l := open(t, t.TempDir(), sqlitelog.Options{})
	defer l.Close()
	for i, at := range []time.Time{old, old, fresh, old} {
		addAt(t, l, lobby, string(rune('a'+i)), at)
	}
	addAt(t, l, attic, "a", old)
	addAt(t, l, cellar, "a", future)
	addAt(t, l, cellar, "b", old)
	announced := make(map[string]int64)
	retain(t, l, sqlitelog.Retention{
		Age: time.Hour, Now: func() time.Time { return now },
		Expire: func(room string, first int64) {
			if got, want := kept(t, l, shared.Name{Key: room}), map[string]string{"lobby": "1a 2b 3c 4d", "attic": "1a"}[room]; got != want {
				t.Errorf("when it was announced, %s had %q", room, got)
			}
			announced[room] = first
		},
	}, 3)
	for room, want := range map[shared.Name]string{lobby: "3c 4d", attic: "", cellar: "1a 2b"} {
		if got := kept(t, l, room); got != want {
			t.Errorf("%s keeps %q, not %q", room.Text, got, want)
		}
	}
	for room, want := range map[string]int64{"lobby": 3, "attic": 2, "cellar": 1, "nowhere": 1} {
		s, stop, err := l.Open(t.Context(), shared.Name{Text: room, Key: room}, func([]chat.Entry) {})
		if err != nil {
			t.Fatal(err)
		}
		stop()
		if s.First != want {
			t.Errorf("%s begins at %d", room, s.First)
		}
		if announced[room] != want && want != 1 {
			t.Errorf("%s was announced to begin at %d", room, announced[room])
		}
	}
}

func TestRetainBytes(t *testing.T) {
	const entries, each = 2500, 160 + 1 + 39 // name and text
	l := open(t, t.TempDir(), sqlitelog.Options{})
	defer l.Close()
	fill := func(from, to int) {
		done := make(chan error, to-from)
		for i := from; i < to; i++ {
			l.Append(t.Context(), lobby, chat.Entry{ID: fmt.Sprint(i), Device: "d", User: "u", Text: strings.Repeat("x", 39)},
				func(_ chat.Receipt, err error) { done <- err })
		}
		for range to - from {
			if err := <-done; err != nil {
				t.Fatal(err)
			}
		}
	}
	fill(0, entries)
	expired := make(chan int, 100)
	l.Retain(sqlitelog.Retention{Bytes: 10*each + 1, Every: time.Millisecond, Expired: func(n int) { expired <- n }})
	for n := 0; n < entries-10; {
		n += <-expired
	}
	if got := kept(t, l, lobby); !strings.HasPrefix(got, "2491"+"2490 ") || strings.Count(got, " ") != 9 {
		t.Errorf("kept: %s", got)
	}
	fill(entries, entries+15)
	for n := 0; n < 15; {
		n += <-expired
	}
	if got := kept(t, l, lobby); !strings.HasPrefix(got, "2506"+"2505 ") || strings.Count(got, " ") != 9 {
		t.Errorf("kept after more: %s", got)
	}
}

// An offset is never used again, whatever was deleted, and neither is an id
// while its entry is kept.
func TestOffsetsAfterDeletion(t *testing.T) {
	dir := t.TempDir()
	l := open(t, dir, sqlitelog.Options{})
	for i := range 3 {
		if _, err := add(l, fmt.Sprint(i), "x"); err != nil {
			t.Fatal(err)
		}
	}
	l.Close()
	if _, err := database(t, dir).Exec("DELETE FROM entries WHERE offset = 3"); err != nil { // the newest alone
		t.Fatal(err)
	}
	l = open(t, dir, sqlitelog.Options{})
	if r, err := add(l, "3", "x"); err != nil || r.Offset != 4 {
		t.Errorf("after the newest was deleted: %+v, %v", r, err)
	}
	retain(t, l, sqlitelog.Retention{Bytes: 1}, 3)
	if got := kept(t, l, lobby); got != "" {
		t.Errorf("kept: %s", got)
	}
	l.Close()
	l = open(t, dir, sqlitelog.Options{})
	defer l.Close()
	if s := state(t, l); s.Head != 4 || s.Name != "Lobby" {
		t.Errorf("the state is %+v", s)
	}
	if r, err := add(l, "0", "x"); err != nil || r != (chat.Receipt{Offset: 5}) {
		t.Errorf("after all were deleted: %+v, %v", r, err)
	}
	if _, err := sqlitelog.Check(t.Context(), dir); err != nil {
		t.Error(err)
	}
}

// What can't be deleted now is deleted later.
func TestRetainWhileLocked(t *testing.T) {
	dir := t.TempDir()
	l := open(t, dir, sqlitelog.Options{BusyTimeout: time.Millisecond})
	defer l.Close()
	if _, err := add(l, "a", "x"); err != nil {
		t.Fatal(err)
	}
	other := database(t, dir)
	if _, err := other.Exec("BEGIN IMMEDIATE"); err != nil {
		t.Fatal(err)
	}
	refused := make(chan bool)
	expired := make(chan int, 1)
	l.Retain(sqlitelog.Retention{Bytes: 1, Every: time.Millisecond, Expired: func(n int) { expired <- n }})
	go func() {
		for {
			if err := l.Ready(t.Context()); errors.Is(err, chat.ErrUnavailable) {
				close(refused)
				return
			}
		}
	}()
	<-refused
	select {
	case <-expired:
		t.Error("it was deleted while the database was locked")
	default:
	}
	if _, err := other.Exec("ROLLBACK"); err != nil {
		t.Fatal(err)
	}
	if n := <-expired; n != 1 {
		t.Errorf("%d were deleted", n)
	}
}
