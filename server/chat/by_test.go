package chat_test

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/coder/websocket"

	"parley/server/chat"
	"parley/shared"
	"parley/shared/testdata/frozen/codec1"
	"parley/shared/testdata/frozen/codec2"
)

// Who wrote a message is said in the same way wherever it comes from, through
// renames and restarts, and tells nothing of other rooms.
func TestBy(t *testing.T) {
	s := start(t, func(c *chat.Config) { c.Token = token })
	device := newDevice()
	ann, welcome := s.join("Lobby", hello("Ann", device))
	if !slices.Equal(welcome.Can, []string{shared.CanBy, shared.CanPing, shared.CanChange, shared.CanSearch, shared.CanHost}) || len(welcome.By) != 13 {
		t.Fatalf("the welcome is %+v", welcome)
	}
	_, other := s.join("Kitchen", hello("Ann", device))
	if other.By == welcome.By {
		t.Error("one device is known by the same in two rooms")
	}
	bob, bobs := s.join("LOBBY", hello("Bob", newDevice()))
	if bobs.By == welcome.By {
		t.Error("two devices are known by the same")
	}
	tutorial := s.tutorial("lobby/Tim")
	check := func(what string, m shared.Message, user, by string) {
		t.Helper()
		if m.User != user || m.By != by || by == "" {
			t.Errorf("%s: got %q by %q, want %q by %q", what, m.User, m.By, user, by)
		}
	}
	ann.sendRaw(`{"type":"chat_message","id":"1","message":"one","by":"` + bobs.By + `"}`)
	check("live, to the sender", ann.next(shared.TypeChat), "Ann", welcome.By)
	check("live", bob.next(shared.TypeChat), "Ann", welcome.By)
	check("in the tutorial's dialect", tutorial.next(shared.TypeChat), "Ann", welcome.By)

	tutorial.sendRaw(`{"message":"two"}`)
	tims := bob.next(shared.TypeChat).By
	s.do("POST", "/api/rooms/lobby/messages", `{"message":"three","user":"Bot"}`, "Authorization", "Bearer "+token)
	bots := bob.next(shared.TypeChat).By
	check("the API's", shared.Message{User: "Bot", By: bots}, "Bot", shared.By("lobby", "api"))
	if tims == "" || tims == bots || tims == welcome.By {
		t.Errorf("a session of the tutorial's dialect is known by %q", tims)
	}

	ann.leave()
	anna, again := s.join("lobby", hello("Anna", device))
	if again.By != welcome.By {
		t.Errorf("under another name the device is known by %q, not %q", again.By, welcome.By)
	}
	want := []string{"Ann " + welcome.By, "Tim " + tims, "Bot " + bots}
	who := func(messages []shared.Message) (list []string) {
		for _, m := range messages {
			list = append(list, m.User+" "+m.By)
		}
		return list
	}
	replayed := []shared.Message{anna.next(shared.TypeChat), anna.next(shared.TypeChat), anna.next(shared.TypeChat)}
	equal(t, "from the tail", who(replayed), want...)
	anna.send(shared.Message{Type: shared.TypeHistory, Limit: 10})
	for {
		m, err := anna.read()
		if err != nil {
			t.Fatal(err)
		}
		if m.Type == shared.TypeHistory {
			equal(t, "in the history", who(m.Messages), want...)
			break
		}
	}
	_, body, _ := s.get("/api/rooms/lobby/messages")
	m, err := shared.Decode([]byte(body))
	if err != nil {
		t.Fatal(err)
	}
	equal(t, "over the API", who(m.Messages), want...)

	s.stop()
	s.open(func(c *chat.Config) { c.TailBytes = 64 }) // too small for what was said: it comes from the log
	h := hello("Eve", newDevice())
	h.Epoch, h.After = welcome.Epoch, 0
	eve, _ := s.join("lobby", h)
	replayed = []shared.Message{eve.next(shared.TypeChat), eve.next(shared.TypeChat), eve.next(shared.TypeChat)}
	equal(t, "from the log", who(replayed), want...)
}

// If somebody who has said something takes a new name, the room hears of it once.
func TestRenameNotice(t *testing.T) {
	s := start(t)
	device, silent := newDevice(), newDevice()
	bob, _ := s.join("r", hello("Bob", newDevice()))
	tutorial := s.tutorial("r/Tim")
	ann, welcome := s.join("r", hello("Ann", device))
	ann.say("1", "hi")
	ann.next(shared.TypeChat)
	bob.next(shared.TypeChat)
	tutorial.next(shared.TypeChat)
	sid, _ := s.join("r", hello("Sid", silent))
	ann.leave()
	sid.leave()

	s.join("r", hello("Sidney", silent)) // has said nothing, and so is nobody's
	anna, _ := s.join("r", hello("Anna", device))
	s.join("r", hello("Anna", device)) // the same name on another connection
	m := bob.next(shared.TypeNotice)
	if m.Did != shared.DidRename || m.By != welcome.By || m.User != "Ann" || m.About != "Anna" || m.Offset != 0 {
		t.Errorf("got %+v", m)
	}
	anna.say("2", "me again")
	if m := bob.next(shared.TypeChat); m.User != "Anna" || m.By != welcome.By { // and no further notice
		t.Errorf("got %+v", m)
	}
	if m := tutorial.next(shared.TypeChat); m.Text != "me again" {
		t.Errorf("the tutorial's dialect got %+v", m)
	}
	status, body, _ := s.get("/api/rooms/r/messages")
	if status != 200 || strings.Contains(body, "notice") {
		t.Errorf("the log has %s", body)
	}
}

// The new name is told also where what was said came from the log.
func TestRenameNoticeAfterRestart(t *testing.T) {
	s := start(t)
	device := newDevice()
	ann, welcome := s.join("r", hello("Ann", device))
	ann.say("1", "hi")
	ann.next(shared.TypeChat)
	s.stop()
	s.open()
	h := hello("Bob", newDevice())
	h.Epoch, h.After = welcome.Epoch, 1
	bob, _ := s.join("r", h)
	s.join("r", hello("Anna", device))
	if m := bob.next(shared.TypeNotice); m.By != welcome.By || m.User != "Ann" || m.About != "Anna" {
		t.Errorf("got %+v", m)
	}
}

// A room remembers a bounded number of authors, and goes on telling who wrote.
func TestManyAuthors(t *testing.T) {
	s := start(t)
	bob, _ := s.join("r", hello("Bob", newDevice()))
	for i := range chat.MaxAuthors + 10 {
		c := s.tutorial("r/Tim")
		c.sendRaw(`{"message":"x"}`)
		c.next(shared.TypeChat)
		c.leave()
		if m := bob.next(shared.TypeChat); len(m.By) != 13 {
			t.Fatalf("message %d is by %q", i, m.By)
		}
	}
	if n := s.hub.Authors("r"); n != chat.MaxAuthors {
		t.Errorf("the room remembers %d authors", n)
	}
}

// A ping is answered while messages are refused for their rate.
func TestPing(t *testing.T) {
	s := start(t, func(c *chat.Config) { c.Rate, c.Burst = 0.001, 1 })
	ann, _ := s.join("r", hello("Ann", newDevice()))
	ann.say("1", "one")
	ann.next(shared.TypeChat)
	ann.say("2", "two")
	if m := ann.next(shared.TypeError); m.Code != shared.CodeRateLimited {
		t.Fatalf("got %+v", m)
	}
	for range 3 { // more than one in shared.PingEvery, but few
		ann.send(shared.Message{Type: shared.TypePing})
		ann.next(shared.TypePong)
	}
	tim := s.tutorial("r/Tim")
	tim.send(shared.Message{Type: shared.TypePing})
	if m := tim.next(shared.TypeError); m.Code != shared.CodeNotAllowed {
		t.Errorf("the tutorial's dialect got %+v", m)
	}
}

// Far too many pings end the connection.
func TestPingFlood(t *testing.T) {
	s := start(t, func(c *chat.Config) { c.Burst = 1 })
	ann, _ := s.join("r", hello("Ann", newDevice()))
	go func() {
		for range 10000 {
			if ann.write(websocket.MessageText, []byte(`{"type":"ping"}`)) != nil {
				return
			}
		}
	}()
	if c := ann.closed(); c.Code != websocket.StatusCode(shared.CloseFlooding) {
		t.Errorf("closed with %v", c)
	}
	if s.metric(`parley_limit_hits_total{limit="rate"}`) == "" {
		t.Error("the metrics do not tell")
	}
}

// A page of history tells up to where nothing lies before it.
func TestHistoryTellsWhereItBegins(t *testing.T) {
	s := start(t)
	ann, _ := s.join("r", hello("Ann", newDevice()))
	for i := range 12 {
		ann.say(fmt.Sprint(i), strings.Repeat("\x01", shared.MaxText-1)+"x") // six times as long on the wire
	}
	for range 12 {
		ann.next(shared.TypeChat)
	}
	for _, c := range []struct {
		before        int64
		limit         int
		first, length int64
		after         int64
		more          bool
	}{
		{0, 5, 8, 5, 7, true},
		{8, 7, 1, 7, 0, false},
		{8, 100, 1, 7, 0, false},
		{0, 100, 3, 10, 2, true}, // cut at what a frame holds
		{1, 5, 0, 0, 0, false},
	} {
		ann.send(shared.Message{Type: shared.TypeHistory, Before: c.before, Limit: c.limit})
		m := ann.next(shared.TypeHistory)
		var first int64
		if len(m.Messages) > 0 {
			first = m.Messages[0].Offset
		}
		if first != c.first || int64(len(m.Messages)) != c.length || m.After != c.after || m.More != c.more {
			t.Errorf("%d before %d: %d from %d on, after %d, more %v", c.limit, c.before, len(m.Messages), first, m.After, m.More)
		}
	}
}

// The codecs of earlier clients read what the server sends.
func TestFrozenClients(t *testing.T) {
	s := start(t)
	ann := s.raw("r")
	ann.send(hello("Ann", newDevice()))
	want := map[string]bool{"welcome": true, "chat_message": true, "history": true}
	ann.say("1", "hi")
	ann.send(shared.Message{Type: shared.TypeHistory, Limit: 10})
	for len(want) > 0 {
		data, err := ann.readRaw()
		if err != nil {
			t.Fatal(err)
		}
		m1, err1 := codec1.Decode(data)
		m2, err2 := codec2.Decode(data)
		if err1 != nil || err2 != nil {
			t.Errorf("%s is refused: %v, %v", data, err1, err2)
		}
		one, _ := json.Marshal(m1)
		two, _ := json.Marshal(m2)
		if len(m1.Messages) > 0 && (m1.Messages[0].Text != "hi" || m1.Messages[0].User != "Ann") || string(one) != string(two) {
			t.Errorf("%s is read as %s and %s", data, one, two)
		}
		delete(want, string(m2.Type))
	}
}
