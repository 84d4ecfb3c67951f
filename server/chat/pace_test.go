package chat

import (
	"fmt"
	"testing"
	"time"
)

// paced are servers of a cluster, with the default rate, as far as it goes for paces.
// Each tells once a second, and the others hear it a second later.
type paced struct {
	servers []*core
	now     time.Time
	told    [][]Spent // by server, not yet heard
}

func newPaced(n int) *paced {
	p := &paced{now: time.Now(), told: make([][]Spent, n)}
	for range n {
		c := &core{cfg: Config{Rate: 5, Burst: 10}, spending: &spending{}, meters: &meters{}}
		c.paces.make = c.newPace
		p.servers = append(p.servers, c)
	}
	return p
}

// of returns somebody's pace at a server.
func (p *paced) of(server int, kind string) *pace { return p.servers[server].pace(kind, "somebody") }

// second has the servers tell each other.
func (p *paced) second() {
	p.now = p.now.Add(time.Second)
	for from, c := range p.servers {
		for to := range p.servers {
			for _, s := range p.told[from] {
				if to != from {
					p.servers[to].paces.of(s.Of).pay(p.now, s.Amount)
				}
			}
		}
		p.told[from] = c.spending.take()
	}
}

// Whoever floods all servers gets the allowance of one, and what they spend before the
// servers have told each other.
func TestPaceOfServersTogether(t *testing.T) {
	const seconds, burst, rate = 120, 10, 5
	for _, kind := range []struct {
		name    string
		members int
	}{{ofDevice, 1}, {ofAddress, addressPace}} {
		for servers := 1; servers <= 4; servers++ {
			p := newPaced(servers)
			got := 0
			for range seconds {
				for n := range servers {
					for range kind.members * burst * 3 {
						if p.of(n, kind.name).allow(p.now) {
							got++
						}
					}
				}
				p.second()
			}
			one := kind.members * (burst + rate*seconds)
			// Of each further server: what it lets through in the two seconds before it is heard, and
			// the small part of which nobody is told.
			most := one + (servers-1)*kind.members*(burst+2*rate+burst/smallBurst+rate*seconds/smallPart)
			if got > most || got < one*3/4 {
				t.Errorf("%q at %d servers: %d came through, for %d at one, and %d at most", kind.name, servers, got, one, most)
			}
		}
	}
}

// Of what most people do, no server is told anything.
func TestPaceOfTheModest(t *testing.T) {
	p := newPaced(3)
	for second := range 120 {
		for n := range p.servers {
			words := 0
			switch {
			case second%3 == 0: // somebody chats
				words = 1
			case second%60 == 7: // and has sent several at once
				words = 3
			}
			for range words {
				if !p.of(n, ofDevice).allow(p.now) {
					t.Fatalf("a modest one is held back after %d s", second)
				}
			}
		}
		p.second()
		for n, told := range p.told {
			if len(told) > 0 {
				t.Errorf("after %d s, server %d tells %v", second, n, told)
			}
		}
	}
}

// What was spent elsewhere has somebody wait, but not for ever.
func TestPaceDebt(t *testing.T) {
	p := newPaced(1)
	pace := p.of(0, ofDevice)
	pace.pay(p.now, 12)
	if next := pace.next(p.now); next != 600*time.Millisecond {
		t.Errorf("two too many: the next may come after %v", next)
	}
	if pace.allow(p.now.Add(590*time.Millisecond)) || !pace.allow(p.now.Add(600*time.Millisecond)) {
		t.Error("the next may not come when it is said to")
	}
	for range 3 {
		pace.pay(p.now, 1<<30)
	}
	if next := pace.next(p.now.Add(time.Second)); next > longestPace {
		t.Errorf("the next may come after %v", next)
	}
	if !pace.allow(p.now.Add(longestPace + time.Second)) {
		t.Error("nothing may come after the longest wait")
	}
	if all := p.servers[0].spending.take(); len(all) > 0 {
		t.Errorf("what others have told is told again: %v", all)
	}
}

// However many devices spend something, what is told of them is bounded, and leaves
// room for wrong passphrases.
func TestSpendingIsBounded(t *testing.T) {
	s := &spending{}
	for n := range 2 * mostSpending {
		s.add(ofDevice + fmt.Sprint(n))
		s.add(ofAddress + fmt.Sprint(n))
	}
	if len(s.of) != mostSpending/2 {
		t.Errorf("%d accounts are kept", len(s.of))
	}
	for n := range 2 * mostSpending { // of a host who closes rooms to have nobody told of wrong passphrases
		s.add(ofVisitor + fmt.Sprint(n))
	}
	s.add(ofWrong + "guesser")
	s.add(ofDevice + "0")
	got := make(map[string]int)
	for _, spent := range s.take() {
		got[spent.Of] = spent.Amount
	}
	if got[ofWrong+"guesser"] != 1 || got[ofDevice+"0"] != 2 {
		t.Error("what came last is missing")
	}
	if len(s.take()) > 0 {
		t.Error("what was taken is still there")
	}
	s.untold([]Spent{{ofDevice + "1", 7}, {ofWrong + "guesser", 2}, {ofRemoval + "somebody", 1}, {ofWrong + "guesser", 1}})
	if len(s.of) != 2 || s.of[ofWrong+"guesser"] != 3 {
		t.Errorf("of what could not be told, %v is told later", s.of)
	}
	for n := range 2 * mostSpending {
		s.add(ofWrong + fmt.Sprint(n))
	}
	if len(s.of) != mostSpending {
		t.Errorf("%d accounts of wrong passphrases are kept", len(s.of))
	}
}

// What another version of Parley tells does no harm.
func TestSpentOfAnotherVersion(t *testing.T) {
	p := newPaced(1)
	p.servers[0].spentElsewhere([]Spent{{"", 1}, {"d", 1}, {"?what", 1}, {"dwho", 0}, {"dwho", -1 << 40}})
	if len(p.servers[0].paces.values) > 0 {
		t.Errorf("there are paces: %v", p.servers[0].paces.values)
	}
}

// TestManyVisitors has as many people in a closed room at another server as one may
// remember: they do not take the place of those of another room.
func TestManyVisitors(t *testing.T) {
	v := &visitors{}
	v.note("known")
	for n := range 2 * mostRemembered {
		v.note(fmt.Sprint(n))
	}
	if !v.has("known") || !v.has("0") {
		t.Error("a room's visitors are forgotten for those of another one")
	}
	for n := range 2 * mostVisitors {
		v.note(fmt.Sprint(n))
	}
	if len(v.are) != mostVisitors {
		t.Errorf("%d are remembered", len(v.are))
	}
}
