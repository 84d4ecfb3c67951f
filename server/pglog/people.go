package pglog

import (
	"context"
	"encoding/json"
	"maps"
	"slices"
	"sync"
	"time"

	"github.com/jackc/pgx/v5"

	"parley/server/chat"
	"parley/shared"
)

// people tells the other servers who is in the rooms here, and keeps what they tell. It
// is written once a second at most, for each room that changed. The table is empty after
// a crash of the database; then everyone tells it anew.
type people struct {
	log  *Log
	wake chan struct{}

	reading sync.Mutex // held while what the others tell is taken in, so that it is in order

	mu       sync.Mutex
	changed  map[string]func() chat.Gathering     // by room, since it was written
	here     map[string]func() chat.Gathering     // by room, with people in it
	there    map[string]map[string]chat.Gathering // by room and server
	alive    map[string]life
	compared map[string]string // what was said of other servers: see compare
	upTo     int64             // the newest change that was read
	times    int               // that everything was to be told and read anew
	anew     bool              // everything is to be told
	watched  time.Time         // when it was last looked who goes on

	telling sync.Mutex // held while followers are told, so that the newest comes last
}

// life is when a server was last seen to go on, by this server's own clock.
type life struct {
	seen int64
	at   time.Time
	over bool // its people are not there any more
}

// lapsesAfter is how long a server does not go on before its people are not there any
// more.
const lapsesAfter = 5 * time.Second

func newPeople(l *Log) *people {
	return &people{
		log: l, wake: make(chan struct{}, 1),
		changed: make(map[string]func() chat.Gathering), here: make(map[string]func() chat.Gathering),
		there: make(map[string]map[string]chat.Gathering), alive: make(map[string]life), compared: make(map[string]string),
	}
}

// Gather implements chat.Cluster.
func (l *Log) Gather(room string, who func() chat.Gathering) {
	p := l.people
	p.mu.Lock()
	p.changed[room], p.here[room] = who, who
	p.mu.Unlock()
	p.rouse()
}

// Gatherings implements chat.Cluster.
func (l *Log) Gatherings() (all []chat.Gathering) {
	p := l.people
	p.mu.Lock()
	defer p.mu.Unlock()
	for _, servers := range p.there {
		var sum chat.Gathering
		for _, g := range servers {
			g.Count, g.People = g.Count+sum.Count, slices.Concat(sum.People, g.People)
			sum = g
		}
		all = append(all, sum)
	}
	return all
}

// again makes the next pass tell and read everything anew.
func (p *people) again() {
	p.mu.Lock()
	maps.Copy(p.changed, p.here)
	p.upTo, p.anew = 0, true
	p.times++
	p.mu.Unlock()
	p.rouse()
}

func (p *people) rouse() {
	select {
	case p.wake <- struct{}{}:
	default:
	}
}

const gatherEvery = time.Second

// beginning is in the place of a room in the row with which a server begins to tell
// everything anew: what it told before, it tells again after that, or does not hold any
// more.
const beginning = ""

// write tells what has changed, until ctx ends.
func (p *people) write(ctx context.Context) {
	for {
		select {
		case <-ctx.Done():
			return
		case <-p.wake:
		}
		p.writeNow(ctx)
		select {
		case <-ctx.Done():
			return
		case <-time.After(gatherEvery):
		}
	}
}

// gathering is a row of people: chat.Gathering, as JSON.
type gathering struct {
	Name           string      `json:"name"`
	Locked, Hidden bool        `json:",omitempty"`
	Last           time.Time   `json:"last"`
	Count          int         `json:"count"`
	People         [][2]string `json:"people"` // keys and names
}

func (p *people) writeNow(ctx context.Context) {
	p.mu.Lock()
	changed, anew := p.changed, p.anew
	p.changed, p.anew = make(map[string]func() chat.Gathering), false
	p.mu.Unlock()
	if len(changed) == 0 && !anew {
		return
	}
	var rooms []string
	var rows []string
	for room, who := range changed {
		g := who()
		row := gathering{Name: g.Room.Text, Locked: g.Locked, Hidden: g.Hidden, Last: g.Last, Count: g.Count}
		for _, name := range g.People {
			row.People = append(row.People, [2]string{name.Key, name.Text})
		}
		text, err := json.Marshal(row)
		if err != nil {
			continue
		}
		rooms, rows = append(rooms, room), append(rows, string(text))
		if g.Count == 0 {
			p.mu.Lock()
			if _, again := p.changed[room]; !again {
				delete(p.here, room)
			}
			p.mu.Unlock()
		}
	}
	var statements []statement
	if anew {
		statements = append(statements, statement{"DELETE FROM people WHERE server = $1", []any{p.log.server}},
			statement{"INSERT INTO people (room, server, people, n) VALUES ($1, $2, '{}', nextval('people_n'))", []any{beginning, p.log.server}})
	}
	err := p.change(ctx, append(statements, statement{"INSERT INTO people (room, server, people, n) SELECT r, $2, v, nextval('people_n') FROM unnest($1::text[], $3::text[]) AS x (r, v) " +
		"ON CONFLICT (room, server) DO UPDATE SET people = excluded.people, n = excluded.n", []any{rooms, p.log.server, rows}})...)
	if err != nil {
		p.mu.Lock()
		p.anew = p.anew || anew
		for room, who := range changed {
			if _, newer := p.changed[room]; !newer {
				p.changed[room] = who
			}
		}
		p.mu.Unlock()
		p.rouse()
		return
	}
	if p.log.listener.others.Load() {
		p.log.listener.tellPeople()
	}
}

// change changes the table of people. Its order is that of what is read after it: one
// writes at a time. It waits for no standby, so neither does it for what does.
func (p *people) change(ctx context.Context, statements ...statement) error {
	return p.log.inTransactionOf(ctx, p.log.pool, func(tx pgx.Tx) error {
		return each(ctx, tx, append([]statement{
			{"SET LOCAL synchronous_commit = off", nil},
			{"SELECT pg_advisory_xact_lock($1)", []any{number("people")}},
		}, statements...)...)
	})
}

// read takes in what the other servers have told since.
func (p *people) read(ctx context.Context) {
	p.reading.Lock()
	defer p.reading.Unlock()
	p.mu.Lock()
	upTo, times := p.upTo, p.times
	p.mu.Unlock()
	type change struct {
		room, server, text string
		n                  int64
	}
	var changes []change
	if err := p.log.reading(ctx, func(ctx context.Context) error {
		rows, err := p.log.pool.Query(ctx, "SELECT room, server, people, n FROM people WHERE n > $1 AND server <> $2 ORDER BY n", upTo, p.log.server)
		if err != nil {
			return err
		}
		changes, err = pgx.CollectRows(rows, func(row pgx.CollectableRow) (c change, err error) {
			err = row.Scan(&c.room, &c.server, &c.text, &c.n)
			return c, err
		})
		return err
	}); err != nil {
		return // the next look will do
	}
	told := make(map[string]map[string]bool) // by a server that has told everything anew, and room
	for _, c := range changes {
		upTo = max(upTo, c.n)
		if c.room == beginning {
			told[c.server] = make(map[string]bool)
			continue
		}
		if told[c.server] != nil {
			told[c.server][c.room] = true
		}
		var row gathering
		if json.Unmarshal([]byte(c.text), &row) != nil {
			continue
		}
		g := chat.Gathering{Room: shared.Name{Text: row.Name, Key: c.room}, Locked: row.Locked, Hidden: row.Hidden, Last: row.Last, Count: row.Count}
		for _, name := range row.People {
			g.People = append(g.People, shared.Name{Key: name[0], Text: name[1]})
		}
		p.take(c.room, c.server, g)
	}
	type place struct{ room, server string }
	var left []place
	p.mu.Lock()
	if p.times == times {
		p.upTo = upTo
	}
	for room, servers := range p.there {
		for server := range servers {
			if told[server] != nil && !told[server][room] {
				left = append(left, place{room, server})
			}
		}
	}
	p.mu.Unlock()
	for _, at := range left {
		p.take(at.room, at.server, chat.Gathering{})
	}
}

// take keeps who is in a room at another server, and tells those who follow it here.
func (p *people) take(room, server string, g chat.Gathering) {
	p.telling.Lock()
	defer p.telling.Unlock()
	p.mu.Lock()
	servers := p.there[room]
	if g.Count > 0 {
		if servers == nil {
			servers = make(map[string]chat.Gathering)
			p.there[room] = servers
		}
		servers[server] = g
	} else if delete(servers, server); len(servers) == 0 {
		delete(p.there, room)
	}
	p.mu.Unlock()
	p.log.others(room, server, g)
}

// others tells those who follow a room who is in it at another server.
func (l *Log) others(room, server string, g chat.Gathering) {
	for _, f := range l.writer(room).following(room) {
		if f.Others != nil && !f.over.Load() {
			f.Others(server, g)
		}
	}
}

// tellAbout tells a follower that is new who is in its room at other servers.
func (p *people) tellAbout(room string, f *follower) {
	if f.Others == nil || f.over.Load() {
		return
	}
	p.telling.Lock()
	defer p.telling.Unlock()
	p.mu.Lock()
	servers := maps.Clone(p.there[room])
	p.mu.Unlock()
	for server, g := range servers {
		f.Others(server, g)
	}
}

// watch notices which servers do not go on any more.
func (p *people) watch(ctx context.Context) {
	type other struct {
		id, retain string
		seen       int64
	}
	var others []other
	// A server goes on by what it writes, as this one does: while a standby sleeps, nobody
	// could be seen to.
	proved := p.log.proof.lastBegan()
	if err := p.log.reading(ctx, func(ctx context.Context) error {
		rows, err := p.log.pool.Query(ctx, "SELECT id, seen, COALESCE(retain, '') FROM servers WHERE id <> $1", p.log.server)
		if err != nil {
			return err
		}
		others, err = pgx.CollectRows(rows, func(row pgx.CollectableRow) (o other, err error) {
			err = row.Scan(&o.id, &o.seen, &o.retain)
			return o, err
		})
		return err
	}); err != nil {
		return
	}
	now := time.Now()
	there := make(map[string]bool)
	type lapsed struct{ room, server string }
	var gone []lapsed
	p.mu.Lock()
	for _, o := range others {
		there[o.id] = true
		if was, known := p.alive[o.id]; !known || was.seen != o.seen {
			p.alive[o.id] = life{seen: o.seen, at: now}
			if was.over { // it may not have found its row gone, and then tells nothing anew
				p.upTo = 0
				p.times++
			}
			if known {
				p.compare(o.id, o.retain)
			}
		}
	}
	maps.DeleteFunc(p.alive, func(id string, _ life) bool { return !there[id] })
	p.log.listener.others.Store(len(p.alive) > 0)
	if away := now.Sub(p.watched); away > 2*lookEvery { // nobody could be seen to go on meanwhile
		for id, was := range p.alive {
			if was.at = was.at.Add(away); was.at.After(now) {
				was.at = now
			}
			p.alive[id] = was
		}
	}
	p.watched = now
	var dead []string
	var lastSeen []int64
	for id, was := range p.alive {
		if proved.Sub(was.at) > lapsesAfter {
			dead, lastSeen = append(dead, id), append(lastSeen, was.seen)
			was.over = true
			p.alive[id] = was
		}
	}
	for room, servers := range p.there {
		for server := range servers {
			if !there[server] || p.alive[server].over {
				gone = append(gone, lapsed{room, server})
			}
			if !there[server] {
				dead, lastSeen = append(dead, server), append(lastSeen, 0)
			}
		}
	}
	p.mu.Unlock()
	for _, g := range gone {
		p.take(g.room, g.server, chat.Gathering{})
	}
	if len(dead) == 0 {
		return
	}
	// One that has slept finds its row gone, and tells everything anew. One that has gone
	// on meanwhile keeps it.
	_ = p.change(ctx, statement{"WITH gone AS (DELETE FROM servers USING unnest($1::text[], $2::bigint[]) AS v (dead, last) WHERE id = dead AND seen = last RETURNING id) " +
		"DELETE FROM people WHERE server = ANY ($1) AND (server IN (SELECT id FROM gone) OR NOT EXISTS (SELECT 1 FROM servers WHERE id = server))", []any{dead, lastSeen}})
}

// compare warns once if another server that runs keeps something else than this one. The
// caller holds mu.
func (p *people) compare(server, retain string) {
	own := p.log.retains.Load()
	if own == nil || retain == "" || retain == *own || p.compared[server] == retain {
		return
	}
	p.compared[server] = retain
	p.log.opt.Logger.Warn("another server of this log was started with other limits, and the stricter ones delete: give all the same", "here", *own, "there", retain)
}
