package ui

import (
	"image/color"

	"fyne.io/fyne/v2"
	"fyne.io/fyne/v2/canvas"
	"fyne.io/fyne/v2/widget"
)

// fill is a rectangle in a role's colour, for grounds and hairlines.
type fill struct {
	widget.BaseWidget
	role   role
	height float32
}

func newFill(r role) *fill {
	f := &fill{role: r}
	f.ExtendBaseWidget(f)
	return f
}

// newHairline is a line one unit high.
func newHairline() *fill {
	f := newFill(func(p *palette) color.NRGBA { return p.Line })
	f.height = 1
	return f
}

func (f *fill) fit(float32) float32 { return f.height }

func (f *fill) CreateRenderer() fyne.WidgetRenderer {
	return laidOut(f, &fillRenderer{fill: f, rect: canvas.NewRectangle(f.role(colors()))})
}

type fillRenderer struct {
	fill *fill
	rect *canvas.Rectangle
}

func (r *fillRenderer) Layout(size fyne.Size) { r.rect.Resize(size) }
func (r *fillRenderer) MinSize() fyne.Size    { return fyne.NewSize(1, r.fill.height) }
func (r *fillRenderer) Refresh() {
	r.rect.FillColor = r.fill.role(colors())
	r.Layout(r.fill.Size())
	repaint(r.fill)
}
func (r *fillRenderer) Objects() []fyne.CanvasObject { return []fyne.CanvasObject{r.rect} }
func (r *fillRenderer) Destroy()                     {}
