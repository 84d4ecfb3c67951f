package ui

import (
	"fyne.io/fyne/v2"
	"fyne.io/fyne/v2/container"
	"fyne.io/fyne/v2/widget"
)

// scroller scrolls a column, whose height it takes from the width it is given.
// It keeps the entry in it that has the focus in sight, also when a keyboard
// comes or the phone turns.
type scroller struct {
	widget.BaseWidget
	scroll *container.Scroll
	body   *column
	laid   fyne.Size // for which the body was placed last
}

func newScroller(body *column) *scroller {
	s := &scroller{body: body}
	s.scroll = container.NewVScroll(body)
	s.ExtendBaseWidget(s)
	return s
}

func (s *scroller) CreateRenderer() fyne.WidgetRenderer {
	return &boxRenderer{
		box:     s,
		objects: func() []fyne.CanvasObject { return []fyne.CanvasObject{s.scroll} },
		layout: func(size fyne.Size) {
			s.body.Resize(fyne.NewSize(size.Width, max(s.body.fit(size.Width), size.Height)))
			s.scroll.Resize(size)
			if d, ok := any(s.scroll).(fyne.Draggable); ok { // on a phone
				adopt(s.body, d)
			}
			s.scroll.Refresh()
			s.follow(size)
		},
		height: func() float32 { return 1 },
	}
}

// follow knows the entries in the body, and brings the one with the focus into
// sight if the size has changed.
func (s *scroller) follow(size fyne.Size) {
	var focused *entry
	find(s.body, func(o fyne.CanvasObject) bool {
		if e, ok := o.(*entry); ok {
			e.scroller = s
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
func (s *scroller) show(e *entry) {
	at, ok := place(s.body, e.frame)
	box, inBox := place(s.body, e.box)
	if !ok || !inBox {
		return
	}
	const gap = 2 * unit
	height, offset := s.scroll.Size().Height, s.scroll.Offset.Y
	bottom := box.Y + e.box.Size().Height + gap
	if at.Y >= offset && bottom <= offset+height {
		return
	}
	to := max(at.Y-gap, bottom-height) // the entry itself before its label
	s.scroll.ScrollToOffset(fyne.NewPos(0, min(max(to, 0), max(s.body.Size().Height-height, 0))))
	repaint(s)
}
