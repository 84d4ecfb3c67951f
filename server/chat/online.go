package chat

import (
	"maps"
	"slices"
	"sync"
	"time"
)

// online is how many people are in the rooms that are listed. A page stays in all rooms of
// its reader, so whoever is in several counts once.
type online struct {
	mu      sync.Mutex
	counted time.Time
	people  int
}

// onlineEvery is how long the number of more than a crowd is good: all of them are asked.
const onlineEvery = time.Second

func (o *online) count(h *Hub) int {
	o.mu.Lock()
	defer o.mu.Unlock()
	if o.people <= crowd || time.Since(o.counted) >= onlineEvery {
		o.people, o.counted = h.census(), time.Now()
	}
	return o.people
}

// census counts people by their devices, and those of whom no device is known by their
// names. Somebody beyond the names that other servers tell counts in each room.
func (h *Hub) census() int {
	h.mu.Lock()
	rooms := slices.Collect(maps.Values(h.rooms))
	h.mu.Unlock()
	devices, owned, names := make(map[string]bool), make(map[string]bool), make(map[string]bool)
	seen, more := make(map[string]bool), 0 // seen are rooms, by key
	for _, r := range rooms {
		select {
		case <-r.opened:
		default: // still reading its log
			continue
		}
		r.mu.Lock()
		if r.err == nil && r.count() > 0 {
			seen[r.name.Key] = true
			if !r.lock.Hidden {
				for key, p := range r.people {
					if names[key] = true; p.device != "" {
						devices[p.device], owned[key] = true, true
					}
				}
				more += r.count() - len(r.people)
			}
		}
		r.mu.Unlock()
	}
	if cluster := h.cluster(); cluster != nil {
		for _, g := range cluster.Gatherings() {
			if seen[g.Room.Key] || g.Hidden {
				continue
			}
			for _, name := range g.People {
				names[name.Key] = true
			}
			more += g.Count - len(g.People)
		}
	}
	maps.DeleteFunc(names, func(key string, _ bool) bool { return owned[key] })
	return len(devices) + len(names) + more
}
