package uitest

import "sync"

// Queue is the UI goroutine's queue, which a test drains itself.
type Queue struct {
	mu    sync.Mutex
	funcs []func()
	Added chan struct{} // has a value if something has been added
}

// NewQueue makes an empty queue.
func NewQueue() *Queue { return &Queue{Added: make(chan struct{}, 1)} }

// Post adds a function.
func (q *Queue) Post(f func()) {
	q.mu.Lock()
	q.funcs = append(q.funcs, f)
	q.mu.Unlock()
	select {
	case q.Added <- struct{}{}:
	default:
	}
}

// Len is how many functions wait.
func (q *Queue) Len() int {
	q.mu.Lock()
	defer q.mu.Unlock()
	return len(q.funcs)
}

// Drain calls what waits.
func (q *Queue) Drain() {
	q.mu.Lock()
	funcs := q.funcs
	q.funcs = nil
	q.mu.Unlock()
	for _, f := range funcs {
		f()
	}
}
