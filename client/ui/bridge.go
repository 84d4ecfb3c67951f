package ui

import (
	"context"
	"sync"
	"time"

	"fyne.io/fyne/v2"
)

// window is how long the bridge collects what rooms have to show: two frames of
// a screen, so that a thousand messages a second repaint thirty times.
const window = 33 * time.Millisecond

// bridge is the one way from other goroutines to the UI goroutine, which owns
// every widget and all state of this package.
type bridge struct {
	post  func(func()) // runs a function on the UI goroutine, in order, without waiting
	after func(time.Duration, func())

	ctx    context.Context // ends with the app
	cancel context.CancelFunc
	work   sync.WaitGroup

	mu      sync.Mutex
	waiting []func() // to be called in the next batch
	due     bool     // a batch is on its way
}

// newBridge makes a bridge over fyne.Do; a test gives a queue of its own, since
// Fyne's test driver would run the function on the caller's goroutine.
func newBridge(post func(func())) *bridge {
	if post == nil {
		post = fyne.Do
	}
	b := &bridge{post: post, after: func(d time.Duration, f func()) { time.AfterFunc(d, f) }}
	b.ctx, b.cancel = context.WithCancel(context.Background())
	return b
}

// wake has drain called on the UI goroutine with all others of the same window.
// Any goroutine may call it; it does not block.
func (b *bridge) wake(drain func()) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.waiting = append(b.waiting, drain)
	if b.due || b.ctx.Err() != nil {
		return
	}
	b.due = true
	b.after(window, func() { b.post(b.flush) })
}

func (b *bridge) flush() {
	b.mu.Lock()
	batch := b.waiting
	b.waiting, b.due = nil, false
	b.mu.Unlock()
	if b.ctx.Err() != nil {
		return
	}
	for _, drain := range batch {
		drain()
	}
}

// run does work on a goroutine of its own and what it returns on the UI
// goroutine, unless ctx or the app has ended meanwhile.
func (b *bridge) run(ctx context.Context, work func(context.Context) (then func())) {
	ctx, cancel := context.WithCancel(ctx)
	stop := context.AfterFunc(b.ctx, cancel)
	b.work.Go(func() {
		defer cancel()
		defer stop()
		then := work(ctx)
		if then == nil || ctx.Err() != nil {
			return
		}
		b.post(func() {
			if b.ctx.Err() == nil {
				then()
			}
		})
	})
}

// every calls f on the UI goroutine at intervals until ctx or the app ends.
func (b *bridge) every(ctx context.Context, d time.Duration, f func()) {
	b.work.Go(func() {
		t := time.NewTicker(d)
		defer t.Stop()
		for {
			select {
			case <-ctx.Done():
				return
			case <-b.ctx.Done():
				return
			case <-t.C:
				b.post(func() {
					if ctx.Err() == nil && b.ctx.Err() == nil {
						f()
					}
				})
			}
		}
	})
}

// close ends all work and waits for it.
func (b *bridge) close() {
	b.cancel()
	b.work.Wait()
}
