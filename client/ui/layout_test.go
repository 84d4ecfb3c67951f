package ui

import (
	"fmt"
	"net/netip"
	"strings"
	"testing"
	"time"

	"fyne.io/fyne/v2"

	"parley/client/session"
	"parley/client/ui/lang"
	"parley/client/ui/text"
	"parley/client/ui/uitest"
	"parley/shared"
)

// checkLayout fails when a text is cut off at a side, leaves the window, or
// covers another.
func checkLayout(t *testing.T, what string, root fyne.CanvasObject, size fyne.Size) {
	t.Helper()
	type placed struct {
		uitest.Box
		s string
	}
	pill := lang.Plural("room.new", 2) // lies over the list on purpose
	var all []placed
	uitest.Walk(root, func(v uitest.Seen) {
		if v.Text == nil || strings.TrimSpace(v.Text.Text) == "" || v.Text.Text == pill {
			return
		}
		w := v.Text.MinSize()
		b := uitest.Box{Left: v.At.X, Top: v.At.Y, Right: v.At.X + w.Width, Bottom: v.At.Y + w.Height}
		clip := v.Clip.Cut(uitest.Box{Top: -1e9, Right: size.Width, Bottom: 1e9})
		if b.Left < clip.Left-1 || b.Right > clip.Right+1 {
			t.Errorf("%s: %q is cut off: it spans %v to %v of %v to %v", what, v.Text.Text, b.Left, b.Right, clip.Left, clip.Right)
		}
		if b.Bottom < v.Clip.Top || b.Top > v.Clip.Bottom {
			return // scrolled out of sight
		}
		if text.OnlyEmoji(strings.TrimPrefix(v.Text.Text, uitest.Strut)) {
			return // measured by the text's font, drawn lower by another
		}
		all = append(all, placed{b.Cut(v.Clip), v.Text.Text})
	})
	if len(all) == 0 {
		t.Errorf("%s: nothing can be read", what)
	}
	const touching = 4 // ascenders and descenders of two lines
	for i, a := range all {
		for _, b := range all[i+1:] {
			if min(a.Right, b.Right)-max(a.Left, b.Left) > 1 && min(a.Bottom, b.Bottom)-max(a.Top, b.Top) > touching {
				t.Errorf("%s: %q and %q cover each other", what, a.s, b.s)
			}
		}
	}
}

// scene is a page in a state that is worth looking at.
type scene struct {
	name string
	show func(w *world)
}

var scenes = []scene{
	{"key", func(w *world) {
		w.active = []session.RoomInfo{{Name: "Attic", Count: 2, Locked: true}}
		w.client.start()
		w.room("Attic").Apply([]session.Change{{Kind: session.StatusChanged,
			Status: session.Status{State: session.Closed, Cause: session.CauseNeedsKey}}})
	}},
	{"cert", func(w *world) {
		w.client.prefs.setServer(tlsServer)
		w.client.pins.Expect(tlsServer, shared.Fingerprint(nil))
		w.client.start()
		conv := w.room("Attic")
		conv.Apply([]session.Change{{Kind: session.StatusChanged, Status: session.Status{
			State: session.Closed, Cause: session.CauseCertChanged, Detail: shared.Fingerprint([]byte("x"))}}})
		w.page().banner.tapped()
	}},
	{"lock", func(w *world) {
		w.active = []session.RoomInfo{{Name: "Attic", Count: 2, Locked: true}, {Name: "Hall", Count: 2}}
		w.client.start()
		p := w.client.nav.top().(*askRoomPage)
		w.settle(func() bool { return p.asked })
		showLock(w.client.client, "Cellar")
	}},
	{"landing", func(w *world) {
		w.client.nav.reset(func() page { return newLandingPage(w.client.client) })
		p := w.client.nav.top().(*landingPage)
		w.settle(func() bool { return strings.Contains(p.state.text.Text, "1.2.3") })
	}},
	{"landing-nearby", func(w *world) {
		s := w.searches()
		w.client.nav.reset(func() page { return newLandingPage(w.client.client) })
		p := w.client.nav.top().(*landingPage)
		s.servers <- classroom
		s.servers <- session.Nearby{Base: "https://192.168.77.51:8000", Info: session.ServerInfo{Name: "Rindfleischetikettierungsüberwachungsaufgaben", People: 1, Words: "a-b-c"}}
		close(s.servers)
		w.settle(func() bool { return p.nearby.stop == nil && strings.Contains(p.state.text.Text, "1.2.3") })
	}},
	{"landing-why", func(w *world) {
		s := w.searches()
		s.trace.Networks = []session.Asked{{Name: "wlan0", Prefix: netip.MustParsePrefix("192.168.77.20/24"), Packets: 6}}
		w.client.nav.reset(func() page { return newLandingPage(w.client.client) })
		p := w.client.nav.top().(*landingPage)
		close(s.servers)
		w.settle(func() bool { return p.nearby.stop == nil && strings.Contains(p.state.text.Text, "1.2.3") })
		p.nearby.explain()
	}},
	{"landing-problem", func(w *world) {
		w.fault = &session.Problem{Cause: session.CauseUnreachable}
		w.client.nav.reset(func() page { return newLandingPage(w.client.client) })
		p := w.client.nav.top().(*landingPage)
		w.settle(func() bool { return p.state.text.Text == lang.T("cause.unreachable") })
		p.name.Entry.SetText("a/b")
		p.submit()
	}},
	{"rooms", func(w *world) {
		w.active = []session.RoomInfo{{Name: "Lobby", Count: 3, LastActivity: uitest.Noon.Add(-5 * time.Minute)},
			{Name: "Donaudampfschifffahrtsgesellschaft", Count: 12, LastActivity: uitest.Noon.Add(-50 * time.Hour)}}
		w.client.start()
		conv := w.room("Team Pizza", "Ann", "Bob")
		w.client.back(false)
		conv.Apply(uitest.Appended(uitest.Said(1, "Grace Hopper", "The dashboard went red for about forty seconds"), uitest.Said(2, "Bob", "hungry?")))
		p := w.client.nav.top().(*askRoomPage)
		w.settle(func() bool { return len(p.active) == 2 })
	}},
	{"rooms-problem", func(w *world) {
		w.fault = &session.Problem{Cause: session.CauseNoSuchHost}
		w.client.start()
		p := w.client.nav.top().(*askRoomPage)
		w.settle(func() bool { return p.trouble != nil })
		p.room.SetText("a/b")
		p.join()
	}},
	{"rooms-empty", func(w *world) {
		w.client.start()
		p := w.client.nav.top().(*askRoomPage)
		w.settle(func() bool { return p.asked })
	}},
	{"room-empty", func(w *world) {
		w.client.start()
		w.room("Team Pizza", "Ann")
	}},
	{"room", func(w *world) {
		w.client.start()
		conv := w.room("Team Pizza", "Ann", "Bob", "Grace Hopper")
		conv.Apply(append(uitest.Appended(conversationItems()...), session.Change{Kind: session.TypingChanged, Typing: []string{"Grace Hopper"}}))
		conv.Timeline.SetFresh("id3")
		w.page().list.Refresh()
		w.page().composer.Entry.SetText("A draft of\nseveral\nlines")
		w.page().root.Refresh()
	}},
	{"room-offline", func(w *world) {
		w.client.start()
		conv := w.room("Team Pizza", "Ann", "Bob")
		conv.Apply(append(uitest.Appended(deliveries()...), session.Change{Kind: session.StatusChanged,
			Status: session.Status{State: session.Disconnected, Cause: session.CauseServerRestart, RetryAt: uitest.Noon.Add(9 * time.Second)}}))
	}},
	{"room-scrolled", func(w *world) {
		w.client.start()
		conv := w.room("Team Pizza", "Ann", "Bob")
		conv.Apply(uitest.Appended(uitest.Many(0, 60)...))
		w.page().list.ScrollBy(900)
		conv.Apply(uitest.Appended(uitest.Said(100, "Bob", "new"), uitest.Said(101, "Bob", "newer")))
	}},
	{"menu", func(w *world) {
		w.client.start()
		conv := w.room("Team Pizza", "Ann", "Bob")
		conv.Apply(uitest.Appended(deliveries()...))
		l := w.page().list
		l.Tapped(&fyne.PointEvent{Position: uitest.Where(w.t, l, "bold")})
	}},
	{"people", func(w *world) {
		w.client.start()
		w.room("Team Pizza", "Ann", "Bob", "Grace Brewster Murray Hopper", "Łukasz")
		w.people()
	}},
	{"invite", func(w *world) {
		w.client.start()
		showInvite(w.client.client, w.room("Team Pizza", "Ann", "Bob"))
	}},
	{"settings", func(w *world) {
		w.client.start()
		w.client.nav.push(func() page { return newSettingsPage(w.client.client) })
	}},
}

func conversationItems() []session.Item {
	second := uitest.Said(1, "Grace Hopper", "Well... one, but nobody noticed")
	second.ID, second.Time = "id1b", second.Time.Add(10*time.Second)
	yesterday := uitest.Said(0, "Bob", "Good night")
	yesterday.Time = yesterday.Time.AddDate(0, 0, -1)
	return []session.Item{yesterday, uitest.Said(1, "Grace Hopper", "It did. Zero rollbacks."), second, uitest.Own(2, "I noticed."),
		uitest.Said(3, "Bob", "Directions: https://example.org/a/very/long/path/that/has/no/spaces?and=a&query=string, see you"),
		uitest.Own(4, "The dashboard went red for about forty seconds and my phone buzzed through dinner.")}
}

func deliveries() []session.Item {
	pending, failed := uitest.Own(2, "Sent in the tunnel"), uitest.Own(3, "Too bold")
	pending.Delivery = session.Pending
	failed.Delivery, failed.Code, failed.Reason = session.Failed, shared.CodeNotAllowed, "Only moderators may write here."
	return []session.Item{uitest.Said(1, "Bob", "Are you there?"), pending, {Kind: session.KindGap, ID: "gap", Time: uitest.Noon}, failed}
}

// Nothing is cut off and nothing overlaps on the narrowest phone, with the
// largest text, in the language of long words and in all the others.
func TestNothingIsCutOff(t *testing.T) {
	for _, tc := range []struct {
		language string
		percent  int
		size     fyne.Size
	}{
		{"de", 200, fyne.NewSize(320, 700)}, {"pl", 200, fyne.NewSize(320, 700)}, {"fr", 200, fyne.NewSize(320, 700)},
		{"es", 200, fyne.NewSize(320, 700)}, {"ja", 200, fyne.NewSize(320, 700)}, {"de", 200, fyne.NewSize(1100, 760)},
	} {
		for _, s := range scenes {
			what := fmt.Sprintf("%s, %s, %d %%, %v wide", s.name, tc.language, tc.percent, tc.size.Width)
			w := newWorld(t, tc.size, func(p prefs) { p.setLanguage(tc.language); p.setPercent(tc.percent) })
			s.show(w)
			root := w.window.Content()
			if o := w.window.Canvas().Overlays().Top(); o != nil {
				root = o
			}
			checkLayout(t, what, root, tc.size)
		}
	}
	if err := lang.Use("en"); err != nil {
		t.Fatal(err)
	}
}
