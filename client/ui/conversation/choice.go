package conversation

import (
	"fyne.io/fyne/v2"

	"parley/client/session"
	"parley/client/ui/kit"
)

// Choose chooses a message from the keyboard: by 1 the next one, by -1 the one
// before, which is the last one at first. After the last one none is chosen.
func (l *List) Choose(by int) {
	rows := l.timeline.rows
	i := len(rows)
	if l.chosen != "" {
		i = l.timeline.find(l.chosen)
	}
	for i += by; i >= 0 && i < len(rows); i += by {
		if item := rows[i].item; item.Kind == session.KindMessage && !item.Deleted {
			l.choose(i)
			return
		}
	}
	if i >= len(rows) {
		l.Unchoose()
		l.Follow()
	}
}

// choose chooses a row, and brings it into sight.
func (l *List) choose(i int) {
	t := l.timeline
	l.chosen = t.rows[i].item.ID
	l.sought, l.held = session.Place{}, ""
	switch top, bottom := t.tops[i], t.tops[i+1]; {
	case top < l.Offset:
		l.Offset = top
	case bottom > l.Offset+l.Size().Height:
		l.Offset = bottom - l.Size().Height
	}
	l.stick = l.Offset >= l.maxOffset()-stickiness
	l.Settle()
}

// Unchoose chooses no message. It reports whether one was chosen.
func (l *List) Unchoose() bool {
	if l.chosen == "" {
		return false
	}
	l.chosen = ""
	l.draw()
	return true
}

// OpenChosen opens the menu of the message that is chosen. It reports whether one is.
func (l *List) OpenChosen() bool {
	i := l.timeline.find(l.chosen)
	if !l.Unchoose() || i < 0 || l.OnMenu == nil {
		return false
	}
	r := l.timeline.rows[i]
	if r.view == nil || len(r.view.areas) == 0 {
		return false
	}
	h := Hit{r.view.bubble(), r}
	at := r.view.root.Position().Add(h.at).AddXY(h.size.Width/2, h.size.Height)
	l.OnMenu(h, fyne.CurrentApp().Driver().AbsolutePositionForObject(l).Add(at))
	if c := kit.CanvasOf(l); c != nil && c.Overlays().Top() != nil {
		c.FocusNext()
	}
	return true
}
