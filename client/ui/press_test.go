package ui

import (
	"image/color"
	"testing"

	"fyne.io/fyne/v2"
	"fyne.io/fyne/v2/canvas"
	"fyne.io/fyne/v2/driver/desktop"
	"fyne.io/fyne/v2/driver/mobile"
	"fyne.io/fyne/v2/test"
)

// groundOf is the colour that a tile's ground is drawn in.
func groundOf(tl *tile) color.Color {
	return test.WidgetRenderer(tl).Objects()[0].(*canvas.Rectangle).FillColor
}

func TestPressedState(t *testing.T) {
	w := newWorld(t, phone, nil)
	w.client.start()
	conv := w.room("Lobby", "Ann", "Bob")
	conv.apply(appended(many(0, 60)...))
	for name, tl := range map[string]*tile{"icon": w.page().back, "primary": newPrimary("Go", nil), "secondary": newSecondary("Go", nil)} {
		free := groundOf(tl)
		tl.MouseDown(&desktop.MouseEvent{})
		if groundOf(tl) == free {
			t.Errorf("%s: it looks the same under a finger", name)
		}
		tl.MouseUp(&desktop.MouseEvent{})
		if groundOf(tl) != free {
			t.Errorf("%s: it stays pressed", name)
		}
		tl.press(true)
		tl.dragged(&fyne.DragEvent{})
		if groundOf(tl) != free {
			t.Errorf("%s: it stays pressed when the finger scrolls", name)
		}
	}
	send := w.page().composer.send
	send.press(true)
	if test.WidgetRenderer(send).Objects()[0].(*canvas.Rectangle).FillColor == color.Color(color.Transparent) {
		t.Error("the send button looks the same under a finger")
	}
	send.press(false)

	onPhone(t, true)
	l := w.page().list
	lit := func() bool {
		for _, o := range l.render.Objects() {
			if rect, ok := o.(*canvas.Rectangle); ok && rect.FillColor == color.Color(colors().Press) {
				return true
			}
		}
		return false
	}
	l.scrollBy(1000)
	bubble := middle(t, l, hitBubble)
	down := func(p fyne.Position) {
		l.TouchDown(&mobile.TouchEvent{PointEvent: fyne.PointEvent{Position: p}})
		if !lit() {
			t.Errorf("what is at %v looks the same under a finger", p)
		}
	}
	down(bubble)
	l.Tapped(&fyne.PointEvent{Position: bubble})
	if lit() {
		t.Error("a bubble stays pressed")
	}
	down(l.render.pill.at.AddXY(5, 5))
	l.TouchCancel(&mobile.TouchEvent{})
	if lit() {
		t.Error("the pill stays pressed")
	}
	down(bubble)
	l.Dragged(&fyne.DragEvent{Dragged: fyne.NewDelta(0, 30)})
	if lit() {
		t.Error("a bubble stays pressed while the list scrolls")
	}
}

// A drag that begins on a tile moves what the tile lies in.
func TestTilesHandDragsOn(t *testing.T) {
	w := newWorld(t, phone, nil)
	w.client.start()
	p := newSettingsPage(w.client)
	var got float32
	by := dragged(func(e *fyne.DragEvent) { got += e.Dragged.DY })
	adopt(p.root, by)
	n := 0
	find(p.root, func(o fyne.CanvasObject) bool {
		if tl, ok := o.(*tile); ok {
			n++
			tl.dragged(&fyne.DragEvent{Dragged: fyne.NewDelta(0, 1)})
		}
		return false
	})
	if n < 15 || got != float32(n) {
		t.Errorf("of %d tiles %v hand a drag on", n, got)
	}
}

type dragged func(*fyne.DragEvent)

func (d dragged) Dragged(e *fyne.DragEvent) { d(e) }
func (d dragged) DragEnd()                  {}
