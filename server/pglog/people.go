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
			g.Count += sum.Count
			sum = g
		}
		all = append(all, sum)
	}
	return all
}

// again has everything told and read anew.
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
	p.log.listener.tellPeople()
}

// change changes the table of people. Its order is that of what is read after it: one
// writes at a time.
func (p *people) change(ctx context.Context, statements ...statement) error {
	return p.log.inTransaction(ctx, func(tx pgx.Tx) error {
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
	rows, err := p.log.pool.Query(ctx, "SELECT room, server, people, n FROM people WHERE n > $1 AND server <> $2 ORDER BY n", upTo, p.log.server)
	if err != nil {
		return // the next look will do
	}
	var room, server, text string
	var n int64
	told := make(map[string]map[string]bool) // by a server that has told everything anew, and room
	_, err = pgx.ForEachRow(rows, []any{&room, &server, &text, &n}, func() error {
		upTo = max(upTo, n)
		if room == beginning {
			told[server] = make(map[string]bool)
			return nil
		}
		if told[server] != nil {
			told[server][room] = true
		}
		var row gathering
		if json.Unmarshal([]byte(text), &row) != nil {
			return nil
		}
		g := chat.Gathering{Room: shared.Name{Text: row.Name, Key: room}, Locked: row.Locked, Hidden: row.Hidden, Last: row.Last, Count: row.Count}
		for _, name := range row.People {
			g.People = append(g.People, shared.Name{Key: name[0], Text: name[1]})
		}
		p.take(room, server, g)
		return nil
	})
	if err != nil {
		return
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
		if f.Others != nil {
			f.Others(server, g)
		}
	}
}

// tellAbout tells a follower that is new who is in its room at other servers.
func (p *people) tellAbout(room string, f *follower) {
	if f.Others == nil {
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
	rows, err := p.log.pool.Query(ctx, "SELECT id, seen, COALESCE(retain, '') FROM servers WHERE id <> $1", p.log.server)
	if err != nil {
		return
	}
	now := time.Now()
	there := make(map[string]bool)
	var id, retain string
	var seen int64
	if _, err := pgx.ForEachRow(rows, []any{&id, &seen, &retain}, func() error {
		there[id] = true
		p.mu.Lock()
		defer p.mu.Unlock()
		if was, known := p.alive[id]; !known || was.seen != seen {
			p.alive[id] = life{seen, now}
			if known {
				p.compare(id, retain)
			}
		}
		return nil
	}); err != nil {
		return
	}
	type lapsed struct{ room, server string }
	var gone []lapsed
	p.mu.Lock()
	maps.DeleteFunc(p.alive, func(id string, _ life) bool { return !there[id] })
	if away := now.Sub(p.watched); away > 2*lookEvery { // nobody could be seen to go on meanwhile
		for id, was := range p.alive {
			if was.at = was.at.Add(away); was.at.After(now) {
				was.at = now
			}
			p.alive[id] = was
		}
	}
	p.watched = now
	for room, servers := range p.there {
		for server := range servers {
			if !there[server] || now.Sub(p.alive[server].at) > lapsesAfter {
				gone = append(gone, lapsed{room, server})
			}
		}
	}
	p.mu.Unlock()
	for _, g := range gone {
		p.take(g.room, g.server, chat.Gathering{})
	}
	if len(gone) == 0 {
		return
	}
	var dead []string
	for _, g := range gone {
		dead = append(dead, g.server)
	}
	slices.Sort(dead)
	// One that has slept finds its row gone, and tells everything anew.
	_, _ = p.log.pool.Exec(ctx, "WITH gone AS (DELETE FROM servers WHERE id = ANY ($1) RETURNING id) DELETE FROM people WHERE server = ANY ($1)", slices.Compact(dead))
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
