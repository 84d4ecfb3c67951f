package ui

import (
	"image/color"

	"fyne.io/fyne/v2"
	"fyne.io/fyne/v2/canvas"
	"fyne.io/fyne/v2/widget"
)

// card is a rounded ground under an object.
type card struct {
	widget.BaseWidget
	content fyne.CanvasObject
	ground  role
	inset   insets
	radius  float32
	shadow  bool
}

func newCard(content fyne.CanvasObject, in insets) *card {
	c := &card{content: content, inset: in, radius: 4 * unit}
	c.ground = func(p *palette) color.NRGBA { return p.Surface }
	c.ExtendBaseWidget(c)
	return c
}

func (c *card) fit(width float32) float32 {
	return heightFor(c.content, width-c.inset.left-c.inset.right) + c.inset.top + c.inset.bottom
}

func (c *card) natural() float32 { return naturalWidth(c.content) + c.inset.left + c.inset.right }

func (c *card) CreateRenderer() fyne.WidgetRenderer {
	return laidOut(c, &panelRenderer{
		box: c, panel: &canvas.Rectangle{}, content: c.content,
		style: func(r *canvas.Rectangle) {
			r.FillColor = c.ground(colors())
			r.CornerRadius = c.radius
			if c.shadow {
				r.Shadow = canvas.Shadow{Color: colors().Shadow, BlurRadius: 24, Offset: fyne.NewPos(0, 8)}
			}
		},
		inset: c.inset,
		min: func() fyne.Size {
			return fyne.NewSize(1, c.fit(max(c.Size().Width, 1)))
		},
	})
}

// panelRenderer draws a rectangle and an object on it.
type panelRenderer struct {
	box     fyne.Widget
	panel   *canvas.Rectangle
	content fyne.CanvasObject
	style   func(*canvas.Rectangle)
	inset   insets
	min     func() fyne.Size
}

func (r *panelRenderer) Layout(size fyne.Size) {
	r.style(r.panel)
	r.panel.Resize(size)
	put(r.content, r.inset.left, r.inset.top, size.Width-r.inset.left-r.inset.right, size.Height-r.inset.top-r.inset.bottom)
}

func (r *panelRenderer) Refresh() {
	r.Layout(r.box.Size())
	r.content.Refresh()
	repaint(r.box)
}
func (r *panelRenderer) MinSize() fyne.Size           { return r.min() }
func (r *panelRenderer) Objects() []fyne.CanvasObject { return []fyne.CanvasObject{r.panel, r.content} }
func (r *panelRenderer) Destroy()                     {}
