package pglog

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"sync"
	"sync/atomic"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
)

// proof shows that the database still takes what is written: an old primary that was cut
// off, or has slept, goes on reading and says that it can be written. Whoever asks waits
// for a commit that began after they asked, one for all that wait. The same commit tells
// the other servers that this one is alive.
type proof struct {
	log    *Log
	wake   chan struct{}
	cancel context.CancelFunc
	work   sync.WaitGroup

	doubted atomic.Bool
	conn    atomic.Pointer[session]
	asked   atomic.Pointer[time.Time] // since when the database does not answer; nil if it has
	twice   sync.Once                 // says that another server takes itself for this one
	seen    int64                     // how many proofs of this server the database has, 0 if that is not known; of run's goroutine

	mu       sync.Mutex
	waiting  []asker
	last     time.Time // when the last proof began
	timeline uint64    // of the last one
	failed   error     // the last attempt, nil if there was a proof
}

// asker waits for a proof.
type asker struct {
	room   string // of which it is to tell where its log is; "" for none
	answer chan proven
	until  time.Time
}

// proven is what a proof tells of a room: all is 0 if there is no such room.
type proven struct {
	heads
	err error
}

const (
	proveEvery = 1500 * time.Millisecond
	proofHolds = 5 * time.Second // after which the server is not ready
	patience   = 2 * time.Second // of whoever waits
	proveAgain = 100 * time.Millisecond
)

var (
	errNoProof  = errors.New("the database does not say that it can be written")
	errTimeline = errors.New("the database is an older one than this server has seen: if it was restored, start the server again with --log-restored")
)

func startProof(l *Log) *proof {
	ctx, cancel := context.WithCancel(context.Background())
	p := &proof{log: l, wake: make(chan struct{}, 1), cancel: cancel}
	p.work.Go(func() { p.run(ctx) })
	p.work.Go(func() { p.watch(ctx) })
	return p
}

func (p *proof) end() {
	p.cancel()
	if c := p.conn.Load(); c != nil {
		c.end() // it may wait for a standby that never answers
	}
	p.work.Wait()
}

// wait waits until a commit that began after the call was durable.
func (p *proof) wait(ctx context.Context) error { return p.waitFor(ctx, p.log.opt.patience) }

// waitFor waits no longer than that.
func (p *proof) waitFor(ctx context.Context, most time.Duration) error {
	_, err := p.ask(ctx, "", most)
	return err
}

// ask is waitFor, and returns where a room's log was after the call. A failure that may
// pass, as while another primary takes over, is no answer before.
func (p *proof) ask(ctx context.Context, room string, most time.Duration) (heads, error) {
	c := make(chan proven, 1)
	p.mu.Lock()
	p.waiting = append(p.waiting, asker{room, c, time.Now().Add(most)})
	p.mu.Unlock()
	select {
	case p.wake <- struct{}{}:
	default:
	}
	late := time.NewTimer(most)
	defer late.Stop()
	select {
	case a := <-c:
		return a.heads, wrap(a.err)
	case <-late.C:
		p.mu.Lock()
		defer p.mu.Unlock()
		if p.failed != nil {
			return heads{}, wrap(p.failed)
		}
		return heads{}, wrap(errNoProof)
	case <-ctx.Done():
		return heads{}, wrap(ctx.Err())
	}
}

// doubt makes the server check anew what the database still has.
func (p *proof) doubt() {
	p.doubted.Store(true)
	select {
	case p.wake <- struct{}{}:
	default:
	}
}

// look returns when the database was looked at anew, by a connection that began after the
// call, and nothing of what this server knows of is lost: or there is a new epoch.
func (p *proof) look(ctx context.Context) error {
	p.doubt()
	return p.wait(ctx)
}

// lastBegan returns when the last proof began.
func (p *proof) lastBegan() time.Time {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.last
}

// ready reports whether the last proof is not too old.
func (p *proof) ready() error {
	if time.Since(p.lastBegan()) > proofHolds {
		return wrap(errNoProof)
	}
	return nil
}

func (p *proof) run(ctx context.Context) {
	ticker := time.NewTicker(proveEvery)
	defer ticker.Stop()
	var conn *session
	defer func() {
		if conn != nil {
			conn.end()
		}
	}()
	for {
		p.mu.Lock()
		waiting := p.waiting
		p.waiting = nil
		p.mu.Unlock()
		began := time.Now()
		p.asked.Store(&began)
		if conn != nil && p.doubted.Swap(false) {
			conn.end()
			conn = nil
		}
		rooms := make(map[string]heads)
		for _, a := range waiting {
			if a.room != "" {
				rooms[a.room] = heads{}
			}
		}
		var timeline uint64
		var err error
		for old := conn != nil; ; old = false {
			conn, timeline, err = p.prove(ctx, conn, rooms)
			if err == nil || !old || ctx.Err() != nil {
				break // one that was good before may be broken, and the next one good
			}
		}
		p.asked.Store(nil)
		var again <-chan time.Time
		p.mu.Lock()
		if p.failed = err; err == nil {
			p.last, p.timeline = began, timeline
		}
		for _, a := range waiting {
			if err != nil && passes(err) && time.Until(a.until) > proveAgain {
				p.waiting = append(p.waiting, a)
				again = time.After(proveAgain)
			} else {
				a.answer <- proven{rooms[a.room], err}
			}
		}
		p.mu.Unlock()
		if err != nil && ctx.Err() == nil {
			p.log.says.Do(func() { p.log.opt.Logger.Warn("the log's database can't be used now", "error", err) })
		}
		select {
		case <-ctx.Done():
			return
		case <-p.wake:
		case <-again:
		case <-ticker.C:
		}
	}
}

// passes reports whether a failure may be over soon: the database starts, stops, or
// another one takes its place.
func passes(err error) bool {
	var pg *pgconn.PgError
	return !errors.As(err, &pg) || mayPass(pg)
}

// prove proves it once, on a connection, nil for a new one, and sets where rooms are. It
// returns the one to go on with.
func (p *proof) prove(ctx context.Context, conn *session, rooms map[string]heads) (_ *session, timeline uint64, err error) {
	if conn == nil {
		if conn, err = p.log.connect(ctx); err != nil {
			return nil, 0, err
		}
		p.conn.Store(conn)
		if err = ctx.Err(); err == nil { // from now on, end ends the connection
			err = p.log.connected(ctx, conn)
		}
	}
	var alone bool
	if err == nil {
		timeline, alone, err = p.commit(ctx, conn, rooms)
	}
	if err == nil {
		err = p.log.marks.saw(timeline)
	}
	if err == nil {
		p.log.marks.proved(timeline, alone)
	}
	if err != nil {
		p.seen = 0 // it may be in the database all the same
		conn.end()
		return nil, 0, err
	}
	return conn, timeline, nil
}

// commit is the proof itself. It sets where rooms are, and returns the timeline that the
// database is on, and whether no standby had to have it.
func (p *proof) commit(ctx context.Context, conn *session, rooms map[string]heads) (timeline uint64, alone bool, err error) {
	var wal string
	var seen int64
	err = conn.durably(ctx, func(tx pgx.Tx) error {
		if err := readHeads(ctx, tx, rooms); err != nil {
			return err
		}
		return tx.QueryRow(ctx, "INSERT INTO servers (id, seen, retain) VALUES ($1, 1, $2) ON CONFLICT (id) DO UPDATE SET seen = servers.seen + 1, retain = excluded.retain "+
			"RETURNING seen, "+walNow+", current_setting('synchronous_standby_names') = ''", p.log.server, p.log.retains.Load()).Scan(&seen, &wal, &alone)
	})
	if err != nil {
		return 0, false, err
	}
	if seen == 1 { // another server took this one for dead, and its people with it
		p.log.people.again()
	} else if p.seen != 0 && seen > p.seen+1 {
		p.twice.Do(func() {
			p.log.opt.Logger.Error("another server runs with this one's data folder, or with a copy of it: they hear each other late, and do not see each other's people. " +
				"Each needs a --data of its own: stop one, give it another folder, or remove " + MarksName + " from its copy, and start it again")
		})
	}
	p.seen = seen
	timeline, err = timelineOf(wal)
	return timeline, alone, err
}

// readHeads sets where rooms are: those that are not there keep what is set.
func readHeads(ctx context.Context, tx pgx.Tx, rooms map[string]heads) error {
	if len(rooms) == 0 {
		return nil
	}
	rows, err := tx.Query(ctx, "SELECT key, id, version, first, head FROM rooms WHERE key = ANY ($1)", slices.Collect(maps.Keys(rooms)))
	if err != nil {
		return err
	}
	var key string
	var h heads
	_, err = pgx.ForEachRow(rows, []any{&key, &h.Room, &h.Version, &h.First, &h.Head}, func() error {
		rooms[key] = h
		return nil
	})
	return err
}

// walNow tells where the database writes; the timeline that pg_control has lags.
const walNow = "pg_walfile_name(pg_current_wal_lsn())"

func timelineOf(wal string) (uint64, error) {
	if len(wal) < 8 {
		return 0, fmt.Errorf("the database's timeline can't be told from %q", wal)
	}
	return strconv.ParseUint(wal[:8], 16, 64)
}

// watch looks for another primary while the one that was asked does not answer: one that
// was stopped, or whose machine is gone, never does. Then all connections are cut. While
// there is no other, it may only wait for its standby, which must not be disturbed.
func (p *proof) watch(ctx context.Context) {
	ticker := time.NewTicker(proveEvery)
	defer ticker.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-ticker.C:
		}
		if asked := p.asked.Load(); asked == nil || time.Since(*asked) < patience {
			continue
		}
		if p.moved(ctx) { // and no other one is connected to from now on
			p.log.opt.Logger.Warn("another database has taken the place of the one that does not answer")
			p.log.sockets.cut(p.log.sockets.opened())
		}
	}
}

// moved reports whether a database can be written that is on a newer timeline. A server
// that has not seen any yet can't tell.
func (p *proof) moved(ctx context.Context) bool {
	ctx, cancel := context.WithTimeout(ctx, proofHolds)
	defer cancel()
	conn, err := p.log.connect(ctx)
	if err != nil {
		return false
	}
	defer conn.end()
	var wal string
	if err := conn.conn.QueryRow(ctx, "SELECT "+walNow).Scan(&wal); err != nil {
		return false
	}
	timeline, err := timelineOf(wal)
	seen := p.log.marks.seen()
	return err == nil && seen > 0 && timeline > seen && p.log.marks.saw(timeline) == nil
}
