//go:build unix

package sqlitelog_test

import (
	"context"
	"database/sql"
	"fmt"
	"math/rand/v2"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/oklog/ulid/v2"

	"parley/server/chat"
	"parley/server/sqlitelog"
	"parley/shared"
)

// BenchmarkAppend keeps 4,096 entries for a number of rooms under way.
func BenchmarkAppend(b *testing.B) {
	for _, rooms := range []int{1, 100} {
		b.Run(fmt.Sprint(rooms, " rooms"), func(b *testing.B) {
			l, err := sqlitelog.Open(context.Background(), b.TempDir(), sqlitelog.Options{})
			if err != nil {
				b.Fatal(err)
			}
			defer l.Close()
			names := make([]shared.Name, rooms)
			for i := range names {
				names[i] = shared.Name{Text: "Room", Key: fmt.Sprint("room", i)}
				_, stop, err := l.Open(context.Background(), names[i], chat.Follower{Entries: func([]chat.Entry) {}})
				if err != nil {
					b.Fatal(err)
				}
				defer stop()
			}
			window := make(chan struct{}, 4096)
			var wg sync.WaitGroup
			done := func(_ chat.Receipt, err error) {
				if err != nil {
					b.Error(err)
				}
				<-window
				wg.Done()
			}
			entropy := ulid.Monotonic(rand.NewChaCha8([32]byte{}), 0)
			e := chat.Entry{Device: "00112233445566778899aabbccddeeff", User: "Ann", Text: strings.Repeat("x", 100), Time: time.Unix(1, 0)}
			b.ReportAllocs()
			before := processTime(b)
			for i := 0; b.Loop(); i++ {
				window <- struct{}{}
				wg.Add(1)
				e.ID = ulid.MustNew(uint64(i), entropy).String()
				l.Append(context.Background(), names[i%rooms], e, done)
			}
			wg.Wait()
			b.ReportMetric(float64((processTime(b)-before).Nanoseconds())/1000/float64(b.N), "cpu-µs/op")
		})
	}
}

// processTime is what the process has used, user and system.
func processTime(b *testing.B) time.Duration {
	var r syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &r); err != nil {
		b.Fatal(err)
	}
	return time.Duration(r.Utime.Nano() + r.Stime.Nano())
}

// BenchmarkRooms lists the newest 50 of 100,000 rooms.
func BenchmarkRooms(b *testing.B) {
	dir := b.TempDir()
	l, err := sqlitelog.Open(context.Background(), dir, sqlitelog.Options{})
	if err != nil {
		b.Fatal(err)
	}
	defer l.Close()
	db, err := sql.Open("sqlite", filepath.Join(dir, sqlitelog.FileName))
	if err != nil {
		b.Fatal(err)
	}
	defer db.Close()
	if _, err := db.Exec(`WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 100000)
		INSERT INTO rooms (key, name, head, last) SELECT 'room' || i, 'Room ' || i, 1, abs(random() % 1000000000) + 1 FROM n`); err != nil {
		b.Fatal(err)
	}
	for b.Loop() {
		if rooms, err := l.Rooms(context.Background(), 50); err != nil || len(rooms) != 50 {
			b.Fatal(len(rooms), err)
		}
	}
}

// hosted is a log with a room that Ann hosts.
type hosted struct {
	b       *testing.B
	log     *sqlitelog.Log
	all     sync.WaitGroup // what is being added
	longest time.Duration  // of a transaction
}

func newHosted(b *testing.B) *hosted {
	h := &hosted{b: b}
	var err error
	if h.log, err = sqlitelog.Open(context.Background(), b.TempDir(), sqlitelog.Options{Observe: func(d time.Duration) { h.longest = max(h.longest, d) }}); err != nil {
		b.Fatal(err)
	}
	h.act(chat.Act{Do: shared.DoOpen})
	return h
}

// add adds an entry, and does not wait until it is there.
func (h *hosted) add(e chat.Entry) {
	h.all.Add(1)
	e.ID, e.User, e.Time = ulid.Make().String(), e.Device, time.Now()
	h.log.Append(context.Background(), shared.Name{Text: "Room", Key: "room"}, e, func(_ chat.Receipt, err error) {
		if err != nil {
			h.b.Error(err)
		}
		h.all.Done()
	})
}

// act has Ann do something as the host.
func (h *hosted) act(a chat.Act) {
	h.add(chat.Entry{Kind: chat.KindNotice, Device: "ann", Extra: &chat.Extra{Act: &a}})
}

// BenchmarkDeleteAll deletes the ten messages of a device in a room of 200,000, and
// tells how long everyone waited for that.
func BenchmarkDeleteAll(b *testing.B) {
	h := newHosted(b)
	defer h.log.Close()
	for range 200_000 {
		h.add(chat.Entry{Device: "eve", Text: strings.Repeat("x", 100)})
	}
	h.all.Wait()
	h.longest = 0
	for b.Loop() {
		for range 10 {
			h.add(chat.Entry{Device: "bob", Text: "hi"})
		}
		h.act(chat.Act{Do: shared.DoDeleteAll, Device: "bob", About: "Bob"})
		h.all.Wait()
	}
	b.ReportMetric(float64(h.longest)/1e6, "ms-longest")
}

// BenchmarkDeleteMany deletes the 100,000 messages of a device, and tells how long anyone
// else had to wait for one transaction of it.
func BenchmarkDeleteMany(b *testing.B) {
	h := newHosted(b)
	defer h.log.Close()
	for b.Loop() {
		b.StopTimer()
		for range 100_000 {
			h.add(chat.Entry{Device: "bob", Text: strings.Repeat("x", 100)})
		}
		h.all.Wait()
		h.longest = 0
		b.StartTimer()
		h.act(chat.Act{Do: shared.DoDeleteAll, Device: "bob", About: "Bob"})
		h.all.Wait()
	}
	b.ReportMetric(float64(h.longest)/1e6, "ms-longest")
}
