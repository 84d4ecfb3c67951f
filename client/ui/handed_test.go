//go:build !android

package ui

import (
	"context"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"parley/client/session"
	"parley/client/ui/lang"
	"parley/client/ui/uitest"
	"parley/shared"
)

func init() {
	scenes = append(scenes, scene{"link", func(w *world) {
		w.client.start()
		w.room("Lobby", "Ann")
		w.client.handed("http://192.0.2.7:8000/r/Grace%20Brewster%20Murray%20Hopper")
	}})
}

// inboxed gives the app a file for links, and a way to leave one there.
func (w *world) inboxed() (leave func(text string)) {
	w.t.Helper()
	w.client.inbox = filepath.Join(w.t.TempDir(), inboxName)
	return func(text string) {
		w.t.Helper()
		if err := leaveLink(w.client.inbox, text); err != nil {
			w.t.Fatal(err)
		}
	}
}

// question is what lies above the page, in one line.
func (w *world) question() string {
	top := w.window.Canvas().Overlays().Top()
	if top == nil {
		return ""
	}
	return strings.Join(strings.Fields(uitest.Texts(top)), " ")
}

// Whatever a link leads to, the app asks, and asks nobody else before that.
func TestHandedLinkAsks(t *testing.T) {
	for _, phone := range []bool{true, false} {
		uitest.OnPhone(t, phone)
		w := newWorld(t, uitest.Phone, nil)
		leave := w.inboxed()
		var asked []string
		probe := w.client.net.probe
		w.client.net.probe = func(ctx context.Context, base string, pins *session.Pins) (session.ServerInfo, error) {
			w.client.bridge.Post(func() { asked = append(asked, base) })
			return probe(ctx, base, pins)
		}
		leave("parley://192.0.2.7/r/Kitchen#k=correct%20horse")
		w.client.start() // also when the app is not there yet
		if got := w.question(); !strings.Contains(got, "Go to “Kitchen”?") || !strings.Contains(got, "192.0.2.7:8000") || strings.Contains(got, "horse") {
			t.Errorf("the app asks %q", got)
		}
		if files, _ := filepath.Glob(filepath.Dir(w.client.inbox) + "/*"); len(files) > 0 {
			t.Errorf("%q are left", files)
		}
		tapAction(t, w, lang.T("moved.stay"))
		w.client.setFocused(false)
		w.client.setFocused(true)
		if w.question() != "" || w.client.prefs.server() != "http://192.0.2.1:8000" {
			t.Errorf("after a no: %q, %s", w.question(), w.client.prefs.server())
		}
		lobby := w.room("Lobby", "Ann")
		leave("Look: http://192.0.2.7:8000/r/Attic. Come!")
		w.client.setFocused(true)
		if got := w.question(); !strings.Contains(got, "Go to “Attic”?") || !strings.Contains(got, "You leave the rooms of 192.0.2.1:8000") {
			t.Errorf("the app asks %q", got)
		}
		leave("http://192.0.2.8:8000") // a later one takes its place
		w.client.setFocused(true)
		if n := len(w.window.Canvas().Overlays().List()); n != 1 {
			t.Errorf("%d questions lie above the page", n)
		}
		if got := w.question(); !strings.Contains(got, "Go to 192.0.2.8:8000") || len(w.client.open) != 1 || w.client.open[0] != lobby {
			t.Errorf("the app asks %q", got)
		}
		tapAction(t, w, lang.T("moved.go"))
		if _, ok := w.client.nav.top().(*askRoomPage); !ok || w.client.prefs.server() != "http://192.0.2.8:8000" || len(w.client.open) != 0 {
			t.Errorf("after a yes: %T of %s, %d rooms", w.client.nav.top(), w.client.prefs.server(), len(w.client.open))
		}
		w.queue.Drain()
		for _, base := range asked {
			if base == "http://192.0.2.7:8000" {
				t.Error("a server was asked that the person did not want to go to")
			}
		}
	}
}

// On the known server a link leads to a room after a question, and to an open one without.
func TestHandedLinkToARoom(t *testing.T) {
	w := newWorld(t, uitest.Phone, nil)
	leave := w.inboxed()
	var key string // that the last room was opened with
	open := w.client.net.open
	w.client.net.open = func(c session.Config) *session.Room { key = c.Key; return open(c) }
	w.client.start()
	lobby := w.room("Lobby", "Ann")
	w.client.back(false)
	leave("http://192.0.2.1:8000/r/lobby")
	w.client.setFocused(true)
	if w.question() != "" || w.page().conv != lobby {
		t.Errorf("an open room: %q", w.question())
	}
	leave("http://192.0.2.1:8000/r/Attic#k=correct%20horse")
	w.client.setFocused(true)
	if got := w.question(); !strings.Contains(got, "Go to “Attic”?") || strings.Contains(got, "leave") {
		t.Errorf("the app asks %q", got)
	}
	tapAction(t, w, lang.T("moved.go"))
	if p := w.page(); p.conv.Name != "Attic" || key != "correct horse" || len(w.client.open) != 2 {
		t.Errorf("in %q by %q, %d rooms", p.conv.Name, key, len(w.client.open))
	}
	w.client.back(false)
	if _, ok := w.client.nav.top().(*askRoomPage); !ok {
		t.Errorf("back is a %T", w.client.nav.top())
	}
}

// A newcomer is asked for a name, and is in the room then.
func TestHandedLinkToANewcomer(t *testing.T) {
	w := newWorld(t, uitest.Phone, func(p prefs) { p.setName(""); p.setServer("") })
	w.inboxed()("parley://192.0.2.7:8000/r/Kitchen")
	w.client.start()
	tapAction(t, w, lang.T("moved.go"))
	p, ok := w.client.nav.top().(*landingPage)
	if !ok || p.state.text.Text != lang.T("name.empty") || w.window.Canvas().Focused() == nil {
		t.Fatalf("without a name: %T", w.client.nav.top())
	}
	p.name.Entry.SetText("Ann")
	p.submit()
	if w.page().conv.Name != "Kitchen" || w.client.prefs.server() != "http://192.0.2.7:8000" {
		t.Errorf("in %q of %s", w.page().conv.Name, w.client.prefs.server())
	}
}

// What is no link is said to be none, and leads nowhere.
func TestHandedNonsense(t *testing.T) {
	w := newWorld(t, uitest.Phone, nil)
	leave := w.inboxed()
	w.client.start()
	top := w.client.nav.top()
	for text, want := range map[string]string{
		"": lang.T("link.none"), "hello": lang.T("link.none"), "\xff": lang.T("link.none"),
		"parley://": lang.T("link.none"), "parley://@": lang.T("link.damaged"), "intent://192.0.2.7/r/A": lang.T("link.none"),
		"javascript:alert(1)": lang.T("link.none"), "file:///etc/passwd": lang.T("link.none"),
		"parley://192.0.2.7/r/a%2Fb": lang.T("link.damaged"), "come: http://192.0.2.7:8000/r/A#k=short": lang.T("link.damaged"),
		strings.Repeat("http://192.0.2.7:8000/r/A ", 1000): lang.T("link.none"), // longer than what is read
	} {
		leave(text)
		w.client.setFocused(true)
		if w.question() != "" || !strings.Contains(w.texts(), want) || w.client.nav.top() != top {
			t.Errorf("%.40q: %q; %q", text, w.question(), w.texts())
		}
		w.client.nav.Say(" ")
	}
	secret := filepath.Join(t.TempDir(), "secret")
	if err := os.WriteFile(secret, []byte("http://192.0.2.7:8000/r/A"), 0o600); err != nil {
		t.Fatal(err)
	}
	for _, odd := range []func(path string) error{
		func(path string) error { return os.Mkdir(path, 0o700) },
		func(path string) error { return os.Symlink("/dev/zero", path) },
		func(path string) error { return os.Symlink(secret, path) },
	} {
		if err := odd(w.client.inbox); err != nil {
			t.Fatal(err)
		}
		w.client.setFocused(true)
		if files, _ := filepath.Glob(w.client.inbox + "*"); w.question() != "" || len(files) > 0 {
			t.Errorf("%q, %q is left", w.question(), files)
		}
	}
}

func TestLinkIn(t *testing.T) {
	for text, want := range map[string]string{
		" parley://192.0.2.7/r/A\n":                          "http://192.0.2.7:8000/r/A",
		"(PARLEY://192.0.2.7/r/A), see":                      "http://192.0.2.7:8000/r/A",
		"see <parley://192.0.2.7/r/A>.":                      "http://192.0.2.7:8000/r/A",
		"http://a.example/news and http://192.0.2.7:1/r/A":   "http://192.0.2.7:1/r/A",
		"Chat\nhttps://192.0.2.7/r/A#k=correct%20horse":      "https://192.0.2.7/r/A#k=correct%20horse",
		"at http://192.0.2.7:8000 or http://192.0.2.8:8000":  "http://192.0.2.7:8000/",
		"http://192.0.2.7:1/r/A#k=short, http://192.0.2.8:8": "http://192.0.2.8:8/",
		"notparley://a.example/r/A is":                       "",
		"the server is 192.0.2.7:8000":                       "http://192.0.2.7:8000/",
	} {
		link, problem := linkIn(text)
		if got := link.String(); problem == "" && got != want || problem != "" && want != "" {
			t.Errorf("%q: %s, %s", text, got, problem)
		}
	}
}

// A link that names another certificate than the server is known by does not lead in.
func TestHandedLinkNamesAnotherCertificate(t *testing.T) {
	w := newWorld(t, uitest.Phone, func(p prefs) { p.setServer(tlsServer) })
	handshake(t, w.client.pins, tlsServer)
	leave := w.inboxed()
	w.client.start()
	leave("parley://" + strings.TrimPrefix(tlsServer, "https://") + "/r/Attic#fp=dodod-dodod-dodod-dodod-dodod-dodod")
	w.client.setFocused(true)
	tapAction(t, w, lang.T("moved.go"))
	if _, ok := w.client.nav.top().(*landingPage); !ok || !strings.Contains(w.texts(), lang.T("cause.link_words")) {
		t.Errorf("the link leads to a %T:\n%s", w.client.nav.top(), w.texts())
	}
}

// The app and a real server: a link that is left leads into its room, and another one to
// another server. What is written there arrives.
func TestHandedLinkJoins(t *testing.T) {
	first, second := startServer(t), startServer(t)
	w := meet(t, "http://"+first, "Lobby")
	leave := w.inboxed()
	for _, address := range []string{first, second} {
		bob := join(t, t.Context(), address, "Garden", "Bob")
		leave("parley://" + address + "/r/Garden")
		w.client.setFocused(true)
		tapAction(t, w, lang.T("moved.go"))
		w.settle(func() bool { return slices.Contains(w.connected(), "Garden") })
		w.page().conv.Session.Send("hello")
		if m := bob.next(t.Context(), shared.TypeChat); m.User != "Ann" || m.Text != "hello" {
			t.Errorf("Bob receives %+v", m)
		}
	}
	if got := w.connected(); len(got) != 1 {
		t.Errorf("the rooms %q are connected", got)
	}
}
