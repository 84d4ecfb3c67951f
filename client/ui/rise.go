package ui

import "parley/client/session"

// sends reports whether a batch has a message that the person has just sent.
func sends(batch []session.Change) bool {
	for _, c := range batch {
		if c.Kind != session.Append || len(c.Items) != 1 {
			continue
		}
		if item := c.Items[0]; item.Mine && item.Delivery == session.Pending {
			return true
		}
	}
	return false
}

// rise has the list's end come up from below by a height.
func (l *messageList) rise(height float32) {
	m := motionOf(l)
	if l.risen != nil {
		l.risen()
	}
	if m == nil || height <= 0 {
		return
	}
	height = min(height, l.Size().Height)
	l.risen = m.run(riseTime, func(done float32) {
		l.lift = height * (1 - done)
		l.render.draw()
	}, func() { l.risen = nil })
}
