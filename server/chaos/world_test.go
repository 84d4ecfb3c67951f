//go:build linux

package chaos

import (
	"bufio"
	"context"
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"parley/shared"
)

// world is a server, people who talk in its rooms over a proxy, and what is
// known of the log so far.
type world struct {
	t       testing.TB
	seed    uint64
	random  *rand.Rand // of the faults
	server  *server
	proxy   *proxy
	members []*member
	faults  map[string]int // made so far, by name

	mu       sync.Mutex
	changed  sync.Cond
	jitters  *rand.Rand
	quiet    bool // nobody says anything new
	counts   counts
	problems int

	// By room.
	entries map[string]map[int64]string  // the names of entries, by offset
	at      map[string]map[string]int64  // their offsets, by name
	rows    map[string]map[int64]row     // the messages that the log had when it was read
	drafts  map[string]map[string]*draft // parley.v1: what was said so far, by name
	heard   map[string][]sight           // the newest messages
	deleted map[string]map[string]bool   // what somebody wants to have deleted, by name
}

// counts are what a run is judged by.
type counts struct {
	acknowledged, reported, seen int
	lost, doubled, disordered    int
}

// newWorld starts a server and fills a number of rooms: in each, three people speak
// parley.v1 and two the tutorial's dialect; one of each says nothing.
func newWorld(t testing.TB, seed uint64, rooms int, flags ...string) *world {
	t.Helper()
	w := &world{
		t: t, seed: seed, random: rand.New(rand.NewPCG(seed, 1)), jitters: rand.New(rand.NewPCG(seed, 2)),
		server: newServer(t, flags...), faults: make(map[string]int),
		entries: make(map[string]map[int64]string), at: make(map[string]map[string]int64), rows: make(map[string]map[int64]row),
		drafts: make(map[string]map[string]*draft), heard: make(map[string][]sight), deleted: make(map[string]map[string]bool),
	}
	t.Logf("seed %d", seed)
	w.changed.L = &w.mu
	w.proxy = startProxy(t)
	w.start()
	ctx, cancel := context.WithCancel(context.Background())
	var work sync.WaitGroup
	t.Cleanup(func() { cancel(); work.Wait() })
	for r := range rooms {
		room := fmt.Sprint("room ", r)
		w.entries[room], w.at[room], w.rows[room] = make(map[int64]string), make(map[string]int64), make(map[int64]row)
		w.drafts[room], w.deleted[room] = make(map[string]*draft), make(map[string]bool)
		for _, kind := range []struct {
			name          string
			parley, talks bool
		}{{"Ann", true, true}, {"Bob", true, true}, {"Rea", true, false}, {"Tom", false, true}, {"Zoe", false, false}} {
			m := &member{w: w, room: room, name: fmt.Sprint(kind.name, r), parley: kind.parley, talks: kind.talks, device: newDevice(), rows: make(map[int64]row)}
			w.members = append(w.members, m)
			work.Go(func() { m.run(ctx) })
		}
	}
	return w
}

func (w *world) start() {
	w.t.Helper()
	w.server.MustStart()
	w.aim()
}

// aim has the proxy go to where the server is now.
func (w *world) aim() {
	target := w.server.Addr()
	w.proxy.target.Store(&target)
}

// update changes what w.mu guards.
func (w *world) update(f func()) {
	w.mu.Lock()
	defer w.mu.Unlock()
	f()
	w.changed.Broadcast()
}

// until waits for a condition of what w.mu guards, with w.mu held. It ends the
// test where the promise is broken: then nobody may come.
func (w *world) until(condition func() bool) {
	w.t.Helper()
	w.mu.Lock()
	defer w.mu.Unlock()
	for !condition() {
		if w.problems > 0 {
			w.t.FailNow()
		}
		w.changed.Wait()
	}
}

// flow waits until n more messages were acknowledged.
func (w *world) flow(n int) {
	begin := -1
	w.until(func() bool {
		if begin < 0 {
			begin = w.counts.acknowledged
		}
		return w.counts.acknowledged >= begin+n
	})
}

// joins says how often each member has joined.
func (w *world) joins() map[*member]int {
	w.mu.Lock()
	defer w.mu.Unlock()
	joins := make(map[*member]int)
	for _, m := range w.members {
		joins[m] = m.joins
	}
	return joins
}

// rejoined waits until everyone of a kind has come back since before.
func (w *world) rejoined(before map[*member]int, kind func(*member) bool) {
	w.t.Helper()
	w.until(func() bool {
		for m, joins := range before {
			if kind(m) && m.joins == joins {
				return false
			}
		}
		return true
	})
}

func everyone(*member) bool { return true }

func talkers(m *member) bool { return m.talks }

// problem reports what breaks the promise. The caller holds w.mu.
func (w *world) problem(format string, args ...any) {
	if w.problems++; w.problems <= 20 {
		w.t.Errorf(format, args...)
	}
}

// jitter is a time between two, in milliseconds.
func (w *world) jitter(from, to int) time.Duration {
	w.mu.Lock()
	defer w.mu.Unlock()
	return time.Duration(from)*time.Millisecond + time.Duration(w.jitters.Int64N(int64(to-from)*int64(time.Millisecond)))
}

// inject makes a fault, undoes it, and checks the promise.
func (w *world) inject(f fault) {
	w.t.Helper()
	w.faults[f.name]++
	f.make(w)
	w.check()
}

// note keeps where in a room's log an entry is. No other may be there, and it may be
// nowhere else: it would have been carried out twice. The caller holds w.mu.
func (w *world) note(room string, s sight) {
	if name, ok := w.entries[room][s.offset]; ok && name != s.name {
		w.counts.disordered++
		w.problem("in the log of %s, %q is at %d in the place of %q", room, s.name, s.offset, name)
	}
	if at, ok := w.at[room][s.name]; ok && at != s.offset {
		w.counts.doubled++
		w.problem("%q is in the log of %s at %d and at %d", s.name, room, at, s.offset)
	}
	w.entries[room][s.offset], w.at[room][s.name] = s.name, s.offset
}

// check holds the promise against what the log says now.
func (w *world) check() {
	w.t.Helper()
	taken := make(map[string][]sight)
	w.mu.Lock()
	after := make(map[string]int64) // what is to be read
	for room, rows := range w.rows {
		after[room] = newest(rows)
	}
	for _, m := range w.members {
		for _, s := range slices.Concat(m.fresh, m.seen) {
			taken[m.room] = append(taken[m.room], s)
			if d := w.drafts[m.room][s.name]; d != nil && d.kind != says {
				after[m.room] = min(after[m.room], d.target.offset-1)
			}
		}
		m.fresh, m.seen = nil, nil
	}
	w.mu.Unlock()

	for room := range after {
		w.read(room, after[room])
	}

	w.mu.Lock()
	defer w.mu.Unlock()
	for room, all := range taken {
		for _, s := range all {
			of, changed := s.offset, int64(0)
			if d := w.drafts[room][s.name]; d != nil && d.kind != says {
				of, changed = d.target.offset, s.offset
			}
			if r, ok := w.rows[room][of]; !ok || r.changed < changed {
				w.counts.lost++
				w.problem("%q was sent as %d, and is not in the log of %s", s.name, s.offset, room)
			}
		}
	}
}

func newest(rows map[int64]row) (offset int64) {
	for o := range rows {
		offset = max(offset, o)
	}
	return offset
}

// read reads a room's messages after an offset. The newest one that is known is read
// again: a log that has lost its end shows there.
func (w *world) read(room string, after int64) {
	w.t.Helper()
	w.mu.Lock()
	known := newest(w.rows[room])
	w.mu.Unlock()
	messages := w.server.Messages(room, min(after, known-1))
	w.mu.Lock()
	defer w.mu.Unlock()
	for _, f := range messages {
		w.note(room, w.sightOf(room, f))
		w.rows[room][f.Offset] = w.rowOf(room, f)
	}
	if known > 0 && !slices.ContainsFunc(messages, func(f shared.Message) bool { return f.Offset == known }) {
		w.counts.lost++
		w.problem("the log of %s has lost its end at %d", room, known)
	}
}

// finish lets everyone say the last word and see the last entry, ends the
// server in good order, and checks the whole log once more, as it is exported.
func (w *world) finish() {
	w.t.Helper()
	w.update(func() { w.quiet = true })
	w.until(func() bool {
		ends := make(map[string]int64)
		for _, m := range w.members {
			ends[m.room] = max(ends[m.room], m.last)
		}
		for _, m := range w.members {
			if len(m.outbox) > 0 || m.parley && m.last != ends[m.room] {
				return false
			}
		}
		return true
	})
	w.check()
	for room := range w.rows {
		w.read(room, 0)
	}
	w.mu.Lock()
	expected := make(map[string]map[int64]row)
	for room, rows := range w.rows {
		expected[room] = w.expected(room)
		w.same("the log of "+room, rows, expected[room])
		for offset := range expected[room] {
			if _, ok := rows[offset]; !ok {
				w.counts.lost++
				w.problem("%q is not in the log of %s", w.entries[room][offset], room)
			}
		}
	}
	for _, m := range w.members {
		m.explain(expected[m.room])
		if m.parley {
			w.same(m.name, m.rows, expected[m.room])
			w.checkSaid(m)
		}
	}
	w.mu.Unlock()
	if err := w.server.End(syscall.SIGTERM); err != nil {
		w.t.Errorf("the server ended with %v: %s", err, w.server.Output)
	}
	w.server.Run("check")
	for room, rows := range expected {
		exported := make(map[int64]row)
		last := int64(0)
		for lines := bufio.NewScanner(strings.NewReader(w.server.Run("export", "--room", room, "--format", "jsonl"))); lines.Scan(); {
			f, err := shared.Decode(lines.Bytes())
			if err != nil || f.Offset <= last {
				w.t.Fatalf("%s after %d: %v", lines.Bytes(), last, err)
			}
			r := w.rowOf(room, f)
			r.changed = rows[f.Offset].changed // which is not exported
			last, exported[f.Offset] = f.Offset, r
		}
		w.same("the export of "+room, exported, rows)
		for offset, r := range rows {
			if _, ok := exported[offset]; ok == r.deleted {
				w.t.Errorf("%+v in the export of %s: %v", r, room, ok)
			}
		}
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	messages, entries := 0, 0
	for room := range w.rows {
		messages += len(expected[room])
		entries += len(w.entries[room])
	}
	w.t.Logf("faults %v", w.faults)
	c := w.counts
	w.t.Logf("kills %d, cuts %d, messages %d, changes %d, acknowledged %d, reported %d, deliveries %d: lost %d, doubled %d, out of order %d",
		w.faults["kill"], w.faults["cut"], messages, entries-messages, c.acknowledged, c.reported, c.seen, c.lost, c.doubled, c.disordered)
}

// same compares the messages that somebody has with what they should be. One that came
// after the last check is not known. The caller holds w.mu.
func (w *world) same(who string, has, should map[int64]row) {
	for offset, r := range has {
		if want, ok := should[offset]; ok && r != want {
			w.problem("for %s, %d is %+v, not %+v", who, offset, r, want)
		}
	}
}

// checkSaid looks for everything that a member of parley.v1 has said, again until it was
// acknowledged or refused. The caller holds w.mu.
func (w *world) checkSaid(m *member) {
	for n := 1; n <= m.said; n++ {
		if name := fmt.Sprintf("%s-%d", m.name, n); w.at[m.room][name] == 0 && !w.drafts[m.room][name].gone {
			w.counts.lost++
			w.problem("%q is not in the log of %s", name, m.room)
		}
	}
}
