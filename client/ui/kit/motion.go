package kit

import (
	"time"

	"fyne.io/fyne/v2"
)

// How long what moves takes. Nothing moves without a touch or a message: an app
// that nobody uses draws no frame.
const (
	SlideTime = 200 * time.Millisecond // a page comes or goes
	growTime  = 140 * time.Millisecond // a menu grows from its bubble
	RiseTime  = 180 * time.Millisecond // a sent bubble rises
	toastTime = 2 * time.Second        // a short sentence stays
	DateTime  = 1200 * time.Millisecond
)

// Motion runs the window's animations and counts them. A nil Motion, which an object
// in no window has, jumps to every end.
type Motion struct {
	reduced func() bool // everything jumps to its end
	Start   func(*fyne.Animation)
	Stop    func(*fyne.Animation)
	Later   func(time.Duration, func()) // runs a function on the UI goroutine after a while
	Running int
}

// NewMotion makes a motion over Fyne's animations. later runs a function on the
// UI goroutine after a while.
func NewMotion(later func(time.Duration, func()), reduced func() bool) *Motion {
	return &Motion{
		reduced: reduced,
		Start:   (*fyne.Animation).Start,
		Stop:    (*fyne.Animation).Stop,
		Later:   later,
	}
}

// Run calls tick for every frame with the part that is done, up to 1, and then
// ended. cancel stops the animation where it is; ended is not called.
func (m *Motion) Run(d time.Duration, tick func(done float32), ended func()) (cancel func()) {
	if m == nil || m.reduced() {
		tick(1)
		ended()
		return func() {}
	}
	live := true
	a := fyne.NewAnimation(d, func(done float32) {
		if !live {
			return
		}
		tick(done)
		if live && done >= 1 {
			live = false
			m.Running--
			ended()
		}
	})
	a.Curve = fyne.AnimationEaseOut
	m.Running++
	m.Start(a)
	return func() {
		if live {
			live = false
			m.Running--
			m.Stop(a)
		}
	}
}

// After calls f on the UI goroutine after a while; at once in no window.
func (m *Motion) After(d time.Duration, f func()) {
	if m == nil {
		f()
		return
	}
	m.Later(d, f)
}
