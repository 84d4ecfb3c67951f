package ui

import (
	"strings"
	"testing"
	"time"

	"fyne.io/fyne/v2"
	"fyne.io/fyne/v2/test"

	"parley/client/session"
	"parley/client/ui/uitest"
)

// reel winds the window's animations by hand from now on.
func (w *world) reel() *uitest.Reel {
	r, m := &uitest.Reel{}, w.client.nav.moves
	m.Start, m.Stop, m.Later = r.Start, r.Stop, r.Later
	return r
}

// lefts is the x of each page on the screen.
func (n *navigator) lefts() map[fyne.CanvasObject]float32 {
	m := make(map[fyne.CanvasObject]float32)
	for _, o := range test.WidgetRenderer(n).Objects() {
		m[o] = o.Position().X
	}
	return m
}

func TestPagesSlide(t *testing.T) {
	for _, v := range []struct {
		name string
		size fyne.Size
		x    float32 // the left edge of the pane
	}{{"narrow", uitest.Phone, 0}, {"wide", fyne.NewSize(1120, 760), paneWidth + 1}} {
		t.Run(v.name, func(t *testing.T) {
			w := newWorld(t, v.size, nil)
			w.client.start()
			n, r := w.client.nav, w.reel()
			from := n.pane()
			n.push(func() page { return newSettingsPage(w.client.client) })
			to := n.pane()
			width := v.size.Width - v.x
			at := func(what string, want map[fyne.CanvasObject]float32) {
				t.Helper()
				got := n.lefts()
				for o, x := range want {
					if g, ok := got[o]; !ok || g-x > 1 || x-g > 1 {
						t.Errorf("%s: a page lies at %v (%v), not at %v", what, g, ok, x)
					}
				}
			}
			at("the beginning", map[fyne.CanvasObject]float32{from: v.x, to: v.x + width})
			r.Frame(0.5)
			at("half way", map[fyne.CanvasObject]float32{from: v.x - parallax*width/2, to: v.x + width/2})
			if n.moves.Running != 1 || r.Live[0].Duration != 200*time.Millisecond {
				t.Errorf("%d animations run, the first for %v", n.moves.Running, r.Live[0].Duration)
			}
			r.Frame(1)
			at("the end", map[fyne.CanvasObject]float32{to: v.x})
			if _, ok := n.lefts()[from]; ok || n.moves.Running != 0 {
				t.Error("the page before is still there, or something still moves")
			}

			w.client.back(false)
			r.Frame(0.25)
			at("back", map[fyne.CanvasObject]float32{from: v.x - parallax*width*0.75, to: v.x + width/4})
			// If the next page comes before the end, everything is in place.
			n.push(func() page { return newSettingsPage(w.client.client) })
			r.Frame(1)
			at("on again", map[fyne.CanvasObject]float32{n.pane(): v.x})
			if n.moves.Running != 0 || n.slide != nil {
				t.Error("something still moves")
			}

			// Another width, and another language, are no way from page to page.
			w.window.Resize(fyne.NewSize(v.size.Width+20, v.size.Height))
			w.client.restyle()
			if n.slide != nil {
				t.Error("a page slides by itself")
			}
		})
	}
}

func TestReducedMotion(t *testing.T) {
	w := newWorld(t, uitest.Phone, func(p prefs) { p.setStill(true) })
	w.client.start()
	r := w.reel()
	conv := w.room("Lobby", "Ann", "Bob")
	conv.Apply(uitest.Appended(uitest.Said(1, "Bob", "hi")))
	pending := uitest.Own(2, "hello")
	pending.Delivery = session.Pending
	conv.Apply(uitest.Appended(pending))
	l := w.page().list
	l.TappedSecondary(&fyne.PointEvent{Position: uitest.Where(t, l, "hi")})
	if len(r.Live) != 0 || w.client.nav.slide != nil {
		t.Errorf("%d animations run", len(r.Live))
	}
	if w.window.Canvas().Overlays().Top() == nil || len(r.Live) != 0 {
		t.Error("the menu is not there at once")
	}
	w.client.back(false)
	w.client.nav.push(func() page { return newSettingsPage(w.client.client) })
	w.client.nav.top().(*settingsPage).setStill(false)
	w.client.back(false)
	if len(r.Live) != 1 {
		t.Error("the setting does not bring motion back")
	}
}

func TestCopiedIsSaid(t *testing.T) {
	w := newWorld(t, uitest.Phone, nil)
	w.client.start()
	conv := w.room("Lobby", "Ann", "Bob")
	conv.Apply(uitest.Appended(uitest.Said(1, "Bob", "see https://example.org/x")))
	r, l := w.reel(), w.page().list
	for _, line := range []string{"Copy", "Copy the link"} {
		l.TappedSecondary(&fyne.PointEvent{Position: uitest.Where(t, l, "https:")})
		r.Frame(1)
		tapAction(t, w, line)
		if !strings.Contains(uitest.Texts(w.client.nav), "Copied") {
			t.Errorf("%s: nobody says so", line)
		}
		r.Frame(1)
		r.Wait()
		if strings.Contains(uitest.Texts(w.client.nav), "Copied") {
			t.Errorf("%s: it is said for ever", line)
		}
	}
}

// While nobody does anything, nothing moves and nothing waits to.
func TestNothingMovesWhileIdle(t *testing.T) {
	w := newWorld(t, uitest.Phone, nil)
	w.client.start()
	r := w.reel()
	conv := w.room("Lobby", "Ann", "Bob")
	conv.Apply(uitest.Appended(uitest.Many(0, 60)...))
	pending := uitest.Own(100, "mine")
	pending.Delivery = session.Pending
	conv.Apply(uitest.Appended(pending))
	l := w.page().list
	l.Scrolled(&fyne.ScrollEvent{Scrolled: fyne.NewDelta(0, 300)})
	w.client.copy("x")
	l.TappedSecondary(&fyne.PointEvent{Position: uitest.Where(t, l, "dinner")})
	w.client.nav.push(func() page { return newSettingsPage(w.client.client) })
	if w.client.nav.moves.Running < 3 {
		t.Errorf("%d animations run", w.client.nav.moves.Running)
	}
	w.client.back(false)
	w.client.back(false)
	for range 3 {
		r.Frame(1)
		r.Wait()
	}
	if n := w.client.nav.moves.Running; n != 0 || len(r.Live)+len(r.Due) != 0 {
		t.Errorf("%d animations run, %d are Fyne's, %d things wait", n, len(r.Live), len(r.Due))
	}
}

// The server is asked for its rooms again and again; the same answer draws
// nothing.
func TestSameRoomsDrawNothing(t *testing.T) {
	w := newWorld(t, uitest.Phone, nil)
	w.active = []session.RoomInfo{{Name: "Hall", Count: 2, LastActivity: uitest.Noon.Add(-time.Hour)}}
	w.client.start()
	p := w.client.nav.top().(*askRoomPage)
	w.settle(func() bool { return len(p.active) == 1 })
	drawn := func() fyne.CanvasObject { return p.rooms.Objects[len(p.rooms.Objects)-1] }
	ask := func() {
		w.queue.Drain()
		select {
		case <-w.queue.Added:
		default:
		}
		p.ask(t.Context())
		<-w.queue.Added
		w.queue.Drain()
	}
	before := drawn()
	ask()
	if drawn() != before {
		t.Error("the same answer is drawn anew")
	}
	w.set(func() { w.active[0].Count = 3 })
	ask()
	if drawn() == before {
		t.Error("another answer is not drawn")
	}
}
