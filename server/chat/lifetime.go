package chat

import (
	"time"

	"parley/server/chat/wire"
	"parley/shared"
)

// run is a member's session: it reads until the connection ends.
func (h *Hub) run(s *session) {
	h.wheel.add(s)
	s.read()
	h.wheel.remove(s)
	h.end(s)
}

// linger is what is left of a session that did not become a member's: the peer
// has time to see why, and to close.
func (h *Hub) linger(s *session) {
	s.close(shared.CloseBadHello, "No hello came.") // unless it is closing for another reason
	s.read()
	h.end(s)
}

// beat is called by the wheel.
func (s *session) beat() {
	now := time.Now().UnixNano()
	if time.Duration(now-s.heard.Load()) > s.core.cfg.SilenceLimit {
		s.core.metrics.silent.Inc()
		s.core.cfg.Logger.Debug("peer is silent", "room", s.room.name.Text, "address", s.address)
		s.cut()
		return
	}
	s.member.send(wire.Ping)
	if s.dialect == parley && time.Duration(now-s.claimed.Load()) > s.core.cfg.NameHold/4 {
		s.core.work.Go(func() { s.renew(s.room.personOf(s.member)) })
	}
}

// end gives back what the session has taken, in reverse order, whatever that is.
func (h *Hub) end(s *session) {
	s.closing.Store(true) // what is still on its way to it is no reason to close it
	if s.conn != nil {
		_ = s.conn.CloseNow()
		h.dismiss(s)
	}
	s.depart()
	if s.member != nil && s.conn != nil {
		s.member.forget()
	}
	if s.room != nil {
		h.leave(s.room)
	}
	if s.reserved {
		s.account.hold(-heldBySession)
		h.release(s)
	}
	h.sources.release(s.source.name)
	if s.spoken != nil {
		h.releasePace(s.messages)
		h.releasePace(s.all)
	}
}

// depart takes the session out of the room, if it is in it. The hold on its name
// starts now.
func (s *session) depart() {
	if s.member == nil {
		return
	}
	p := s.room.personOf(s.member)
	s.room.remove(s.member)
	s.renew(p)
}
