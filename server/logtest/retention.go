package logtest

import (
	"fmt"
	"maps"
	"strings"
	"testing"
	"time"

	"parley/server/chat"
	"parley/shared"
)

// Retain bounds a log and returns when n entries are gone.
func Retain(t *testing.T, l chat.Log, r chat.Retention, n int) {
	t.Helper()
	expired, over := make(chan int), t.Context().Done()
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

// announced deletes everything by retention. A follower is told before, while all of it
// can still be read; whoever opens the room later learns from its state.
func announced(t *testing.T, f *fixture[chat.Log]) {
	const entries = 2500 // more than a log may want to delete at once
	done := make(chan error, entries)
	for i := range entries {
		f.log.Append(t.Context(), lobby, entry(fmt.Sprint(i)), func(_ chat.Receipt, err error) { done <- err })
	}
	for range entries {
		must(t, <-done)
	}
	told, former := newRecorder(), newRecorder()
	follower := told.follower()
	follower.Begin = func(first int64) {
		told.begin(first)
		if left, err := f.log.Read(t.Context(), lobby.Key, first-2, first-1, chat.Most{Entries: 2}); err != nil || len(left) != 1 {
			t.Errorf("when it was told that the log begins at %d, there was %v before, %v", first, ids(left), err)
		}
	}
	_, stop, err := f.log.Open(t.Context(), lobby, former.follower())
	must(t, err)
	stop()
	_, stop, err = f.log.Open(t.Context(), lobby, follower)
	must(t, err)
	Retain(t, f.log, chat.Retention{Bytes: 1}, entries)
	state, stop2, err := f.log.Open(t.Context(), lobby, nobody)
	must(t, err)
	if state.Head != entries || state.First != entries+1 || state.Name != "Lobby" {
		t.Errorf("without entries the state is %+v", state)
	}
	stop()
	stop2()
	must(t, f.log.Close())
	f.log = f.reopen()
	if n := len(told.begins); n == 0 || told.begins[n-1] != entries+1 {
		t.Errorf("the follower was told %v", told.begins)
	}
	equal(t, "what was told to one that had stopped", former.begins, nil)
	if r := f.add(t, lobby, entry("0")); r != (chat.Receipt{Offset: entries + 1}) {
		t.Errorf("an id whose entry was deleted has the receipt %+v", r)
	}
}

// retainAge deletes what is older than the bound, and nothing behind an entry that
// is not.
func retainAge(t *testing.T, f *fixture[chat.Log]) {
	now := time.Date(2026, 6, 1, 0, 0, 0, 0, time.UTC)
	attic := shared.Name{Text: "Attic", Key: "attic"}
	for _, e := range []struct {
		room shared.Name
		id   string
		age  time.Duration
	}{{lobby, "a", 2 * time.Hour}, {lobby, "b", time.Hour + 1e6}, {lobby, "c", time.Hour}, {lobby, "d", 2 * time.Hour}, {attic, "a", -time.Hour}, {attic, "b", 2 * time.Hour}} {
		v := entry(e.id)
		v.Time = now.Add(-e.age)
		f.add(t, e.room, v)
	}
	told := map[string]*recorder{lobby.Key: newRecorder(), attic.Key: newRecorder()}
	for _, room := range []shared.Name{lobby, attic} {
		_, stop, err := f.log.Open(t.Context(), room, told[room.Key].follower())
		must(t, err)
		defer stop()
	}
	Retain(t, f.log, chat.Retention{Age: time.Hour, Now: func() time.Time { return now }}, 2)
	must(t, f.log.Close())
	f.log = f.reopen()
	for room, want := range map[string][]string{lobby.Key: {"c", "d"}, attic.Key: {"a", "b"}} {
		entries, err := f.log.Read(t.Context(), room, 0, shared.MaxOffset, chat.Most{Entries: 10})
		must(t, err)
		equal(t, "what is left in "+room, ids(entries), want)
	}
	equal(t, "what was told of the lobby", told[lobby.Key].begins, []int64{3})
	equal(t, "what was told of the attic", told[attic.Key].begins, nil)
}

// held adds up the entries of each device in a room, as long as they are kept.
func held(t *testing.T, f *fixture[chat.Log]) {
	want := make(map[string]int64)
	for i, device := range []string{"00112233445566778899aabbccddeeff", "api", "api", "d"} {
		e := entry(fmt.Sprint(i))
		e.Device, e.Text = device, strings.Repeat("ä", i)
		f.add(t, lobby, e)
		f.add(t, shared.Name{Text: "Attic", Key: "attic"}, e)
		want[device] += e.Size()
	}
	check := func() {
		t.Helper()
		if got, err := f.log.Held(t.Context(), lobby.Key); err != nil || !maps.Equal(got, want) {
			t.Errorf("they hold %v, not %v, %v", got, want, err)
		}
	}
	check()
	if got, err := f.log.Held(t.Context(), "empty"); err != nil || len(got) > 0 {
		t.Errorf("in a room without entries they hold %v, %v", got, err)
	}
	delete(want, "00112233445566778899aabbccddeeff")
	keep := want["api"] + want["d"]
	Retain(t, f.log, chat.Retention{Bytes: keep}, 2)
	check()
}
