package ui

// A text of more than foldOver lines is folded: it shows foldTo of them, and the
// rest when "Show more" is tapped.
const (
	foldOver = 20
	foldTo   = 15
)

// folded is how many of a text's lines are shown, and what the line under them
// says, if there is one.
func (r *row) folded(lines int) (shown int, label string) {
	switch {
	case lines <= foldOver:
		return lines, ""
	case r.unfolded:
		return lines, tr("room.less")
	}
	return foldTo, tr("room.more")
}

// foldHeight is the height of that line.
func foldHeight() float32 { return fontLabel.lineHeight() + 2*unit }

// fold shows a long text whole, or folds it again.
func (t *timeline) fold(r *row) {
	if t.unfolded == nil {
		t.unfolded = make(map[string]bool)
	}
	id := r.item.ID
	if r.unfolded {
		delete(t.unfolded, id)
	} else {
		t.unfolded[id] = true
	}
	if i := t.find(id); i >= 0 {
		t.restyle(i, i+1)
	}
}

// fold folds a row, or unfolds it, and keeps in sight what was tapped.
func (l *messageList) fold(r *row) {
	at := l.timeline.anchorAt(l.offset)
	l.timeline.fold(r)
	if offset, ok := l.timeline.offsetOf(at); ok {
		l.offset = offset
	}
	if i := l.timeline.find(r.item.ID); i >= 0 && !l.timeline.rows[i].unfolded {
		l.offset = min(l.offset, l.timeline.tops[i]) // its beginning was out of sight
	}
	l.offset = min(l.offset, l.maxOffset())
	l.stick = l.offset >= l.maxOffset()-stickiness
	l.settle()
}
