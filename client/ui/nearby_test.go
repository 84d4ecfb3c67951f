package ui

import (
	"context"
	"net/netip"
	"strings"
	"testing"

	"parley/client/session"
	"parley/client/ui/lang"
	"parley/client/ui/uitest"
)

// searches plays the network: what is sent to servers is found, and closing it ends the search.
type searches struct {
	servers chan session.Nearby
	trace   session.Trace
	asked   chan session.Discovery
	ended   chan struct{} // one for each that was cut short
}

func (w *world) searches() *searches {
	s := &searches{servers: make(chan session.Nearby), asked: make(chan session.Discovery, 8), ended: make(chan struct{}, 8)}
	w.client.net.search = func(ctx context.Context, q session.Discovery, tell func(session.Nearby)) session.Trace {
		s.asked <- q
		for {
			select {
			case <-ctx.Done():
				s.ended <- struct{}{}
				return session.Trace{}
			case f, more := <-s.servers:
				if !more {
					return s.trace
				}
				tell(f)
			}
		}
	}
	return s
}

// texts are those of the page, in one line.
func (w *world) texts() string {
	return strings.Join(strings.Fields(uitest.Texts(w.window.Canvas().Content())), " ")
}

var classroom = session.Nearby{Base: "http://192.168.77.50:8000", Info: session.ServerInfo{Name: "Class 4b\n\x1b[2J", People: 12}}

// A server that is found is one tap away. Two of one name stay two lines.
func TestNearbyJoins(t *testing.T) {
	w := newWorld(t, uitest.Phone, func(p prefs) { p.setServer("http://192.0.2.7:8000") })
	s := w.searches()
	p := w.landing()
	if q := <-s.asked; len(q.Known) != 1 || q.Known[0] != "http://192.0.2.7:8000" || q.Harder || q.Pins != w.client.pins {
		t.Errorf("the search is %+v", q)
	}
	if !strings.Contains(w.texts(), lang.T("nearby.looking")) {
		t.Errorf("while it searches, the page says\n%s", w.texts())
	}
	twin := classroom
	twin.Base = "https://192.168.77.51:8000"
	s.servers <- classroom
	s.servers <- twin
	s.servers <- classroom // again, by another way
	w.settle(func() bool { return len(p.nearby.found) == 2 })
	got := w.texts()
	for _, want := range []string{"192.168.77.50:8000 · 12 people online", "192.168.77.51:8000", "Class 4b [2J", lang.T("nearby.title")} {
		if !strings.Contains(got, want) {
			t.Errorf("%q is not in\n%s", want, got)
		}
	}
	if strings.Contains(got, "\x1b") {
		t.Error("a server's name goes to the screen as it is")
	}
	close(s.servers)
	w.settle(func() bool { return p.nearby.stop == nil })
	if !strings.Contains(w.texts(), lang.T("nearby.why")) {
		t.Errorf("after the search the page says\n%s", w.texts())
	}

	p.name.Entry.SetText("")
	p.nearby.join(twin.Base)
	if w.client.nav.top() != page(p) || p.state.text.Text != lang.T("name.empty") || w.window.Canvas().Focused() == nil {
		t.Errorf("without a name, a tap says %q", p.state.text.Text)
	}
	p.name.Entry.SetText("Ann")
	p.nearby.join(twin.Base)
	if _, ok := w.client.nav.top().(*askRoomPage); !ok || w.client.prefs.server() != twin.Base {
		t.Errorf("a tap leads to a %T of %s", w.client.nav.top(), w.client.prefs.server())
	}
}

// The search ends when the page is left, or the app hidden.
func TestNearbyEnds(t *testing.T) {
	uitest.OnPhone(t, true)
	w := newWorld(t, uitest.Phone, nil)
	s := w.searches()
	w.landing()
	<-s.asked
	w.client.setFocused(false)
	<-s.ended
	w.client.setFocused(true)
	<-s.asked
	w.client.ways.showRooms("", opening{})
	<-s.ended
	w.client.setFocused(false)
	w.client.setFocused(true)
	select {
	case q := <-s.asked:
		t.Errorf("another page searches: %+v", q)
	default:
	}
}

// Who misses a server is told what was done, and can search harder.
func TestNearbyExplains(t *testing.T) {
	w := newWorld(t, uitest.Phone, nil)
	s := w.searches()
	s.trace = session.Trace{Networks: []session.Asked{
		{Name: "wlan0\x07", Prefix: netip.MustParsePrefix("192.168.77.20/24"), Packets: 6},
		{Name: "eth0", Prefix: netip.MustParsePrefix("10.0.0.7/8")},
	}, Answers: 5, Dropped: 3, Silent: 1}
	p := w.landing()
	<-s.asked
	close(s.servers)
	w.settle(func() bool { return p.nearby.stop == nil })
	if !strings.Contains(w.texts(), lang.T("nearby.none")) {
		t.Errorf("the page says\n%s", w.texts())
	}
	p.nearby.explain()
	got := strings.Join(strings.Fields(uitest.Texts(w.window.Canvas().Overlays().Top())), " ")
	for _, want := range []string{"Asked on wlan0 as 192.168.77.20: 6 packets.", "On eth0, as 10.0.0.7, nothing could be sent.",
		"Answers: 5. Not usable: 3. Announced, but not answering: 1.", lang.T("nearby.wifi"), lang.T("nearby.mobile"), lang.T("nearby.apart")} {
		if !strings.Contains(got, want) {
			t.Errorf("%q is not in\n%s", want, got)
		}
	}
	s.servers = make(chan session.Nearby)
	tapAction(t, w, lang.T("nearby.harder"))
	if q := <-s.asked; !q.Harder {
		t.Error("“Search harder” does not")
	}
	close(s.servers)
	w.settle(func() bool { return p.nearby.stop == nil })
}

// An Android that keeps the app from the network is asked, once; whoever refuses reads why
// nothing is found.
func TestNearbyAsksForTheNetwork(t *testing.T) {
	uitest.OnPhone(t, true)
	w := newWorld(t, uitest.Phone, nil)
	android := onAndroid{closed: true}
	w.client.system = android.system()
	s := w.searches()
	p := w.landing()
	<-s.asked
	w.client.setFocused(false) // to the question
	<-s.ended
	w.client.setFocused(true)
	<-s.asked
	close(s.servers)
	w.settle(func() bool { return p.nearby.stop == nil })
	if android.askedForNetwork != 1 {
		t.Errorf("Android is asked %d times", android.askedForNetwork)
	}
	why := func() string {
		p.nearby.explain()
		o := w.window.Canvas().Overlays().Top()
		defer w.client.back(true)
		return strings.Join(strings.Fields(uitest.Texts(o)), " ")
	}
	if got := why(); !strings.Contains(got, lang.T("nearby.forbidden")) || strings.Contains(got, lang.T("nearby.wifi")) {
		t.Errorf("the page says\n%s", got)
	}
	android.closed = false
	if got := why(); strings.Contains(got, lang.T("nearby.forbidden")) || !strings.Contains(got, lang.T("nearby.wifi")) {
		t.Errorf("with the permission the page says\n%s", got)
	}
}
