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
func retain(t *testing.T, l *sqlitelog.Log, r chat.Retention, n int) {
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
	l.Retain(chat.Retention{Bytes: 10*each + 1, Every: time.Millisecond, Expired: func(n int) { expired <- n }})
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
	retain(t, l, chat.Retention{Bytes: 1}, 3)
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
	l.Retain(chat.Retention{Bytes: 1, Every: time.Millisecond, Expired: func(n int) { expired <- n }})
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
