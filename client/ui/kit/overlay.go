package kit

import (
	"image/color"

	"fyne.io/fyne/v2"
	"fyne.io/fyne/v2/widget"
)

// Overlay is a panel above the page; a tap next to it, Back or Escape close it.
type Overlay struct {
	widget.BaseWidget
	canvas fyne.Canvas
	panel  *Card
	place  func(area fyne.Size) (at fyne.Position, size fyne.Size)
	scrim  Role
	grow   *grow  // while the panel grows
	Closed func() // is told that the panel is gone; may be nil
}

// ShowOverlay puts a panel above the page.
func ShowOverlay(c fyne.Canvas, panel *Card, place func(area fyne.Size) (fyne.Position, fyne.Size)) *Overlay {
	panel.shadow = true
	o := &Overlay{canvas: c, panel: panel, place: place, scrim: func(p *Palette) color.NRGBA { return p.Scrim }}
	o.ExtendBaseWidget(o)
	c.Overlays().Add(o)
	pos, size := c.InteractiveArea()
	o.Move(pos)
	o.Resize(size)
	return o
}

// ShowWhole puts a panel over the whole window. Its ground is under the system's bars,
// too.
func ShowWhole(c fyne.Canvas, panel *Card) *Overlay {
	panel.Radius = 0
	o := ShowOverlay(c, panel, func(area fyne.Size) (fyne.Position, fyne.Size) { return fyne.Position{}, area })
	o.scrim = panel.Ground
	o.Refresh()
	return o
}

// growFrom makes the panel of an overlay grow from a point.
func (o *Overlay) growFrom(at fyne.Position) {
	g := &grow{from: at, cancel: func() {}}
	o.grow = g
	g.cancel = motionIn(o.canvas).Run(growTime, func(done float32) {
		g.done = done
		o.Refresh()
	}, func() {
		o.grow = nil
		o.Refresh()
	})
}

// shade is the colour over the page, which darkens as the panel grows.
func (o *Overlay) shade(p *Palette) color.NRGBA {
	c := o.scrim(p)
	if o.grow != nil {
		c.A = uint8(float32(c.A) * o.grow.done)
	}
	return c
}

// Close removes the panel.
func (o *Overlay) Close() {
	if o.grow != nil {
		o.grow.cancel()
	}
	o.canvas.Overlays().Remove(o)
	if closed := o.Closed; closed != nil {
		o.Closed = nil
		closed()
	}
}

// CloseOverlay closes the topmost overlay of ours. It reports whether there was
// one.
func CloseOverlay(c fyne.Canvas) bool {
	switch top := c.Overlays().Top().(type) {
	case nil:
		return false
	case *Overlay:
		top.Close()
	default:
		c.Overlays().Remove(top) // an entry's own menu
	}
	return true
}

func (o *Overlay) Tapped(*fyne.PointEvent)          { o.Close() }
func (o *Overlay) TappedSecondary(*fyne.PointEvent) { o.Close() }

func (o *Overlay) CreateRenderer() fyne.WidgetRenderer {
	return LaidOut(o, &overlayRenderer{o: o, scrim: NewFill(o.shade), stop: NewBlocker()})
}

type overlayRenderer struct {
	o     *Overlay
	scrim *Fill
	stop  *Blocker
}

func (r *overlayRenderer) Layout(size fyne.Size) {
	area, _ := r.o.canvas.InteractiveArea()
	window := r.o.canvas.Size() // with the system's bars
	Put(r.scrim, -area.X, -area.Y, window.Width, window.Height)
	at, s := r.o.place(size)
	if r.o.grow != nil {
		at, s = r.o.grow.place(at, s)
	}
	Put(r.stop, at.X, at.Y, s.Width, s.Height)
	Put(r.o.panel, at.X, at.Y, s.Width, s.Height)
}
func (r *overlayRenderer) MinSize() fyne.Size { return fyne.NewSize(1, 1) }
func (r *overlayRenderer) Refresh() {
	r.Layout(r.o.Size())
	r.scrim.Refresh()
	r.o.panel.Refresh()
	Repaint(r.o)
}
func (r *overlayRenderer) Objects() []fyne.CanvasObject {
	return []fyne.CanvasObject{r.scrim, r.stop, r.o.panel}
}
func (r *overlayRenderer) Destroy() {}
