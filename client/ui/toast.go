package ui

import (
	"image/color"

	"fyne.io/fyne/v2"
	"fyne.io/fyne/v2/widget"
)

// toast is a short sentence over the page that goes by itself.
type toast struct {
	widget.BaseWidget
	nav  *navigator
	text *textBlock
	card *card
	said int     // how many sentences there were: the last one's time counts
	rise float32 // how far it is below its place
}

func newToast(n *navigator) *toast {
	t := &toast{nav: n}
	t.text = newText("", fontLabel, func(p *palette) color.NRGBA { return p.Surface }).centered()
	t.card = newCard(t.text, insets{2 * unit, 4 * unit, 2 * unit, 4 * unit})
	t.card.ground = func(p *palette) color.NRGBA { return p.Text }
	t.card.shadow = true
	t.ExtendBaseWidget(t)
	t.Hide()
	return t
}

// say shows a sentence for a while.
func (n *navigator) say(sentence string) {
	t := n.toast
	t.text.setText(sentence)
	t.said++
	said := t.said
	t.Show()
	place := func(done float32) {
		t.rise = 3 * unit * (1 - done)
		t.place(n.Size())
		nextFrame()
	}
	place(0)
	n.motion.run(growTime, place, func() {})
	n.motion.after(toastTime, func() {
		if t.said == said {
			t.Hide()
			nextFrame()
		}
	})
}

func (t *toast) CreateRenderer() fyne.WidgetRenderer { return holding(t, t.card) }

// place puts the toast over what is at the lower edge, where one writes.
func (t *toast) place(size fyne.Size) {
	w := min(t.card.natural(), size.Width-8*unit)
	h := t.card.fit(w)
	x, y := (size.Width-w)/2, max(size.Height-h-22*unit, 2*unit)
	put(t, float32(int(x)), float32(int(y+t.rise)), w, h)
}
