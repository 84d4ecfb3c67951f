package pglog_test

import (
	"context"
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"github.com/oklog/ulid/v2"

	"parley/server/chat"
	"parley/server/pglog"
	"parley/server/pglog/pgtest"
	"parley/server/sqlitelog"
	"parley/shared"
)

// BenchmarkAppend keeps entries under way in 100 rooms: on SQLite, on PostgreSQL, and on
// PostgreSQL with a synchronous standby, which one server or three write to. All wait for
// their disks. In hot, every second entry is for one room.
func BenchmarkAppend(b *testing.B) {
	settings := []string{"fsync=on", "shared_buffers=512MB", "min_wal_size=1GB", "max_wal_size=4GB"}
	alone, err := pgtest.Start(settings...)
	if err != nil {
		b.Fatal(err)
	}
	b.Cleanup(alone.Stop)
	primary, err := pgtest.Start(settings...)
	if err != nil {
		b.Fatal(err)
	}
	b.Cleanup(primary.Stop)
	standby := primary.Standby(b)
	primary.Synchronous(b)

	// A database that has run for some time writes its log over files that it has used before.
	for _, s := range []*pgtest.Server{alone, primary} {
		for range 20 {
			s.SQL(b, "SELECT pg_logical_emit_message(false, 'a', 'b')", "SELECT pg_switch_wal()")
		}
		s.SQL(b, "CHECKPOINT")
	}
	primary.AwaitStandby(b)
	standby.SQL(b, "CHECKPOINT")

	databases := map[string][]*pgtest.Server{"sqlite": nil, "postgres": {alone}, "standby": {primary, standby}}
	for _, underWay := range []int{64, 2048} {
		for _, c := range []struct {
			log     string
			servers int
			hot     bool
		}{{"sqlite", 1, false}, {"postgres", 1, false}, {"standby", 1, false}, {"standby", 3, false}, {"standby", 3, true}} {
			name := fmt.Sprintf("%s/%d_servers/%d", c.log, c.servers, underWay)
			if c.hot {
				name += "/hot"
			}
			b.Run(name, func(b *testing.B) {
				on := databases[c.log]
				logs := make([]chat.Log, c.servers)
				var err error
				written := func() (log, rows int) { return 0, 0 }
				if on == nil {
					logs[0], err = sqlitelog.Open(b.Context(), b.TempDir(), sqlitelog.Options{})
				} else {
					name := on[0].Create(b)
					b.Cleanup(func() { on[0].SQL(b, "DROP DATABASE "+name) }) // and leave the next one its memory
					address := pgtest.Address(name, on[0])
					written = func() (log, rows int) {
						_, err := fmt.Sscan(on[0].Query(b, "SELECT pg_current_wal_lsn() - '0/0' || ' ' || pg_database_size('"+name+"')"), &log, &rows)
						if err != nil {
							b.Fatal(err)
						}
						return log, rows
					}
					for i := range logs {
						if err == nil {
							logs[i], err = pglog.Open(b.Context(), address, pglog.Options{})
						}
					}
				}
				if err != nil {
					b.Fatal(err)
				}
				wal, size := written()
				appends(b, logs, on, underWay, c.hot)
				walNow, sizeNow := written()
				b.ReportMetric(float64(walNow-wal)/float64(b.N), "wal-B/op")
				b.ReportMetric(float64(sizeNow-size)/float64(b.N), "rows-B/op")
				for _, l := range logs {
					_ = l.Close()
				}
			})
		}
	}
}

func appends(b *testing.B, logs []chat.Log, on []*pgtest.Server, underWay int, hot bool) {
	rooms := make([]shared.Name, 100)
	for i := range rooms {
		rooms[i] = shared.Name{Text: "Room", Key: fmt.Sprint("room", i)}
		for _, l := range logs {
			_, stop, err := l.Open(b.Context(), rooms[i], chat.Follower{Entries: func([]chat.Entry) {}, Begin: func(int64) {}})
			if err != nil {
				b.Fatal(err)
			}
			defer stop()
		}
	}
	var all sync.WaitGroup
	var failed atomic.Pointer[error]
	window := make(chan struct{}, underWay)
	took := make([]time.Duration, b.N)
	add := func(i int) {
		window <- struct{}{}
		all.Add(1)
		room := rooms[i%len(rooms)]
		if hot && i%2 == 0 {
			room = rooms[0]
		}
		began := time.Now()
		e := chat.Entry{ID: ulid.Make().String(), Device: "00112233445566778899aabbccddeeff", User: "Ann", Text: strings.Repeat("x", 100), Time: began}
		logs[rand.IntN(len(logs))].Append(context.Background(), room, e, func(_ chat.Receipt, err error) {
			if err != nil {
				failed.Store(&err)
			}
			took[i] = time.Since(began)
			<-window
			all.Done()
		})
	}
	databases := func() (used time.Duration) {
		if len(on) > 1 {
			on[0].AwaitStandby(b) // it has still to make the database, or to do its part
		}
		for _, s := range on {
			used += s.CPU()
		}
		return used
	}
	servers := func() time.Duration {
		var r syscall.Rusage
		_ = syscall.Getrusage(syscall.RUSAGE_SELF, &r) // never fails
		return time.Duration(r.Utime.Nano() + r.Stime.Nano())
	}
	theirs := databases()
	own := servers() // without what it takes to ask
	b.ResetTimer()
	for i := range b.N {
		add(i)
	}
	all.Wait()
	b.StopTimer()
	if err := failed.Load(); err != nil {
		b.Error(*err)
	}
	ownNow := servers()
	theirsNow := databases()
	slices.Sort(took)
	micros := func(d time.Duration) float64 { return float64(d.Nanoseconds()) / 1000 / float64(b.N) }
	b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "appends/s")
	b.ReportMetric(float64(took[b.N/2].Microseconds())/1000, "p50-ms")
	b.ReportMetric(float64(took[b.N*99/100].Microseconds())/1000, "p99-ms")
	b.ReportMetric(micros(ownNow-own), "cpu-µs/op")
	b.ReportMetric(micros(theirsNow-theirs), "database-cpu-µs/op")
	b.ReportMetric(0, "ns/op")
}
