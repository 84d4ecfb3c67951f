package chat

import (
	"cmp"
	"maps"
	"slices"

	"parley/shared"
)

// Where places are limited, every source has its share of them. If all are taken,
// whoever comes from a source with fewer gets one from the source that has most.
// So many connections from a few addresses never shut out another address. A session
// that is closing still has its places.

// freePlace ends a session of the source with most connections, if src has fewer,
// and reports whether it did. The caller holds mu.
func (h *Hub) freePlace(src *source) bool {
	places := make(map[*source]int)
	one := make(map[*source]*session)
	for s := range h.sessions {
		if !s.gaveUp {
			places[s.source]++
			one[s.source] = s
		}
	}
	from := richest(places, src)
	if from == nil {
		return false
	}
	one[from].giveUp()
	return true
}

// freeRoom ends the sessions of a room that one source has for itself, if it is the
// source with most of such rooms and src has fewer. It reports whether it did. The
// caller holds mu.
func (h *Hub) freeRoom(src *source) bool {
	inside := make(map[*Room][]*session)
	for s := range h.sessions {
		if s.room != nil && !s.gaveUp {
			inside[s.room] = append(inside[s.room], s)
		}
	}
	places := make(map[*source]int)
	one := make(map[*source]*Room)
	for r, sessions := range inside {
		alone := r.sessions == len(sessions) // nobody is on their way in or out
		for _, s := range sessions {
			alone = alone && s.source == sessions[0].source
		}
		if alone {
			places[sessions[0].source]++
			one[sessions[0].source] = r
		}
	}
	from := richest(places, src)
	if from == nil {
		return false
	}
	for _, s := range inside[one[from]] {
		s.giveUp()
	}
	return true
}

// shed closes sessions until what is held is within the limit: always one of the
// source that holds most, and of that source the one that holds most.
func (h *Hub) shed() {
	if h.memory.shedding.Swap(true) {
		return
	}
	h.work.Go(func() {
		defer h.memory.shedding.Store(false)
		for _, s := range h.heaviest() {
			h.metrics.limit("memory")
			s.close(shared.CloseTryLater, "The server needs the memory that your unread messages take. Try again later.")
		}
	})
}

// heaviest returns the sessions to close.
func (h *Hub) heaviest() (victims []*session) {
	limit := h.memory.limit - h.memory.limit/16 // so that the next byte is not over it again
	h.mu.Lock()
	defer h.mu.Unlock()
	all := h.memory.held.Load()
	bySource := make(map[*source][]*session)
	held := make(map[*source]int64)
	for s := range h.sessions {
		if s.closing.Load() {
			all -= s.account.held.Load()
			continue
		}
		bySource[s.source] = append(bySource[s.source], s)
		held[s.source] += s.account.held.Load()
	}
	for _, sessions := range bySource {
		slices.SortFunc(sessions, func(a, b *session) int { return cmp.Compare(b.account.held.Load(), a.account.held.Load()) })
	}
	for len(held) > 0 {
		src := slices.MaxFunc(slices.Collect(maps.Keys(held)), func(a, b *source) int { return cmp.Compare(held[a], held[b]) })
		if all <= limit && held[src] <= limit/sourceShare {
			break
		}
		if len(bySource[src]) == 0 {
			delete(held, src)
			continue
		}
		s := bySource[src][0]
		bySource[src] = bySource[src][1:]
		victims = append(victims, s)
		all -= s.account.held.Load()
		held[src] -= s.account.held.Load()
	}
	return victims
}
