package sqlitelog_test

import (
	"crypto/rand"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"parley/server/chat"
	"parley/server/logtest"
	"parley/server/sqlitelog"
	"parley/shared"
)

func kept(t *testing.T, l *sqlitelog.Log, room shared.Name) string {
	t.Helper()
	entries, err := l.Read(t.Context(), room.Key, 0, shared.MaxOffset, chat.Most{Entries: 1 << 20})
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
	logtest.Retain(t, l, chat.Retention{Bytes: 1}, 3)
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

// Over the bound of all rooms, the oldest of the largest go, and those of small
// rooms stay. What is in the rooms' rows is what their entries take.
func TestRetainTotal(t *testing.T) {
	const each = chat.EntryOverhead + 1 + 39 // name and text
	dir := t.TempDir()
	l := open(t, dir, sqlitelog.Options{})
	begins := make(map[string]int64)
	var begun sync.Mutex
	fill := func(key string, n int) {
		t.Helper()
		room, err := shared.RoomName(key)
		if err != nil {
			t.Fatal(err)
		}
		done := make(chan error, n)
		for i := range n {
			l.Append(t.Context(), room, chat.Entry{ID: fmt.Sprint(i), Device: rand.Text(), User: "u", Text: strings.Repeat("x", 39)},
				func(_ chat.Receipt, err error) { done <- err })
		}
		for range n {
			if err := <-done; err != nil {
				t.Fatal(err)
			}
		}
	}
	for _, key := range []string{"big", "bigger", "small"} {
		_, stop, err := l.Open(t.Context(), shared.Name{Text: key, Key: key}, chat.Follower{Entries: func([]chat.Entry) {}, Begin: func(first int64) {
			begun.Lock()
			defer begun.Unlock()
			begins[key] = first
		}})
		if err != nil {
			t.Fatal(err)
		}
		defer stop()
	}
	fill("small", 10)
	fill("big", 200)
	fill("bigger", 300)
	expired := make(chan int, 100)
	l.Retain(chat.Retention{Total: 320 * each, Every: time.Hour, Expired: func(n int) { expired <- n }})
	for n := 0; n < 200; { // down to 310, and so that big and bigger have 150 each
		n += <-expired
	}
	counts := func() (small, big, bigger int) {
		t.Helper()
		var n []int
		for _, key := range []string{"small", "big", "bigger"} {
			entries, err := l.Read(t.Context(), key, 0, shared.MaxOffset, chat.Most{Entries: 1000})
			if err != nil || len(entries) == 0 {
				t.Fatal(len(entries), err)
			}
			begun.Lock()
			if first := entries[0].Offset; first > 1 && begins[key] != first {
				t.Errorf("%s begins with %d, its follower was told of %d", key, first, begins[key])
			}
			begun.Unlock()
			n = append(n, len(entries))
		}
		return n[0], n[1], n[2]
	}
	if small, big, bigger := counts(); small != 10 || big != 150 || bigger != 150 {
		t.Errorf("small, big and bigger have %d, %d and %d", small, big, bigger)
	}
	fill("flood", 400) // the log notices by itself, before it looks the next time
	for n := 0; n < 390; {
		n += <-expired
	}
	if small, big, bigger := counts(); small != 10 || big != bigger || big < 100 || big == 150 {
		t.Errorf("after a flood, small, big and bigger have %d, %d and %d", small, big, bigger)
	}
	if err := l.Close(); err != nil {
		t.Fatal(err)
	}
	var wrong int
	if err := database(t, dir).QueryRow("SELECT COUNT(*) FROM rooms WHERE bytes <> " +
		"(SELECT COALESCE(SUM(octet_length(text) + octet_length(user) + 160), 0) FROM entries WHERE room = rooms.id)").Scan(&wrong); err != nil || wrong != 0 {
		t.Errorf("%d rooms count wrong, %v", wrong, err)
	}
}

// What is deleted of a room that another one has followed meanwhile is nothing of the
// other one's.
func TestRetainWhileRoomsChange(t *testing.T) {
	attic, cellar := shared.Name{Text: "Attic", Key: "attic"}, shared.Name{Text: "Cellar", Key: "cellar"}
	l := open(t, t.TempDir(), sqlitelog.Options{})
	defer l.Close()
	fill := func(room shared.Name, n int) {
		done := make(chan error, n)
		for range n {
			l.Append(t.Context(), room, chat.Entry{ID: rand.Text(), Device: "d", User: "u", Text: "x"}, func(_ chat.Receipt, err error) { done <- err })
		}
		for range n {
			if err := <-done; err != nil {
				t.Error(err)
			}
		}
	}
	fill(lobby, 20)
	fill(attic, 20) // the newest room: the next one gets its id when it is deleted
	passes, over := make(chan bool), make(chan struct{})
	defer close(over)
	first := true
	l.Retain(chat.Retention{Bytes: 10 * (chat.EntryOverhead + 2), Every: time.Millisecond, Expired: func(int) {
		if first { // the lobby was cut; the attic is next
			if err := l.Delete(t.Context(), attic.Key); err != nil {
				t.Error(err)
			}
			fill(cellar, 3)
			fill(lobby, 5) // for another pass
			first = false
			return
		}
		select {
		case passes <- true:
		case <-over:
		}
	}})
	<-passes
	if got := strings.Count(kept(t, l, cellar), " "); got != 2 {
		t.Errorf("of 3 messages, kept are %q", kept(t, l, cellar))
	}
}

// A log that an earlier version has begun is not bounded.
func TestBounded(t *testing.T) {
	dir := t.TempDir()
	for range 2 {
		l := open(t, dir, sqlitelog.Options{})
		if !l.Bounded() {
			t.Error("a new log is not bounded")
		}
		l.Close()
	}
	for _, schema := range []string{"schema2", "schema4"} {
		dir := t.TempDir()
		data, err := os.ReadFile("testdata/" + schema + ".db")
		if err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(filepath.Join(dir, sqlitelog.FileName), data, 0o600); err != nil {
			t.Fatal(err)
		}
		l := open(t, dir, sqlitelog.Options{})
		if l.Bounded() {
			t.Errorf("a log of %s is bounded", schema)
		}
		l.Close()
		var sized int
		if err := database(t, dir).QueryRow("SELECT COUNT(*) FROM rooms WHERE bytes = (SELECT SUM(length(CAST(text AS BLOB)) + length(CAST(user AS BLOB)) + 160) " +
			"FROM entries WHERE room = rooms.id)").Scan(&sized); err != nil || sized < 2 {
			t.Errorf("%s: %d rooms have their size, %v", schema, sized, err)
		}
	}
}
