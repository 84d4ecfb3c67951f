package main

import (
	"errors"
	"fmt"
	"io"
	"math"
	"os"
	"os/exec"
	"regexp"
	"strconv"
	"strings"
)

// kind is servers that share a store, and what they are called.
type kind struct {
	name   string
	peer   peer
	store  store
	counts []int // of servers
}

// parts of cluster, which can be run alone: as cluster-appends, for example.
var parts = []string{"members", "hot", "appends", "model"}

// cluster prints what servers that share a log cost, in the tables of docs/scale.md. Those
// of a part that fails are left as they are.
func (b *bench) cluster(w io.Writer) error {
	db, err := startPostgres()
	if err != nil {
		return err
	}
	defer db.stop()
	shared := kind{"Parley, PostgreSQL", parley(b.binary), db, []int{1, 2, 3}}
	if b.quick {
		return b.members(w, []kind{shared})
	}
	memory, err := startRedis(false)
	if err != nil {
		return err
	}
	defer memory.stop()
	disk, err := startRedis(true)
	if err != nil {
		return err
	}
	defer disk.stop()
	inMemory := kind{"centrifuge, Redis in memory", centrifugeOn(), memory, []int{1, 2, 3}}
	synced := kind{"centrifuge, Redis that syncs", centrifugeOn(), disk, []int{3}}
	var cases []appendCase
	var errs []error
	for _, part := range parts {
		if !b.wanted.MatchString("cluster") && !b.wanted.MatchString("cluster-"+part) {
			continue
		}
		fmt.Fprintln(os.Stderr, part)
		var err error
		switch part {
		case "members":
			err = b.members(w, []kind{shared, inMemory, synced})
		case "hot":
			alone, both, nodes := kind{"Parley, SQLite", shared.peer, nil, []int{1}}, shared, inMemory
			both.counts, nodes.counts = []int{1, 3}, []int{3}
			err = b.hotRoom(w, []kind{alone, both, nodes, synced})
		case "appends":
			cases, err = logAppends()
			b.appended(w, cases)
		case "model":
			err = b.scale(w, shared, cases)
		}
		if err != nil {
			errs = append(errs, fmt.Errorf("%s: %w", part, err))
		}
	}
	return errors.Join(errs...)
}

// members prints what a delivery costs each server, and what it costs all that somebody
// comes or goes.
func (b *bench) members(w io.Writer, kinds []kind) error {
	const size, perSecond, comers = 300, 100, 5
	deliveries := newTable("", "servers", "CPU a delivery at the first", "at the last", "the last × one server", "the store's CPU a message", "Parley's servers are ×", "")
	presence := newTable("", "servers", "members", "the servers' CPU a change", "for each member", "the store's CPU a change", "frames for a change", "Parley is ×")
	parleys := make(map[int][2]float64) // what a delivery and a change cost Parley, by servers
	for _, k := range kinds {
		one := math.NaN()
		for _, n := range k.counts {
			f, err := assemble(k.peer, k.store, n, n, 1, size, nil)
			if err != nil {
				return err
			}
			defer f.stop()
			if err := f.warm(1, 1); err != nil {
				return err
			}
			rest := f.rest(b.long * 2 / 3)
			u, lost, err := f.pace(1, 1, perSecond, b.long)
			if err != nil {
				return err
			}
			first, last := u.servers[0]/float64(u.deliveries[0]), u.servers[n-1]/float64(u.deliveries[n-1])
			if n == 1 {
				one = first
			}
			if k.name == kinds[0].name && n == 2 {
				b.second = last / one
			}
			b.note(fmt.Sprint(k.name, ", ", n), measure{cpu: last, lost: lost})
			of := u.all() / (perSecond * b.long.Seconds() * float64(n*size))
			store := (u.store - rest.store/rest.seconds*u.seconds) / (perSecond * b.long.Seconds())
			if b.quick {
				deliveries.row(k.name, strconv.Itoa(n), micro(first), micro(last), times(last/one), micro(store), "", lost)
				f.stop()
				continue
			}
			change, told, err := f.comings(comers, rest)
			f.stop()
			if err != nil {
				return err
			}
			const changes = 2 * comers // each comes, and goes
			cpu := change.all() / changes
			if k.name == kinds[0].name {
				parleys[n] = [2]float64{of, cpu}
			}
			deliveries.row(k.name, strconv.Itoa(n), micro(first), micro(last), times(last/one), micro(store), times(parleys[n][0]/of), lost)
			presence.row(k.name, strconv.Itoa(n), strconv.Itoa(n*size), millis(cpu), micro(cpu/float64(n*size)), millis(change.store/changes),
				times(told/changes), times(parleys[n][1]/cpu))
		}
	}
	b.table(w, "deliveries", fmt.Sprintf("A room with %d members at each server, %d messages a second, all sent at the first:", size, perSecond), deliveries)
	if !b.quick {
		b.table(w, "presence", "Somebody comes to that room or goes, twice a second:", presence)
	}
	return nil
}

// hotRoom prints what one room takes in which everybody talks.
func (b *bench) hotRoom(w io.Writer, kinds []kind) error {
	const members = 60
	t := newTable("", "servers", "messages/s", "× SQLite", "p50", "p99", "the servers' CPU a message", "the store's", "")
	var sqlite float64
	for _, k := range kinds {
		for _, n := range k.counts {
			m, store, err := hot(k.peer, k.store, n, members/n, b.long)
			if err != nil {
				return err
			}
			if sqlite == 0 {
				sqlite = m.perSecond
			}
			b.note(fmt.Sprint(k.name, ", ", n), m)
			t.row(k.name, strconv.Itoa(n), fmt.Sprintf("%.0f", m.perSecond), times(m.perSecond/sqlite), latency(m.p50), latency(m.p99), micro(m.cpu), micro(store), m.lost)
		}
	}
	b.table(w, "hot", fmt.Sprintf("A hot room: %d members, dealt out to the servers, all of whom keep 4 messages under way:", members), t)
	return nil
}

// appendCase is what the log's benchmark measured for one case.
type appendCase struct {
	log      string // sqlite, postgres or standby
	servers  int
	underWay string
	hot      bool

	perSecond, p50, p99   float64 // milliseconds
	cpu, databases        float64 // microseconds of an append
	writeAhead, rowsBytes float64 // bytes of an append
}

// logAppends runs the benchmark of both logs, in the module above. It also returns what was
// measured before an error.
func logAppends() (cases []appendCase, err error) {
	var out []byte
	var failed error
	for _, of := range []struct{ underWay, appends string }{{"64", "30000x"}, {"2048", "600000x"}} { // each takes some seconds
		cmd := exec.Command("go", "test", "-run", "^$", "-bench", "^BenchmarkAppend$/./_servers/^"+of.underWay+"$", "-benchtime", of.appends, "./server/pglog")
		cmd.Dir = ".."
		part, err := cmd.CombinedOutput()
		if err != nil {
			failed = fmt.Errorf("%w: %s", err, part)
		}
		out = append(out, part...)
	}
	for line := range strings.Lines(string(out)) {
		name, rest, ok := strings.Cut(line, "\t")
		if name, ok = strings.CutPrefix(strings.TrimSpace(name), "BenchmarkAppend/"); !ok {
			continue
		}
		if !strings.Contains(rest, "appends/s") {
			continue // it failed
		}
		parts := strings.Split(regexp.MustCompile(`-\d+$`).ReplaceAllString(name, ""), "/")
		if len(parts) < 3 {
			return nil, fmt.Errorf("a case of the benchmark has another name: %s", line)
		}
		c := appendCase{log: parts[0], underWay: parts[2], hot: len(parts) > 3}
		if _, err := fmt.Sscanf(parts[1], "%d_servers", &c.servers); err != nil {
			return nil, fmt.Errorf("a case of the benchmark has another name: %s", line)
		}
		for unit, to := range map[string]*float64{"appends/s": &c.perSecond, "p50-ms": &c.p50, "p99-ms": &c.p99, "cpu-µs/op": &c.cpu,
			"database-cpu-µs/op": &c.databases, "wal-B/op": &c.writeAhead, "rows-B/op": &c.rowsBytes} {
			m := regexp.MustCompile(`\s([0-9.e+]+) ` + unit + `\b`).FindStringSubmatch(rest)
			if m == nil {
				return nil, fmt.Errorf("the benchmark has no %s: %s", unit, line)
			}
			if *to, err = strconv.ParseFloat(m[1], 64); err != nil {
				return nil, err
			}
		}
		cases = append(cases, c)
	}
	return cases, failed
}

// String is what a case is called.
func (c appendCase) String() string {
	name := map[string]string{"sqlite": "SQLite", "postgres": "one PostgreSQL", "standby": "with a synchronous standby"}[c.log]
	if c.servers > 1 {
		name += fmt.Sprintf(", %d servers", c.servers)
	}
	if c.hot {
		name += ", half of it in one room"
	}
	return name
}

// appended prints what the log's benchmark measured.
func (b *bench) appended(w io.Writer, cases []appendCase) {
	if len(cases) == 0 {
		return
	}
	t := newTable("log", "under way", "appends/s", "× SQLite", "p50", "p99", "Parley's CPU an append", "the databases'")
	sqlite := make(map[string]float64) // by what is under way
	for _, c := range cases {
		if c.log == "sqlite" {
			sqlite[c.underWay] = c.perSecond
		}
		ratio := c.perSecond / sqlite[c.underWay]
		if sqlite[c.underWay] == 0 {
			ratio = math.NaN()
		}
		t.row(c.String(), c.underWay, fmt.Sprintf("%.0f", c.perSecond), times(ratio), millis(c.p50/1e3), millis(c.p99/1e3),
			fmt.Sprintf("%.1f µs", c.cpu), fmt.Sprintf("%.1f µs", c.databases))
		if c.log == "standby" && c.underWay == "2048" && !c.hot {
			b.reach[c.servers] = ratio
		}
	}
	b.table(w, "appends", "The log alone, 100 rooms, texts of 100 bytes, all waiting for their disks:", t)
}

func times(ratio float64) string {
	if math.IsNaN(ratio) {
		return ""
	}
	return fmt.Sprintf("%.2f", ratio)
}

func millis(seconds float64) string { return fmt.Sprintf("%.1f ms", seconds*1e3) }
