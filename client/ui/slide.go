package ui

import (
	"fyne.io/fyne/v2"
)

// parallax is how much of its width the lower of two pages moves.
const parallax = 0.3

// slide is a page that takes another's place: a new one comes from the right, on
// the way back it goes there again.
type slide struct {
	from, to fyne.CanvasObject
	back     bool
	done     float32 // 0 to 1
	springs  bool    // a push that was let go too early goes back
	cancel   func()
	stop     *blocker // keeps taps from the page that goes
}

// objects are both pages from the lower to the upper.
func (s *slide) objects() []fyne.CanvasObject {
	if s.back {
		return []fyne.CanvasObject{s.to, s.from, s.stop}
	}
	return []fyne.CanvasObject{s.from, s.stop, s.to}
}

// place puts both pages where they are now.
func (s *slide) place(x, y, w, h float32) {
	upper, lower, out := s.to, s.from, 1-s.done // out is how far the upper page is away
	if s.back {
		upper, lower, out = s.from, s.to, s.done
	}
	put(lower, x-float32(int(parallax*w*(1-out))), y, w, h)
	put(upper, x+float32(int(w*out)), y, w, h)
	put(s.stop, s.from.Position().X, y, w, h)
}

// slideTo has a page take the place of the one that was shown.
func (n *navigator) slideTo(from, to fyne.CanvasObject, back bool) {
	s := &slide{from: from, to: to, back: back, stop: newBlocker(), cancel: func() {}}
	n.endSlide()
	n.slide = s
	n.glide(s, 0, 1, n.endSlide)
}

// glide moves a slide from one state to another.
func (n *navigator) glide(s *slide, from, to float32, ended func()) {
	s.done = from
	s.cancel = n.motion.run(slideTime, func(done float32) {
		s.done = from + (to-from)*done
		n.moved()
	}, ended)
}

// moved draws the pages at the places of now, without drawing them anew.
func (n *navigator) moved() {
	if n.slide != nil && n.render != nil {
		n.render.Layout(n.Size())
		nextFrame()
	}
}

// endSlide shows the pages that are there to stay.
func (n *navigator) endSlide() {
	if n.slide == nil {
		return
	}
	n.slide.cancel()
	n.slide = nil
	if n.render != nil {
		n.render.Layout(n.Size())
		nextFrame()
	}
}
