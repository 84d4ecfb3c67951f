package ui

import (
	"fyne.io/fyne/v2"
	"fyne.io/fyne/v2/canvas"
	"fyne.io/fyne/v2/driver/desktop"
	"fyne.io/fyne/v2/driver/mobile"
	"fyne.io/fyne/v2/widget"

	"parley/client/session"
)

// stickiness is how near to its end the list has to be to follow new messages.
const stickiness = 24

// messageList shows a timeline. It is one widget that draws only the rows in
// sight and finds by itself what was tapped: rows that were widgets would stop
// a finger's drag, and cost more than a hundred times as much for each message.
//
// Fyne clips whatever is Scrollable to its size.
type messageList struct {
	widget.BaseWidget
	timeline *timeline
	offset   float32       // of the upper edge, from the timeline's beginning
	stick    bool          // follow the end
	unseen   int           // messages of others below the lower edge, since it left the end
	more     bool          // there is older history
	asked    bool          // onOlder was called, and no answer came yet
	sought   session.Place // where to go when its row is there
	place    session.Place // what onPlace was told last

	onOlder  func()                        // the beginning is near
	onPlace  func(session.Place)           // another place is in sight
	onBottom func()                        // the end came into sight
	onHit    func(h hit)                   // a tap
	onMenu   func(h hit, at fyne.Position) // a long press or a right click

	press  *hit            // what a finger came down on
	lit    hit             // is drawn as pressed
	lift   float32         // how far the rows are below their places while a sent bubble rises
	risen  func()          // ends that
	date   floatDate       // over the rows while they are scrolled
	dense  bool            // in little height
	fling  *fyne.DragEvent // the last drag event; a fling repeats one
	dead   *fyne.DragEvent // the fling that a touch has stopped
	byBar  bool            // a mouse drags the scroll bar
	atEdge bool            // the finger came down at the left edge
	edge   *edge           // what the finger moves instead of the rows
	hover  hit
	shown  []*row // in sight, in order
	render *listRenderer
}

func newMessageList(t *timeline) *messageList {
	l := &messageList{timeline: t, stick: true}
	l.ExtendBaseWidget(l)
	return l
}

// maxOffset is the offset at which the end is in sight.
func (l *messageList) maxOffset() float32 { return max(l.timeline.total()-l.Size().Height, 0) }

// top is where the timeline's beginning lies when it is shorter than the list:
// a short conversation stands at the lower edge.
func (l *messageList) top() float32 { return max(l.Size().Height-l.timeline.total(), 0) }

// change applies a batch of changes without moving what is being read: at the
// end the list follows, elsewhere the same pixels stay.
func (l *messageList) change(batch []session.Change) {
	at := l.timeline.anchorAt(l.offset)
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
			l.unseen += news
			l.settle()
		}
		return
	}
	if offset, ok := l.timeline.offsetOf(at); ok {
		l.offset = offset
	}
	l.unseen += news
	l.settle()
}

// setFoot keeps a height free under the last row.
func (l *messageList) setFoot(h float32) {
	if h == l.timeline.foot {
		return
	}
	l.timeline.foot = h
	if l.stick {
		l.toBottom()
	}
}

// toBottom shows the end and follows it.
func (l *messageList) toBottom() {
	l.stick = true
	l.offset = l.maxOffset()
	l.settle()
}

// showRow brings a row to the upper third, as for the line of what is new.
func (l *messageList) showRow(id string) {
	if i := l.timeline.find(id); i >= 0 {
		l.offset = l.timeline.tops[i] - l.Size().Height/3
		l.stick = l.offset >= l.maxOffset()-stickiness
		l.settle()
	}
}

// scrollBy moves the list; a positive distance shows what is earlier.
func (l *messageList) scrollBy(dy float32) {
	l.sought = session.Place{}
	l.offset -= dy
	l.stick = l.offset >= l.maxOffset()-stickiness
	l.settle()
}

// settle keeps the offset within bounds, asks for more when the beginning is
// near, and draws.
func (l *messageList) settle() {
	l.offset = min(max(l.offset, 0), l.maxOffset())
	if l.stick && l.unseen > 0 {
		l.unseen = 0
	}
	l.tellPlace()
	if l.stick && l.onBottom != nil {
		l.onBottom()
	}
	if l.more && !l.asked && l.onOlder != nil && l.Size().Height > 0 && l.offset < l.Size().Height {
		l.asked = true
		l.onOlder()
	}
	if l.render != nil {
		l.render.draw()
	}
}

// hitAt finds what lies at a position of the list.
func (l *messageList) hitAt(p fyne.Position) hit {
	if l.render != nil && l.render.pill.contains(p) {
		return hit{kind: hitPill}
	}
	y := p.Y + l.offset - l.lift - l.top()
	if len(l.timeline.rows) == 0 || y < 0 || y >= l.timeline.tops[len(l.timeline.rows)] {
		return hit{}
	}
	i := l.timeline.at(y)
	if v := l.timeline.rows[i].view; v != nil {
		return v.hit(fyne.NewPos(p.X, y-l.timeline.tops[i]))
	}
	return hit{}
}

func (l *messageList) tapped(p fyne.Position) hit {
	if l.press != nil {
		h := *l.press
		l.press = nil
		return h
	}
	return l.hitAt(p)
}

func (l *messageList) Tapped(e *fyne.PointEvent) {
	defer l.light(hit{})
	switch h := l.tapped(e.Position); {
	case h.kind == hitPill:
		l.toBottom()
	case h.kind == hitFold:
		l.fold(h.row)
	case h.kind != hitNothing && l.onHit != nil:
		l.onHit(h)
	}
}

func (l *messageList) TappedSecondary(e *fyne.PointEvent) {
	defer l.light(hit{})
	if h := l.tapped(e.Position); h.kind != hitNothing && h.kind != hitPill && l.onMenu != nil {
		l.onMenu(h, fyne.CurrentApp().Driver().AbsolutePositionForObject(l).Add(e.Position))
	}
}

// TouchDown stops a fling, and remembers what the finger is on: the keyboard
// leaves as it touches, and the rows move before it is lifted.
func (l *messageList) TouchDown(e *mobile.TouchEvent) {
	l.dead = l.fling
	h := l.hitAt(e.Position)
	l.press = &h
	l.atEdge = e.AbsolutePosition.X < edgeWidth
	l.light(h)
}

func (l *messageList) TouchUp(*mobile.TouchEvent) {}

func (l *messageList) TouchCancel(*mobile.TouchEvent) {
	l.press = nil
	l.light(hit{})
}

// MouseDown shows what a click is on; a tap follows, or DragEnd.
func (l *messageList) MouseDown(e *desktop.MouseEvent) { l.light(l.hitAt(e.Position)) }
func (l *messageList) MouseUp(*desktop.MouseEvent)     { l.light(hit{}) }

// Dragged scrolls under a finger; a mouse drags only the scroll bar. After the
// finger has left, Fyne goes on calling with one and the same event.
func (l *messageList) Dragged(e *fyne.DragEvent) {
	if !isPhone() {
		l.dragBar(e)
		return
	}
	if e == l.dead {
		return
	}
	if l.swiped(e) {
		return
	}
	l.fling = e
	l.press = nil
	l.lit = hit{}
	l.scrolled(e.Dragged.DY)
}

func (l *messageList) DragEnd() {
	l.byBar = false
	if l.edge != nil {
		l.edge.DragEnd()
		l.edge = nil
	}
}

func (l *messageList) dragBar(e *fyne.DragEvent) {
	if !l.byBar && e.Position.X-e.Dragged.DX < l.Size().Width-4*unit {
		return
	}
	l.byBar = true
	if h := l.Size().Height; h > 0 {
		l.scrolled(-e.Dragged.DY * l.timeline.total() / h)
	}
}

func (l *messageList) Scrolled(e *fyne.ScrollEvent) { l.scrolled(e.Scrolled.DY) }

func (l *messageList) MouseIn(e *desktop.MouseEvent)    { l.hover = l.hitAt(e.Position) }
func (l *messageList) MouseMoved(e *desktop.MouseEvent) { l.hover = l.hitAt(e.Position) }
func (l *messageList) MouseOut()                        { l.hover = hit{} }

func (l *messageList) Cursor() desktop.Cursor {
	switch l.hover.kind {
	case hitLink, hitFailed, hitGap, hitFold, hitPill:
		return desktop.PointerCursor
	}
	return desktop.DefaultCursor
}

func (l *messageList) CreateRenderer() fyne.WidgetRenderer {
	l.render = &listRenderer{list: l, bar: &canvas.Rectangle{CornerRadius: 2}, lit: &canvas.Rectangle{}}
	return laidOut(l, l.render)
}

type listRenderer struct {
	list    *messageList
	bar     *canvas.Rectangle
	lit     *canvas.Rectangle // over what is pressed
	pill    pill
	objects []fyne.CanvasObject
	height  float32 // of the last layout
}

func (r *listRenderer) Layout(size fyne.Size) {
	l := r.list
	f := frame{size.Width, textScale(), l.dense}
	at := l.timeline.anchorAt(l.offset)
	if l.timeline.setFrame(f) {
		if offset, ok := l.timeline.offsetOf(at); ok {
			l.offset = offset
		}
	} else if r.height > 0 {
		l.offset += r.height - size.Height // the lower edge stays when a keyboard comes
	}
	r.height = size.Height
	if l.stick {
		l.offset = l.maxOffset()
	}
	l.settle()
	l.find()
}

// draw puts the rows in sight into place and makes those that are new there.
func (r *listRenderer) draw() {
	l := r.list
	t, size := l.timeline, l.Size()
	if size.Height <= 0 || t.frame.width != size.Width {
		return
	}
	last := l.shown
	l.shown = nil
	r.objects = r.objects[:0]
	top, offset := l.top(), l.offset-l.lift
	if len(t.rows) > 0 {
		for i := t.at(offset); i < len(t.rows) && t.tops[i] < offset+size.Height; i++ {
			row := t.rows[i]
			if row.view == nil {
				row.view = row.draw(t.frame)
			}
			row.view.root.Move(fyne.NewPos(0, t.tops[i]-offset+top))
			l.shown = append(l.shown, row)
			r.objects = append(r.objects, row.view.root)
		}
	}
	r.forget(last)
	r.drawBar()
	r.objects = append(r.objects, l.date.objects(l)...)
	r.objects = append(r.objects, r.pill.objects(l)...)
	r.objects = append(r.objects, r.lightOn()...)
	repaint(l)
}

// forget drops the views of rows that went out of sight.
func (r *listRenderer) forget(last []*row) {
	kept := make(map[*row]bool, len(r.list.shown))
	for _, row := range r.list.shown {
		kept[row] = true
	}
	for _, row := range last {
		if !kept[row] {
			row.view = nil
		}
	}
}

func (r *listRenderer) drawBar() {
	l := r.list
	size, total := l.Size(), l.timeline.total()
	if total <= size.Height {
		return
	}
	c := colors().Muted
	c.A = 0x70
	r.bar.FillColor = c
	h := max(size.Height*size.Height/total, 32)
	y := (size.Height - h) * l.offset / l.maxOffset()
	put(r.bar, size.Width-5, y, 3, h)
	r.objects = append(r.objects, r.bar)
}

func (r *listRenderer) MinSize() fyne.Size { return fyne.NewSize(1, 1) }

// Refresh draws all rows anew: the theme, the language or the text's size may
// have changed.
func (r *listRenderer) Refresh() {
	for _, row := range r.list.shown {
		row.view = nil
	}
	r.pill.drawn = nil
	l := r.list
	l.date.drawn = nil
	if size := r.list.Size(); size.Width > 0 {
		r.Layout(size)
	}
}

func (r *listRenderer) Objects() []fyne.CanvasObject { return r.objects }
func (r *listRenderer) Destroy()                     {}
