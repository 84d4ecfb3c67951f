package chat_test

import (
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"

	"parley/server/chat"
	"parley/shared"
)

// TestLimits goes past one limit after the other: each says so, and is counted.
func TestLimits(t *testing.T) {
	s := start(t, func(c *chat.Config) {
		c.MaxFrame, c.MaxText, c.MaxName, c.MaxRooms, c.MaxMembers = 2048, 10, 8, 2, 2
		c.MaxPerAddress, c.Rate, c.Burst = 6, 0.001, 2
	})
	hall, welcome := s.join("hall", hello("Ann", newDevice()))
	if welcome.Limits.Message != 10 {
		t.Errorf("clients are told %+v", welcome.Limits)
	}
	hall.say("1", "ten of them")
	if m := hall.next(shared.TypeError); m.Code != shared.CodeTooLong || !strings.Contains(m.Text, "11 characters, of at most 10") {
		t.Errorf("text: %+v", m)
	}
	code, reason := s.refused("hall", hello("Nine runes", newDevice()))
	wantClose(t, "name", code, reason, shared.CloseBadHello, "over 8 characters")
	if _, resp, err := s.tryDial("/ws/chat/hall/Nine%20runes", "", nil); err == nil || resp.StatusCode != 400 {
		t.Errorf("a name in the path: %v", err)
	}
	s.join("attic", hello("Ann", newDevice()))
	if _, resp, err := s.tryDial("/ws/chat/cellar", shared.Protocol, nil); err == nil || resp.StatusCode != 503 {
		t.Errorf("rooms: %v", err)
	}
	s.join("hall", hello("Bob", newDevice()))
	code, reason = s.refused("hall", hello("Cleo", newDevice()))
	wantClose(t, "members", code, reason, shared.CloseTryLater, "full")
	for i := range 3 {
		hall.say(fmt.Sprint("rate", i), "x")
	}
	for { // the refusal may come before what was said before it
		m, err := hall.read()
		if err != nil {
			t.Fatal(err)
		}
		if m.Type == shared.TypeError {
			if m.Code != shared.CodeRateLimited {
				t.Errorf("rate: %+v", m)
			}
			break
		}
	}
	hall.sendRaw(strings.Repeat(" ", 2049))
	closed := hall.closed()
	wantClose(t, "frame", int(closed.Code), closed.Reason, shared.CloseTooBig, "")
	for {
		if _, resp, err := s.tryDial("/ws/chat/hall", shared.Protocol, nil); err != nil {
			if resp.StatusCode != http.StatusTooManyRequests {
				t.Errorf("connections: %v", err)
			}
			break
		}
	}
	for _, name := range []string{"text", "name", "rooms", "members", "rate", "frame", "connections"} {
		if n := s.metric(`parley_limit_hits_total{limit="` + name + `"}`); n == "" {
			t.Errorf("the limit of %s is not counted", name)
		}
	}
}

func TestHelloIsLimited(t *testing.T) {
	s := start(t, func(c *chat.Config) { c.HelloTimeout = time.Millisecond })
	closed := s.raw("hall").closed()
	wantClose(t, "hello", int(closed.Code), closed.Reason, shared.CloseBadHello, "in time")
	if n := s.metric(`parley_limit_hits_total{limit="hello"}`); n != "1" {
		t.Errorf("counted: %q", n)
	}
}

func TestUpgradesAreLimited(t *testing.T) {
	s := start(t, func(c *chat.Config) { c.MaxUpgrades = 3 })
	for {
		c, resp, err := s.tryDial("/ws/chat/hall", "", nil)
		if err == nil {
			c.conn.CloseNow()
			continue
		}
		if resp.StatusCode != http.StatusTooManyRequests {
			t.Errorf("%v", err)
		}
		break
	}
	if n := s.metric(`parley_limit_hits_total{limit="upgrades"}`); n != "1" {
		t.Errorf("counted: %q", n)
	}
}

func TestConnectionsInAll(t *testing.T) {
	s := start(t, func(c *chat.Config) { c.MaxConnections = 2 })
	s.tutorial("hall")
	s.tutorial("hall")
	if status, body := s.do("GET", "/ws/chat/hall", "", "Connection", "Upgrade", "Upgrade", "websocket"); status != 503 || !strings.Contains(body, "full") {
		t.Errorf("the third connection: %d %s", status, body)
	}
}
