// Package pglog keeps the rooms' log in a PostgreSQL database, which several servers
// may share. Rooms are dealt out to writers: each takes whatever waits for its rooms
// and commits it as one transaction. A transaction that writes to a room locks the
// room's row first, so that within a room the order of commits is that of offsets.
package pglog

import (
	"context"
	"errors"
	"fmt"
	"hash/fnv"
	"log/slog"
	"sync"
	"sync/atomic"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
	"github.com/jackc/pgx/v5/pgxpool"
	"golang.org/x/time/rate"

	"parley/server/chat"
	"parley/shared"
)

// Options are how a Log works. The zero value has the defaults.
type Options struct {
	Schema  string                // of the tables, "parley" by default
	Writers int                   // 3 by default
	Observe func(d time.Duration) // is told how long each transaction took
	Logger  *slog.Logger          // of what an operator should know; nothing by default

	// Data is the folder in which the server keeps what it has seen of the database, so
	// that it notices if that loses something. "" keeps it in memory.
	Data string

	// Existing says that the database must have a log: Open begins none.
	Existing bool

	// Restored says that the database was restored from a backup, which may be older
	// than what the server has seen.
	Restored bool

	Now func() time.Time // what the database's clock is compared with, time.Now by default

	migrations []string // of the schema: a test has those of a version to come

	startFor   time.Duration // is how long Open waits for the database
	patience   time.Duration // of whoever waits: tests of something else have more
	shareEvery time.Duration // is how often servers tell each other what was spent
}

func (o Options) withDefaults() Options {
	if o.Schema == "" {
		o.Schema = "parley"
	}
	if o.Writers == 0 {
		o.Writers = 3
	}
	if o.Now == nil {
		o.Now = time.Now
	}
	if o.migrations == nil {
		o.migrations = migrations
	}
	if o.startFor == 0 {
		o.startFor = startFor
	}
	if o.patience == 0 {
		o.patience = patience
	}
	if o.shareEvery == 0 {
		o.shareEvery = shareEvery
	}
	if o.Observe == nil {
		o.Observe = func(time.Duration) {}
	}
	if o.Logger == nil {
		o.Logger = slog.New(slog.DiscardHandler)
	}
	return o
}

// Log is a chat.Log, a chat.Registry and a chat.FileRows.
type Log struct {
	opt         Options
	pool        *pgxpool.Pool // of what waits for no standby: reads, and what is in unlogged tables
	commits     *pgxpool.Pool // of what does, besides the writers
	server      string        // this one's id
	id          string
	secret      []byte
	bounded     bool
	epoch       atomic.Pointer[string]
	marks       *marks
	proof       *proof
	says        rate.Sometimes // says what is wrong
	stopKeeping context.CancelFunc
	keeping     sync.WaitGroup
	work        sync.WaitGroup // what may wait for a standby
	sockets     sockets
	warned      sync.Map // connections whose last commit came back with a warning
	writers     []*writer
	listener    *listener
	people      *people
	retention   *retention             // nil where everything is kept
	retains     atomic.Pointer[string] // what Retain was called with, nil before
	full        atomic.Bool            // the disk of the database is
	waited      atomic.Bool            // somebody has waited too long: a room may be locked
	filesGone   filesGone
}

var (
	_ chat.Log      = (*Log)(nil)
	_ chat.Registry = (*Log)(nil)
	_ chat.FileRows = (*Log)(nil)
	_ chat.Cluster  = (*Log)(nil)
)

// Open opens the log at an address as libpq takes it, and makes the tables that are
// missing. It waits up to 10 s for a database that takes writes. Its errors are
// sentences that say what to do.
func Open(ctx context.Context, address string, opt Options) (_ *Log, err error) {
	opt = opt.withDefaults()
	cfg, err := configure(address, opt.Schema)
	if err != nil {
		return nil, err
	}
	letGo(cfg.ConnConfig, opt.patience)
	l := &Log{sockets: sockets{open: make(map[*socket]int64)}}
	cfg.ConnConfig.OnNotice = func(pg *pgconn.PgConn, n *pgconn.Notice) {
		if n.Code == "01000" {
			l.warned.Store(pg, nil)
		}
	}
	cfg.BeforeConnect = func(_ context.Context, cfg *pgx.ConnConfig) error {
		l.sockets.dials(cfg)
		return nil
	}
	l.opt, l.says.Interval = opt, time.Minute
	if l.marks, err = openMarks(opt.Data); err != nil {
		return nil, err
	}
	l.sockets.marks = l.marks
	if l.server = l.marks.kept.Server; opt.Restored {
		l.marks.kept.Timeline = 0
	}
	if err := l.openPools(ctx, cfg); err != nil {
		return nil, err
	}
	defer func() {
		if err != nil {
			l.closePools()
		}
	}()
	fail := func(err error) (*Log, error) {
		return nil, unusable{sayOpen(cfg.ConnConfig, opt.Schema, err)}
	}
	if err := await(ctx, cfg.ConnConfig, opt.startFor, func(conn *pgx.Conn) error { return l.begin(ctx, conn) }); err != nil {
		return fail(err)
	}
	if err := l.marks.save(); err != nil { // before the database knows this server: if it is killed, it comes back as the same
		return nil, fmt.Errorf("what the server knows of the database can't be kept: %w", err)
	}
	for n := range opt.Writers {
		l.writers = append(l.writers, newWriter(l, n))
	}
	l.people = newPeople(l)
	l.proof = startProof(l)
	if err := l.proof.waitFor(ctx, opt.startFor); err != nil {
		l.proof.end()
		return fail(err)
	}
	for _, w := range l.writers {
		go w.run()
	}
	keeping, stop := context.WithCancel(context.Background())
	l.stopKeeping = stop
	l.keeping.Go(func() { l.keepMarks(keeping) })
	l.keeping.Go(func() { l.sweep(keeping) })
	l.keeping.Go(func() { l.freeRooms(keeping) })
	startListener(l)
	return l, nil
}

// begin looks at the database, makes the tables that are missing, and reads which log it is.
func (l *Log) begin(ctx context.Context, conn *pgx.Conn) error {
	defer conn.Close(context.WithoutCancel(ctx)) // it only looks
	if err := l.look(ctx, conn); err != nil {
		return err
	}
	if err := l.migrate(ctx); err != nil {
		return err
	}
	if err := l.pool.QueryRow(ctx, "SELECT id, secret, bounded FROM meta").Scan(&l.id, &l.secret, &l.bounded); err != nil {
		return err
	}
	return l.warn(ctx, conn)
}

// ID tells this log from others: 32 hexadecimal digits.
func (l *Log) ID() string { return l.id }

// writer returns the one of a room. The rooms are dealt out in the same way on every
// server: otherwise each writer would wait for the locks of all of another server's.
func (l *Log) writer(room string) *writer {
	h := fnv.New32a()
	_, _ = h.Write([]byte(room)) // never fails
	return l.writers[h.Sum32()%uint32(len(l.writers))]
}

// Open implements chat.Log.
func (l *Log) Open(ctx context.Context, room shared.Name, told chat.Follower) (state chat.State, stop func(), err error) {
	w := l.writer(room.Key)
	f := &follower{Follower: told}
	read := make(chan chat.State, 1)
	w.opens(room.Key, 1) // what is heard from now on is for it
	defer w.opens(room.Key, -1)
	if err := w.do(ctx, func(ctx context.Context) error {
		var state chat.State
		if err := w.snapshot(ctx, func(ctx context.Context, tx pgx.Tx) (err error) {
			state, err = l.readState(ctx, tx, room.Key, f)
			return err
		}); err != nil {
			return err
		}
		read <- state
		w.follow(room.Key, f)
		l.people.tellAbout(room.Key, f)
		if f.over.Load() { // nobody waits for it any more
			w.unfollow(room.Key, f)
		}
		return nil
	}); err != nil {
		f.over.Store(true)
		w.unfollow(room.Key, f)
		return chat.State{}, nil, err
	}
	state = <-read
	stop = func() { w.unfollow(room.Key, f) }
	if err := l.proof.wait(ctx); err != nil {
		stop()
		return chat.State{}, nil, err
	}
	if f.over.Load() || *l.epoch.Load() != state.Epoch {
		stop()
		return chat.State{}, nil, wrap(errChanged)
	}
	return state, stop, nil
}

// readState reads what the log knows of a room when it is opened.
func (l *Log) readState(ctx context.Context, tx pgx.Tx, key string, f *follower) (state chat.State, err error) {
	state = chat.State{Epoch: *l.epoch.Load(), First: 1}
	defer func() { f.handed, f.began = state.Head, state.First }()
	r := &roomState{key: key}
	switch err := scanRoom(tx.QueryRow(ctx, "SELECT "+roomColumns+" FROM rooms WHERE key = $1", key), r); {
	case errors.Is(err, pgx.ErrNoRows):
		return state, ignoreNone(tx.QueryRow(ctx, "SELECT head, head + 1 FROM ends WHERE key = $1", key).Scan(&state.Head, &state.First))
	case err != nil:
		return state, err
	}
	state.Head, state.First = r.head, r.first
	f.room, f.version = r.id, r.version
	last := lastHanded{room: r.id, version: r.version, offset: r.head}
	switch err := tx.QueryRow(ctx, "SELECT id FROM entries WHERE room = $1 AND off = $2", r.id, r.head).Scan(&last.id); {
	case err == nil:
		f.last.Store(&last)
		f.taken.Store(&last)
	case ignoreNone(err) != nil:
		return state, err
	}
	if r.used {
		state.Name, state.Last = r.name, time.UnixMilli(r.last).UTC()
		if r.last == 0 {
			state.Last = time.Time{}
		}
	}
	if r.rules.Pinned != 0 {
		var there bool
		if err := tx.QueryRow(ctx, "SELECT EXISTS (SELECT 1 FROM entries WHERE room = $1 AND off = $2 AND off >= $3 AND kind = 0 AND state & 2 = 0)",
			r.id, r.rules.Pinned, r.first).Scan(&there); err != nil {
			return state, err
		}
		if !there {
			r.rules.Pinned = 0
		}
	}
	state.Rules = r.rules.Clone()
	state.Rules.Begin(r.first)
	return state, nil
}

// Append implements chat.Log.
func (l *Log) Append(ctx context.Context, room shared.Name, e chat.Entry, done func(chat.Receipt, error)) {
	e.Room = room.Key
	e.Time = e.Time.UTC().Truncate(time.Millisecond)
	e.Edited, e.Deleted, e.Changed = false, false, 0
	if e.Extra != nil {
		own := e.Own()
		own.Quote, own.Reactions, own.Targets = nil, nil, nil
	}
	r := &request{room: room, entry: e, done: done}
	w := l.writer(room.Key)
	w.deadlines.add(r)
	if err := w.enqueue(ctx, r); err != nil {
		r.answer(chat.Receipt{}, err)
	}
}

// Ready implements chat.Log.
func (l *Log) Ready(ctx context.Context) error {
	if err := l.proof.wait(ctx); err != nil {
		return err
	}
	return l.proof.ready()
}

var errChanged = errors.New("the room was changed meanwhile")

// over tells every room that it has to be read anew.
func (l *Log) over() {
	for _, w := range l.writers {
		w.endAll()
	}
}

// Close implements chat.Log.
func (l *Log) Close() error {
	if l.retention != nil {
		l.retention.end()
	}
	l.listener.end()
	for _, w := range l.writers {
		w.stop()
	}
	l.proof.end()
	l.stopKeeping()
	l.keeping.Wait()
	waiting := make(chan struct{})
	go func() { defer close(waiting); l.work.Wait() }()
	select {
	case <-waiting:
	case <-time.After(patience):
		l.sockets.cut(l.sockets.opened())
		<-waiting
	}
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	_, err := l.commits.Exec(ctx, "WITH gone AS (DELETE FROM servers WHERE id = $1) DELETE FROM people WHERE server = $1", l.server)
	if err != nil { // it lapses, and nobody waits for the database to answer
		l.sockets.cut(l.sockets.opened())
	}
	l.closePools()
	return l.marks.save()
}

// retry carries out what PostgreSQL asks to be tried again: another transaction was in
// the way.
func retry(ctx context.Context, do func() error) error {
	for range 20 {
		err := do()
		var pg *pgconn.PgError
		if !errors.As(err, &pg) || pg.Code != "40P01" && pg.Code != "40001" || ctx.Err() != nil {
			return err
		}
	}
	return do()
}

const readAgain = 20 * time.Millisecond // and longer each time

// reading is retry for what only reads, over the pool.
func (l *Log) reading(ctx context.Context, do func(context.Context) error) error {
	return l.readingAgain(ctx, l.renew, do)
}

// readingAgain is retry for what only reads, which may be cancelled. After a failover,
// connections lead nowhere, one after the other, and for some moments there may be no
// primary: renew gives them up. All attempts together may take twice patience.
func (l *Log) readingAgain(ctx context.Context, renew func(), do func(context.Context) error) error {
	ctx, cancel := context.WithTimeout(ctx, 2*l.opt.patience)
	defer cancel()
	for wait := readAgain; ; wait = min(2*wait, 10*readAgain) { // thousands may ask at once
		err := retry(ctx, func() error { return do(ctx) })
		if err == nil || errors.Is(err, pgx.ErrNoRows) || ctx.Err() != nil || !passes(err) {
			return err
		}
		renew()
		select {
		case <-time.After(wait):
		case <-ctx.Done():
			return err
		}
	}
}

// row reads one row, as reading does.
func (l *Log) row(ctx context.Context, query string, args ...any) pgx.Row {
	return &readRow{l, ctx, query, args}
}

type readRow struct {
	log   *Log
	ctx   context.Context
	query string
	args  []any
}

// Scan implements pgx.Row.
func (r *readRow) Scan(into ...any) error {
	return r.log.reading(r.ctx, func(ctx context.Context) error { return r.log.pool.QueryRow(ctx, r.query, r.args...).Scan(into...) })
}

func ignoreNone(err error) error {
	if errors.Is(err, pgx.ErrNoRows) {
		return nil
	}
	return err
}

func wrap(err error) error {
	if err == nil || errors.Is(err, chat.ErrRefused) || errors.Is(err, chat.ErrUnavailable) || errors.Is(err, chat.ErrNoRoom) ||
		errors.Is(err, chat.ErrRoomTaken) || errors.Is(err, chat.ErrNoFile) {
		return err
	}
	if isFull(err) {
		return fmt.Errorf("%w: %w: %w", chat.ErrUnavailable, chat.ErrNoSpace, err)
	}
	return fmt.Errorf("%w: %w", chat.ErrUnavailable, err)
}

// noteFull says when the database's disk becomes full, and when it has room again.
func (l *Log) noteFull(full bool) {
	switch was := l.full.Swap(full); {
	case full && !was:
		l.opt.Logger.Error("the disk of PostgreSQL is full: messages are refused until there is room on it")
	case was && !full:
		l.opt.Logger.Info("the disk of PostgreSQL has room again: messages are stored")
	}
}

// isFull reports whether an error says that the database's disk is full.
func isFull(err error) bool {
	var pg *pgconn.PgError
	return errors.As(err, &pg) && pg.Code == "53100"
}
