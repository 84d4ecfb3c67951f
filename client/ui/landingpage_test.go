package ui

import (
	"context"
	"strings"
	"testing"

	"fyne.io/fyne/v2"

	"parley/client/session"
	"parley/client/ui/lang"
	"parley/client/ui/uitest"
)

func TestLandingSaysWhatTheServerIs(t *testing.T) {
	w := newWorld(t, uitest.Phone, func(p prefs) { p.setName(""); p.setServer("") })
	w.client.start()
	p := w.client.nav.top().(*landingPage)
	if p.server.Entry.Text != "localhost:8000" {
		t.Errorf("a desktop begins with %q", p.server.Entry.Text)
	}
	w.settle(func() bool { return p.state.text.Text == "Kitchen answers · version 1.2.3 · 3 people online" })

	for _, cause := range session.Causes() {
		w.set(func() { w.fault = &session.Problem{Cause: cause} })
		p.ask(0)
		want := lang.T("cause." + string(cause))
		w.settle(func() bool { return p.state.text.Text == want })
	}
	w.set(func() { w.fault = &session.Problem{Cause: session.CauseNoSuchHost} })
	p.server.Entry.SetText("kitchn:8000")
	w.settle(func() bool { return p.state.text.Text == lang.T("cause.no_such_host") })
	p.server.Entry.SetText("http://")
	if p.state.text.Text != lang.T("cause.bad_address") {
		t.Errorf("no address: %q", p.state.text.Text)
	}
	p.server.Entry.SetText("")
	if p.state.line.Visible() {
		t.Error("nothing typed, and still a state")
	}
}

// A new window fits a small screen, and shows the whole first page with two servers nearby.
func TestFirstWindow(t *testing.T) {
	w := newWorld(t, firstSize, nil)
	if got := w.client.prefs.size(); got != firstSize || got.Height > 1080/1.5-48-31 {
		t.Errorf("the first window is %v", got)
	}
	s := w.searches()
	w.client.nav.reset(func() page { return newLandingPage(w.client.client) })
	p := w.client.nav.top().(*landingPage)
	s.servers <- classroom
	s.servers <- session.Nearby{Base: "http://192.168.77.51:8000", Info: session.ServerInfo{Name: "Kitchen", People: 1}}
	close(s.servers)
	w.settle(func() bool { return p.nearby.stop == nil && strings.Contains(p.state.text.Text, "1.2.3") })
	seen := func() (first, last float32, logos int) {
		uitest.Walk(p.object(), func(v uitest.Seen) {
			if v.Text != nil && strings.Contains(v.Text.Text, "1.2.3") {
				last = v.At.Y + v.Text.MinSize().Height
			}
			if v.Text != nil && v.Text.Text == "Parley" {
				first = v.At.Y
			}
		})
		for _, logo := range []fyne.CanvasObject{p.logo, p.aside} {
			if logo.Visible() {
				logos++
			}
		}
		return first, last, logos
	}
	if first, last, logos := seen(); first <= 0 || last <= first || last > firstSize.Height || logos != 1 {
		t.Errorf("the page is from %v to %v and has %d logos", first, last, logos)
	}
	low, _, _ := seen()
	w.window.Resize(uitest.Phone)
	if high, last, logos := seen(); high <= low || last > uitest.Phone.Height || logos != 1 {
		t.Errorf("in a high window the page is from %v to %v and has %d logos", high, last, logos)
	}
}

func TestLandingFillsInTheEmulatorsHost(t *testing.T) {
	uitest.OnPhone(t, true)
	w := newWorld(t, uitest.Phone, func(p prefs) { p.setServer("") })
	w.fault = &session.Problem{Cause: session.CauseTimeout}
	asked := make(chan struct{}, 1)
	probe := w.client.net.probe
	w.client.net.probe = func(ctx context.Context, base string, pins *session.Pins) (session.ServerInfo, error) {
		info, err := probe(ctx, base, pins)
		asked <- struct{}{}
		return info, err
	}
	w.client.nav.reset(func() page { return newLandingPage(w.client.client) })
	<-asked
	w.client.net.probe = probe
	w.queue.Drain()
	p := w.client.nav.top().(*landingPage)
	if p.server.Entry.Text != "" {
		t.Errorf("nobody answers, and the field says %q", p.server.Entry.Text)
	}
	w.set(func() { w.fault = nil })
	w.client.nav.reset(func() page { return newLandingPage(w.client.client) })
	p = w.client.nav.top().(*landingPage)
	w.settle(func() bool { return p.server.Entry.Text == emulatorHost })
}

// A server on a browser's own port is the same one after a restart.
func TestLandingKeepsThePort(t *testing.T) {
	w := newWorld(t, uitest.Phone, func(p prefs) { p.setServer("http://192.0.2.7") })
	w.client.nav.reset(func() page { return newLandingPage(w.client.client) })
	p := w.client.nav.top().(*landingPage)
	if got := p.server.Entry.Text; got != "http://192.0.2.7" {
		t.Errorf("the field has %q", got)
	}
}

func TestLandingGoesOn(t *testing.T) {
	w := newWorld(t, uitest.Phone, func(p prefs) { p.setName(""); p.setServer("") })
	w.client.start()
	p := w.client.nav.top().(*landingPage)
	for name, want := range map[string]string{
		"": "Please type a name.", "  ": "Please type a name.", "a/b": "A name can't have a slash.",
		strings.Repeat("x", 33): "A name has at most 32 characters.", "a\u202eb": "The name has a character that names can't have.",
	} {
		p.name.Entry.SetText(name)
		p.submit()
		if p.state.text.Text != want || w.client.nav.top() != page(p) {
			t.Errorf("%q: %q", name, p.state.text.Text)
		}
	}
	p.name.Entry.SetText(" Ann ")
	p.server.Entry.SetText("http://192.0.2.7:8000/chat/Team%20Pizza/")
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
