package kit

import (
	"fyne.io/fyne/v2"
	"fyne.io/fyne/v2/widget"
)

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
func (r *reveal) Fit(width float32) float32     { return heightFor(r.object, width) }
func (r *reveal) Natural() float32              { return naturalWidth(r.object) }
func (r *reveal) Children() []fyne.CanvasObject { return []fyne.CanvasObject{r.object} }

func (r *reveal) CreateRenderer() fyne.WidgetRenderer {
	return Placing(r, r.object, func(size fyne.Size) {
		w := max(size.Width, r.width)
		Put(r.object, 0, 0, w, r.Fit(w))
	})
}
