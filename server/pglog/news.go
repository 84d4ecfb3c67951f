package pglog

import (
	"cmp"
	"context"
	"slices"
	"time"

	"parley/server/chat"
)

// hear is told what another server has in a room. It does not block.
func (w *writer) hear(room string, n *news) {
	w.mu.Lock()
	if bytes := n.bytes(); w.held+bytes > mostHeld {
		n.entries = nil
	} else {
		w.held += bytes
	}
	all := w.heard[room]
	if last := len(all) - 1; last >= 0 && len(n.entries) == 0 && all[last].Room == n.Room && all[last].Version == n.Version {
		all[last].First, all[last].Head = max(all[last].First, n.First), max(all[last].Head, n.Head)
	} else {
		w.heard[room] = append(all, n)
	}
	w.mu.Unlock()
	w.rouse()
}

// settled answers whoever has waited until something was handed on.
func (n *news) settled() {
	for i := range n.answers {
		n.answers[i].give()
	}
}

// holdFor is how long something that was heard is kept if what comes before it was not:
// that is under way, mostly. Then it is read.
const holdFor = 50 * time.Millisecond

// takeIn hands on what this server has written, and what it has heard of others, which
// comes in any order. It reports whether it could read what it had to.
func (w *writer) takeIn() bool {
	w.mu.Lock()
	for key, some := range w.heard {
		w.missing[key] = append(w.missing[key], some...)
	}
	w.heard, w.held = make(map[string][]*news), 0
	w.mu.Unlock()
	now, ok := time.Now(), true
	var late []behind
	for key := range w.missing {
		late = append(late, w.takeRoom(key, now, readMissing)...)
	}
	for _, pass := range []int{readAll, readNothing} {
		if len(late) == 0 {
			break
		}
		if ok = w.catchUp(context.Background(), late); !ok {
			pass = readNothing
		}
		var again []behind
		for i, b := range late {
			if i == 0 || b.key != late[i-1].key {
				again = append(again, w.takeRoom(b.key, now, pass)...)
			}
		}
		late = again
	}
	if len(w.missing) > 0 && !w.waits.Swap(true) {
		time.AfterFunc(holdFor, func() {
			w.waits.Store(false)
			w.rouse()
		})
	}
	return ok
}

// What is to be read of what is missing.
const (
	readMissing = iota // what comes before something that was heard
	readAll            // that also: some of what came before has nothing to show any more
	readNothing
)

// takeRoom hands on what comes next in a room, and keeps what comes after something that
// may still be heard. It returns the followers for whom something has to be read first.
func (w *writer) takeRoom(key string, now time.Time, pass int) (late []behind) {
	some := w.missing[key]
	slices.SortStableFunc(some, func(a, b *news) int { return cmp.Compare(a.place(), b.place()) })
	kept := make(map[*news]bool)
	for _, f := range w.following(key) {
		b := behind{key: key, follower: f}
		for _, n := range some {
			if n.since.IsZero() {
				n.since = now
			}
			if f.over.Load() {
				break
			}
			if !f.is(n.Room, n.Version) {
				w.isAnother(context.Background(), key, f)
				continue
			}
			w.mayBegin(key, f, n.First)
			entries, why := w.next(f, n)
			f.hand(entries)
			head := int64(0)
			switch {
			case why == isLater && now.Sub(n.since) < holdFor:
				kept[n] = true
			case why == isLater && pass == readMissing:
				head = n.entries[0].Offset - 1
			case why == isLater && pass == readAll, pass == readMissing:
				head = n.Head
			}
			if head > f.handed {
				kept[n] = true
				b.head, b.about = max(b.head, head), b.about || n.about
			}
		}
		if b.head > 0 && !f.over.Load() {
			late = append(late, b)
		}
	}
	left := some[:0]
	for _, n := range some {
		if kept[n] {
			left = append(left, n)
		} else {
			n.settled()
		}
	}
	clear(some[len(left):])
	if w.missing[key] = left; len(left) == 0 {
		delete(w.missing, key)
	}
	return late
}

// mayBegin has a follower begin at first, if its room does. That was only heard, and what
// comes before is to be deleted.
func (w *writer) mayBegin(key string, f *follower, first int64) {
	if first <= f.began {
		return
	}
	if w.row(context.Background(), []any{&first}, "SELECT first FROM rooms WHERE key = $1 AND id = $2", key, f.room) == nil {
		f.begin(first)
	}
}

// What next says of what was heard.
const (
	isNext    = iota // or the follower has it already
	isLater          // something before it is missing
	isUnknown        // it has to be read
)

// next returns which entries of what there is new are a follower's next ones.
func (w *writer) next(f *follower, n *news) (_ []chat.Entry, why int) {
	if n.Head <= f.handed && len(n.entries) == 0 {
		return nil, isNext
	}
	if len(n.entries) == 0 || n.about || n.epoch != *w.log.epoch.Load() && !n.own {
		return nil, isUnknown
	}
	last := f.last.Load()
	switch has := f.handed - n.entries[0].Offset + 1; {
	case has < 0:
		return nil, isLater
	case has > int64(len(n.entries)):
		return nil, isNext
	case n.entries[0].Offset+has < f.began:
		return nil, isUnknown
	case has > 0:
		if last == nil || last.id != n.entries[has-1].ID {
			w.log.proof.doubt() // what it was handed is not there any more
			return nil, isUnknown
		}
		return n.entries[has:], isNext
	case last != nil && n.before != tailOf(last.id) && n.before != 0:
		return nil, isUnknown
	}
	return n.entries, isNext
}

// isAnother ends a follower whose room is another by now. What was heard of it may be
// old: this server may have made the room since.
func (w *writer) isAnother(ctx context.Context, key string, f *follower) {
	var now heads
	err := w.row(ctx, []any{&now.Room, &now.Version}, "SELECT id, version FROM rooms WHERE key = $1", key)
	if ignoreNone(err) == nil && !f.is(now.Room, now.Version) {
		f.end()
	}
}
