package chat_test

import (
	"fmt"
	"net/http"
	"testing"
	"time"

	"parley/server/chat"
	"parley/shared"
)

// fullAddress returns a server on which one attacker holds all of an address's places,
// after Bob was in the hall from there with his device.
func fullAddress(t *testing.T, places int, change ...func(*chat.Config)) (s *server, bob shared.Message, eves []*client) {
	t.Helper()
	s = start(t, append([]func(*chat.Config){behindProxy, func(c *chat.Config) {
		c.MaxPerAddress, c.CloseLimit, c.HelloTimeout = places, time.Hour, time.Hour
	}}, change...)...)
	bob = hello("Bob", newDevice())
	s.joinFrom("192.0.2.1", "hall", bob).conn.CloseNow()
	s.until("he has left", func() bool { _, connections := s.hub.Places(); return connections == 0 })
	for i := range places {
		eves = append(eves, s.joinFrom("192.0.2.1", "den", hello(fmt.Sprint("Eve", i), newDevice())))
	}
	return s, bob, eves
}

// wantCrowded checks that a newcomer is refused because the address is full.
func (s *server) wantCrowded(address string, h shared.Message) {
	s.t.Helper()
	c, _, err := s.tryDial("/ws/chat/hall", shared.Protocol, from(address))
	if err != nil {
		s.t.Fatal(err)
	}
	c.send(h)
	closed := c.closed()
	wantClose(s.t, h.User, int(closed.Code), closed.Reason, shared.CloseTryLater, shared.ReasonCrowded)
	c.conn.CloseNow()
}

// One attacker holds all places of an address. Someone who was in the room before gets
// in from there all the same, with two connections, and nobody else does.
func TestKnownAtAFullAddress(t *testing.T) {
	s, bob, eves := fullAddress(t, 4)
	s.wantCrowded("192.0.2.1", hello("Moe", newDevice()))
	s.wantCrowded("192.0.2.1", hello("Bob", newDevice()))
	if _, resp, err := s.tryDial("/ws/chat/hall/moe", "", from("192.0.2.1")); err == nil || resp.StatusCode != http.StatusTooManyRequests {
		t.Errorf("the tutorial's dialect, which knows nobody: %v", err)
	}
	one := s.joinFrom("192.0.2.1", "hall", bob)
	two := s.joinFrom("192.0.2.1", "hall", bob)
	ann := s.joinFrom("192.0.2.2", "hall", hello("Ann", newDevice()))
	ann.say("1", "hi")
	equal(t, "Bob", one.texts(1), "hi")
	equal(t, "Bob, again", two.texts(1), "hi")
	wantShared(t, 2, eves...)
}

// Strangers who knock and say nothing are few, and keep nobody out.
func TestKnockersAreFew(t *testing.T) {
	s, bob, _ := fullAddress(t, 4)
	for range 2 * chat.MaxKnocking {
		if _, _, err := s.tryDial("/ws/chat/den", shared.Protocol, from("192.0.2.1")); err != nil {
			t.Fatal(err)
		}
	}
	s.until("the oldest are gone", func() bool { _, connections := s.hub.Places(); return connections == 4+chat.MaxKnocking })
	s.joinFrom("192.0.2.1", "hall", bob)
	s.until("one more has gone", func() bool { _, connections := s.hub.Places(); return connections == 4+chat.MaxKnocking })
}

// So are those who gave up their places and stay until they are cut.
func TestGivenUpPlacesAreFew(t *testing.T) {
	const places = chat.MaxKnocking + 8
	s, bob, _ := fullAddress(t, places)
	for range places {
		s.joinFrom("192.0.2.1", "hall", bob)
	}
	s.until("the oldest are gone", func() bool { _, connections := s.hub.Places(); return connections == places+chat.MaxKnocking })
}

// Whoever knocks has less time for a hello than others.
func TestKnockersAreShort(t *testing.T) {
	s, _, _ := fullAddress(t, 1)
	c, _, err := s.tryDial("/ws/chat/den", shared.Protocol, from("192.0.2.1"))
	if err != nil {
		t.Fatal(err)
	}
	if closed := c.closed(); int(closed.Code) != int(shared.CloseBadHello) {
		t.Errorf("closed with %v", closed)
	}
}

// An attacker whose devices are known gives up places to a device with fewer, and only
// to one of those.
func TestKnownShareAFullAddress(t *testing.T) {
	s := start(t, behindProxy, func(c *chat.Config) { c.MaxPerAddress = 3 })
	names := []shared.Message{hello("Ann", newDevice()), hello("Bob", newDevice()), hello("Cleo", newDevice()), hello("Eve", newDevice())}
	for _, h := range names {
		s.joinFrom("192.0.2.1", "hall", h).conn.CloseNow()
	}
	s.until("they have left", func() bool { _, connections := s.hub.Places(); return connections == 0 })
	var eves []*client
	for range 3 {
		eves = append(eves, s.joinFrom("192.0.2.1", "hall", names[3]))
	}
	s.joinFrom("192.0.2.1", "hall", names[0])
	s.joinFrom("192.0.2.1", "hall", names[1])
	s.wantCrowded("192.0.2.1", names[2])
	wantShared(t, 2, eves...)
}

// A second connection of somebody who came for the first time is no reason to end the
// first.
func TestKnownKeepTheirOwnPlaces(t *testing.T) {
	s := start(t, behindProxy, func(c *chat.Config) { c.MaxPerAddress = 1 })
	bob := hello("Bob", newDevice())
	one := s.joinFrom("192.0.2.1", "hall", bob)
	s.wantCrowded("192.0.2.1", bob)
	one.say("1", "hi")
	equal(t, "Bob", one.texts(1), "hi")
}

// A server that is full is so for known people of the address that fills it, too.
func TestKnownAtAFullServer(t *testing.T) {
	s, bob, eves := fullAddress(t, 4, func(c *chat.Config) { c.MaxPerAddress, c.MaxConnections = 100, 4 })
	s.joinFrom("192.0.2.1", "hall", bob)
	wantShared(t, 1, eves...)
}
