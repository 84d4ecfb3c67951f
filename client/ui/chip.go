package ui

import (
	"image/color"

	"fyne.io/fyne/v2"
	"fyne.io/fyne/v2/canvas"
	"fyne.io/fyne/v2/widget"
)

// chip is a short text on a rounded ground: a count, a state.
type chip struct {
	widget.BaseWidget
	label  *textBlock
	ground role
}

func newChip(label string, f font, on, ground role) *chip {
	c := &chip{label: newText(label, f, on).centered().lines(1), ground: ground}
	c.ExtendBaseWidget(c)
	return c
}

// newBadge is a chip for the number of unread messages.
func newBadge(label string) *chip {
	return newChip(label, fontLabel,
		func(p *palette) color.NRGBA { return p.OnAccent }, func(p *palette) color.NRGBA { return p.Fill })
}

func (c *chip) height() float32     { return c.label.font.lineHeight() + unit }
func (c *chip) fit(float32) float32 { return c.height() }
func (c *chip) natural() float32    { return max(c.label.natural()+3*unit, c.height()) }

func (c *chip) CreateRenderer() fyne.WidgetRenderer {
	return &panelRenderer{
		panel: &canvas.Rectangle{}, content: c.label,
		style: func(r *canvas.Rectangle) {
			r.FillColor = c.ground(colors())
			r.CornerRadius = c.height() / 2
		},
		inset: insets{unit / 2, unit, unit / 2, unit},
		min:   func() fyne.Size { return fyne.NewSize(c.natural(), c.height()) },
	}
}

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
	return &panelRenderer{
		panel: &canvas.Rectangle{}, content: c.content,
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
	}
}

// panelRenderer draws a rectangle and an object on it.
type panelRenderer struct {
	panel   *canvas.Rectangle
	content fyne.CanvasObject
	style   func(*canvas.Rectangle)
	inset   insets
	min     func() fyne.Size
	size    fyne.Size
}

func (r *panelRenderer) Layout(size fyne.Size) {
	r.size = size
	r.style(r.panel)
	r.panel.Resize(size)
	put(r.content, r.inset.left, r.inset.top, size.Width-r.inset.left-r.inset.right, size.Height-r.inset.top-r.inset.bottom)
}

func (r *panelRenderer) Refresh() {
	r.Layout(r.size)
	r.panel.Refresh()
	r.content.Refresh()
}
func (r *panelRenderer) MinSize() fyne.Size           { return r.min() }
func (r *panelRenderer) Objects() []fyne.CanvasObject { return []fyne.CanvasObject{r.panel, r.content} }
func (r *panelRenderer) Destroy()                     {}

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
	r := &fillRenderer{fill: f, rect: canvas.NewRectangle(f.role(colors()))}
	return r
}

type fillRenderer struct {
	fill *fill
	rect *canvas.Rectangle
}

func (r *fillRenderer) Layout(size fyne.Size) { r.rect.Resize(size) }
func (r *fillRenderer) MinSize() fyne.Size    { return fyne.NewSize(1, r.fill.height) }
func (r *fillRenderer) Refresh() {
	r.rect.FillColor = r.fill.role(colors())
	r.rect.Refresh()
}
func (r *fillRenderer) Objects() []fyne.CanvasObject { return []fyne.CanvasObject{r.rect} }
func (r *fillRenderer) Destroy()                     {}
