package chat

import "parley/shared"

// Where places are limited, every source has its share of them. If all are taken,
// whoever comes from a source with fewer gets one from the source that has most.
// So many connections from a few addresses never shut out another address.

// saysShare is what the one is told that gives up its place.
const saysShare = "Others need the place: too many connections come from your address."

// richest returns the source with most places, if it still has more than src when
// each has given or taken one; else nil.
func richest(places map[*source]int, src *source) *source {
	var most *source
	for s, n := range places {
		if most == nil || n > places[most] {
			most = s
		}
	}
	if most == nil || places[most] <= places[src]+1 {
		return nil
	}
	return most
}

// giveUp ends a session whose place is for somebody else.
func (s *session) giveUp() { s.close(shared.CloseTryLater, saysShare) }

// freePlace ends a session of the source with most connections, if src has fewer,
// and reports whether it did. The caller holds mu.
func (h *Hub) freePlace(src *source) bool {
	places := make(map[*source]int)
	one := make(map[*source]*session)
	for s := range h.sessions {
		if !s.closing.Load() {
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
		if s.room != nil && !s.closing.Load() {
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

// freePlace ends a member of the source with most members here, if the newcomer's
// has fewer; for one who has been here before, also of those who have not. It
// reports whether it did. The caller holds mu.
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
			if !m.known && (from == nil || places[src] > places[from]) {
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
