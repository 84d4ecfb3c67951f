package session

import (
	"maps"
	"slices"

	"parley/shared"
)

// Notice is what a host did; Item.User is who. It never changes.
type Notice struct {
	Do       string          `json:"do"`                // shared.DoRemove, shared.DoOpen, …
	About    string          `json:"about,omitempty"`   // whom it is about: from the network, show it as text only
	Whom     string          `json:"whom,omitempty"`    // tells them apart from others of that name: see shared.By
	Settings shared.Settings `json:"settings,omitzero"` // of shared.DoSet: what was changed
	Pinned   int64           `json:"pinned,omitempty"`  // of shared.DoPin: the message's offset; 0 for none
}

// notices are what is known of what hosts did, in the present epoch. History has none of
// it, so they are asked for, from the newest on, as far as the timeline reaches.
type notices struct {
	known map[int64]shared.Message // by offset
	from  int64                    // all from this offset on are known; 0 before the first answer
	all   bool                     // there are no others
	due   bool                     // some may have got a place
}

// noticed takes the room's next entry, which says what a host did.
func (t *timeline) noticed(m shared.Message) {
	if !t.follows(m) {
		return
	}
	if own := t.amendment(m.ID); own != nil && t.isMine(m) {
		t.keepAmendments(func(a *Amendment) bool { return a != own })
	}
	t.carry(m)
	t.notices.keep(m)
	_, hi := t.slot(m.Offset)
	t.placeNotice(m, hi)
	if t.fixed > maxRows {
		t.dropOldest()
	}
	t.settle()
	t.settleAmendments()
}

func (n *notices) keep(m shared.Message) {
	if n.known == nil {
		n.known = map[int64]shared.Message{}
	}
	n.known[m.Offset] = m
	if len(n.known) > maxRows {
		least := slices.Min(slices.Collect(maps.Keys(n.known)))
		delete(n.known, least)
		n.from, n.all = max(n.from, least+1), false
	}
}

// askNotices asks for what hosts did where the timeline reaches.
func (l *loop) askNotices() *question {
	t := l.timeline
	n := &t.notices
	if !t.rules.Can || n.all || n.from > 0 && !t.reachesBelow(n.from) {
		return nil
	}
	before := n.from
	return &question{
		frame: shared.Message{Type: shared.TypeNotices, Before: before, Limit: shared.MaxHistory},
		answer: func(page shared.Message) {
			for _, m := range page.Notices {
				n.keep(m)
				t.carry(m)
			}
			n.all = !page.More
			if len(page.Notices) > 0 {
				n.from = page.Notices[0].Offset
			}
			if page.More && (len(page.Notices) == 0 || before > 0 && n.from >= before) { // it leads nowhere
				n.all = true
			}
			t.placeNotices()
		},
		giveUp: func(error) { n.all = true },
	}
}

// reachesBelow reports whether the timeline has something from before an offset, or would
// have it if there were something.
func (t *timeline) reachesBelow(offset int64) bool {
	if t.begun {
		return true
	}
	first := t.firstOffset()
	return first > 0 && first < offset
}

// firstOffset is that of the oldest row of the present epoch; 0 if there is none.
func (t *timeline) firstOffset() int64 {
	for _, r := range t.rows[:t.fixed] {
		if r.Epoch == t.epoch && r.Epoch != "" {
			return r.Offset
		}
	}
	return 0
}

// placeNotices puts those that are known into their places: between rows, but not into a
// gap, which has to be filled first. Before the first entry of a connection nobody knows
// whether there will be a gap: answers may overtake it.
func (t *timeline) placeNotices() {
	if !t.notices.due || t.gapDue {
		return
	}
	t.notices.due = false
	first := t.firstOffset()
	for _, offset := range slices.Sorted(maps.Keys(t.notices.known)) {
		if t.byOffset[offset] != nil || first > 0 && offset < first && !t.begun {
			continue
		}
		lo, hi := t.slot(offset)
		if lo >= 0 && t.gapIn(lo, hi) {
			continue
		}
		t.placeNotice(t.notices.known[offset], hi)
	}
}

// placeNotice puts a notice before row hi, unless it is there.
func (t *timeline) placeNotice(m shared.Message, hi int) {
	if r := t.find(m); r != nil && r.Kind == KindNotice {
		if r.Epoch == t.epoch && r.Offset == m.Offset {
			return
		}
		t.take(t.indexOf(r)) // it was shown of another log
		_, hi = t.slot(m.Offset)
	}
	r := &Row{
		Item: Item{
			Kind: KindNotice, ID: entryID(m), Offset: m.Offset, User: m.User, By: m.By, Time: m.Time, Mine: t.isMine(m),
			Notice: &Notice{Do: m.Did, About: m.About, Whom: m.Whom, Pinned: m.Pinned},
		},
		Entry: entryID(m), Epoch: t.epoch,
	}
	if m.Settings != nil {
		r.Notice.Settings = *m.Settings
	}
	t.uniqueID(r)
	t.insert(hi, r)
}
