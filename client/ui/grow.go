package ui

import (
	"image/color"

	"fyne.io/fyne/v2"
	"fyne.io/fyne/v2/widget"
)

// grow is a panel on its way from the point that it belongs to.
type grow struct {
	from   fyne.Position
	done   float32 // 0 to 1
	cancel func()
}

// growFrom has the panel of an overlay grow from a point.
func (o *overlay) growFrom(at fyne.Position) {
	g := &grow{from: at, cancel: func() {}}
	o.grow = g
	g.cancel = motionIn(o.canvas).run(growTime, func(done float32) {
		g.done = done
		o.Refresh()
	}, func() {
		o.grow = nil
		o.Refresh()
	})
}

// place is where a panel is now that will be at a place.
func (g *grow) place(at fyne.Position, size fyne.Size) (fyne.Position, fyne.Size) {
	wide, high := 0.5+0.5*g.done, 0.1+0.9*g.done
	from := fyne.NewPos(min(max(g.from.X, at.X), at.X+size.Width), min(max(g.from.Y, at.Y), at.Y+size.Height))
	return fyne.NewPos(from.X+(at.X-from.X)*wide, from.Y+(at.Y-from.Y)*high),
		fyne.NewSize(size.Width*wide, size.Height*high)
}

// shade is the colour over the page, which darkens as the panel grows.
func (o *overlay) shade(p *palette) color.NRGBA {
	c := o.scrim(p)
	if o.grow != nil {
		c.A = uint8(float32(c.A) * o.grow.done)
	}
	return c
}

// reveal shows as much of an object as it has room for. Fyne clips whatever is
// Scrollable to its size.
type reveal struct {
	widget.BaseWidget
	object fyne.CanvasObject
	width  float32 // that the object is laid out for
}

func newReveal(o fyne.CanvasObject) *reveal {
	r := &reveal{object: o}
	r.ExtendBaseWidget(r)
	return r
}

func (r *reveal) Scrolled(*fyne.ScrollEvent)    {}
func (r *reveal) fit(width float32) float32     { return heightFor(r.object, width) }
func (r *reveal) natural() float32              { return naturalWidth(r.object) }
func (r *reveal) children() []fyne.CanvasObject { return []fyne.CanvasObject{r.object} }

func (r *reveal) CreateRenderer() fyne.WidgetRenderer {
	return &boxRenderer{
		box:     r,
		objects: func() []fyne.CanvasObject { return []fyne.CanvasObject{r.object} },
		layout: func(size fyne.Size) {
			w := max(size.Width, r.width)
			put(r.object, 0, 0, w, r.fit(w))
		},
		height: func() float32 { return 1 },
	}
}
