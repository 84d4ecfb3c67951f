package chat_test

import (
	"encoding/json"
	"fmt"
	"net/http"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"parley/server/chat"
	"parley/shared"
)

const passphrase = "correct horse"

func withKey(user, key string) shared.Message {
	h := hello(user, newDevice())
	h.Key = key
	return h
}

// refused says hello and returns the close frame that answers it.
func (s *server) refused(room string, h shared.Message) (code int, reason string) {
	s.t.Helper()
	c := s.raw(room)
	c.send(h)
	closed := c.closed()
	return int(closed.Code), closed.Reason
}

// clock is a time that a test moves.
type clock struct{ ns atomic.Int64 }

func (c *clock) now() time.Time             { return time.Unix(0, c.ns.Load()) }
func (c *clock) add(d time.Duration)        { c.ns.Add(int64(d)) }
func withClock(c *clock) func(*chat.Config) { return func(cfg *chat.Config) { cfg.Now = c.now } }
func wantClose(t *testing.T, what string, code int, reason string, wantCode shared.CloseCode, want string) {
	t.Helper()
	if code != int(wantCode) || !strings.Contains(reason, want) {
		t.Errorf("%s: closed with %d %q, want %d %q", what, code, reason, wantCode, want)
	}
}

func TestLockedRoom(t *testing.T) {
	c := &clock{}
	c.add(time.Hour)
	s := start(t, withClock(c))
	ann, _ := s.join("Attic", withKey("Ann", passphrase))
	ann.say("1", "a secret")
	ann.next(shared.TypeChat)

	code, reason := s.refused("attic", hello("Eve", newDevice()))
	wantClose(t, "without a passphrase", code, reason, shared.CloseWrongKey, "has a passphrase")
	code, reason = s.refused("ATTIC ", withKey("Eve", "battery staple"))
	wantClose(t, "with another one", code, reason, shared.CloseWrongKey, "not the room's passphrase")
	code, reason = s.refused("attic", withKey("Bob", passphrase))
	wantClose(t, "right after a wrong one", code, reason, shared.CloseTryLater, "Too many wrong")
	c.add(time.Second)
	bob, welcome := s.join("attic", withKey("Bob", passphrase))
	if welcome.Room != "Attic" || welcome.Offset != 1 {
		t.Errorf("Bob is welcomed with %+v", welcome)
	}
	equal(t, "Bob sees", bob.texts(1), "a secret")
	if n := s.metric(`parley_limit_hits_total{limit="passphrase"}`); n != "1" {
		t.Errorf("%s wrong passphrases counted", n)
	}

	// The other ways in.
	for _, path := range []string{"attic", "attic/eve", "Attic/Ann"} {
		_, resp, err := s.tryDial("/ws/chat/"+path, "", nil)
		if err == nil || resp.StatusCode != http.StatusForbidden {
			t.Errorf("the tutorial's dialect at %s: %v, %v", path, resp, err)
		}
	}
	status, body, _ := s.get("/api/rooms/attic/messages")
	if status != http.StatusForbidden || !strings.Contains(body, "passphrase") || strings.Contains(body, "secret") {
		t.Errorf("the API: %d %s", status, body)
	}
	tells := map[string]string{"/metrics": s.metrics("/metrics").Body.String()}
	for _, path := range []string{"/api/server", "/api/rooms"} {
		_, tells[path], _ = s.get(path)
	}
	for path, body := range tells {
		if body == "" || strings.Contains(body, "secret") || strings.Contains(body, passphrase) || strings.Contains(body, "argon2") {
			t.Errorf("%s tells too much: %s", path, body)
		}
	}
	var list struct {
		Rooms []struct {
			Name   string
			Locked bool
		}
	}
	_, body, _ = s.get("/api/rooms")
	if json.Unmarshal([]byte(body), &list); len(list.Rooms) != 1 || !list.Rooms[0].Locked {
		t.Errorf("the rooms are %s", body)
	}

	s.stop()
	s.open(withClock(c))
	code, reason = s.refused("attic", hello("Eve", newDevice()))
	wantClose(t, "after a restart", code, reason, shared.CloseWrongKey, "has a passphrase")
	s.join("attic", withKey("Ann (2)", passphrase))
}

// Each wrong passphrase makes its address wait twice as long, in that room.
func TestWrongKeysBackOff(t *testing.T) {
	c := &clock{}
	c.add(time.Hour)
	s := start(t, withClock(c))
	s.join("attic", withKey("Ann", passphrase))
	s.join("cellar", withKey("Ann", "another one"))
	for i := range 9 {
		code, reason := s.refused("attic", withKey("Eve", fmt.Sprint("wrong number ", i)))
		wantClose(t, "a wrong one", code, reason, shared.CloseWrongKey, "not the room's")
		wait := min(time.Second<<i, time.Minute)
		c.add(wait - 1)
		code, reason = s.refused("attic", withKey("Eve", passphrase))
		wantClose(t, fmt.Sprintf("before %v", wait), code, reason, shared.CloseTryLater, "Too many wrong")
		c.add(1)
		s.join("cellar", withKey(fmt.Sprint("Eve", i), "another one")) // which makes up for nothing
	}
	s.join("attic", withKey("Bob", passphrase))
}

// Only who creates a room can lock it.
func TestOpenRoomsStayOpen(t *testing.T) {
	s := start(t)
	ann, _ := s.join("hall", hello("Ann", newDevice()))
	code, reason := s.refused("hall", withKey("Eve", passphrase))
	wantClose(t, "with somebody there", code, reason, shared.CloseOpenRoom, "open to everyone")
	ann.say("1", "hi")
	ann.next(shared.TypeChat)
	ann.leave()
	s.stop()
	s.open()
	code, reason = s.refused("hall", withKey("Eve", passphrase))
	wantClose(t, "with a log", code, reason, shared.CloseOpenRoom, "open to everyone")
	code, reason = s.refused("new", withKey("Eve", "short"))
	wantClose(t, "a short one", code, reason, shared.CloseWrongKey, "at least 8")
	s.tutorial("new")
	code, reason = s.refused("new", withKey("Eve", passphrase))
	wantClose(t, "with a tutorial's member", code, reason, shared.CloseOpenRoom, "open to everyone")
}

// A passphrase is the same one however it was typed.
func TestKeyForms(t *testing.T) {
	s := start(t)
	s.join("attic", withKey("Ann", "caf\u00e9 au lait"))
	s.join("attic", withKey("Bob", "cafe\u0301 au\u3000lait"))
}

func TestHiddenRoom(t *testing.T) {
	s := start(t)
	h := withKey("Ann", passphrase)
	h.Hidden = true
	s.join("attic", h)
	s.join("hall", hello("Ann", newDevice()))
	_, body, _ := s.get("/api/rooms")
	if strings.Contains(body, "attic") || !strings.Contains(body, "hall") {
		t.Errorf("the rooms are %s", body)
	}
}

// Of many who create a room at once, those with the first one's passphrase are
// in it, and nobody else.
func TestManyCreators(t *testing.T) {
	s := start(t)
	keys := []string{"first passphrase", "second passphrase", ""}
	answers := make(chan int) // of keys, or -1 for who was refused
	const people = 24
	for i := range people {
		c := s.raw("attic")
		h := withKey(fmt.Sprint("Ann", i), keys[i%len(keys)])
		go func() {
			answer := -1
			c.send(h)
			if m, err := c.read(); err == nil && m.Type == shared.TypeWelcome {
				answer = i % len(keys)
			}
			answers <- answer
		}()
	}
	in := make(map[int]bool)
	for range people {
		in[<-answers] = true
	}
	delete(in, -1)
	lock, err := s.log.Lock(t.Context(), "attic")
	if err != nil || len(in) != 1 || in[2] != (lock.Hash == "") {
		t.Errorf("in are those who came with %v of %q; the lock is %+v, %v", in, keys, lock, err)
	}
}
