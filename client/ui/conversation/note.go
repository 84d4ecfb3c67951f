package conversation

import (
	"image/color"

	"fyne.io/fyne/v2"
	"fyne.io/fyne/v2/widget"

	"parley/client/ui/kit"
)

// Note is a line that floats over the lower edge of a list.
type Note struct {
	widget.BaseWidget
	card *kit.Card
	text *kit.Text
}

// NewNote makes a note that says nothing yet.
func NewNote() *Note {
	n := &Note{text: kit.NewText("", kit.FontSmall, kit.RoleMuted).Lines(2)}
	n.card = kit.NewCard(n.text, kit.Sides(2, 2*kit.Unit, 2, 2*kit.Unit))
	n.card.Radius = 2 * kit.Unit
	n.card.Ground = func(p *kit.Palette) color.NRGBA { return p.Ground }
	n.ExtendBaseWidget(n)
	n.Hide()
	return n
}

// Say shows a sentence, or nothing.
func (n *Note) Say(s string, r kit.Role) {
	if s == n.text.Text && n.Hidden == (s == "") {
		return
	}
	n.text.Role = r
	n.text.SetText(s)
	n.Hidden = s == ""
	n.Refresh()
}

func (n *Note) place(width float32) (w, h float32) {
	w = min(n.card.Natural(), width-2*rowMargin)
	return w, n.card.Fit(w)
}

// Height is what the note takes at a width, with the room around it.
func (n *Note) Height(width float32) float32 {
	if n.Hidden || width <= 0 {
		return 0
	}
	_, h := n.place(width)
	return h + kit.Unit
}

func (n *Note) CreateRenderer() fyne.WidgetRenderer {
	return kit.Placing(n, n.card, func(size fyne.Size) {
		w, h := n.place(size.Width)
		kit.Put(n.card, rowMargin, size.Height-h-2, w, h)
	})
}
