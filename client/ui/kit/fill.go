package kit

import (
	"image/color"

	"fyne.io/fyne/v2"
	"fyne.io/fyne/v2/canvas"
	"fyne.io/fyne/v2/widget"
)

// Fill is a rectangle in a role's colour, for grounds and hairlines.
type Fill struct {
	widget.BaseWidget
	role   Role
	height float32
}

// NewFill makes a ground.
func NewFill(r Role) *Fill {
	f := &Fill{role: r}
	f.ExtendBaseWidget(f)
	return f
}

// NewHairline is a line one unit high.
func NewHairline() *Fill {
	f := NewFill(func(p *Palette) color.NRGBA { return p.Line })
	f.height = 1
	return f
}

func (f *Fill) Fit(float32) float32 { return f.height }

func (f *Fill) CreateRenderer() fyne.WidgetRenderer {
	return LaidOut(f, &fillRenderer{fill: f, rect: canvas.NewRectangle(f.role(Colors()))})
}

type fillRenderer struct {
	fill *Fill
	rect *canvas.Rectangle
}

func (r *fillRenderer) Layout(size fyne.Size) { r.rect.Resize(size) }
func (r *fillRenderer) MinSize() fyne.Size    { return fyne.NewSize(1, r.fill.height) }
func (r *fillRenderer) Refresh() {
	r.rect.FillColor = r.fill.role(Colors())
	r.Layout(r.fill.Size())
	Repaint(r.fill)
}
func (r *fillRenderer) Objects() []fyne.CanvasObject { return []fyne.CanvasObject{r.rect} }
func (r *fillRenderer) Destroy()                     {}
