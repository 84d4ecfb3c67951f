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
	return laidOut(c, &panelRenderer{
		box: c, panel: &canvas.Rectangle{}, content: c.label,
		style: func(r *canvas.Rectangle) {
			r.FillColor = c.ground(colors())
			r.CornerRadius = c.height() / 2
		},
		inset: insets{unit / 2, unit, unit / 2, unit},
		min:   func() fyne.Size { return fyne.NewSize(c.natural(), c.height()) },
	})
}
