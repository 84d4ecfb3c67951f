package ui

import (
	"slices"
	"strings"
	"testing"
	"time"

	"fyne.io/fyne/v2"
	"fyne.io/fyne/v2/canvas"
	"fyne.io/fyne/v2/test"

	"parley/client/session"
)

// reel is the frames of a window, which a test winds by hand: Fyne's test driver
// knows but the last one of each animation.
type reel struct {
	motion *motion
	live   []*fyne.Animation
	later  []func()
}

func (w *world) reel() *reel {
	m := w.client.nav.motion
	r := &reel{motion: m}
	m.start = func(a *fyne.Animation) { r.live = append(r.live, a) }
	m.stop = func(a *fyne.Animation) {
		r.live = slices.DeleteFunc(r.live, func(o *fyne.Animation) bool { return o == a })
	}
	m.later = func(_ time.Duration, f func()) { r.later = append(r.later, f) }
	return r
}

// frame draws what is to be seen when a part of each animation is done.
func (r *reel) frame(done float32) {
	for _, a := range slices.Clone(r.live) {
		a.Tick(done)
	}
	if done == 1 {
		r.live = nil
	}
}

// wait lets all pass that was to happen later.
func (r *reel) wait() {
	due := r.later
	r.later = nil
	for _, f := range due {
		f()
	}
}

// left is where each page on the screen lies.
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
		x    float32 // where the pane begins
	}{{"narrow", phone, 0}, {"wide", fyne.NewSize(1120, 760), paneWidth + 1}} {
		t.Run(v.name, func(t *testing.T) {
			w := newWorld(t, v.size, nil)
			w.client.start()
			n, r := w.client.nav, w.reel()
			from := n.pane()
			n.push(func() page { return newSettingsPage(w.client) })
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
			r.frame(0.5)
			at("half way", map[fyne.CanvasObject]float32{from: v.x - parallax*width/2, to: v.x + width/2})
			if n.motion.running != 1 || r.live[0].Duration != 200*time.Millisecond {
				t.Errorf("%d animations run, the first for %v", n.motion.running, r.live[0].Duration)
			}
			r.frame(1)
			at("the end", map[fyne.CanvasObject]float32{to: v.x})
			if _, ok := n.lefts()[from]; ok || n.motion.running != 0 {
				t.Error("the page before is still there, or something still moves")
			}

			w.client.back(false)
			r.frame(0.25)
			at("back", map[fyne.CanvasObject]float32{from: v.x - parallax*width*0.75, to: v.x + width/4})
			// Whoever goes on before the end finds all in place.
			n.push(func() page { return newSettingsPage(w.client) })
			r.frame(1)
			at("on again", map[fyne.CanvasObject]float32{n.pane(): v.x})
			if n.motion.running != 0 || n.slide != nil {
				t.Error("something still moves")
			}

			// Another width, and another language, are no way from page to page.
			w.window.Resize(fyne.NewSize(v.size.Width+20, v.size.Height))
			w.client.restyle(true)
			if n.slide != nil {
				t.Error("a page slides by itself")
			}
		})
	}
}

func TestReducedMotion(t *testing.T) {
	w := newWorld(t, phone, func(p prefs) { p.setStill(true) })
	w.client.start()
	r := w.reel()
	conv := w.room("Lobby", "Ann", "Bob")
	conv.apply(appended(said(1, "Bob", "hi")))
	pending := own(2, "hello")
	pending.Delivery = session.Pending
	conv.apply(appended(pending))
	l := w.page().list
	l.TappedSecondary(&fyne.PointEvent{Position: middle(t, l, hitBubble)})
	if len(r.live) != 0 || w.client.nav.slide != nil || l.lift != 0 {
		t.Errorf("%d animations run", len(r.live))
	}
	o, ok := w.window.Canvas().Overlays().Top().(*overlay)
	if !ok || o.grow != nil {
		t.Error("the menu is not there at once")
	}
	w.client.back(false)
	w.client.nav.push(func() page { return newSettingsPage(w.client) })
	w.client.nav.top().(*settingsPage).setStill(false)
	w.client.back(false)
	if len(r.live) != 1 {
		t.Error("the setting does not bring motion back")
	}
}

func TestMenuGrowsFromItsBubble(t *testing.T) {
	w := newWorld(t, phone, nil)
	w.client.start()
	conv := w.room("Lobby", "Ann", "Bob")
	conv.apply(appended(many(0, 8)...))
	r := w.reel()
	l := w.page().list
	l.TappedSecondary(&fyne.PointEvent{Position: middle(t, l, hitBubble)})
	o := w.window.Canvas().Overlays().Top().(*overlay)
	at, size := o.place(o.Size())
	r.frame(0.5)
	if got := o.panel.Size(); got.Height < 0.5*size.Height || got.Height > 0.6*size.Height || got.Width >= size.Width {
		t.Errorf("half grown it is %v of %v", got, size)
	}
	if y := o.panel.Position().Y; y < at.Y || y > at.Y+size.Height {
		t.Errorf("half grown it lies at %v", y)
	}
	if a := o.shade(colors()).A; a == 0 || a >= o.scrim(colors()).A {
		t.Errorf("half grown the page is darkened by %d", a)
	}
	r.frame(1)
	if o.panel.Size() != size || o.panel.Position() != at || w.client.nav.motion.running != 0 {
		t.Errorf("grown it is %v of %v", o.panel.Size(), size)
	}
	w.client.back(false)
	l.TappedSecondary(&fyne.PointEvent{Position: middle(t, l, hitBubble)})
	w.client.back(false) // before it has grown
	if w.client.nav.motion.running != 0 {
		t.Error("a menu that is closed goes on growing")
	}
}

func TestSentBubbleRises(t *testing.T) {
	w := newWorld(t, phone, nil)
	w.client.start()
	conv := w.room("Lobby", "Ann", "Bob")
	conv.apply(appended(many(0, 60)...))
	r, l := w.reel(), w.page().list
	pending := own(100, "I rise")
	pending.Delivery = session.Pending
	conv.apply(appended(pending))
	row := l.timeline.rows[len(l.timeline.rows)-1]
	y := func() float32 { return row.view.root.Position().Y }
	r.frame(0)
	below := y()
	r.frame(0.5)
	half := y()
	r.frame(1)
	if rest := y(); below-rest < row.height-1 || half <= rest || half >= below {
		t.Errorf("it goes from %v by %v to %v", below, half, rest)
	}
	conv.apply(appended(said(101, "Bob", "and I don't")))
	if l.lift != 0 || len(r.live) != 0 || l.risen != nil {
		t.Error("what others say moves")
	}
}

func TestFloatingDate(t *testing.T) {
	w := newWorld(t, phone, nil)
	w.client.start()
	conv := w.room("Lobby", "Ann", "Bob")
	items := many(0, 120)
	for i := range items[:60] {
		items[i].Time = items[i].Time.AddDate(0, 0, -1)
	}
	conv.apply(appended(items...))
	r, l := w.reel(), w.page().list
	floats := func() string {
		if d := l.date.objects(l); len(d) > 1 {
			return d[1].(*canvas.Text).Text
		}
		return ""
	}
	l.scrollBy(1000)
	if floats() != "" {
		t.Error("a date floats before anybody scrolls")
	}
	l.Scrolled(&fyne.ScrollEvent{Scrolled: fyne.NewDelta(0, 300)})
	if floats() != "Today" {
		t.Errorf("the date is %q", floats())
	}
	l.scrollBy(l.offset - l.timeline.tops[30])
	if floats() != "Yesterday" || !slices.Contains(l.render.Objects(), l.date.drawn[0]) {
		t.Errorf("the date is %q", floats())
	}
	l.scrolled(1)
	r.wait() // it was scrolled meanwhile
	if floats() == "" {
		t.Error("the date goes while one scrolls")
	}
	r.wait()
	if floats() != "" || len(r.later) != 0 {
		t.Error("the date stays")
	}
	l.scrolled(l.offset) // to the beginning, whose own line says it
	if floats() != "" {
		t.Errorf("%q stands over its own line", floats())
	}
}

func TestCopiedIsSaid(t *testing.T) {
	w := newWorld(t, phone, nil)
	w.client.start()
	conv := w.room("Lobby", "Ann", "Bob")
	conv.apply(appended(said(1, "Bob", "see https://example.org/x")))
	r, l := w.reel(), w.page().list
	for _, line := range []string{"Copy", "Copy the link"} {
		l.TappedSecondary(&fyne.PointEvent{Position: middle(t, l, hitLink)})
		r.frame(1)
		tapLine(t, w, line)
		if !strings.Contains(texts(w.client.nav), "Copied") {
			t.Errorf("%s: nobody says so", line)
		}
		r.frame(1)
		r.wait()
		if strings.Contains(texts(w.client.nav), "Copied") {
			t.Errorf("%s: it is said for ever", line)
		}
	}
}

// tapLine taps the line of the menu on top that says something.
func tapLine(t *testing.T, w *world, label string) {
	t.Helper()
	o := w.window.Canvas().Overlays().Top().(*overlay)
	found := find(o.panel, func(o fyne.CanvasObject) bool {
		tl, ok := o.(*tile)
		return ok && strings.TrimSpace(texts(tl)) == label
	})
	if found == nil {
		t.Fatalf("the menu has no %q:\n%s", label, texts(o.panel))
	}
	found.(*tile).Tapped(&fyne.PointEvent{})
}

// While nobody does anything, nothing moves and nothing waits to.
func TestNothingMovesWhileIdle(t *testing.T) {
	w := newWorld(t, phone, nil)
	w.client.start()
	r := w.reel()
	conv := w.room("Lobby", "Ann", "Bob")
	conv.apply(appended(many(0, 60)...))
	pending := own(100, "mine")
	pending.Delivery = session.Pending
	conv.apply(appended(pending))
	l := w.page().list
	l.Scrolled(&fyne.ScrollEvent{Scrolled: fyne.NewDelta(0, 300)})
	w.client.copy("x")
	l.TappedSecondary(&fyne.PointEvent{Position: middle(t, l, hitBubble)})
	w.client.nav.push(func() page { return newSettingsPage(w.client) })
	if w.client.nav.motion.running < 3 {
		t.Errorf("%d animations run", w.client.nav.motion.running)
	}
	w.client.back(false)
	w.client.back(false)
	for range 3 {
		r.frame(1)
		r.wait()
	}
	if n := w.client.nav.motion.running; n != 0 || len(r.live)+len(r.later) != 0 {
		t.Errorf("%d animations run, %d are Fyne's, %d things wait", n, len(r.live), len(r.later))
	}
}

// The server is asked for its rooms again and again; the same answer draws
// nothing.
func TestSameRoomsDrawNothing(t *testing.T) {
	w := newWorld(t, phone, nil)
	w.active = []session.RoomInfo{{Name: "Hall", Count: 2, LastActivity: noon.Add(-time.Hour)}}
	w.client.start()
	p := w.client.nav.top().(*askRoomPage)
	w.settle(func() bool { return len(p.active) == 1 })
	drawn := func() fyne.CanvasObject { return p.rooms.objects[len(p.rooms.objects)-1] }
	ask := func() {
		w.queue.drain()
		select {
		case <-w.queue.added:
		default:
		}
		p.ask(t.Context())
		<-w.queue.added
		w.queue.drain()
	}
	before := drawn()
	ask()
	if drawn() != before {
		t.Error("the same answer is drawn anew")
	}
	w.active[0].Count = 3
	ask()
	if drawn() == before {
		t.Error("another answer is not drawn")
	}
}
