package sqlitelog

import "sync/atomic"

// volume is about what all entries take together. The writer counts; retention is
// told when it is over the bound.
type volume struct {
	bound atomic.Int64 // 0 is none
	over  chan struct{}

	// The writer's own.
	bytes  int64
	change int64 // by the transaction under way
}

// committed adds what the last transaction has changed.
func (v *volume) committed() {
	v.bytes += v.change
	v.change = 0
	if bound := v.bound.Load(); bound > 0 && v.bytes > bound {
		select {
		case v.over <- struct{}{}:
		default: // it knows
		}
	}
}
