//go:build linux

package chaos

import (
	"bufio"
	"context"
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"
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

	logs map[string][]string       // the rooms' texts, by offset from 1
	at   map[string]map[string]int // their offsets, by text
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
		logs: make(map[string][]string), at: make(map[string]map[string]int),
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
		w.at[room] = make(map[string]int)
		for _, kind := range []struct {
			name          string
			parley, talks bool
		}{{"Ann", true, true}, {"Bob", true, true}, {"Rea", true, false}, {"Tom", false, true}, {"Zoe", false, false}} {
			m := &member{w: w, room: room, name: fmt.Sprint(kind.name, r), parley: kind.parley, talks: kind.talks, device: newDevice()}
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

// check holds the promise against what the log says now.
func (w *world) check() {
	w.t.Helper()
	type claims struct {
		fresh []string
		seen  []sight
	}
	taken := make(map[*member]claims)
	w.mu.Lock()
	for _, m := range w.members {
		taken[m] = claims{m.fresh, m.seen}
		m.fresh, m.seen = nil, nil
	}
	w.mu.Unlock()

	for room, known := range w.logs {
		w.read(room, int64(len(known)))
	}
	for room := range w.at {
		if w.logs[room] == nil {
			w.read(room, 0)
		}
	}

	w.mu.Lock()
	defer w.mu.Unlock()
	for m, c := range taken {
		log := w.logs[m.room]
		for _, text := range c.fresh {
			if w.at[m.room][text] == 0 {
				w.counts.lost++
				w.problem("%q was acknowledged and is not in the log of %s", text, m.room)
			}
		}
		for _, s := range c.seen {
			if s.offset > int64(len(log)) {
				w.counts.lost++
				w.problem("%s saw %d (%q), the log of %s ends with %d", m.name, s.offset, s.text, m.room, len(log))
			} else if log[s.offset-1] != s.text {
				w.counts.disordered++
				w.problem("%s saw %q at %d, where the log of %s has %q", m.name, s.text, s.offset, m.room, log[s.offset-1])
			}
		}
	}
}

// read goes on reading a room's log after an offset. The newest entry that is
// known is read again: a log that has lost its end shows there.
func (w *world) read(room string, after int64) {
	w.t.Helper()
	entries := w.server.Messages(room, max(0, after-1))
	w.mu.Lock()
	defer w.mu.Unlock()
	if after > 0 {
		if len(entries) == 0 || entries[0].Text != w.logs[room][after-1] {
			w.counts.lost++
			w.problem("the log of %s has lost its end at %d", room, after)
			return
		}
		entries = entries[1:]
	}
	for _, e := range entries {
		w.logs[room] = append(w.logs[room], e.Text)
		if e.Offset != int64(len(w.logs[room])) {
			w.counts.disordered++
			w.problem("in the log of %s, %d comes after %d", room, e.Offset, len(w.logs[room])-1)
		}
		if w.at[room][e.Text] != 0 {
			w.counts.doubled++
			w.problem("%q is in the log of %s at %d and at %d", e.Text, room, w.at[room][e.Text], e.Offset)
		}
		w.at[room][e.Text] = int(e.Offset)
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
	for _, m := range w.members {
		if end := int64(len(w.logs[m.room])); m.parley && m.last > end {
			w.t.Errorf("%s has seen %d of %d", m.name, m.last, end)
		}
	}
	for _, m := range w.members {
		w.checkSaid(m)
	}
	if err := w.server.End(syscall.SIGTERM); err != nil {
		w.t.Errorf("the server ended with %v: %s", err, w.server.Output)
	}
	w.server.Run("check")
	for room, log := range w.logs {
		var exported []string
		for lines := bufio.NewScanner(strings.NewReader(w.server.Run("export", "--room", room, "--format", "jsonl"))); lines.Scan(); {
			var m struct{ Message string }
			if err := json.Unmarshal(lines.Bytes(), &m); err != nil {
				w.t.Fatalf("%s: %v", lines.Bytes(), err)
			}
			exported = append(exported, m.Message)
		}
		if len(exported) < len(log) || strings.Join(exported[:len(log)], "\n") != strings.Join(log, "\n") {
			w.t.Errorf("the exported log of %s is not the one that was read: %d and %d entries", room, len(exported), len(log))
		}
	}
	messages := 0
	for _, log := range w.logs {
		messages += len(log)
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	w.t.Logf("faults %v", w.faults)
	c := w.counts
	w.t.Logf("kills %d, cuts %d, messages %d, acknowledged %d, reported %d, deliveries %d: lost %d, doubled %d, out of order %d",
		w.faults["kill"], w.faults["cut"], messages, c.acknowledged, c.reported, c.seen, c.lost, c.doubled, c.disordered)
}

// checkSaid looks for every message of a member of parley.v1, which was said
// again until it was acknowledged.
func (w *world) checkSaid(m *member) {
	w.t.Helper()
	for n := 1; m.parley && n <= m.said; n++ {
		if text := fmt.Sprintf("%s-%d", m.name, n); w.at[m.room][text] == 0 {
			w.t.Errorf("%q is not in the log of %s", text, m.room)
		}
	}
}
