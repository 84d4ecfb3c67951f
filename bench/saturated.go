package main

import (
	"sync"
	"time"
)

// window keeps a number of a member's messages under way: each that comes back
// lets another go, and those that come back together go out together.
type window struct {
	peer peer
	base int // its messages have the numbers from base+1 on

	mu   sync.Mutex
	back int // since the last refill
	sent int // in all
	over bool
	err  error
}

func (w *window) got(_ *member, seq int, _ int64) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if seq > w.base && seq <= w.base+w.sent {
		w.back++
	}
}

// refill sends a message for each that came back.
func (w *window) refill(m *member) {
	w.mu.Lock()
	n := w.back
	w.back = 0
	w.mu.Unlock()
	w.send(m, n)
}

func (w *window) send(m *member, n int) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if n == 0 || w.over || w.err != nil {
		return
	}
	var frames []byte
	for range n {
		w.sent++
		frames = appendFrame(frames, 1, w.peer.message(m.room, w.base+w.sent, text(w.base+w.sent, now())))
	}
	w.err = m.write(frames)
}

// end returns how many messages were sent; no more will be.
func (w *window) end() (sent int, err error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.over = true
	return w.sent, w.err
}

// saturated has the first member of each room keep messages under way, measures
// for some time, and waits until everyone has everything.
func saturated(p peer, rooms, size int, duration time.Duration) (measure, error) {
	const underWay = 64
	s, err := start(p)
	if err != nil {
		return measure{}, err
	}
	defer s.stop()
	windows := make([]*window, rooms)
	c, err := gather(p, s, rooms, size, func(m *member) {
		if m.id%size > 0 {
			return
		}
		w := &window{peer: p}
		windows[m.id/size] = w
		m.sends, m.got, m.rest = true, w.got, w.refill
	})
	if err != nil {
		return measure{}, err
	}
	defer c.disperse()
	settle()
	pause.Store(int64(500 * time.Microsecond)) // throughput is measured, not latency
	defer pause.Store(0)
	for room, w := range windows {
		w.send(c.members[room*size], underWay)
	}
	time.Sleep(duration / 3) // what the first messages cost once is not the others'
	cpu, n, began := s.cpu(), c.count.Load(), time.Now()
	time.Sleep(duration)
	cpu, n = s.cpu()-cpu, c.count.Load()-n
	took := time.Since(began)
	var want int64
	for _, w := range windows {
		sent, err := w.end()
		if err != nil {
			return measure{}, err
		}
		want += int64(sent * size)
	}
	c.wait(want)
	return measure{perSecond: float64(n) / took.Seconds(), cpu: cpu / float64(n), lost: c.check(want)}, nil
}
