package uitest

import (
	"slices"
	"time"

	"fyne.io/fyne/v2"
)

// Reel is the frames of a window, which a test winds by hand: Fyne's test driver
// knows only the last frame of each animation.
type Reel struct {
	Live []*fyne.Animation
	Due  []func() // what is to happen later
}

// Start runs an animation.
func (r *Reel) Start(a *fyne.Animation) { r.Live = append(r.Live, a) }

// Stop ends an animation where it is.
func (r *Reel) Stop(a *fyne.Animation) {
	r.Live = slices.DeleteFunc(r.Live, func(o *fyne.Animation) bool { return o == a })
}

// Later calls f at the next Wait.
func (r *Reel) Later(_ time.Duration, f func()) { r.Due = append(r.Due, f) }

// Frame draws what is to be seen when a part of each animation is done.
func (r *Reel) Frame(done float32) {
	for _, a := range slices.Clone(r.Live) {
		a.Tick(done)
	}
	if done == 1 {
		r.Live = nil
	}
}

// Wait calls everything that was to happen later.
func (r *Reel) Wait() {
	due := r.Due
	r.Due = nil
	for _, f := range due {
		f()
	}
}
