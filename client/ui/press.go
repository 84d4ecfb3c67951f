package ui

import (
	"image/color"

	"fyne.io/fyne/v2"
	"fyne.io/fyne/v2/driver/desktop"
	"fyne.io/fyne/v2/driver/mobile"
)

// blend is a ground with a colour laid over it.
func blend(ground, over color.NRGBA) color.NRGBA {
	if ground.A == 0 {
		return over
	}
	mix := func(a, b uint8) uint8 {
		return uint8((int(a)*(0xff-int(over.A)) + int(b)*int(over.A)) / 0xff)
	}
	return color.NRGBA{mix(ground.R, over.R), mix(ground.G, over.G), mix(ground.B, over.B), ground.A}
}

// press draws a tile as one that a finger, or the mouse, is on.
func (t *tile) press(on bool) {
	if t.pressed != on {
		t.pressed = on
		t.Refresh()
	}
}

func (t *tile) MouseDown(*desktop.MouseEvent) { t.press(true) }
func (t *tile) MouseUp(*desktop.MouseEvent)   { t.press(false) }

// light draws what lies under a finger as pressed.
func (l *messageList) light(h hit) {
	if h == l.lit {
		return
	}
	l.lit = h
	if l.render != nil {
		l.render.draw()
	}
}

// lightOn is what is drawn over what is pressed.
func (r *listRenderer) lightOn() []fyne.CanvasObject {
	l := r.list
	h := l.lit
	at := h.at
	switch {
	case h.kind == hitNothing:
		return nil
	case h.kind == hitPill && r.pill.visible:
		at, h.size = r.pill.at, r.pill.size
	case h.row == nil || h.row.view == nil:
		return nil
	default:
		at = at.Add(h.row.view.root.Position())
	}
	rect := r.lit // the same one: Fyne would lay out the list for a new one, and draw it again
	rect.FillColor = colors().Press
	rect.CornerRadius = min(h.size.Height/2, bubbleRound)
	if h.kind == hitLink {
		rect.CornerRadius = unit
	}
	put(rect, at.X, at.Y, h.size.Width, h.size.Height)
	return []fyne.CanvasObject{rect}
}

// dragged hands a finger's drag on to what scrolls.
func (t *tile) dragged(e *fyne.DragEvent) {
	t.press(false)
	if t.scroll != nil {
		t.scroll.Dragged(e)
	}
}

func (t *tile) dragEnd() {
	if t.scroll != nil {
		t.scroll.DragEnd()
	}
}

// adopt has the tiles in an object hand drags on to what scrolls it.
func adopt(o fyne.CanvasObject, by fyne.Draggable) {
	find(o, func(o fyne.CanvasObject) bool {
		if t, ok := o.(*tile); ok {
			t.scroll = by
		}
		return false
	})
}

// TouchDown shows a button inside as pressed, if the finger is on one. The button
// can't feel that itself without taking the focus, and the keyboard, away.
func (e *composerEntry) TouchDown(t *mobile.TouchEvent) {
	if n := int((e.Size().Width - t.Position.X) / touch); n >= 0 && n < len(e.inside) && e.inside[n].Visible() {
		e.inside[n].press(true)
	}
	e.editor.TouchDown(t)
}

func (e *composerEntry) TouchCancel(t *mobile.TouchEvent) {
	for _, b := range e.inside {
		b.press(false)
	}
	e.editor.TouchCancel(t)
}

func (b *insideButton) press(on bool) {
	if b.pressed != on {
		b.pressed = on
		b.Refresh()
	}
}

func (b *insideButton) MouseDown(*desktop.MouseEvent) { b.press(true) }
func (b *insideButton) MouseUp(*desktop.MouseEvent)   { b.press(false) }

// TappedSecondary is a slow tap, which is still a tap.
func (b *insideButton) TappedSecondary(*fyne.PointEvent) {
	if isPhone() {
		b.Tapped(nil)
	}
}
