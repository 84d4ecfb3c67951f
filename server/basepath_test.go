package main

import (
	"io"
	"net/http"
	"strings"
	"testing"

	"parley/shared"
)

func TestParseBasePath(t *testing.T) {
	for s, want := range map[string]string{
		"": "", "/": "", "/parley": "/parley", "parley": "/parley", "/parley/": "/parley", "/a/b-c/d_e.f~1": "/a/b-c/d_e.f~1",
		"/my chat": "error", "/a//b": "error", "/..": "error", "/a/../b": "error", "/.well-known": "error", "/a%2Fb": "error", "/ä": "error",
		"https://example.org/parley": "error", "/a?b": "error", "/chat": "error", "/x/chat/y": "error", "/api": "error", "/ws": "error",
		"/static": "error", "/r": "error", "/chats": "/chats",
	} {
		got, err := parseBasePath(s)
		if err != nil {
			got = "error"
			if !strings.HasPrefix(err.Error(), "--base-path ") || !strings.Contains(err.Error(), "/parley") {
				t.Errorf("%q: %v", s, err)
			}
		}
		if got != want {
			t.Errorf("%q is %q, want %q", s, got, want)
		}
	}
}

// Below its base path the server answers as at the root, for a proxy that passes
// the path on, and without it, for one that takes it away. What it answers leads
// below the base path either way.
func TestBasePath(t *testing.T) {
	out, _ := runServer(t, "--data", t.TempDir(), "--base-path", "parley/")
	url := strings.TrimSuffix(out.wait(t, `http://127\.0\.0\.1:\d+/parley/\n`), "/parley/\n")
	stay := &http.Client{CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}
	defer stay.CloseIdleConnections()
	for _, c := range []struct {
		path   string
		status int
		want   string // of the body, or of Location
	}{
		{"/parley", 301, "/parley/"},
		{"/parley/", 200, "src=/parley/static/main.js"},
		{"/parley/chat", 301, "/parley/chat/"},
		{"/parley/chat/", 200, "action=/parley/chat/"},
		{"/parley/chat/?room=Team+Pizza", 303, "/parley/chat/Team%20Pizza/"},
		{"/parley/chat/a%2Fb/", 400, "slash"},
		{"/parley/static/main.js", 200, "import"},
		{"/parley/favicon.ico", 200, "<svg"},
		{"/parley/api/server", 200, `"protocol"`},
		{"/parley/healthz", 200, "ok"},
		{"/parley/r/Lobby", 200, "src=/parley/static/main.js"},
		{"/parley/join", 200, "href=/parley/static/join.css"},
		{"/parley/join.txt", 200, "No other device"},
		{"/parley/nowhere", 404, "There is nothing at this address"},
		{"/parley/ws/chat/Lobby", 426, "WebSocket"},
		{"/parleyx/", 404, "There is nothing at this address"},
		{"/parley/parley/", 404, "There is nothing at this address"},
		{"/", 200, "src=/parley/static/main.js"},
		{"/chat", 301, "/parley/chat/"},
		{"/chat/Lobby", 303, "/parley/chat/Lobby/"},
		{"/api/server", 200, `"protocol"`},
	} {
		resp, err := stay.Get(url + c.path)
		if err != nil {
			t.Fatal(err)
		}
		data, _ := io.ReadAll(resp.Body)
		resp.Body.Close()
		got := string(data)
		if l := resp.Header.Get("Location"); l != "" {
			got = l
		}
		if resp.StatusCode != c.status || !strings.Contains(got, c.want) || c.status/100 == 3 && got != c.want {
			t.Errorf("%s: %d %.300q, want %d %q", c.path, resp.StatusCode, got, c.status, c.want)
		}
	}
	// The tutorial's own client, and Parley's.
	ann := dial(t, url+"/parley/ws/chat/Lobby/Ann/", "")
	write(t, ann, `{"type":"chat_message","message":"hello","user":"Ann"}`)
	readUntil(t, ann, shared.TypeChat)
	bob := dial(t, url+"/ws/chat/Lobby", shared.Protocol)
	write(t, bob, string(shared.Encode(shared.Message{Type: shared.TypeHello, User: "Bob", Device: device})))
	if m := readUntil(t, bob, shared.TypeChat); m.Text != "hello" {
		t.Errorf("Bob sees %+v", m)
	}
	readOn(ann)
	readOn(bob)
}
