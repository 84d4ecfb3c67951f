package logtest

import (
	"context"
	"fmt"
	"reflect"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"parley/server/chat"
	"parley/shared"
)

// Log checks a chat.Log. Open opens the log of one test, the same one each time it
// is called with the same name.
func Log(t *testing.T, open func(t *testing.T, name string) chat.Log) {
	body[chat.Log]{
		"offsets count from 1":           offsets,
		"a repeated id is not added":     duplicates,
		"an id is one room's":            idsOfRooms,
		"ids come back as they were":     idsAsTheyWere,
		"followers see each entry once":  followers,
		"a stopped follower is left out": stopped,
		"reading":                        reading,
		"history":                        history,
		"bytes are bounded":              bytesBounded,
		"everything stays":               stays,
		"many writers":                   manyWriters,
		"a replay comes to the same":     replay,
		"deletion is announced":          announced,
		"retention by age":               retainAge,
		"what devices hold":              held,
		"changes":                        changes,
		"refused changes":                refusals,
		"repeated changes":               repeats,
		"changes in one batch":           inOneBatch,
		"many reactions":                 manyReactions,
		"what changes take":              changedBytes,
		"changes without their message":  trimmed,
		"what was changed since":         changesSince,
		"searching":                      searching,
		"quotes":                         quotes,
		"hosts":                          hosts,
		"who is barred":                  barred,
		"what hosts delete":              hostsDelete,
		"what hosts delete amid all":     hostsDeleteAmid,
		"what hosts delete in pieces":    hostsDeleteMany,
		"a delete that goes on":          hostsDeleteOn,
		"what is pinned":                 pinned,
		"notices":                        notices,
		"as in a model":                  modelled,
		"ready":                          func(t *testing.T, f *fixture[chat.Log]) { must(t, f.log.Ready(t.Context())) },
	}.run(t, open)
}

func offsets(t *testing.T, f *fixture[chat.Log]) {
	for i := int64(1); i <= 3; i++ {
		if r := f.add(t, lobby, entry(fmt.Sprint(i))); r.Offset != i || r.Duplicate {
			t.Errorf("entry %d has the receipt %+v", i, r)
		}
	}
	if r := f.add(t, shared.Name{Text: "Attic", Key: "attic"}, entry("1")); r.Offset != 1 || r.Duplicate {
		t.Errorf("the first entry of another room has the receipt %+v", r)
	}
}

func duplicates(t *testing.T, f *fixture[chat.Log]) {
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
	entries, err := f.log.Read(t.Context(), lobby.Key, 0, 100, chat.Most{Entries: 100})
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
	begins  []int64 // of the log, as they were announced
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

func (r *recorder) begin(first int64) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.begins = append(r.begins, first)
}

func (r *recorder) follower() chat.Follower {
	return chat.Follower{Entries: r.follow, Begin: r.begin}
}

// nobody is a follower for whoever only opens a room.
var nobody = chat.Follower{Entries: func([]chat.Entry) {}, Begin: func(int64) {}}

// wait returns the entries when there are n.
func (r *recorder) wait(n int) []chat.Entry {
	r.mu.Lock()
	defer r.mu.Unlock()
	for len(r.entries) < n {
		r.cond.Wait()
	}
	return slices.Clone(r.entries)
}

func followers(t *testing.T, f *fixture[chat.Log]) {
	f.add(t, lobby, entry("before"))
	first, second := newRecorder(), newRecorder()
	state, stop, err := f.log.Open(t.Context(), lobby, first.follower())
	must(t, err)
	defer stop()
	if state.Head != 1 || state.First != 1 || state.Name != "Lobby" || state.Epoch == "" || !state.Last.Equal(entry("").Time) {
		t.Errorf("the state is %+v", state)
	}
	f.add(t, lobby, entry("a"))
	f.add(t, lobby, entry("a"))
	f.add(t, shared.Name{Text: "Attic", Key: "attic"}, entry("elsewhere"))
	_, stop2, err := f.log.Open(t.Context(), lobby, second.follower())
	must(t, err)
	defer stop2()
	f.add(t, lobby, entry("b"))
	equal(t, "the first follower's ids", ids(first.wait(2)), []string{"a", "b"})
	equal(t, "the second follower's ids", ids(second.wait(1)), []string{"b"})
	if e := first.entries[0]; e.Offset != 2 || e.Room != "lobby" || e.User != "Ann" || e.Text != "text of a" || !e.Time.Equal(entry("").Time) {
		t.Errorf("a follower saw %+v", e)
	}
}

func stopped(t *testing.T, f *fixture[chat.Log]) {
	first, second := newRecorder(), newRecorder()
	_, stop, err := f.log.Open(t.Context(), lobby, first.follower())
	must(t, err)
	_, stop2, err := f.log.Open(t.Context(), lobby, second.follower())
	must(t, err)
	defer stop2()
	f.add(t, lobby, entry("a"))
	first.wait(1)
	stop()
	f.add(t, lobby, entry("b"))
	second.wait(2)
	equal(t, "the stopped follower's ids", ids(first.wait(1)), []string{"a"})
}

func reading(t *testing.T, f *fixture[chat.Log]) {
	for _, id := range []string{"a", "b", "c", "d"} {
		f.add(t, lobby, entry(id))
	}
	for _, c := range []struct {
		after, upTo int64
		limit       int
		want        []string
	}{{0, 4, 10, []string{"a", "b", "c", "d"}}, {1, 3, 10, []string{"b", "c"}}, {0, 4, 2, []string{"a", "b"}}, {4, 9, 9, nil}} {
		entries, err := f.log.Read(t.Context(), lobby.Key, c.after, c.upTo, chat.Most{Entries: c.limit})
		must(t, err)
		equal(t, fmt.Sprintf("ids after %d up to %d, %d at most", c.after, c.upTo, c.limit), ids(entries), c.want)
	}
	entries, err := f.log.Read(t.Context(), "nowhere", 0, 9, chat.Most{Entries: 9})
	must(t, err)
	equal(t, "ids in a room without entries", ids(entries), nil)
}

func history(t *testing.T, f *fixture[chat.Log]) {
	for _, id := range []string{"a", "b", "c", "d"} {
		f.add(t, lobby, entry(id))
	}
	for _, c := range []struct {
		before int64
		limit  int
		want   []string
	}{{0, 2, []string{"c", "d"}}, {3, 9, []string{"a", "b"}}, {1, 9, nil}} {
		entries, err := f.log.History(t.Context(), lobby.Key, c.before, chat.Most{Entries: c.limit})
		must(t, err)
		equal(t, fmt.Sprintf("ids before %d, %d at most", c.before, c.limit), ids(entries), c.want)
	}
}

// bytesBounded reads no more than the texts that fit, and the one that passes the
// bound, however much more there is.
func bytesBounded(t *testing.T, f *fixture[chat.Log]) {
	for _, id := range []string{"a", "b", "c", "d", "e"} {
		e := entry(id)
		e.Text = strings.Repeat(id, 1000)
		f.add(t, lobby, e)
	}
	for _, c := range []struct {
		bytes           int
		read, backwards []string
	}{
		{1, []string{"a"}, []string{"e"}},
		{1000, []string{"a"}, []string{"e"}},
		{2500, []string{"a", "b", "c"}, []string{"c", "d", "e"}},
		{100_000, []string{"a", "b", "c", "d"}, []string{"b", "c", "d", "e"}},
	} {
		most := chat.Most{Entries: 4, Bytes: c.bytes}
		entries, err := f.log.Read(t.Context(), lobby.Key, 0, 5, most)
		must(t, err)
		equal(t, fmt.Sprintf("ids of %d bytes", c.bytes), ids(entries), c.read)
		entries, err = f.log.History(t.Context(), lobby.Key, 0, most)
		must(t, err)
		equal(t, fmt.Sprintf("the last ids of %d bytes", c.bytes), ids(entries), c.backwards)
	}
}

func stays(t *testing.T, f *fixture[chat.Log]) {
	f.add(t, lobby, entry("a"))
	before, stop, err := f.log.Open(t.Context(), shared.Name{Text: "LOBBY", Key: "lobby"}, nobody)
	must(t, err)
	stop()
	must(t, f.log.Close())
	f.log = f.reopen()
	after, stop, err := f.log.Open(t.Context(), lobby, nobody)
	must(t, err)
	defer stop()
	if !reflect.DeepEqual(before, after) || after.Name != "Lobby" {
		t.Errorf("the state was %+v and is %+v", before, after)
	}
	if r := f.add(t, lobby, entry("a")); !r.Duplicate {
		t.Error("the id is forgotten")
	}
	if r := f.add(t, lobby, entry("b")); r.Offset != 2 {
		t.Errorf("the next offset is %d", r.Offset)
	}
}

func manyWriters(t *testing.T, f *fixture[chat.Log]) {
	const writers, each = 16, 50
	seen := newRecorder()
	_, stop, err := f.log.Open(t.Context(), lobby, seen.follower())
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
	kept, err := f.log.Read(context.Background(), lobby.Key, 0, writers*each, chat.Most{Entries: writers * each})
	must(t, err)
	if !reflect.DeepEqual(kept, seen.entries) {
		t.Error("what is kept is not what the follower saw")
	}
}

// idsOfRooms has one device say the same id in two rooms, which makes two entries.
func idsOfRooms(t *testing.T, f *fixture[chat.Log]) {
	attic := shared.Name{Text: "Attic", Key: "attic"}
	for _, id := range []string{"key", ulids[0]} {
		first := f.add(t, lobby, entry(id))
		if first.Duplicate {
			t.Errorf("%s is a duplicate in the first room", id)
		}
		if r := f.add(t, attic, entry(id)); r.Duplicate {
			t.Errorf("%s is a duplicate in the second room", id)
		}
		if r := f.add(t, lobby, entry(id)); r != (chat.Receipt{Offset: first.Offset, Duplicate: true}) {
			t.Errorf("%s again in the first room has the receipt %+v", id, r)
		}
	}
}

// ulids are ids that a log may know as ULIDs, and others that look like them.
var ulids = []string{
	"01KE0ABCDEFGHJKMNPQRSTVWXY", "7ZZZZZZZZZZZZZZZZZZZZZZZZZ", "00000000000000000000000000",
	"01ke0abcdefghjkmnpqrstvwxy", "01KE0ABCDEFGHJKMNPQRSTVWXy", // another case
	"8ZZZZZZZZZZZZZZZZZZZZZZZZZ",                                                             // over 128 bits
	"01KE0ABCDEFGHJKMNPQRSTVWXI", "O1KE0ABCDEFGHJKMNPQRSTVWXY", "01KE0ABCDEFGHJKMNPQRSTVWXU", // letters that are none of theirs
	"01KE0ABCDEFGHJKMNPQRSTVWX", "01KE0ABCDEFGHJKMNPQRSTVWXYZ", // another length
	"7", "0", "1e3", "a b", "~~~~~~~~~~~~~~~~", "0123456789abcdef", // 16 bytes and numbers
	"X'00'", "NULL", "!\"#$%&'()*+,-./",
}

// idsAsTheyWere reads back ids and devices of every kind, byte for byte, and knows
// each of them again.
func idsAsTheyWere(t *testing.T, f *fixture[chat.Log]) {
	devices := []string{
		"00112233445566778899aabbccddeeff", "00112233445566778899AABBCCDDEEFF", "00112233445566778899aabbccddeef",
		"0011223344556677", "api", "tutorial-01KE0ABCDEFGHJKMNPQRSTVWXY",
	}
	var want []string
	check := func(duplicate bool) {
		t.Helper()
		offset := int64(0)
		for _, device := range devices {
			for _, id := range ulids {
				offset++
				e := entry(id)
				e.Device = device
				if r := f.add(t, lobby, e); r != (chat.Receipt{Offset: offset, Duplicate: duplicate}) {
					t.Errorf("%q of %q has the receipt %+v", id, device, r)
				}
			}
		}
		entries, err := f.log.Read(t.Context(), lobby.Key, 0, shared.MaxOffset, chat.Most{Entries: 1000})
		must(t, err)
		var got []string
		for _, e := range entries {
			got = append(got, e.Device+" "+e.ID)
		}
		equal(t, "what comes back", got, want)
	}
	for _, device := range devices {
		for _, id := range ulids {
			want = append(want, device+" "+id)
		}
	}
	check(false)
	check(true)
	must(t, f.log.Close())
	f.log = f.reopen()
	check(true)
}

// replay appends what a log has to another one.
func replay(t *testing.T, f *fixture[chat.Log]) {
	attic := shared.Name{Text: "Attic", Key: "attic"}
	for i := range 100 {
		e := entry(fmt.Sprint(i % 60)) // some are repeated
		e.Device = fmt.Sprint("d", i%7)
		e.Text = fmt.Sprint(i)
		e.Time = e.Time.Add(time.Duration(i*i%50) * time.Second)
		f.add(t, []shared.Name{lobby, attic}[i%2], e)
	}
	first := f.log
	defer func() { must(t, first.Close()) }()
	second := &fixture[chat.Log]{log: f.other()}
	f.log = second.log // which is closed in the end
	all := make(map[string][]chat.Entry)
	for _, room := range []shared.Name{attic, lobby} {
		entries, err := first.Read(t.Context(), room.Key, 0, shared.MaxOffset, chat.Most{Entries: 1000})
		must(t, err)
		all[room.Key] = entries
		for _, e := range entries {
			if r := second.add(t, room, e); r != (chat.Receipt{Offset: e.Offset}) {
				t.Errorf("the entry %d of %s gets %+v", e.Offset, room.Text, r)
			}
		}
	}
	for _, room := range []shared.Name{lobby, attic} {
		entries, err := second.log.Read(t.Context(), room.Key, 0, shared.MaxOffset, chat.Most{Entries: 1000})
		must(t, err)
		if !reflect.DeepEqual(entries, all[room.Key]) {
			t.Errorf("the entries of %s are %+v and %+v", room.Text, all[room.Key], entries)
		}
		var states []chat.State
		for _, l := range []chat.Log{first, second.log} {
			s, stop, err := l.Open(t.Context(), room, nobody)
			must(t, err)
			stop()
			s.Epoch = ""
			states = append(states, s)
		}
		if !reflect.DeepEqual(states[0], states[1]) {
			t.Errorf("the states of %s are %+v and %+v", room.Text, states[0], states[1])
		}
	}
}
