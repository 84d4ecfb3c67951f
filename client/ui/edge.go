package ui

import (
	"image/color"

	"fyne.io/fyne/v2"
	"fyne.io/fyne/v2/canvas"
	"fyne.io/fyne/v2/widget"

	"parley/client/ui/kit"
)

// edgeWidth is the width in which a finger has to start to push the page away.
const edgeWidth = 32

// edge lies over the left edge of a phone's pages: a finger that goes right from
// there pushes the page away, to the one below. It lets taps through, and hands
// on what goes up or down.
type edge struct {
	widget.BaseWidget
	moves pushed
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

// pushed is what a finger at the edge moves.
type pushed interface {
	hold() bool            // begins a push; false if there is nothing below
	pull(dx float32)       // moves the page that is held
	letGo(speed float32)   // ends the push
	under() fyne.Draggable // what scrolls at the edge, or nil
}

func newEdge(p pushed) *edge {
	g := &edge{moves: p}
	g.ExtendBaseWidget(g)
	return g
}

func (g *edge) Dragged(e *fyne.DragEvent) {
	if e == g.dead {
		return
	}
	if g.state == edgeIdle || g.state == edgeDone {
		g.state, g.under = edgeScroll, nil
		if goesRight(e) && g.moves.hold() {
			g.state = edgePush
		} else {
			g.under = g.moves.under()
		}
	}
	switch {
	case g.state == edgePush && e == g.last:
		g.letGo()
		g.dead, g.ends = e, true
	case g.state == edgePush:
		g.moves.pull(e.Dragged.DX)
	case g.state == edgeScroll && g.under != nil:
		g.under.Dragged(e)
	}
	g.last = e
}

// goesRight reports whether a finger goes right rather than up or down.
func goesRight(e *fyne.DragEvent) bool { return e.Dragged.DX > max(e.Dragged.DY, -e.Dragged.DY) }

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
	g.moves.letGo(g.last.Dragged.DX)
}

func (g *edge) CreateRenderer() fyne.WidgetRenderer {
	return kit.LaidOut(g, widget.NewSimpleRenderer(canvas.NewRectangle(color.Transparent)))
}
