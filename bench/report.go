package main

import (
	"fmt"
	"io"
	"math"
	"os"
	"regexp"
	"runtime"
	"slices"
	"strings"
	"time"
)

// bench runs the scenarios and writes the table.
type bench struct {
	peers  []peer
	binary string // of parley
	limit  peer
	long   time.Duration // of a saturated run
	quick  bool
	wanted *regexp.Regexp
	failed bool
	curves []curve
	tables map[string]string // of cluster, by name

	// What cluster found, against its aims.
	reach  map[int]float64 // appends with a standby × SQLite's, by servers
	second float64         // a delivery's CPU on a second server × one server's
	off    float64         // the model's worst error
}

type row struct {
	peer peer
	measure
}

func (b *bench) each(peers []peer, f func(peer) (measure, error)) (rows []row) {
	for _, p := range peers {
		m, err := f(p)
		if err != nil {
			m.lost = "FAILED: " + err.Error()
		}
		b.note(p.name, m)
		rows = append(rows, row{p, m})
	}
	return rows
}

func (b *bench) note(name string, m measure) {
	if m.lost != "" {
		b.failed = true
	}
	fmt.Fprintf(os.Stderr, "  %-12s %s\n", name, strings.TrimSpace(fmt.Sprintf("%s %s %s %s %s",
		rate(m.perSecond), micro(m.cpu), latency(m.p99), kilobytes(m.memory), m.lost)))
}

func (b *bench) section(w io.Writer, name, title string, f func()) {
	if !b.wanted.MatchString(name) {
		return
	}
	fmt.Fprintln(os.Stderr, name)
	fmt.Fprintf(w, "\n### %s\n\n", title)
	f()
}

// report prints each section when it is measured.
func (b *bench) report(file io.Writer) {
	w := io.MultiWriter(os.Stdout, file)
	machine := fmt.Sprintf("%s, %s, %d cores, %s.", time.Now().UTC().Format("2006-01-02"), processor(), runtime.NumCPU(), runtime.Version())
	fmt.Fprintln(w, machine, "The load generator runs on the same machine.")
	b.tables["machine"] = machine + "\n"
	few := b.few("daphne")

	b.section(w, "saturated-1x1000", "Saturated: 1 room × 1,000 members, 64 messages under way", func() {
		ratios(w, b.each(few, func(p peer) (measure, error) { return saturated(p, 1, 1000, b.long) }))
	})
	b.section(w, "saturated-100x10", "Saturated: 100 rooms × 10 members, 64 messages under way in each", func() {
		ratios(w, b.each(few, func(p peer) (measure, error) { return saturated(p, 100, 10, b.long) }))
	})
	b.section(w, "tutorial", "The tutorial's own server: 1 room × 100 members, 64 messages under way", func() {
		ratios(w, b.each(b.only("parley", "daphne"), func(p peer) (measure, error) { return saturated(p, 1, 100, b.long) }))
	})
	b.section(w, "paced-1x500", "One at a time: 1 room × 500 members, 100 messages a second", func() {
		peers := append([]peer{b.limit}, few...)
		rows := b.each(peers, func(p peer) (measure, error) { return paced(p, 500, 100, b.long) })
		fmt.Fprintln(w, "| server | CPU a delivery | × the bare loop | p50 | p99 | |\n|---|---|---|---|---|---|")
		for _, r := range rows {
			fmt.Fprintf(w, "| %s | %s | %.2f | %s | %s | %s |\n", r.peer.name, micro(r.cpu), r.cpu/rows[0].cpu, latency(r.p50), latency(r.p99), r.lost)
		}
		for _, r := range rows {
			if r.append99 > 0 {
				fmt.Fprintf(w, "\nOf the appends to Parley's log, which the others have none of, 99 of 100 took at most %s.\n", latency(r.append99))
			}
		}
	})
	b.section(w, "idle", "Idle: resident memory of a member", func() {
		n := 10000
		if b.quick {
			n = 1000
		}
		rows := b.each(b.few("daphne", "gorilla"), func(p peer) (measure, error) { return idle(p, n) })
		fmt.Fprintf(w, "| server | a member, of %d |\n|---|---|\n", n)
		for _, r := range rows {
			fmt.Fprintf(w, "| %s | %s %s |\n", r.peer.name, kilobytes(r.memory), r.lost)
		}
	})
	b.section(w, "appends", "Durable appends: 64 senders, each alone in a room, 64 messages under way in each", func() {
		bare, err := inserts(b.long)
		if err != nil {
			bare.lost = "FAILED: " + err.Error()
		}
		b.note("bare inserts", bare)
		rows := b.each(b.peers[:1], func(p peer) (measure, error) { return appends(p, b.long) })
		fmt.Fprintln(w, "| | a second | × bare |\n|---|---|---|")
		fmt.Fprintf(w, "| bare inserts, batches of 64, fsync | %s %s | 1 |\n", rate(bare.perSecond), bare.lost)
		fmt.Fprintf(w, "| acknowledged by parley, fsync | %s %s | %.2f |\n", rate(rows[0].perSecond), rows[0].lost, rows[0].perSecond/bare.perSecond)
	})
	b.section(w, "append-cpu", "The log alone: CPU of an append, 4,096 under way", func() {
		rows, err := appendCPU()
		if err != nil {
			b.failed = true
			fmt.Fprintln(w, "FAILED:", err)
			return
		}
		fmt.Fprintln(w, "| rooms | CPU an append |\n|---|---|")
		for _, r := range rows {
			fmt.Fprintf(os.Stderr, "  %s rooms %s µs\n", r[0], r[1])
			fmt.Fprintf(w, "| %s | %s µs |\n", r[0], r[1])
		}
	})
	cluster := "cluster"
	for _, part := range parts {
		if b.wanted.MatchString("cluster-" + part) {
			cluster = "cluster-" + part
		}
	}
	b.section(w, cluster, "Several servers on PostgreSQL", func() {
		if err := b.cluster(w); err != nil {
			b.failed = true
			fmt.Fprintln(w, "\nFAILED:", err)
		}
	})
	b.section(w, "bystander", "A bystander's round trip while strangers attack, from one address and from 16", func() {
		fmt.Fprintln(w, "| attack | addresses | quiet p50 | p99 | twin p50 | p99 | attacked p50 | p99 | |\n|---|---|---|---|---|---|---|---|---|")
		each, addresses, tries := b.long/2, []int{1, 16}, 3
		if b.quick {
			each, addresses, tries = time.Second/2, []int{16}, 1
		}
		err := hostile(withDefaults(b.peers[0], b.binary), each, addresses, tries, func(u underAttack) {
			verdict := u.during.lost
			if verdict == "" && !u.fine() {
				verdict = "over"
			}
			b.note(fmt.Sprint(u.name, ", ", u.addresses), u.during)
			fmt.Fprintf(w, "| %s | %d | %s | %s | %s | %s | %s | %s | %s |\n", u.name, u.addresses,
				latency(u.quiet.p50), latency(u.quiet.p99), latency(u.twin.p50), latency(u.twin.p99),
				latency(u.during.p50), latency(u.during.p99), verdict)
		})
		if err != nil {
			b.failed = true
			fmt.Fprintln(w, "\nFAILED:", err)
		}
	})
	b.section(w, "picture", "One picture for everyone in a room: each loads a thumbnail and 600 KiB at once, while others talk", func() {
		n := 1000
		if b.quick {
			n = 200
		}
		r, err := pictured(withDefaults(b.peers[0], b.binary), n, b.long)
		if err != nil {
			r.during.lost = "FAILED: " + err.Error()
		}
		b.note("picture", r.during)
		fmt.Fprintln(w, "| members | until everyone has it | memory a member | bystander, quiet p50 | p99 | meanwhile p50 | p99 | |\n|---|---|---|---|---|---|---|---|")
		fmt.Fprintf(w, "| %d | %.2f s | %s | %s | %s | %s | %s | %s |\n", n, r.seconds, kilobytes(r.bytes),
			latency(r.quiet.p50), latency(r.quiet.p99), latency(r.during.p50), latency(r.during.p99), r.during.lost)
	})
	b.section(w, "storm", "Reconnect storm: everyone cut at once, each 100 messages behind", func() {
		n := 5000
		if b.quick {
			n = 500
		}
		r := b.each(b.peers[:1], func(p peer) (measure, error) { return storm(p, n, 100) })[0]
		fmt.Fprintf(w, "| members | until everyone has everything | memory peak | |\n|---|---|---|---|\n| %d | %.2f s | %.2f × steady | %s |\n", n, r.seconds, r.peak, r.lost)
	})
	if b.quick {
		return
	}
	b.section(w, "crowd", "10,000 members in one room, 1 message a second", func() {
		r := b.each(b.peers[:1], func(p peer) (measure, error) { return paced(p, 10000, 1, 8*time.Second) })[0]
		fmt.Fprintf(w, "| p50 | p99 | CPU a delivery | |\n|---|---|---|---|\n| %s | %s | %s | %s |\n", latency(r.p50), latency(r.p99), micro(r.cpu), r.lost)
	})
	b.section(w, "growth", "Adding rooms: 10 members in each, 500 messages a second in all", func() {
		counts := []int{1, 10, 100, 1000}
		list, err := growth(b.peers[0], counts, 500, b.long)
		fmt.Fprintln(w, "| rooms | CPU a delivery | |\n|---|---|---|")
		for i, m := range list {
			b.note(fmt.Sprint(counts[i], " rooms"), m)
			fmt.Fprintf(w, "| %d | %s | %s |\n", counts[i], micro(m.cpu), m.lost)
		}
		if err != nil {
			b.failed = true
			fmt.Fprintln(w, "FAILED:", err)
		}
	})
	b.section(w, "curve", "Deliveries a second against members of one room", func() {
		for _, p := range few {
			c := curve{name: p.name}
			for _, n := range []int{10, 100, 1000} {
				m, err := saturated(p, 1, n, b.long/3)
				if err != nil {
					m.lost = "FAILED: " + err.Error()
				}
				b.note(fmt.Sprint(p.name, " ", n), m)
				c.points = append(c.points, point{float64(n), m.perSecond})
			}
			b.curves = append(b.curves, c)
		}
		fmt.Fprintln(w, "![deliveries a second against members](deliveries.svg)")
	})
}

// only returns the named peers.
func (b *bench) only(names ...string) (peers []peer) {
	for _, p := range b.peers {
		if slices.Contains(names, p.name) {
			peers = append(peers, p)
		}
	}
	return peers
}

// few leaves out the named peers.
func (b *bench) few(names ...string) (peers []peer) {
	for _, p := range b.peers {
		if !slices.Contains(names, p.name) {
			peers = append(peers, p)
		}
	}
	return peers
}

// ratios prints a saturated scenario; the first row is Parley.
func ratios(w io.Writer, rows []row) {
	fmt.Fprintln(w, "| server | | deliveries/s | Parley is × | CPU a delivery | Parley is × | |\n|---|---|---|---|---|---|---|")
	for _, r := range rows {
		fmt.Fprintf(w, "| %s | %s | %s | %.1f | %s | %.2f | %s |\n", r.peer.name, r.peer.version, rate(r.perSecond),
			rows[0].perSecond/r.perSecond, micro(r.cpu), rows[0].cpu/r.cpu, r.lost)
	}
}

func rate(perSecond float64) string {
	switch {
	case perSecond == 0:
		return ""
	case perSecond >= 1e6:
		return fmt.Sprintf("%.2f M", perSecond/1e6)
	}
	return fmt.Sprintf("%.0f k", perSecond/1e3)
}

func micro(seconds float64) string {
	if seconds == 0 || math.IsNaN(seconds) || math.IsInf(seconds, 0) {
		return ""
	}
	return fmt.Sprintf("%.2f µs", seconds*1e6)
}

func latency(d time.Duration) string {
	if d == 0 {
		return ""
	}
	return d.Round(10 * time.Microsecond).String()
}

func kilobytes(bytes float64) string {
	if bytes == 0 {
		return ""
	}
	return fmt.Sprintf("%.1f KB", bytes/1024)
}

func processor() string {
	info, _ := os.ReadFile("/proc/cpuinfo")
	for line := range strings.Lines(string(info)) {
		if name, ok := strings.CutPrefix(line, "model name"); ok {
			return strings.TrimSpace(strings.TrimPrefix(strings.TrimSpace(name), ":"))
		}
	}
	return runtime.GOARCH
}
