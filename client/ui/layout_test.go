package ui

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"fyne.io/fyne/v2"
	"fyne.io/fyne/v2/canvas"
	"fyne.io/fyne/v2/test"

	"parley/client/session"
	"parley/client/ui/text"
	"parley/shared"
)

// seen is an object that is drawn, with where it is and where it is cut off.
type seen struct {
	object fyne.CanvasObject
	text   *canvas.Text // when it is one
	at     fyne.Position
	clip   box
}

type box struct{ left, top, right, bottom float32 }

func (b box) cut(o box) box {
	return box{max(b.left, o.left), max(b.top, o.top), min(b.right, o.right), min(b.bottom, o.bottom)}
}

// walk visits everything that is drawn of an object.
func walk(o fyne.CanvasObject, at fyne.Position, visit func(seen)) {
	walkIn(o, at, box{-1e9, -1e9, 1e9, 1e9}, visit)
}

func walkIn(o fyne.CanvasObject, at fyne.Position, clip box, visit func(seen)) {
	if o == nil || !o.Visible() {
		return
	}
	at = at.Add(o.Position())
	if _, ok := o.(fyne.Scrollable); ok {
		clip = clip.cut(box{at.X, at.Y, at.X + o.Size().Width, at.Y + o.Size().Height})
	}
	v := seen{object: o, at: at, clip: clip}
	v.text, _ = o.(*canvas.Text)
	visit(v)
	switch o := o.(type) {
	case *fyne.Container:
		for _, child := range o.Objects {
			walkIn(child, at, clip, visit)
		}
	case fyne.Widget:
		for _, child := range test.WidgetRenderer(o).Objects() {
			walkIn(child, at, clip, visit)
		}
	}
}

// checkLayout fails when a text is cut off at a side, leaves the window, or
// covers another.
func checkLayout(t *testing.T, what string, root fyne.CanvasObject, size fyne.Size) {
	t.Helper()
	type placed struct {
		box
		s string
	}
	pill := plural("room.new", 2) // lies over the list on purpose
	var all []placed
	walk(root, fyne.Position{}, func(v seen) {
		if v.text == nil || strings.TrimSpace(v.text.Text) == "" || v.text.Text == pill {
			return
		}
		w := v.text.MinSize()
		b := box{v.at.X, v.at.Y, v.at.X + w.Width, v.at.Y + w.Height}
		clip := v.clip.cut(box{0, -1e9, size.Width, 1e9})
		if b.left < clip.left-1 || b.right > clip.right+1 {
			t.Errorf("%s: %q is cut off: it spans %v to %v of %v to %v", what, v.text.Text, b.left, b.right, clip.left, clip.right)
		}
		if b.bottom < v.clip.top || b.top > v.clip.bottom {
			return // scrolled out of sight
		}
		if text.OnlyEmoji(strings.TrimPrefix(v.text.Text, strut)) {
			return // measured by the text's font, drawn lower by another
		}
		all = append(all, placed{b.cut(v.clip), v.text.Text})
	})
	if len(all) == 0 {
		t.Errorf("%s: nothing can be read", what)
	}
	const touching = 4 // ascenders and descenders of two lines
	for i, a := range all {
		for _, b := range all[i+1:] {
			if min(a.right, b.right)-max(a.left, b.left) > 1 && min(a.bottom, b.bottom)-max(a.top, b.top) > touching {
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
		w.room("Attic").apply([]session.Change{{Kind: session.StatusChanged,
			Status: session.Status{State: session.Closed, Cause: session.CauseNeedsKey}}})
	}},
	{"cert", func(w *world) {
		w.client.pins.Trust(w.client.prefs.server(), shared.Fingerprint(nil))
		w.client.start()
		conv := w.room("Attic")
		conv.apply([]session.Change{{Kind: session.StatusChanged, Status: session.Status{
			State: session.Closed, Cause: session.CauseCertChanged, Detail: shared.Fingerprint([]byte("x"))}}})
		w.page().banner.tapped()
	}},
	{"lock", func(w *world) {
		w.active = []session.RoomInfo{{Name: "Attic", Count: 2, Locked: true}, {Name: "Hall", Count: 2}}
		w.client.start()
		p := w.client.nav.top().(*askRoomPage)
		w.settle(func() bool { return p.asked })
		w.client.showLock("Cellar")
	}},
	{"landing", func(w *world) {
		w.client.nav.reset(func() page { return newLandingPage(w.client) })
		p := w.client.nav.top().(*landingPage)
		w.settle(func() bool { return strings.Contains(p.state.text.text, "1.2.3") })
	}},
	{"landing-problem", func(w *world) {
		w.fault = &session.Problem{Cause: session.CauseUnreachable}
		w.client.nav.reset(func() page { return newLandingPage(w.client) })
		p := w.client.nav.top().(*landingPage)
		w.settle(func() bool { return p.state.text.text == tr("cause.unreachable") })
		p.name.entry.SetText("a/b")
		p.submit()
	}},
	{"rooms", func(w *world) {
		w.active = []session.RoomInfo{{Name: "Lobby", Count: 3, LastActivity: noon.Add(-5 * time.Minute)},
			{Name: "Donaudampfschifffahrtsgesellschaft", Count: 12, LastActivity: noon.Add(-50 * time.Hour)}}
		w.client.start()
		conv := w.room("Team Pizza", "Ann", "Bob")
		w.client.back(false)
		conv.apply(appended(said(1, "Grace Hopper", "The dashboard went red for about forty seconds"), said(2, "Bob", "hungry?")))
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
		conv.apply(append(appended(conversationItems()...), session.Change{Kind: session.TypingChanged, Typing: []string{"Grace Hopper"}}))
		conv.timeline.setFresh("id3")
		conv.page.list.Refresh()
		w.page().composer.entry.SetText("A draft of\nseveral\nlines")
		w.page().root.Refresh()
	}},
	{"room-offline", func(w *world) {
		w.client.start()
		conv := w.room("Team Pizza", "Ann", "Bob")
		conv.apply(append(appended(deliveries()...), session.Change{Kind: session.StatusChanged,
			Status: session.Status{State: session.Disconnected, Cause: session.CauseServerRestart, RetryAt: noon.Add(9 * time.Second)}}))
	}},
	{"room-scrolled", func(w *world) {
		w.client.start()
		conv := w.room("Team Pizza", "Ann", "Bob")
		conv.apply(appended(many(0, 60)...))
		w.page().list.scrollBy(900)
		conv.apply(appended(said(100, "Bob", "new"), said(101, "Bob", "newer")))
	}},
	{"menu", func(w *world) {
		w.client.start()
		conv := w.room("Team Pizza", "Ann", "Bob")
		conv.apply(appended(deliveries()...))
		l := w.page().list
		l.Tapped(&fyne.PointEvent{Position: middle(w.t.(*testing.T), l, hitFailed)})
	}},
	{"people", func(w *world) {
		w.client.start()
		w.room("Team Pizza", "Ann", "Bob", "Grace Brewster Murray Hopper", "Łukasz")
		w.page().showPeople()
	}},
	{"settings", func(w *world) {
		w.client.start()
		w.client.nav.push(func() page { return newSettingsPage(w.client) })
	}},
}

func conversationItems() []session.Item {
	second := said(1, "Grace Hopper", "Well... one, but nobody noticed")
	second.ID, second.Time = "id1b", second.Time.Add(10*time.Second)
	yesterday := said(0, "Bob", "Good night")
	yesterday.Time = yesterday.Time.AddDate(0, 0, -1)
	return []session.Item{yesterday, said(1, "Grace Hopper", "It did. Zero rollbacks."), second, own(2, "I noticed."),
		said(3, "Bob", "Directions: https://example.org/a/very/long/path/that/has/no/spaces?and=a&query=string, see you"),
		own(4, "The dashboard went red for about forty seconds and my phone buzzed through dinner.")}
}

func deliveries() []session.Item {
	pending, failed := own(2, "Sent in the tunnel"), own(3, "Too bold")
	pending.Delivery = session.Pending
	failed.Delivery, failed.Code, failed.Reason = session.Failed, shared.CodeNotAllowed, "Only moderators may write here."
	return []session.Item{said(1, "Bob", "Are you there?"), pending, {Kind: session.KindGap, ID: "gap", Time: noon}, failed}
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
	if err := useLanguage("en"); err != nil {
		t.Fatal(err)
	}
}
