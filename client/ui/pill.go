package ui

import (
	"fyne.io/fyne/v2"
	"fyne.io/fyne/v2/canvas"
)

// pill is the button over the list that leads to its end. It says how many
// messages came meanwhile.
type pill struct {
	at      fyne.Position
	size    fyne.Size
	visible bool

	drawn  []fyne.CanvasObject // for what follows; nil when it has to be drawn
	unseen int
	area   fyne.Size
}

func (b *pill) contains(p fyne.Position) bool {
	return b.visible && hit{at: b.at, size: b.size}.contains(p)
}

// pillDistance is how far from the end the list is before the pill shows.
const pillDistance = 160

// objects are what is drawn of the pill now.
func (b *pill) objects(l *messageList) []fyne.CanvasObject {
	b.visible = l.unseen > 0 || l.maxOffset()-l.offset > pillDistance
	if !b.visible {
		return nil
	}
	if b.drawn == nil || b.unseen != l.unseen || b.area != l.Size() {
		b.unseen, b.area = l.unseen, l.Size()
		b.draw()
	}
	return b.drawn
}

func (b *pill) draw() {
	const arrow = 18
	p := colors()
	ground, on := p.Surface, p.Accent
	label := ""
	h := float32(touch - 2*unit)
	w := h
	if b.unseen > 0 {
		ground, on = p.Fill, p.OnAccent
		label = plural("room.new", b.unseen)
		h = max(h, fontLabel.lineHeight()+2*unit)
		w = fontLabel.wrapper().Measure(label, 1e6).Widest + arrow + 9*unit
	}
	b.size = fyne.NewSize(w, h)
	b.at = fyne.NewPos(b.area.Width-w-rowMargin, b.area.Height-h-3*unit)
	if label != "" {
		b.at.X = float32(int((b.area.Width - w) / 2))
	}
	rect := canvas.NewRectangle(ground)
	rect.CornerRadius = h / 2
	rect.Shadow = canvas.Shadow{Color: p.Shadow, BlurRadius: 12, Offset: fyne.NewPos(0, 3)}
	put(rect, b.at.X, b.at.Y, w, h)
	image := canvas.NewImageFromResource(icon("down", on))
	x := b.at.X + (h-arrow)/2
	put(image, x, b.at.Y+(h-arrow)/2, arrow, arrow)
	b.drawn = []fyne.CanvasObject{rect, image}
	for _, line := range fontLabel.wrapper().Lay(label, 1e6) {
		b.drawn = appendRuns(b.drawn, line, fontLabel, on, x+arrow+2*unit, b.at.Y+(h-fontLabel.lineHeight())/2)
	}
}
