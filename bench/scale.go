package main

import (
	"fmt"
	"io"
	"math"
	"strconv"
	"strings"
)

// What costs: the model is a sum of these, each times what it costs.
const (
	aDatabase = iota // for a second
	aSecond          // of a server that runs
	aDelivery        // to one member
	aMessage         // that is added, in a commit of its own
	aTelling         // of a message, if there are other servers
	aHearing         // of a message at another server
	aReading         // besides, where the room has members
	costs
)

var costNames = [costs]string{"the databases, for a second", "a server, for a second", "a delivery", "a message, in a commit of its own",
	"a message that other servers are told of", "a message, at each other server", "besides, where the room has members"}

// work is how much of each was done.
type work [costs]float64

// model is what each costs, in seconds of CPU.
type model struct{ servers, databases [costs]float64 }

// load is what is asked of servers.
type load struct {
	servers, crowded, senders int // the first ones have members, and the first ones of these send
	rooms, size               int // members of a room at each of the crowded servers
	perSecond                 float64
}

func (l load) String() string {
	return fmt.Sprintf("%d servers, members at %d, %d rooms of %d, %.0f messages/s from %d",
		l.servers, l.crowded, l.rooms, l.size*l.crowded, l.perSecond, l.senders)
}

// observation is what work was done, and what CPU it took.
type observation struct {
	work work
	cpu  float64
}

// observed is what each server did, and what all did that costs the databases.
func observed(l load, messages float64, u usage) (servers []observation, databases observation) {
	for i := range u.servers {
		var did work
		did[aSecond], did[aDelivery] = u.seconds, float64(u.deliveries[i])
		if i < l.senders {
			did[aMessage] = messages / float64(l.senders)
		}
		if l.servers > 1 {
			did[aTelling] = did[aMessage]
		}
		did[aHearing] = messages - did[aMessage]
		if i < l.crowded {
			did[aReading] = did[aHearing]
		}
		servers = append(servers, observation{did, u.servers[i]})
		for k := range did {
			databases.work[k] += did[k]
		}
	}
	databases.work[aDatabase], databases.work[aDelivery] = u.seconds, 0
	databases.cpu = u.store
	return servers, databases
}

// shapes are the loads that the model is made from: each has much of something that the
// others have little of. A commit costs the less, the more often there is one, so a server
// that sends gets as many messages a second as in the trials.
var shapes = []load{
	{1, 1, 1, 10, 10, 30},
	{1, 1, 1, 10, 60, 30},
	{2, 2, 2, 20, 10, 60},
	{3, 3, 3, 30, 10, 90},
	{3, 1, 1, 10, 10, 30},
}

// learn adds what the shapes cost.
func (b *bench) learn(k kind, servers, databases *[]observation) error {
	for _, l := range shapes {
		f, err := assemble(k.peer, k.store, l.servers, l.crowded, l.rooms, l.size, nil)
		if err != nil {
			return err
		}
		if err := f.warm(l.rooms, l.senders); err != nil {
			f.stop()
			return err
		}
		rest := f.rest(b.long * 2 / 3)
		u, lost, err := f.pace(l.rooms, l.senders, l.perSecond, b.long)
		f.stop()
		if err != nil {
			return err
		}
		b.note(l.String(), measure{lost: lost})
		for _, of := range []struct {
			usage
			messages float64
		}{{rest, 0}, {u, l.perSecond * b.long.Seconds()}} {
			s, d := observed(l, of.messages, of.usage)
			*servers, *databases = append(*servers, s...), append(*databases, d)
		}
	}
	return nil
}

// fit returns the costs, none below zero, that explain the observations best: by least
// squares, each weighed by what it took.
func fit(seen []observation) (cost [costs]float64) {
	var out [costs]bool // costs that are none
	for k := range costs {
		out[k] = true
		for _, o := range seen {
			out[k] = out[k] && o.work[k] == 0
		}
	}
	for {
		var a [costs][costs + 1]float64 // the normal equations
		for _, o := range seen {
			weight := 1 / math.Max(o.cpu, 1e-4)
			for i := range costs {
				if out[i] {
					continue
				}
				for j := range costs {
					if !out[j] {
						a[i][j] += weight * o.work[i] * o.work[j]
					}
				}
				a[i][costs] += weight * o.work[i] * o.cpu
			}
		}
		for i := range costs {
			if out[i] {
				a[i][i] = 1
			}
		}
		cost = solve(a)
		least := 0
		for k := range costs {
			if cost[k]*total(seen, k) < cost[least]*total(seen, least) {
				least = k
			}
		}
		if cost[least] >= 0 {
			return cost
		}
		out[least] = true
	}
}

func total(seen []observation, k int) (sum float64) {
	for _, o := range seen {
		sum += o.work[k]
	}
	return sum
}

// solve is Gauss's elimination.
func solve(a [costs][costs + 1]float64) (x [costs]float64) {
	for i := range costs {
		p := i
		for j := i + 1; j < costs; j++ {
			if math.Abs(a[j][i]) > math.Abs(a[p][i]) {
				p = j
			}
		}
		a[i], a[p] = a[p], a[i]
		if a[i][i] == 0 {
			continue // nothing was seen that tells
		}
		for j := range costs {
			if j == i {
				continue
			}
			by := a[j][i] / a[i][i]
			for k := i; k <= costs; k++ {
				a[j][k] -= by * a[i][k]
			}
		}
	}
	for i := range costs {
		if a[i][i] != 0 {
			x[i] = a[i][costs] / a[i][i]
		}
	}
	return x
}

// predict returns what servers and databases need for a load, in cores: each message in a
// commit of its own, from a member at any of the servers.
func (m model) predict(servers int, messages, deliveries, reading float64) (cores, databases float64) {
	did := work{aDatabase: 1, aSecond: float64(servers), aDelivery: deliveries, aMessage: messages,
		aHearing: messages * float64(servers-1), aReading: messages * reading}
	if servers > 1 {
		did[aTelling] = messages
	}
	for k := range costs {
		cores += did[k] * m.servers[k]
		databases += did[k] * m.databases[k]
	}
	return cores, databases
}

// trial is how a load went that the model was not made from.
type trial struct {
	seconds, said, commits, servers, databases float64
	lost                                       string
}

// Members of a room of the trials; rooms and messages a second for each server.
const (
	trialRoom  = 48
	trialRooms = 10
	trialSays  = 30.0
)

// try has people at all of n servers talk in the same rooms, and adds what it costs.
func (b *bench) try(k kind, n int, t *trial) error {
	f, err := assemble(k.peer, k.store, n, n, trialRooms*n, trialRoom/n, nil)
	if err != nil {
		return err
	}
	defer f.stop()
	if err := f.warm(trialRooms*n, n); err != nil {
		return err
	}
	f.rest(b.long * 2 / 3) // as after the shapes were warmed up: what so many arrivals leave to do is not the load's
	u, lost, err := f.pace(trialRooms*n, n, trialSays*float64(n), b.long)
	if err != nil {
		return err
	}
	b.note(fmt.Sprint(n, " ×"), measure{lost: lost})
	t.seconds += u.seconds
	t.said += trialSays * float64(n) * b.long.Seconds()
	for _, c := range u.commits {
		t.commits += c
	}
	t.servers += u.all()
	t.databases += u.store
	t.lost += lost
	return nil
}

// scale prints the model, how far it holds, and what follows from it.
func (b *bench) scale(w io.Writer, k kind, appends []appendCase) error {
	sizes := []int{1, 2, 4}
	trials := make([]trial, len(sizes))
	var servers, databases []observation
	for range 5 { // so that a machine that gets slower or faster meanwhile does so for both
		if err := b.learn(k, &servers, &databases); err != nil {
			return err
		}
		for i, n := range sizes {
			if err := b.try(k, n, &trials[i]); err != nil {
				return err
			}
		}
	}
	m := model{fit(servers), fit(databases)}
	t := newTable("", "Parley's CPU", "the databases'")
	for i, name := range costNames {
		own, theirs := fmt.Sprintf("%.1f µs", m.servers[i]*1e6), fmt.Sprintf("%.0f µs", m.databases[i]*1e6)
		switch i {
		case aDatabase:
			own = ""
		case aDelivery:
			theirs = ""
		}
		t.row(name, own, theirs)
	}
	b.table(w, "model", "The model: what each costs.", t)

	t = newTable("servers", "members", "messages/s", "Parley's CPU: predicted", "measured", "×", "the databases': predicted", "measured", "×",
		"both: ×", "messages in a commit", "")
	for i, n := range sizes {
		r := trials[i]
		said := r.said / r.seconds
		cores, store := m.predict(n, said, said*trialRoom, float64(n-1))
		own, theirs := r.servers/r.seconds, r.databases/r.seconds
		t.row(strconv.Itoa(n), strconv.Itoa(trialRooms*n*trialRoom), fmt.Sprintf("%.0f", trialSays*float64(n)), millis(cores)+"/s", millis(own)+"/s", times(cores/own),
			millis(store)+"/s", millis(theirs)+"/s", times(store/theirs), times((cores+store)/(own+theirs)), times(r.said/r.commits), r.lost)
		for _, ratio := range []float64{cores / own, store / theirs} {
			b.off = math.Max(b.off, math.Abs(ratio-1))
		}
	}
	b.table(w, "check", fmt.Sprintf("The model against loads that it was not made from: rooms of %d, whose members are spread over all servers.", trialRoom), t)

	if len(appends) == 0 { // neither the aims nor the bytes of a message are known
		return nil
	}
	t = newTable("", "aim", "here")
	t.row("appends at 2,048 under way: one Parley with a standby, × SQLite", "≥ 1.0", measured(b.reach[1]))
	t.row("three over the same rooms, × SQLite", "≥ 0.5", measured(b.reach[3]))
	t.row("a delivery's CPU on a second server, × one server's", "≤ 1.3", measured(b.second))
	t.row("the model's worst error at 1, 2, 4 servers", "≤ 20 %", fmt.Sprintf("%.0f %%", b.off*100))
	b.table(w, "aims", "Aims:", t)

	b.table(w, "scale", "Computed from the model:", m.far(appends))
	return nil
}

func measured(ratio float64) string {
	if ratio == 0 {
		return "not measured"
	}
	return times(ratio)
}

// What the computed table takes for granted.
const (
	saysEvery  = 600.0   // seconds between two messages of a member
	inRoom     = 50.0    // members of a room
	ofServer   = 50000.0 // members that a server takes
	onWire     = 300.0   // bytes of a delivery
	fewServers = 2.0     // so that one may end
)

// far is what more members need than fit on this machine.
func (m model) far(appends []appendCase) *table {
	var of appendCase
	for _, c := range appends {
		if c.log == "standby" && c.servers == 1 && c.underWay == "64" {
			of = c
		}
	}
	t := newTable("members", "messages/s", "deliveries/s", "servers", "Parley's cores", "databases' cores", "with each room at one server: Parley's", "databases'",
		"traffic to members", "write-ahead log", "rows a day")
	for _, members := range []float64{1e4, 1e5, 1e6, 1e7} {
		messages := members / saysEvery
		deliveries := messages * inRoom
		servers := math.Max(fewServers, math.Ceil(members/ofServer))
		with := servers * (1 - math.Pow(1-1/servers, inRoom)) // that have members of a room
		cores, databases := m.predict(int(servers), messages, deliveries, with-1)
		coresAtOne, databasesAtOne := m.predict(int(servers), messages, deliveries, 0)
		t.row(thousands(members), thousands(messages), thousands(deliveries), thousands(servers), significant(cores), significant(databases),
			significant(coresAtOne), significant(databasesAtOne), thousands(deliveries*onWire*8/1e6)+" Mbit/s",
			significant(messages*of.writeAhead/1e6)+" MB/s", significant(messages*86400*of.rowsBytes/1e9)+" GB")
	}
	return t
}

// thousands writes a number that is rounded, with commas.
func thousands(v float64) string {
	s := strconv.Itoa(int(math.Round(v)))
	for i := len(s) - 3; i > 0; i -= 3 {
		s = s[:i] + "," + s[i:]
	}
	return s
}

// significant writes two digits that count.
func significant(v float64) string {
	s := strconv.FormatFloat(v, 'g', 2, 64)
	if strings.Contains(s, "e") {
		return thousands(v)
	}
	return s
}
