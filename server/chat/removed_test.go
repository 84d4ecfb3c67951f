package chat_test

import (
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/coder/websocket"

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
		ann.leave()
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
	s.outFrom("192.0.2.5", hello("Bob", device), "Ann has removed you")
	s.counts("address", 3)
	s.counts("removed", 1)
	ann.does(shared.Message{Do: shared.DoSet, Settings: &shared.Settings{Door: shared.DoorKnown}})
	if status, body := s.do("GET", "/api/rooms/Class/messages", ""); status != http.StatusForbidden {
		t.Errorf("the API answers with %d %s", status, body)
	}
	s.outFrom("192.0.2.6", hello("Eve", newDevice()), "Ann lets in only")
	s.counts("door", 2)
}

// TestRemovedGetsNothing has one who was removed from a locked room, whose passphrase he
// knows, try everything while the door is not open.
func TestRemovedGetsNothing(t *testing.T) {
	t.Parallel()
	for _, door := range []string{shared.DoorKnown, shared.DoorClosed} {
		t.Run(door, func(t *testing.T) {
			t.Parallel()
			s := start(t, behindProxy, takesFiles(t), func(c *chat.Config) { c.Token = token })
			annDevice, device := newDevice(), newDevice()
			opens := opens("Ann", annDevice)
			opens.Key = passphrase
			ann := s.joinFrom("192.0.2.1", "Class", opens)
			bob := s.joinFrom("192.0.2.2", "Class", withKeyOf("Bob", device, passphrase))
			ann.does(shared.Message{Do: shared.DoSet, Settings: &shared.Settings{Door: door}})
			ann.act(shared.Message{Do: shared.DoRemove, User: "Bob", ID: "removal"})
			// What he sends into a connection that is about to end.
			for _, m := range []shared.Message{{Type: shared.TypeChat, ID: "a", Text: "hi"}, {Type: shared.TypeHistory, Limit: 10}, {Type: shared.TypeSearch, Text: "secret"},
				{Type: shared.TypeNotices, Limit: 10}, {Type: shared.TypeReactions, Target: 1}, {Type: shared.TypeUpload, ID: newFile(), Name: "a.txt", Size: 5}} {
				if bob.write(websocket.MessageText, shared.Encode(m)) != nil {
					break
				}
			}
			for ann.until(shared.TypeNotice).Did != shared.DoRemove {
			}
			ann.say("b", "a secret")
			for ann.until(shared.TypeChat).ID != "b" {
			}
			for {
				m, err := bob.read()
				if err != nil {
					break
				}
				if body := string(shared.Encode(m)); strings.Contains(body, "secret") {
					t.Errorf("he gets %s", body)
				}
			}
			for range 2 { // also after a restart
				for address, who := range map[string]shared.Message{
					"192.0.2.2": withKeyOf("Bob", device, passphrase), "192.0.2.3": withKeyOf("Robert", device, passphrase),
					"192.0.2.4": withKeyOf("Mallory", newDevice(), passphrase), "192.0.2.5": {Type: shared.TypeHello, User: "Bob", Device: newDevice(), Key: passphrase, Epoch: "e", After: 1},
				} {
					s.outFrom(address, who, "Ann ")
				}
				for path, want := range map[string]int{"/ws/chat/Class": 403, "/ws/chat/Class/Bob": 403, "/api/rooms/Class/messages": 403, "/api/rooms/class/messages?before=5": 403} {
					status, body := s.do("GET", path, "", "X-Forwarded-For", "192.0.2.6")
					if status != want || strings.Contains(body, "secret") {
						t.Errorf("%s has the status %d: %s", path, status, body)
					}
				}
				if _, resp, err := s.tryDial("/ws/chat/Class/Bob", "", from("192.0.2.6")); err == nil || resp.StatusCode != http.StatusForbidden {
					t.Errorf("the tutorial's dialect gets %v, %v", resp, err)
				}
				ann.leave()
				s.stop()
				s.open(behindProxy)
			}
			back := withKeyOf("Ann", annDevice, passphrase)
			ann = s.joinFrom("192.0.2.1", "Class", back)
			ann.send(shared.Message{Type: shared.TypeHistory, Limit: 10})
			if h := ann.until(shared.TypeHistory); len(h.Messages) == 0 || h.Messages[len(h.Messages)-1].Text != "a secret" {
				t.Errorf("said was %+v", h.Messages)
			}
		})
	}
}

func withKeyOf(user, device, key string) shared.Message {
	h := hello(user, device)
	h.Key = key
	return h
}

// TestRemovedWhileBehind removes one who has not read for long: what came after that is
// not in what he is still sent.
func TestRemovedWhileBehind(t *testing.T) {
	t.Parallel()
	s := start(t, func(c *chat.Config) { c.Burst = 100 })
	ann, _ := s.join("Class", opens("Ann", newDevice()))
	bob := s.joinNarrow("Class", hello("Bob", newDevice()))
	const before = 100
	s.fill("class", before)
	ann.does(shared.Message{Do: shared.DoRemove, User: "Bob"})
	for i := range 20 {
		ann.say(fmt.Sprintf("after-%d", i), "a secret")
	}
	for ann.until(shared.TypeChat).ID != "after-19" {
	}
	heard := 0
	for {
		m, err := bob.read()
		if err != nil {
			break
		}
		if heard++; strings.Contains(m.Text, "secret") {
			t.Fatalf("after %d messages he hears a secret", heard)
		}
	}
	if heard == before+20 {
		t.Error("he was never behind")
	}
}
