package ui

import (
	"context"
	"strings"
	"testing"

	"parley/client/session"
)

func TestLandingSaysWhatTheServerIs(t *testing.T) {
	w := newWorld(t, phone, func(p prefs) { p.setName(""); p.setServer("") })
	w.client.start()
	p := w.client.nav.top().(*landingPage)
	if p.server.entry.Text != "localhost:8000" {
		t.Errorf("a desktop begins with %q", p.server.entry.Text)
	}
	w.settle(func() bool { return p.state.text.text == "Kitchen answers · version 1.2.3 · 3 people online" })

	for cause := range causeKeys {
		w.fault = &session.Problem{Cause: cause}
		p.ask(0)
		want := tr("cause." + string(cause))
		w.settle(func() bool { return p.state.text.text == want })
	}
	w.fault = &session.Problem{Cause: session.CauseNoSuchHost}
	p.server.entry.SetText("kitchn:8000")
	w.settle(func() bool { return p.state.text.text == tr("cause.no_such_host") })
	p.server.entry.SetText("http://")
	if p.state.text.text != tr("cause.bad_address") {
		t.Errorf("no address: %q", p.state.text.text)
	}
	p.server.entry.SetText("")
	if p.state.line.Visible() {
		t.Error("nothing typed, and still a state")
	}
}

func TestLandingFillsInTheEmulatorsHost(t *testing.T) {
	onPhone(t, true)
	w := newWorld(t, phone, func(p prefs) { p.setServer("") })
	w.fault = &session.Problem{Cause: session.CauseTimeout}
	asked := make(chan struct{}, 1)
	probe := w.client.net.probe
	w.client.net.probe = func(ctx context.Context, base string, pins *session.Pins) (session.ServerInfo, error) {
		info, err := probe(ctx, base, pins)
		asked <- struct{}{}
		return info, err
	}
	w.client.nav.reset(func() page { return newLandingPage(w.client) })
	<-asked
	w.client.net.probe = probe
	w.queue.drain()
	p := w.client.nav.top().(*landingPage)
	if p.server.entry.Text != "" {
		t.Errorf("nobody answers, and the field says %q", p.server.entry.Text)
	}
	w.fault = nil
	w.client.nav.reset(func() page { return newLandingPage(w.client) })
	p = w.client.nav.top().(*landingPage)
	w.settle(func() bool { return p.server.entry.Text == emulatorHost })
}

// A server on a browser's own port is the same one after a restart.
func TestLandingKeepsThePort(t *testing.T) {
	w := newWorld(t, phone, func(p prefs) { p.setServer("http://192.0.2.7") })
	w.client.nav.reset(func() page { return newLandingPage(w.client) })
	p := w.client.nav.top().(*landingPage)
	if got := p.server.entry.Text; got != "http://192.0.2.7" {
		t.Errorf("the field has %q", got)
	}
}

func TestLandingGoesOn(t *testing.T) {
	w := newWorld(t, phone, func(p prefs) { p.setName(""); p.setServer("") })
	w.client.start()
	p := w.client.nav.top().(*landingPage)
	for name, want := range map[string]string{
		"": "Please type a name.", "  ": "Please type a name.", "a/b": "A name can't have a slash.",
		strings.Repeat("x", 33): "A name has at most 32 characters.", "a\u202eb": "The name has a character that names can't have.",
	} {
		p.name.entry.SetText(name)
		p.submit()
		if p.state.text.text != want || w.client.nav.top() != page(p) {
			t.Errorf("%q: %q", name, p.state.text.text)
		}
	}
	p.name.entry.SetText(" Ann ")
	p.server.entry.SetText("http://192.0.2.7:8000/chat/Team%20Pizza/")
	p.submit()
	if w.client.prefs.name() != "Ann" || w.client.prefs.server() != "http://192.0.2.7:8000" {
		t.Errorf("kept %q and %q", w.client.prefs.name(), w.client.prefs.server())
	}
	if w.window.Title() != "Team Pizza – Parley" {
		t.Errorf("the link of a room leads to %q", w.window.Title())
	}
	w.client.back(false)
	if _, ok := w.client.nav.top().(*askRoomPage); !ok {
		t.Errorf("back from the room is a %T", w.client.nav.top())
	}
}
