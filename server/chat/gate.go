package chat

import "sync"

// A gate counts what is under way, until it is closed.
type gate struct {
	mu     sync.Mutex
	closed bool
	under  sync.WaitGroup // grows only under mu, and before closed
}

// enter counts one more, unless the gate is closed. Whoever was let in leaves.
func (g *gate) enter() bool {
	g.mu.Lock()
	defer g.mu.Unlock()
	if !g.closed {
		g.under.Add(1)
	}
	return !g.closed
}

func (g *gate) leave() { g.under.Done() }

// close lets nobody else in.
func (g *gate) close() {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.closed = true
}

// wait waits until all have left. The gate is closed before.
func (g *gate) wait() { g.under.Wait() }
