package chat

import (
	"time"

	"golang.org/x/time/rate"
)

// pace is how fast messages may come, from a device or an address, over however many
// connections and servers. A nil one has no limit.
type pace struct {
	account string
	limiter *rate.Limiter

	// What goes beyond small, the other servers are told of: few people talk so fast.
	small *rate.Limiter
	tells *spending // nil if there are no others
}

const (
	addressPace = 20               // how many members' messages may come from one address
	smallPart   = 10               // a tenth of the rate is small
	smallBurst  = 2                // and half of what may come at once
	longestPace = 30 * time.Second // what was spent elsewhere keeps nobody waiting for longer, or for a whole burst
)

// newPace is what core.paces makes.
func (c *core) newPace(account string) *pace {
	n := 1
	if account[:1] == ofAddress {
		n = addressPace
	}
	p := &pace{account: account, limiter: c.newLimiter(n), tells: c.spending}
	if p.tells != nil {
		p.small = rate.NewLimiter(p.limiter.Limit()/smallPart, max(1, p.limiter.Burst()/smallBurst))
	}
	return p
}

// newLimiter returns the limit for so many members.
func (c *core) newLimiter(members int) *rate.Limiter {
	if c.cfg.Rate <= 0 {
		return rate.NewLimiter(rate.Inf, 0)
	}
	return rate.NewLimiter(rate.Limit(float64(members)*c.cfg.Rate), members*c.cfg.Burst)
}

// pace returns how fast somebody may send, which releasePace gives back.
func (c *core) pace(kind, whose string) *pace {
	if c.cfg.Rate <= 0 || kind == ofAddress && c.meters == nil {
		return nil
	}
	return c.paces.of(c.accountOf(kind, whose))
}

func (c *core) releasePace(p *pace) {
	if p != nil {
		c.paces.release(p.account)
	}
}

// allow reports whether one more may come now.
func (p *pace) allow(now time.Time) bool {
	if p == nil {
		return true
	}
	if !p.limiter.AllowN(now, 1) {
		return false
	}
	if p.tells != nil && !p.small.AllowN(now, 1) {
		p.tells.add(p.account)
	}
	return true
}

// pay takes from the account what was spent at another server.
func (p *pace) pay(now time.Time, n int) {
	least := -max(longestPace.Seconds()*float64(p.limiter.Limit()), float64(p.limiter.Burst()))
	for n = min(n, int(p.limiter.TokensAt(now)-least)); n > 0; n -= p.limiter.Burst() {
		p.limiter.ReserveN(now, min(n, p.limiter.Burst()))
	}
}

// next returns after how long one more may come.
func (p *pace) next(now time.Time) time.Duration {
	if p == nil {
		return 0
	}
	wait := (1 - min(p.limiter.TokensAt(now), 0)) / float64(p.limiter.Limit())
	return time.Duration(wait * float64(time.Second))
}

// rested reports whether a new one would be the same.
func (p *pace) rested() bool {
	return p.limiter.Tokens() >= float64(p.limiter.Burst()) && (p.small == nil || p.small.Tokens() >= float64(p.small.Burst()))
}
