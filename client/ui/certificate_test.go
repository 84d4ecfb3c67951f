package ui

import (
	"strings"
	"testing"

	"parley/client/session"
	"parley/client/ui/uitest"
	"parley/shared"
)

var oldWords, newWords = shared.Fingerprint([]byte("old")), shared.Fingerprint([]byte("new"))

// Another certificate is refused until the person has looked and trusts it.
func TestChangedCertificate(t *testing.T) {
	w := newWorld(t, uitest.Phone, nil)
	server := w.client.prefs.server()
	w.client.pins.Trust(server, oldWords)
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
	w.fault, w.info.Words = nil, newWords
	p.ask(0)
	w.settle(func() bool { return strings.Contains(p.state.text.Text, newWords) })
}

// A link whose words are not those of the server is refused before it is asked.
func TestLinkOfAnotherCertificate(t *testing.T) {
	w := newWorld(t, uitest.Phone, nil)
	w.client.pins.Trust("https://192.0.2.1:8000", oldWords)
	w.client.nav.reset(func() page { return newLandingPage(w.client.client) })
	p := w.client.nav.top().(*landingPage)
	p.server.Entry.SetText("https://192.0.2.1:8000/#" + newWords)
	if !strings.Contains(p.state.text.Text, "posing as it") {
		t.Errorf("the page says %q", p.state.text.Text)
	}
}
