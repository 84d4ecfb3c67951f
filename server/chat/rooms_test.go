package chat_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"parley/server/chat"
	"parley/shared"
)

// rooms is what /api/rooms lists, as "name count", with a star where a time is told.
func (s *server) rooms() (list []string, body string) {
	s.t.Helper()
	_, body, _ = s.get("/api/rooms")
	var answer struct {
		Rooms []struct {
			Name   string
			Count  int
			Last   time.Time `json:"last_activity"`
			Locked bool
		}
	}
	decodeJSON(s.t, body, &answer)
	for _, r := range answer.Rooms {
		line := fmt.Sprint(r.Name, " ", r.Count)
		if !r.Last.IsZero() {
			line += " *"
		}
		if r.Locked {
			line += " locked"
		}
		list = append(list, line)
	}
	return list, body
}

// said has a person say something in a room and leave.
func (s *server) said(room string, h shared.Message, text string) {
	s.t.Helper()
	c, _ := s.join(room, h)
	c.say("1", text)
	c.texts(1)
	c.leave()
}

// emptied waits until nobody is in any room but the named ones.
func (s *server) emptied(but ...string) {
	s.t.Helper()
	for deadline := time.Now().Add(patience); ; time.Sleep(time.Millisecond) {
		var names []string
		for _, r := range s.hub.Rooms() {
			names = append(names, r.Name)
		}
		slices.Sort(names)
		if slices.Equal(names, but) {
			return
		}
		if time.Now().After(deadline) {
			s.t.Fatalf("people are in %v", names)
		}
	}
}

// Rooms that nobody is in are listed behind the others while something that was
// said in them is kept, before and after a restart.
func TestQuietRoomsAreListed(t *testing.T) {
	s := start(t)
	s.said("Old", hello("Ann", newDevice()), "hi")
	s.said("Attic", withKey("Ann", passphrase), "the secret plan")
	hidden := withKey("Ann", passphrase)
	hidden.Hidden = true
	s.said("Cellar", hidden, "nobody knows")
	silent, _ := s.join("Silent", hello("Ann", newDevice()))
	silent.leave()
	s.said("New", hello("Ann", newDevice()), "hi")
	s.emptied()
	check := func(when string, want ...string) {
		t.Helper()
		list, body := s.rooms()
		equal(t, when, list, want...)
		for _, secret := range []string{"Cellar", "secret", "plan", "nobody knows"} {
			if strings.Contains(body, secret) {
				t.Errorf("%s, %q is told: %s", when, secret, body)
			}
		}
	}
	check("at first", "New 0 *", "Attic 0 * locked", "Old 0 *")
	bob, _ := s.join("OLD", hello("Bob", newDevice()))
	s.join("Silent", hello("Bob", newDevice()))
	s.emptied("Old", "Silent")
	check("with people in two", "Old 1 *", "Silent 1", "New 0 *", "Attic 0 * locked")
	bob.leave()
	s.stop()
	s.open()
	check("after a restart", "New 0 *", "Attic 0 * locked", "Old 0 *")
	s.expire(chat.Retention{Bytes: 1}, 4)
	check("when all is deleted")
}

// Of the rooms that nobody is in 50 are listed, however many others there are.
func TestFiftyQuietRooms(t *testing.T) {
	s := start(t)
	at := time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)
	done := make(chan error)
	const all = 70
	for i := range all {
		room := shared.Name{Text: fmt.Sprintf("R%02d", i), Key: fmt.Sprintf("r%02d", i)}
		s.log.Append(t.Context(), room, chat.Entry{ID: "1", Device: "d", User: "u", Text: "x", Time: at.Add(time.Duration(i) * time.Minute)},
			func(_ chat.Receipt, err error) { done <- err })
		if err := <-done; err != nil {
			t.Fatal(err)
		}
	}
	for i := range 5 { // the newest and the oldest have people
		s.join(fmt.Sprintf("r%02d", all-1-i), hello("Ann", newDevice()))
		s.join(fmt.Sprintf("r%02d", i), hello("Ann", newDevice()))
	}
	list, _ := s.rooms()
	if len(list) != 10+50 || list[10] != "R64 0 *" || list[59] != "R15 0 *" {
		t.Errorf("the rooms are %v", list)
	}
}

// Rooms of which nothing can be told apart stay in their order.
func TestRoomsKeepTheirOrder(t *testing.T) {
	s := start(t)
	var want []string
	for _, room := range []string{"e", "b", "d", "a", "c", "f", "h", "g"} {
		s.join(room, hello("Ann", newDevice()))
		want = append(want, room+" 1")
	}
	slices.Sort(want)
	for range 5 {
		list, _ := s.rooms()
		equal(t, "rooms", list, want...)
	}
}

// TestRoomsThatLookAlike tells who opens a new room that there is one whose name looks
// the same.
func TestRoomsThatLookAlike(t *testing.T) {
	t.Parallel()
	s := start(t, func(c *chat.Config) { c.Rooms = []shared.Name{{Text: "Hall", Key: "hall"}} })
	var all []*client
	like := func(room, want string, hello shared.Message) *client {
		t.Helper()
		c, w := s.join(room, hello)
		if w.Like != want {
			t.Errorf("the room %q is like %q, not %q", room, w.Like, want)
		}
		all = append(all, c)
		return c
	}
	ann := like("Lobby", "", hello("Ann", newDevice()))
	like("LOBBY", "", hello("Bob", newDevice()))
	eve := like("L\u043ebby", "Lobby", hello("Eve", newDevice())) // a Cyrillic o
	like("L\u043ebby", "", hello("Fay", newDevice()))             // which is open now
	like("H\u0430ll", "Hall", hello("Eve", newDevice()))          // of --rooms
	like("Hall", "", hello("Eve", newDevice()))
	hidden := hello("Ann", newDevice())
	hidden.Key, hidden.Hidden = passphrase, true
	like("Attic", "", hidden)
	like("Att\u0456c", "", hello("Eve", newDevice()))
	eve.say("a", "hi")
	eve.until(shared.TypeChat)
	ann.say("a", "hi")
	ann.until(shared.TypeChat)
	for _, c := range all {
		c.leave()
	}
	s.stop()
	s.open()
	like("Lobb\u0443", "Lobby", hello("Eve", newDevice())) // in which nobody is
}
