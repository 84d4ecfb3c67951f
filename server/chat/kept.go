package chat

import (
	"sync"
	"time"
)

// kept are values by key that last while they are in use, and after that as long as
// they remember something.
type kept[V interface{ rested() bool }] struct {
	make func(key string) V

	mu     sync.Mutex
	values map[string]*inUse[V]
	swept  time.Time
}

type inUse[V any] struct {
	value V
	uses  int
}

// of returns the value of a key, which release gives back.
func (k *kept[V]) of(key string) V {
	k.mu.Lock()
	defer k.mu.Unlock()
	if now := time.Now(); now.Sub(k.swept) >= time.Second {
		k.swept = now
		for key, u := range k.values {
			if u.uses == 0 && u.value.rested() {
				delete(k.values, key)
			}
		}
	}
	u := k.values[key]
	if u == nil {
		u = &inUse[V]{value: k.make(key)}
		if k.values == nil {
			k.values = make(map[string]*inUse[V])
		}
		k.values[key] = u
	}
	u.uses++
	return u.value
}

func (k *kept[V]) release(key string) {
	k.mu.Lock()
	defer k.mu.Unlock()
	k.values[key].uses--
}
