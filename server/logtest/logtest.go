// Package logtest holds the contract of chat.Log as tests, for every Log there is.
package logtest

import (
	"context"
	"fmt"
	"slices"
	"sync"
	"testing"
	"time"

	"parley/server/chat"
	"parley/shared"
)

// Run checks a Log. Open opens the log of one test, the same one each time it is
// called with the same name.
func Run(t *testing.T, open func(t *testing.T, name string) chat.Log) {
	for name, test := range map[string]func(*testing.T, *fixture){
		"offsets count from 1":           offsets,
		"a repeated id is not added":     duplicates,
		"followers see each entry once":  followers,
		"a stopped follower is left out": stopped,
		"reading":                        reading,
		"history":                        history,
		"everything stays":               stays,
		"names have owners":              claims,
		"many writers":                   manyWriters,
		"locks":                          locks,
		"names":                          names,
		"ready":                          func(t *testing.T, f *fixture) { must(t, f.log.Ready(t.Context())) },
	} {
		t.Run(name, func(t *testing.T) {
			f := &fixture{reopen: func() chat.Log { return open(t, t.Name()) }}
			f.log = f.reopen()
			defer func() { must(t, f.log.Close()) }()
			test(t, f)
		})
	}
}

type fixture struct {
	log    chat.Log
	reopen func() chat.Log
}

var lobby = shared.Name{Text: "Lobby", Key: "lobby"}

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

func entry(id string) chat.Entry {
	return chat.Entry{ID: id, Device: "d", User: "Ann", Text: "text of " + id, Time: time.Date(2026, 1, 2, 3, 4, 5, 6e6, time.UTC)}
}

// add appends an entry and waits for its receipt.
func (f *fixture) add(t *testing.T, room shared.Name, e chat.Entry) chat.Receipt {
	t.Helper()
	type result struct {
		r   chat.Receipt
		err error
	}
	c := make(chan result, 1)
	f.log.Append(t.Context(), room, e, func(r chat.Receipt, err error) { c <- result{r, err} })
	got := <-c
	must(t, got.err)
	return got.r
}

func ids(entries []chat.Entry) (ids []string) {
	for _, e := range entries {
		ids = append(ids, e.ID)
	}
	return ids
}

func equal[T comparable](t *testing.T, what string, got, want []T) {
	t.Helper()
	if !slices.Equal(got, want) {
		t.Errorf("%s: got %v, want %v", what, got, want)
	}
}

func offsets(t *testing.T, f *fixture) {
	for i := int64(1); i <= 3; i++ {
		if r := f.add(t, lobby, entry(fmt.Sprint(i))); r.Offset != i || r.Duplicate {
			t.Errorf("entry %d has the receipt %+v", i, r)
		}
	}
	if r := f.add(t, shared.Name{Text: "Attic", Key: "attic"}, entry("1")); r.Offset != 1 || r.Duplicate {
		t.Errorf("the first entry of another room has the receipt %+v", r)
	}
}

func duplicates(t *testing.T, f *fixture) {
	f.add(t, lobby, entry("a"))
	f.add(t, lobby, entry("b"))
	again := entry("a")
	again.Text = "another text"
	if r := f.add(t, lobby, again); r != (chat.Receipt{Offset: 1, Duplicate: true}) {
		t.Errorf("the same id again has the receipt %+v", r)
	}
	other := entry("a")
	other.Device = "another device"
	if r := f.add(t, lobby, other); r != (chat.Receipt{Offset: 3}) {
		t.Errorf("the id of another device has the receipt %+v", r)
	}
	entries, err := f.log.Read(t.Context(), lobby.Key, 0, 100, 100)
	must(t, err)
	equal(t, "ids", ids(entries), []string{"a", "b", "a"})
	if entries[0].Text != "text of a" {
		t.Errorf("the repeated entry changed the text to %q", entries[0].Text)
	}
}

// recorder is a follower that keeps what it is told.
type recorder struct {
	mu      sync.Mutex
	cond    sync.Cond
	entries []chat.Entry
}

func newRecorder() *recorder {
	r := &recorder{}
	r.cond.L = &r.mu
	return r
}

func (r *recorder) follow(entries []chat.Entry) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.entries = append(r.entries, entries...)
	r.cond.Broadcast()
}

// wait returns the entries when there are n.
func (r *recorder) wait(n int) []chat.Entry {
	r.mu.Lock()
	defer r.mu.Unlock()
	for len(r.entries) < n {
		r.cond.Wait()
	}
	return slices.Clone(r.entries)
}

func followers(t *testing.T, f *fixture) {
	f.add(t, lobby, entry("before"))
	first, second := newRecorder(), newRecorder()
	state, stop, err := f.log.Open(t.Context(), lobby, first.follow)
	must(t, err)
	defer stop()
	if state.Head != 1 || state.First != 1 || state.Name != "Lobby" || state.Epoch == "" || !state.Last.Equal(entry("").Time) {
		t.Errorf("the state is %+v", state)
	}
	f.add(t, lobby, entry("a"))
	f.add(t, lobby, entry("a"))
	f.add(t, shared.Name{Text: "Attic", Key: "attic"}, entry("elsewhere"))
	_, stop2, err := f.log.Open(t.Context(), lobby, second.follow)
	must(t, err)
	defer stop2()
	f.add(t, lobby, entry("b"))
	equal(t, "the first follower's ids", ids(first.wait(2)), []string{"a", "b"})
	equal(t, "the second follower's ids", ids(second.wait(1)), []string{"b"})
	if e := first.entries[0]; e.Offset != 2 || e.Room != "lobby" || e.User != "Ann" || e.Text != "text of a" || !e.Time.Equal(entry("").Time) {
		t.Errorf("a follower saw %+v", e)
	}
}

func stopped(t *testing.T, f *fixture) {
	first, second := newRecorder(), newRecorder()
	_, stop, err := f.log.Open(t.Context(), lobby, first.follow)
	must(t, err)
	_, stop2, err := f.log.Open(t.Context(), lobby, second.follow)
	must(t, err)
	defer stop2()
	f.add(t, lobby, entry("a"))
	first.wait(1)
	stop()
	f.add(t, lobby, entry("b"))
	second.wait(2)
	equal(t, "the stopped follower's ids", ids(first.wait(1)), []string{"a"})
}

func reading(t *testing.T, f *fixture) {
	for _, id := range []string{"a", "b", "c", "d"} {
		f.add(t, lobby, entry(id))
	}
	for _, c := range []struct {
		after, upTo int64
		limit       int
		want        []string
	}{{0, 4, 10, []string{"a", "b", "c", "d"}}, {1, 3, 10, []string{"b", "c"}}, {0, 4, 2, []string{"a", "b"}}, {4, 9, 9, nil}} {
		entries, err := f.log.Read(t.Context(), lobby.Key, c.after, c.upTo, c.limit)
		must(t, err)
		equal(t, fmt.Sprintf("ids after %d up to %d, %d at most", c.after, c.upTo, c.limit), ids(entries), c.want)
	}
	entries, err := f.log.Read(t.Context(), "nowhere", 0, 9, 9)
	must(t, err)
	equal(t, "ids in a room without entries", ids(entries), nil)
}

func history(t *testing.T, f *fixture) {
	for _, id := range []string{"a", "b", "c", "d"} {
		f.add(t, lobby, entry(id))
	}
	for _, c := range []struct {
		before int64
		limit  int
		want   []string
	}{{0, 2, []string{"c", "d"}}, {3, 9, []string{"a", "b"}}, {1, 9, nil}} {
		entries, err := f.log.History(t.Context(), lobby.Key, c.before, c.limit)
		must(t, err)
		equal(t, fmt.Sprintf("ids before %d, %d at most", c.before, c.limit), ids(entries), c.want)
	}
}

func stays(t *testing.T, f *fixture) {
	f.add(t, lobby, entry("a"))
	before, stop, err := f.log.Open(t.Context(), shared.Name{Text: "LOBBY", Key: "lobby"}, func([]chat.Entry) {})
	must(t, err)
	stop()
	must(t, f.log.Close())
	f.log = f.reopen()
	after, stop, err := f.log.Open(t.Context(), lobby, func([]chat.Entry) {})
	must(t, err)
	defer stop()
	if before != after || after.Name != "Lobby" {
		t.Errorf("the state was %+v and is %+v", before, after)
	}
	if r := f.add(t, lobby, entry("a")); !r.Duplicate {
		t.Error("the id is forgotten")
	}
	if r := f.add(t, lobby, entry("b")); r.Offset != 2 {
		t.Errorf("the next offset is %d", r.Offset)
	}
}

func claims(t *testing.T, f *fixture) {
	at := time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)
	for _, c := range []struct {
		what, name, device string
		after              time.Duration
		want               bool
	}{
		{"a free name", "ann", "d1", 0, true},
		{"the owner again", "ann", "d1", time.Minute, true},
		{"another device in time", "ann", "d2", time.Hour, false},
		{"another name", "bob", "d2", time.Hour, true},
		{"another device after the hold", "ann", "d2", time.Minute + time.Hour, true},
		{"the former owner", "ann", "d1", time.Minute + time.Hour, false},
	} {
		got, err := f.log.Claim(t.Context(), chat.Claim{Room: "lobby", Name: c.name, Device: c.device, Seen: at.Add(c.after)}, time.Hour)
		must(t, err)
		if got != c.want {
			t.Errorf("%s: owned is %v", c.what, got)
		}
	}
	owner, err := f.log.Owner(t.Context(), "lobby", "ann")
	must(t, err)
	if owner.Device != "d2" || !owner.Seen.Equal(at.Add(time.Minute+time.Hour)) {
		t.Errorf("the owner is %+v", owner)
	}
	if owner, err = f.log.Owner(t.Context(), "attic", "ann"); err != nil || owner != (chat.Claim{}) {
		t.Errorf("the owner in another room is %+v, %v", owner, err)
	}
}

func manyWriters(t *testing.T, f *fixture) {
	const writers, each = 16, 50
	seen := newRecorder()
	_, stop, err := f.log.Open(t.Context(), lobby, seen.follow)
	must(t, err)
	defer stop()
	ctx := t.Context()
	var wg sync.WaitGroup
	for w := range writers {
		wg.Go(func() {
			for i := range each {
				e := entry(fmt.Sprint(i))
				e.Device = fmt.Sprint(w)
				wg.Add(1)
				f.log.Append(ctx, lobby, e, func(r chat.Receipt, err error) {
					defer wg.Done()
					if err != nil || r.Duplicate {
						t.Errorf("writer %d, entry %d: %+v, %v", w, i, r, err)
					}
				})
			}
		})
	}
	wg.Wait()
	next := make(map[string]int)
	for i, e := range seen.wait(writers * each) {
		if e.Offset != int64(i+1) {
			t.Fatalf("entry %d has the offset %d", i, e.Offset)
		}
		if e.ID != fmt.Sprint(next[e.Device]) {
			t.Fatalf("writer %s: entry %s came in the place of %d", e.Device, e.ID, next[e.Device])
		}
		next[e.Device]++
	}
	kept, err := f.log.Read(context.Background(), lobby.Key, 0, writers*each, writers*each)
	must(t, err)
	if !slices.Equal(kept, seen.entries) {
		t.Error("what is kept is not what the follower saw")
	}
}

// locks are given once, to rooms that nothing was said in, and stay.
func locks(t *testing.T, f *fixture) {
	set := func(room string, l chat.Lock, want bool) {
		t.Helper()
		if ok, err := f.log.SetLock(t.Context(), room, l); ok != want || err != nil {
			t.Errorf("setting a lock of %q: %v, %v", room, ok, err)
		}
	}
	check := func(room string, want chat.Lock) {
		t.Helper()
		if got, err := f.log.Lock(t.Context(), room); got != want || err != nil {
			t.Errorf("the lock of %q is %+v, %v; want %+v", room, got, err, want)
		}
	}
	first := chat.Lock{Hash: "first", Hidden: true}
	check("attic", chat.Lock{})
	set("attic", first, true)
	set("attic", chat.Lock{Hash: "second"}, false)
	f.add(t, lobby, entry("a"))
	set(lobby.Key, first, false)
	f.add(t, shared.Name{Text: "Attic", Key: "attic"}, entry("a"))
	must(t, f.log.Close())
	f.log = f.reopen()
	check("attic", first)
	check(lobby.Key, chat.Lock{})
}

func names(t *testing.T, f *fixture) {
	at := time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)
	for i, name := range []string{"ann", "bob", "cleo"} {
		_, err := f.log.Claim(t.Context(), chat.Claim{Room: lobby.Key, Name: name, Device: "d", Seen: at.Add(time.Duration(i) * time.Minute)}, time.Hour)
		must(t, err)
	}
	for room, want := range map[string][]string{lobby.Key: {"cleo", "bob"}, "empty": nil} {
		got, err := f.log.Names(t.Context(), room, 2)
		must(t, err)
		equal(t, "the names in "+room, got, want)
	}
}
