package kit

import (
	"context"
	"sync"
	"time"

	"fyne.io/fyne/v2"
)

// window is how long the bridge collects what rooms have to show: two frames of
// a screen, so that a thousand messages a second repaint thirty times.
const window = 33 * time.Millisecond

// Bridge is the one way from other goroutines to the UI goroutine, which owns
// every widget and all state of this package.
type Bridge struct {
	Post  func(func()) // runs a function on the UI goroutine, in order, without waiting
	after func(time.Duration, func())

	Context context.Context // ends with the app
	cancel  context.CancelFunc
	work    sync.WaitGroup

	mu      sync.Mutex
	waiting []func() // called in the next batch
	due     bool     // a batch is on its way
}

// NewBridge makes a bridge over post, or over fyne.Do if post is nil. A test passes
// its own queue: Fyne's test driver would run the function on the caller's
// goroutine.
func NewBridge(post func(func())) *Bridge {
	if post == nil {
		post = fyne.Do
	}
	b := &Bridge{Post: post, after: func(d time.Duration, f func()) { time.AfterFunc(d, f) }}
	b.Context, b.cancel = context.WithCancel(context.Background())
	return b
}

// Wake calls drain on the UI goroutine, together with all others of the same
// window. Any goroutine may call it; it does not block.
func (b *Bridge) Wake(drain func()) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.waiting = append(b.waiting, drain)
	if b.due || b.Context.Err() != nil {
		return
	}
	b.due = true
	b.after(window, func() { b.Post(b.flush) })
}

func (b *Bridge) flush() {
	b.mu.Lock()
	batch := b.waiting
	b.waiting, b.due = nil, false
	b.mu.Unlock()
	if b.Context.Err() != nil {
		return
	}
	for _, drain := range batch {
		drain()
	}
}

// Later calls f on the UI goroutine after a while, unless the app has ended.
func (b *Bridge) Later(d time.Duration, f func()) {
	b.after(d, func() {
		b.Post(func() {
			if b.Context.Err() == nil {
				f()
			}
		})
	})
}

// Run calls work on another goroutine, and what it returns on the UI goroutine,
// unless ctx or the app has ended meanwhile.
func (b *Bridge) Run(ctx context.Context, work func(context.Context) (then func())) {
	ctx, cancel := context.WithCancel(ctx)
	stop := context.AfterFunc(b.Context, cancel)
	b.work.Go(func() {
		defer cancel()
		defer stop()
		then := work(ctx)
		if then == nil || ctx.Err() != nil {
			return
		}
		b.Post(func() {
			if b.Context.Err() == nil {
				then()
			}
		})
	})
}

// Every calls f on the UI goroutine at intervals until ctx or the app ends.
func (b *Bridge) Every(ctx context.Context, d time.Duration, f func()) {
	b.work.Go(func() {
		t := time.NewTicker(d)
		defer t.Stop()
		for {
			select {
			case <-ctx.Done():
				return
			case <-b.Context.Done():
				return
			case <-t.C:
				b.Post(func() {
					if ctx.Err() == nil && b.Context.Err() == nil {
						f()
					}
				})
			}
		}
	})
}

// Background calls work on another goroutine, for which Close waits.
func (b *Bridge) Background(work func()) { b.work.Go(work) }

// Close ends all work and waits for it.
func (b *Bridge) Close() {
	b.cancel()
	b.work.Wait()
}
