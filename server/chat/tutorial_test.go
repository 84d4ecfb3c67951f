package chat_test

import (
	"fmt"
	"net/http"
	"strings"
	"testing"

	"github.com/coder/websocket"

	"parley/server/chat"
	"parley/shared"
)

// The tutorial's own clients, word for word: what they send, what they read.
func TestTutorialDialect(t *testing.T) {
	s := start(t)
	page := s.tutorial("lobby/")
	app := s.tutorial("Lobby/ann")
	page.sendRaw(`{"message":"hello"}`)
	for _, c := range []*client{page, app} {
		if m := c.next(shared.TypeChat); m.Text != "hello" || !strings.HasPrefix(m.User, "Guest-") {
			t.Errorf("got %+v", m)
		}
	}
	app.sendRaw(`{"type":"chat_message","message":"hi","user":"someone else"}`)
	for _, c := range []*client{page, app} {
		data, err := c.readRaw()
		if err != nil {
			t.Fatal(err)
		}
		var m map[string]any
		decodeJSON(t, string(data), &m)
		if m["type"] != "chat_message" || m["message"] != "hi" || m["user"] != "ann" {
			t.Errorf("got %s", data)
		}
	}
}

func TestTutorialMeetsParley(t *testing.T) {
	s := start(t)
	ann, _ := s.join("r", hello("Ann", newDevice()))
	bob := s.tutorial("r/Bob")
	bob.sendRaw(`{"message":"hi"}`)
	if m := ann.next(shared.TypeChat); m.User != "Bob" || m.Offset != 1 || m.ID == "" || m.Time.IsZero() {
		t.Errorf("Ann sees %+v", m)
	}
	bob.next(shared.TypeChat)
	ann.send(shared.Message{Type: shared.TypeTyping})
	ann.say("1", "welcome")
	if data, err := bob.readRaw(); err != nil || !strings.Contains(string(data), `"welcome"`) {
		t.Errorf("Bob is sent %s, %v: nothing but messages is understood there", data, err)
	}
}

func TestTutorialNames(t *testing.T) {
	s := start(t)
	for i, want := range []string{"ann", "ann (2)", "ann (3)"} {
		c := s.tutorial("r/ann")
		c.sendRaw(fmt.Sprintf(`{"message":"%d"}`, i))
		for {
			if m := c.next(shared.TypeChat); m.Text == fmt.Sprint(i) {
				if m.User != want {
					t.Errorf("connection %d is %q", i, m.User)
				}
				break
			}
		}
	}
	c := s.tutorial("other")
	for _, frame := range []string{`{"message":"1","user":"Zoe"}`, `{"message":"2","user":"zoe"}`, `{"message":"3"}`} {
		c.sendRaw(frame)
		if m := c.next(shared.TypeChat); m.User != "Zoe" {
			t.Errorf("%s came as %q", frame, m.User)
		}
	}
	c.sendRaw(`{"message":"4","user":"a/b"}`)
	if m := c.next(shared.TypeError); m.Code != shared.CodeBadFrame {
		t.Errorf("a bad user: %+v", m)
	}
}

func TestTutorialErrors(t *testing.T) {
	s := start(t)
	c := s.tutorial("r/ann")
	for frame, code := range map[string]shared.ErrorCode{
		`hello`:              shared.CodeBadFrame,
		`{"message":"  "}`:   shared.CodeEmpty,
		`{"type":"typing"}`:  shared.CodeNotAllowed,
		`{"type":"history"}`: shared.CodeNotAllowed,
		`{"type":"hello","user":"ann","device":"1234567890123456789012"}`: shared.CodeNotAllowed,
	} {
		c.sendRaw(frame)
		data, err := c.readRaw()
		if err != nil {
			t.Fatal(err)
		}
		var m map[string]any
		decodeJSON(t, string(data), &m)
		if m["type"] != "error" || m["code"] != string(code) || m["user"] != "" || m["message"] == "" {
			t.Errorf("%s: got %s", frame, data)
		}
	}
	c.sendRaw(`{"message":"still here"}`)
	c.next(shared.TypeChat)
}

// The seed's Flutter client draws what it sends itself.
func TestOwnMessagesAreLeftOut(t *testing.T) {
	s := start(t)
	dart := http.Header{"User-Agent": {"Dart/3.5 (dart:io)"}}
	for _, c := range []struct {
		path   string
		header http.Header
		echo   bool
	}{
		{"r1/ann", dart, false},
		{"r2", dart, true},
		{"r3/ann?echo=1", dart, true},
		{"r4/ann?echo=0", nil, false},
		{"r5/ann", nil, true},
	} {
		own, _, err := s.tryDial("/ws/chat/"+c.path, "", c.header)
		if err != nil {
			t.Fatal(err)
		}
		room, _, _ := strings.Cut(c.path, "?")
		room, _, _ = strings.Cut(room, "/")
		other := s.tutorial(room + "/bob")
		own.sendRaw(`{"message":"1"}`)
		equal(t, c.path+": Bob", other.texts(1), "1")
		other.sendRaw(`{"message":"2"}`)
		equal(t, c.path+": Bob", other.texts(1), "2")
		own.sendRaw(`{"message":"3"}`)
		equal(t, c.path+": Bob", other.texts(1), "3")
		other.sendRaw(`{"message":"4"}`)
		if c.echo {
			equal(t, c.path, own.texts(4), "1", "2", "3", "4")
		} else {
			equal(t, c.path, own.texts(2), "2", "4")
		}
	}
}

func TestTutorialGetsNoHistory(t *testing.T) {
	s := start(t)
	ann := s.tutorial("r/ann")
	ann.sendRaw(`{"message":"before"}`)
	ann.texts(1)
	bob := s.tutorial("r/bob")
	ann.sendRaw(`{"message":"after"}`)
	equal(t, "Bob", bob.texts(1), "after")
}

func TestTutorialFrameThatIsTooBig(t *testing.T) {
	s := start(t)
	c := s.tutorial("r")
	c.sendRaw(`{"message":"` + strings.Repeat("x", shared.MaxClientFrame) + `"}`)
	if ce := c.closed(); ce.Code != websocket.StatusMessageTooBig {
		t.Errorf("got %v", ce)
	}
}

func TestPaths(t *testing.T) {
	s := start(t)
	for path, rule := range map[string]string{
		"/ws/chat/":                               "empty",
		"/ws/chat/%20/":                           "empty",
		"/ws/chat//ann":                           "empty",
		"/ws/chat/" + strings.Repeat("x", 65):     "over 64",
		"/ws/chat/a%2Fb":                          "slash",
		"/ws/chat/r/a%2Fb":                        "slash",
		"/ws/chat/r/" + strings.Repeat("x", 33):   "over 32",
		"/ws/chat/r/a%00b":                        "character",
		"/ws/chat/r/%E2%80%AEann":                 "character",
		"/ws/chat/%ff":                            "UTF-8",
		"/ws/chat/..%2f":                          "slash",
		"/ws/chat/a/b/c":                          "path",
		"/api/rooms/%ff/messages":                 "UTF-8",
		"/api/rooms/r/messages?limit=0":           "limit",
		"/api/rooms/r/messages?limit=101":         "limit",
		"/api/rooms/r/messages?before=x":          "before",
		"/api/rooms/r/messages?before=1e99":       "before",
		"/api/rooms/r/messages?before=-1&limit=5": "before",
	} {
		status, body, header := s.get(path)
		var problem struct {
			Type, Title, Detail string
			Status              int
		}
		decodeJSON(t, body, &problem)
		if status != 400 || problem.Status != 400 || header.Get("Content-Type") != "application/problem+json" ||
			!strings.Contains(problem.Detail, rule) {
			t.Errorf("%s: %d %s", path, status, body)
		}
	}
	c := s.tutorial("caf%C3%A9%20%25/Zo%C3%AB")
	c.sendRaw(`{"message":"hi"}`)
	if m := c.next(shared.TypeChat); m.User != "Zoë" {
		t.Errorf("got %+v", m)
	}
	if rooms := s.hub.Rooms(); len(rooms) != 1 || rooms[0].Name != "café %" {
		t.Errorf("the rooms are %+v", rooms)
	}
}

func TestOrigin(t *testing.T) {
	s := start(t, func(c *chat.Config) { c.AllowOrigin = []string{"https://chat.example"} })
	for origin, ok := range map[string]bool{
		"":                     true,
		s.http.URL:             true,
		"https://chat.example": true,
		"http://chat.example":  false,
		"https://evil.example": false,
		"null":                 false,
	} {
		header := http.Header{}
		if origin != "" {
			header.Set("Origin", origin)
		}
		c, resp, err := s.tryDial("/ws/chat/r", "", header)
		if ok != (err == nil) {
			t.Errorf("origin %q: %v", origin, err)
		}
		if err != nil && resp.StatusCode != http.StatusForbidden {
			t.Errorf("origin %q: status %d", origin, resp.StatusCode)
		}
		if err == nil {
			c.leave()
		}
	}
}

func TestUnknownSubprotocol(t *testing.T) {
	s := start(t)
	if _, resp, err := s.tryDial("/ws/chat/r", "parley.v9", nil); err == nil || resp.StatusCode != 400 {
		t.Errorf("got %v", err)
	}
}

func TestConnectionsPerAddress(t *testing.T) {
	s := start(t, func(c *chat.Config) { c.MaxPerAddress = 2 })
	a := s.tutorial("r")
	s.tutorial("r")
	if _, resp, err := s.tryDial("/ws/chat/r", "", nil); err == nil || resp.StatusCode != http.StatusTooManyRequests {
		t.Errorf("the third connection: %v", err)
	}
	a.leave()
	for { // the server hears of it in its own time
		if _, _, err := s.tryDial("/ws/chat/r", "", nil); err == nil {
			return
		}
	}
}
