package ui

import (
	"testing"

	"fyne.io/fyne/v2"
	"fyne.io/fyne/v2/driver/mobile"
	"fyne.io/fyne/v2/test"

	"parley/client/ui/uitest"
)

// push drags a finger over the edge in steps and lifts it.
func push(g *edge, steps ...fyne.Delta) {
	var last *fyne.DragEvent
	for _, d := range steps {
		last = &fyne.DragEvent{Dragged: d}
		g.Dragged(last)
	}
	g.Dragged(last) // as Fyne's driver does with a finger that leaves at speed
	g.DragEnd()
}

func TestSwipeFromTheLeftEdge(t *testing.T) {
	uitest.OnPhone(t, true)
	w := newWorld(t, uitest.Phone, nil)
	w.client.start()
	conv := w.room("Lobby", "Ann", "Bob")
	conv.Apply(uitest.Appended(uitest.Many(0, 60)...))
	n, r := w.client.nav, w.reel()
	top := func() page { return n.top() }
	room := top()

	// A short, slow push lets the page spring back.
	g := n.edge
	g.Dragged(&fyne.DragEvent{Dragged: fyne.NewDelta(60, 5)})
	if x := n.lefts()[room.object()]; x != 60 {
		t.Errorf("the page is at %v, the finger at 60", x)
	}
	g.Dragged(&fyne.DragEvent{Dragged: fyne.NewDelta(2, 0)})
	g.DragEnd()
	r.Frame(1)
	if top() != room || n.lefts()[room.object()] != 0 || n.slide != nil {
		t.Error("a short push leaves the page elsewhere")
	}

	// While it springs back it can be caught; what the driver still tells of the
	// finger before changes nothing.
	first := &fyne.DragEvent{Dragged: fyne.NewDelta(6, 0)}
	g.Dragged(first)
	g.Dragged(first)
	r.Frame(0.1)
	if _, ok := n.lefts()[g]; !ok {
		t.Error("a page that springs back can't be caught")
	}
	g.Dragged(&fyne.DragEvent{Dragged: fyne.NewDelta(100, 0)})
	g.Dragged(first)
	g.DragEnd()
	g.Dragged(&fyne.DragEvent{Dragged: fyne.NewDelta(150, 0)})
	g.DragEnd()
	r.Frame(1)
	if _, ok := top().(*askRoomPage); !ok || n.slide != nil || n.moves.Running != 0 {
		t.Errorf("caught again: the page is a %T", top())
	}
	w.client.enter("Lobby")
	r.Frame(1)
	room = top()

	// What goes up or down scrolls.
	before := w.page().list.Offset
	push(g, fyne.NewDelta(3, 40), fyne.NewDelta(30, 40))
	if top() != room || n.slide != nil || w.page().list.Offset >= before {
		t.Errorf("a drag at the edge does not scroll: %v, before %v", w.page().list.Offset, before)
	}

	for name, steps := range map[string][]fyne.Delta{
		"slow": {fyne.NewDelta(100, 0), fyne.NewDelta(150, 0), fyne.NewDelta(3, 0)},
		"fast": {fyne.NewDelta(12, 1), fyne.NewDelta(20, 0)},
	} {
		push(g, steps...)
		r.Frame(1)
		if _, ok := top().(*askRoomPage); !ok || n.slide != nil || n.moves.Running != 0 {
			t.Errorf("%s: the page is a %T", name, top())
		}
		if len(w.client.open) != 1 {
			t.Errorf("%s: the room is left", name)
		}
		w.client.enter("Lobby")
		r.Frame(1)
	}
	// A fast finger has left the edge before it is noticed, a list under it has not.
	l := w.page().list
	touch := func(x float32) {
		l.TouchDown(&mobile.TouchEvent{PointEvent: fyne.PointEvent{AbsolutePosition: fyne.NewPos(x, 300), Position: fyne.NewPos(x, 200)}})
		l.Dragged(&fyne.DragEvent{Dragged: fyne.NewDelta(70, 4)})
		last := &fyne.DragEvent{Dragged: fyne.NewDelta(70, 4)}
		l.Dragged(last)
		l.Dragged(last)
		l.DragEnd()
		r.Frame(1)
	}
	touch(60)
	if _, ok := top().(*roomPage); !ok || n.slide != nil {
		t.Error("a finger from the middle goes back")
	}
	touch(4)
	if _, ok := top().(*askRoomPage); !ok || n.slide != nil {
		t.Errorf("a fast finger: the page is a %T", top())
	}
	w.client.enter("Lobby")
	r.Frame(1)

	// Back from the middle to the left: it was not meant.
	push(g, fyne.NewDelta(250, 0), fyne.NewDelta(-30, 0))
	r.Frame(1)
	if _, ok := top().(*roomPage); !ok {
		t.Errorf("the page is a %T", top())
	}

	// There is no edge below the first pages, nor on a desktop.
	shown := func() bool {
		for _, o := range test.WidgetRenderer(n).Objects() {
			if o == fyne.CanvasObject(g) {
				return true
			}
		}
		return false
	}
	if !shown() {
		t.Error("a room has no edge")
	}
	w.client.back(false)
	r.Frame(1)
	if shown() {
		t.Error("the rooms have an edge")
	}
	uitest.OnPhone(t, false)
	w.client.enter("Lobby")
	r.Frame(1)
	if shown() {
		t.Error("a desktop has an edge")
	}
}

// A phone that turns while one types keeps the keyboard, wide or narrow.
func TestTurningKeepsTheFocus(t *testing.T) {
	uitest.OnPhone(t, true)
	w := newWorld(t, uitest.Phone, nil)
	w.client.start()
	w.room("Lobby", "Ann", "Bob")
	e := w.page().composer.Entry
	w.window.Canvas().Focus(e)
	for _, size := range []fyne.Size{fyne.NewSize(860, 232), fyne.NewSize(412, 560)} {
		w.window.Resize(size)
		if w.window.Canvas().Focused() != fyne.Focusable(e) {
			t.Errorf("at %v the focus is gone", size)
		}
	}
	w.client.back(false)
	if w.window.Canvas().Focused() != nil {
		t.Error("the focus stays on a page that is gone")
	}
}
