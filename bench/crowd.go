package main

import (
	"fmt"
	"sync"
	"sync/atomic"
	"time"
)

// crowd is a number of rooms with the same number of members in each, connected
// to one server.
type crowd struct {
	peer    peer
	server  *process
	members []*member // room by room
	size    int       // members of a room
	count   atomic.Int64
	news    atomic.Int64 // frames that said who came or went
	closing atomic.Bool
}

// gather connects rooms × size members. Prepare, which may be nil, sets what is
// called for a member before it listens.
func gather(p peer, s *process, rooms, size int, prepare func(*member)) (*crowd, error) {
	c := &crowd{peer: p, server: s, size: size}
	c.members = make([]*member, rooms*size)
	var wg sync.WaitGroup
	errs := make(chan error, 8)
	work := make(chan int)
	for range cap(errs) {
		wg.Go(func() {
			for i := range work {
				m, err := c.join(fmt.Sprintf("room%d", i/size), i, prepare)
				if err != nil {
					select {
					case errs <- err:
					default:
					}
					continue
				}
				c.members[i] = m
			}
		})
	}
	for i := range c.members {
		work <- i
	}
	close(work)
	wg.Wait()
	select {
	case err := <-errs:
		c.disperse()
		return nil, err
	default:
		return c, nil
	}
}

func (c *crowd) join(room string, i int, prepare func(*member)) (*member, error) {
	m, err := dial(c.server.addr, c.peer.path(room), c.peer.protocol)
	if err != nil {
		return nil, err
	}
	m.room, m.id, m.count = room, i, &c.count
	if prepare != nil {
		prepare(m)
	}
	in := make(chan struct{})
	var once sync.Once
	if c.peer.ready == nil {
		close(in)
	} else {
		m.frame = func(m *member, p []byte) {
			if c.peer.news != nil {
				c.news.Add(int64(c.peer.news(p)))
			}
			if c.peer.ready(p) {
				once.Do(func() { close(in) })
			} else if len(p) == 2 && !c.closing.Load() { // centrifuge's ping
				m.send(p)
			}
		}
	}
	if err := m.listen(); err != nil {
		return nil, err
	}
	if c.peer.greet != nil {
		if err := m.send(c.peer.greet(room, i)); err != nil {
			return nil, err
		}
	}
	select {
	case <-in:
		return m, nil
	case err := <-m.done:
		return nil, fmt.Errorf("%s: %w", room, err)
	case <-time.After(30 * time.Second):
		return nil, fmt.Errorf("%s: no answer to the greeting", room)
	}
}

func (c *crowd) disperse() {
	c.closing.Store(true)
	for _, m := range c.members {
		if m != nil {
			m.close()
		}
	}
}

// wait returns when n messages have been delivered, or when none came for ten
// seconds.
func (c *crowd) wait(n int64) {
	last, since := c.count.Load(), time.Now()
	for last < n {
		time.Sleep(2 * time.Millisecond)
		if now := c.count.Load(); now != last {
			last, since = now, time.Now()
		} else if time.Since(since) > 10*time.Second {
			return
		}
	}
}

// closed says how many members were cut off, and why the first of them.
func (c *crowd) closed() string {
	n, why := 0, ""
	for _, m := range c.members {
		select {
		case err := <-m.done:
			if n++; n == 1 {
				why = err.Error()
			}
		default:
		}
	}
	if n == 0 {
		return ""
	}
	return fmt.Sprintf(", %d members were cut off: %s", n, why)
}

// check returns LOST where not every member got every message once, in order.
func (c *crowd) check(want int64) string {
	bad := 0
	for _, m := range c.members {
		bad += m.bad
	}
	if got := c.count.Load(); got != want || bad > 0 {
		return fmt.Sprintf("LOST (%d of %d, %d out of turn%s)", got, want, bad, c.closed())
	}
	return ""
}
