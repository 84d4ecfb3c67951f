package main

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"os/exec"
	"time"
)

// store is what several servers share: PostgreSQL for Parley, Redis for centrifuge.
type store interface {
	// flags are what a server is started with, to share what it then has with those
	// that get the same.
	flags() ([]string, error)
	cpu() float64
	stop()
}

// fleet is servers that share a store, with members of the same rooms at each.
type fleet struct {
	peer   peer
	store  store // nil for a server that shares nothing
	crowds []*crowd
	seq    map[int]int // messages that were sent, by room
}

// assemble starts servers that share a store, and connects size members of each room to
// each of the first crowded ones. Prepare is gather's, with the server's number.
func assemble(p peer, st store, servers, crowded, rooms, size int, prepare func(server int, m *member)) (f *fleet, err error) {
	f = &fleet{peer: p, store: st, seq: make(map[int]int)}
	defer func() {
		if err != nil {
			f.stop()
		}
	}()
	var flags []string
	if st != nil {
		if flags, err = st.flags(); err != nil {
			return f, err
		}
	}
	q := p
	q.command = func(addr string) (*exec.Cmd, error) {
		cmd, err := p.command(addr)
		if err == nil {
			cmd.Args = append(cmd.Args, flags...)
		}
		return cmd, err
	}
	for i := range servers {
		s, err := start(q)
		if err != nil {
			return f, err
		}
		c := &crowd{peer: q, server: s}
		f.crowds = append(f.crowds, c)
		if i >= crowded {
			continue
		}
		q := q
		q.greet = func(room string, n int) []byte { return p.greet(room, i*1_000_000+n) } // somebody else than at the others
		var each func(*member)
		if prepare != nil {
			each = func(m *member) { prepare(i, m) }
		}
		if c, err = gather(q, s, rooms, size, each); err != nil {
			return f, err
		}
		f.crowds[i] = c
	}
	f.calm()
	return f, nil
}

// calm waits until nobody has been told for a second who came: centrifuge tells everyone
// of everyone.
func (f *fleet) calm() {
	for last := int64(-1); ; time.Sleep(time.Second) {
		heard := f.heard()
		if heard == last {
			return
		}
		last = heard
	}
}

// heard is how often members were told who came or went.
func (f *fleet) heard() (all int64) {
	for _, c := range f.crowds {
		all += c.news.Load()
	}
	return all
}

func (f *fleet) stop() {
	for _, c := range f.crowds {
		c.disperse()
		c.server.stop()
	}
}

// usage is what has been used and done, since the start or between two looks.
type usage struct {
	seconds    float64
	servers    []float64 // CPU of each server, in seconds
	store      float64   // CPU of the store
	deliveries []int64   // by server
	commits    []float64 // Parley's transactions that added messages, by server
}

func (f *fleet) look() (u usage) {
	for _, c := range f.crowds {
		u.servers = append(u.servers, processorTime(c.server.cmd.Process.Pid))
		u.deliveries = append(u.deliveries, c.count.Load())
		commits := 0.0
		if f.peer.name == "parley" {
			commits = c.server.metric("parley_append_seconds_count")
		}
		u.commits = append(u.commits, commits)
	}
	if f.store != nil {
		u.store = f.store.cpu()
	}
	u.seconds = float64(now()) / 1e9
	return u
}

// since is what was used and done after an earlier look.
func (u usage) since(before usage) usage {
	v := usage{seconds: u.seconds - before.seconds, store: u.store - before.store}
	for i := range u.servers {
		v.servers = append(v.servers, u.servers[i]-before.servers[i])
		v.deliveries = append(v.deliveries, u.deliveries[i]-before.deliveries[i])
		v.commits = append(v.commits, u.commits[i]-before.commits[i])
	}
	return v
}

func (u usage) all() (cpu float64) {
	for _, s := range u.servers {
		cpu += s
	}
	return cpu
}

// warm has some messages sent, so that what the first ones cost once is not the others'.
func (f *fleet) warm(rooms, senders int) error {
	_, lost, err := f.pace(rooms, senders, 100, time.Second)
	if err == nil && lost != "" {
		err = errors.New(lost)
	}
	return err
}

// rest measures what the servers use while nobody says anything.
func (f *fleet) rest(duration time.Duration) usage {
	before := f.look()
	time.Sleep(duration)
	return f.look().since(before)
}

// pace sends perSecond messages a second, at random as people talk, to one room after the
// other. A room's messages all come from one member, at one of the first senders servers.
// It returns when everyone has everything.
func (f *fleet) pace(rooms, senders int, perSecond float64, duration time.Duration) (usage, string, error) {
	random := rand.New(rand.NewPCG(1, 2)) // the same each time
	before, next := f.look(), time.Now()
	n := int(perSecond * duration.Seconds())
	var want []int64
	for _, c := range f.crowds {
		want = append(want, c.count.Load()+int64(n*c.size))
	}
	for i := range n {
		time.Sleep(time.Until(next))
		next = next.Add(time.Duration(random.ExpFloat64() / perSecond * float64(time.Second)))
		room := i % rooms
		f.seq[room]++
		c := f.crowds[room%senders]
		if err := c.members[room*c.size].send(f.peer.message(fmt.Sprint("room", room), f.seq[room], text(f.seq[room], now()))); err != nil {
			return usage{}, "", err
		}
	}
	lost := ""
	for i, c := range f.crowds {
		c.wait(want[i])
		lost += c.check(want[i])
	}
	return f.look().since(before), lost, nil
}
