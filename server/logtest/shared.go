package logtest

import (
	"cmp"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"pgregory.net/rapid"

	"parley/server/chat"
	"parley/shared"
)

// Shared does at random what can be done at two logs at once that share what they keep,
// and looks whether they stay one: the same rows at both, in an order in which a model
// takes each of them, and everyone who follows was handed every entry once and in order.
func Shared(t *testing.T, one, two chat.Log) {
	logs := []chat.Log{one, two}
	rooms := 0
	rapid.Check(t, func(rt *rapid.T) {
		rooms++
		room := shared.Name{Text: fmt.Sprint("Room ", rooms), Key: fmt.Sprint("room ", rooms)}
		m := &model{names: make(map[int64][]chat.Reacted), room: room.Key}
		var all []*transcript
		for range rapid.IntRange(1, 4).Draw(rt, "batches") {
			for i, l := range logs { // somebody comes, at this one, or there was no one at it yet
				if len(all) <= i || rapid.Bool().Draw(rt, "somebody comes") {
					f := follow(t, l, room)
					defer f.stop()
					all = append(all, f)
				}
			}
			var batches [2][]chat.Entry
			for i := range batches {
				batches[i] = rapid.SliceOfN(rapid.Custom(m.anyEntry), 1, 12).Draw(rt, "batch")
			}
			m.take(t, rt, room, logs, batches)
		}
		for i, f := range all {
			f.compare(rt, fmt.Sprintf("follower %d", i), m)
		}
		for _, l := range logs {
			m.compare(t, rt, l, room.Key)
		}
	})
}

type answer struct {
	chat.Entry
	chat.Receipt
	code shared.ErrorCode
}

// take adds a batch at each log, all at once, and then what was taken to the model, in
// the order in which it was. What was refused depends on that order, too.
func (m *model) take(t *testing.T, rt *rapid.T, room shared.Name, logs []chat.Log, batches [2][]chat.Entry) {
	answers := make([][]answer, len(logs))
	var work sync.WaitGroup
	for i, l := range logs {
		answers[i] = make([]answer, len(batches[i]))
		work.Add(len(batches[i]))
		go func() {
			for n, e := range batches[i] {
				l.Append(t.Context(), room, e, func(r chat.Receipt, err error) {
					answers[i][n] = answer{e, r, codeOf(t, err)}
					work.Done()
				})
			}
		}()
	}
	work.Wait()
	var taken []answer
	for _, batch := range answers {
		last := int64(0)
		for _, a := range batch {
			if a.code != "" || a.Duplicate {
				continue
			}
			if a.Receipt.Offset <= last {
				rt.Fatalf("%d was said after %d", a.Receipt.Offset, last)
			}
			last = a.Receipt.Offset
			taken = append(taken, a)
		}
	}
	slices.SortFunc(taken, func(a, b answer) int { return cmp.Compare(a.Receipt.Offset, b.Receipt.Offset) })
	for _, a := range taken {
		if r, code := m.append(a.Entry); code != "" || r.Duplicate || r.Offset != a.Receipt.Offset {
			rt.Fatalf("%s was taken as %d; the model says %+v %q", line(a.Entry), a.Receipt.Offset, r, code)
		}
	}
	for _, a := range slices.Concat(answers...) {
		if !a.Duplicate || a.code != "" {
			continue
		}
		if was := m.entries[a.Receipt.Offset-1]; was.ID != a.ID || was.Device != a.Device {
			rt.Fatalf("%q of %s is said to be at %d already, where %q is", a.ID, a.Device, a.Receipt.Offset, was.ID)
		}
	}
}

// transcript is what a follower was handed.
type transcript struct {
	stop func()
	from int64

	mu      sync.Mutex
	entries []chat.Entry
	more    chan struct{} // closed at the next one
}

func follow(t *testing.T, l chat.Log, room shared.Name) *transcript {
	t.Helper()
	f := &transcript{more: make(chan struct{})}
	state, stop, err := l.Open(t.Context(), room, chat.Follower{
		Entries: func(entries []chat.Entry) {
			f.mu.Lock()
			defer f.mu.Unlock()
			f.entries = append(f.entries, entries...)
			close(f.more)
			f.more = make(chan struct{})
		},
		Begin: func(int64) {},
		Over:  func() { t.Error("a room is over that nobody has changed") },
	})
	must(t, err)
	f.from, f.stop = state.Head, stop
	return f
}

var errLate = errors.New("not within a minute")

// await waits until it was handed an entry.
func (f *transcript) await(offset int64) error {
	late := time.After(time.Minute)
	for {
		f.mu.Lock()
		n, more := len(f.entries), f.more
		last := f.from
		if n > 0 {
			last = f.entries[n-1].Offset
		}
		f.mu.Unlock()
		if last >= offset {
			return nil
		}
		select {
		case <-more:
		case <-late:
			return errLate
		}
	}
}

// compare waits for the newest entry, and looks whether all before it came, each once and
// in order. An edit may be left out if its message was deleted later.
func (f *transcript) compare(rt *rapid.T, who string, m *model) {
	if err := f.await(int64(len(m.entries))); err != nil {
		rt.Fatalf("%s was not handed the newest entry, %d: %v", who, len(m.entries), err)
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	read := make(map[int64]bool)
	for _, e := range m.read() {
		read[e.Offset] = true
	}
	handed := make(map[int64]bool)
	var got []string
	last := f.from
	for _, e := range f.entries {
		got = append(got, fmt.Sprint(e.Offset))
		if e.Offset <= last {
			rt.Fatalf("%s was handed %d after %d: %s", who, e.Offset, last, strings.Join(got, " "))
		}
		was := m.entries[e.Offset-1]
		if e.Kind != was.Kind || e.Device != was.Device || was.ID != "" && e.ID != was.ID {
			rt.Fatalf("%s was handed as %d %s, not %s", who, e.Offset, line(e), line(was))
		}
		last, handed[e.Offset] = e.Offset, true
	}
	for offset := f.from + 1; offset <= int64(len(m.entries)); offset++ {
		if read[offset] && !handed[offset] {
			rt.Fatalf("%s was not handed %d: %s", who, offset, strings.Join(got, " "))
		}
	}
}
