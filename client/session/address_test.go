package session_test

import (
	"errors"
	"testing"

	"parley/client/session"
	"parley/shared"
)

func TestParseServer(t *testing.T) {
	for _, test := range []struct {
		text, base, room string
		cause            session.Cause
	}{
		{"192.168.1.5", "http://192.168.1.5:8000", "", ""},
		{" Anns-Laptop ", "http://anns-laptop:8000", "", ""},
		{"host:9000", "http://host:9000", "", ""},
		{"host/", "http://host:8000", "", ""},
		{"host:8000/chat/Lobby", "http://host:8000", "Lobby", ""},
		{"http://host:8000/chat/Lobby/", "http://host:8000", "Lobby", ""},
		{"http://host:8000/chat/a%20b%2Fc/?q=1#x", "", "", session.CauseBadRoom},
		{"http://host:8000/chat/Gr%C3%BC%C3%9Fe%20dich/", "http://host:8000", "Grüße dich", ""},
		{"HTTPS://chat.example/chat/Lobby", "https://chat.example", "Lobby", ""},
		{"http://chat.example", "http://chat.example", "", ""},
		{"ws://host:8000/ws/chat/Lobby/Ann", "http://host:8000", "Lobby", ""},
		{"wss://host/ws/chat/Lobby", "https://host", "Lobby", ""},
		{"http://host:8000/chat/", "http://host:8000", "", ""},
		{"http://host:8000/elsewhere/x", "http://host:8000/elsewhere/x", "", ""},
		{"http://host:8000/r/Lobby#k=correct%20horse", "http://host:8000", "Lobby", ""},
		{"parley://host:8000/r/Lobby", "http://host:8000", "Lobby", ""},
		{"host/r/Lobby", "http://host:8000", "Lobby", ""},
		{"chat.example:443", "https://chat.example:443", "", ""},
		{"chat.example:443/parley/", "https://chat.example:443/parley", "", ""},
		{"https://host/parley", "https://host/parley", "", ""},
		{"https://host/parley/", "https://host/parley", "", ""},
		{"https://host/parley/?q=1#x", "https://host/parley", "", ""},
		{"https://host/parley/chat/", "https://host/parley", "", ""},
		{"https://host/parley/chat/Lobby/", "https://host/parley", "Lobby", ""},
		{"https://host/a/b-c/chat/chat/", "https://host/a/b-c", "chat", ""},
		{"wss://host/parley/ws/chat/Lobby/Ann", "https://host/parley", "Lobby", ""},
		{"host:80/parley", "http://host:80/parley", "", ""},
		{"host//", "http://host:8000", "", ""},
		{"host/chat", "http://host:8000", "", ""},
		{"::1", "http://[::1]:8000", "", ""},
		{"[::1]:7000", "http://[::1]:7000", "", ""},
		{"fe80::1%eth0", "http://[fe80::1%25eth0]:8000", "", ""},
		{"", "", "", session.CauseBadAddress},
		{"two words", "", "", session.CauseBadAddress},
		{"host:port", "", "", session.CauseBadAddress},
		{"host:0", "", "", session.CauseBadAddress},
		{"host:65536", "", "", session.CauseBadAddress},
		{"ftp://host", "", "", session.CauseBadAddress},
		{"http://", "", "", session.CauseBadAddress},
		{"http://me:secret@host/", "", "", session.CauseBadAddress},
		{"http://host:8000/chat/%zz/", "", "", session.CauseBadAddress},
		{"host:8000/chat/..%2f/", "", "", session.CauseBadRoom},
		{"javascript:alert(1)", "", "", session.CauseBadAddress},
		{"http://host:8000/r/Lobby#k=short", "", "", session.CauseBadAddress},
	} {
		base, room, err := session.ParseServer(test.text)
		var p *session.Problem
		cause := session.CauseNone
		if errors.As(err, &p) {
			cause = p.Cause
			if p.Error() == "" {
				t.Errorf("%q: no sentence for %s", test.text, cause)
			}
		}
		if base != test.base || room != test.room || cause != test.cause {
			t.Errorf("%q: %q, %q, %q; want %q, %q, %q", test.text, base, room, cause, test.base, test.room, test.cause)
		}
	}
}

// A link has the same room, passphrase and fingerprint with its scheme and without.
func TestLinkWithoutScheme(t *testing.T) {
	words := shared.Fingerprint([]byte("x"))
	for _, c := range []struct {
		text string
		want shared.Link
	}{
		{"192.0.2.1:8000/r/Attic#k=correct%20horse", shared.Link{Host: "192.0.2.1:8000", Room: "Attic", Key: "correct horse"}},
		{"host/r/Attic#k=correct://horse", shared.Link{Host: "host:8000", Room: "Attic", Key: "correct://horse"}},
		{"host/r/Attic#k=correct%20horse&fp=" + words, shared.Link{TLS: true, Host: "host:8000", Room: "Attic", Key: "correct horse", Words: words}},
		{"host:8000/#" + words, shared.Link{TLS: true, Host: "host:8000", Words: words}},
		{"host:8000#fp=" + words, shared.Link{TLS: true, Host: "host:8000", Words: words}},
		{"host?q=1", shared.Link{Host: "host:8000"}},
		{"::1/r/Attic#fp=" + words, shared.Link{TLS: true, Host: "[::1]:8000", Room: "Attic", Words: words}},
		{"https://192.0.2.1/#" + words, shared.Link{TLS: true, Host: "192.0.2.1", Words: words}},
		{"http://192.0.2.1/#" + words, shared.Link{Host: "192.0.2.1"}},
		{"https://192.0.2.1/#x", shared.Link{TLS: true, Host: "192.0.2.1"}},
	} {
		if got, err := session.ParseLink(c.text); got != c.want || err != nil {
			t.Errorf("%q: %+v, %v; want %+v", c.text, got, err, c.want)
		}
	}
}

// What the app fills in leads to the server that it stands for.
func TestTyped(t *testing.T) {
	for base, want := range map[string]string{
		"http://192.0.2.1:8000":        "192.0.2.1:8000",
		"http://192.0.2.1:8000/parley": "192.0.2.1:8000/parley",
		"http://[::1]:8000":            "[::1]:8000",
		"http://192.0.2.1":             "http://192.0.2.1", // 192.0.2.1 means port 8000
		"http://192.0.2.1:443":         "http://192.0.2.1:443",
		"https://192.0.2.1:8000":       "https://192.0.2.1:8000",
	} {
		got := session.Typed(base)
		again, _, err := session.ParseServer(got)
		if got != want || again != base || err != nil {
			t.Errorf("%s is typed %s, which means %s, %v", base, got, again, err)
		}
	}
}

func FuzzParseServer(f *testing.F) {
	for _, text := range []string{"host", "http://host:8000/chat/Lobby/", "[::1]", "a%", "https://host/parley/chat/Lobby/", "host//x"} {
		f.Add(text)
	}
	f.Fuzz(func(t *testing.T, text string) {
		base, _, err := session.ParseServer(text)
		if err != nil {
			return
		}
		again, _, err := session.ParseServer(base)
		if err != nil || again != base {
			t.Errorf("%q gives %q, which gives %q, %v", text, base, again, err)
		}
	})
}
