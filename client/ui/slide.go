package ui

import (
	"fyne.io/fyne/v2"

	"parley/client/ui/kit"
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
	stop     *kit.Blocker // keeps taps from the page that goes
}

// objects are both pages from the lower to the upper.
func (s *slide) objects() []fyne.CanvasObject {
	if s.back {
		return []fyne.CanvasObject{s.to, s.from, s.stop}
	}
	return []fyne.CanvasObject{s.from, s.stop, s.to}
}

// place puts both pages into their present places.
func (s *slide) place(x, y, w, h float32) {
	upper, lower, out := s.to, s.from, 1-s.done // out is how far the upper page is away
	if s.back {
		upper, lower, out = s.from, s.to, s.done
	}
	kit.Put(lower, x-float32(int(parallax*w*(1-out))), y, w, h)
	kit.Put(upper, x+float32(int(w*out)), y, w, h)
	kit.Put(s.stop, s.from.Position().X, y, w, h)
}
