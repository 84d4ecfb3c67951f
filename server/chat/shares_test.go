package chat_test

import (
	"context"
	"fmt"
	"net/http"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"parley/server/chat"
	"parley/shared"
)

// tryFrom dials and says hello; the status is that of the upgrade.
func (s *server) tryFrom(address, room, user string) (*client, int) {
	s.t.Helper()
	c, resp, err := s.tryDial("/ws/chat/"+room, shared.Protocol, from(address))
	if err != nil {
		return nil, resp.StatusCode
	}
	c.send(hello(user, newDevice()))
	return c, http.StatusSwitchingProtocols
}

// wantShared checks that a few of the clients were closed for others, how many is
// told by want.
func wantShared(t *testing.T, want int, clients ...*client) {
	t.Helper()
	closed := make(chan int)
	for _, c := range clients {
		go func() {
			for {
				if _, err := c.readRaw(); err != nil {
					if strings.Contains(err.Error(), "Others need the place") {
						closed <- 1
					} else {
						closed <- 0
					}
					return
				}
			}
		}()
	}
	for range want {
		if <-closed != 1 {
			t.Error("one was closed for another reason")
		}
	}
	for _, c := range clients {
		c.conn.CloseNow()
	}
	for range len(clients) - want {
		if <-closed == 1 {
			t.Error("too many were closed for others")
		}
	}
}

// Two addresses hold all rooms; a third gets one of theirs, and they get none of
// each other's. A room that others are in as well stays.
func TestShareOfRooms(t *testing.T) {
	s := start(t, behindProxy, func(c *chat.Config) { c.MaxRooms = 6 })
	bob := s.joinFrom("192.0.2.9", "with-bob", hello("Bob", newDevice()))
	s.joinFrom("192.0.2.1", "with-bob", hello("Eve", newDevice()))
	var eves []*client
	for i := range 5 {
		address := fmt.Sprint("192.0.2.", 1+i%2)
		eves = append(eves, s.joinFrom(address, fmt.Sprint("room", i), hello("Eve", newDevice())))
	}
	if _, status := s.tryFrom("192.0.2.2", "more", "Eve"); status != http.StatusServiceUnavailable {
		t.Errorf("the attacker's next room: %d", status)
	}
	ann := s.joinFrom("192.0.2.3", "for-ann", hello("Ann", newDevice()))
	ann.say("1", "hi")
	equal(t, "Ann", ann.texts(1), "hi")
	bob.say("1", "hi")
	equal(t, "Bob", bob.texts(1), "hi")
	wantShared(t, 1, eves...)
}

// One address holds all rooms with sessions that are closing, and does not answer.
func TestShareOfClosingRooms(t *testing.T) {
	s := start(t, behindProxy, func(c *chat.Config) { c.MaxRooms, c.CloseLimit = 2, time.Minute })
	for i := range 2 {
		eve, _, err := s.tryDial(fmt.Sprint("/ws/chat/room", i), shared.Protocol, from("192.0.2.1"))
		if err != nil {
			t.Fatal(err)
		}
		eve.sendRaw("no hello")
	}
	s.until("both are closing", func() bool { return s.metric(`parley_frames_refused_total{code="bad_hello"}`) == "2" })
	if rooms, _ := s.hub.Places(); rooms != 2 {
		t.Fatalf("they have %d rooms", rooms)
	}
	ann := s.joinFrom("192.0.2.3", "for-ann", hello("Ann", newDevice()))
	ann.say("1", "hi")
	equal(t, "Ann", ann.texts(1), "hi")
}

// One address holds all places of a room.
func TestShareOfMembers(t *testing.T) {
	s := start(t, behindProxy, func(c *chat.Config) { c.MaxMembers = 4 })
	device := newDevice()
	s.joinFrom("192.0.2.1", "hall", hello("Bob", device)).conn.CloseNow()
	s.until("he has left", func() bool { rooms, _ := s.hub.Places(); return rooms == 0 })
	var eves []*client
	for i := range 2 {
		eves = append(eves, s.joinFrom("192.0.2.1", "hall", hello(fmt.Sprint("Eve", i), newDevice())))
		moe, _, err := s.tryDial("/ws/chat/hall/moe", "", from("192.0.2.1"))
		if err != nil {
			t.Fatal(err)
		}
		eves = append(eves, moe)
	}
	ann := s.joinFrom("192.0.2.2", "hall", hello("Ann", newDevice()))
	bob := s.joinFrom("192.0.2.1", "hall", hello("Bob", device)) // from the full address, but he was here before
	eve, _ := s.tryFrom("192.0.2.1", "hall", "Eve9")
	if closed := eve.closed(); !strings.Contains(closed.Reason, "full") {
		t.Errorf("the attacker's next: %v", closed)
	}
	ann.say("1", "hi")
	equal(t, "Bob", bob.texts(1), "hi")
	wantShared(t, 2, eves...)
}

// One address holds all connections.
func TestShareOfConnections(t *testing.T) {
	s := start(t, behindProxy, func(c *chat.Config) { c.MaxConnections = 4 })
	var eves []*client
	for i := range 4 {
		eves = append(eves, s.joinFrom("2001:db8::"+fmt.Sprint(i), "den", hello(fmt.Sprint("Eve", i), newDevice())))
	}
	ann := s.joinFrom("2001:db8:0:1::1", "hall", hello("Ann", newDevice()))
	eve, _ := s.tryFrom("2001:db8::9", "den", "Eve9")
	if closed := eve.closed(); closed.Reason != "The server is full." {
		t.Errorf("the attacker's next: %v", closed)
	}
	ann.say("1", "hi")
	equal(t, "Ann", ann.texts(1), "hi")
	wantShared(t, 1, eves...)
}

// asked is a registry that counts questions.
type asked struct {
	chat.Registry
	n atomic.Int64
}

func (a *asked) Owner(ctx context.Context, room, name string) (chat.Claim, error) {
	a.n.Add(1)
	return a.Registry.Owner(ctx, room, name)
}

// However many variants of a name are taken, a free one is found with few
// questions.
func TestManyTakenNames(t *testing.T) {
	registry := &asked{}
	s := start(t, func(c *chat.Config) { registry.Registry, c.Registry = c.Registry, registry })
	const taken = 10_000
	var work sync.WaitGroup
	slots := make(chan bool, 500)
	for i := range taken {
		slots <- true
		work.Go(func() {
			defer func() { <-slots }()
			key := "ann"
			if i > 0 {
				key = fmt.Sprintf("ann (%d)", i+1)
			}
			if ok, err := s.log.Claim(t.Context(), chat.Claim{Room: "hall", Name: key, Device: fmt.Sprint(i), Seen: time.Now()}, chat.NameRules{Hold: time.Hour}); err != nil || !ok.Owned {
				t.Errorf("%s: %v, %v", key, ok, err)
			}
		})
	}
	work.Wait()
	code, free := s.refused("hall", hello("Ann", newDevice()))
	if code != int(shared.CloseNameTaken) {
		t.Fatalf("closed with %d %s", code, free)
	}
	_, welcome := s.join("hall", hello(free, newDevice()))
	if welcome.User != free {
		t.Errorf("%q is not free", free)
	}
	s.tutorial("hall/Ann")
	if n := registry.n.Load(); n > 60 {
		t.Errorf("the registry was asked %d times", n)
	}
}

// Wrong passphrases of others at one's address keep nobody out who has been in the
// room before, and nobody at another address.
func TestGuesserKeepsNobodyOut(t *testing.T) {
	c := &clock{}
	c.add(time.Hour)
	s := start(t, behindProxy, withClock(c))
	device := newDevice()
	ann := withKey("Ann", passphrase)
	ann.Device = device
	s.joinFrom("192.0.2.1", "attic", ann).conn.CloseNow()
	try := func(address string, h shared.Message) (code int, reason string) {
		c, _, err := s.tryDial("/ws/chat/attic", shared.Protocol, from(address))
		if err != nil {
			t.Fatal(err)
		}
		c.send(h)
		closed := c.closed()
		return int(closed.Code), closed.Reason
	}
	code, reason := try("192.0.2.1", withKey("Eve", "a wrong one"))
	wantClose(t, "the guesser", code, reason, shared.CloseWrongKey, "not the room's")
	code, reason = try("192.0.2.1", withKey("Eve", passphrase))
	wantClose(t, "again, as another device", code, reason, shared.CloseTryLater, "Too many wrong")
	s.joinFrom("192.0.2.1", "attic", ann)
	s.joinFrom("192.0.2.2", "attic", withKey("Bob", passphrase))

	// Her own wrong ones count for her, and not for the others at her address.
	c.add(time.Hour)
	wrong := ann
	wrong.Key = "a wrong one"
	code, reason = try("192.0.2.1", wrong)
	wantClose(t, "her own", code, reason, shared.CloseWrongKey, "not the room's")
	code, reason = try("192.0.2.3", ann)
	wantClose(t, "she, elsewhere", code, reason, shared.CloseTryLater, "Too many wrong")
	s.joinFrom("192.0.2.1", "attic", withKey("Cleo", passphrase))
}

// limited says something and reports whether it was refused for the rate.
func (c *client) limited(id string) bool {
	c.t.Helper()
	c.say(id, "x")
	for {
		m, err := c.read()
		if err != nil {
			c.t.Fatal(err)
		}
		switch {
		case m.Type == shared.TypeError && m.ID == id:
			return m.Code == shared.CodeRateLimited
		case m.ID == id:
			return false
		}
	}
}

// A device does not get a new rate with a new connection, nor an address with new
// devices.
func TestRateAcrossConnections(t *testing.T) {
	s := start(t, behindProxy, func(c *chat.Config) { c.Rate, c.Burst = 0.001, 2 })
	device := newDevice()
	c := s.joinFrom("192.0.2.1", "hall", hello("Ann", device))
	c.limited("1")
	c.limited("2")
	c.conn.CloseNow()
	if !s.joinFrom("192.0.2.1", "hall", hello("Ann", device)).limited("3") {
		t.Error("a new connection has a new rate")
	}
	said := 2
	for i := 0; said < 100; i++ {
		c := s.joinFrom("192.0.2.1", fmt.Sprint("room", i), hello("Eve", newDevice()))
		if c.limited("1") {
			break
		}
		said++
	}
	if said < 35 || said > 45 {
		t.Errorf("an address with many devices said %d messages, for 20 members of 2", said)
	}
	if s.joinFrom("192.0.2.2", "hall", hello("Bob", newDevice())).limited("1") {
		t.Error("another address is limited")
	}
}
