package chat

import (
	"sync"
	"time"
)

// What a device or an address may do holds for all servers of a cluster together. Each
// tells the others, now and then, what was spent at it, and takes what they have told
// from its own accounts. Nobody waits for that: what is spent at several servers before
// they have told each other is theirs as well.

// Spent is how much of something was spent at a server.
type Spent struct {
	Of     string // what, and whose: the same at every server, see core.account
	Amount int
}

// What an account is of, which is how its name begins.
const (
	ofDevice  = "d" // messages and changes
	ofAddress = "a" // the same
	ofWrong   = "w" // wrong passphrases and keys, in a room
	ofRemoval = "r" // an address from which somebody was removed, in a room
	ofVisitor = "v" // a device that is in a room whose door is closed
)

// accountOf returns the name of an account. Where others see it, it tells nothing of
// whose it is.
func (c *core) accountOf(kind, whose string) string {
	if cluster := c.cluster(); cluster != nil {
		whose = cluster.Mask(kind + whose)
	}
	return kind + whose
}

// inRoom is somebody in a room, as accountOf takes it.
func inRoom(who, room string) string { return who + "\x00" + room }

// spending is what the other servers have not been told yet. Nil tells nobody.
type spending struct {
	mu sync.Mutex
	of map[string]int
}

// mostSpending bounds the accounts of a spending. Those of messages leave half of it to what
// is rarer and weighs more, and those of closed rooms, which anybody may have, a quarter.
const mostSpending = 8192

func (s *spending) add(account string) { s.addMany(account, 1) }

func (s *spending) addMany(account string, n int) {
	if s == nil {
		return
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	most := mostSpending
	switch {
	case isPace(account):
		most = mostSpending / 2
	case account[:1] == ofVisitor:
		most = mostSpending / 4 * 3
	}
	if _, known := s.of[account]; !known && len(s.of) >= most {
		return
	}
	if s.of == nil {
		s.of = make(map[string]int)
	}
	s.of[account] += n
}

// untold takes back what the others could not be told. Of messages they are not told
// later: whoever was held back by one server alone must not wait for that at another
// one.
func (s *spending) untold(all []Spent) {
	for _, spent := range all {
		if !isPace(spent.Of) {
			s.addMany(spent.Of, spent.Amount)
		}
	}
}

func isPace(account string) bool { return account[:1] == ofDevice || account[:1] == ofAddress }

// take returns what was added since the last call.
func (s *spending) take() (all []Spent) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for of, amount := range s.of {
		all = append(all, Spent{of, amount})
	}
	s.of = nil
	return all
}

// spentElsewhere takes in what was spent at other servers.
func (c *core) spentElsewhere(all []Spent) {
	for _, s := range all {
		if len(s.Of) < 2 || s.Amount < 1 {
			continue
		}
		switch s.Of[:1] {
		case ofDevice, ofAddress:
			if c.cfg.Rate > 0 {
				c.paces.of(s.Of).pay(time.Now(), s.Amount)
				c.paces.release(s.Of)
			}
		case ofWrong:
			c.keys.Missed(s.Of, s.Amount)
		case ofRemoval:
			c.removals.note(s.Of, c.cfg.Now())
		case ofVisitor:
			c.visitors.note(s.Of)
		default:
			continue // a newer Parley's
		}
		c.metrics.elsewhere.Add(float64(s.Amount))
	}
}
