package conversation

import (
	"fyne.io/fyne/v2"
	"fyne.io/fyne/v2/widget"

	"parley/client/session"
	"parley/client/ui/kit"
	"parley/client/ui/lang"
)

// stickiness is how near to its end the list has to be to follow new messages.
const stickiness = 24

// List shows a timeline. It is one widget that draws only the rows in
// sight and finds by itself what was tapped: rows that were widgets would stop
// a finger's drag, and cost more than a hundred times as much for each message.
//
// Fyne clips whatever is Scrollable to its size.
type List struct {
	widget.BaseWidget
	timeline *Timeline
	Offset   float32       // of the upper edge, from the timeline's beginning
	stick    bool          // follow the end
	Unseen   int           // messages of others below the lower edge, since it left the end
	chosen   string        // the row that was chosen from the keyboard
	more     bool          // there is older history
	asked    bool          // onOlder was called, and no answer came yet
	sought   session.Place // the place to go to once its row is there
	held     string        // the row that stays in the upper third until the list is scrolled
	place    session.Place // what onPlace was told last

	OnOlder func()                        // the beginning is near
	OnPlace func(session.Place)           // another place is in sight
	OnHit   func(h Hit)                   // a tap
	OnMenu  func(h Hit, at fyne.Position) // a long press or a right click

	// onSwipe is asked about a finger that begins to move, and came down at a place
	// in the window: what it moves instead of the rows, or nil.
	OnSwipe func(from fyne.Position, e *fyne.DragEvent) fyne.Draggable

	press  *Hit            // what a finger came down on
	lit    Hit             // is drawn as pressed
	lift   float32         // how far the rows are below their places while a sent bubble rises
	risen  func()          // ends that
	date   floatDate       // over the rows while they are scrolled
	Dense  bool            // in little height
	fling  *fyne.DragEvent // the last drag event; a fling repeats one
	dead   *fyne.DragEvent // the fling that a touch has stopped
	byBar  bool            // a mouse drags the scroll bar
	down   *fyne.Position  // the place in the window where the finger came down, until it moves
	swipe  fyne.Draggable  // what the finger moves instead of the rows
	hover  Hit
	shown  []*row // in sight, in order
	pill   pill
	redraw func() // draws the rows in sight; nil before the first time
}

// Hit is what lies under a finger or the mouse: an area of a row, or the pill.
type Hit struct {
	area
	row *row // nil for the pill, and for nothing
}

// Message is the message that was hit; ok is false if it was none.
func (h Hit) Message() (item session.Item, ok bool) {
	if h.row == nil || h.row.item.Kind != session.KindMessage || h.row.item.Deleted {
		return session.Item{}, false
	}
	return h.row.item, true
}

// RowID is the id of the row that was hit.
func (h Hit) RowID() string {
	if h.row == nil {
		return ""
	}
	return h.row.item.ID
}

// Bubble is the place in the list, and the size, of the bubble of the message that
// was hit. ok is false if it is out of sight.
func (h Hit) Bubble() (at fyne.Position, size fyne.Size, ok bool) {
	if h.row == nil || h.row.view == nil {
		return fyne.Position{}, fyne.Size{}, false
	}
	b := h.row.view.bubble()
	return h.row.view.root.Position().Add(b.at), b.size, true
}

// NewList shows a timeline, from its end on.
func NewList(t *Timeline) *List {
	l := &List{timeline: t, stick: true}
	l.ExtendBaseWidget(l)
	return l
}

// NewExcerpt shows messages of the log around one of them, which is marked.
func NewExcerpt(now lang.Clock, items []session.Item, id string) *List {
	t := newTimeline(now)
	t.apply(session.Change{Kind: session.Reset, Items: items})
	t.mark(id)
	l := NewList(t)
	l.held = id
	return l
}

// Redraw draws the rows in sight that show a file again.
func (l *List) Redraw(file string) {
	for _, r := range l.shown {
		if r.item.File != nil && r.item.File.ID == file {
			r.view = nil
		}
	}
	l.draw()
}

// Draggable makes a drag at the left edge of the window scroll the list.
func (l *List) Draggable() fyne.Draggable { return l }

// maxOffset is the offset at which the end is in sight.
func (l *List) maxOffset() float32 { return max(l.timeline.total()-l.Size().Height, 0) }

// top is the y of the timeline's beginning if the timeline is shorter than the list:
// a short conversation stands at the lower edge.
func (l *List) top() float32 { return max(l.Size().Height-l.timeline.total(), 0) }

// Change applies a batch of changes without moving what is being read: at the
// end the list follows, elsewhere the same pixels stay.
func (l *List) Change(batch []session.Change) {
	at := l.timeline.anchorAt(l.Offset)
	total := l.timeline.total()
	news, reset := 0, false
	for _, c := range batch {
		switch c.Kind {
		case session.Reset:
			reset = true
			l.more, l.asked = c.More, false
		case session.Prepend:
			l.more, l.asked = c.More, false
		}
		news += l.timeline.apply(c)
	}
	if reset || l.stick {
		l.toBottom()
		if !reset && sends(batch) {
			l.rise(l.timeline.total() - total)
		}
		if l.find(); !l.stick {
			l.Unseen += news
			l.Settle()
		}
		return
	}
	if offset, ok := l.timeline.offsetOf(at); ok {
		l.Offset = offset
	}
	l.Unseen += news
	l.Settle()
}

// SetFoot keeps a height free under the last row.
func (l *List) SetFoot(h float32) {
	if h == l.timeline.foot {
		return
	}
	l.timeline.foot = h
	if l.stick {
		l.toBottom()
	}
}

// toBottom shows the end and follows it.
func (l *List) toBottom() {
	l.stick, l.held = true, ""
	l.Offset = l.maxOffset()
	l.Settle()
}

// ShowRow brings a row to the upper third, as for the line of what is new.
func (l *List) ShowRow(id string) {
	if i := l.timeline.find(id); i >= 0 {
		l.Offset = l.timeline.tops[i] - l.Size().Height/3
		l.stick = l.Offset >= l.maxOffset()-stickiness
		l.Settle()
	}
}

// Lead brings a row into sight as ShowRow does, and marks it for a while.
func (l *List) Lead(id string) {
	t := l.timeline
	t.mark(id)
	l.sought = session.Place{}
	l.ShowRow(id)
	kit.MotionOf(l).After(kit.DateTime, func() {
		if t.marked == id {
			t.mark("")
			l.draw()
		}
	})
}

// AtEnd reports whether the list follows its end.
func (l *List) AtEnd() bool { return l.stick }

// InSight is the y of the text of each row in sight, by the ids of the rows.
func (l *List) InSight() map[string]float32 {
	at := make(map[string]float32, len(l.shown))
	for _, r := range l.shown {
		at[r.item.ID] = r.view.root.Position().Y + r.lead(l.timeline.frame)
	}
	return at
}

// Follow shows the end and follows it, wherever the list was to go.
func (l *List) Follow() {
	l.sought = session.Place{}
	l.toBottom()
}

// ScrollBy moves the list; a positive distance shows what is earlier.
func (l *List) ScrollBy(dy float32) {
	l.sought, l.held = session.Place{}, ""
	l.Offset -= dy
	l.stick = l.Offset >= l.maxOffset()-stickiness
	l.Settle()
}

// Settle keeps the offset within bounds, asks for more when the beginning is
// near, and draws.
func (l *List) Settle() {
	l.Offset = min(max(l.Offset, 0), l.maxOffset())
	if l.stick && l.Unseen > 0 {
		l.Unseen = 0
	}
	l.tellPlace()
	if l.more && !l.asked && l.OnOlder != nil && l.Size().Height > 0 && l.Offset < l.Size().Height {
		l.asked = true
		l.OnOlder()
	}
	l.draw()
}

func (l *List) draw() {
	if l.redraw != nil {
		l.redraw()
	}
}

// fold folds a row, or unfolds it, and keeps in sight what was tapped.
func (l *List) fold(r *row) {
	at := l.timeline.anchorAt(l.Offset)
	l.timeline.fold(r)
	if offset, ok := l.timeline.offsetOf(at); ok {
		l.Offset = offset
	}
	if i := l.timeline.find(r.item.ID); i >= 0 && !l.timeline.rows[i].unfolded {
		l.Offset = min(l.Offset, l.timeline.tops[i]) // its beginning was out of sight
	}
	l.Offset = min(l.Offset, l.maxOffset())
	l.stick = l.Offset >= l.maxOffset()-stickiness
	l.Settle()
}

// maxSeek is how many messages of history are asked for to find a place.
const maxSeek = 2000

// Seek goes to the place that was read when the app ended, as soon as the list has
// its row and a size.
func (l *List) Seek(p session.Place) { l.sought, l.place = p, p }

// find goes to the place that is sought, or asks for the history that it lies in.
func (l *List) find() {
	rows := l.timeline.rows
	if l.sought.ID == "" || len(rows) == 0 || l.Size().Height <= 0 || l.timeline.frame.width != l.Size().Width {
		return
	}
	if offset, ok := l.timeline.offsetOf(anchor{l.sought.ID, l.sought.Below}); ok {
		l.sought = session.Place{}
		l.Offset = offset
		l.stick = offset >= l.maxOffset()-stickiness
		l.Settle()
		return
	}
	oldest := rows[0].item.Offset
	if !l.more || l.OnOlder == nil || oldest <= l.sought.Offset || oldest > l.sought.Offset+maxSeek {
		l.sought = session.Place{}
		return
	}
	if !l.asked {
		l.asked = true
		l.OnOlder()
	}
}

// tellPlace tells the place that is read now, if it has changed.
func (l *List) tellPlace() {
	if l.OnPlace == nil || l.sought.ID != "" || len(l.timeline.rows) == 0 || l.Size().Height <= 0 {
		return
	}
	var p session.Place
	if !l.stick {
		a := l.timeline.anchorAt(l.Offset)
		p = session.Place{ID: a.id, Below: a.delta}
		if i := l.timeline.find(a.id); i >= 0 {
			p.Offset = l.timeline.rows[i].item.Offset
		}
	}
	if p != l.place {
		l.place = p
		l.OnPlace(p)
	}
}

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

// floating is the day that stands over the rows while they are scrolled; "" when
// it does not, as when the day's own line is in sight at the top.
func (l *List) floating() string {
	if !l.date.shown || len(l.shown) == 0 {
		return ""
	}
	r := l.shown[0]
	if r.day && r.view.root.Position().Y >= -kit.Unit || r.item.Time.IsZero() {
		return ""
	}
	return l.timeline.clock.Day(r.item.Time)
}

// rise makes the list's end come up from below by a height.
func (l *List) rise(height float32) {
	m := kit.MotionOf(l)
	if l.risen != nil {
		l.risen()
	}
	if m == nil || height <= 0 {
		return
	}
	height = min(height, l.Size().Height)
	l.risen = m.Run(kit.RiseTime, func(done float32) {
		l.lift = height * (1 - done)
		l.draw()
	}, func() { l.risen = nil })
}
