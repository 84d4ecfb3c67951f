package main

import (
	"fmt"
	"slices"
	"sync/atomic"
	"time"
)

// hot has everyone in one room, at several servers, keep messages under way.
func hot(p peer, st store, servers, size int, duration time.Duration) (m measure, storeCPU float64, err error) {
	const underWay, most = 4, 1_000_000 // messages of each
	var windows []*window
	var latencies []time.Duration // one thread reads for all who send
	var measuring atomic.Bool
	orders := make([]uint64, servers*size) // of what each got
	for i := range servers * size {
		windows = append(windows, &window{peer: p, base: i * most})
	}
	f, err := assemble(p, st, servers, servers, 1, size, func(server int, m *member) {
		i := server*size + m.id
		w := windows[i]
		m.sends, m.rest = true, w.refill
		m.got = func(m *member, seq int, sent int64) {
			w.got(m, seq, sent)
			orders[i] = (orders[i] ^ uint64(seq)) * 0x100000001b3 // FNV-1a
			if measuring.Load() {
				latencies = append(latencies, time.Duration(now()-sent))
			}
		}
	})
	if err != nil {
		return m, 0, err
	}
	defer f.stop()
	pause.Store(int64(500 * time.Microsecond)) // so that this program leaves the cores to the servers
	defer pause.Store(0)
	for i, w := range windows {
		w.send(f.crowds[i/size].members[i%size], underWay)
	}
	time.Sleep(duration / 3)
	before := f.look()
	measuring.Store(true)
	time.Sleep(duration)
	measuring.Store(false)
	u := f.look().since(before)
	var want int64
	for _, w := range windows {
		sent, err := w.end()
		if err != nil {
			return m, 0, err
		}
		want += int64(sent * size)
	}
	var deliveries int64
	for i, c := range f.crowds {
		c.wait(want)
		if got := c.count.Load(); got != want {
			m.lost += fmt.Sprintf("LOST (%d of %d%s) ", got, want, c.closed())
		}
		deliveries += u.deliveries[i]
	}
	if len(slices.Compact(slices.Clone(orders))) > 1 {
		m.lost += "ORDERS DIFFER"
	}
	slices.Sort(latencies)
	said := float64(deliveries) / float64(servers*size)
	m.perSecond, m.cpu = said/u.seconds, u.all()/said
	m.p50, m.p99 = quantile(latencies, 0.5), quantile(latencies, 0.99)
	return m, u.store / said, nil
}
