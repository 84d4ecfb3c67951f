package pglog

import (
	"slices"
	"sync/atomic"

	"parley/server/chat"
)

type follower struct {
	chat.Follower
	room, version int64 // of the room's row when it began
	handed        int64 // the last offset that it was told of
	began         int64 // the last beginning that it was told of, or knows from its state
	over          atomic.Bool

	last  atomic.Pointer[lastHanded] // nil if it was handed nothing
	taken atomic.Pointer[lastHanded] // of last, what it has by now
}

// lastHanded is the last entry that a follower was handed, or that was there before.
type lastHanded struct {
	room, version int64
	offset        int64
	id            string
}

// hand hands entries on.
func (f *follower) hand(entries []chat.Entry) {
	if len(entries) == 0 {
		return
	}
	last := entries[len(entries)-1]
	f.handed = last.Offset
	handed := &lastHanded{f.room, f.version, last.Offset, last.ID}
	f.last.Store(handed)
	f.Entries(entries)
	f.taken.Store(handed)
}

// end tells the follower that its room is now another one.
func (f *follower) end() {
	if f.over.CompareAndSwap(false, true) && f.Over != nil {
		f.Over()
	}
}

func (w *writer) follow(room string, f *follower) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.followers[room] = append(slices.Clone(w.followers[room]), f)
}

func (w *writer) unfollow(room string, f *follower) {
	w.mu.Lock()
	defer w.mu.Unlock()
	left := slices.DeleteFunc(slices.Clone(w.followers[room]), func(g *follower) bool { return g == f })
	if w.followers[room] = left; len(left) == 0 {
		delete(w.followers, room)
	}
}

// following returns the followers of a room.
func (w *writer) following(room string) []*follower {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.followers[room]
}

// opens is told that a room is about to have a follower, or does not any more.
func (w *writer) opens(room string, by int) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.opening[room] += by; w.opening[room] == 0 {
		delete(w.opening, room)
	}
}

// awaits reports whether somebody follows a room, or is about to.
func (w *writer) awaits(room string) bool {
	w.mu.Lock()
	defer w.mu.Unlock()
	return len(w.followers[room]) > 0 || w.opening[room] > 0
}

// begins is told where the log of a room's row begins from now on.
func (w *writer) begins(key string, r *roomState, first int64) {
	for _, f := range w.following(key) {
		if !f.over.Load() && f.is(r.id, r.version) {
			f.begin(first)
		}
	}
}

func (f *follower) begin(first int64) {
	if first > f.began {
		f.began = first
		f.Begin(first)
	}
}

// is reports whether the room's row is still the one that a follower knows. It takes
// the first row that the room gets.
func (f *follower) is(room, version int64) bool {
	if f.room == 0 && version == 0 {
		f.room = room
	}
	return f.room == room && f.version == version
}

// newest returns a follower for each room that has one.
func (w *writer) newest() map[string]*follower {
	w.mu.Lock()
	defer w.mu.Unlock()
	all := make(map[string]*follower)
	for room, followers := range w.followers {
		all[room] = followers[0]
	}
	return all
}

// endAll tells all followers that their rooms have to be read anew.
func (w *writer) endAll() {
	w.mu.Lock()
	defer w.mu.Unlock()
	for _, followers := range w.followers {
		for _, f := range followers {
			f.end()
		}
	}
}
