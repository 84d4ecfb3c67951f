package conversation

import (
	"fyne.io/fyne/v2"
	"fyne.io/fyne/v2/canvas"

	"parley/client/ui/kit"
	"parley/client/ui/lang"
)

// pill is the button over the list that leads to its end. It says how many
// messages came meanwhile.
type pill struct {
	at      fyne.Position
	size    fyne.Size
	visible bool

	drawn  []fyne.CanvasObject // for what follows; nil if it has to be drawn
	unseen int
	area   fyne.Size
}

func (b *pill) contains(p fyne.Position) bool {
	return b.visible && area{at: b.at, size: b.size}.contains(p)
}

// pillDistance is how far from the end the list is before the pill shows.
const pillDistance = 160

// objects are what is drawn of the pill over a list of a size. distance is that to
// the list's end, unseen the number of new messages below.
func (b *pill) objects(size fyne.Size, distance float32, unseen int) []fyne.CanvasObject {
	b.visible = unseen > 0 || distance > pillDistance
	if !b.visible {
		return nil
	}
	if b.drawn == nil || b.unseen != unseen || b.area != size {
		b.unseen, b.area = unseen, size
		b.draw()
	}
	return b.drawn
}

func (b *pill) draw() {
	const arrow = 18
	p := kit.Colors()
	ground, on := p.Surface, p.Accent
	label := ""
	h := float32(kit.Touch - 2*kit.Unit)
	w := h
	if b.unseen > 0 {
		ground, on = p.Fill, p.OnAccent
		label = lang.Plural("room.new", b.unseen)
		h = max(h, kit.FontLabel.LineHeight()+2*kit.Unit)
		w = kit.FontLabel.Wrapper().Measure(label, 1e6).Widest + arrow + 9*kit.Unit
	}
	b.size = fyne.NewSize(w, h)
	b.at = fyne.NewPos(b.area.Width-w-rowMargin, b.area.Height-h-3*kit.Unit)
	if label != "" {
		b.at.X = float32(int((b.area.Width - w) / 2))
	}
	rect := canvas.NewRectangle(ground)
	rect.CornerRadius = h / 2
	rect.Shadow = canvas.Shadow{Color: p.Shadow, BlurRadius: 12, Offset: fyne.NewPos(0, 3)}
	kit.Put(rect, b.at.X, b.at.Y, w, h)
	image := canvas.NewImageFromResource(kit.Icon("down", on))
	x := b.at.X + (h-arrow)/2
	kit.Put(image, x, b.at.Y+(h-arrow)/2, arrow, arrow)
	b.drawn = []fyne.CanvasObject{rect, image}
	for _, line := range kit.FontLabel.Wrapper().Lay(label, 1e6) {
		b.drawn = kit.AppendRuns(b.drawn, line, kit.FontLabel, on, x+arrow+2*kit.Unit, b.at.Y+(h-kit.FontLabel.LineHeight())/2)
	}
}
