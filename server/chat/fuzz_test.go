package chat_test

import (
	"context"
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"net/url"
	"strings"
	"testing"

	"github.com/go-chi/chi/v5"

	"parley/server/chat"
	"parley/server/files"
	"parley/server/sqlitelog"
	"parley/shared"
)

// FuzzPath reads the paths of sockets and rooms.
func FuzzPath(f *testing.F) {
	for _, s := range []string{"lobby", "lobby/", "lobby/ann", "a%2Fb", "%zz", "..", "%2e%2e", "a/b/c", "%F0%9F%98%80", "%00", "a//b", "?x", "%25"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		u, err := url.ParseRequestURI("/ws/chat/" + s)
		if err != nil {
			return
		}
		parts, err := chat.Segments(&http.Request{URL: u}, "/ws/chat/")
		if err != nil {
			return
		}
		for _, p := range parts {
			if name, err := shared.RoomName(p); err == nil && (strings.ContainsAny(name.Text, "/\\\n\r\x00") || name.Text == ".." || name.Key == "") {
				t.Errorf("%q gives the room %+v", s, name)
			}
		}
	})
}

// FuzzForwarded believes nobody but the trusted proxies.
func FuzzForwarded(f *testing.F) {
	for _, s := range []string{"", "192.0.2.1", "192.0.2.1, 10.0.0.2", ", ,", "10.0.0.1,10.0.0.2", "::ffff:10.0.0.1", "fe80::1%eth0", "[::1]:80", "unknown", "192.0.2.1:8"} {
		f.Add("10.0.0.1", s)
		f.Add("192.0.2.9", s)
	}
	trusted := chat.Trusted("10.0.0.0/8")
	f.Fuzz(func(t *testing.T, peer, header string) {
		p, err := netip.ParseAddr(peer)
		if err != nil {
			return
		}
		got := chat.Forwarded(p, []string{header}, trusted)
		if bare := p.Unmap().WithZone(""); !trusted[0].Contains(bare) && got != bare {
			t.Errorf("%s with %q is taken for %s", peer, header, got)
		}
		if !got.IsValid() {
			t.Errorf("%s with %q is no address", peer, header)
		}
	})
}

// FuzzHost lets no public name pass for a local one.
func FuzzHost(f *testing.F) {
	for _, s := range []string{"localhost:8000", "[::1]:80", "evil.example", "a.local", "x.lan:1", "[", "]:", "1.2.3.4.", "EVIL.example.", "a:b:c"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, host string) {
		if (chat.Config{}).ServesHost("x." + host + ".example") {
			t.Errorf("%q is served under a public name", host)
		}
	})
}

// FuzzHello says a first frame to a server, which must answer it or close.
func FuzzHello(f *testing.F) {
	for _, s := range []string{
		`{"type":"hello","user":"Ann","device":"0123456789abcdefghijklmnop"}`,
		`{"type":"hello","user":"Ann","device":"0123456789abcdefghijklmnop","epoch":"e","after":9007199254740991}`,
		`{"type":"hello","user":"Ann","device":"0123456789abcdefghijklmnop","key":"12345678","listed":false}`,
		`{"type":"hello","device":"short"}`, `{"type":"typing"}`, `{`, ``, "\xff", `null`,
	} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, frame string) {
		m, err := shared.Decode([]byte(frame))
		if err != nil || m.Type != shared.TypeHello {
			return
		}
		if _, err := shared.PersonName(m.User); err == nil && shared.CheckDevice(m.Device) == nil {
			again, err := shared.Decode(shared.Encode(m))
			if err != nil || again.Key != m.Key || again.Hidden != m.Hidden || again.After != m.After {
				t.Errorf("%q is read again as %+v, %v", frame, again, err)
			}
		}
		if key, err := shared.CheckKey(m.Key); err == nil {
			if again, ok := shared.NormalKey(key); !ok || again != key {
				t.Errorf("the passphrase %q does not settle: %q", key, again)
			}
		}
	})
}

// FuzzForm posts any form: it is always answered, never with an error of the server's own,
// and no file stays that has no message.
func FuzzForm(f *testing.F) {
	for _, s := range []string{
		form(aFile("a.txt"), "content", `"message"`, "Look", `"user"`, "Cam", `"width"`, "4", `"height"`, "3"), form(`"message"`, "x"),
		form(aFile("../a"), "x", aFile("b"), "y"), form(`"thumb"`, "x"), "--b0--", "--b0\r\n\r\n", "--b0\r\nContent-Disposition: form-data; name=file; filename*=UTF-8''%00\r\n\r\n",
	} {
		f.Add(s)
	}
	log, err := sqlitelog.Open(context.Background(), f.TempDir(), sqlitelog.Options{Sync: sqlitelog.Normal})
	if err != nil {
		f.Fatal(err)
	}
	store, err := files.Open(context.Background(), f.TempDir(), log, files.Options{Max: maxFile})
	if err != nil {
		f.Fatal(err)
	}
	hub := chat.NewHub(chat.Config{Log: log, Registry: log, Token: token, Files: store})
	f.Cleanup(func() {
		err := hub.Shutdown(context.Background())
		store.Close()
		if err := errors.Join(err, log.Close()); err != nil {
			f.Error(err)
		}
	})
	handler := chi.NewRouter()
	hub.Routes(handler)
	f.Fuzz(func(t *testing.T, body string) {
		r := httptest.NewRequest(http.MethodPost, "/api/rooms/lobby/messages", strings.NewReader(body))
		r.Header.Set("Content-Type", formType)
		r.Header.Set("Authorization", "Bearer "+token)
		r.Host = "localhost"
		w := httptest.NewRecorder()
		handler.ServeHTTP(w, r)
		if w.Code >= 500 || w.Code == http.StatusTooManyRequests {
			t.Errorf("%q: %d %s", body, w.Code, w.Body)
		}
		rows, err := log.Files(t.Context(), "", 1000)
		for _, row := range rows {
			if row.Offset == 0 {
				t.Errorf("%q leaves %+v, %v", body, row, err)
			}
		}
	})
}

// FuzzRequest asks a server for anything: it always answers, and never with an
// error of its own.
func FuzzRequest(f *testing.F) {
	for _, s := range []string{"/api/rooms", "/api/rooms/lobby/messages?before=1&limit=2", "/ws/chat/lobby", "/metrics", "/api/rooms/%zz/messages", "/healthz"} {
		f.Add("GET", s, "localhost", "", "")
		f.Add("POST", s, "evil.example", "http://evil.example", `{"message":"x"}`)
	}
	log, err := sqlitelog.Open(context.Background(), f.TempDir(), sqlitelog.Options{Sync: sqlitelog.Normal})
	if err != nil {
		f.Fatal(err)
	}
	hub := chat.NewHub(chat.Config{Log: log, Registry: log, Token: token})
	f.Cleanup(func() {
		if err := errors.Join(hub.Shutdown(context.Background()), log.Close()); err != nil {
			f.Error(err)
		}
	})
	handler := chi.NewRouter()
	hub.Routes(handler)
	f.Fuzz(func(t *testing.T, method, target, host, origin, body string) {
		u, err := url.ParseRequestURI(target)
		if err != nil {
			return
		}
		r := &http.Request{Method: method, URL: u, Host: host, RemoteAddr: "192.0.2.1:1", Body: http.NoBody,
			Header: http.Header{"Origin": {origin}, "Authorization": {"Bearer " + token}}}
		if body != "" {
			r.Body = io.NopCloser(strings.NewReader(body))
		}
		w := httptest.NewRecorder()
		handler.ServeHTTP(w, r)
		if w.Code >= 500 {
			t.Errorf("%s %q: %d %s", method, target, w.Code, w.Body)
		}
	})
}
