package session_test

import (
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"testing"

	"pgregory.net/rapid"

	"parley/client/session"
	"parley/client/store"
	"parley/shared"
)

// world is a server whose logs come and go, and one client's timeline.
type world struct {
	t        *rapid.T
	store    *store.Store
	timeline *session.Timeline
	viewer   *viewer

	logs    map[string][]shared.Message // by epoch
	heads   map[string]int64
	epoch   string           // of the log that is served
	sent    []shared.Message // what the connection will still deliver; the client's own too
	up      bool
	kept    map[string]bool    // ids of the client's messages in the log that is served
	tells   bool               // the server tells the offset at which a page of history begins
	others  map[string][]int64 // offsets of entries that are no messages, by epoch
	written int                // the client's messages
	said    int                // other people's
	judged  map[string]bool    // ids of those that a log has taken or refused, ever
}

const resumeLimit, replayed, asked = 12, 5, 4

func (w *world) log() []shared.Message { return w.logs[w.epoch] }

// append adds an entry to the log that is served.
func (w *world) append(id, user, text string) {
	offset := w.heads[w.epoch] + int64(rapid.IntRange(1, 3).Draw(w.t, "step"))
	w.heads[w.epoch] = offset
	m := entry(offset, id, user, text)
	w.logs[w.epoch] = append(w.log(), m)
	if w.up {
		w.sent = append(w.sent, m)
	}
}

func (w *world) speak() {
	w.said++
	id := fmt.Sprintf("b%d", w.said)
	w.append(id, "Bob", id)
}

// restore serves another log from now on: an old one, an empty one, or a copy
// of the beginning of the present one under other offsets.
func (w *world) restore() {
	w.cutOff()
	choice := rapid.SampledFrom([]string{"old", "empty", "copy"}).Draw(w.t, "log")
	before := w.log()
	switch choice {
	case "old":
		w.epoch = rapid.SampledFrom(slices.Sorted(keys(w.logs))).Draw(w.t, "epoch")
	default:
		w.epoch = fmt.Sprintf("e%d", len(w.logs))
		w.logs[w.epoch] = nil
		if choice == "copy" && len(before) > 0 {
			for _, m := range before[:rapid.IntRange(0, len(before)).Draw(w.t, "saved")] {
				w.append(m.ID, m.User, m.Text)
			}
		}
	}
	w.kept = map[string]bool{}
	for _, m := range w.log() {
		w.kept[m.ID] = true
	}
}

func keys[V any](m map[string]V) func(func(string) bool) {
	return func(yield func(string) bool) {
		for k := range m {
			if !yield(k) {
				return
			}
		}
	}
}

func (w *world) cutOff() { w.up, w.sent = false, nil }

func (w *world) connect() {
	w.cutOff()
	p := w.timeline.Position()
	head := w.heads[w.epoch]
	follow := slices.DeleteFunc(slices.Clone(w.log()), func(m shared.Message) bool { return m.Offset <= p.Offset })
	resumed := p.Epoch == w.epoch && p.Offset <= head && len(follow) <= resumeLimit
	if !resumed {
		follow = slices.Clone(w.log()[max(0, len(w.log())-replayed):])
	}
	w.timeline.Welcome(shared.Message{Type: shared.TypeWelcome, User: "Ann", Epoch: w.epoch, Offset: head, Resumed: resumed})
	w.up, w.sent = true, follow
}

// deliver lets one of the frames under way arrive.
func (w *world) deliver() {
	if len(w.sent) == 0 {
		return
	}
	m := w.sent[0]
	w.sent = w.sent[1:]
	w.timeline.Live(m)
}

func (w *world) write() {
	w.written++
	id := fmt.Sprintf("a%d", w.written)
	w.timeline.Pend(session.Item{ID: id, User: "Ann", Text: id, Mine: true, Delivery: session.Pending})
}

// transmit sends the oldest pending message, which is kept, acknowledged, or
// refused for good.
func (w *world) transmit() {
	id, text, ok := w.timeline.Next()
	if !w.up || !ok {
		return
	}
	switch {
	case w.kept[id]:
		for _, m := range w.log() {
			if m.ID == id {
				w.timeline.Acknowledged(id, m.Offset)
			}
		}
	case rapid.IntRange(0, 9).Draw(w.t, "refusal") == 0:
		w.judged[id] = true
		w.timeline.Fail(id)
	default:
		w.judged[id] = true
		w.kept[id] = true
		w.append(id, "Ann", text)
	}
}

// change adds an entry that is no message.
func (w *world) change() {
	w.heads[w.epoch]++
	w.others[w.epoch] = append(w.others[w.epoch], w.heads[w.epoch])
}

// history is a page of the newest entries before an offset. If the server tells
// where the page begins, it may have entries that are no messages.
func (w *world) history(before int64) shared.Message {
	page := shared.Message{Type: shared.TypeHistory}
	var offsets []int64
	byOffset := map[int64]shared.Message{}
	for _, m := range w.log() {
		offsets = append(offsets, m.Offset)
		byOffset[m.Offset] = m
	}
	if w.tells {
		offsets = append(offsets, w.others[w.epoch]...)
		slices.Sort(offsets)
	}
	end, _ := slices.BinarySearch(offsets, before)
	from := max(0, end-asked)
	if page.More = from > 0; page.More && w.tells {
		page.After = offsets[from-1]
	}
	for _, offset := range offsets[from:end] {
		if m, ok := byOffset[offset]; ok {
			page.Messages = append(page.Messages, m)
		} else {
			page.Skipped++
		}
	}
	return page
}

func (w *world) askGap() {
	if !w.up {
		return
	}
	var gaps []string
	for _, r := range w.viewer.rows {
		if r.Kind == session.KindGap {
			gaps = append(gaps, r.ID)
		}
	}
	if len(gaps) > 0 {
		w.timeline.AskGap(rapid.SampledFrom(gaps).Draw(w.t, "gap"), w.history)
	}
}

func (w *world) discard() {
	for _, r := range w.viewer.rows {
		if r.Delivery == session.Failed {
			w.timeline.Discard(r.ID)
			return
		}
	}
}

// check is what has to be so at any time.
func (w *world) check(*rapid.T) {
	for _, c := range w.timeline.Changes() {
		w.viewer.apply(c)
	}
	if err := w.timeline.Save(); err != nil {
		w.t.Fatal(err)
	}
	if w.viewer.more != w.timeline.More() {
		w.t.Fatal("More was not told")
	}
	offsets, gaps := w.timeline.Placed()
	last, gap, first := int64(0), false, true
	for i, offset := range offsets {
		if gaps[i] {
			gap = true
		}
		if offset == 0 {
			continue
		}
		if offset <= last {
			w.t.Fatalf("offset %d follows %d:\n%s", offset, last, w.viewer.transcript())
		}
		if !first && !gap {
			w.nothingBetween(last, offset)
		}
		last, gap, first = offset, false, false
	}
	if p := w.timeline.Position(); p.Epoch == w.timeline.Epoch() && !first && !gap {
		w.nothingBetween(last, p.Offset+1)
	}
	w.once()
}

// nothingBetween checks that no entry between two offsets of the present epoch
// is unseen. One that is shown may have met another log since.
func (w *world) nothingBetween(from, to int64) {
	for _, m := range w.logs[w.timeline.Epoch()] {
		if from < m.Offset && m.Offset < to && !slices.Contains(w.viewer.texts(), m.Text) {
			w.t.Fatalf("%s at %d is missing between %d and %d:\n%s", m.ID, m.Offset, from, to, w.viewer.transcript())
		}
	}
}

// once checks that no message is shown twice, and that what the client wrote and
// no log has seen is there.
func (w *world) once() {
	count := map[string]int{}
	for _, r := range w.viewer.rows {
		if r.Kind == session.KindMessage {
			count[r.Text]++
		}
	}
	for text, n := range count {
		if n > 1 {
			w.t.Fatalf("%s is shown %d times:\n%s", text, n, w.viewer.transcript())
		}
	}
	for i := 1; i <= w.written; i++ {
		if id := fmt.Sprintf("a%d", i); !w.judged[id] && count[id] == 0 {
			w.t.Fatalf("%s is lost:\n%s", id, w.viewer.transcript())
		}
	}
}

// TestTimeline plays random worlds: logs that are lost, restored or replaced,
// connections that break anywhere, answers that come late, restarts.
func TestTimeline(t *testing.T) {
	dir := t.TempDir()
	rapid.Check(t, func(t *rapid.T) {
		path := filepath.Join(dir, "store")
		_ = os.Remove(path) // of the world before
		store, err := store.Open(path)
		if err != nil {
			t.Fatal(err)
		}
		defer store.Close()
		w := &world{
			t: t, store: store, timeline: session.NewTimeline(store, 8),
			viewer: &viewer{t: nopTB{t: t}},
			logs:   map[string][]shared.Message{}, heads: map[string]int64{}, epoch: "e0",
			kept: map[string]bool{}, judged: map[string]bool{}, others: map[string][]int64{},
			tells: rapid.Bool().Draw(t, "tells where a page begins"),
		}
		w.logs[w.epoch] = nil
		act := func(f func()) func(*rapid.T) { return func(*rapid.T) { f() } }
		t.Repeat(map[string]func(*rapid.T){
			"":         w.check,
			"speak":    act(w.speak),
			"speak 2":  act(w.speak),
			"change":   act(w.change),
			"change 2": act(w.change),
			"restore":  act(w.restore),
			"connect":  act(w.connect),
			"cut off":  act(w.cutOff),
			"deliver":  act(w.deliver),
			"deliver2": act(w.deliver),
			"write":    act(w.write),
			"transmit": act(w.transmit),
			"gap":      act(w.askGap),
			"discard":  act(w.discard),
			"older": act(func() {
				if w.up {
					w.timeline.AskOlder(w.history)
				}
			}),
			"restart": act(func() {
				w.cutOff()
				w.timeline.Reload()
			}),
		})
		w.finish()
	})
}

// finish lets everything arrive. Then the whole log is shown, in order, but for
// what is lost in gaps that no history reaches.
func (w *world) finish() {
	w.connect()
	for range 10000 {
		w.check(w.t)
		if len(w.sent) > 0 {
			w.deliver()
		} else if _, _, ok := w.timeline.Next(); ok {
			w.transmit()
		} else {
			break
		}
	}
	for range 10000 {
		before := len(w.viewer.rows)
		for _, r := range w.viewer.rows {
			if r.Kind == session.KindGap && w.timeline.AskGap(r.ID, w.history) {
				break
			}
		}
		w.check(w.t)
		w.timeline.AskOlder(w.history)
		w.check(w.t)
		if len(w.viewer.rows) == before && !w.timeline.More() {
			break
		}
	}
	offsets, _ := w.timeline.Placed()
	offsets = slices.DeleteFunc(offsets, func(o int64) bool { return o == 0 })
	var want []int64
	for _, m := range w.log() {
		want = append(want, m.Offset)
	}
	if !slices.Equal(offsets, want) {
		w.t.Fatalf("shows %v of the log %v:\n%s", offsets, want, w.viewer.transcript())
	}
}

// nopTB lets a viewer fail a rapid test.
type nopTB struct {
	testing.TB
	t *rapid.T
}

func (n nopTB) Helper()                        {}
func (n nopTB) Fatalf(format string, a ...any) { n.t.Fatalf(format, a...) }
