package chat_test

import (
	"bytes"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"parley/server/chat"
	"parley/shared"
)

const token = "0123456789abcdef-token"

// do sends a request with headers in pairs.
func (s *server) do(method, path, body string, header ...string) (status int, answer string) {
	s.t.Helper()
	req, err := http.NewRequest(method, s.http.URL+path, strings.NewReader(body))
	if err != nil {
		s.t.Fatal(err)
	}
	for i := 0; i < len(header); i += 2 {
		req.Header.Set(header[i], header[i+1])
	}
	resp, err := s.http.Client().Do(req)
	if err != nil {
		s.t.Fatal(err)
	}
	defer resp.Body.Close()
	b, err := io.ReadAll(resp.Body)
	if err != nil {
		s.t.Fatal(err)
	}
	return resp.StatusCode, string(b)
}

func TestPost(t *testing.T) {
	var log bytes.Buffer
	s := start(t, func(c *chat.Config) {
		c.Token = token
		c.Logger = slog.New(slog.NewTextHandler(&log, &slog.HandlerOptions{Level: slog.LevelDebug}))
	})
	ann, _ := s.join("hall", hello("Ann", newDevice()))
	bearer := []string{"Authorization", "Bearer " + token}
	post := func(body string, header ...string) (int, string) {
		t.Helper()
		return s.do("POST", "/api/rooms/hall/messages", body, append(header, bearer...)...)
	}
	status, body := post(`{"message":"backup done","user":"Nas"}`, "Idempotency-Key", `"run-1"`)
	if status != http.StatusCreated || !strings.Contains(body, `"id":"run-1","offset":1`) {
		t.Errorf("posted: %d %s", status, body)
	}
	if m := ann.next(shared.TypeChat); m.User != "Nas" || m.Text != "backup done" || m.ID != "run-1" {
		t.Errorf("Ann sees %+v", m)
	}
	if status, body = post(`{"message":"backup done","user":"Nas"}`, "Idempotency-Key", "run-1"); status != http.StatusOK || !strings.Contains(body, `"offset":1`) {
		t.Errorf("posted again: %d %s", status, body)
	}
	for range 2 {
		if status, _ = post(`{"message":"no key"}`); status != http.StatusCreated {
			t.Errorf("without a key: %d", status)
		}
		if m := ann.next(shared.TypeChat); m.User != "Bot" || m.Text != "no key" {
			t.Errorf("Ann sees %+v", m)
		}
	}
	s.join("attic", withKey("Ann", passphrase))
	for _, c := range []struct {
		path, body, header, value string
		status                    int
		says                      string
	}{
		{"hall", `{"message":"x"}`, "Authorization", "Bearer " + token[1:], 401, "token"},
		{"hall", `{"message":"x"}`, "Authorization", "Bearer ", 401, "token"},
		{"hall", `{"message":"x"}`, "Authorization", "Basic " + token, 401, "token"},
		{"hall", `{"message":"x","user":"ANN"}`, "", "", 409, "belongs to somebody else"},
		{"hall", `{"message":" "}`, "", "", 400, "empty"},
		{"hall", `message=x`, "", "", 400, "not a message like"},
		{"hall", `{"text":"x"}`, "", "", 400, "not a message like"},
		{"hall", `{"type":"poem"}`, "", "", 400, "not a message like"},
		{"hall", `{"message":7}`, "", "", 400, "The field"},
		{"hall", `{"message":"x","user":"a/b"}`, "", "", 400, "slash"},
		{"hall", ``, "", "", 400, "not a message"},
		{"hall", `[]`, "", "", 400, "not a message"},
		{"hall", `{"type":"hello","user":"x","device":"y"}`, "", "", 400, "not a message"},
		{"hall", `{"message":"` + strings.Repeat("x", shared.MaxText+1) + `"}`, "", "", 400, "4096"},
		{"hall", strings.Repeat(" ", shared.MaxClientFrame+1), "", "", 413, "65536 bytes"},
		{"hall", `{"message":"x"}`, "Idempotency-Key", strings.Repeat("k", 65), 400, "Idempotency-Key"},
		{"hall", `{"message":"x"}`, "Origin", "http://evil.example", 403, "--allow-origin"},
		{"attic", `{"message":"x"}`, "", "", 403, "passphrase"},
		{"a%2Fb", `{"message":"x"}`, "", "", 400, "slash"},
	} {
		header := bearer
		if c.header == "Authorization" {
			header = nil
		}
		if c.header != "" {
			header = append([]string{c.header, c.value}, header...)
		}
		if status, body := s.do("POST", "/api/rooms/"+c.path+"/messages", c.body, header...); status != c.status || !strings.Contains(body, c.says) {
			t.Errorf("%s %.40q with %s: %d %s, want %d %q", c.path, c.body, c.header, status, body, c.status, c.says)
		}
	}
	s.stop()
	if strings.Contains(log.String(), token[1:]) {
		t.Error("the token is in the log")
	}
}

func TestPostNeedsAToken(t *testing.T) {
	s := start(t)
	for _, header := range []string{"Bearer ", "Bearer " + token, "Bearer"} {
		if status, body := s.do("POST", "/api/rooms/hall/messages", `{"message":"x"}`, "Authorization", header); status != 403 || !strings.Contains(body, "--api-token-file") {
			t.Errorf("%d %s", status, body)
		}
	}
}

func TestPostsAreLimited(t *testing.T) {
	s := start(t, func(c *chat.Config) { c.Token, c.Rate, c.Burst = token, 0.001, 3 })
	for i := range 4 {
		status, _ := s.do("POST", "/api/rooms/hall/messages", `{"message":"x"}`, "Authorization", "Bearer "+token)
		if want := map[bool]int{true: 201, false: 429}[i < 3]; status != want {
			t.Errorf("post %d: %d", i, status)
		}
	}
}

// Metrics and profiles need the token from everywhere: a proxy on this host brings
// anybody's requests, and not each says so.
func TestMetricsNeedTheToken(t *testing.T) {
	s := start(t, func(c *chat.Config) {
		c.Token, c.Profiles = token, true
		c.TrustedProxy = chat.Trusted("127.0.0.0/8", "::1/128")
	})
	for _, c := range []struct {
		path   string
		header []string
		want   int
	}{
		{"/metrics", nil, 401},
		{"/metrics", []string{"X-Forwarded-For", "127.0.0.1"}, 401},
		{"/metrics", []string{"Authorization", "Bearer " + token}, 200},
		{"/metrics", []string{"X-Forwarded-For", "192.0.2.1", "Authorization", "Bearer " + token}, 200},
		{"/metrics", []string{"X-Forwarded-For", "192.0.2.1", "Authorization", "Bearer wrong"}, 401},
		{"/debug/pprof/", nil, 401},
		{"/debug/pprof/heap", nil, 401},
		{"/debug/pprof/profile", []string{"Authorization", "Bearer wrong"}, 401},
		{"/debug/pprof/", []string{"Authorization", "Bearer " + token}, 200},
		{"/debug/pprof/cmdline", []string{"Authorization", "Bearer " + token}, 200},
	} {
		if status, _ := s.do("GET", c.path, "", c.header...); status != c.want {
			t.Errorf("%s with %q: %d, want %d", c.path, c.header, status, c.want)
		}
	}
	for path, want := range map[string]int{"/metrics": 200, "/debug/pprof/": 200, "/debug/pprof/cmdline": 200, "/api/server": 404} {
		if w := s.metrics(path); w.Code != want {
			t.Errorf("the listener for metrics answers %s with %d, want %d", path, w.Code, want)
		}
	}
	off := start(t)
	if status, body := off.do("GET", "/metrics", "", "Authorization", "Bearer "+token); status != 403 || !strings.Contains(body, "--metrics-addr") {
		t.Errorf("metrics without a token in the server: %d %s", status, body)
	}
	if w := off.metrics("/debug/pprof/"); w.Code != 404 {
		t.Errorf("profiles without being asked for: %d", w.Code)
	}
	rebound := httptest.NewRequest("GET", "http://evil.example:9090/metrics", nil)
	w := httptest.NewRecorder()
	if off.hub.Metrics().ServeHTTP(w, rebound); w.Code != 403 {
		t.Errorf("metrics to a page whose name leads here: %d", w.Code)
	}
}
