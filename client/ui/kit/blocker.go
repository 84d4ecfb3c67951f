package kit

import (
	"image/color"

	"fyne.io/fyne/v2"
	"fyne.io/fyne/v2/canvas"
	"fyne.io/fyne/v2/widget"
)

// Blocker keeps taps on a panel from closing it.
type Blocker struct {
	widget.BaseWidget
}

// NewBlocker makes a blocker.
func NewBlocker() *Blocker {
	b := &Blocker{}
	b.ExtendBaseWidget(b)
	return b
}

func (b *Blocker) Tapped(*fyne.PointEvent)          {}
func (b *Blocker) TappedSecondary(*fyne.PointEvent) {}
func (b *Blocker) CreateRenderer() fyne.WidgetRenderer {
	return LaidOut(b, widget.NewSimpleRenderer(canvas.NewRectangle(color.Transparent)))
}
