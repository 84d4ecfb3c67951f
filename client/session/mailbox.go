package session

import (
	"slices"
)

// Take returns what has changed since the last Take; apply all of it, in order.
// The first that returns anything begins with a Reset.
func (r *Room) Take() []Change {
	r.mu.Lock()
	defer r.mu.Unlock()
	changes := r.changes
	r.changes, r.woken = nil, false
	return changes
}

func (r *Room) command(c func(*loop)) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if !r.closed {
		r.post(c)
	}
}

// post needs mu.
func (r *Room) post(c func(*loop)) {
	r.mailbox = append(r.mailbox, c)
	r.ring()
}

// ring wakes the loop.
func (r *Room) ring() {
	select {
	case r.wake <- struct{}{}:
	default:
	}
}

// commands empties the mailbox.
func (r *Room) commands() []func(*loop) {
	r.mu.Lock()
	defer r.mu.Unlock()
	commands := r.mailbox
	r.mailbox = nil
	return commands
}

// publish adds changes for Take. A screen that has not taken for a long time gets
// everything at once instead of all the steps.
func (r *Room) publish(changes []Change, everything func() []Change) {
	if len(changes) == 0 {
		return
	}
	r.mu.Lock()
	r.changes = append(r.changes, changes...)
	if len(r.changes) > maxRows {
		answers := slices.DeleteFunc(r.changes, func(c Change) bool { return !c.Kind.answer() })
		r.changes = append(everything(), answers...)
	}
	wake := !r.woken
	r.woken = true
	r.mu.Unlock()
	if wake {
		r.config.OnWake()
	}
}
