package ui

import (
	"time"

	"fyne.io/fyne/v2"
)

// How long what moves takes. Nothing moves without a touch or a message: an app
// that nobody uses draws no frame.
const (
	slideTime = 200 * time.Millisecond // a page comes or goes
	growTime  = 140 * time.Millisecond // a menu grows from its bubble
	riseTime  = 180 * time.Millisecond // a sent bubble rises
	toastTime = 2 * time.Second        // a short sentence stays
	dateTime  = 1200 * time.Millisecond
)

// motion runs the window's animations and counts them. A nil one, as of an
// object in no window, jumps to every end.
type motion struct {
	reduced func() bool // everything jumps to its end
	start   func(*fyne.Animation)
	stop    func(*fyne.Animation)
	later   func(time.Duration, func()) // runs a function on the UI goroutine after a while
	running int
}

// newMotion makes a motion over Fyne's animations.
func newMotion(b *bridge, reduced func() bool) *motion {
	return &motion{
		reduced: reduced,
		start:   (*fyne.Animation).Start,
		stop:    (*fyne.Animation).Stop,
		later: func(d time.Duration, f func()) {
			b.after(d, func() {
				b.post(func() {
					if b.ctx.Err() == nil {
						f()
					}
				})
			})
		},
	}
}

// motionOf is the motion of the window that an object is in.
func motionOf(o fyne.CanvasObject) *motion {
	if c := canvasOf(o); c != nil {
		return motionIn(c)
	}
	return nil
}

// canvasOf is what an object is drawn on: the app's window for one that has not
// been drawn yet, of which Fyne does not know.
func canvasOf(o fyne.CanvasObject) fyne.Canvas {
	driver := fyne.CurrentApp().Driver()
	if c := driver.CanvasForObject(o); c != nil {
		return c
	}
	for _, w := range driver.AllWindows() {
		if _, ok := w.Canvas().Content().(*navigator); ok {
			return w.Canvas()
		}
	}
	return nil
}

func motionIn(c fyne.Canvas) *motion {
	if n, ok := c.Content().(*navigator); ok {
		return n.motion
	}
	return nil
}

// run calls tick for every frame with how much is done, up to 1, and then ended.
// cancel ends it where it is, and ended is not called.
func (m *motion) run(d time.Duration, tick func(done float32), ended func()) (cancel func()) {
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
			m.running--
			ended()
		}
	})
	a.Curve = fyne.AnimationEaseOut
	m.running++
	m.start(a)
	return func() {
		if live {
			live = false
			m.running--
			m.stop(a)
		}
	}
}

// nextFrame has the windows drawn, of what they know already: unlike a refresh it
// keeps every texture, which a moving page would have made anew for each frame.
func nextFrame() {
	for _, w := range fyne.CurrentApp().Driver().AllWindows() {
		if c, ok := w.Canvas().(interface{ SetDirty() }); ok {
			c.SetDirty()
		}
	}
}

// after calls f on the UI goroutine after a while; at once in no window.
func (m *motion) after(d time.Duration, f func()) {
	if m == nil {
		f()
		return
	}
	m.later(d, f)
}
