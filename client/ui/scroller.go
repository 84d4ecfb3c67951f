package ui

import (
	"fyne.io/fyne/v2"
	"fyne.io/fyne/v2/container"
	"fyne.io/fyne/v2/widget"
)

// scroller scrolls a column, whose height it takes from the width it is given.
type scroller struct {
	widget.BaseWidget
	scroll *container.Scroll
	body   *column
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
		},
		height: func() float32 { return 1 },
	}
}
