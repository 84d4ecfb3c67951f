package kit

import (
	"image/color"

	"fyne.io/fyne/v2"
	"fyne.io/fyne/v2/widget"
)

// Toast is a short sentence over the page that goes by itself.
type Toast struct {
	widget.BaseWidget
	text *Text
	card *Card
	said int     // number of sentences so far: the time of the last one counts
	rise float32 // how far it is below its place
}

// NewToast makes a toast that says nothing yet.
func NewToast() *Toast {
	t := &Toast{}
	t.text = NewText("", FontLabel, func(p *Palette) color.NRGBA { return p.Surface }).Centered()
	t.card = NewCard(t.text, Sides(2*Unit, 4*Unit, 2*Unit, 4*Unit))
	t.card.Ground = func(p *Palette) color.NRGBA { return p.Text }
	t.card.shadow = true
	t.ExtendBaseWidget(t)
	t.Hide()
	return t
}

// Say shows a sentence for a while over something of a size.
func (t *Toast) Say(sentence string, m *Motion, over func() fyne.Size) {
	t.text.SetText(sentence)
	t.said++
	said := t.said
	t.Show()
	place := func(done float32) {
		t.rise = 3 * Unit * (1 - done)
		t.Place(over())
		NextFrame()
	}
	place(0)
	m.Run(growTime, place, func() {})
	m.After(toastTime, func() {
		if t.said == said {
			t.Hide()
			NextFrame()
		}
	})
}

func (t *Toast) CreateRenderer() fyne.WidgetRenderer { return Holding(t, t.card) }

// Place puts the toast above the composer at the lower edge.
func (t *Toast) Place(size fyne.Size) {
	w := min(t.card.Natural(), size.Width-8*Unit)
	h := t.card.Fit(w)
	x, y := (size.Width-w)/2, max(size.Height-h-22*Unit, 2*Unit)
	Put(t, float32(int(x)), float32(int(y+t.rise)), w, h)
}
