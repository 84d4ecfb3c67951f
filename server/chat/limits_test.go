package chat_test

import (
	"bytes"
	"fmt"
	"log/slog"
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"

	"parley/server/chat"
	"parley/shared"
)

// TestLimits goes past one limit after the other: each says so, and is counted.
func TestLimits(t *testing.T) {
	s := start(t, func(c *chat.Config) {
		c.MaxFrame, c.MaxText, c.MaxName, c.MaxRooms, c.MaxMembers = 2048, 10, 8, 2, 2
		c.MaxPerAddress, c.Rate, c.Burst, c.HelloTimeout = 6, 0.001, 2, time.Hour
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
	// One that ends meanwhile would leave a place to who comes last.
	s.until("only Ann in the attic and Bob are there", func() bool { return s.metric("parley_connections") == "2" })
	for range 6 {
		s.raw("hall")
	}
	code, reason = s.refused("hall", hello("Dan", newDevice()))
	wantClose(t, "connections", code, reason, shared.CloseTryLater, shared.ReasonCrowded)
	for _, name := range []string{"text", "name", "rooms", "members", "rate", "frame", "address"} {
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

// logged keeps a log that several goroutines write.
type logged struct {
	mu sync.Mutex
	b  bytes.Buffer
}

func (l *logged) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.Write(p)
}

func (l *logged) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.String()
}

// A GET of a socket's address answers with the problem that the upgrade gets, and one
// line of the log names the flag, however often somebody tries.
func TestRefusalsOverHTTP(t *testing.T) {
	upgrade := []string{"Connection", "Upgrade", "Upgrade", "websocket", "Sec-WebSocket-Version", "13", "Sec-WebSocket-Key", "dGhlIHNhbXBsZSBub25jZQ=="}
	for _, c := range []struct {
		what   string
		config func(*chat.Config)
		path   string
		status int
		code   string
		says   string
		flag   string
	}{
		{"a connection over the address's limit", func(c *chat.Config) { c.MaxPerAddress = 1 }, "hall", 429, "too_many", "from this address", "--max-per-address"},
		{"a full server", func(c *chat.Config) { c.MaxConnections = 1 }, "hall", 503, "server_full", "full", "--max-connections"},
		{"a full room", func(c *chat.Config) { c.MaxMembers = 1 }, "hall", 503, "room_full", "The room is full.", "--max-members"},
		{"a room too many", func(c *chat.Config) { c.MaxRooms = 1 }, "attic", 503, "server_full", "Too many rooms", "--max-rooms"},
		{"a locked room", func(*chat.Config) {}, "vault", 403, "", "passphrase", ""},
	} {
		var log logged
		s := start(t, c.config, func(cfg *chat.Config) { cfg.Logger = slog.New(slog.NewTextHandler(&log, nil)) })
		if c.path == "vault" {
			ann, _ := s.join("vault", shared.Message{Type: shared.TypeHello, User: "Ann", Device: newDevice(), Key: "correct horse"})
			ann.leave()
		} else {
			s.tutorial("hall")
		}
		for range 3 {
			for header, h := range map[string][]string{"the upgrade": upgrade, "a GET": nil} {
				status, body := s.do("GET", "/ws/chat/"+c.path, "", h...)
				if status != c.status || !strings.Contains(body, c.says) || c.code != "" && !strings.Contains(body, `"code":"`+c.code+`"`) {
					t.Errorf("%s, %s: %d %s", c.what, header, status, body)
				}
			}
		}
		if n := strings.Count(log.String(), "flag="+c.flag); c.flag != "" && n != 1 {
			t.Errorf("%s: %d lines name %s:\n%s", c.what, n, c.flag, log.String())
		}
		if c.path == "vault" { // Parley's page asks for the passphrase itself
			if status, body := s.do("GET", "/ws/chat/vault", "", "Page-Origin", s.http.URL); status != http.StatusUpgradeRequired {
				t.Errorf("the page: %d %s", status, body)
			}
		}
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
