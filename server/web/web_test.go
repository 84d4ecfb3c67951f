package web_test

import (
	"io"
	"maps"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"parley/server/web"
	"parley/shared/lang"
)

func get(t *testing.T, h http.Handler, method, target string, header ...string) *http.Response {
	t.Helper()
	r := httptest.NewRequest(method, target, nil)
	for i := 0; i < len(header); i += 2 {
		if header[i] == "Host" {
			r.Host = header[i+1]
		}
		r.Header.Set(header[i], header[i+1])
	}
	w := httptest.NewRecorder()
	h.ServeHTTP(w, r)
	return w.Result()
}

func TestHandler(t *testing.T) {
	h := web.New("", problem)
	for _, test := range []struct {
		path   string
		status int
		want   string // of the body, or of Location
	}{
		{"/", 200, "name-input"},
		{"/?utm=1", 200, "name-input"},
		{"/?name=Ann", 200, "name-input"},
		{"/favicon.ico", 200, "<svg"},
		{"/apple-touch-icon.png", 200, "PNG"},
		{"/static/apple-touch-icon.png", 200, "PNG"},
		{"/static/manifest.json", 200, `"start_url": "../chat/"`},
		{"/chat", 301, "/chat/"},
		{"/chat/", 200, "room-name-input"},
		{"/chat/?room=", 200, "room-name-input"},
		{"/chat/?room=Team+Pizza", 303, "/chat/Team%20Pizza/"},
		{"/chat/?room=a/b", 400, "slash"},
		{"/chat/lobby", 303, "/chat/lobby/"},
		{"/chat/lobby/", 200, "chat-message-input"},
		{"/chat/%C5%81%C3%B3d%C5%BA/", 200, "chat-message-input"},
		{"/chat/100%25/", 200, "chat-message-input"},
		{"/chat/lobby/ann", 404, "nothing at this address"},
		{"/chat/a%2Fb/", 400, "slash"},
		{"/chat/%2e%2e/", 400, "dots"},
		{"/chat/%20/", 400, "empty"},
		{"/chat//", 400, "empty"},
		{"/chat/%00/", 400, "empty"},
		{"/chat/a%0Ab/", 400, "line break"},
		{"/chat/%FF/", 400, "UTF-8"},
		{"/chat/" + strings.Repeat("x", 65), 400, "over 64"},
		{"/static/main.js", 200, "import"},
		{"/static/style.css", 200, ":root"},
		{"/static/icon.svg", 200, "<svg"},
		{"/static/page.html", 404, "nothing at this address"},
		{"/static/lang/de.json", 200, "Räume"},
		{"/static/lang/xx.json", 404, "nothing at this address"},
		{"/static/", 404, "nothing at this address"},
		{"/static/../web.go", 404, "nothing at this address"},
		{"/elsewhere", 404, "nothing at this address"},
		{"/r/lobby", 200, ">lobby</h1>"},
		{"/r/lobby/?utm=1", 200, ">lobby</h1>"},
		{"/r/%3Cb%3E%22", 200, ">&lt;b&gt;&#34;</h1>"},
		{"/r/%E8%AA%B0%E3%81%8B", 200, ">誰か</h1>"},
		{"/r/a%2Fb", 400, "slash"},
		{"/r/%FF", 400, "UTF-8"},
		{"/r/", 404, "nothing at this address"},
		{"/r/lobby/ann", 404, "nothing at this address"},
		{"/join", 404, "nothing at this address"}, // nobody is invited yet
	} {
		res := get(t, h, "GET", test.path)
		body, _ := io.ReadAll(res.Body)
		got := string(body)
		if l := res.Header.Get("Location"); l != "" {
			got = l
		}
		if res.StatusCode != test.status || !strings.Contains(got, test.want) {
			t.Errorf("%s: %d %.60q, want %d %q", test.path, res.StatusCode, got, test.status, test.want)
		}
	}
	if res := get(t, h, "POST", "/chat/"); res.StatusCode != 405 || res.Header.Get("Allow") != "GET, HEAD" {
		t.Errorf("POST: %d, Allow %q", res.StatusCode, res.Header.Get("Allow"))
	}
	if res := get(t, h, "HEAD", "/"); res.StatusCode != 200 {
		t.Errorf("HEAD: %d", res.StatusCode)
	}
}

func TestHeaders(t *testing.T) {
	h := web.New("", problem)
	for path, contentType := range map[string]string{
		"/":                 "text/html; charset=utf-8",
		"/chat/lobby/":      "text/html; charset=utf-8",
		"/static/main.js":   "text/javascript; charset=utf-8",
		"/static/style.css": "text/css; charset=utf-8",
		"/favicon.ico":      "image/svg+xml",
	} {
		res := get(t, h, "GET", path)
		for name, want := range map[string]string{
			"Content-Type":           contentType,
			"Cache-Control":          "no-cache",
			"X-Content-Type-Options": "nosniff",
			"Referrer-Policy":        "no-referrer",
			"Set-Cookie":             "", // none at all, ever
		} {
			if got := res.Header.Get(name); got != want {
				t.Errorf("%s: %s is %q, want %q", path, name, got, want)
			}
		}
		if res := get(t, h, "GET", path, "If-None-Match", res.Header.Get("ETag")); res.StatusCode != http.StatusNotModified {
			t.Errorf("%s: %d for its own ETag", path, res.StatusCode)
		}
	}
}

func TestContentSecurityPolicy(t *testing.T) {
	h := web.New("", problem)
	for host, want := range map[string]string{
		"192.168.1.5:8000":    "connect-src 'self' ws://192.168.1.5:8000 wss://192.168.1.5:8000;",
		"chat.example":        "connect-src 'self' ws://chat.example wss://chat.example;",
		"[fe80::1]:8000":      "connect-src 'self' ws://[fe80::1]:8000 wss://[fe80::1]:8000;",
		"a; script-src *":     "connect-src 'self';",
		"a:80 https://b":      "connect-src 'self';",
		"a\nb":                "connect-src 'self';",
		"*":                   "connect-src 'self';",
		"ex.org:123456":       "connect-src 'self';",
		"user@ex.org":         "connect-src 'self';",
		"[::1]; img-src *:80": "connect-src 'self';",
	} {
		policy := get(t, h, "GET", "/", "Host", host).Header.Get("Content-Security-Policy")
		if strings.Contains(policy, "unsafe") || !strings.Contains(policy, "frame-ancestors 'none'") || !strings.Contains(policy, want) || !strings.HasPrefix(policy, "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' blob:; media-src 'self'; manifest-src") {
			t.Errorf("for the host %q the policy is %q", host, policy)
		}
	}
}

// invitations are loaded by whoever follows a room's link, invites, or shows /join.
var invitations = []string{"link.js", "follow.js", "invite.js", "join.js", "join.css"}

// changing is loaded with the first message that is answered, reacted to or has
// code, and by whoever answers, changes or finds one.
var changing = []string{"changes.js", "act.js", "about.js", "menu.js", "marks.js", "find.js", "complete.js", "code.js", "changes.css"}

// hosting is loaded with the first thing that a host does, and what is pinned.
var hosting = []string{"hosts.js", "notices.js", "pinned.js"}

// filing is loaded with the first message that has a file, and by whoever sends one.
var filing = []string{"picture.js", "attach.js", "upload.js", "file.js", "files.css"}

// A phone on a weak Wi-Fi loads all of the page in a blink. What is counted is
// what is sent, before any compression.
func TestBudget(t *testing.T) {
	h := web.New("", problem)
	read := func(path string) string {
		body, _ := io.ReadAll(get(t, h, "GET", path).Body)
		return string(body)
	}
	limit := func(what string, size, limit int) {
		t.Logf("%s: %d bytes of %d", what, size, limit<<10)
		if size > limit<<10 {
			t.Errorf("%s has %d bytes, and should stay within %d KB", what, size, limit)
		}
	}
	entries, err := os.ReadDir("static")
	if err != nil {
		t.Fatal(err)
	}
	room := read("/chat/lobby/")
	all, later, changes, files, hosts := len(room), 0, 0, 0, 0
	for _, e := range entries {
		size := len(read("/static/" + e.Name()))
		if slices.Contains(invitations, e.Name()) {
			later += size
		} else if slices.Contains(changing, e.Name()) {
			changes += size
		} else if slices.Contains(filing, e.Name()) {
			files += size
		} else if slices.Contains(hosting, e.Name()) {
			hosts += size
		} else {
			all += size
		}
	}
	limit("the page", all, 83)                            // 9 KB of it for changes, hosts and files, as in the first room
	limit("what invites", later, 7)                       // 1 KB of it for the link into the app
	limit("what answers, changes and finds", changes, 24) // 1 KB of it for the looks of what hosts do
	limit("what hosts do and see", hosts, 8)
	limit("what sends and shows files", files, 24)

	// The first room is the page, what it links to, and what its script imports
	// before it runs.
	first := len(room)
	links := regexp.MustCompile(`(?:href=|src=|from ?["']\.)(/[\w./-]+\.(?:js|css|svg))|(?:from ?["']\./)([\w.-]+)`)
	seen := make(map[string]bool)
	var follow func(source string)
	follow = func(source string) {
		for _, m := range links.FindAllStringSubmatch(source, -1) {
			path := "/static/" + filepath.Base(m[1]+m[2])
			if seen[path] {
				continue
			}
			seen[path] = true
			file := read(path)
			first += len(file)
			follow(file)
		}
	}
	follow(room)
	if !seen["/static/codec.js"] || !seen["/static/style.css"] || seen["/static/people.js"] || seen["/static/link.js"] {
		t.Errorf("the first room loads %v", slices.Sorted(maps.Keys(seen)))
	}
	// 4 KB of it are for changes: their frames, what waits of them, in which order and
	// for which tab, and loading what carries them out; 1 KB for the frames of hosts;
	// 1 KB for the frames of files, and what waits of them; 3 KB for what hosts have set:
	// why one may not write, what is shown in its place, how a message waits in slow mode,
	// and the door's reasons in the page's language; 1 KB for why the server refuses.
	limit("the first room", first, 66)
	for _, l := range lang.Languages {
		limit("the language "+l.Code, len(read("/static/lang/"+l.Code+".json")), 15) // 5 KB of it for hosts, 1 KB for what the server refuses
	}
}
