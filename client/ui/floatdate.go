package ui

import (
	"fyne.io/fyne/v2"
	"fyne.io/fyne/v2/canvas"
)

// floatDate is the day of the messages in sight, over a list while it is being
// scrolled.
type floatDate struct {
	shown  bool
	scroll int // how often the list was scrolled

	drawn []fyne.CanvasObject // of a day and a width
	day   string
	width float32
}

// scrolled scrolls for a finger, a wheel or the bar, and shows the day meanwhile.
func (l *messageList) scrolled(dy float32) {
	l.date.scroll++
	if m := motionOf(l); m != nil && !l.date.shown {
		l.date.shown = true
		l.awaitRest(m)
	}
	l.scrollBy(dy)
}

// awaitRest takes the day away when the list has not been scrolled for a while.
func (l *messageList) awaitRest(m *motion) {
	scroll := l.date.scroll
	m.after(dateTime, func() {
		if l.date.scroll != scroll {
			l.awaitRest(m)
			return
		}
		l.date.shown = false
		if l.render != nil {
			l.render.draw()
		}
	})
}

// objects are what is drawn of the day: nothing where its own line is in sight at
// the top.
func (d *floatDate) objects(l *messageList) []fyne.CanvasObject {
	if !d.shown || len(l.shown) == 0 {
		return nil
	}
	r := l.shown[0]
	if r.day && r.view.root.Position().Y >= -unit || r.item.Time.IsZero() {
		return nil
	}
	day, width := dayName(r.item.Time), l.Size().Width
	if d.drawn == nil || d.day != day || d.width != width {
		d.day, d.width = day, width
		d.draw()
	}
	return d.drawn
}

func (d *floatDate) draw() {
	p := colors()
	line := fontLabel.wrapper().Lay(d.day, 1e6)[0]
	w, h := line.Width+6*unit, fontLabel.lineHeight()+2*unit
	x, y := float32(int((d.width-w)/2)), float32(2*unit)
	rect := canvas.NewRectangle(p.Hover)
	rect.CornerRadius = h / 2
	rect.Shadow = canvas.Shadow{Color: p.Shadow, BlurRadius: 8, Offset: fyne.NewPos(0, 2)}
	put(rect, x, y, w, h)
	d.drawn = appendRuns([]fyne.CanvasObject{rect}, line, fontLabel, p.Muted, x+3*unit, y+unit)
}
