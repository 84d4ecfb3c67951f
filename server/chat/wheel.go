package chat

import (
	"sync"
	"time"
)

// wheel calls beat for every session once a period, spread over the period. One
// ticker serves all of them.
type wheel struct {
	tick time.Duration
	beat func(*session)
	done chan struct{}

	mu    sync.Mutex
	slots [slots]map[*session]struct{}
	now   int
}

const slots = 25

func newWheel(period time.Duration, beat func(*session)) *wheel {
	w := &wheel{tick: period / slots, beat: beat, done: make(chan struct{})}
	for i := range w.slots {
		w.slots[i] = make(map[*session]struct{})
	}
	return w
}

// add has s beaten from the next turn on.
func (w *wheel) add(s *session) {
	w.mu.Lock()
	defer w.mu.Unlock()
	s.slot = w.now
	w.slots[s.slot][s] = struct{}{}
}

func (w *wheel) remove(s *session) {
	w.mu.Lock()
	defer w.mu.Unlock()
	delete(w.slots[s.slot], s)
}

func (w *wheel) stop() { close(w.done) }

func (w *wheel) run() {
	ticker := time.NewTicker(w.tick)
	defer ticker.Stop()
	var due []*session
	for {
		select {
		case <-w.done:
			return
		case <-ticker.C:
		}
		w.mu.Lock()
		w.now = (w.now + 1) % slots
		due = due[:0]
		for s := range w.slots[w.now] {
			due = append(due, s)
		}
		w.mu.Unlock()
		for _, s := range due {
			w.beat(s)
		}
		clear(due)
	}
}
