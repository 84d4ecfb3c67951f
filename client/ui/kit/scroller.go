package kit

import (
	"fyne.io/fyne/v2"
	"fyne.io/fyne/v2/container"
	"fyne.io/fyne/v2/widget"
)

// Scroller scrolls a column, whose height it takes from the width it is given.
// It keeps the entry in it that has the focus in sight, also when a keyboard
// comes or the phone turns.
type Scroller struct {
	widget.BaseWidget
	scroll *container.Scroll
	body   *Column
	laid   fyne.Size // for which the body was placed last
}

// NewScroller scrolls a column.
func NewScroller(body *Column) *Scroller {
	s := &Scroller{body: body}
	s.scroll = container.NewVScroll(body)
	s.ExtendBaseWidget(s)
	return s
}

// ToTop shows the body's beginning.
func (s *Scroller) ToTop() { s.scroll.ScrollToTop() }

// Fit is the height that shows the whole body.
func (s *Scroller) Fit(width float32) float32 { return s.body.Fit(width) }

// Draggable is what scrolls the body under a finger: Fyne's scroll is a Draggable
// on phones alone.
func (s *Scroller) Draggable() fyne.Draggable {
	d, _ := any(s.scroll).(fyne.Draggable)
	return d
}

func (s *Scroller) Children() []fyne.CanvasObject { return []fyne.CanvasObject{s.body} }

func (s *Scroller) CreateRenderer() fyne.WidgetRenderer {
	return Placing(s, s.scroll, func(size fyne.Size) {
		s.body.Resize(fyne.NewSize(size.Width, max(s.body.Fit(size.Width), size.Height)))
		s.scroll.Resize(size)
		if d := s.Draggable(); d != nil {
			adopt(s.body, d)
		}
		s.scroll.Refresh()
		s.follow(size)
	})
}

// follow knows the entries in the body, and brings the one with the focus into
// sight if the size has changed.
func (s *Scroller) follow(size fyne.Size) {
	var focused *Entry
	find(s.body, func(o fyne.CanvasObject) bool {
		if e, ok := o.(*Entry); ok {
			e.inSight = func() { s.show(e) }
			if e.focused {
				focused = e
			}
		}
		return false
	})
	if focused != nil && size != s.laid {
		s.show(focused)
	}
	s.laid = size
}

// show scrolls an entry into sight: with its label and as much as possible of
// what follows it, which says what is wrong, or leads on.
func (s *Scroller) show(e *Entry) {
	at, ok := place(s.body, e.frame)
	box, inBox := place(s.body, e.box)
	if !ok || !inBox {
		return
	}
	const gap = 2 * Unit
	height, offset := s.scroll.Size().Height, s.scroll.Offset.Y
	bottom := box.Y + e.box.Size().Height + gap
	if at.Y >= offset && bottom <= offset+height {
		return
	}
	to := max(at.Y-gap, bottom-height) // the entry itself before its label
	s.scroll.ScrollToOffset(fyne.NewPos(0, min(max(to, 0), max(s.body.Size().Height-height, 0))))
	Repaint(s)
}
