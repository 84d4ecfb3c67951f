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
		r.tails[m.dialect] = r.newTail()
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

// newTail returns a tail with what the log had last, if nothing came since.
func (r *Room) newTail() *wire.Tail {
	t := wire.NewTail(r.core.memory.tail(r.core.cfg.TailBytes))
	if n := len(r.recent); n > 0 && r.recent[n-1].Offset == r.head {
		var f frames
		var scratch []byte
		for _, e := range r.recent {
			before := len(f.buf)
			f.buf, scratch = appendEntry(f.buf, scratch, e, r.author(e).by)
			f.marks = append(f.marks, wire.Mark{End: uint64(len(f.buf) - before), Offset: e.Offset, Device: e.Device})
		}
		t.Append(f.buf, f.marks)
	}
	r.recent = nil
	return t
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
	for _, p := range r.people {
		if p.gone != nil {
			p.gone.Stop()
		}
	}
}

// info is what the list of rooms tells.
func (r *Room) info() RoomInfo {
	r.mu.Lock()
	defer r.mu.Unlock()
	return RoomInfo{Name: r.name.Text, Count: len(r.people), Last: r.last, Locked: r.lock.locks(), hidden: r.lock.Hidden, key: r.name.Key}
}
