package chat

import (
	"sync"
	"time"
)

// holdings is how much of a room's log each device holds. With Config.RetainBytes, new
// messages delete old ones, so whoever writes enough would delete what everyone else
// said. Therefore a device that holds half of what is kept waits until it holds less.
// A device that is alone in the log deletes only what is its own.
type holdings struct {
	mu      sync.Mutex
	held    map[string]int64 // bytes by device; nil until they are counted
	all     int64
	counted time.Time
}

// recountEvery is how often the log is asked again what a device holds that had
// half: what was deleted meanwhile is not told.
const recountEvery = time.Second

const saysHalf = "You have written half of what this room keeps. You can go on when others have written more, or your old messages have been deleted."

// mayAdd reports whether an entry's device may add it to the room's log, and counts
// the entry if so.
func (r *Room) mayAdd(e Entry) (bool, error) {
	keep := r.core.cfg.RetainBytes
	if keep == 0 || e.Kind == KindDelete || e.Kind == KindNotice {
		return true, nil
	}
	s := &r.holdings
	s.mu.Lock()
	defer s.mu.Unlock()
	half := func() bool { return 2*s.held[e.Device] >= keep && s.held[e.Device] < s.all }
	if s.held == nil || half() && time.Since(s.counted) >= recountEvery {
		held, err := r.core.cfg.Log.Held(background, r.name.Key)
		if err != nil {
			return false, err
		}
		s.held, s.all, s.counted = held, 0, time.Now()
		for _, bytes := range held {
			s.all += bytes
		}
	}
	if half() {
		return false, nil
	}
	s.held[e.Device] += e.Size()
	s.all += e.Size()
	return true, nil
}
