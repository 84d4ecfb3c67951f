package ui

import "parley/client/session"

// maxSeek is how many messages of history are asked for to find a place.
const maxSeek = 2000

// seek goes to the place where one was when the app ended, as soon as the list has
// its row and a size.
func (l *messageList) seek(p session.Place) { l.sought, l.place = p, p }

// find goes to the place that is sought, or asks for the history that it lies in.
func (l *messageList) find() {
	rows := l.timeline.rows
	if l.sought.ID == "" || len(rows) == 0 || l.Size().Height <= 0 || l.timeline.frame.width != l.Size().Width {
		return
	}
	if offset, ok := l.timeline.offsetOf(anchor{l.sought.ID, l.sought.Below}); ok {
		l.sought = session.Place{}
		l.offset = offset
		l.stick = offset >= l.maxOffset()-stickiness
		l.settle()
		return
	}
	oldest := rows[0].item.Offset
	if !l.more || l.onOlder == nil || oldest <= l.sought.Offset || oldest > l.sought.Offset+maxSeek {
		l.sought = session.Place{}
		return
	}
	if !l.asked {
		l.asked = true
		l.onOlder()
	}
}

// tellPlace says where one reads now, if that has changed.
func (l *messageList) tellPlace() {
	if l.onPlace == nil || l.sought.ID != "" || len(l.timeline.rows) == 0 || l.Size().Height <= 0 {
		return
	}
	var p session.Place
	if !l.stick {
		a := l.timeline.anchorAt(l.offset)
		p = session.Place{ID: a.id, Below: a.delta}
		if i := l.timeline.find(a.id); i >= 0 {
			p.Offset = l.timeline.rows[i].item.Offset
		}
	}
	if p != l.place {
		l.place = p
		l.onPlace(p)
	}
}
