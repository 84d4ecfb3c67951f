package chat

import (
	"math/rand/v2"
	"time"

	"parley/server/chat/lookalike"
	"parley/shared"
)

// own gives the session a name, which belongs to its device from now on unless that
// has enough of them. It reports false if somebody else has the name.
func (s *session) own(name shared.Name) (bool, error) {
	look := lookalike.Of(name.Text)
	claim := Claim{Name: name.Key}
	if !look.Mixed { // which always has a hint, and shall give none to others
		claim.Look = look.Skeleton
	}
	s.room.mu.Lock()
	claim.Shy = s.room.alike(name, look) != nil
	other := s.room.people[name.Key]
	inUse := other != nil && other.conns > 0 && other.device != s.member.device
	s.room.mu.Unlock()
	if inUse {
		return false, nil // and must not own what somebody else uses
	}
	standing, err := s.claim(claim)
	if err != nil || standing.Taken {
		return false, err
	}
	s.said.Store(standing.Spoken)
	return s.room.arrive(s.member, name, look, standing), nil
}

func (s *session) claim(c Claim) (Standing, error) {
	if s.room.retired.Load() {
		return Standing{}, nil // the room has no names any more, and the session ends
	}
	s.claimed.Store(time.Now().UnixNano())
	s.source.meter.charge(costClaim)
	c.Room, c.Device, c.Address, c.Seen = s.room.name.Key, s.member.device, s.source.name, s.core.cfg.Now()
	return s.core.cfg.Registry.Claim(background, c, s.core.cfg.nameRules())
}

// renew claims a person's name again. A log that can't be written keeps the earlier
// time.
func (s *session) renew(p *person) {
	if s.dialect == tutorial || p == nil {
		return
	}
	c := Claim{Name: p.name.Key, Spoken: s.said.Load()}
	if !p.marked {
		c.Look = p.look.Skeleton
	}
	_, _ = s.claim(c)
}

// spoke has the person's name held longer once something was said under it.
func (s *session) spoke() {
	if s.dialect == parley && !s.said.Swap(true) {
		s.core.work.Go(func() { s.renew(s.room.personOf(s.member)) })
	}
}

// freeName finds a name like the one that is taken which nobody has.
func (s *session) freeName(name shared.Name) (shared.Name, error) {
	for n := 2; ; n++ {
		v := variant(name, number(n))
		free, err := s.free(v)
		if free || err != nil {
			return v, err
		}
	}
}

// number returns what the nth try puts behind a name: the first few in order, then
// any, so that a thousand taken ones cost no thousand tries.
func number(n int) int {
	if n < 6 {
		return n
	}
	return n + rand.IntN(1_000_000)
}

// free reports whether nobody owns a name or is here under it.
func (s *session) free(name shared.Name) (bool, error) {
	if s.room.here(name.Key) {
		return false, nil
	}
	owner, err := s.core.cfg.Registry.Owner(background, s.room.name.Key, name.Key)
	return err == nil && !s.core.cfg.nameRules().Held(owner, s.core.cfg.Now()), err
}

// borrow gives the session a name that nobody owns, with a number behind it if
// somebody does.
func (s *session) borrow(name shared.Name) error {
	for try, n := name, 2; ; n++ {
		free, err := s.free(try)
		if err != nil {
			return err
		}
		if free {
			if came, err := s.arriveUnowned(try); came || err != nil {
				return err
			}
		}
		try = variant(name, number(n))
	}
}

// arriveUnowned is arrive under a name that belongs to nobody.
func (s *session) arriveUnowned(name shared.Name) (bool, error) {
	look := lookalike.Of(name.Text)
	owner, err := s.core.cfg.Registry.LookOwner(background, s.room.name.Key, look.Skeleton)
	if err != nil {
		return false, err
	}
	var standing Standing
	if owner.Name != name.Key && s.core.cfg.nameRules().Held(owner, s.core.cfg.Now()) {
		standing.Like = owner.Name
	}
	return s.room.arrive(s.member, name, look, standing), nil
}
