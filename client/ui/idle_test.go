package ui

import (
	"slices"
	"testing"

	"fyne.io/fyne/v2"
	"fyne.io/fyne/v2/driver/mobile"
	"fyne.io/fyne/v2/test"

	"parley/client/session"
	"parley/client/ui/uitest"
)

// Fyne lays out a widget again in whose drawing there is something new. If that
// makes something new again, the app draws frames for ever.
func TestLayoutMakesNothingNew(t *testing.T) {
	more := []scene{
		{"pressed", func(w *world) {
			w.client.start()
			w.room("Lobby", "Ann", "Bob").Apply(uitest.Appended(uitest.Many(0, 40)...))
			l := w.page().list
			l.TouchDown(&mobile.TouchEvent{PointEvent: fyne.PointEvent{Position: uitest.Where(w.t, l, "dinner")}})
		}},
		{"select", func(w *world) {
			w.client.start()
			w.room("Lobby", "Ann", "Bob").Apply(uitest.Appended(uitest.Many(0, 40)...))
			showSelect(w.client.client, "the gate is open")
		}},
	}
	for _, s := range append(more, scenes...) {
		w := newWorld(t, uitest.Phone, nil)
		s.show(w)
		if p, ok := w.client.nav.top().(*roomPage); ok {
			w.window.Canvas().Focus(p.composer.Entry)
		}
		check := func(v uitest.Seen) {
			o, ok := v.Object.(fyne.Widget)
			if !ok {
				return
			}
			r := test.WidgetRenderer(o)
			before := slices.Clone(r.Objects())
			r.Layout(o.Size())
			if !slices.Equal(before, r.Objects()) {
				t.Errorf("%s: a %T makes something new whenever it is laid out", s.name, o)
			}
		}
		uitest.Walk(w.window.Content(), check)
		for _, o := range w.window.Canvas().Overlays().List() {
			uitest.Walk(o, check)
		}
	}
}

// A page says each second what has changed, and draws nothing if nothing has.
func TestBannerDrawsNothingWhileConnected(t *testing.T) {
	w := newWorld(t, uitest.Phone, nil)
	w.client.start()
	conv := w.room("Lobby", "Ann")
	b := w.page().banner
	status := func(s session.Status) { conv.Apply([]session.Change{{Kind: session.StatusChanged, Status: s}}) }
	status(session.Status{State: session.Connecting, Cause: session.CauseLost})
	if !b.Visible() || b.update() {
		t.Error("the banner is missing, or drawn again")
	}
	status(session.Status{State: session.Connected})
	if b.Visible() || b.update() {
		t.Error("the banner stays, or is drawn again while it is hidden")
	}
}
