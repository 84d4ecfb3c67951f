//go:build !android

package ui

import (
	"context"
	"crypto/tls"
	"encoding/json"
	"net/http"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"parley/client/session"
	"parley/client/store"
	"parley/client/ui/lang"
	"parley/client/ui/uitest"
	"parley/shared/servertest"
)

// meet starts the app of Ann with a store, real rooms and real questions, on a server at a
// base, and enters a room.
func meet(t *testing.T, base, room string) *world {
	t.Helper()
	return meetAs(t, "Ann", base, room)
}

func meetAs(t *testing.T, user, base, room string) *world {
	t.Helper()
	kept, err := store.Open(filepath.Join(t.TempDir(), "rooms.db"))
	if err != nil {
		t.Fatal(err)
	}
	w := newWorld(t, uitest.Phone, func(p prefs) { p.setName(user); p.setServer(base) })
	w.client.store, w.client.pins = kept, session.NewPins(kept)
	w.client.net.open, w.client.net.probe, w.client.net.rooms = session.Open, session.DialFunc(nil).Probe, session.DialFunc(nil).Rooms
	w.client.patience = time.Millisecond
	t.Cleanup(w.end)
	w.client.setProfile(user, base)
	w.client.start()
	w.client.enter(room)
	w.settle(func() bool { return len(w.connected()) == 1 && kept.ID(base) != "" })
	return w
}

// findAt plays the network: every search finds the server at a base, if that is the one
// that is looked for.
func (w *world) findAt(base string) (asked chan session.Discovery) {
	asked = make(chan session.Discovery, 100)
	w.client.net.search = func(ctx context.Context, q session.Discovery, tell func(session.Nearby)) session.Trace {
		asked <- q
		pins := session.NewPins(nil)
		info, err := session.DialFunc(nil).Probe(ctx, base, pins)
		if err == nil && info.ID == q.ID && info.Words == q.Words {
			tell(session.Nearby{Base: base, Info: info})
		}
		return session.Trace{}
	}
	return asked
}

// elsewhere starts the server again, at another address, and returns its base.
func elsewhere(s *servertest.Server, base string) string {
	s.Stop()
	s.Listen("127.0.0.1:0")
	s.MustStart()
	return base[:strings.Index(base, "//")+2] + s.Addr()
}

// logOf is what the server at a base has of a room.
func logOf(t *testing.T, base, room string) (lines []string) {
	t.Helper()
	client := http.Client{Transport: &http.Transport{DisableKeepAlives: true, TLSClientConfig: &tls.Config{InsecureSkipVerify: true}}}
	res, err := client.Get(base + "/api/rooms/" + room + "/messages?limit=100")
	if err != nil {
		t.Fatal(err)
	}
	defer res.Body.Close()
	var answer struct {
		Messages []struct{ User, Message string }
	}
	if err := json.NewDecoder(res.Body).Decode(&answer); err != nil {
		t.Fatal(err)
	}
	for _, m := range answer.Messages {
		lines = append(lines, m.User+": "+m.Message)
	}
	return lines
}

// A server that has another address is found again by its id. Without TLS the person is
// asked; with its certificate the rooms go there by themselves. What waits goes out once.
func TestFoundAgain(t *testing.T) {
	for name, flags := range map[string][]string{"http": nil, "https": {"--tls", "auto"}} {
		t.Run(name, func(t *testing.T) {
			s := servertest.Start(t, append(flags, "--rate", "0")...)
			old := name + "://" + s.Addr()
			w := meet(t, old, "Hall")
			secret := w.client.pins.Device(old)
			say := func(text string) {
				if !w.page().send(text) {
					t.Fatalf("%q was not sent", text)
				}
			}
			say("before")
			w.settle(func() bool { return w.page().conv.Timeline.Len() == 1 })
			s.Stop()
			w.settle(func() bool { return len(w.connected()) == 0 })
			say("while it was away 1")
			say("while it was away 2")
			w.page().composer.Restore("half a")
			w.page().typed("half a")
			base := elsewhere(s, old)
			asked := w.findAt(base)
			if name == "http" {
				w.settle(func() bool { return w.client.lost.offer != nil })
				if got := w.page().banner.text.Text; !strings.Contains(got, s.Addr()) {
					t.Errorf("the banner says %q", got)
				}
				w.page().banner.tapped()
				tapAction(t, w, lang.T("moved.go"))
			}
			w.settle(func() bool { return len(asked) > 0 })
			if q := <-asked; q.ID == "" || (q.Words == "") != (name == "http") {
				t.Errorf("the search is %+v", q)
			}
			w.settle(func() bool { return len(w.connected()) == 1 && w.client.prefs.server() == base })
			var log []string
			w.settle(func() bool { log = logOf(t, base, "Hall"); return len(log) >= 3 })
			if want := []string{"Ann: before", "Ann: while it was away 1", "Ann: while it was away 2"}; !slices.Equal(log, want) {
				t.Errorf("the log is %q", log)
			}
			if got := w.page().composer.Entry.Text; got != "half a" {
				t.Errorf("of the draft there is %q", got)
			}
			if w.client.pins.Device(base) != secret {
				t.Error("the server knows the app by another secret")
			}
			if _, server, _ := w.client.store.Profile(); server != base || w.client.store.ID(base) == "" {
				t.Errorf("the store has the server %s", server)
			}

			// Preferences that Fyne had not written are no way back.
			w.client.prefs.setServer(old)
			if w.client.restoreProfile(); w.client.prefs.server() != base {
				t.Errorf("after a start the server is %s", w.client.prefs.server())
			}
		})
	}
}

// A person who does not want to go somewhere is not asked again, and stays.
func TestFoundAgainAndDeclined(t *testing.T) {
	s := servertest.Start(t)
	old := "http://" + s.Addr()
	w := meet(t, old, "Hall")
	base := elsewhere(s, old)
	asked := w.findAt(base)
	w.settle(func() bool { return w.client.lost.offer != nil })
	w.page().banner.tapped()
	tapAction(t, w, lang.T("moved.stay"))
	for len(asked) > 0 {
		<-asked
	}
	w.page().conv.Session.Reconnect()
	w.settle(func() bool { return len(asked) > 0 && w.client.lost.stop == nil })
	if w.client.lost.offer != nil || w.client.prefs.server() != old {
		t.Errorf("offered %+v, on %s", w.client.lost.offer, w.client.prefs.server())
	}
}

// The page of rooms offers it, too.
func TestFoundAgainOnThePageOfRooms(t *testing.T) {
	s := servertest.Start(t, "--name", "Kitchen of the house")
	old := "http://" + s.Addr()
	w := meet(t, old, "Hall")
	w.client.ways.showRooms("", opening{})
	base := elsewhere(s, old)
	w.findAt(base)
	w.settle(func() bool { return w.client.lost.offer != nil })
	offer := s.Addr() // which is a piece of the sentence
	tapText(t, w.window.Canvas().Content(), offer)
	tapAction(t, w, lang.T("moved.stay"))
	if got := w.texts(); strings.Contains(got, "is now at") {
		t.Errorf("after a no it is still offered:\n%s", got)
	}
	w.client.lost.stayed = nil
	w.client.find("Hall").Session.Reconnect()
	w.settle(func() bool { return w.client.lost.offer != nil })
	tapText(t, w.window.Canvas().Content(), offer)
	tapAction(t, w, lang.T("moved.go"))
	w.settle(func() bool { return len(w.connected()) == 1 && w.client.prefs.server() == base })
	if got := w.texts(); strings.Contains(got, "is now at") {
		t.Errorf("there it is still offered:\n%s", got)
	}
}

// Nobody is looked for while the app is hidden, on the first page, or with an authority's
// certificate.
func TestNotLookedFor(t *testing.T) {
	s := servertest.Start(t)
	old := "http://" + s.Addr()
	w := meet(t, old, "Hall")
	s.Stop()
	w.client.patience = time.Hour // none by itself
	w.settle(w.client.unreached)
	w.client.focused = false
	if w.client.unreached() {
		t.Error("hidden, the app would look for it")
	}
	w.client.focused = true
	asked := w.findAt("http://127.0.0.1:1")
	w.client.prefs.setServer("https://chat.example.org")
	w.client.seek()
	w.client.prefs.setServer(old)
	if len(asked) > 0 || w.client.lost.stop != nil {
		t.Error("a server that an authority vouches for is looked for")
	}
	w.client.nav.reset(func() page { return newLandingPage(w.client.client) })
	if w.client.unreached() {
		t.Error("the first page looks for it")
	}
}
