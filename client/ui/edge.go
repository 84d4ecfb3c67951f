package ui

import (
	"image/color"

	"fyne.io/fyne/v2"
	"fyne.io/fyne/v2/canvas"
	"fyne.io/fyne/v2/widget"
)

// edgeWidth is where a finger has to start to push the page away.
const edgeWidth = 32

// flick is the speed, in units a frame, with which a short push is enough.
const flick = 8

// edge lies over the left edge of a phone's pages: a finger that goes right from
// there pushes the page away, to the one below. It lets taps through, and hands
// on what goes up or down.
type edge struct {
	widget.BaseWidget
	nav   *navigator
	state edgeState
	under fyne.Draggable  // what scrolls there
	last  *fyne.DragEvent // after the finger has left, Fyne goes on with one and the same
	dead  *fyne.DragEvent // that one, of a push that has ended
	ends  bool            // its DragEnd is still to come
}

type edgeState int

const (
	edgeIdle edgeState = iota
	edgePush
	edgeScroll
	edgeDone // the finger has left
)

func newEdge(n *navigator) *edge {
	g := &edge{nav: n}
	g.ExtendBaseWidget(g)
	return g
}

func (g *edge) Dragged(e *fyne.DragEvent) {
	if e == g.dead {
		return
	}
	if g.state == edgeIdle || g.state == edgeDone {
		g.state, g.under = edgeScroll, nil
		if e.Dragged.DX > max(e.Dragged.DY, -e.Dragged.DY) && g.nav.hold() {
			g.state = edgePush
		} else if top := g.nav.top(); top != nil {
			g.under = draggableIn(top.object())
		}
	}
	switch {
	case g.state == edgePush && e == g.last:
		g.letGo()
		g.dead, g.ends = e, true
	case g.state == edgePush:
		g.nav.pull(e.Dragged.DX)
	case g.state == edgeScroll && g.under != nil:
		g.under.Dragged(e)
	}
	g.last = e
}

func (g *edge) DragEnd() {
	switch {
	case g.ends: // of the push before, when the next has begun
		g.ends = false
		if g.state != edgeDone {
			return
		}
	case g.state == edgePush:
		g.letGo()
	case g.state == edgeScroll && g.under != nil:
		g.under.DragEnd()
	}
	g.state, g.last = edgeIdle, nil
}

func (g *edge) letGo() {
	g.state = edgeDone
	g.nav.letGo(g.last.Dragged.DX)
}

func (g *edge) CreateRenderer() fyne.WidgetRenderer {
	return laidOut(g, widget.NewSimpleRenderer(canvas.NewRectangle(color.Transparent)))
}

// below is the page that a finger can push the top one away to.
func (n *navigator) below() page {
	if len(n.stack) < 2 || n.split() {
		return nil
	}
	if _, main := n.top().(mainPage); main {
		return nil
	}
	return n.stack[len(n.stack)-2].page
}

// hold begins to push the top page away. It reports whether there is one below.
func (n *navigator) hold() bool {
	to := n.below()
	if s := n.slide; s != nil && s.springs { // caught on its way to its place
		s.cancel()
		s.springs = false
		return true
	}
	if to == nil || n.slide != nil {
		return false
	}
	if s, ok := to.(sided); ok {
		s.beside(false)
	}
	n.slide = &slide{from: n.pane(), to: to.object(), back: true, stop: newBlocker(), cancel: func() {}}
	n.moved()
	return true
}

// pull moves the page that is held.
func (n *navigator) pull(dx float32) {
	if s := n.slide; s != nil && n.Size().Width > 0 {
		s.done = min(max(s.done+dx/n.Size().Width, 0), 1)
		n.moved()
	}
}

// letGo ends a push: the page goes when it is half away, or on its way fast.
func (n *navigator) letGo(speed float32) {
	s := n.slide
	if s == nil {
		return
	}
	if s.done > 0.5 && speed > -flick || speed >= flick {
		n.glide(s, s.done, 1, func() {
			was := n.still
			n.still = true
			n.onSwiped()
			n.still = was
			n.endSlide()
		})
		return
	}
	s.springs = true
	n.glide(s, s.done, 0, n.endSlide)
}

// swiped hands a finger that came down at the edge on to it: a fast one has left
// the edge by the time that Fyne calls it a drag, and asks what it is on.
func (l *messageList) swiped(e *fyne.DragEvent) bool {
	if l.atEdge {
		l.atEdge = false
		c := canvasOf(l)
		if n, ok := c.Content().(*navigator); ok && (n.slide == nil || n.slide.springs) && n.below() != nil && e.Dragged.DX > max(e.Dragged.DY, -e.Dragged.DY) {
			l.edge = n.edge
			l.lit, l.press = hit{}, nil
		}
	}
	if l.edge == nil {
		return false
	}
	l.edge.Dragged(e)
	return true
}
