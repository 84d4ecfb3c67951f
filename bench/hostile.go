package main

import (
	"fmt"
	"os"
	"os/exec"
	"slices"
	"strconv"
	"sync"
	"time"
)

// withDefaults is the server with its flags as they are.
func withDefaults(p peer, binary string) peer {
	p.command = serverCommand(binary)
	return p
}

// bystanders are ten people, each alone in a room, who say something five times a
// second, and see how long it takes until they have it back.
type bystanders struct {
	*crowd
	seq int

	mu        sync.Mutex
	latencies []time.Duration
}

const (
	people    = 10
	perSecond = 45 // of all of them: within what one address may
)

func newBystanders(p peer, s *process) (*bystanders, error) {
	b := &bystanders{}
	var err error
	b.crowd, err = gather(p, s, people, 1, func(m *member) {
		m.got = func(_ *member, _ int, sent int64) {
			b.mu.Lock()
			defer b.mu.Unlock()
			b.latencies = append(b.latencies, time.Duration(now()-sent))
		}
	})
	return b, err
}

// talk measures for a while.
func (b *bystanders) talk(d time.Duration) (m measure, err error) {
	b.mu.Lock()
	b.latencies = nil
	b.mu.Unlock()
	n := int(perSecond * d.Seconds())
	ticker := time.NewTicker(time.Second / perSecond)
	defer ticker.Stop()
	for range n {
		<-ticker.C
		who := b.members[b.seq%people]
		number := b.seq/people + 1
		b.seq++
		if err := who.send(b.peer.message(who.room, number, text(number, now()))); err != nil {
			return m, err
		}
	}
	b.wait(int64(b.seq))
	b.mu.Lock()
	defer b.mu.Unlock()
	slices.Sort(b.latencies)
	m = measure{p50: quantile(b.latencies, 0.5), p99: quantile(b.latencies, 0.99), lost: b.check(int64(b.seq))}
	return m, nil
}

// underAttack is what bystanders measure: before the attack, and while it goes on
// at this server and, at the same moment, at an idle twin.
type underAttack struct {
	name                string
	addresses           int
	quiet, twin, during measure
}

// ratio says how much the attack costs at its 99th percentile.
func (u underAttack) ratio() float64 { return float64(u.during.p99) / float64(u.twin.p99) }

// fine reports whether the attack costs no more than is aimed at.
func (u underAttack) fine() bool {
	return (u.during.p50 <= 2*u.twin.p50 || u.during.p50 <= 5*time.Millisecond) &&
		(u.during.p99 <= 3*u.twin.p99 || u.during.p99 <= 20*time.Millisecond)
}

// hostile measures one attack after the other, each from every number of addresses.
// The best of some tries counts, since the machine is shared.
func hostile(p peer, each time.Duration, addresses []int, tries int, note func(underAttack)) error {
	target, err := start(p)
	if err != nil {
		return err
	}
	defer target.stop()
	twin, err := start(p)
	if err != nil {
		return err
	}
	defer twin.stop()
	here, err := newBystanders(p, target)
	if err != nil {
		return err
	}
	defer here.disperse()
	there, err := newBystanders(p, twin)
	if err != nil {
		return err
	}
	defer there.disperse()
	for _, a := range attacks {
		for _, n := range addresses {
			var best underAttack
			for i := range tries {
				u, err := played(here, there, a.name, n, each)
				if err != nil {
					return err
				}
				if i == 0 || u.ratio() < best.ratio() || u.during.lost != "" {
					best = u
				}
				if u.during.lost != "" || best.fine() {
					break
				}
			}
			note(best)
		}
	}
	return nil
}

// played measures an attack once. A process of its own plays it, with the lowest
// priority: what is measured is the server, not who gets the processor.
func played(here, there *bystanders, name string, n int, each time.Duration) (u underAttack, err error) {
	u.name, u.addresses = name, n
	if u.quiet, err = here.talk(each / 2); err != nil {
		return u, err
	}
	exe, err := os.Executable()
	if err != nil {
		return u, err
	}
	cmd := exec.Command("nice", "-n", "19", exe, "attack", name, here.server.addr, strconv.Itoa(n))
	cmd.Stderr = os.Stderr
	if err := cmd.Start(); err != nil {
		return u, err
	}
	defer func() {
		cmd.Process.Kill()
		cmd.Wait()
		time.Sleep(each / 4)
	}()
	time.Sleep(each / 4) // until it is under way
	var other error
	done := make(chan struct{})
	go func() {
		defer close(done)
		u.twin, other = there.talk(each)
	}()
	u.during, err = here.talk(each)
	<-done
	if err == nil {
		err = other
	}
	if err != nil {
		err = fmt.Errorf("%s from %d: %w", name, n, err)
	}
	return u, err
}
