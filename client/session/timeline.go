package session

import (
	"cmp"
	"crypto/rand"
	"fmt"
	"slices"

	"parley/shared"
)

// maxRows is how many log entries and gaps a timeline holds in memory. With
// each further one the oldest row goes.
const maxRows = 10_000

// Row is an Item and what the screen need not know of it.
type Row struct {
	Item
	Entry string // the id in the log; Item.ID differs if somebody used another's id again
	Epoch string // of Offset; "" while the row has no place in a log

	Content Content
	Changed int64  // the offset of the message's last change that Content has
	Answers string // the id in the log of the message that a waiting one answers
	Held    bool   // a waiting message that has not gone out: the server can't have it
	Copy    string // of a message with a file that waits or was refused: the copy in Files; "" without

	whole bool // the server has said on this connection that it has the whole file
}

// timeline is the list of rows that a room shows:
//
//	fixed    entries of the log, gaps, and messages that were refused
//	waiting  the outbox, in the order of writing
//
// What the person did to rows waits apart, in amendments.
//
// Rows of the present epoch are in the order of their offsets. Rows of other
// epochs, of which nothing can be said but that they were shown there, keep
// their places.
//
// Each method leaves the changes it made in changes, for the screen and the
// store.
type timeline struct {
	rows  []*Row
	fixed int // rows[fixed:] wait
	kept  int // the store keeps this many of the fixed rows, from the end

	ids      map[string]*Row // by Item.ID
	entries  map[string]*Row // by entry; the newest if there are several
	byOffset map[int64]*Row  // of the present epoch

	me       string // the name that the server calls us
	by       string // what it calls the author of our messages; "" if it does not tell
	epoch    string // the present one
	last     int64  // offset of the last live entry since the room was resumed
	position shared.Position
	gapDue   bool             // the next live entry may not follow what is shown
	begun    bool             // the oldest row of the epoch is the log's first
	reached  map[string]int64 // by a gap's id, "" for the beginning: from this offset on nothing is missing below it

	amendments []*Amendment
	task       Task // what the person writes for
	behind     Behind
	meanwhile  meanwhile
	canChange  bool // the server's, as it said last

	rules   Rules
	ruled   int64 // the welcome knew of notices up to this offset
	setAt   int64 // the offset of the notice that Rules.SetBy is of
	pin     pin
	notices notices

	changes []Change
	told    bool // the More that was told last

	// For the store, since the last time that it kept everything.

	marked  map[*Row]bool // rows to save that no change tells of
	touched bool          // something is to be saved that no change tells of
	erase   bool          // a text has gone that may not stay in the files

	released []released // copies that no row needs any more
	thumbs   []int64    // offsets of messages whose thumbnails may not stay
}

func newTimeline() *timeline {
	return &timeline{
		kept:     keptRows,
		ids:      map[string]*Row{},
		entries:  map[string]*Row{},
		byOffset: map[int64]*Row{},
		reached:  map[string]int64{},
		marked:   map[*Row]bool{},
	}
}

// load takes what the store had.
func (t *timeline) load(saved Saved) {
	t.position = saved.State.Position
	t.epoch, t.last = t.position.Epoch, t.position.Offset
	t.begun = saved.State.Begun
	t.behind, t.canChange, t.rules = saved.State.Behind, saved.State.CanChange, saved.State.Rules
	t.amendments, t.task = saved.Amendments, saved.State.Task
	for _, r := range slices.Concat(saved.Log, saved.Outbox) {
		if t.ids[r.ID] != nil {
			continue
		}
		t.rows = append(t.rows, r)
		t.index(r)
		if r.Delivery != Pending {
			t.fixed = len(t.rows)
		}
	}
	t.reset()
}

// reset tells the whole timeline.
func (t *timeline) reset() {
	items := make([]Item, len(t.rows))
	for i, r := range t.rows {
		items[i] = r.Item
	}
	t.told = t.more()
	t.changes = []Change{{Kind: Reset, Items: items, More: t.told}}
}

// welcome begins a connection: the present epoch, whether exactly the entries
// after the position follow, and the log's head.
func (t *timeline) welcome(w shared.Message) {
	t.me, t.by = w.User, ""
	if slices.Contains(w.Can, shared.CanBy) {
		t.by = w.By
	}
	if w.Epoch != t.epoch {
		t.enter(w.Epoch)
	}
	canChange := slices.Contains(w.Can, shared.CanChange)
	t.lag(w, canChange)
	t.canChange = canChange
	if w.Resumed && w.Epoch == t.position.Epoch {
		t.gapDue, t.last = false, t.position.Offset
		return
	}
	t.notices = notices{}
	// The log decides where it goes on.
	t.gapDue, t.last = true, 0
	for offset, r := range t.byOffset {
		if offset > w.Offset || r.Changed > w.Offset { // this log has no such entry
			t.displace(r)
		}
	}
	if w.Offset == 0 { // nothing follows that could move it
		t.move(0)
	}
}

// lag notes which changes of rows will not come by themselves: those since the
// position, if the room is not resumed after it, or has only now learnt of changes.
func (t *timeline) lag(w shared.Message, canChange bool) {
	p, newest := t.position, t.position.Offset
	for offset := range t.byOffset { // a folder that was put back has an epoch that is known, and may lack the position
		newest = max(newest, offset)
	}
	switch {
	case !canChange, w.Epoch != p.Epoch:
		t.behind = Behind{}
	case p.Offset == 0:
	case !t.canChange:
		t.behind = Behind{Changed: 1, Before: newest + 1}
	case !w.Resumed:
		// An answer may have told of changes behind the position.
		t.behind = Behind{Changed: min(cmp.Or(t.behind.Changed, p.Offset), p.Offset), Before: newest + 1}
	}
}

// enter makes an epoch the present one.
func (t *timeline) enter(epoch string) {
	t.epoch = epoch
	t.begun = false
	clear(t.byOffset)
	clear(t.reached)
	for _, r := range t.rows[:t.fixed] {
		if r.Epoch == epoch {
			t.byOffset[r.Offset] = r
		}
	}
	t.unsettle()
}

// displace notes that a row is of no log now.
func (t *timeline) displace(r *Row) {
	delete(t.byOffset, r.Offset)
	r.Epoch = ""
	t.update(t.indexOf(r))
}

// move sets the position up to which the room was shown.
func (t *timeline) move(offset int64) {
	t.position = shared.Position{Epoch: t.epoch, Offset: offset}
}

// live takes the room's next entry and reports whether it was news.
func (t *timeline) live(m shared.Message) (news bool) {
	if !t.follows(m) {
		return false
	}
	news = t.place(m, false)
	if t.fixed > maxRows {
		t.dropOldest()
	}
	t.settle()
	t.settleAmendments()
	return news
}

// follows moves the position to the room's next entry, and reports whether it is one.
func (t *timeline) follows(m shared.Message) bool {
	if m.Offset <= t.last {
		return false
	}
	if t.gapDue {
		t.gapDue, t.notices.due = false, true
		t.gapBefore(m)
	}
	t.last = m.Offset
	t.move(m.Offset)
	return true
}

// gapBefore inserts a gap before entry m, unless m is the log's first, or is shown,
// or nothing of a log is shown before it.
func (t *timeline) gapBefore(m shared.Message) {
	r := t.find(m)
	lo, at := t.slot(m.Offset)
	switch {
	case m.Offset == 1:
		return // nothing is before it
	case r != nil && r.Epoch == t.epoch:
		return // shown, with what was before it
	case r != nil && r.Epoch != "" && lo < 0:
		return // shown under another epoch: LoadOlder tells what is before it
	}
	if r != nil {
		if i := t.indexOf(r); lo < i && i < at {
			at = i
		}
	}
	for i := at - 1; i >= 0 && t.rows[i].Kind != KindGap; i-- {
		if t.rows[i].Delivery == Sent {
			t.insert(at, &Row{Item: Item{Kind: KindGap, ID: "gap-" + rand.Text()}})
			return
		}
	}
}

// entryID is an entry's id; one that has none is known by its offset.
func entryID(m shared.Message) string {
	return cmp.Or(m.ID, fmt.Sprintf("@%d", m.Offset))
}

// find is the row that shows entry m already.
func (t *timeline) find(m shared.Message) *Row {
	id := entryID(m)
	if r := t.byOffset[m.Offset]; r != nil {
		if r.Entry == id {
			return r
		}
		t.displace(r) // the log has changed under one epoch
	}
	r := t.entries[id]
	switch {
	case r == nil:
		return nil
	case r.Epoch == t.epoch && r.Epoch != "": // another entry: somebody used the id again
		return nil
	case r.Epoch == "" && r.Mine, sameAuthor(r.Item, m):
		return r
	}
	return nil
}

// sameAuthor reports whether the row and the entry are one person's.
func sameAuthor(i Item, m shared.Message) bool {
	if i.By != "" && m.By != "" {
		return i.By == m.By
	}
	return i.User == m.User
}

// isMine reports whether this device wrote an entry. The name decides if the server
// does not tell.
func (t *timeline) isMine(m shared.Message) bool {
	if t.by != "" {
		return m.By == t.by
	}
	return m.User == t.me
}

// slot is the place of an entry of the present epoch in the fixed rows: after row
// lo, the last of a lower offset or -1, and before row hi, the first of a higher one
// or the end.
func (t *timeline) slot(offset int64) (lo, hi int) {
	hi = t.fixed
	for i := t.fixed - 1; i >= 0; i-- {
		r := t.rows[i]
		if r.Epoch != t.epoch || r.Epoch == "" {
			continue
		}
		if r.Offset < offset {
			return i, hi
		}
		if r.Offset > offset {
			hi = i
		}
	}
	return -1, hi
}

// place puts entry m into its place, and reports whether it is new to the
// timeline. With whole, it is of a history.
func (t *timeline) place(m shared.Message, whole bool) (news bool) {
	r := t.find(m)
	lo, hi := t.slot(m.Offset)
	if r == nil {
		r = t.newRow(m, whole)
		t.insert(hi, r)
		if m.Changed > 0 {
			t.requoteRow(r)
		}
		return true
	}
	if r.Epoch == t.epoch && r.Offset == m.Offset && r.Epoch != "" {
		t.refresh(r, m, whole)
		return false
	}
	at := t.indexOf(r)
	waiting := at >= t.fixed
	stays := lo < at && at < hi && !t.gapIn(at, hi) || at == hi && waiting
	if !stays {
		t.take(at)
	}
	if m.User != "" {
		r.User = m.User
	}
	r.By = cmp.Or(m.By, r.By)
	r.Time, r.Offset, r.Epoch = m.Time, m.Offset, t.epoch
	r.Delivery, r.Reason, r.Code = Sent, "", ""
	r.Held, r.Answers = false, ""
	t.adopt(r, m, whole)
	t.release(r)
	r.Mine = t.isMine(m) || t.by == "" && r.Mine
	t.byOffset[m.Offset] = r
	switch {
	case !stays:
		_, hi = t.slot(m.Offset)
		t.insert(hi, r)
	case waiting:
		t.fixed++
		fallthrough
	default:
		t.update(at)
	}
	t.aim(r)
	return false
}

// gapIn reports whether there is a gap among rows from to before to.
func (t *timeline) gapIn(from, to int) bool {
	return slices.ContainsFunc(t.rows[from:to], func(r *Row) bool { return r.Kind == KindGap })
}

func (t *timeline) newRow(m shared.Message, whole bool) *Row {
	r := &Row{
		Item: Item{
			ID: entryID(m), Offset: m.Offset, User: m.User, By: m.By, Time: m.Time,
			Mine: t.isMine(m),
		},
		Entry: entryID(m),
		Epoch: t.epoch,
	}
	t.adopt(r, m, whole)
	t.uniqueID(r)
	return r
}

// uniqueID gives a new row an id that no other one has.
func (t *timeline) uniqueID(r *Row) {
	for t.ids[r.ID] != nil {
		r.ID = fmt.Sprintf("%s@%d", r.ID, r.Offset)
	}
}
