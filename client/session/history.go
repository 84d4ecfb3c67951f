package session

import "parley/shared"

// How many entries one question for history asks for.
const (
	olderLimit = 50
	gapLimit   = shared.MaxHistory
)

// more reports whether there is older history that LoadOlder can show. Above
// the present epoch's oldest row there may be rows of another epoch; while a
// gap parts them nobody knows how far they reach into this log.
func (t *timeline) more() bool {
	for _, r := range t.rows[:t.fixed] {
		if r.Kind == KindGap {
			return false
		}
		if r.epoch == t.epoch && r.epoch != "" {
			return !t.begun && r.Offset > 1
		}
	}
	return false
}

// beforeOldest is what to ask for older history: the entries before this
// offset. ok is false when there are none.
func (t *timeline) beforeOldest() (offset int64, ok bool) {
	if !t.more() {
		return 0, false
	}
	for _, r := range t.rows {
		if r.epoch == t.epoch {
			return r.Offset, true
		}
	}
	return 0, false
}

// older takes the answer to a question for older history. It reports whether
// that was all: an answer of nothing but rows that were shown already, under
// another epoch, is not.
func (t *timeline) older(messages []shared.Message, more bool) (done bool) {
	first := len(t.changes)
	news := false
	for _, m := range messages {
		news = t.place(m) || news
	}
	if !more || len(messages) == 0 {
		t.begun = true
		t.delta.state = true
	}
	if !news && t.more() {
		return false
	}
	for i := range t.changes[first:] {
		if c := &t.changes[first+i]; c.Kind == Insert && c.Index == 0 {
			t.told = t.more()
			c.Kind, c.More = Prepend, t.told
			return true
		}
	}
	t.noOlder()
	return true
}

// noOlder answers the wish for older history with nothing.
func (t *timeline) noOlder() {
	t.told = t.more()
	t.changes = append(t.changes, Change{Kind: Prepend, More: t.told})
}

// tellMore adds the change that tells of More, where it is not known yet.
func (t *timeline) tellMore() {
	if t.more() != t.told {
		t.noOlder()
	}
}

// gapAt is the gap that a question can fill for the one asked about: the
// nearest above the first row of the present epoch that follows it. before is
// that row's offset. ok is false when there is none.
func (t *timeline) gapAt(id string) (gap *row, before int64, ok bool) {
	asked := false
	for _, r := range t.rows[:t.fixed] {
		if r.Kind == KindGap {
			asked = asked || r.ID == id
			gap = r
			continue
		}
		if asked && r.epoch == t.epoch && r.epoch != "" {
			return gap, r.Offset, true
		}
	}
	return nil, 0, false
}

// fill takes the answer to the question for the entries below a gap. The gap
// goes when the answer meets what is shown above it, or the log's beginning.
// Where nothing above is of the present epoch, a row that is known from another
// is what it meets: from there upwards LoadOlder goes on.
func (t *timeline) fill(id string, messages []shared.Message, more bool) {
	gap := t.ids[id]
	if gap == nil || gap.Kind != KindGap {
		return
	}
	at := t.indexOf(gap)
	var above int64 // the offset of the last row of this epoch above the gap
	shown := map[*row]bool{}
	for _, r := range t.rows[:at] {
		if r.epoch == "" {
			continue
		}
		shown[r] = true
		if r.epoch == t.epoch {
			above = r.Offset
		}
	}
	met := !more
	for _, m := range messages {
		met = met || m.Offset <= above || above == 0 && shown[t.find(m)]
	}
	if met {
		t.take(at) // before the rows, which may not cross it
	}
	news := false
	for _, m := range messages {
		news = t.place(m) || news
	}
	if !more {
		t.begun = true
		t.delta.state = true
	}
	if !met && !news {
		t.unfilled(id)
	}
}

// unfilled answers that nothing came for a gap.
func (t *timeline) unfilled(id string) {
	if gap := t.ids[id]; gap != nil && gap.Kind == KindGap {
		t.update(t.indexOf(gap))
	}
}
