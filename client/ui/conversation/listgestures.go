package conversation

import (
	"fyne.io/fyne/v2"
	"fyne.io/fyne/v2/driver/desktop"
	"fyne.io/fyne/v2/driver/mobile"

	"parley/client/ui/kit"
)

// hitAt finds what lies at a position of the list.
func (l *List) hitAt(p fyne.Position) Hit {
	if l.pill.contains(p) {
		return Hit{area: area{Kind: hitPill}}
	}
	y := p.Y + l.Offset - l.lift - l.top()
	if len(l.timeline.rows) == 0 || y < 0 || y >= l.timeline.tops[len(l.timeline.rows)] {
		return Hit{}
	}
	i := l.timeline.at(y)
	if r := l.timeline.rows[i]; r.view != nil {
		if a := r.view.areaAt(fyne.NewPos(p.X, y-l.timeline.tops[i])); a.Kind != hitNothing {
			return Hit{a, r}
		}
	}
	return Hit{}
}

func (l *List) tapped(p fyne.Position) Hit {
	if l.press != nil {
		h := *l.press
		l.press = nil
		return h
	}
	return l.hitAt(p)
}

func (l *List) Tapped(e *fyne.PointEvent) {
	defer l.light(Hit{})
	switch h := l.tapped(e.Position); {
	case h.Kind == hitPill:
		l.toBottom()
	case h.Kind == hitFold:
		l.fold(h.row)
	case h.Kind != hitNothing && l.OnHit != nil:
		l.OnHit(h)
	}
}

func (l *List) TappedSecondary(e *fyne.PointEvent) {
	defer l.light(Hit{})
	if h := l.tapped(e.Position); h.Kind != hitNothing && h.Kind != hitPill && l.OnMenu != nil {
		l.OnMenu(h, fyne.CurrentApp().Driver().AbsolutePositionForObject(l).Add(e.Position))
	}
}

// TouchDown stops a fling, and remembers what the finger is on: the keyboard
// leaves as it touches, and the rows move before it is lifted.
func (l *List) TouchDown(e *mobile.TouchEvent) {
	l.dead = l.fling
	h := l.hitAt(e.Position)
	l.press = &h
	l.down = &e.AbsolutePosition
	l.light(h)
}

func (l *List) TouchUp(*mobile.TouchEvent) {}

func (l *List) TouchCancel(*mobile.TouchEvent) {
	l.press = nil
	l.light(Hit{})
}

// MouseDown shows what a click is on; a tap follows, or DragEnd.
func (l *List) MouseDown(e *desktop.MouseEvent) { l.light(l.hitAt(e.Position)) }
func (l *List) MouseUp(*desktop.MouseEvent)     { l.light(Hit{}) }

// swiped hands a finger that came down at the edge on: a fast one has left the
// edge by the time that Fyne calls it a drag, and asks what it is on. It reports
// whether the finger moves something else than the rows.
func (l *List) swiped(e *fyne.DragEvent) bool {
	if l.down != nil && l.OnSwipe != nil {
		l.swipe = l.OnSwipe(*l.down, e)
	}
	l.down = nil
	if l.swipe == nil {
		return false
	}
	l.lit, l.press = Hit{}, nil
	l.swipe.Dragged(e)
	return true
}

// Dragged scrolls under a finger; a mouse drags only the scroll bar. After the
// finger has left, Fyne goes on calling with one and the same event.
func (l *List) Dragged(e *fyne.DragEvent) {
	if !kit.IsPhone() {
		l.dragBar(e)
		return
	}
	if e == l.dead {
		return
	}
	if l.swiped(e) {
		return
	}
	l.fling = e
	l.press = nil
	l.lit = Hit{}
	l.scrolled(e.Dragged.DY)
}

func (l *List) DragEnd() {
	l.byBar = false
	if l.swipe != nil {
		l.swipe.DragEnd()
		l.swipe = nil
	}
}

func (l *List) dragBar(e *fyne.DragEvent) {
	if !l.byBar && e.Position.X-e.Dragged.DX < l.Size().Width-4*kit.Unit {
		return
	}
	l.byBar = true
	if h := l.Size().Height; h > 0 {
		l.scrolled(-e.Dragged.DY * l.timeline.total() / h)
	}
}

func (l *List) Scrolled(e *fyne.ScrollEvent) { l.scrolled(e.Scrolled.DY) }

func (l *List) MouseIn(e *desktop.MouseEvent)    { l.hover = l.hitAt(e.Position) }
func (l *List) MouseMoved(e *desktop.MouseEvent) { l.hover = l.hitAt(e.Position) }
func (l *List) MouseOut()                        { l.hover = Hit{} }

func (l *List) Cursor() desktop.Cursor {
	switch l.hover.Kind {
	case HitLink, HitFailed, HitGap, HitQuote, HitReaction, HitCode, HitFile, HitCancel, hitFold, hitPill:
		return desktop.PointerCursor
	}
	return desktop.DefaultCursor
}

// scrolled scrolls for a finger, a wheel or the bar, and shows the day meanwhile.
func (l *List) scrolled(dy float32) {
	l.date.scroll++
	if m := kit.MotionOf(l); m != nil && !l.date.shown {
		l.date.shown = true
		l.awaitRest(m)
	}
	l.ScrollBy(dy)
}

// awaitRest hides the day when the list has not been scrolled for a while.
func (l *List) awaitRest(m *kit.Motion) {
	scroll := l.date.scroll
	m.After(kit.DateTime, func() {
		if l.date.scroll != scroll {
			l.awaitRest(m)
			return
		}
		l.date.shown = false
		l.draw()
	})
}

// light draws what lies under a finger as pressed.
func (l *List) light(h Hit) {
	if h == l.lit {
		return
	}
	l.lit = h
	l.draw()
}
