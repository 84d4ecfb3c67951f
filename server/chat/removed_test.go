package chat_test

import (
	"net/http"
	"strings"
	"testing"
	"time"

	"parley/server/chat"
	"parley/shared"
)

// TestRemovalIsRemembered keeps strangers out who come from where somebody was removed:
// after a restart, and if that one was not in the room since it is in memory.
func TestRemovalIsRemembered(t *testing.T) {
	t.Parallel()
	c := &clock{}
	c.add(time.Hour)
	s := start(t, withClock(c), behindProxy)
	annDevice, bobDevice, eveDevice := newDevice(), newDevice(), newDevice()
	ann := s.joinFrom("192.0.2.1", "Class", opens("Ann", annDevice))
	for _, h := range []shared.Message{hello("Bob", bobDevice), hello("Eve", eveDevice)} {
		who := s.joinFrom("192.0.2.2", "Class", h)
		who.leave()
	}
	ann.leave()
	s.stop()
	s.open(withClock(c), behindProxy) // which has seen nobody in the room
	ann = s.joinFrom("192.0.2.1", "Class", hello("Ann", annDevice))
	ann.does(shared.Message{Do: shared.DoRemove, User: "Bob"})
	for _, when := range []string{"at once", "after a restart"} {
		s.outFrom("192.0.2.2", hello("Mallory "+when, newDevice()), "Somebody was removed from this room")
		if _, resp, err := s.tryDial("/ws/chat/Class/Mallory", "", from("192.0.2.2")); err == nil || resp.StatusCode != http.StatusForbidden {
			t.Errorf("%s, the tutorial's page gets %v, %v", when, resp, err)
		}
		eve := s.joinFrom("192.0.2.2", "Class", hello("Eve", eveDevice)) // who is known
		eve.leave()
		dan := s.joinFrom("192.0.2.3", "Class", hello("Dan "+when, newDevice())) // from another address
		dan.leave()
		s.stop()
		s.open(withClock(c), behindProxy)
	}
	c.add(chat.RemovalHold)
	s.joinFrom("192.0.2.2", "Class", hello("Mallory", newDevice()))
}

// outFrom makes sure that a hello from an address is refused.
func (s *server) outFrom(address string, h shared.Message, reason string) {
	s.t.Helper()
	c, _, err := s.tryDial("/ws/chat/Class", shared.Protocol, from(address))
	if err != nil {
		s.t.Fatal(err)
	}
	c.send(h)
	if closed := c.closed(); shared.CloseCode(closed.Code) != shared.CloseRemoved || !strings.Contains(closed.Reason, reason) {
		s.t.Errorf("%s is closed with %v, want %q", h.User, closed, reason)
	}
}

// TestRemovedEverywhere keeps strangers out of every address at which somebody was who
// was removed, whatever they spoke.
func TestRemovedEverywhere(t *testing.T) {
	t.Parallel()
	s := start(t, behindProxy)
	ann := s.joinFrom("192.0.2.1", "Class", opens("Ann", newDevice()))
	device := newDevice()
	s.joinFrom("192.0.2.2", "Class", hello("Bob", device))
	s.joinFrom("192.0.2.3", "Class", hello("Bob", device))
	page, _, err := s.tryDial("/ws/chat/Class/Page", "", from("192.0.2.4"))
	if err != nil {
		t.Fatal(err)
	}
	ann.does(shared.Message{Do: shared.DoRemove, User: "Bob"})
	ann.does(shared.Message{Do: shared.DoRemove, User: "Page"})
	if closed := page.closed(); shared.CloseCode(closed.Code) != shared.CloseRemoved {
		t.Errorf("the tutorial's page is closed with %v", closed)
	}
	for _, address := range []string{"192.0.2.2", "192.0.2.3", "192.0.2.4"} {
		s.outFrom(address, hello("Mallory", newDevice()), "Somebody was removed from this room")
	}
	s.joinFrom("192.0.2.5", "Class", hello("Mallory", newDevice()))
}
