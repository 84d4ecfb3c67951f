package chat

import (
	runtimemetrics "runtime/metrics"
	"sync"
	"time"
)

// memory tells when the process takes more than it may. It looks at most once in
// memoryEvery.
type memory struct {
	limit int64 // bytes; 0 is no limit

	mu     sync.Mutex
	looked time.Time
	over   bool
}

const memoryEvery = 100 * time.Millisecond

func (m *memory) full() bool {
	if m.limit == 0 {
		return false
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	if now := time.Now(); now.Sub(m.looked) >= memoryEvery {
		m.looked = now
		sample := []runtimemetrics.Sample{{Name: "/memory/classes/total:bytes"}, {Name: "/memory/classes/heap/released:bytes"}}
		runtimemetrics.Read(sample)
		m.over = sample[0].Value.Uint64()-sample[1].Value.Uint64() > uint64(m.limit)
	}
	return m.over
}
