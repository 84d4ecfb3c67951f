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
		if r.Epoch == t.epoch && r.Epoch != "" {
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
		if r.Epoch == t.epoch {
			return t.missingBefore("", r.Offset), true
		}
	}
	return 0, false
}

// missingBefore is the offset before which something may be missing at a gap, or
// with "", at the beginning. offset is that of the first row below.
func (t *timeline) missingBefore(gap string, offset int64) int64 {
	if reached := t.reached[gap]; reached > 0 {
		return min(reached, offset)
	}
	return offset
}

// older applies the answer to a question for what is before an offset. It reports
// whether that was all. It was not if the answer has only rows that are shown
// already, under another epoch, or entries that this version skips.
func (t *timeline) older(before int64, page shared.Message) (done bool) {
	first := len(t.changes)
	news := false
	for _, m := range page.Messages {
		news = t.place(m, true) || news
	}
	t.learn("", page)
	if next, ok := t.beforeOldest(); !news && ok && next < before {
		return false
	}
	for i := range t.changes[first:] {
		if c := &t.changes[first+i]; c.Kind == Insert && c.Index == 0 {
			t.told = t.more()
			c.Kind, c.More = Prepend, t.told
			return true
		}
	}
	t.noOlder(nil)
	return true
}

// learn notes what a page says of the entries before it.
func (t *timeline) learn(gap string, page shared.Message) {
	if !page.More {
		t.begun = true
	} else if page.After > 0 && (gap == "" || t.ids[gap] != nil) {
		t.reached[gap] = page.After + 1
	}
}

// noOlder answers a request for older history with nothing. err is nil if that is
// the log's answer.
func (t *timeline) noOlder(err error) {
	t.told = t.more()
	t.changes = append(t.changes, Change{Kind: Prepend, More: t.told, Err: err})
}

// tellMore adds the change that tells of More, unless the screen knows already.
func (t *timeline) tellMore() {
	if t.more() != t.told {
		t.noOlder(nil)
	}
}

// gapAt is the gap that a question can fill for the one asked about: the
// nearest above the first row of the present epoch that follows it. What is
// missing lies before the offset before. ok is false if there is no gap.
func (t *timeline) gapAt(id string) (gap *Row, before int64, ok bool) {
	asked := false
	for _, r := range t.rows[:t.fixed] {
		if r.Kind == KindGap {
			asked = asked || r.ID == id
			gap = r
			continue
		}
		if asked && r.Epoch == t.epoch && r.Epoch != "" {
			return gap, t.missingBefore(gap.ID, r.Offset), true
		}
	}
	return nil, 0, false
}

// fill applies the answer to a question for what is missing at a gap, before an
// offset. The gap goes when the answer meets what is shown above it, or the log's
// beginning. If nothing above is of the present epoch, the answer has to meet a row
// that is known from another one; LoadOlder goes on from there upwards. fill
// reports whether that was all. It was not if the answer has only entries that
// this version skips.
func (t *timeline) fill(id string, before int64, page shared.Message) (done bool) {
	gap := t.ids[id]
	if gap == nil || gap.Kind != KindGap {
		return true
	}
	at := t.indexOf(gap)
	var above int64 // the offset of the last row of this epoch above the gap
	shown := map[*Row]bool{}
	for _, r := range t.rows[:at] {
		if r.Epoch == "" {
			continue
		}
		shown[r] = true
		if r.Epoch == t.epoch {
			above = r.Offset
		}
	}
	met := !page.More || page.After > 0 && page.After <= above
	for _, m := range page.Messages {
		met = met || m.Offset <= above || above == 0 && shown[t.find(m)]
	}
	if met {
		t.take(at) // before the rows, which may not cross it
	}
	news := false
	for _, m := range page.Messages {
		news = t.place(m, true) || news
	}
	if t.learn(id, page); met || news {
		return true
	}
	if t.reached[id] > 0 && t.reached[id] < before {
		return false
	}
	t.unfilled(id, nil)
	return true
}

// unfilled answers that nothing came for a gap, and with an error, why.
func (t *timeline) unfilled(id string, err error) {
	if gap := t.ids[id]; gap != nil && gap.Kind == KindGap {
		t.update(t.indexOf(gap))
		t.changes[len(t.changes)-1].Err = err
	}
}
