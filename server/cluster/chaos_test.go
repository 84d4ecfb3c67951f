//go:build linux

package cluster

import (
	"context"
	"encoding/json"
	"flag"
	"fmt"
	"maps"
	"math/rand/v2"
	"os"
	"os/exec"
	"os/signal"
	"slices"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"parley/server/pglog"
	"parley/shared"
	"parley/shared/servertest"
)

var (
	duration = flag.Duration("chaos", 0, "how long TestChaos makes faults at random; 0 makes each once, in a fixed order")
	seed     = flag.Uint64("seed", 0, "of TestChaos; 0 is another each time")
	crowd    = flag.Int("people", 300, "in TestChaos")
)

// TestChaos sets up the three machines of docs/cluster, each with etcd, Patroni,
// PostgreSQL and a server, has people talk at random servers, and change the server
// whenever their connection ends. Servers, databases, cables and whole machines fail.
// Whatever was acknowledged is there once, everyone sees the same in one order and can
// resume, and everyone is counted in the end.
func TestChaos(t *testing.T) {
	if !servertest.InNamespace(t) {
		return
	}
	w := newWorld(t)
	w.flow(len(w.people))
	w.renew(named(w.machines, "b"))
	for _, f := range faults {
		if *duration == 0 && !f.slow {
			w.inject(f)
		}
	}
	for end := time.Now().Add(*duration); *duration > 0 && time.Now().Before(end); {
		f := faults[w.random.IntN(len(faults))]
		if w.random.IntN(3) == 0 {
			f = f.after(faults[0])
		}
		w.inject(f)
	}
	w.finish()
}

// fault is something that goes wrong, and goes well again.
type fault struct {
	name string
	make func(*world)

	// within is how long nothing may be acknowledged; 0 leaves it open. It is for a
	// machine that does nothing else, so the test fails above patienceFor times that.
	within time.Duration

	soon bool // it may begin before all is well again
	slow bool // it is only made at random: others are like it
}

const patienceFor = 3

// after is a fault that follows another one at once.
func (f fault) after(first fault) fault {
	both := f
	both.name = first.name + ", " + f.name
	both.make = func(w *world) { first.make(w); f.make(w) }
	return both
}

// faults has the one first that others may follow at once. Those that may begin soon
// come after others that take long to get well.
var faults = []fault{
	{name: "a server is killed", soon: true, make: func(w *world) {
		w.machine().signal(syscall.SIGKILL, isParley)
	}},
	{name: "the synchronous standby is stopped", make: func(w *world) {
		m := w.with("sync_standby")
		m.signal(syscall.SIGSTOP, isDatabase)
		defer m.signal(syscall.SIGCONT, isDatabase)
		w.flow(20)
	}},
	{name: "the synchronous standby's machine dies", slow: true, make: func(w *world) {
		m := w.with("sync_standby")
		m.off()
		defer m.boot()
		w.flow(20)
	}},
	{name: "the synchronous standby's machine loses its disk", make: func(w *world) {
		m, other := w.with("sync_standby"), w.with("leader")
		m.off()
		defer m.boot()
		m.must("", "rm -rf /var/lib/etcd/parley /var/lib/postgresql/* /var/lib/parley/*")
		commands := replace(w.t, section(w.t, "name=b address=10.0.0.12\nexport ", "```"), "//10.0.0.11", "//"+other.address)
		commands = replace(w.t, commands, "name=b address=10.0.0.12", "name="+m.name+" address="+m.address)
		const elected = "until etcdctl endpoint health; do sleep 0.2; done\n" // the machine died just now
		other.must("", "set -e\n"+replace(w.t, commands, "etcdctl member remove", elected+"etcdctl member remove"))
		m.must("", section(w.t, "echo ETCD_INITIAL_CLUSTER_STATE", "```"))
		w.flow(20)
	}},
	{name: "a machine without the primary is cut off", slow: true, make: func(w *world) {
		m := w.with("replica")
		name := w.serverIn(m)
		m.link("down")
		defer m.link("up")
		w.await("its server is taken for dead", func() bool { return !w.isAlive(name) })
		w.flow(20)
	}},
	{name: "PostgreSQL is killed where the primary is", within: 15 * time.Second, make: func(w *world) {
		w.with("leader").signal(syscall.SIGKILL, isPostmaster)
	}},
	{name: "a server ends in good order and begins anew", soon: true, make: func(w *world) {
		m := w.machine()
		pids := m.processes(isParley)
		m.signal(syscall.SIGTERM, isParley)
		w.await("it has begun anew", func() bool {
			now := m.processes(isParley)
			return len(now) > 0 && !slices.Equal(now, pids)
		})
	}},
	{name: "the primary is stopped, another one promoted, and the old one wakes", make: func(w *world) {
		m := w.with("leader")
		m.signal(syscall.SIGSTOP, isDatabase)
		defer m.signal(syscall.SIGCONT, isDatabase)
		w.flow(20)
	}},
	{name: "the primary's machine is cut off for a moment", slow: true, make: func(w *world) {
		m := w.with("leader")
		m.link("down")
		defer m.link("up")
		w.sleep(moment)
	}},
	{name: "the primary's machine is cut off until another one is promoted", within: 40 * time.Second, make: func(w *world) {
		m := w.with("leader")
		m.link("down")
		defer m.link("up")
		w.flow(20)
	}},
	{name: "the primary's machine is cut off, and the next one's dies when the first is back", slow: true, make: func(w *world) {
		m := w.with("leader")
		m.link("down")
		w.flow(20)
		others := slices.DeleteFunc(slices.Clone(w.machines), func(other *machine) bool { return other == m })
		var next, third *machine
		w.await("the next primary has a standby", func() bool {
			said := members(others)
			next, third = withRole(w.machines, said, "leader"), withRole(w.machines, said, "sync_standby")
			return next != nil && third != nil && next != m && third != m
		})
		m.link("up")
		w.sleep(time.Duration(w.random.Int64N(int64(2 * moment))))
		next.off()
		defer next.boot()
		w.await("the third is promoted", func() bool { return withRole(w.machines, members([]*machine{third}), "leader") == third })
	}},
	{name: "all databases are stopped for a moment", soon: true, make: func(w *world) {
		for _, m := range w.machines {
			m.signal(syscall.SIGSTOP, isDatabase)
			defer m.signal(syscall.SIGCONT, isDatabase)
		}
		w.sleep(moment)
	}},
	{name: "the primary's machine dies", within: 40 * time.Second, make: func(w *world) {
		m := w.with("leader")
		m.off()
		defer m.boot()
		w.flow(20)
	}},
	{name: "a server is stopped until it is taken for dead", soon: true, make: func(w *world) {
		m := w.machine()
		name := w.serverIn(m)
		m.signal(syscall.SIGSTOP, isParley)
		w.update(func() { w.asleep[m.address] = time.Now().Add(tooLong) })
		w.await("it is taken for dead", func() bool { return !w.isAlive(name) })
		m.signal(syscall.SIGCONT, isParley)
		w.update(func() { w.asleep[m.address] = time.Now() })
	}},
}

// moment is longer than Patroni waits for etcd, and shorter than a primary is one without
// being heard of.
const moment = 4 * time.Second

// world is the machines, the people, and what is known of the log.
type world struct {
	t        *testing.T
	ctx      context.Context // ends with Ctrl-C
	random   *rand.Rand      // of the faults
	machines []*machine
	people   []*person
	over     time.Time // when the last fault was

	mu       sync.Mutex
	changed  sync.Cond
	quiet    bool
	problems int
	at       map[string]map[string]int64 // by room and id, the offset
	ids      map[string]map[int64]string // by room and offset
	heads    map[string][]head           // by room, the oldest first, one a second
	asleep   map[string]time.Time        // until when a server slept, by its address
	counts   counts
	last     time.Time     // that something was acknowledged, or a fault began
	longest  time.Duration // that nothing was, during a fault
	flowed   time.Duration // how long people could say something
	acked    map[string]int64
}

// head is what was known of a room's log at a time of world.flowed.
type head struct {
	at     time.Duration
	offset int64
}

type counts struct{ acknowledged, deliveries, resumes, gaps, filled, lost, doubled, disordered int }

// perRoom is how many people are in a room.
const perRoom = 30

func newWorld(t *testing.T) *world {
	t.Helper()
	if *seed == 0 {
		*seed = rand.Uint64()
	}
	t.Logf("go test ./server/cluster -run TestChaos -chaos %v -seed %d", *duration, *seed)
	w := &world{t: t, random: rand.New(rand.NewPCG(*seed, 0)), at: make(map[string]map[string]int64), ids: make(map[string]map[int64]string),
		heads: make(map[string][]head), asleep: make(map[string]time.Time), acked: make(map[string]int64)}
	w.changed.L = &w.mu
	var stop context.CancelFunc
	w.ctx, stop = signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	t.Cleanup(stop)
	signal.Ignore(syscall.SIGPIPE) // who reads what the test says may have ended by the same Ctrl-C
	context.AfterFunc(w.ctx, func() { w.update(func() {}) })

	began := time.Now()
	w.machines = newMachines(t)
	t.Cleanup(w.tell)
	for _, m := range w.machines {
		m.boot()
	}
	w.await("PostgreSQL has three members", func() bool { return whole(members(w.machines)) })
	w.run("CHANGE-ME-1", section(t, `psql "host=`, "```"))
	for _, m := range w.machines {
		w.await("the server on "+m.name+" is ready", m.isReady)
	}
	w.lookForPlain()
	t.Logf("the machines run after %v:\n%s", time.Since(began).Round(time.Millisecond),
		w.machines[0].must("", "patronictl -c /etc/patroni/config.yml list"))

	ctx, cancel := context.WithCancel(context.Background())
	var work sync.WaitGroup
	t.Cleanup(func() { cancel(); work.Wait() })
	for n := range *crowd {
		room := fmt.Sprint("Room ", n/perRoom)
		if w.at[room] == nil {
			w.at[room], w.ids[room] = make(map[string]int64), make(map[int64]string)
		}
		w.people = append(w.people, &person{w: w, room: room, name: fmt.Sprint("Person ", n), device: servertest.NewDevice(),
			address: fmt.Sprintf("192.168.%d.%d", n/200, 1+n%200), random: rand.New(rand.NewPCG(*seed, uint64(n+1)))})
	}
	for _, p := range w.people {
		work.Go(func() { p.run(ctx) })
	}
	return w
}

// tell says what the machines said, if the test has failed.
func (w *world) tell() {
	if !w.t.Failed() {
		return
	}
	const database = "'host=10.0.0.11,10.0.0.12,10.0.0.13 user=postgres dbname=parley target_session_attrs=read-write'"
	for _, query := range []string{
		"SELECT client_addr, pid, state, wait_event_type, wait_event, pg_blocking_pids(pid) AS blocked_by, now() - xact_start AS since, left(query, 100) AS query " +
			"FROM pg_stat_activity WHERE state <> 'idle' ORDER BY 7 DESC",
		"SELECT s.id, seen, (SELECT count(*) FROM parley.people p WHERE p.server = s.id) AS rooms FROM parley.servers s",
	} {
		cmd := exec.Command("bash", "-c", `psql -Xc "`+query+`" `+database)
		cmd.Env = append(os.Environ(), "PGPASSWORD=CHANGE-ME-1", "PGCONNECT_TIMEOUT=2")
		out, _ := cmd.CombinedOutput()
		w.t.Logf("%s", out)
	}
	for _, m := range w.machines {
		w.t.Logf("machine %s:\n%s", m.name, m.must("", "tail -n 30 /var/log/parley /var/log/postgresql; tail -n 5 /var/log/etcd"))
	}
}

// run runs a script at the proxy, with a password of PostgreSQL's.
func (w *world) run(password, script string) string {
	w.t.Helper()
	out, err := w.try(password, script)
	if err != nil {
		w.t.Fatalf("%v\n%s\n%s", err, script, out)
	}
	return out
}

// try is run that may fail.
func (w *world) try(password, script string) (string, error) {
	ca := w.machines[0].ca.file()
	cmd := exec.CommandContext(w.ctx, "bash", "-euc", strings.ReplaceAll(script, "/etc/ssl/parley/ca.crt", ca))
	cmd.Env = append(os.Environ(), "PGPASSWORD="+password, "PGCONNECT_TIMEOUT=2", "PGSSLMODE=verify-full", "PGSSLROOTCERT="+ca)
	out, err := cmd.CombinedOutput()
	return string(out), err
}

// machine is any of them.
func (w *world) machine() *machine { return w.machines[w.random.IntN(len(w.machines))] }

// with is the machine whose PostgreSQL has a role.
func (w *world) with(role string) (m *machine) {
	w.t.Helper()
	w.await("there is a "+role, func() bool {
		m = withRole(w.machines, members(w.machines), role)
		return m != nil
	})
	return m
}

// serverIn is how the other servers know the one on the machine.
func (w *world) serverIn(m *machine) string {
	w.t.Helper()
	var kept struct{ Server string }
	w.await("the server on "+m.name+" has written down its name", func() bool {
		return json.Unmarshal([]byte(m.must("", "cat /var/lib/parley/"+pglog.MarksName+" || true")), &kept) == nil && w.isAlive(kept.Server)
	})
	return kept.Server
}

// isAlive reports whether a server is not taken for dead.
func (w *world) isAlive(server string) bool {
	w.t.Helper()
	return w.query("SELECT count(*) FROM parley.servers WHERE id = '"+server+"'") != "0"
}

// query is the first value that the servers' database has, once there is one.
func (w *world) query(query string) (value string) {
	w.t.Helper()
	w.await("a primary answers", func() bool {
		out, err := w.try("CHANGE-ME-3", `psql -qXAtc "`+query+
			`" "host=10.0.0.11,10.0.0.12,10.0.0.13 user=parley dbname=parley target_session_attrs=read-write"`)
		value = strings.TrimSpace(out)
		return err == nil
	})
	return value
}

func (w *world) update(f func()) {
	w.mu.Lock()
	defer w.mu.Unlock()
	f()
	w.changed.Broadcast()
}

// until waits for what people bring about.
func (w *world) until(what string, is func() bool) {
	w.t.Helper()
	late := time.AfterFunc(tooLong, func() {
		w.update(func() {
			w.problem("it never came to this: %s", what)
			for _, p := range w.people {
				if len(p.outbox) > 0 || len(p.gaps) > 0 || p.where == "" {
					w.t.Logf("%s in %s at %q: %d under way, has seen %d but %v", p.name, p.room, p.where, len(p.outbox), p.last, p.gaps)
				}
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
		if w.ctx.Err() != nil {
			w.t.Fatal("interrupted")
		}
		w.changed.Wait()
	}
}

// await waits for what nobody tells of.
func (w *world) await(what string, is func() bool) {
	w.t.Helper()
	for deadline := time.Now().Add(tooLong); !is(); w.sleep(100 * time.Millisecond) {
		if time.Now().After(deadline) {
			w.t.Fatalf("it never came to this: %s; %+v", what, members(w.machines))
		}
	}
}

func (w *world) sleep(d time.Duration) {
	w.t.Helper()
	select {
	case <-time.After(d):
	case <-w.ctx.Done():
		w.t.Fatal("interrupted")
	}
}

// flow waits until n more messages were acknowledged.
func (w *world) flow(n int) {
	w.t.Helper()
	begin := -1
	w.until("people go on", func() bool {
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

// inject makes a fault, once all is well after the one before, and waits until people go on.
func (w *world) inject(f fault) {
	w.t.Helper()
	if !f.soon {
		w.heal()
	}
	w.update(func() { w.last, w.longest = time.Now(), 0 })
	began := time.Now()
	f.make(w)
	w.flow(20)
	w.over = time.Now()
	var silent time.Duration
	w.update(func() { silent = w.longest })
	limit := ""
	if f.within > 0 {
		limit = fmt.Sprintf(" (at most %v)", f.within)
		if silent > patienceFor*f.within {
			w.t.Errorf("%s: nothing was acknowledged for %v", f.name, silent)
		}
	}
	w.t.Logf("%s: nothing was acknowledged for %v%s; over after %v", f.name, silent.Round(10*time.Millisecond), limit,
		w.over.Sub(began).Round(10*time.Millisecond))
}

// restartAfter is how long a database may take to follow the new primary before it is
// started again, as docs/cluster/README.md says: Patroni leaves one alone for ever that
// starts, and lacks what only the last primary had.
const restartAfter = 40 * time.Second

// heal waits until everything runs on all machines.
func (w *world) heal() {
	w.t.Helper()
	began, restarted := time.Now(), false
	var all []member
	w.await("PostgreSQL has three members again", func() bool {
		if all = members(w.machines); whole(all) {
			return true
		}
		for _, is := range all {
			if m := named(w.machines, is.Name); !is.runs() && !restarted && time.Since(began) > restartAfter {
				w.t.Logf("the database on %s is started again: %+v\n%s", m.name, is, m.must("", "tail -n 60 /var/log/postgresql"))
				m.signal(syscall.SIGKILL, isDatabase)
				restarted = true
			}
		}
		return false
	})
	for _, m := range w.machines {
		w.await("the server on "+m.name+" is ready again", m.isReady)
	}
	w.t.Logf("all is well after %v more, on timeline %d", time.Since(began).Round(10*time.Millisecond), all[0].Timeline)
}

// isReady reports whether the server on the machine is.
func (m *machine) isReady() bool {
	resp, err := toMachines.Get("http://" + m.address + ":8000/readyz")
	if err != nil {
		return false
	}
	resp.Body.Close()
	return resp.StatusCode == 200
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
	heads := w.heads[room]
	if n := len(heads); n == 0 || f.Offset > heads[n-1].offset && w.flowed > heads[n-1].at+time.Second {
		w.heads[room] = append(heads, head{w.flowed, f.Offset})
	}
}

// settledAfter is how long a server that can write may take to hear of what the others
// have added.
const settledAfter = 10 * time.Second

// settled is up to where every server knows a room's log, if its database is the one that
// is written to. One that has slept itself has to be told first what it has missed. The
// caller holds mu.
func (w *world) settled(room, server string) (offset int64) {
	if time.Since(w.asleep[server]) < settledAfter {
		return 0
	}
	for _, h := range slices.Backward(w.heads[room]) {
		if h.at < w.flowed-settledAfter {
			return h.offset
		}
	}
	return 0
}

// finish has everyone say the last word and see the last one, and compares what they saw
// with what each server has.
func (w *world) finish() {
	w.t.Helper()
	w.update(func() { w.quiet = true })
	rooms := slices.Sorted(maps.Keys(w.at))
	inRoom := make(map[string][]string)
	for _, p := range w.people {
		inRoom[p.room] = append(inRoom[p.room], p.name)
	}
	for _, m := range w.machines {
		for _, room := range rooms {
			w.await("everyone in "+room+" is counted on "+m.name, func() bool { return count(m.server, room) == len(inRoom[room]) })
		}
	}
	counted := time.Since(w.over)
	w.t.Logf("everyone was counted everywhere %v after the last fault (at most 15s)", counted.Round(time.Millisecond))
	if counted > patienceFor*15*time.Second {
		w.t.Error("that is too late")
	}
	w.heal()
	w.until("everyone has seen the last message", func() bool {
		ends := make(map[string]int64)
		for _, p := range w.people {
			ends[p.room] = max(ends[p.room], p.last)
		}
		return !slices.ContainsFunc(w.people, func(p *person) bool { return len(p.outbox) > 0 || len(p.gaps) > 0 || p.last < ends[p.room] })
	})
	for _, m := range w.machines {
		for _, room := range rooms {
			w.compare(m, room)
			members := m.server.Join(room, "Newcomer on "+m.name)
			there := slices.DeleteFunc(members.Welcome.Members, func(name string) bool { return strings.HasPrefix(name, "Newcomer") })
			slices.Sort(there)
			slices.Sort(inRoom[room])
			if !slices.Equal(there, inRoom[room]) {
				w.t.Errorf("on %s, in %s are %q", m.name, room, there)
			}
			members.Conn.CloseNow()
		}
		if said := m.must("", "cat /var/log/parley"); strings.Contains(said, "DATA RACE") || strings.Contains(said, "panic:") {
			w.t.Errorf("the server on %s said:\n%s", m.name, said)
		}
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	for id, offset := range w.acked {
		if room := w.room(id); w.ids[room][offset] != id {
			w.counts.lost++
			w.problem("%q was acknowledged as %d", id, offset)
		}
	}
	c := w.counts
	w.t.Logf("%d people: acknowledged %d, deliveries %d, resumes %d, gaps %d, filled with %d: lost %d, doubled %d, out of order %d",
		len(w.people), c.acknowledged, c.deliveries, c.resumes, c.gaps, c.filled, c.lost, c.doubled, c.disordered)
	if c.gaps == 0 {
		w.t.Error("nobody missed more than a resume gives")
	}
}

// compare compares a server's log of a room with what people saw of it.
func (w *world) compare(m *machine, room string) {
	w.t.Helper()
	messages := m.server.Messages(room, 0)
	w.mu.Lock()
	defer w.mu.Unlock()
	there := make(map[string]bool)
	for n, f := range messages {
		w.note(room, f)
		if there[f.ID] = true; f.Offset != int64(n+1) {
			w.counts.disordered++
			w.problem("the server on %s has %d of %s in the place of %d", m.name, f.Offset, room, n+1)
		}
	}
	for id := range w.at[room] {
		if !there[id] {
			w.counts.lost++
			w.problem("the server on %s has no %q in %s", m.name, id, room)
		}
	}
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
