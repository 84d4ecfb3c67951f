package conversation

import (
	"slices"
	"sort"

	"parley/client/session"
	"parley/client/ui/kit"
	"parley/client/ui/lang"
)

// Timeline is the rows of a room in order, and the place of each in the list.
type Timeline struct {
	rows   []*row
	tops   []float32 // tops[i] is the y of row i; one more for the end
	frame  frame
	foot   float32 // what is needed under the rows, when more than one line
	Fresh  string  // id of the first message that is new since the person left
	clock  lang.Clock
	names  []string // the person's, so that messages which name them are marked
	marked string   // id of another message that is marked
	Thumbs Thumbs   // of the messages with pictures; nil: none are shown

	unfolded map[string]bool // ids of long messages that are shown whole
}

func newTimeline(now lang.Clock) *Timeline { return &Timeline{tops: []float32{0}, clock: now} }

// Len is the number of rows.
func (t *Timeline) Len() int { return len(t.rows) }

// Item is the message, or the gap, of a row.
func (t *Timeline) Item(i int) session.Item { return t.rows[i].item }

// OfOffset is the id of the row that shows the log's entry at an offset, "" if none
// does.
func (t *Timeline) OfOffset(offset int64) string {
	for _, r := range slices.Backward(t.rows) {
		if r.item.Kind == session.KindMessage && r.item.Offset == offset {
			return r.item.ID
		}
	}
	return ""
}

// SetNames marks the messages that name the person by one of their names.
func (t *Timeline) SetNames(names []string) { t.names = names }

// marks reports whether a row is marked.
func (t *Timeline) marks(r *row) bool {
	if r.item.Kind != session.KindMessage || r.item.Deleted {
		return false
	}
	return r.item.ID == t.marked || !r.item.Mine && Mentions(r.text, t.names...)
}

// mark marks a message until another one is, or with "", none.
func (t *Timeline) mark(id string) {
	for _, v := range [...]string{t.marked, id} {
		if i := t.find(v); v != "" && i >= 0 {
			t.rows[i].view = nil
		}
	}
	t.marked = id
}

// Message is the message of a row; ok is false if there is none.
func (t *Timeline) Message(id string) (item session.Item, ok bool) {
	if i := t.find(id); i >= 0 && t.rows[i].item.Kind == session.KindMessage {
		return t.rows[i].item, true
	}
	return session.Item{}, false
}

// LastOwn is the person's last message that they can change; ok is false if there is
// none.
func (t *Timeline) LastOwn() (item session.Item, ok bool) {
	for _, r := range slices.Backward(t.rows) {
		if r.item.Changeable() {
			return r.item, true
		}
	}
	return session.Item{}, false
}

// total is the height of all rows, and of the line under them that says who is
// writing.
func (t *Timeline) total() float32 {
	least := kit.FontSmall.LineHeight() + 2*kit.Unit
	if t.frame.dense {
		least = kit.Unit
	}
	return t.tops[len(t.rows)] + max(t.foot, least)
}

// setFrame measures everything again when the width or the text's size changed.
func (t *Timeline) setFrame(f frame) bool {
	if f == t.frame {
		return false
	}
	t.frame = f
	t.restyle(0, len(t.rows))
	return true
}

// Remeasure measures everything again, as after a change of the language.
func (t *Timeline) Remeasure() { t.restyle(0, len(t.rows)) }

// at is the index of the row at a height, at most the last.
func (t *Timeline) at(y float32) int {
	i := sort.Search(len(t.rows), func(i int) bool { return t.tops[i+1] > y })
	return min(i, max(len(t.rows)-1, 0))
}

func (t *Timeline) find(id string) int {
	return slices.IndexFunc(t.rows, func(r *row) bool { return r.item.ID == id })
}

// restyle sets what the rows from from up to to show besides their message, and
// measures them. Their neighbours' groups may have changed too.
func (t *Timeline) restyle(from, to int) {
	from, to = max(from-1, 0), min(to+1, len(t.rows))
	for from > 0 && t.rows[from].joins() {
		from--
	}
	for to < len(t.rows) && t.rows[to].joins() {
		to++
	}
	var line *row // stands for the deleted messages before
	var run []session.Item
	var says *row // for the run of notices before
	end := func() {
		if says != nil {
			says.notice, says.leads = noticeLine(run), run[len(run)-1].Notice.Pinned
			says.measure(t.frame)
			says, run = nil, run[:0]
		}
	}
	for i := from; i < to; i++ {
		r := t.rows[i]
		var before, after *row
		if i > 0 {
			before = t.rows[i-1]
		}
		if i+1 < len(t.rows) {
			after = t.rows[i+1]
		}
		r.day = r.item.Kind != session.KindGap && (before == nil || !lang.SameDay(before.item.Time, r.item.Time))
		r.fresh = t.Fresh != "" && r.item.ID == t.Fresh
		r.first = before == nil || r.fresh || !sameGroup(before, r)
		r.last = after == nil || !sameGroup(r, after) || t.Fresh != "" && after.item.ID == t.Fresh
		r.unfolded = t.unfolded[r.item.ID]
		r.deleting = false
		switch r.deleted = 0; {
		case !r.item.Deleted:
			line = nil
		case line == nil || r.day || r.fresh:
			line = r
			fallthrough
		default:
			line.deleted++
			line.deleting = line.deleting || r.item.Waits != ""
		}
		r.notice, r.leads = "", 0
		switch {
		case r.item.Kind != session.KindNotice:
			end()
		case says == nil || r.day || r.fresh || !sameRun(run[0], r.item):
			end()
			says, run = r, append(run, r.item)
		default:
			run = append(run, r.item)
		}
		r.measure(t.frame)
		r.view = nil
	}
	end()
	t.sum(from)
}

// sum computes the tops of the rows from index from on.
func (t *Timeline) sum(from int) {
	t.tops = slices.Grow(t.tops[:from+1], len(t.rows)-from)[:len(t.rows)+1]
	y := t.tops[from]
	for i := from; i < len(t.rows); i++ {
		y += t.rows[i].height
		t.tops[i+1] = y
	}
}

// SetFresh moves the line "new since you left" above the message of an id; an
// empty one takes it away.
func (t *Timeline) SetFresh(id string) {
	if id == t.Fresh {
		return
	}
	old := t.Fresh
	t.Fresh = id
	for _, v := range [...]string{old, id} {
		if i := t.find(v); v != "" && i >= 0 {
			t.restyle(i, i+1)
		}
	}
}

// apply does one change of the session. It reports how many messages of others
// were added at the end.
func (t *Timeline) apply(c session.Change) (news int) {
	switch c.Kind {
	case session.Reset:
		t.rows = appendRows(t.rows[:0:0], c.Items)
		t.tops = t.tops[:1]
		t.restyle(0, len(t.rows))
	case session.Append:
		from := len(t.rows)
		t.rows = appendRows(t.rows, c.Items)
		t.restyle(from, len(t.rows))
		for _, item := range c.Items {
			if isNews(item) {
				news++
			}
		}
	case session.Prepend:
		t.insert(0, c.Items)
	case session.Insert:
		t.insert(c.Index, c.Items)
	case session.Update:
		if t.has(c.Index) && len(c.Items) > 0 {
			t.rows[c.Index] = newRow(c.Items[0])
			t.restyle(c.Index, c.Index+1)
		}
	case session.Remove:
		if t.has(c.Index) {
			t.rows = slices.Delete(t.rows, c.Index, c.Index+1)
			t.tops = t.tops[:len(t.rows)+1]
			t.restyle(c.Index, c.Index)
		}
	}
	return news
}

// isNews reports whether an item is what somebody else has said.
func isNews(item session.Item) bool {
	return !item.Mine && !item.Deleted && item.Kind == session.KindMessage
}

func (t *Timeline) has(index int) bool { return index >= 0 && index < len(t.rows) }

func (t *Timeline) insert(index int, items []session.Item) {
	index = min(max(index, 0), len(t.rows))
	t.rows = slices.Insert(t.rows, index, appendRows(nil, items)...)
	t.restyle(index, index+len(items))
}

func appendRows(rows []*row, items []session.Item) []*row {
	rows = slices.Grow(rows, len(items))
	for _, item := range items {
		rows = append(rows, newRow(item))
	}
	return rows
}

// fold shows a long text whole, or folds it again.
func (t *Timeline) fold(r *row) {
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

// anchor is a row and how far the list's upper edge is below the beginning of
// its text, so that the same pixels can be shown again after rows changed above.
type anchor struct {
	id    string
	delta float32
}

// anchorAt is the anchor for an offset. A gap is none: it goes when it is filled.
func (t *Timeline) anchorAt(offset float32) anchor {
	if len(t.rows) == 0 {
		return anchor{}
	}
	i := t.at(offset)
	for i+1 < len(t.rows) && t.rows[i].item.Kind == session.KindGap {
		i++
	}
	return anchor{t.rows[i].item.ID, offset - t.tops[i] - t.rows[i].lead(t.frame)}
}

// offsetOf is the present offset of an anchor; ok is false if its row is gone.
func (t *Timeline) offsetOf(a anchor) (offset float32, ok bool) {
	if i := t.find(a.id); i >= 0 {
		return t.tops[i] + t.rows[i].lead(t.frame) + a.delta, true
	}
	return 0, false
}
