package kit

import (
	"image/color"

	"fyne.io/fyne/v2"
	"fyne.io/fyne/v2/canvas"
	"fyne.io/fyne/v2/widget"
)

// Chip is a short text on a rounded ground: a count, a state.
type Chip struct {
	widget.BaseWidget
	label  *Text
	ground Role
}

// NewChip makes a chip of one line.
func NewChip(label string, f Font, on, ground Role) *Chip {
	c := &Chip{label: NewText(label, f, on).Centered().Lines(1), ground: ground}
	c.ExtendBaseWidget(c)
	return c
}

// NewBadge is a chip for the number of unread messages.
func NewBadge(label string) *Chip {
	return NewChip(label, FontLabel,
		func(p *Palette) color.NRGBA { return p.OnAccent }, func(p *Palette) color.NRGBA { return p.Fill })
}

func (c *Chip) height() float32     { return c.label.font.LineHeight() + Unit }
func (c *Chip) Fit(float32) float32 { return c.height() }
func (c *Chip) Natural() float32    { return max(c.label.Natural()+3*Unit, c.height()) }

func (c *Chip) CreateRenderer() fyne.WidgetRenderer {
	return LaidOut(c, &panelRenderer{
		box: c, panel: &canvas.Rectangle{}, content: c.label,
		style: func(r *canvas.Rectangle) {
			r.FillColor = c.ground(Colors())
			r.CornerRadius = c.height() / 2
		},
		inset: Sides(Unit/2, Unit, Unit/2, Unit),
		min:   func() fyne.Size { return fyne.NewSize(c.Natural(), c.height()) },
	})
}
