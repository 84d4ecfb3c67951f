package cluster

import (
	"crypto/rand"
	"fmt"
	"net/url"
	"strconv"
	"testing"

	"parley/shared"
	"parley/shared/servertest"
)

// behindProxy has servers believe the addresses that tests make up.
var behindProxy = []string{"--trusted-proxy", "127.0.0.1"}

// knock sends a hello from an address.
func knock(s *servertest.Server, address, room string, hello shared.Message) *servertest.Member {
	m := s.DialFrom(address, "/ws/chat/"+url.PathEscape(room), shared.Protocol)
	hello.Type = shared.TypeHello
	if hello.Device == "" {
		hello.Device = servertest.NewDevice()
	}
	m.Send(hello)
	return m
}

// join comes into a room from an address.
func join(s *servertest.Server, address, room string, hello shared.Message) *servertest.Member {
	m := knock(s, address, room, hello)
	m.Welcome = m.Next(shared.TypeWelcome)
	return m
}

// accepted sends messages, and returns how many came through.
func accepted(t *testing.T, m *servertest.Member, n int) (count int) {
	t.Helper()
	waiting := make(map[string]bool)
	for range n {
		id := rand.Text()
		waiting[id] = true
		m.Send(shared.Message{Type: shared.TypeChat, ID: id, Text: "flood"})
	}
	for len(waiting) > 0 {
		switch f := m.Next(shared.TypeChat, shared.TypeError); {
		case !waiting[f.ID]:
		case f.Type == shared.TypeError && f.Code != shared.CodeRateLimited:
			t.Fatalf("a message is answered with %+v", f)
		case f.Type == shared.TypeChat:
			count++
			fallthrough
		default:
			delete(waiting, f.ID)
		}
	}
	return count
}

// elsewhere waits until a server has heard that so much was spent at others.
func elsewhere(t *testing.T, s *servertest.Server, n int) {
	t.Helper()
	until(t, "a server hears what was spent at another one", func() bool {
		heard, _ := strconv.ParseFloat(s.Metric("parley_spent_elsewhere_total"), 64)
		return int(heard) >= n
	})
}

// TestFloodOfServers floods one server, and then the other one: of what a device or an
// address may send, half is told, and missing there. Others notice nothing.
func TestFloodOfServers(t *testing.T) {
	t.Parallel()
	t.Run("device", func(t *testing.T) {
		t.Parallel()
		s, _ := start(t, 2, append([]string{"--rate", "0.0001", "--burst", "20"}, behindProxy...)...)
		device := servertest.NewDevice()
		if n := accepted(t, join(s[0], "192.0.2.1", "Hall", shared.Message{User: "Eve", Device: device}), 25); n != 20 {
			t.Errorf("at one server, %d messages come through", n)
		}
		elsewhere(t, s[1], 10)
		if n := accepted(t, join(s[1], "192.0.2.2", "Hall", shared.Message{User: "Eve", Device: device}), 25); n != 10 {
			t.Errorf("at the other one, %d messages more come through", n)
		}
		if n := accepted(t, join(s[1], "192.0.2.1", "Hall", shared.Message{User: "Bob"}), 20); n != 20 {
			t.Errorf("of somebody else, %d messages of 20 come through", n)
		}
	})
	t.Run("address", func(t *testing.T) {
		t.Parallel()
		s, _ := start(t, 2, append([]string{"--rate", "0.0001", "--burst", "1"}, behindProxy...)...)
		flood := func(s *servertest.Server, address string, devices int) (count int) {
			for range devices {
				count += accepted(t, join(s, address, "Hall", shared.Message{User: "Eve " + rand.Text()}), 1)
			}
			return count
		}
		if n := flood(s[0], "192.0.2.1", 22); n != 20 {
			t.Errorf("at one server, %d messages come through", n)
		}
		elsewhere(t, s[1], 10)
		if n := flood(s[1], "192.0.2.1", 12); n != 10 {
			t.Errorf("at the other one, %d messages more come through", n)
		}
		if n := flood(s[1], "192.0.2.2", 3); n != 3 {
			t.Errorf("from somewhere else, %d messages of 3 come through", n)
		}
	})
}

// TestGuesserOfServers has somebody guess a passphrase at one server, who is held back at
// the other one as well. Whoever has been in the room comes in.
func TestGuesserOfServers(t *testing.T) {
	t.Parallel()
	const key = "correct horse"
	s, _ := start(t, 2, behindProxy...)
	ann := shared.Message{User: "Ann", Device: servertest.NewDevice(), Key: key}
	join(s[0], "192.0.2.1", "Vault", ann)
	wrong := shared.Message{Key: "wrong"}
	total := 0
	for tries := 2; ; tries++ { // at a slow server, the wait of fewer may be over
		address := fmt.Sprint("192.0.2.", 10+tries)
		for range tries {
			until(t, "a wrong passphrase is tried", func() bool { return knock(s[0], address, "Vault", wrong).End() == shared.CloseWrongKey })
			total++
		}
		elsewhere(t, s[1], total)
		if knock(s[1], address, "Vault", wrong).End() == shared.CloseTryLater {
			join(s[1], address, "Vault", ann) // who is known there
			break
		}
		if tries == 6 { // for that, they wait half a minute
			t.Fatal("whoever guesses at one server may go on at the other one")
		}
	}
	join(s[1], "192.0.2.2", "Vault", shared.Message{User: "Bob", Key: key})
}

// TestRemovedFromServers removes one who has no name that a server keeps: strangers from
// the same address are kept out at the other server, too.
func TestRemovedFromServers(t *testing.T) {
	t.Parallel()
	s, _ := start(t, 2, behindProxy...)
	ann := join(s[0], "192.0.2.1", "Class", shared.Message{User: "Ann", Host: true})
	page := s[0].DialFrom("192.0.2.2", "/ws/chat/Class/Page", "")
	page.Send(shared.Message{Type: shared.TypeChat, Text: "spoilt"})
	spoilt := ann.Hear("spoilt")
	ann.Send(shared.Message{Type: shared.TypeHost, ID: "1", Do: shared.DoRemove, Target: spoilt.Offset, Of: spoilt.ID})
	page.Closed(shared.CloseRemoved, "Ann has removed you")
	elsewhere(t, s[1], 1)
	knock(s[1], "192.0.2.2", "Class", shared.Message{User: "Mallory"}).Closed(shared.CloseRemoved, "Somebody was removed from this room")
	join(s[1], "192.0.2.3", "Class", shared.Message{User: "Bob"})
}

// TestClosedDoorOfServers has members of a closed room go to another server, as they do
// when theirs stops: who was there comes in, and nobody else.
func TestClosedDoorOfServers(t *testing.T) {
	t.Parallel()
	s, _ := start(t, 2)
	ann := s[0].Hello("Class", shared.Message{User: "Ann", Host: true})
	bob := shared.Message{User: "Bob", Device: servertest.NewDevice()}
	s[0].Hello("Class", bob)
	set(ann, shared.Settings{Door: shared.DoorClosed})
	elsewhere(t, s[1], 2) // of both of them
	s[0].Kill()
	s[1].Hello("Class", bob)
	knock(s[1], "", "Class", shared.Message{User: "Mallory"}).Closed(shared.CloseRemoved, "Ann has closed this room")
}
