package ui

import (
	"strings"
	"testing"

	"parley/client/session"
	"parley/client/ui/uitest"
)

const tlsServer = "https://192.0.2.1:8000"

// Another certificate is refused until the person has looked and trusts it.
func TestChangedCertificate(t *testing.T) {
	w := newWorld(t, uitest.Phone, func(p prefs) { p.setServer(tlsServer) })
	server := w.client.prefs.server()
	oldWords, newWords := handshake(t, w.client.pins, server), handshake(t, w.client.pins, server)
	w.fault = &session.Problem{Cause: session.CauseCertChanged, Detail: newWords}
	w.client.nav.reset(func() page { return newLandingPage(w.client.client) })
	p := w.client.nav.top().(*landingPage)
	w.settle(func() bool { return strings.Contains(p.state.text.Text, "posing as it") })
	for _, answer := range []string{"Stay out", "The words match: trust it"} {
		if got := w.client.pins.Words(server); got != oldWords {
			t.Errorf("before the answer %q the server is known by %s", answer, got)
		}
		p.submit()
		if got := uitest.Texts(w.window.Canvas().Overlays().Top()); !strings.Contains(got, oldWords) || !strings.Contains(got, newWords) {
			t.Fatalf("the panel says:\n%s", got)
		}
		if w.client.nav.top() != page(p) {
			t.Fatal("the app goes on to the rooms")
		}
		tapAction(t, w, answer)
	}
	if got := w.client.pins.Words(server); got != newWords {
		t.Errorf("the server is known by %s", got)
	}
	w.settle(func() bool { return strings.Contains(p.state.text.Text, "posing as it") }) // it has asked again
	w.set(func() { w.fault, w.info.Words = nil, newWords })
	p.ask(0)
	w.settle(func() bool { return strings.Contains(p.state.text.Text, newWords) })
}

// A link whose words are not those of the server offers nothing to trust. If the
// server itself shows another certificate, it does.
func TestLinkOfAnotherCertificate(t *testing.T) {
	w := newWorld(t, uitest.Phone, nil)
	oldWords := handshake(t, w.client.pins, tlsServer)
	newWords := handshake(t, session.NewPins(nil), tlsServer)
	p := w.landing()
	p.server.Entry.SetText(tlsServer + "/#" + newWords)
	w.settle(func() bool { return strings.Contains(p.state.text.Text, "The link names another certificate") })
	p.submit()
	if w.window.Canvas().Overlays().Top() != nil || w.client.nav.top() != page(p) {
		t.Error("the app offers to trust it, or goes on")
	}
	if got := w.client.pins.Words(tlsServer); got != oldWords {
		t.Errorf("the server is known by %q", got)
	}
	shown := handshake(t, w.client.pins, tlsServer)
	w.set(func() { w.fault = &session.Problem{Cause: session.CauseCertChanged, Detail: shown} })
	p.ask(0)
	w.settle(func() bool { return p.trouble != nil })
	p.submit()
	if got := uitest.Texts(w.window.Canvas().Overlays().Top()); !strings.Contains(got, shown) || strings.Contains(got, newWords) {
		t.Errorf("the panel says:\n%s", got)
	}
}

// Before a server is known, its certificate is shown next to what the link says.
func TestFirstCertificateNextToTheLinks(t *testing.T) {
	w := newWorld(t, uitest.Phone, nil)
	words := handshake(t, session.NewPins(nil), tlsServer)
	w.client.pins.Expect(tlsServer, words)
	shown := handshake(t, w.client.pins, tlsServer)
	showCertificate(w.client.client, tlsServer, shown, func() {})
	got := uitest.Sentence(w.window.Canvas().Overlays().Top())
	if !strings.Contains(got, "In the link "+words) || !strings.Contains(got, "Now "+shown) {
		t.Errorf("the panel says %q", got)
	}
	tapAction(t, w, "The words match: trust it")
	if got := w.client.pins.Words(tlsServer); got != shown {
		t.Errorf("the server is known by %q", got)
	}
}
