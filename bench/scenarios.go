package main

import (
	"database/sql"
	"encoding/json"
	"fmt"
	"math"
	"os"
	"path/filepath"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	_ "modernc.org/sqlite"
)

// crowd is a number of rooms with the same number of members in each, connected
// to one server.
type crowd struct {
	peer    peer
	server  *process
	members []*member // room by room
	size    int       // members of a room
	count   atomic.Int64
	closing atomic.Bool
}

// gather connects rooms × size members. Prepare, which may be nil, sets what is
// called for a member before it listens.
func gather(p peer, s *process, rooms, size int, prepare func(*member)) (*crowd, error) {
	c := &crowd{peer: p, server: s, size: size}
	c.members = make([]*member, rooms*size)
	var wg sync.WaitGroup
	errs := make(chan error, 8)
	work := make(chan int)
	for range cap(errs) {
		wg.Go(func() {
			for i := range work {
				m, err := c.join(fmt.Sprintf("room%d", i/size), i, prepare)
				if err != nil {
					select {
					case errs <- err:
					default:
					}
					continue
				}
				c.members[i] = m
			}
		})
	}
	for i := range c.members {
		work <- i
	}
	close(work)
	wg.Wait()
	select {
	case err := <-errs:
		c.disperse()
		return nil, err
	default:
		return c, nil
	}
}

func (c *crowd) join(room string, i int, prepare func(*member)) (*member, error) {
	m, err := dial(c.server.addr, c.peer.path(room), c.peer.protocol)
	if err != nil {
		return nil, err
	}
	m.room, m.id, m.count = room, i, &c.count
	if prepare != nil {
		prepare(m)
	}
	in := make(chan struct{})
	var once sync.Once
	if c.peer.ready == nil {
		close(in)
	} else {
		m.frame = func(m *member, p []byte) {
			if c.peer.ready(p) {
				once.Do(func() { close(in) })
			} else if len(p) == 2 && !c.closing.Load() { // centrifuge's ping
				m.send(p)
			}
		}
	}
	if err := m.listen(); err != nil {
		return nil, err
	}
	if c.peer.greet != nil {
		if err := m.send(c.peer.greet(room, i)); err != nil {
			return nil, err
		}
	}
	select {
	case <-in:
		return m, nil
	case err := <-m.done:
		return nil, fmt.Errorf("%s: %w", room, err)
	case <-time.After(30 * time.Second):
		return nil, fmt.Errorf("%s: no answer to the greeting", room)
	}
}

func (c *crowd) disperse() {
	c.closing.Store(true)
	for _, m := range c.members {
		if m != nil {
			m.close()
		}
	}
}

// wait returns when n messages have been delivered, or when none came for ten
// seconds.
func (c *crowd) wait(n int64) {
	last, since := c.count.Load(), time.Now()
	for last < n {
		time.Sleep(2 * time.Millisecond)
		if now := c.count.Load(); now != last {
			last, since = now, time.Now()
		} else if time.Since(since) > 10*time.Second {
			return
		}
	}
}

// check returns LOST where not every member got every message once, in order.
func (c *crowd) check(want int64) string {
	bad := 0
	for _, m := range c.members {
		bad += m.bad
	}
	if got := c.count.Load(); got != want || bad > 0 {
		return fmt.Sprintf("LOST (%d of %d, %d out of turn)", got, want, bad)
	}
	return ""
}

// measure is what one run gives. The zero value of a figure means none.
type measure struct {
	perSecond float64 // deliveries, or acknowledged appends
	cpu       float64 // seconds of the server's user and system time for one delivery
	p50, p99  time.Duration
	append99  time.Duration // of Parley's log: the upper bound of the bucket that p99 lies in
	memory    float64       // bytes for one member
	seconds   float64
	peak      float64 // times the steady memory
	lost      string
}

// window keeps a number of a member's messages under way: each that comes back
// lets another go, and those that come back together go out together.
type window struct {
	peer peer

	mu   sync.Mutex
	back int // since the last refill
	sent int // in all
	over bool
	err  error
}

func (w *window) got(*member, int, int64) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.back++
}

// refill sends a message for each that came back.
func (w *window) refill(m *member) {
	w.mu.Lock()
	n := w.back
	w.back = 0
	w.mu.Unlock()
	w.send(m, n)
}

func (w *window) send(m *member, n int) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if n == 0 || w.over || w.err != nil {
		return
	}
	var frames []byte
	for range n {
		w.sent++
		frames = appendFrame(frames, 1, w.peer.message(m.room, w.sent, text(w.sent, now())))
	}
	w.err = m.write(frames)
}

// end returns how many messages were sent; no more will be.
func (w *window) end() (sent int, err error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.over = true
	return w.sent, w.err
}

// saturated has the first member of each room keep messages under way, measures
// for some time, and waits until everyone has everything.
func saturated(p peer, rooms, size int, duration time.Duration) (measure, error) {
	const underWay = 64
	s, err := start(p)
	if err != nil {
		return measure{}, err
	}
	defer s.stop()
	windows := make([]*window, rooms)
	c, err := gather(p, s, rooms, size, func(m *member) {
		if m.id%size > 0 {
			return
		}
		w := &window{peer: p}
		windows[m.id/size] = w
		m.sends, m.got, m.rest = true, w.got, w.refill
	})
	if err != nil {
		return measure{}, err
	}
	defer c.disperse()
	settle()
	pause.Store(int64(500 * time.Microsecond)) // throughput is measured, not latency
	defer pause.Store(0)
	for room, w := range windows {
		w.send(c.members[room*size], underWay)
	}
	time.Sleep(duration / 3) // what the first messages cost once is not the others'
	cpu, n, began := s.cpu(), c.count.Load(), time.Now()
	time.Sleep(duration)
	cpu, n = s.cpu()-cpu, c.count.Load()-n
	took := time.Since(began)
	var want int64
	for _, w := range windows {
		sent, err := w.end()
		if err != nil {
			return measure{}, err
		}
		want += int64(sent * size)
	}
	c.wait(want)
	return measure{perSecond: float64(n) / took.Seconds(), cpu: cpu / float64(n), lost: c.check(want)}, nil
}

// paced has one member of one room send rate messages a second.
func paced(p peer, size int, rate float64, duration time.Duration) (measure, error) {
	s, err := start(p)
	if err != nil {
		return measure{}, err
	}
	defer s.stop()
	n := int(rate * duration.Seconds())
	latencies := make([]time.Duration, n*size)
	c, err := gather(p, s, 1, size, func(m *member) {
		m.got = func(m *member, seq int, sent int64) {
			latencies[m.id*n+seq-1] = time.Duration(now() - sent)
		}
	})
	if err != nil {
		return measure{}, err
	}
	defer c.disperse()
	settle()
	cpu := s.cpu()
	ticker := time.NewTicker(time.Duration(float64(time.Second) / rate))
	defer ticker.Stop()
	for seq := 1; seq <= n; seq++ {
		<-ticker.C
		if err := c.members[0].send(p.message("room0", seq, text(seq, now()))); err != nil {
			return measure{}, err
		}
	}
	c.wait(int64(n * size))
	m := measure{cpu: (s.cpu() - cpu) / float64(c.count.Load()), lost: c.check(int64(n * size))}
	slices.Sort(latencies)
	m.p50, m.p99 = quantile(latencies, 0.5), quantile(latencies, 0.99)
	if p.name == "parley" {
		m.append99, err = s.appendP99()
	}
	return m, err
}

func quantile(sorted []time.Duration, q float64) time.Duration {
	if len(sorted) == 0 {
		return 0
	}
	return sorted[int(float64(len(sorted)-1)*q)]
}

// settle lets what joining causes, such as presence, come to rest.
func settle() { time.Sleep(1500 * time.Millisecond) }

// idle measures the resident memory of members that say nothing, all in one room.
func idle(p peer, members int) (measure, error) {
	s, err := start(p)
	if err != nil {
		return measure{}, err
	}
	defer s.stop()
	// What the first members cost once is not theirs.
	first, err := gather(p, s, 1, 100, nil)
	if err != nil {
		return measure{}, err
	}
	defer first.disperse()
	settle()
	before := s.memory("VmRSS")
	c, err := gather(p, s, members/100, 100, nil)
	if err != nil {
		return measure{}, err
	}
	defer c.disperse()
	time.Sleep(5 * time.Second)
	return measure{memory: (s.memory("VmRSS") - before) / float64(members)}, nil
}

// appends has 64 senders, each alone in a room, keep window messages under way.
func appends(p peer, duration time.Duration) (measure, error) {
	return saturated(p, 64, 1, duration)
}

// inserts is the bound of appends: batches of 64 into the same schema, by the
// same driver, with nothing around them.
func inserts(duration time.Duration) (measure, error) {
	dir, err := os.MkdirTemp("", "parley-bench-")
	if err != nil {
		return measure{}, err
	}
	defer os.RemoveAll(dir)
	db, err := sql.Open("sqlite", filepath.Join(dir, "x.db")+"?_pragma=journal_mode(WAL)&_pragma=synchronous(FULL)")
	if err != nil {
		return measure{}, err
	}
	defer db.Close()
	db.SetMaxOpenConns(1)
	if _, err := db.Exec(`CREATE TABLE entries (room INTEGER NOT NULL, offset INTEGER NOT NULL, id TEXT NOT NULL, device TEXT NOT NULL,
		user TEXT NOT NULL, text TEXT NOT NULL, time INTEGER NOT NULL, PRIMARY KEY (room, offset)) WITHOUT ROWID;
		CREATE UNIQUE INDEX entries_id ON entries (room, device, id)`); err != nil {
		return measure{}, err
	}
	insert, err := db.Prepare("INSERT INTO entries VALUES (?, ?, ?, ?, ?, ?, ?) ON CONFLICT (room, device, id) DO NOTHING")
	if err != nil {
		return measure{}, err
	}
	defer insert.Close()
	began, n := time.Now(), 0
	for time.Since(began) < duration {
		tx, err := db.Begin()
		if err != nil {
			return measure{}, err
		}
		stmt := tx.Stmt(insert)
		for range 64 {
			n++
			if _, err := stmt.Exec(n%64, n, fmt.Sprintf("%026d", n), "00112233445566778899aabbccddeeff", "user 1", text(n, 0), n); err != nil {
				return measure{}, err
			}
		}
		if err := tx.Commit(); err != nil {
			return measure{}, err
		}
	}
	return measure{perSecond: float64(n) / time.Since(began).Seconds()}, nil
}

// storm cuts all members at once, each behind messages behind when it comes
// back, and measures until everyone has everything.
func storm(p peer, members, behind int) (measure, error) {
	s, err := start(p)
	if err != nil {
		return measure{}, err
	}
	defer s.stop()
	const size = 100
	c, err := gather(p, s, members/size, size, nil)
	if err != nil {
		return measure{}, err
	}
	settle()
	epoch, err := roomEpoch(c)
	if err != nil {
		return measure{}, err
	}
	steady := s.memory("VmRSS")
	c.disperse()
	writers, err := gather(p, s, members/size, 1, nil)
	if err != nil {
		return measure{}, err
	}
	for _, w := range writers.members {
		for seq := 1; seq <= behind; seq++ {
			if err := w.send(p.message(w.room, seq, text(seq, now()))); err != nil {
				return measure{}, err
			}
		}
	}
	writers.wait(int64(behind * members / size))
	writers.disperse()

	p.greet = func(room string, i int) []byte {
		return fmt.Appendf(nil, `{"type":"hello","user":"user %d","device":"device-of-%s-%022d","epoch":"%s"}`, i, room, i, epoch)
	}
	began := time.Now()
	back, err := gather(p, s, members/size, size, nil)
	if err != nil {
		return measure{}, err
	}
	defer back.disperse()
	want := int64(members * behind)
	back.wait(want)
	return measure{seconds: time.Since(began).Seconds(), peak: s.memory("VmHWM") / steady, lost: back.check(want)}, nil
}

// growth measures the CPU of a delivery with few and with many rooms, at the
// same number of messages a second in all.
func growth(p peer, roomCounts []int, rate int, duration time.Duration) ([]measure, error) {
	var list []measure
	for _, rooms := range roomCounts {
		s, err := start(p)
		if err != nil {
			return nil, err
		}
		c, err := gather(p, s, rooms, 10, nil)
		if err != nil {
			s.stop()
			return nil, err
		}
		settle()
		cpu, n := s.cpu(), int(float64(rate)*duration.Seconds())
		ticker := time.NewTicker(time.Second / time.Duration(rate))
		for i := range n {
			<-ticker.C
			room := i % rooms
			seq := i/rooms + 1
			c.members[room*10].send(p.message(fmt.Sprintf("room%d", room), seq, text(seq, now())))
		}
		ticker.Stop()
		c.wait(int64(n * 10))
		list = append(list, measure{cpu: (s.cpu() - cpu) / math.Max(1, float64(c.count.Load())), lost: c.check(int64(n * 10))})
		c.disperse()
		s.stop()
	}
	return list, nil
}

// roomEpoch asks the server for the epoch of its log, which a client needs to
// resume. Every room has the same.
func roomEpoch(c *crowd) (string, error) {
	m, err := dial(c.server.addr, c.peer.path("epoch"), c.peer.protocol)
	if err != nil {
		return "", err
	}
	defer m.close()
	epoch := make(chan string, 1)
	m.frame = func(_ *member, p []byte) {
		var welcome struct{ Type, Epoch string }
		if json.Unmarshal(p, &welcome) == nil && welcome.Type == "welcome" {
			epoch <- welcome.Epoch
		}
	}
	if err := m.listen(); err != nil {
		return "", err
	}
	if err := m.send(c.peer.greet("epoch", 0)); err != nil {
		return "", err
	}
	select {
	case e := <-epoch:
		return e, nil
	case err := <-m.done:
		return "", err
	}
}
