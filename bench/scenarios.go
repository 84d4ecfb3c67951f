package main

import (
	"database/sql"
	"encoding/json"
	"fmt"
	"math"
	"os"
	"path/filepath"
	"slices"
	"time"

	_ "modernc.org/sqlite"
)

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
	if _, err := db.Exec(`CREATE TABLE entries (at INTEGER PRIMARY KEY, room INTEGER NOT NULL, id BLOB NOT NULL, device BLOB NOT NULL,
		user TEXT NOT NULL, text TEXT NOT NULL, time INTEGER NOT NULL);
		CREATE UNIQUE INDEX entries_id ON entries (id, device, room)`); err != nil {
		return measure{}, err
	}
	insert, err := db.Prepare("INSERT INTO entries VALUES (?, ?, ?, ?, ?, ?, ?) ON CONFLICT (id, device, room) DO NOTHING")
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
			if _, err := stmt.Exec((n%64)<<40|n/64, n%64, fmt.Appendf(nil, "%016d", n), []byte("0123456789abcdef"), "user 1", text(n, 0), n); err != nil {
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
