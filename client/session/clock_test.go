package session_test

import (
	"sync"
	"time"
)

// testClock stands still until it is told to go on.
type testClock struct {
	mu     sync.Mutex
	now    time.Time
	alarms map[*alarm]bool
}

type alarm struct {
	at time.Time
	f  func()
}

func newClock() *testClock {
	return &testClock{now: time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC), alarms: map[*alarm]bool{}}
}

func (c *testClock) Now() time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.now
}

func (c *testClock) AfterFunc(d time.Duration, f func()) func() bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	if d <= 0 {
		go f()
		return func() bool { return false }
	}
	a := &alarm{c.now.Add(d), f}
	c.alarms[a] = true
	return func() bool {
		c.mu.Lock()
		defer c.mu.Unlock()
		waiting := c.alarms[a]
		delete(c.alarms, a)
		return waiting
	}
}

// advance lets time pass.
func (c *testClock) advance(d time.Duration) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.now = c.now.Add(d)
	for a := range c.alarms {
		if !a.at.After(c.now) {
			delete(c.alarms, a)
			go a.f()
		}
	}
}
