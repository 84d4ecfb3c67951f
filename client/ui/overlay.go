package ui

import (
	"image/color"

	"fyne.io/fyne/v2"
	"fyne.io/fyne/v2/canvas"
	"fyne.io/fyne/v2/widget"
)

// overlay is a panel above the page; a tap beside it, Back or Escape close it.
type overlay struct {
	widget.BaseWidget
	canvas fyne.Canvas
	panel  *card
	place  func(area fyne.Size) (at fyne.Position, size fyne.Size)
	scrim  role
	grow   *grow // while the panel grows
}

// showOverlay puts a panel above the page.
func showOverlay(c fyne.Canvas, panel *card, place func(area fyne.Size) (fyne.Position, fyne.Size)) *overlay {
	panel.shadow = true
	o := &overlay{canvas: c, panel: panel, place: place, scrim: func(p *palette) color.NRGBA { return p.Scrim }}
	o.ExtendBaseWidget(o)
	c.Overlays().Add(o)
	pos, size := c.InteractiveArea()
	o.Move(pos)
	o.Resize(size)
	return o
}

func (o *overlay) close() {
	if o.grow != nil {
		o.grow.cancel()
	}
	o.canvas.Overlays().Remove(o)
}

// closeOverlay closes the topmost overlay of ours. It reports whether there was
// one.
func closeOverlay(c fyne.Canvas) bool {
	switch top := c.Overlays().Top().(type) {
	case nil:
		return false
	case *overlay:
		top.close()
	default:
		c.Overlays().Remove(top) // an entry's own menu
	}
	return true
}

func (o *overlay) Tapped(*fyne.PointEvent)          { o.close() }
func (o *overlay) TappedSecondary(*fyne.PointEvent) { o.close() }

func (o *overlay) CreateRenderer() fyne.WidgetRenderer {
	return laidOut(o, &overlayRenderer{o: o, scrim: newFill(o.shade), stop: newBlocker()})
}

type overlayRenderer struct {
	o     *overlay
	scrim *fill
	stop  *blocker
}

func (r *overlayRenderer) Layout(size fyne.Size) {
	area, _ := r.o.canvas.InteractiveArea()
	window := r.o.canvas.Size() // with the system's bars
	put(r.scrim, -area.X, -area.Y, window.Width, window.Height)
	at, s := r.o.place(size)
	if r.o.grow != nil {
		at, s = r.o.grow.place(at, s)
	}
	put(r.stop, at.X, at.Y, s.Width, s.Height)
	put(r.o.panel, at.X, at.Y, s.Width, s.Height)
}
func (r *overlayRenderer) MinSize() fyne.Size { return fyne.NewSize(1, 1) }
func (r *overlayRenderer) Refresh() {
	r.Layout(r.o.Size())
	r.scrim.Refresh()
	r.o.panel.Refresh()
	repaint(r.o)
}
func (r *overlayRenderer) Objects() []fyne.CanvasObject {
	return []fyne.CanvasObject{r.scrim, r.stop, r.o.panel}
}
func (r *overlayRenderer) Destroy() {}

// blocker keeps taps on a panel from closing it.
type blocker struct {
	widget.BaseWidget
}

func newBlocker() *blocker {
	b := &blocker{}
	b.ExtendBaseWidget(b)
	return b
}

func (b *blocker) Tapped(*fyne.PointEvent)          {}
func (b *blocker) TappedSecondary(*fyne.PointEvent) {}
func (b *blocker) CreateRenderer() fyne.WidgetRenderer {
	return laidOut(b, widget.NewSimpleRenderer(canvas.NewRectangle(color.Transparent)))
}

// action is a line of a menu.
type action struct {
	icon, label string
	danger      bool
	do          func()
}

// showMenu shows actions under a point of the interactive area, or above what
// ends there when there is no room: about is how high that is.
func showMenu(c fyne.Canvas, near fyne.Position, about float32, actions ...action) {
	list := newColumn(0)
	var o *overlay
	for _, a := range actions {
		r := roleText
		if a.danger {
			r = roleError
		}
		t := newTile(newHRow(3*unit, 1, newPicture(a.icon, r, 20), newText(a.label, fontBody, r)), func() {
			o.close()
			a.do()
		})
		t.inset = insets{2 * unit, 4 * unit, 2 * unit, 3 * unit}
		t.radius = 2 * unit
		list.objects = append(list.objects, t)
	}
	inside := newReveal(list)
	panel := newCard(inside, around(unit+2))
	o = showOverlay(c, panel, func(size fyne.Size) (fyne.Position, fyne.Size) {
		w := min(max(panel.natural(), 200), size.Width-4*unit)
		h := panel.fit(w)
		inside.width = w - panel.inset.left - panel.inset.right
		x := min(max(near.X-w/2, 2*unit), size.Width-w-2*unit)
		y := near.Y + 2*unit
		if y+h > size.Height-2*unit {
			y = max(near.Y-about-h-2*unit, 2*unit)
		}
		return fyne.NewPos(float32(int(x)), float32(int(y))), fyne.NewSize(w, h)
	})
	o.scrim = func(p *palette) color.NRGBA { // what the menu is about stays in sight
		c := p.Scrim
		c.A /= 3
		return c
	}
	o.Refresh()
	o.growFrom(near)
}

// showPanel shows a column in the middle of the window, as high as it needs.
func showPanel(c fyne.Canvas, body *column) *overlay {
	panel := newCard(newScroller(body), around(0))
	return showOverlay(c, panel, func(size fyne.Size) (fyne.Position, fyne.Size) {
		w := min(size.Width-6*unit, 400*min(textScale(), largeText))
		margin := min(6*unit, float32(int(size.Height/30))) // little is left above a keyboard
		h := min(body.fit(w), size.Height-2*margin)
		return fyne.NewPos(float32(int((size.Width-w)/2)), max(float32(int((size.Height-h)/3)), margin)), fyne.NewSize(w, h)
	})
}
