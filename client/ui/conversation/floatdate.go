package conversation

import (
	"fyne.io/fyne/v2"
	"fyne.io/fyne/v2/canvas"

	"parley/client/ui/kit"
)

// floatDate is the day of the messages in sight, over a list while it is being
// scrolled.
type floatDate struct {
	shown  bool
	scroll int // number of times the list was scrolled

	drawn []fyne.CanvasObject // of a day and a width
	day   string
	width float32
}

// objects are what is drawn of a day over a list of a width.
func (d *floatDate) objects(day string, width float32) []fyne.CanvasObject {
	if d.drawn == nil || d.day != day || d.width != width {
		d.day, d.width = day, width
		d.draw()
	}
	return d.drawn
}

func (d *floatDate) draw() {
	p := kit.Colors()
	line := kit.FontLabel.Wrapper().Lay(d.day, 1e6)[0]
	w, h := line.Width+6*kit.Unit, kit.FontLabel.LineHeight()+2*kit.Unit
	x, y := float32(int((d.width-w)/2)), float32(2*kit.Unit)
	rect := canvas.NewRectangle(p.Hover)
	rect.CornerRadius = h / 2
	rect.Shadow = canvas.Shadow{Color: p.Shadow, BlurRadius: 8, Offset: fyne.NewPos(0, 2)}
	kit.Put(rect, x, y, w, h)
	d.drawn = kit.AppendRuns([]fyne.CanvasObject{rect}, line, kit.FontLabel, p.Muted, x+3*kit.Unit, y+kit.Unit)
}
