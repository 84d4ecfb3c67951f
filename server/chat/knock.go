package chat

import (
	"slices"
	"time"

	"parley/shared"
)

// A client says who it is after the upgrade. So that one attacker who holds all places
// of an address keeps nobody out who has been here before, a few further connections of
// that address may come as far as the hello: they knock. One that the room knows takes
// the place of a stranger at the same address, who has the other's turn to knock until
// the connection has ended. All others are told why there is no place.

// Bounds of those who knock: together they are few, and if there are too many the oldest
// goes, so that it takes an attacker many upgrades within the one round trip that
// somebody else needs for a hello.
const (
	maxKnocking    = 32   // from one source
	maxKnockingAll = 1024 // from all
	knockTime      = 3 * time.Second
)

// knock lets a session, for which there is no place, come as far as its hello. The
// tutorial's dialect has none. The caller holds mu.
func (h *Hub) knock(s *session, why error) bool {
	src := s.source
	if s.dialect != parley || h.knocking >= maxKnockingAll && len(src.knocking) == 0 {
		return false
	}
	if len(src.knocking) >= maxKnocking || h.knocking >= maxKnockingAll {
		i := slices.IndexFunc(src.knocking, func(old *session) bool { _, connected := h.sessions[old]; return connected })
		if i < 0 {
			return false
		}
		old := src.knocking[i]
		h.stopKnocking(old)
		old.cut()
	}
	s.knocks = why
	h.startKnocking(s)
	return true
}

func (h *Hub) startKnocking(s *session) {
	s.source.knocking = append(s.source.knocking, s)
	h.knocking++
}

// stopKnocking forgets that a session knocks, if it does. The caller holds mu.
func (h *Hub) stopKnocking(s *session) {
	if i := slices.Index(s.source.knocking, s); i >= 0 {
		s.source.knocking = slices.Delete(s.source.knocking, i, i+1)
		h.knocking--
	}
}

// takeStrangersPlace gives a session that knocks, and whom the room knows, the place of
// another one at its address, and reports whether it did.
func (h *Hub) takeStrangersPlace(s *session) bool {
	h.mu.Lock()
	defer h.mu.Unlock()
	s.source.meter.charge(costShares)
	if !slices.Contains(s.source.knocking, s) {
		return false // it took too long, and is cut
	}
	other := h.stranger(s)
	if other == nil {
		return false
	}
	h.stopKnocking(s)
	s.knocks = nil
	h.startKnocking(other)
	other.giveUp()
	return true
}

// stranger returns the session at s's source that has the least right to its place: of
// those that no room knows the one that was silent longest, but none of s's own device.
// If there is none, it is one of the device that has most connections, if that is more
// than s's device has. Nil is none. The caller holds mu.
func (h *Hub) stranger(s *session) (silent *session) {
	devices := make(map[string]int)
	one := make(map[string]*session)
	for other := range h.sessions {
		if other.source != s.source || other.gaveUp || slices.Contains(s.source.knocking, other) {
			continue
		}
		greeted := other.greeted.Load()
		switch {
		case greeted && (other.member.known || other.member.device == s.member.device):
			devices[other.member.device]++
			one[other.member.device] = other
		case silent == nil || other.heard.Load() < silent.heard.Load():
			silent = other
		}
	}
	if silent != nil {
		return silent
	}
	var most string
	for device, n := range devices {
		if n > devices[most] {
			most = device
		}
	}
	if devices[most] <= devices[s.member.device]+1 {
		return nil
	}
	return one[most]
}

// crowdedOut refuses a session that has knocked in vain.
func (s *session) crowdedOut() bool {
	if s.knocks == errTooMany {
		s.core.metrics.limit("address")
		s.close(shared.CloseTryLater, shared.ReasonCrowded)
	} else {
		s.core.metrics.limit("connections")
		s.close(shared.CloseTryLater, saysFull)
	}
	return false
}
