package pglog

import (
	"bytes"
	"context"
	"errors"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"github.com/jackc/pgx/v5"
	"golang.org/x/time/rate"
)

// listener tells the other servers what there is in rooms, and hears it from them. What
// it says goes out on a connection of its own, after the commit: within a transaction,
// it would hold a lock of the whole database until the standby has answered. A
// notification that is lost costs as long as lookEvery, never an entry.
type listener struct {
	log     *Log
	cancel  context.CancelFunc
	work    sync.WaitGroup
	listens atomic.Bool
	others  atomic.Bool  // servers are there besides this one, as far as it has looked or heard; alone, it tells nothing
	ignored atomic.Int64 // notifications that no server of this log has sent

	mu   sync.Mutex
	told told  // what is to be said
	held int64 // bytes of the entries in it
	wake chan struct{}

	session *session // of what is said; nil after a failure
	voice   *voice

	payloads textArray // that go out together
	commands commands

	content content // of what is heard

	doubts rate.Sometimes // that the epoch is the one of others
}

const (
	mostPassed = 100 // frames that wait; what comes then is not passed on
	mostFrame  = 1750
	mostHeld   = 4 * maxTexts // bytes of entries that wait to be said, or to be handed on; others are read
	mostAtOnce = 64           // notifications in one transaction
	channel    = "parley"
	lookEvery  = 2 * time.Second
)

func startListener(l *Log) {
	ctx, cancel := context.WithCancel(context.Background())
	n := &listener{log: l, cancel: cancel, told: told{rooms: make(map[string]*news)}, wake: make(chan struct{}, 1), doubts: rate.Sometimes{Interval: time.Second}}
	n.others.Store(true) // until it has looked
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

// tell has the other servers told of a room. It does not block. Entries are theirs to
// hand on only if they are plain, and follow on those that they are told of already.
func (n *listener) tell(room string, what *news) {
	n.mu.Lock()
	defer n.mu.Unlock()
	carried := int64(0)
	if len(what.entries) > 0 && what.plain() {
		carried = what.bytes()
	}
	if carried == 0 || n.held+carried > mostHeld {
		carried, what = 0, &news{heads: what.heads, epoch: what.epoch}
	}
	switch was := n.told.rooms[room]; {
	case was == nil:
		n.told.rooms[room] = &news{heads: what.heads, epoch: what.epoch, before: what.before, entries: slices.Clip(what.entries)}
	case was.Room != what.Room || was.Version != what.Version || carried > 0 && was.epoch != what.epoch:
		carried = -was.bytes()
		n.told.rooms[room] = &news{heads: what.heads, epoch: what.epoch}
	default:
		if carried > 0 && was.upTo() == what.entries[0].Offset-1 {
			was.entries = append(was.entries, what.entries...)
		} else {
			carried = 0
		}
		was.First, was.Head = max(was.First, what.First), max(was.Head, what.Head)
	}
	n.held += carried
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
	n.told.people = true
	n.mu.Unlock()
	n.rouse()
}

// Pass implements chat.Cluster.
func (l *Log) Pass(room string, frame []byte) {
	n := l.listener
	if !n.others.Load() {
		return
	}
	n.mu.Lock()
	if len(n.told.passed) < mostPassed && len(frame) < mostFrame {
		n.told.passed = append(n.told.passed, passing{room, frame})
	}
	n.mu.Unlock()
	n.rouse()
}

// headsOf reads where a room's log is; all is 0 if there is no such room.
func (l *Log) headsOf(ctx context.Context, room string) (h heads, err error) {
	err = ignoreNone(l.row(ctx, "SELECT id, version, first, head FROM rooms WHERE key = $1", room).Scan(&h.Room, &h.Version, &h.First, &h.Head))
	return h, err
}

// tellNow has everybody told of a room that was changed, also this server.
func (n *listener) tellNow(room string) {
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	h, err := n.log.headsOf(ctx, room)
	if err != nil {
		return // they look every two seconds
	}
	n.log.writer(room).hear(room, &news{heads: h})
	n.tell(room, &news{heads: h})
}

func (n *listener) speak(ctx context.Context) {
	defer func() {
		if n.session != nil {
			n.session.end()
		}
	}()
	n.open(ctx)
	for {
		select {
		case <-ctx.Done():
			return
		case <-n.wake:
		}
		n.mu.Lock()
		what := n.told
		n.told, n.held = told{rooms: make(map[string]*news)}, 0
		n.mu.Unlock()
		if what.empty() {
			continue
		}
		err := n.say(ctx, what)
		if err != nil { // what was written over a connection that broke may be lost: it is only said that there is more
			for _, r := range what.rooms {
				r.entries = nil
			}
			if n.open(ctx); n.session != nil {
				err = n.say(ctx, what)
			}
		}
		if err != nil && ctx.Err() == nil {
			n.log.says.Do(func() {
				n.log.opt.Logger.Warn("the other servers are not told of new entries; they look every two seconds", "error", err)
			})
		}
	}
}

// open opens the connection that speaks, if it can.
func (n *listener) open(ctx context.Context) {
	if n.session != nil {
		n.session.end()
		n.session = nil
	}
	s, err := n.log.connect(ctx)
	if err != nil {
		return
	}
	var backend uint32 // a pooler tells another number
	if err = s.conn.QueryRow(ctx, "SELECT pg_backend_pid()").Scan(&backend); err == nil {
		n.voice, err = newVoice(n.log.secret, n.log.server, backend)
	}
	if err != nil {
		s.end()
		return
	}
	n.session = s
}

var errMute = errors.New("there is no connection to say it over")

func (n *listener) say(ctx context.Context, what told) error {
	if n.session == nil {
		return errMute
	}
	// As an array it goes out as it was made; what encodes strings would copy each twice.
	const query = "SELECT count(pg_notify($1, p)) FROM unnest($2::text[]) AS p"
	notify, err := n.session.conn.Prepare(ctx, query, query)
	if err != nil {
		return err
	}
	send := func() error {
		if n.payloads.n == 0 {
			return nil
		}
		n.commands.begin(n.session.conn)
		if err := n.commands.bind(notify.Name, []int16{pgx.BinaryFormatCode}, [][]byte{[]byte(channel + n.log.opt.Schema), n.payloads.encoded()}); err != nil {
			return err
		}
		_, err := n.commands.carryOut(ctx)
		n.payloads.empty()
		return err
	}
	n.payloads.empty()
	for content := range what.contents(*n.log.epoch.Load(), n.voice.most()) {
		n.payloads.add(func(out []byte) []byte { return n.voice.say(out, content) })
		if n.payloads.n == mostAtOnce {
			if err := send(); err != nil {
				return err
			}
		}
	}
	return send()
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
	var s stream
	s.reads(cfg)
	conn, err := pgx.ConnectConfig(ctx, cfg)
	if err != nil {
		return err
	}
	defer conn.Close(context.Background())
	if _, err := conn.Exec(ctx, "LISTEN "+pgx.Identifier{channel + n.log.opt.Schema}.Sanitize()); err != nil {
		return err
	}
	n.listens.Store(true)
	defer n.listens.Store(false)
	n.lookNow(ctx)
	n.tellPeople() // so that they know that somebody hears them
	own := []byte(formatVersion + n.log.server + " ")
	ears := &ears{secret: n.log.secret, runs: make(map[string]*heardRun)}
	defer context.AfterFunc(ctx, func() { _ = conn.PgConn().Conn().SetReadDeadline(time.Unix(1, 0)) })()
	for {
		backend, payload, err := s.next(ctx, conn.PgConn())
		if err != nil {
			return err
		}
		if bytes.HasPrefix(payload, own) {
			continue
		}
		content, err := ears.open(payload, backend)
		if err == nil {
			n.others.Store(true)
			err = n.heard(ctx, content)
		}
		if err != nil && n.ignored.Add(1) == 1 {
			n.log.opt.Logger.Warn("a notification was ignored: another program, or another version of Parley, speaks to the servers; let only them connect to the database", "error", err)
		}
	}
}

// heard takes in what another server has said.
func (n *listener) heard(ctx context.Context, content []byte) error {
	wanted := func(room string) bool { return n.log.writer(room).awaits(room) }
	t, err := n.content.read(content, wanted, func(room string, what *news) {
		if wanted(room) {
			n.log.writer(room).hear(room, what)
		}
	})
	if err == nil && t.epoch != *n.log.epoch.Load() {
		n.doubts.Do(n.log.proof.doubt) // one of the two has not looked yet
	}
	if t.people {
		n.log.people.read(ctx)
	}
	for _, p := range t.passed {
		for _, f := range n.log.writer(p.room).following(p.room) {
			if f.Passed != nil {
				f.Passed(p.frame)
			}
		}
	}
	return err
}

// look has it looked, every two seconds, what was not heard.
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
	for _, w := range n.log.writers {
		w.lookSoon()
	}
	n.log.people.read(ctx)
	n.log.people.watch(ctx)
}
