package chat_test

import (
	"bytes"
	"encoding/json"
	"io"
	"log/slog"
	"net/http"
	"net/netip"
	"os"
	"strings"
	"testing"

	"parley/server/chat"
	"parley/shared"
)

func TestHosts(t *testing.T) {
	cfg := chat.Config{Hostname: "PC", AllowHost: []string{"chat.example", "Other.Example.", "*.wild.example"}}
	for host, want := range map[string]bool{
		"192.168.1.5:8000": true, "192.168.1.5": true, "[fe80::1]:8000": true, "[::1]": true, "127.0.0.1:1": true,
		"localhost:8000": true, "a.localhost": true, "pc": true, "Pc:8000": true, "pc.": true,
		"pc.local:8000": true, "pc.local.": true, "pc.lan": true, "pc.home.arpa": true, "pc.internal": true,
		"pc.fritz.box": true, "pc.home": true, "pc.localdomain": true, "pc.intranet": true,
		"nas": false, "nas:8000": false, "nas.local:8000": false, "nas.lan": false, "x.home.arpa": false, "x.internal": false,
		"pcx": false, "pc.evil": false, "pc.local.evil.example": false, "x.pc.local": false, ".local": false, "local": false,
		"chat.example:443": true, "CHAT.example.": true, "other.example": true,
		"a.wild.example": true, "a.b.wild.example": true, "wild.example": false, "evilwild.example": false, ".wild.example": false,
		"evil.example": false, "evil.example:8000": false, "local.evil.example": false, "evillocal.example": false,
		"192.168.1.5.evil.example": false, "chat.example.evil.example": false, "x.chat.example": false,
		"": false, "evil.example/.local": false, "user@pc": false, "a b": false,
	} {
		if got := cfg.ServesHost(host); got != want {
			t.Errorf("%q is served: %v", host, got)
		}
	}
	system := chat.Config{}
	if own, _ := os.Hostname(); !system.ServesHost(own) {
		t.Errorf("the system's own name %q is not served", own)
	}
	full := chat.Config{Hostname: "pc.example.org"}
	for host, want := range map[string]bool{"pc.example.org": true, "pc": true, "pc.lan": true, "example.org": false, "nas.example.org": false} {
		if got := full.ServesHost(host); got != want {
			t.Errorf("on pc.example.org, %q is served: %v", host, got)
		}
	}
}

// A page of another name gets nothing, whatever it asks for, and the answer says
// which flag lets it in.
func TestHostIsChecked(t *testing.T) {
	var log bytes.Buffer
	s := start(t, func(c *chat.Config) {
		c.Hostname, c.AllowHost = "parley", []string{"chat.example"}
		c.Logger = slog.New(slog.NewTextHandler(&log, nil))
	})
	s.join("hall", hello("Ann", newDevice()))
	ask := func(path, host, origin string) (int, string) {
		t.Helper()
		req, err := http.NewRequest("GET", s.http.URL+path, nil)
		if err != nil {
			t.Fatal(err)
		}
		req.Host = host
		if origin != "" {
			req.Header.Set("Origin", origin)
		}
		resp, err := http.DefaultTransport.RoundTrip(req)
		if err != nil {
			t.Fatal(err)
		}
		defer resp.Body.Close()
		b := make([]byte, 1000)
		n, _ := resp.Body.Read(b)
		return resp.StatusCode, string(b[:n])
	}
	for _, path := range []string{"/api/server", "/api/rooms", "/api/rooms/hall/messages", "/"} {
		for _, host := range []string{"evil.example", "evil.local:8000", "evil"} {
			flag := "--allow-host " + strings.TrimSuffix(host, ":8000") + "."
			if status, body := ask(path, host, ""); status != http.StatusForbidden || !strings.Contains(body, flag) {
				t.Errorf("%s under the name %s: %d %s", path, host, status, body)
			}
		}
		if path == "/" {
			break // the page is not this package's
		}
		if status, _ := ask(path, "chat.example", "http://chat.example"); status != http.StatusOK {
			t.Errorf("%s under an allowed name: %d", path, status)
		}
		if status, body := ask(path, "parley.lan", "http://evil.example"); status != http.StatusForbidden || !strings.Contains(body, "--allow-origin evil.example ") {
			t.Errorf("%s of another origin: %d %s", path, status, body)
		}
		if status, _ := ask(path, "parley.lan", "null"); status != http.StatusForbidden {
			t.Errorf("%s of no origin: %d", path, status)
		}
	}
	for host, want := range map[string]bool{"evil.example": false, "parley.lan": true} {
		header := http.Header{"Origin": {"http://" + host}, "Host": {host}}
		c, resp, err := s.tryDialHost(host, header)
		if (err == nil) != want {
			t.Errorf("a socket under %s: %v, %v", host, resp, err)
		}
		if c != nil {
			c.conn.CloseNow()
		}
	}
	if n := s.metric(`parley_limit_hits_total{limit="host"}`); n != "13" {
		t.Errorf("%s refused hosts counted", n)
	}
	if status, _ := ask("/api/server", "a\"; b", ""); status != http.StatusForbidden && status != http.StatusBadRequest {
		t.Errorf("a Host that is no name: %d", status)
	}
	s.stop()
	// One line, however many were refused.
	if n := strings.Count(log.String(), "was refused"); n != 1 || !strings.Contains(log.String(), `"--allow-host evil.example"`) {
		t.Errorf("%d lines about refusals: %s", n, &log)
	}
}

// What is the same for everyone, a page of any name may load: the page about a
// wrong name is made of it.
func TestEveryHostMayLoad(t *testing.T) {
	s := start(t)
	for path, want := range map[string]int{"/healthz": 200, "/readyz": 200, "/static/x": 404, "/static/../api/server": 404, "/healthz/../api/server": 403, "/static": 403} {
		req, err := http.NewRequest("GET", s.http.URL+path, nil)
		if err != nil {
			t.Fatal(err)
		}
		req.Host = "evil.example"
		resp, err := http.DefaultTransport.RoundTrip(req)
		if err != nil {
			t.Fatal(err)
		}
		resp.Body.Close()
		if resp.StatusCode != want {
			t.Errorf("%s: %d, want %d", path, resp.StatusCode, want)
		}
	}
}

// The page's scripts and sockets are served where hosts.json says so, and a socket
// that is refused says why to a page that asks over HTTP.
func TestHostVectors(t *testing.T) {
	var vectors struct{ Cases [][4]any } // Host, Origin, status, why
	data, err := os.ReadFile("testdata/hosts.json")
	if err == nil {
		err = json.Unmarshal(data, &vectors)
	}
	if err != nil || len(vectors.Cases) == 0 {
		t.Fatalf("no vectors: %v", err)
	}
	direct := start(t, func(c *chat.Config) { c.Hostname = "pc" })
	proxied := start(t, func(c *chat.Config) {
		c.AllowHost, c.TrustedProxy = []string{"chat.lan", "*.ts.net"}, chat.Trusted("127.0.0.0/8", "::1/128")
	})
	for _, v := range vectors.Cases {
		host, about, behind := strings.Cut(v[0].(string), " ")
		s, origin, want := direct, v[1].(string), int(v[2].(float64))
		if behind {
			s = proxied
		}
		for path, header := range map[string]string{"/api/server": "Origin", "/ws/chat/hall": "Page-Origin"} {
			req, err := http.NewRequest("GET", s.http.URL+path, nil)
			if err != nil {
				t.Fatal(err)
			}
			req.Host = host
			req.Header.Set(header, origin)
			resp, err := http.DefaultTransport.RoundTrip(req)
			if err != nil {
				t.Fatal(err)
			}
			body, _ := io.ReadAll(resp.Body)
			resp.Body.Close()
			status := resp.StatusCode
			if status == http.StatusUpgradeRequired {
				status = http.StatusOK // there is no reason to refuse an upgrade
			}
			if status != want {
				t.Errorf("%s of %s %s from %s: %d %s (%v)", path, host, about, origin, status, body, v[3])
			}
			if want == http.StatusForbidden && !strings.Contains(string(body), `"code":"wrong_host"`) && !strings.Contains(string(body), `"code":"refused_origin"`) {
				t.Errorf("%s of %s from %s does not say why: %s", path, host, origin, body)
			}
		}
	}
}

// A request that is no upgrade is told what the upgrade would be refused for.
func TestRefusalOverHTTP(t *testing.T) {
	s := start(t, func(c *chat.Config) { c.MaxPerAddress = 1 })
	ask := func() (int, string) {
		resp, err := http.Get(s.http.URL + "/ws/chat/hall/")
		if err != nil {
			t.Fatal(err)
		}
		defer resp.Body.Close()
		body, _ := io.ReadAll(resp.Body)
		return resp.StatusCode, string(body)
	}
	for range 3 { // none takes a place
		if status, body := ask(); status != http.StatusUpgradeRequired {
			t.Errorf("%d %s", status, body)
		}
	}
	s.join("hall", hello("Ann", newDevice()))
	if status, body := ask(); status != http.StatusTooManyRequests || !strings.Contains(body, `"code":"too_many"`) {
		t.Errorf("%d %s", status, body)
	}
}

func (s *server) tryDialHost(host string, header http.Header) (*client, *http.Response, error) {
	rewrite := roundTripper(func(r *http.Request) (*http.Response, error) {
		r.Host = host
		return http.DefaultTransport.RoundTrip(r)
	})
	return s.dialWith(&http.Client{Transport: rewrite}, "/ws/chat/hall", shared.Protocol, header)
}

type roundTripper func(*http.Request) (*http.Response, error)

func (f roundTripper) RoundTrip(r *http.Request) (*http.Response, error) { return f(r) }

func TestForwarded(t *testing.T) {
	trusted := chat.Trusted("10.0.0.0/8", "::1/128")
	for _, c := range []struct{ peer, header, want string }{
		{"192.0.2.1", "198.51.100.1", "192.0.2.1"}, // not a proxy
		{"10.0.0.1", "", "10.0.0.1"},
		{"10.0.0.1", "198.51.100.1", "198.51.100.1"},
		{"::ffff:10.0.0.1", "198.51.100.1", "198.51.100.1"},
		{"10.0.0.1", "203.0.113.9, 198.51.100.1", "198.51.100.1"}, // the rest is the client's own
		{"10.0.0.1", "203.0.113.9, 198.51.100.1, 10.2.3.4", "198.51.100.1"},
		{"::1", "2001:db8::7", "2001:db8::7"},
		{"10.0.0.1", "198.51.100.1, nonsense", "10.0.0.1"},
		{"10.0.0.1", "10.0.0.2", "10.0.0.2"},
		{"10.0.0.1", ",,,", "10.0.0.1"},
	} {
		if got := chat.Forwarded(netip.MustParseAddr(c.peer), []string{c.header}, trusted).String(); got != c.want {
			t.Errorf("from %s with %q: %s, want %s", c.peer, c.header, got, c.want)
		}
	}
}

// The limits of an address are those of the forwarded one, where a proxy may say so.
func TestTrustedProxy(t *testing.T) {
	t.Parallel()
	from := func(a string) http.Header { return http.Header{"X-Forwarded-For": {a}} }
	for _, trusted := range [][]netip.Prefix{nil, chat.Trusted("127.0.0.0/8", "::1/128")} {
		var log bytes.Buffer
		s := start(t, func(c *chat.Config) {
			c.TrustedProxy, c.MaxPerAddress = trusted, 1
			c.Logger = slog.New(slog.NewTextHandler(&log, nil))
		})
		if _, _, err := s.tryDial("/ws/chat/hall", "", from("192.0.2.1")); err != nil {
			t.Fatal(err)
		}
		_, _, other := s.tryDial("/ws/chat/hall", "", from("192.0.2.2"))
		_, _, same := s.tryDial("/ws/chat/hall", "", from("192.0.2.1"))
		if (other == nil) != (trusted != nil) || same == nil {
			t.Errorf("with the proxies %v, another client: %v, the same one: %v", trusted, other, same)
		}
		s.stop()
		// Whoever runs the server learns of a proxy that it does not know, once.
		if n := strings.Count(log.String(), `"--trusted-proxy 127.0.0.1"`); n != map[bool]int{true: 1, false: 0}[trusted == nil] {
			t.Errorf("with the proxies %v, %d lines say that one is unknown: %s", trusted, n, &log)
		}
	}
}
