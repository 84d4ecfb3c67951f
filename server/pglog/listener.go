package pglog

import (
	"context"
	"encoding/json"
	"sync"
	"time"

	"github.com/jackc/pgx/v5"
)

// listener tells the other servers which rooms have more, and hears it from them. What
// it says goes out on a connection of its own, after the commit: within a transaction,
// it would hold a lock of the whole database until the standby has answered. A
// notification that is lost costs as long as lookEvery, never an entry.
type listener struct {
	log    *Log
	cancel context.CancelFunc
	work   sync.WaitGroup

	mu     sync.Mutex
	told   map[string]heads // what is to be said, by room
	own    map[string]heads // what this server has to hear of itself
	people bool             // there is something new of who is where
	passed []passing
	wake   chan struct{}
}

// heads is which row a room has, and from where to where its log goes.
type heads struct{ Room, Version, First, Head int64 }

// passing is a frame for those who are in a room at other servers.
type passing struct {
	Room  string `json:"room"`
	Frame []byte `json:"frame"`
}

// said is a notification.
type said struct {
	From   string           `json:"from"`
	Heads  map[string]heads `json:"heads,omitempty"`
	People bool             `json:"people,omitempty"`
	Passed []passing        `json:"passed,omitempty"`
}

const (
	mostPassed = 100 // frames that wait; what comes then is not passed on
	channel    = "parley"
	lookEvery  = 2 * time.Second
	mostBytes  = 7000 // of a notification, which has less than 8000
)

func startListener(l *Log) {
	ctx, cancel := context.WithCancel(context.Background())
	n := &listener{log: l, cancel: cancel, told: make(map[string]heads), own: make(map[string]heads), wake: make(chan struct{}, 1)}
	l.listener = n
	n.work.Go(func() { n.speak(ctx) })
	n.work.Go(func() { n.listen(ctx) })
	n.work.Go(func() { n.look(ctx) })
	n.work.Go(func() { l.people.write(ctx) })
}

func (n *listener) end() {
	n.cancel()
	n.work.Wait()
}

// tell has the other servers told of a room. It does not block.
func (n *listener) tell(room string, h heads) {
	n.mu.Lock()
	n.told[room] = h
	n.mu.Unlock()
	n.rouse()
}

func (n *listener) rouse() {
	select {
	case n.wake <- struct{}{}:
	default:
	}
}

// tellPeople has the other servers look who is where.
func (n *listener) tellPeople() {
	n.mu.Lock()
	n.people = true
	n.mu.Unlock()
	n.rouse()
}

// Pass implements chat.Cluster.
func (l *Log) Pass(room string, frame []byte) {
	n := l.listener
	n.mu.Lock()
	if len(n.passed) < mostPassed && len(frame) < mostBytes/4 {
		n.passed = append(n.passed, passing{room, frame})
	}
	n.mu.Unlock()
	n.rouse()
}

// CatchUp implements chat.Cluster.
func (l *Log) CatchUp(ctx context.Context, room string) error {
	w := l.writer(room)
	return w.do(ctx, func(ctx context.Context) error {
		var h heads
		err := ignoreNone(l.row(ctx, "SELECT id, version, first, head FROM rooms WHERE key = $1", room).Scan(&h.Room, &h.Version, &h.First, &h.Head))
		if err == nil {
			w.hear(map[string][]heads{room: {h}})
		}
		return err
	})
}

// tellNow has everybody told of a room that was changed, also this server.
func (n *listener) tellNow(room string) {
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	h := heads{}
	if err := ignoreNone(n.log.pool.QueryRow(ctx, "SELECT id, version, first, head FROM rooms WHERE key = $1", room).Scan(&h.Room, &h.Version, &h.First, &h.Head)); err != nil {
		return // they look every two seconds
	}
	n.mu.Lock()
	n.own[room] = h
	n.mu.Unlock()
	n.tell(room, h)
}

func (n *listener) speak(ctx context.Context) {
	for {
		select {
		case <-ctx.Done():
			return
		case <-n.wake:
		}
		n.mu.Lock()
		told, own, people, passed := n.told, n.own, n.people, n.passed
		n.told, n.own, n.people, n.passed = make(map[string]heads), make(map[string]heads), false, nil
		n.mu.Unlock()
		n.pass(ctx, own)
		for people || len(told) > 0 || len(passed) > 0 {
			part, size := said{From: n.log.server, People: people, Heads: make(map[string]heads)}, 0
			people = false
			for room, h := range told {
				if size += len(room)*6 + 160; size > mostBytes && len(part.Heads) > 0 {
					break
				}
				part.Heads[room] = h
				delete(told, room)
			}
			for len(passed) > 0 {
				if size += len(passed[0].Room)*6 + len(passed[0].Frame)*4/3 + 50; size > mostBytes {
					break
				}
				part.Passed, passed = append(part.Passed, passed[0]), passed[1:]
			}
			payload, err := json.Marshal(part)
			if err == nil {
				_, err = n.log.pool.Exec(ctx, "SELECT pg_notify($1, $2)", channel+n.log.opt.Schema, string(payload))
			}
			if err != nil && ctx.Err() == nil {
				n.log.says.Do(func() {
					n.log.opt.Logger.Warn("the other servers are not told of new entries; they look every two seconds", "error", err)
				})
			}
		}
	}
}

// listen hears what the other servers say, on a connection that it opens again and again.
func (n *listener) listen(ctx context.Context) {
	for ctx.Err() == nil {
		err := n.hear(ctx)
		if ctx.Err() != nil {
			return
		}
		n.log.opt.Logger.Warn("the database says no more what is new; this server looks every two seconds", "error", err)
		select {
		case <-time.After(time.Second):
		case <-ctx.Done():
		}
	}
}

func (n *listener) hear(ctx context.Context) error {
	cfg := n.log.pool.Config().ConnConfig
	n.log.sockets.dials(cfg)
	conn, err := pgx.ConnectConfig(ctx, cfg)
	if err != nil {
		return err
	}
	defer conn.Close(context.Background())
	if _, err := conn.Exec(ctx, "LISTEN "+pgx.Identifier{channel + n.log.opt.Schema}.Sanitize()); err != nil {
		return err
	}
	n.lookNow(ctx)
	for {
		notice, err := conn.WaitForNotification(ctx)
		if err != nil {
			return err
		}
		var what said
		if json.Unmarshal([]byte(notice.Payload), &what) != nil {
			continue
		}
		if what.From == n.log.server {
			continue
		}
		if what.People {
			n.log.people.read(ctx)
		}
		n.pass(ctx, what.Heads)
		for _, p := range what.Passed {
			for _, f := range n.log.writer(p.Room).following(p.Room) {
				if f.Passed != nil {
					f.Passed(p.Frame)
				}
			}
		}
	}
}

// pass has the writers look at rooms that somebody here follows.
func (n *listener) pass(ctx context.Context, said map[string]heads) {
	heard := make(map[*writer]map[string]heads)
	for room, h := range said {
		w := n.log.writer(room)
		if len(w.following(room)) == 0 {
			continue
		}
		if heard[w] == nil {
			heard[w] = make(map[string]heads)
		}
		heard[w][room] = h
	}
	for w, said := range heard {
		_ = w.enqueue(ctx, &request{heard: said})
	}
}

// look asks for the heads of the rooms that somebody here follows.
func (n *listener) look(ctx context.Context) {
	ticker := time.NewTicker(lookEvery)
	defer ticker.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-ticker.C:
			n.lookNow(ctx)
		}
	}
}

func (n *listener) lookNow(ctx context.Context) {
	n.log.people.read(ctx)
	n.log.people.watch(ctx)
	var rooms []string
	for _, w := range n.log.writers {
		w.mu.Lock()
		for room := range w.followers {
			rooms = append(rooms, room)
		}
		w.mu.Unlock()
	}
	if len(rooms) == 0 {
		return
	}
	rows, err := n.log.pool.Query(ctx, "SELECT v, COALESCE(id, 0), COALESCE(version, 0), COALESCE(first, 0), COALESCE(head, 0) FROM unnest($1::text[]) AS v LEFT JOIN rooms ON key = v", rooms)
	if err != nil {
		return // the next look will do
	}
	said := make(map[string]heads)
	var room string
	var h heads
	if _, err := pgx.ForEachRow(rows, []any{&room, &h.Room, &h.Version, &h.First, &h.Head}, func() error {
		said[room] = h
		return nil
	}); err == nil {
		n.pass(ctx, said)
	}
}
