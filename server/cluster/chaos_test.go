//go:build linux

package cluster

import (
	"context"
	"flag"
	"fmt"
	"maps"
	"math/rand/v2"
	"net/http"
	"net/url"
	"slices"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/coder/websocket"

	"parley/server/pglog/pgtest"
	"parley/shared"
	"parley/shared/servertest"
)

var (
	duration = flag.Duration("chaos", 0, "how long TestChaos makes faults at random; 0 makes each once, in a fixed order")
	seed     = flag.Uint64("seed", 0, "of TestChaos; 0 is another each time")
)

// TestChaos has people talk at three servers over a primary with a synchronous standby,
// and change the server whenever their connection ends. Servers are killed, stopped and
// ended in good order, the database crashes, its standby is stopped, and at last the
// primary is stopped and the standby promoted. Whatever was acknowledged is there once,
// everyone sees the same in one order and can resume, and all are counted in the end.
func TestChaos(t *testing.T) {
	w := newWorld(t, 3, 6)
	w.flow(50)
	if *duration == 0 {
		for _, f := range faults {
			w.inject(f)
		}
	}
	for end := time.Now().Add(*duration); *duration > 0 && time.Now().Before(end); {
		w.inject(faults[w.random.IntN(len(faults)-1)])
	}
	if *duration > 0 {
		w.inject(faults[len(faults)-1]) // after which there is no standby any more
	}
	w.finish()
}

// fault is something that goes wrong, and goes well again. It ends when the fault is
// over.
type fault struct {
	name string
	make func(*world)
}

var faults = []fault{
	{"a server is killed", func(w *world) {
		s := w.anyServer()
		s.Kill()
		w.flow(20)
		s.MustStart()
	}},
	{"a server is stopped until it is taken for dead", func(w *world) {
		s := w.inUse()
		name := nameOf(w.t, s)
		until(w.t, "its people are known", func() bool {
			return w.primary.Query(w.t, "SELECT count(*) FROM parley.people WHERE server = '"+name+"' AND people::json ->> 'count' <> '0'") != "0"
		})
		s.Signal(syscall.SIGSTOP)
		defer s.Signal(syscall.SIGCONT)
		until(w.t, "it is taken for dead", func() bool {
			return w.primary.Query(w.t, "SELECT count(*) FROM parley.servers WHERE id = '"+name+"'") == "0"
		})
	}},
	{"a server ends and begins anew", func(w *world) {
		s := w.anyServer()
		s.Stop()
		s.MustStart()
	}},
	{"the standby is stopped", func(w *world) {
		w.standby.Signal(syscall.SIGSTOP)
		defer w.standby.Signal(syscall.SIGCONT)
		until(w.t, "a commit waits for it", func() bool {
			return w.primary.Query(w.t, "SELECT count(*) FROM pg_stat_activity WHERE wait_event = 'SyncRep'") != "0"
		})
	}},
	{"the primary crashes", func(w *world) {
		w.primary.Kill()
		w.primary.Restart(w.t)
	}},
	{"the primary is stopped, its standby promoted, and the old one wakes", func(w *world) {
		w.primary.Signal(syscall.SIGSTOP)
		w.standby.Promote(w.t)
		w.standby.SQL(w.t, "ALTER SYSTEM SET synchronous_standby_names = ''", "SELECT pg_reload_conf()")
		w.flow(20)
		w.primary.Signal(syscall.SIGCONT)
		w.flow(100)
		w.primary, w.standby = w.standby, w.primary
	}},
}

// world is the servers, the people, and what is known of the log.
type world struct {
	t                testing.TB
	random           *rand.Rand // of the faults
	primary, standby *pgtest.Server
	servers          []*servertest.Server
	addresses        []string
	people           []*person

	mu       sync.Mutex
	changed  sync.Cond
	quiet    bool
	problems int
	at       map[string]map[string]int64 // by room and id, the offset
	ids      map[string]map[int64]string // by room and offset
	counts   counts
	last     time.Time     // that something was acknowledged
	longest  time.Duration // that nothing was, during a fault
	acked    map[string]int64
}

type counts struct{ acknowledged, deliveries, resumes, lost, doubled, disordered int }

func newWorld(t *testing.T, servers, perRoom int) *world {
	t.Helper()
	if *seed == 0 {
		*seed = rand.Uint64()
	}
	t.Logf("seed %d", *seed)
	w := &world{t: t, random: rand.New(rand.NewPCG(*seed, 0)), at: make(map[string]map[string]int64), ids: make(map[string]map[int64]string),
		acked: make(map[string]int64)}
	w.changed.L = &w.mu
	var err error
	if w.primary, err = pgtest.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(w.primary.Stop)
	first := w.primary
	t.Cleanup(func() { first.Signal(syscall.SIGCONT) })
	w.standby = w.primary.Standby(t)
	w.primary.SQL(t, "ALTER SYSTEM SET synchronous_standby_names = '*'", "SELECT pg_reload_conf()")
	log := pgtest.Address("postgres", w.primary, w.standby)
	for range servers {
		s := servertest.Start(t, "--log", log, "--rate", "0", "--max-per-address", "0")
		w.servers, w.addresses = append(w.servers, s), append(w.addresses, s.Addr())
	}
	ctx, cancel := context.WithCancel(context.Background())
	var work sync.WaitGroup
	t.Cleanup(func() { cancel(); work.Wait() })
	for _, room := range []string{"Hall", "Yard", "Attic"} {
		w.at[room], w.ids[room] = make(map[string]int64), make(map[int64]string)
		for n := range perRoom {
			p := &person{w: w, room: room, name: fmt.Sprint(room, n), device: servertest.NewDevice(),
				random: rand.New(rand.NewPCG(*seed, uint64(len(w.people)+1)))}
			w.people = append(w.people, p)
			work.Go(func() { p.run(ctx) })
		}
	}
	return w
}

func (w *world) anyServer() *servertest.Server { return w.servers[w.random.IntN(len(w.servers))] }

// inUse returns a server that somebody is at.
func (w *world) inUse() (s *servertest.Server) {
	w.until(func() bool {
		p := w.people[w.random.IntN(len(w.people))]
		i := slices.Index(w.addresses, p.where)
		if i >= 0 {
			s = w.servers[i]
		}
		return s != nil
	})
	return s
}

func (w *world) update(f func()) {
	w.mu.Lock()
	defer w.mu.Unlock()
	f()
	w.changed.Broadcast()
}

func (w *world) until(is func() bool) {
	w.t.Helper()
	late := time.AfterFunc(time.Minute, func() {
		w.update(func() {
			w.problem("it takes too long")
			for _, p := range w.people {
				w.t.Logf("%s at %s: %d under way, has seen %d", p.name, p.where, len(p.outbox), p.last)
			}
		})
	})
	defer late.Stop()
	w.mu.Lock()
	defer w.mu.Unlock()
	for !is() {
		if w.problems > 0 {
			w.t.FailNow()
		}
		w.changed.Wait()
	}
}

// flow waits until n more messages were acknowledged.
func (w *world) flow(n int) {
	w.t.Helper()
	begin := -1
	w.until(func() bool {
		if begin < 0 {
			begin = w.counts.acknowledged
		}
		return w.counts.acknowledged >= begin+n
	})
}

// problem reports what breaks the promise. The caller holds mu.
func (w *world) problem(format string, args ...any) {
	if w.problems++; w.problems <= 20 {
		w.t.Errorf(format, args...)
	}
}

func (w *world) inject(f fault) {
	w.t.Helper()
	w.update(func() { w.last, w.longest = time.Now(), 0 })
	began := time.Now()
	f.make(w)
	w.flow(len(w.people))
	w.mu.Lock()
	defer w.mu.Unlock()
	w.t.Logf("%s: %v, in which nothing was acknowledged for %v", f.name,
		time.Since(began).Round(time.Millisecond), w.longest.Round(time.Millisecond))
}

// note keeps where an entry is. The caller holds mu.
func (w *world) note(room string, f shared.Message) {
	if id, ok := w.ids[room][f.Offset]; ok && id != f.ID {
		w.counts.disordered++
		w.problem("in %s, %q is at %d in the place of %q", room, f.ID, f.Offset, id)
	}
	if at, ok := w.at[room][f.ID]; ok && at != f.Offset {
		w.counts.doubled++
		w.problem("in %s, %q is at %d and at %d", room, f.ID, at, f.Offset)
	}
	w.ids[room][f.Offset], w.at[room][f.ID] = f.ID, f.Offset
}

// finish has everyone say the last word and see the last one, and compares what they saw
// with what each server has.
func (w *world) finish() {
	w.t.Helper()
	w.update(func() { w.quiet = true })
	w.until(func() bool {
		ends := make(map[string]int64)
		for _, p := range w.people {
			ends[p.room] = max(ends[p.room], p.last)
		}
		return !slices.ContainsFunc(w.people, func(p *person) bool { return len(p.outbox) > 0 || p.last < ends[p.room] })
	})
	began := time.Now()
	rooms := slices.Sorted(maps.Keys(w.at))
	for i, s := range w.servers {
		for _, room := range rooms {
			until(w.t, "everyone is counted", func() bool { return count(w.t, s, room) == len(w.people)/len(rooms) })
			messages := s.Messages(room, 0)
			w.mu.Lock()
			there := make(map[string]bool)
			for n, f := range messages {
				w.note(room, f)
				if there[f.ID] = true; f.Offset != int64(n+1) {
					w.counts.disordered++
					w.problem("server %d has %d of %s in the place of %d", i, f.Offset, room, n+1)
				}
			}
			for id := range w.at[room] {
				if !there[id] {
					w.counts.lost++
					w.problem("server %d has no %q in %s", i, id, room)
				}
			}
			w.mu.Unlock()
		}
	}
	w.t.Logf("everyone was counted everywhere after %v", time.Since(began).Round(time.Millisecond))
	w.mu.Lock()
	defer w.mu.Unlock()
	for id, offset := range w.acked {
		if room := w.room(id); w.ids[room][offset] != id {
			w.counts.lost++
			w.problem("%q was acknowledged as %d", id, offset)
		}
	}
	c := w.counts
	w.t.Logf("acknowledged %d, deliveries %d, resumes %d: lost %d, doubled %d, out of order %d",
		c.acknowledged, c.deliveries, c.resumes, c.lost, c.doubled, c.disordered)
}

// room returns where a message was said.
func (w *world) room(id string) string {
	for room, at := range w.at {
		if at[id] > 0 {
			return room
		}
	}
	return ""
}

// person says something again and again, and changes the server whenever the connection
// ends.
type person struct {
	w                  *world
	room, name, device string
	random             *rand.Rand

	// Guarded by w.mu.
	outbox []draft
	said   int
	last   int64
	epoch  string
	where  string // "" while there is no connection
}

type draft struct {
	id   string
	sent time.Time // the first time; zero before
	on   *websocket.Conn
}

const (
	window  = 4 // messages of a person that are under way
	waits   = 4 * time.Second
	saysAll = 40 * time.Millisecond
)

func (p *person) run(ctx context.Context) {
	for ctx.Err() == nil {
		p.connect(ctx)
		select {
		case <-time.After(time.Duration(50+p.random.IntN(150)) * time.Millisecond):
		case <-ctx.Done():
		}
	}
}

// connect is one connection, at any of the servers.
func (p *person) connect(ctx context.Context) {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	dialing, dialed := context.WithTimeout(ctx, waits)
	defer dialed()
	where := p.w.addresses[p.random.IntN(len(p.w.addresses))]
	c, _, err := websocket.Dial(dialing, "ws://"+where+"/ws/chat/"+url.PathEscape(p.room),
		&websocket.DialOptions{Subprotocols: []string{shared.Protocol}, HTTPClient: &http.Client{Transport: &http.Transport{DisableKeepAlives: true}}})
	if err != nil {
		return
	}
	defer c.CloseNow()
	defer p.w.update(func() { p.where = "" })
	c.SetReadLimit(shared.ReadLimit)
	var hello shared.Message
	p.w.update(func() {
		p.where = where
		hello = shared.Message{Type: shared.TypeHello, User: p.name, Device: p.device, Epoch: p.epoch, After: p.last}
	})
	if p.write(ctx, c, hello) != nil {
		return
	}
	var work sync.WaitGroup
	defer work.Wait()
	defer cancel()
	welcomed := make(chan struct{})
	work.Go(func() {
		defer c.CloseNow()
		select {
		case <-welcomed:
			p.talk(ctx, c)
		case <-time.After(waits):
		case <-ctx.Done():
		}
	})
	for {
		_, data, err := c.Read(ctx)
		if err != nil {
			return
		}
		f, err := shared.Decode(data)
		if err != nil {
			p.w.update(func() { p.w.problem("%s is sent %q: %v", p.name, data, err) })
			return
		}
		if f.Type == shared.TypeWelcome {
			close(welcomed)
		}
		p.w.update(func() { p.take(f) })
	}
}

func (p *person) write(ctx context.Context, c *websocket.Conn, f shared.Message) error {
	ctx, cancel := context.WithTimeout(ctx, waits)
	defer cancel()
	return c.Write(ctx, websocket.MessageText, shared.Encode(f))
}

// talk sends what is new, and what was not acknowledged on an earlier connection, until
// the connection ends or nothing is answered.
func (p *person) talk(ctx context.Context, c *websocket.Conn) {
	ticker := time.NewTicker(saysAll)
	defer ticker.Stop()
	for {
		var out []shared.Message
		silent := false
		p.w.update(func() {
			if !p.w.quiet && len(p.outbox) < window {
				p.said++
				p.outbox = append(p.outbox, draft{id: fmt.Sprint(p.name, "-", p.said)})
			}
			for i := range p.outbox {
				d := &p.outbox[i]
				if d.on != c {
					d.on, d.sent = c, time.Now()
					out = append(out, shared.Message{Type: shared.TypeChat, ID: d.id, Text: "I say " + d.id})
				}
				silent = silent || time.Since(d.sent) > waits
			}
		})
		if silent {
			return
		}
		for _, f := range out {
			if p.write(ctx, c, f) != nil {
				return
			}
		}
		select {
		case <-ticker.C:
		case <-ctx.Done():
			return
		}
	}
}

// take applies a frame. The caller holds w.mu.
func (p *person) take(f shared.Message) {
	w := p.w
	switch f.Type {
	case shared.TypeWelcome:
		switch {
		case p.epoch == "":
			p.last = 0
		case f.Epoch != p.epoch:
			w.problem("%s finds another epoch", p.name)
		case !f.Resumed:
			w.problem("%s can't resume after %d: the head is %d", p.name, p.last, f.Offset)
		default:
			w.counts.resumes++
		}
		p.epoch = f.Epoch
	case shared.TypeChat:
		w.counts.deliveries++
		w.note(p.room, f)
		switch {
		case f.Offset <= p.last:
			w.counts.doubled++
			w.problem("%s sees %d after %d", p.name, f.Offset, p.last)
		case p.last > 0 && f.Offset != p.last+1:
			w.counts.lost++
			w.problem("%s sees %d after %d", p.name, f.Offset, p.last)
		}
		p.last = f.Offset
		p.acknowledged(f)
	case shared.TypeAck:
		w.note(p.room, f)
		p.acknowledged(f)
	case shared.TypeError:
		if f.Code.Final() {
			w.problem("%s: %q was refused as %s", p.name, f.ID, f.Code)
		}
		for i := range p.outbox { // sent again, as clients do
			if p.outbox[i].id == f.ID {
				p.outbox[i].on = nil
			}
		}
	}
}

func (p *person) acknowledged(f shared.Message) {
	i := slices.IndexFunc(p.outbox, func(d draft) bool { return d.id == f.ID })
	if i < 0 {
		return
	}
	p.outbox = slices.Delete(p.outbox, i, i+1)
	w := p.w
	w.counts.acknowledged++
	w.acked[f.ID] = f.Offset
	now := time.Now()
	w.longest = max(w.longest, now.Sub(w.last))
	w.last = now
}
