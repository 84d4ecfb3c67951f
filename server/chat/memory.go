package chat

import (
	"sync/atomic"
)

// memory counts the bytes that the server holds for its peers: frames that they
// have not taken, what is read for them from the log, messages that they have begun
// to send, the rooms' tails. It does not look at the heap, where garbage and what
// the database caches count as well.
type memory struct {
	limit    int64 // 0 is no limit
	held     atomic.Int64
	tails    atomic.Int64 // the part of held that is for tails: half of the limit, and smallTail for each further one
	shedding atomic.Bool
	shed     func() // has something given back
}

const smallTail = 16 << 10

// tail returns how many bytes a new tail may have, at most those that it asks for.
func (m *memory) tail(bytes int) int {
	bytes &^= 1 // as in two halves
	if tails := m.tails.Add(int64(bytes)); m.limit > 0 && tails > m.limit/2 && bytes > smallTail {
		m.tails.Add(int64(smallTail - bytes))
		bytes = smallTail
	}
	m.held.Add(int64(bytes))
	return bytes
}

// dropTail gives back what tail has returned.
func (m *memory) dropTail(bytes int) {
	m.tails.Add(int64(-bytes))
	m.held.Add(int64(-bytes))
}

// sourceShare is the part of the limit, one nth, that one source may hold.
const sourceShare = 4

// heldBySession is what a connection takes that neither sends nor is sent anything.
const heldBySession = 10 << 10

// account is what is held for one session.
type account struct {
	memory *memory
	source *source
	held   atomic.Int64
}

// hold counts n more bytes, or fewer if n is negative.
func (a *account) hold(n int) {
	if n == 0 {
		return
	}
	a.held.Add(int64(n))
	ofSource := a.source.held.Add(int64(n))
	all := a.memory.held.Add(int64(n))
	if l := a.memory.limit; n > 0 && l > 0 && (all > l || ofSource > l/sourceShare) {
		a.memory.shed()
	}
}

// full reports whether the memory is used up, and the source is one of those that
// have most of it.
func (m *memory) full(src *source) bool {
	if m.limit == 0 {
		return false
	}
	held := src.held.Load()
	return held > m.limit/sourceShare || m.held.Load() > m.limit && held > m.limit/(2*sourceShare) || m.held.Load() > 2*m.limit
}
