package chat

import (
	"errors"
	"slices"

	"parley/server/chat/wire"
	"parley/shared"
)

// add takes a member in, behind the tail until it has caught up, and returns
// the head at that moment. It refuses a member that has not unlocked the
// room with errLocked, and with errFull if there is no place.
func (r *Room) add(m *member) (head int64, err error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	switch {
	case r.lock.locks() && !m.unlocked:
		return 0, errLocked
	case len(r.members) >= r.core.cfg.MaxMembers:
		r.core.metrics.limit("members")
		if !r.freePlace(m) {
			return 0, errFull
		}
	}
	if r.tails[m.dialect] == nil {
		r.tails[m.dialect] = r.newTail(m.dialect)
	}
	r.speak[m.dialect]++
	m.tail = r.tails[m.dialect]
	m.cursor = m.tail.View().End()
	m.sent = r.head
	r.members = append(slices.Clip(r.members), m)
	r.size.Store(int64(len(r.members)))
	return r.head, nil
}

var (
	errLocked = errors.New("the room is locked")
	errFull   = errors.New("the room is full")
)

// newTail returns a dialect's tail with what the log had last, if nothing came since.
func (r *Room) newTail(d dialect) *wire.Tail {
	t := wire.NewTail(r.core.memory.tail(r.core.cfg.TailBytes))
	if r.recent.head == r.head {
		var f frames
		var scratch []byte
		for _, e := range r.recent.entries {
			if !d.understood(e) {
				continue
			}
			before := len(f.buf)
			f.buf, scratch = r.core.appendEntry(f.buf, scratch, e, r.author(e).by)
			f.marks = append(f.marks, wire.Mark{End: uint64(len(f.buf) - before), Offset: e.Offset, Device: e.Device, Message: e.Kind == KindMessage})
		}
		t.Append(f.buf, f.marks)
	}
	r.recent = recent{}
	return t
}

// recent are the newest entries of a room's log when the room was opened.
type recent struct {
	entries []Entry
	head    int64 // the room's head then
}

// mostRecent is how many entries of a room's log are read when it is opened, so that
// those who come back at once need not each read them.
const mostRecent = 256

// readRecent reads the recent entries, fewer if they are long. If it fails, whoever
// comes reads the log for itself. The caller has the room alone.
func (r *Room) readRecent() {
	most := Most{Entries: mostRecent, Bytes: r.core.cfg.TailBytes / 2}
	for n := int64(mostRecent); n > 0; n /= 4 {
		entries, err := r.core.cfg.Log.Read(background, r.name.Key, max(r.head-n, r.first.Load()-1), r.head, most)
		if err != nil {
			return
		}
		bytes := 0
		for _, e := range entries {
			bytes += len(e.Text)
		}
		if bytes >= most.Bytes && n > 1 {
			continue // the newest may be missing
		}
		r.recent = recent{entries, r.head}
		r.ruling.recall(entries)
		for _, e := range entries {
			r.author(e)
		}
		return
	}
}

// forgetSaid drops what the room holds of what was said. The caller holds mu.
func (r *Room) forgetSaid() {
	r.recent = recent{}
	for _, t := range r.tails {
		if t != nil {
			t.Forget()
		}
	}
}

// remove lets a member go, if it is one, and its person depart.
func (r *Room) remove(m *member) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if i := slices.Index(r.members, m); i >= 0 {
		r.members = slices.Delete(slices.Clone(r.members), i, i+1)
		r.size.Store(int64(len(r.members)))
		if r.speak[m.dialect]--; r.speak[m.dialect] == 0 {
			r.core.memory.dropTail(r.tails[m.dialect].Limit())
			r.tails[m.dialect] = nil
		}
	}
	r.depart(m)
}

// freePlace ends a member of the source with most members here, if the newcomer's
// has fewer; for one who has been here before, also one who has not, of a source with
// no fewer. It reports whether it did. The caller holds mu.
func (r *Room) freePlace(newcomer *member) bool {
	places := make(map[*source]int)
	one := make(map[*source]*member) // strangers, if there are some
	for _, m := range r.members {
		if m.gaveUp || !m.connected.Load() {
			continue
		}
		places[m.source]++
		if old := one[m.source]; old == nil || !m.known || old.known {
			one[m.source] = m
		}
	}
	from := richest(places, newcomer.source)
	if from == nil && newcomer.known {
		for src, m := range one {
			if !m.known && places[src] >= places[newcomer.source] && (from == nil || places[src] > places[from]) {
				from = src
			}
		}
	}
	if from == nil {
		return false
	}
	one[from].gaveUp = true
	one[from].fail(shared.CloseTryLater, saysShare)
	return true
}

// end stops what goes on in a room that nobody is in.
func (r *Room) end() {
	r.stop()
	r.incomingMu.Lock()
	r.over = true
	r.incomingMu.Unlock()
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.timer != nil {
		r.timer.Stop()
	}
	defer r.gathered()
	for _, p := range r.people {
		if p.gone != nil {
			p.gone.Stop()
			p.gone = nil
		}
		if p.fading != nil {
			p.fading.Stop()
		}
	}
}

// info is what the list of rooms tells.
func (r *Room) info() RoomInfo {
	r.mu.Lock()
	defer r.mu.Unlock()
	return RoomInfo{Name: r.name.Text, Count: r.count(), Last: r.last, Locked: r.lock.locks(), hidden: r.lock.Hidden, key: r.name.Key}
}
