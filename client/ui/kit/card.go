package kit

import (
	"image/color"

	"fyne.io/fyne/v2"
	"fyne.io/fyne/v2/canvas"
	"fyne.io/fyne/v2/widget"
)

// Card is a rounded ground under an object.
type Card struct {
	widget.BaseWidget
	content fyne.CanvasObject
	Ground  Role
	Inset   Insets
	Radius  float32
	shadow  bool
}

// NewCard puts a ground in the surface's colour under an object.
func NewCard(content fyne.CanvasObject, in Insets) *Card {
	c := &Card{content: content, Inset: in, Radius: 4 * Unit}
	c.Ground = func(p *Palette) color.NRGBA { return p.Surface }
	c.ExtendBaseWidget(c)
	return c
}

func (c *Card) Fit(width float32) float32 {
	return heightFor(c.content, width-c.Inset.Left-c.Inset.Right) + c.Inset.top + c.Inset.bottom
}

func (c *Card) Natural() float32 { return naturalWidth(c.content) + c.Inset.Left + c.Inset.Right }

func (c *Card) Children() []fyne.CanvasObject { return []fyne.CanvasObject{c.content} }

func (c *Card) CreateRenderer() fyne.WidgetRenderer {
	return LaidOut(c, &panelRenderer{
		box: c, panel: &canvas.Rectangle{}, content: c.content,
		style: func(r *canvas.Rectangle) {
			r.FillColor = c.Ground(Colors())
			r.CornerRadius = c.Radius
			if c.shadow {
				r.Shadow = canvas.Shadow{Color: Colors().Shadow, BlurRadius: 24, Offset: fyne.NewPos(0, 8)}
			}
		},
		inset: c.Inset,
		min: func() fyne.Size {
			return fyne.NewSize(1, c.Fit(max(c.Size().Width, 1)))
		},
	})
}

// panelRenderer draws a rectangle and an object on it.
type panelRenderer struct {
	box     fyne.Widget
	panel   *canvas.Rectangle
	content fyne.CanvasObject
	style   func(*canvas.Rectangle)
	inset   Insets
	min     func() fyne.Size
}

func (r *panelRenderer) Layout(size fyne.Size) {
	r.style(r.panel)
	r.panel.Resize(size)
	Put(r.content, r.inset.Left, r.inset.top, size.Width-r.inset.Left-r.inset.Right, size.Height-r.inset.top-r.inset.bottom)
}

func (r *panelRenderer) Refresh() {
	r.Layout(r.box.Size())
	r.content.Refresh()
	Repaint(r.box)
}
func (r *panelRenderer) MinSize() fyne.Size           { return r.min() }
func (r *panelRenderer) Objects() []fyne.CanvasObject { return []fyne.CanvasObject{r.panel, r.content} }
func (r *panelRenderer) Destroy()                     {}
