package chat_test

import (
	"errors"
	"fmt"
	"net/http"
	"reflect"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/coder/websocket"

	"parley/server/chat"
	"parley/shared"
)

// opens is a hello of somebody who opens a room as its host.
func opens(user, device string) shared.Message {
	h := hello(user, device)
	h.Host = true
	return h
}

// until returns the next frame of a type, and passes over all others.
func (c *client) until(typ shared.Type) shared.Message {
	c.t.Helper()
	for {
		m, err := c.read()
		if err != nil {
			c.t.Fatalf("waiting for %s: %v", typ, err)
		}
		if m.Type == typ {
			return m
		}
	}
}

// act sends what a host does.
func (c *client) act(m shared.Message) {
	c.t.Helper()
	m.Type = shared.TypeHost
	if m.ID == "" {
		m.ID = newDevice()
	}
	c.send(m)
}

// does makes sure that an act is carried out, and returns its notice.
func (c *client) does(m shared.Message) shared.Message {
	c.t.Helper()
	c.act(m)
	for {
		switch got := c.until(shared.TypeNotice); got.Did {
		case m.Do:
			return got
		}
	}
}

// refused makes sure that the next error is the one that is wanted.
func (c *client) refused(code shared.ErrorCode, reason string) shared.Message {
	c.t.Helper()
	m := c.until(shared.TypeError)
	if m.Code != code || !strings.Contains(m.Text, reason) {
		c.t.Errorf("refused with %q: %s; want %q: %s", m.Code, m.Text, code, reason)
	}
	return m
}

// out makes sure that a hello is refused.
func (s *server) out(room string, h shared.Message, code shared.CloseCode, reason string) {
	s.t.Helper()
	c := s.raw(room)
	c.send(h)
	if closed := c.closed(); int(closed.Code) != int(code) || !strings.Contains(closed.Reason, reason) {
		s.t.Errorf("%s is closed with %v, want %d: %s", h.User, closed, code, reason)
	}
}

func TestOpenAsHost(t *testing.T) {
	s := start(t, func(c *chat.Config) { c.Rooms = []shared.Name{{Text: "Lobby", Key: "lobby"}} })
	device := newDevice()
	ann, welcome := s.join("Class", opens("Ann", device))
	if !welcome.Host || welcome.Silenced != "" || welcome.Pinned != 0 || !reflect.DeepEqual(welcome.Settings, new(shared.OpenSettings())) {
		t.Errorf("who opened the room is welcomed with %+v", welcome)
	}
	ann.send(shared.Message{Type: shared.TypeNotices, Limit: 10})
	if all := ann.until(shared.TypeNotices); len(all.Notices) != 1 || all.More {
		t.Errorf("the notices are %+v", all)
	} else if n := all.Notices[0]; n.Did != shared.DoOpen || n.User != "Ann" || n.By != welcome.By || n.Offset != 1 || n.Time.IsZero() {
		t.Errorf("everyone is told %+v", n)
	}
	if _, w := s.join("Class", opens("Bob", newDevice())); w.Host {
		t.Error("who came later is a host, too")
	}
	ann.leave()
	if _, w := s.join("Class", hello("Ann", device)); !w.Host {
		t.Error("who came back is no host any more")
	}
	if _, w := s.join("Lobby", opens("Ann", device)); w.Host {
		t.Error("a room of --rooms has a host")
	}
	if _, w := s.join("Club", hello("Bob", newDevice())); w.Host {
		t.Error("who did not ask is a host")
	}
	if _, w := s.join("Club", opens("Ann", device)); w.Host {
		t.Error("a room that somebody is in has a new host")
	}
	locks := opens("Ann", device)
	locks.Key = "correct horse"
	if _, w := s.join("Safe", locks); !w.Host {
		t.Error("a locked room has no host")
	}
	// The rules survive a restart.
	s.stop()
	s.open()
	if _, w := s.join("Class", hello("Ann", device)); !w.Host {
		t.Error("after a restart, the host is none")
	}
}

func TestOperatorsKey(t *testing.T) {
	now := time.Now()
	var mu sync.Mutex
	s := start(t, func(c *chat.Config) { c.Now = func() time.Time { mu.Lock(); defer mu.Unlock(); return now } })
	pass := func(d time.Duration) { mu.Lock(); defer mu.Unlock(); now = now.Add(d) }
	const key, other = "ABCDEFGHIJKLMNOPQRSTUVWX27", "ABCDEFGHIJKLMNOPQRSTUVWX22"
	with := func(user, device, key string) shared.Message {
		h := hello(user, device)
		h.HostKey = key
		return h
	}
	bob, _ := s.join("Class", hello("Bob", newDevice()))
	bob.say("a", "hi")
	bob.until(shared.TypeChat)
	s.out("Class", with("Ann", newDevice(), key), shared.CloseBadHello, "not the key of this server's operator") // there is none yet
	if err := s.log.SetHostKey(t.Context(), chat.HashHostKey(key)); err != nil {
		t.Fatal(err)
	}
	s.out("Class", with("Ann", newDevice(), key), shared.CloseTryLater, shared.ReasonTooMany)
	pass(2 * time.Second)
	s.out("Class", with("Ann", newDevice(), other), shared.CloseBadHello, "not the key of this server's operator")
	pass(1900 * time.Millisecond)
	s.out("Class", with("Ann", newDevice(), key), shared.CloseTryLater, shared.ReasonTooMany)
	pass(200 * time.Millisecond)
	device := newDevice()
	ann, w := s.join("Class", with("Ann", device, key))
	if !w.Host {
		t.Error("who has the key is no host")
	}
	if n := bob.until(shared.TypeNotice); n.Did != shared.DoOpen || n.User != "Ann" {
		t.Errorf("everyone is told %+v", n)
	}
	ann.leave()
	if _, w := s.join("Class", hello("Ann", device)); !w.Host {
		t.Error("without the key, the host is none any more")
	}
	again, w := s.join("Class", with("Ann", device, key))
	again.say("b", "one notice is enough")
	again.until(shared.TypeChat)
	if got := bob.until(shared.TypeChat); got.ID != "b" || !w.Host {
		t.Errorf("after that, bob hears %+v", got)
	}
}

// TestHostsActs has a host do everything to others, who hear of it.
func TestHostsActs(t *testing.T) {
	s := start(t, func(c *chat.Config) { c.Token = token })
	annDevice, bobDevice, eveDevice := newDevice(), newDevice(), newDevice()
	ann, welcome := s.join("Class", opens("Ann", annDevice))
	bob, bobs := s.join("Class", hello("Bob", bobDevice))
	eve, eves := s.join("Class", hello("Eve", eveDevice))
	for _, c := range []*client{bob, eve} {
		c.say("m", "hi")
		c.until(shared.TypeChat)
	}
	eve.act(shared.Message{Do: shared.DoRemove, User: "Bob"})
	eve.refused(shared.CodeNotAllowed, "Only a host")
	ann.act(shared.Message{Do: "promote", User: "Bob"})
	ann.refused(shared.CodeBadFrame, "promote")
	ann.act(shared.Message{Do: shared.DoRemove, User: "Nobody"})
	ann.refused(shared.CodeNotFound, "nobody of that name")
	ann.act(shared.Message{Do: shared.DoRemove, User: "Ann"})
	ann.refused(shared.CodeNotAllowed, "to yourself")
	ann.act(shared.Message{Do: shared.DoRemove, Target: 99, Of: "m"})
	ann.refused(shared.CodeNotFound, "")

	// Silenced.
	n := ann.does(shared.Message{Do: shared.DoSilence, User: "Eve", ID: "silence"})
	if n.ID != "silence" || n.About != "Eve" || n.Whom != eves.By || n.By != welcome.By || n.User != "Ann" {
		t.Errorf("everyone is told %+v", n)
	}
	ann.act(shared.Message{Do: shared.DoSilence, User: "Eve", ID: "silence"})
	if ack := ann.until(shared.TypeAck); ack.ID != "silence" || ack.Offset != n.Offset {
		t.Errorf("a repeated act has the answer %+v", ack)
	}
	eve.say("m2", "no")
	eve.refused(shared.CodeNotAllowed, "Ann has silenced you")
	eve.say("m", "hi") // what was there before is there
	if ack := eve.until(shared.TypeAck); ack.ID != "m" {
		t.Errorf("a repeated message has the answer %+v", ack)
	}
	again, w := s.join("Class", hello("Eve", eveDevice))
	if w.Silenced != "Ann" || w.Host {
		t.Errorf("who is silenced is welcomed with %+v", w)
	}
	again.leave()
	ann.does(shared.Message{Do: shared.DoUnsilence, User: "Eve"})
	eve.say("m2", "yes")
	eve.until(shared.TypeChat)

	// Settings.
	ann.does(shared.Message{Do: shared.DoSet, Settings: &shared.Settings{Write: shared.WhoHosts}})
	ann.does(shared.Message{Do: shared.DoSet, Settings: &shared.Settings{Slow: new(3600)}})
	eve.say("m3", "no")
	eve.refused(shared.CodeNotAllowed, "Ann has set that only hosts write")
	_, w = s.join("Class", hello("Eve", eveDevice))
	if want := (shared.Settings{Write: shared.WhoHosts, Door: shared.DoorOpen, Files: shared.WhoAll, Slow: new(3600)}); !reflect.DeepEqual(*w.Settings, want) {
		t.Errorf("the settings are %+v", *w.Settings)
	}
	if resp, _ := s.do("POST", "/api/rooms/Class/messages", `{"message":"the API may"}`, "Authorization", "Bearer "+token); resp != http.StatusCreated {
		t.Errorf("a post has the status %d", resp)
	}
	ann.does(shared.Message{Do: shared.DoSet, Settings: &shared.Settings{Write: shared.WhoAll}})
	eve.say("m4", "one")
	if m := eve.until(shared.TypeChat); m.ID == "" {
		t.Error("no message came")
	}
	eve.say("m5", "two")
	if m := eve.refused(shared.CodeRateLimited, "once in 3600 s"); m.RetryMS < 3_500_000 || m.ID != "m5" {
		t.Errorf("who is too fast is told %+v", m)
	}
	other, _ := s.join("Class", hello("Eve", eveDevice))
	other.say("m6", "from another tab")
	other.refused(shared.CodeRateLimited, "once in")
	other.leave()

	// Pinned, and deleted with all that Bob wrote.
	target := bobs.Offset + 1
	for _, m := range s.messages("Class") {
		if m.By == bobs.By {
			target = m.Offset
		}
	}
	if n := ann.does(shared.Message{Do: shared.DoPin, Target: target, Of: "m"}); n.Pinned != target {
		t.Errorf("everyone is told %+v", n)
	}
	if _, w := s.join("Class", hello("Eve", eveDevice)); w.Pinned != target {
		t.Errorf("pinned is %d, not %d", w.Pinned, target)
	}
	ann.does(shared.Message{Do: shared.DoDeleteAll, Target: target, Of: "m"})
	if d := ann.until(shared.TypeDelete); fmt.Sprint(d.Targets) != fmt.Sprint([]int64{target}) {
		t.Errorf("deleted are %v", d.Targets)
	}
	if _, w := s.join("Class", hello("Eve", eveDevice)); w.Pinned != 0 {
		t.Errorf("pinned is %d, which is deleted", w.Pinned)
	}

	// What hosts did is read in pages.
	eve.send(shared.Message{Type: shared.TypeNotices, Limit: 2})
	page := eve.until(shared.TypeNotices)
	if len(page.Notices) != 2 || !page.More || page.Notices[0].Did != shared.DoPin || page.Notices[1].Did != shared.DoDeleteAll {
		t.Errorf("the newest notices are %+v", page)
	}
	eve.send(shared.Message{Type: shared.TypeNotices, Before: page.Notices[0].Offset, Limit: 100})
	for {
		m, err := eve.read()
		if err != nil {
			t.Fatal(err)
		}
		if m.Type == shared.TypeError { // asked too fast
			eve.send(shared.Message{Type: shared.TypeNotices, Before: page.Notices[0].Offset, Limit: 100})
		}
		if m.Type == shared.TypeNotices {
			if len(m.Notices) != 6 || m.More || m.Notices[0].Did != shared.DoOpen {
				t.Errorf("the notices before are %+v", m)
			}
			break
		}
	}
}

// messages returns what the API tells of a room.
func (s *server) messages(room string) []shared.Message {
	s.t.Helper()
	status, body, _ := s.get("/api/rooms/" + room + "/messages?limit=100")
	m, err := shared.Decode([]byte(body))
	if status != http.StatusOK || err != nil {
		s.t.Fatalf("the API answers %d: %s, %v", status, body, err)
	}
	return m.Messages
}

// TestRemoved shows somebody the door, who tries to come back in every way.
func TestRemoved(t *testing.T) {
	now := time.Now()
	var mu sync.Mutex
	s := start(t, func(c *chat.Config) { c.Now = func() time.Time { mu.Lock(); defer mu.Unlock(); return now } })
	bobDevice, eveDevice := newDevice(), newDevice()
	ann, _ := s.join("Class", opens("Ann", newDevice()))
	bob, _ := s.join("Class", hello("Bob", bobDevice))
	twin, _ := s.join("Class", hello("Bob", bobDevice)) // another tab
	eve, _ := s.join("Class", hello("Eve", eveDevice))
	bob.say("m", "spoilt")
	target := ann.until(shared.TypeChat).Offset
	ann.act(shared.Message{Do: shared.DoRemove, Target: target, Of: "m"})
	ann.say("after", "a secret")
	for _, c := range []*client{bob, twin} {
		var closed websocket.CloseError
		for {
			m, err := c.read()
			if errors.As(err, &closed); err != nil {
				break
			}
			if strings.Contains(m.Text, "secret") {
				t.Errorf("who was removed heard %+v", m)
			}
		}
		if shared.CloseCode(closed.Code) != shared.CloseRemoved || closed.Reason != "Ann has removed you from this room." {
			t.Errorf("who was removed is closed with %v", closed)
		}
	}
	n := eve.until(shared.TypeNotice)
	if n.Did == shared.DoOpen {
		n = eve.until(shared.TypeNotice)
	}
	if n.Did != shared.DoRemove || n.About != "Bob" {
		t.Errorf("the others hear %+v", n)
	}
	const beside = "nobody new comes in from the same address"
	s.out("Class", hello("Bob", bobDevice), shared.CloseRemoved, "Ann has removed you")
	s.out("Class", hello("Bobby", bobDevice), shared.CloseRemoved, "Ann has removed you")
	s.out("Class", hello("Mallory", newDevice()), shared.CloseRemoved, beside[:30])
	if _, resp, err := s.tryDial("/ws/chat/Class/Mallory", "", nil); err == nil || resp.StatusCode != http.StatusForbidden {
		t.Errorf("over the tutorial's dialect: %v, %v", resp, err)
	}
	eve.leave()
	eve, _ = s.join("Class", hello("Eve", eveDevice)) // by the same address
	eve.leave()
	mu.Lock()
	now = now.Add(chat.RemovalHold)
	mu.Unlock()
	mallory, _ := s.join("Class", hello("Mallory", newDevice()))
	mallory.leave()
	s.out("Class", hello("Bob", bobDevice), shared.CloseRemoved, "Ann has removed you")
	ann.does(shared.Message{Do: shared.DoAdmit, User: "Bob"})
	back, _ := s.join("Class", hello("Bob", bobDevice))
	back.say("sorry", "sorry")
	back.until(shared.TypeChat)

	// One who has gone already is removed by what they wrote, and comes by the same way.
	back.leave()
	ann.does(shared.Message{Do: shared.DoRemove, User: "Bob"})
	s.out("Class", hello("Mallory 2", newDevice()), shared.CloseRemoved, "Somebody was removed")
}

// TestDoor closes a room's door to strangers, and to everyone.
func TestDoor(t *testing.T) {
	s := start(t)
	annDevice, eveDevice := newDevice(), newDevice()
	ann, _ := s.join("Class", opens("Ann", annDevice))
	eve, _ := s.join("Class", hello("Eve", eveDevice))
	ann.does(shared.Message{Do: shared.DoSet, Settings: &shared.Settings{Door: shared.DoorKnown}})
	s.out("Class", hello("Bob", newDevice()), shared.CloseRemoved, "Ann lets in only those who")
	eve.leave()
	eve, _ = s.join("Class", hello("Eve", eveDevice))
	evelyn, _ := s.join("Class", hello("Evelyn", eveDevice)) // another name of a known device
	evelyn.leave()
	no := func(path string) {
		t.Helper()
		if status, body, _ := s.get(path); status != http.StatusForbidden || !strings.Contains(body, "Ann lets in only those who") {
			t.Errorf("%s: %d %s", path, status, body)
		}
	}
	no("/api/rooms/Class/messages")
	no("/ws/chat/Class")
	if _, resp, err := s.tryDial("/ws/chat/Class", "", nil); err == nil || resp.StatusCode != http.StatusForbidden {
		t.Errorf("over the tutorial's dialect: %v, %v", resp, err)
	}
	eve.leave()
	ann.leave()
	s.stop()
	s.open()
	evelyn, _ = s.join("Class", hello("Evelyn 2", eveDevice)) // and after a restart
	evelyn.leave()
	ann, _ = s.join("Class", hello("Ann", annDevice))
	eve, _ = s.join("Class", hello("Eve", eveDevice))
	ann.does(shared.Message{Do: shared.DoSet, Settings: &shared.Settings{Door: shared.DoorClosed}})
	eve.leave()
	eve, _ = s.join("Class", hello("Eve", eveDevice)) // who comes back
	ann.leave()
	eve.leave()
	s.stop()
	s.open()
	if status, _, _ := s.get("/api/rooms/Class/messages"); status != http.StatusForbidden { // nobody is in it
		t.Errorf("the API answers %d", status)
	}
	s.out("Class", hello("Eve", eveDevice), shared.CloseRemoved, "Ann has closed this room")
}

// A host who has written half of what a room keeps can still quieten it.
func TestHostWithHalfOfTheRoom(t *testing.T) {
	s := start(t, func(c *chat.Config) { c.RetainBytes = 20 * (chat.EntryOverhead + 1000) })
	ann, _ := s.join("Class", opens("Ann", newDevice()))
	bob, _ := s.join("Class", hello("Bob", newDevice()))
	bob.say("a", "hi")
	bob.until(shared.TypeChat)
	for i := range 12 {
		ann.say(fmt.Sprint(i), strings.Repeat("x", 1000))
	}
	ann.refused(shared.CodeNotAllowed, "half of what this room keeps")
	ann.does(shared.Message{Do: shared.DoSet, Settings: &shared.Settings{Write: shared.WhoHosts}})
	bob.say("b", "hi")
	bob.refused(shared.CodeNotAllowed, "only hosts write")
}

// TestQuietWhileAllSend sets that hosts write while everyone does: nothing of anyone
// else has an offset after the notice.
func TestQuietWhileAllSend(t *testing.T) {
	s := start(t)
	ann, welcome := s.join("Class", opens("Ann", newDevice()))
	var all sync.WaitGroup
	for i := range 50 {
		c, _ := s.join("Class", hello(fmt.Sprint("Pupil ", i), newDevice()))
		all.Go(func() {
			for n := range 40 {
				if c.write(1, fmt.Appendf(nil, `{"type":"chat_message","id":"%d","message":"hi"}`, n)) != nil {
					return
				}
			}
			for said := 0; said < 40; { // its own come back, or are refused
				m, err := c.read()
				if err != nil {
					return
				}
				if m.Type == shared.TypeError && (m.Code == shared.CodeNotAllowed || m.Code == shared.CodeRateLimited) || m.Type == shared.TypeChat && m.User == fmt.Sprint("Pupil ", i) {
					said++
				}
			}
		})
	}
	for range 100 {
		ann.until(shared.TypeChat)
	}
	ann.does(shared.Message{Do: shared.DoSet, Settings: &shared.Settings{Write: shared.WhoHosts}})
	all.Wait()
	notices, err := s.log.Notices(t.Context(), "class", 0, chat.Most{Entries: 1})
	if err != nil || len(notices) != 1 || notices[0].Extra.Act.Do != shared.DoSet {
		t.Fatalf("the last notice is %+v, %v", notices, err)
	}
	after, err := s.log.Read(t.Context(), "class", notices[0].Offset, shared.MaxOffset, chat.Most{Entries: 1000})
	if err != nil || len(after) > 0 {
		t.Errorf("%d entries came after the notice, the first is %+v, %v", len(after), after, err)
	}
	if notices[0].Offset < 50 || shared.By("class", notices[0].Device) != welcome.By {
		t.Errorf("the notice is %+v", notices[0])
	}
}
