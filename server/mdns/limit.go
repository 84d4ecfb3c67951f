package mdns

import (
	"net/netip"
	"time"

	"golang.org/x/time/rate"
)

// How many answers single askers get in a second: one of them, and all together, so
// that a host that asks all the time leaves the others theirs.
const (
	directRate    = 20
	directRateAll = 400

	mostAskers = 1024 // that are kept apart
)

// askers bounds the answers to single askers. One goroutine uses it.
type askers struct {
	all  *rate.Limiter
	each map[netip.Addr]*rate.Limiter
}

func newAskers() *askers {
	return &askers{rate.NewLimiter(directRateAll, directRateAll), make(map[netip.Addr]*rate.Limiter)}
}

// allow reports whether an asker may be answered now.
func (a *askers) allow(from netip.Addr, now time.Time) bool {
	one := a.each[from]
	if one == nil {
		if len(a.each) >= mostAskers {
			for addr, l := range a.each {
				if l.TokensAt(now) >= directRate { // a new one is the same
					delete(a.each, addr)
				}
			}
		}
		if len(a.each) >= mostAskers {
			return false
		}
		one = rate.NewLimiter(directRate, directRate)
		a.each[from] = one
	}
	return one.AllowN(now, 1) && a.all.AllowN(now, 1)
}
