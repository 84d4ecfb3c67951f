//go:build !android

package ui

import (
	"bytes"
	"context"
	"image/png"
	"net"
	"os/exec"
	"strings"
	"testing"

	"fyne.io/fyne/v2"

	"parley/client/session"
	"parley/client/ui/kit"
	"parley/client/ui/uitest"
	"parley/shared"
)

// scanned is what a phone would read from the window.
func (w *world) scanned() string {
	w.t.Helper()
	var picture bytes.Buffer
	if err := png.Encode(&picture, w.window.Canvas().Capture()); err != nil {
		w.t.Fatal(err)
	}
	if _, err := exec.LookPath("zbarimg"); err != nil {
		w.t.Fatal("zbarimg is not installed: make test-packages installs it")
	}
	cmd := exec.Command("zbarimg", "--quiet", "--raw", "-")
	cmd.Stdin = &picture
	out, err := cmd.Output()
	if err != nil {
		w.t.Fatalf("the window has no code that can be read: %v", err)
	}
	return strings.TrimSuffix(string(out), "\n")
}

// shownLink is the link that the sheet shows, and the one in its code.
func (w *world) shownLink() (text, code string) {
	w.t.Helper()
	uitest.Walk(w.window.Canvas().Overlays().Top(), func(v uitest.Seen) {
		switch o := v.Object.(type) {
		case *kit.QR:
			code = o.Text()
		case *kit.Text:
			if strings.Contains(o.Text, "://") {
				text = o.Text
			}
		}
	})
	return text, code
}

// The sheet's code leads into the room, in each look, on the narrowest phone, and
// for any name. The button copies the link.
func TestInvite(t *testing.T) {
	for name, v := range map[string]struct {
		look kit.Look
		size fyne.Size
		room string
		want string
	}{
		"light":    {kit.LookLight, uitest.Phone, "Team Pizza", "http://192.0.2.1:8000/r/Team%20Pizza"},
		"dark":     {kit.LookDark, uitest.Phone, "Team Pizza", "http://192.0.2.1:8000/r/Team%20Pizza"},
		"narrow":   {kit.LookLight, fyne.NewSize(320, 640), "Team Pizza", "http://192.0.2.1:8000/r/Team%20Pizza"},
		"Japanese": {kit.LookDark, fyne.NewSize(320, 640), "会議室", "http://192.0.2.1:8000/r/%E4%BC%9A%E8%AD%B0%E5%AE%A4"},
	} {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t, v.size, func(p prefs) { p.setLook(v.look) })
			w.client.start()
			w.room(v.room, "Ann")
			w.page().menu(fyne.NewPos(300, 20))
			tapAction(t, w, "Invite")
			if text, code := w.shownLink(); text != v.want || code != v.want {
				t.Errorf("the sheet has %q, its code says %q, want %q", text, code, v.want)
			}
			if got := w.scanned(); got != v.want {
				t.Errorf("a phone reads %q", got)
			}
			if link, err := shared.ParseLink(v.want); err != nil || link.Room != v.room {
				t.Errorf("the link leads into %q (%v)", link.Room, err)
			}
			if s := uitest.Sentence(w.window.Canvas().Overlays().Top()); strings.Contains(s, "passphrase") {
				t.Errorf("a room without a passphrase: %q", s)
			}
			press(w.window.Canvas().Focused(), fyne.KeyReturn) // Copy has the focus
			if got := w.app.Clipboard().Content(); got != v.want || w.window.Canvas().Overlays().Top() != nil {
				t.Errorf("copied %q", got)
			}
			if !strings.Contains(uitest.Sentence(w.client.nav), "Copied") {
				t.Error("nobody says that it is copied")
			}
		})
	}
}

// Escape closes the sheet and copies nothing.
func TestInviteIsClosed(t *testing.T) {
	w := newWorld(t, uitest.Phone, nil)
	w.client.start()
	showInvite(w.client.client, w.room("Lobby", "Ann"))
	w.app.Clipboard().SetContent("before")
	press(w.window.Canvas().Focused(), fyne.KeyEscape)
	if w.window.Canvas().Overlays().Top() != nil || w.app.Clipboard().Content() != "before" {
		t.Errorf("the sheet stays, or %q is copied", w.app.Clipboard().Content())
	}
}

// The passphrase is in the link only if the person turns it on, which is possible
// once this device has been let in with it.
func TestInviteWithThePassphrase(t *testing.T) {
	const key = "correct horse"
	address := startServer(t)
	w := newWorld(t, uitest.Phone, nil) // of 192.0.2.1, which others reach
	w.client.net.open = session.Open
	w.client.net.dial = func(ctx context.Context, network, _ string) (net.Conn, error) {
		return new(net.Dialer).DialContext(ctx, network, address)
	}
	w.client.start()
	w.client.enterAs("Attic", opening{key: key})
	conv := w.client.find("Attic")
	w.settle(func() bool { return conv.Status.State == session.Connected })

	showInvite(w.client.client, conv)
	if text, code := w.shownLink(); text != "http://192.0.2.1:8000/r/Attic" || code != text {
		t.Errorf("at first the sheet has %q, its code says %q", text, code)
	}
	tapAction(t, w, "with the passphrase")
	want := "http://192.0.2.1:8000/r/Attic#k=correct%20horse"
	if text, code := w.shownLink(); text != want || code != want || w.scanned() != want {
		t.Errorf("with the passphrase the sheet has %q, its code says %q", text, code)
	}
	tapAction(t, w, "with the passphrase")
	if text, _ := w.shownLink(); strings.Contains(text, "correct") {
		t.Errorf("turned off again, the sheet has %q", text)
	}
	w.client.back(false)

	// A device that has not been let in has nothing to give.
	stranger := newWorld(t, uitest.Phone, nil)
	stranger.client.net.open, stranger.client.net.dial = session.Open, w.client.net.dial
	stranger.client.start()
	stranger.client.enter("Attic")
	other := stranger.client.find("Attic")
	stranger.settle(func() bool { return other.Status.AsksForKey() })
	stranger.client.back(false) // what asks for it
	showInvite(stranger.client.client, other)
	if s := uitest.Sentence(stranger.window.Canvas().Overlays().Top()); strings.Contains(s, "with the passphrase") {
		t.Errorf("a stranger is offered it: %q", s)
	}
}

// With TLS the link has the words of the certificate, which a first visit is
// compared with.
func TestInviteHasTheWords(t *testing.T) {
	w := newWorld(t, uitest.Phone, func(p prefs) { p.setServer(tlsServer) })
	words := handshake(t, w.client.pins, tlsServer)
	w.client.start()
	showInvite(w.client.client, w.room("Lobby", "Ann"))
	want := "https://192.0.2.1:8000/r/Lobby#fp=" + words
	if text, code := w.shownLink(); text != want || code != want {
		t.Errorf("the sheet has %q, its code says %q, want %q", text, code, want)
	}
}

// On the server's own computer the app's address is none for others: the sheet
// says so, and leads to the page with one.
func TestInviteFromTheServersComputer(t *testing.T) {
	for _, base := range []string{"http://localhost:8000", "http://127.0.0.1:8001", "http://[::1]:8000"} {
		w := newWorld(t, uitest.Phone, func(p prefs) { p.setServer(base) })
		w.client.start()
		showInvite(w.client.client, w.room("Lobby", "Ann"))
		s := uitest.Sentence(w.window.Canvas().Overlays().Top())
		if _, code := w.shownLink(); code != "" || !strings.Contains(s, "Only this device knows this address.") || !strings.Contains(strings.ReplaceAll(s, " ", ""), base+"/join") {
			t.Errorf("%s: the sheet says %q, a code %q", base, s, code)
		}
	}
}

// A link that is too long for a code is copied all the same.
func TestInviteTooLongForACode(t *testing.T) {
	q := kit.NewQR()
	if q.SetText(strings.Repeat("x", 1025)) || q.Visible() {
		t.Error("a text of 1,025 bytes has a code")
	}
	if !q.SetText(strings.Repeat("x", 1024)) || !q.Visible() {
		t.Error("a text of 1,024 bytes has none")
	}
}

// A pasted link leads into the room with its passphrase, with its scheme or without.
func TestLinkWithAPassphrase(t *testing.T) {
	w := newWorld(t, uitest.Phone, nil)
	var opened session.Config
	w.client.net.open = func(c session.Config) *session.Room {
		opened = c
		return w.open(c)
	}
	words := handshake(t, session.NewPins(nil), tlsServer)
	for link, server := range map[string]string{
		"http://192.0.2.7:8000/r/Attic#k=correct%20horse":      "http://192.0.2.7:8000",
		"192.0.2.8:8000/r/Attic#k=correct%20horse":             "http://192.0.2.8:8000",
		"192.0.2.9:8000/r/Attic#k=correct%20horse&fp=" + words: "https://192.0.2.9:8000",
	} {
		p := w.landing()
		p.server.Entry.SetText(link)
		p.submit()
		if opened.Server != server || opened.Room != "Attic" || opened.Key != "correct horse" {
			t.Errorf("%s: opened %s, %s with %q", link, opened.Server, opened.Room, opened.Key)
		}
		if got := w.client.pins.Expected(server); (got == words) != strings.Contains(link, words) {
			t.Errorf("%s: the server is expected with %q", link, got)
		}
	}
}

// A link's passphrase takes the place of none that works, also without a store.
func TestLinkWithAnotherPassphrase(t *testing.T) {
	const key = "correct horse"
	address := startServer(t)
	w := newWorld(t, uitest.Phone, func(p prefs) { p.setServer("http://" + address) })
	w.client.net.open = session.Open
	w.client.start()
	w.client.enterAs("Attic", opening{key: key})
	conv := w.client.find("Attic")
	w.settle(func() bool { return conv.Status.State == session.Connected })

	p := w.landing()
	p.server.Entry.SetText("http://" + address + "/r/Attic#k=another%20horse")
	p.submit()
	if w.client.find("Attic") != conv || w.page().conv != conv {
		t.Fatal("the room is another one, or not on the screen")
	}
	if _, err := conv.Session.Send("still here"); err != nil {
		t.Fatal(err)
	}
	w.settle(func() bool {
		last, ok := conv.Last()
		return conv.Status.AsksForKey() || ok && last.Text == "still here" && last.Delivery == session.Sent
	})
	if conv.Status.AsksForKey() || conv.Session.Key() != key {
		t.Errorf("the room is %+v, its passphrase %q", conv.Status, conv.Session.Key())
	}
}
