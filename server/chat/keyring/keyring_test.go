package keyring

import (
	"fmt"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"go.uber.org/goleak"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// clock is a time that a test moves.
type clock struct{ now time.Time }

func (c *clock) read() time.Time { return c.now }

func wrong() bool { return true }
func right() bool { return false }

func TestHash(t *testing.T) {
	k := New(time.Now, func(string) {})
	h := k.Hash("correct horse")
	if h == k.Hash("correct horse") {
		t.Error("two hashes of one passphrase are the same: they have no salt")
	}
	for key, want := range map[string]bool{"correct horse": true, "correct horsf": false, "": false} {
		if k.Opens(h, key) != want {
			t.Errorf("%q: got %t", key, !want)
		}
	}
	for _, h := range []string{"", "correct horse", "$argon2i$v=19$m=19456,t=2,p=1$AAAA$AAAA", "$argon2id$v=19$m=19456,t=0,p=1$AAAA$AAAAAAAAAAAAAAAAAAAAAAAA",
		"$argon2id$v=19$m=19456,t=2,p=1$AAAA$AAAA"} {
		if k.Opens(h, "correct horse") {
			t.Errorf("the hash %q opens", h)
		}
	}
}

// A wrong passphrase makes its address wait in its room, twice as long each
// time, up to a minute; nobody else waits.
func TestBackOff(t *testing.T) {
	c := &clock{now: time.Unix(1e9, 0)}
	missed := 0
	k := New(c.read, func(string) { missed++ })
	for n, want := range []time.Duration{1, 2, 4, 8, 16, 32, 60, 60} {
		if k.InTurn("a", "a in lobby", wrong) {
			t.Fatalf("try %d has to wait", n)
		}
		c.now = c.now.Add(want*time.Second - 1)
		if !k.InTurn("a", "a in lobby", right) {
			t.Errorf("after try %d it waits for less than %d s", n, want)
		}
		if k.InTurn("b", "b in lobby", right) || k.InTurn("a", "a in attic", right) {
			t.Error("another address or room waits")
		}
		c.now = c.now.Add(1)
	}
	if missed != 8 {
		t.Errorf("%d wrong ones were told, not 8", missed)
	}
	c.now = c.now.Add(time.Hour)
	k.InTurn("a", "a in lobby", wrong)
	c.now = c.now.Add(time.Second)
	if k.InTurn("a", "a in lobby", right) {
		t.Error("tries of an hour ago still count")
	}
}

// However many addresses guess, what is remembered of them is bounded, and what
// is over goes first.
func TestBound(t *testing.T) {
	c := &clock{now: time.Unix(1e9, 0)}
	k := New(c.read, func(string) {})
	for n := range maxWrong {
		k.InTurn("a", fmt.Sprint("old ", n), wrong)
	}
	c.now = c.now.Add(2 * forgetWrong)
	k.InTurn("a", "first", wrong)
	if len(k.wrong) != 1 {
		t.Errorf("%d back-offs are kept, though all but one are over", len(k.wrong))
	}
	for n := range 2 * maxWrong {
		k.InTurn("a", fmt.Sprint("new ", n), wrong)
	}
	if len(k.wrong) != maxWrong {
		t.Errorf("%d back-offs are kept, not %d", len(k.wrong), maxWrong)
	}
	if len(k.turns) != 0 {
		t.Errorf("%d turns are kept of addresses that do nothing", len(k.turns))
	}
}

// The tries of one address come one after the other.
func TestOneAtATime(t *testing.T) {
	k := New(time.Now, func(string) {})
	var under atomic.Int32
	var work sync.WaitGroup
	for range 8 {
		work.Go(func() {
			k.InTurn("a", "a in lobby", func() bool {
				if under.Add(1) != 1 {
					t.Error("two tries of one address are under way")
				}
				k.Hash("correct horse")
				under.Add(-1)
				return false
			})
		})
	}
	work.Wait()
}

// What is tried at another server counts here, as if it had been tried later.
func TestMissedElsewhere(t *testing.T) {
	c := &clock{now: time.Unix(1e9, 0)}
	k := New(c.read, func(string) {})
	k.InTurn("a", "a in lobby", wrong)
	k.Missed("a in lobby", 2) // the waits are 1, 2 and 4 s
	c.now = c.now.Add(7*time.Second - 1)
	if !k.InTurn("a", "a in lobby", right) {
		t.Error("who tries at several servers waits for less")
	}
	c.now = c.now.Add(1)
	if k.InTurn("a", "a in lobby", right) {
		t.Error("who tries at several servers waits for more")
	}
	k.Missed("b in lobby", 1<<30)
	c.now = c.now.Add(forgetWrong - 1)
	if !k.InTurn("b", "b in lobby", right) {
		t.Error("who tries very often does not wait for long")
	}
	c.now = c.now.Add(1)
	if k.InTurn("b", "b in lobby", right) {
		t.Error("a wait has no end")
	}
}

// Whoever guesses at several servers, which hear of it two seconds later, gets two tries
// more for each further one.
func TestGuesserAtServers(t *testing.T) {
	const at = "a in lobby"
	tried := func(servers int) (tries int) {
		c := &clock{now: time.Unix(1e9, 0)}
		type miss struct {
			at   int
			when time.Time
		}
		var told []miss
		rings := make([]*Keyring, servers)
		for n := range rings {
			rings[n] = New(c.read, func(string) {
				tries++
				told = append(told, miss{n, c.now})
			})
		}
		for end := c.now.Add(time.Hour); c.now.Before(end); c.now = c.now.Add(250 * time.Millisecond) {
			for len(told) > 0 && c.now.Sub(told[0].when) >= 2*time.Second {
				for n, k := range rings {
					if n != told[0].at {
						k.Missed(at, 1)
					}
				}
				told = told[1:]
			}
			for _, k := range rings {
				k.InTurn("a", at, wrong)
			}
		}
		return tries
	}
	one := tried(1)
	for servers := 2; servers <= 5; servers++ {
		if n := tried(servers); n > one+2*(servers-1) {
			t.Errorf("at %d servers there are %d tries in an hour, at one %d", servers, n, one)
		}
	}
}
