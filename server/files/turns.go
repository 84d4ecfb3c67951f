package files

import (
	"context"
	"maps"
	"slices"
	"sync"
)

// turns let one at a time write to a file. Whoever comes later has the one before them
// stop: that is a connection that its own client has given up.
type turns struct {
	mu sync.Mutex
	of map[string]*turn
}

type turn struct {
	turns *turns
	id    string
	stop  func() // has its owner stop waiting for bytes; nil if they wait for none
	over  chan struct{}

	mu      sync.Mutex
	stopped bool
	ended   bool
}

// take returns the turn for an id.
func (t *turns) take(id string, stop func()) *turn {
	mine := &turn{turns: t, id: id, stop: stop, over: make(chan struct{})}
	for {
		t.mu.Lock()
		if t.of == nil {
			t.of = make(map[string]*turn)
		}
		other := t.of[id]
		if other == nil {
			t.of[id] = mine
			t.mu.Unlock()
			return mine
		}
		t.mu.Unlock()
		other.interrupt()
		<-other.over
	}
}

// interrupt has all stop.
func (t *turns) interrupt() {
	t.mu.Lock()
	all := slices.Collect(maps.Values(t.of))
	t.mu.Unlock()
	for _, one := range all {
		one.interrupt()
	}
}

func (t *turn) interrupt() {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.stopped = true
	if t.stop != nil && !t.ended { // its connection may have gone on to something else
		t.stop()
	}
}

// isOver reports whether its owner is to stop.
func (t *turn) isOver() bool {
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.stopped
}

func (t *turn) end() {
	t.mu.Lock()
	t.ended = true
	t.mu.Unlock()
	t.turns.mu.Lock()
	delete(t.turns.of, t.id)
	t.turns.mu.Unlock()
	close(t.over)
}

// gates bound how many requests of one source there are at once. Others wait.
type gates struct {
	most int // 0 is no bound

	mu sync.Mutex
	of map[string]*gate
}

type gate struct {
	users  int // in it or waiting
	inside chan struct{}
}

// enter waits for a place until ctx ends, and reports whether there is one, which leave
// gives back.
func (g *gates) enter(ctx context.Context, source string) (leave func(), ok bool) {
	if g.most == 0 {
		return func() {}, true
	}
	g.mu.Lock()
	if g.of == nil {
		g.of = make(map[string]*gate)
	}
	gt := g.of[source]
	if gt == nil {
		gt = &gate{inside: make(chan struct{}, g.most)}
		g.of[source] = gt
	}
	gt.users++
	g.mu.Unlock()
	forget := func() {
		g.mu.Lock()
		defer g.mu.Unlock()
		if gt.users--; gt.users == 0 {
			delete(g.of, source)
		}
	}
	select {
	case gt.inside <- struct{}{}:
		return func() { <-gt.inside; forget() }, true
	case <-ctx.Done():
		forget()
		return nil, false
	}
}
