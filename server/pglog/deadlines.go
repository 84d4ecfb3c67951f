package pglog

import (
	"sync"
	"time"

	"parley/server/chat"
)

// deadlines answer appends that have waited too long. All wait equally long, so they
// are due in the order in which they came: one timer is enough.
type deadlines struct {
	patience time.Duration
	late     func() // is told when some are due

	mu    sync.Mutex
	queue []*request
	armed bool
}

func (d *deadlines) add(r *request) {
	r.due = time.Now().Add(d.patience)
	d.mu.Lock()
	defer d.mu.Unlock()
	d.queue = append(d.queue, r)
	if !d.armed {
		d.armed = true
		time.AfterFunc(d.patience, d.expire)
	}
}

// trim forgets those that were answered.
func (d *deadlines) trim() {
	d.mu.Lock()
	defer d.mu.Unlock()
	for len(d.queue) > 0 && d.queue[0].answered.Load() {
		d.queue[0] = nil
		d.queue = d.queue[1:]
	}
}

// expire answers those that are due, and waits for the next one.
func (d *deadlines) expire() {
	d.trim()
	d.mu.Lock()
	due := 0
	for due < len(d.queue) && time.Until(d.queue[due].due) <= 0 {
		due++
	}
	late := d.queue[:due:due]
	d.queue = d.queue[due:]
	if d.armed = len(d.queue) > 0; d.armed {
		time.AfterFunc(time.Until(d.queue[0].due), d.expire)
	}
	d.mu.Unlock()
	if due > 0 {
		d.late()
	}
	for _, r := range late {
		r.answer(chat.Receipt{}, wrap(errNoProof))
	}
}
