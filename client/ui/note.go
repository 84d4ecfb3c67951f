package ui

import (
	"image/color"

	"fyne.io/fyne/v2"
	"fyne.io/fyne/v2/widget"
)

// note is a line that floats over the lower edge of a list.
type note struct {
	widget.BaseWidget
	card *card
	text *textBlock
}

func newNote() *note {
	n := &note{text: newText("", fontSmall, roleMuted).lines(2)}
	n.card = newCard(n.text, insets{2, 2 * unit, 2, 2 * unit})
	n.card.radius = 2 * unit
	n.card.ground = func(p *palette) color.NRGBA { return p.Ground }
	n.ExtendBaseWidget(n)
	n.Hide()
	return n
}

// say shows a sentence, or nothing.
func (n *note) say(s string, r role) {
	if s == n.text.text && n.Hidden == (s == "") {
		return
	}
	n.text.role = r
	n.text.setText(s)
	n.Hidden = s == ""
	n.Refresh()
}

func (n *note) place(width float32) (w, h float32) {
	w = min(n.card.natural(), width-2*rowMargin)
	return w, n.card.fit(w)
}

// height is what the note takes at a width, with the room around it.
func (n *note) height(width float32) float32 {
	if n.Hidden || width <= 0 {
		return 0
	}
	_, h := n.place(width)
	return h + unit
}

func (n *note) CreateRenderer() fyne.WidgetRenderer {
	return &boxRenderer{
		box:     n,
		objects: func() []fyne.CanvasObject { return []fyne.CanvasObject{n.card} },
		layout: func(size fyne.Size) {
			w, h := n.place(size.Width)
			put(n.card, rowMargin, size.Height-h-2, w, h)
		},
		height: func() float32 { return 1 },
	}
}
