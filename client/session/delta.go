package session

import "slices"

// keptRows is how many fixed rows of a room the store keeps, the newest.
const keptRows = 500

// delta is what has changed in a timeline since it was saved.
type delta struct {
	state   bool          // the position, or what else is kept once for a room
	grown   bool          // fixed rows without a key at the end
	rewrite bool          // fixed rows without a key elsewhere
	outbox  bool          // the whole outbox
	touched map[*row]bool // fixed rows
	gone    []uint64      // keys of fixed rows
	written []*row        // new in the outbox
	left    []uint64      // keys of what left it
}

func (d *delta) empty() bool {
	return !d.state && !d.grown && !d.rewrite && !d.outbox &&
		len(d.touched) == 0 && len(d.gone) == 0 && len(d.written) == 0 && len(d.left) == 0
}

// all is the delta after a failed save: nobody knows what the store has.
func (d *delta) all() { *d = delta{state: true, rewrite: true, outbox: true} }

func (d *delta) touch(r *row) {
	if d.touched == nil {
		d.touched = map[*row]bool{}
	}
	d.touched[r] = true
}

func (d *delta) removed(r *row) {
	delete(d.touched, r)
	if r.key != 0 {
		d.gone = append(d.gone, r.key)
		r.key = 0
	}
}

// write tells of a new row in the outbox.
func (d *delta) write(r *row) { d.written = append(d.written, r) }

// sent tells that a row leaves the outbox.
func (d *delta) sent(r *row) {
	if r.key == 0 {
		d.written = slices.DeleteFunc(d.written, func(w *row) bool { return w == r })
		return
	}
	d.left = append(d.left, r.key)
	r.key = 0
}
