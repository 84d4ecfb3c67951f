package sqlitelog

import (
	"cmp"
	"context"
	"database/sql"
	"database/sql/driver"
	"errors"
	"fmt"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"parley/server/chat"
	"parley/shared"
)

const (
	maxQueue = 4096 // requests that wait; further callers wait for a place
	maxBatch = 4096 // requests in one transaction
)

// request is one thing to do, with the field of its kind set.
type request struct {
	room  shared.Name
	entry chat.Entry
	done  func(chat.Receipt, error) // append
	wrote wrote                     // of an append: what a notice deletes
	open  func(r *roomState, first int64)
	claim *claim
	trim  *trim
	lock  *newLock
	edit  func(context.Context, *sql.Conn) error // has a transaction of its own
	file  *fileRequest
	probe bool

	truncate *time.Duration // the write-ahead log, for which readers are waited for so long; needs no transaction

	reply chan error // nil for append, which has done
}

type claim struct {
	chat.Claim
	rules    chat.NameRules
	standing *chat.Standing
}

type newLock struct {
	room string
	chat.Lock
	set *bool
}

// roomState is what the writer knows of a room that is open or being written.
type roomState struct {
	key    string
	loaded bool // what follows is what the database says
	id     int64
	name   string
	head   int64
	last   time.Time
	rules  chat.Rules

	touched   bool         // by the transaction under way
	fresh     []chat.Entry // of the transaction under way
	usual     int          // how many the last one had
	gone      int64        // bytes of texts that the transaction under way takes away
	about     bool         // something in fresh is about another entry
	followers []*follower  // guarded by writer.mu
}

type follower struct {
	chat.Follower
	handed int64 // the last offset that it was told of
}

// writer owns the connection that writes. Its goroutine alone touches what is
// not guarded by mu.
type writer struct {
	db       *sql.DB
	place    *place
	reserve  *reserve
	busy     time.Duration // how long a write waits for another program
	epoch    string
	observe  func(time.Duration)
	requests chan *request
	stopped  chan struct{}

	conn    *sql.Conn // nil after a failure
	stmt    statements
	opened  []*sql.Stmt // all of stmt
	again   []*request  // appends that go on after what waits
	pending pending     // of the transaction under way
	rooms   map[string]*roomState
	touched []*roomState
	volume  volume
	erases  bool     // the transaction under way takes texts away
	gone    []string // the files that it takes away
	places  int      // how many files may be begun before they are counted

	filesGone atomic.Pointer[func(ids []string)] // see chat.FileRows; nil if nobody wants to know

	erased atomic.Pointer[time.Time] // since when the write-ahead log may have texts that went; nil if it has none

	mu        sync.Mutex
	abandoned []string // rooms that lost their last follower
}

type statements struct {
	begin, commit, rollback                 *sql.Stmt
	room, end, newRoom, setHead             *sql.Stmt
	insert, insertAll, insertAbout          *sql.Stmt
	find, missed, row, lock                 *sql.Stmt
	target, edit, erase, react, wrote       *sql.Stmt
	file, takeFile, deleteFile              *sql.Stmt
	claim, owner, lookOwner, setLook        *sql.Stmt
	forgetDevice, forgetAddress, countNames *sql.Stmt
}

func (w *writer) start(ctx context.Context, epoch string, observe func(time.Duration)) error {
	w.epoch, w.observe = epoch, observe
	w.rooms = make(map[string]*roomState)
	w.volume.over = make(chan struct{}, 1)
	if err := w.connect(ctx); err != nil {
		return err
	}
	w.requests = make(chan *request, maxQueue)
	w.stopped = make(chan struct{})
	go w.run()
	return nil
}

// stop lets the goroutine finish what is queued.
func (w *writer) stop() {
	close(w.requests)
	<-w.stopped
}

// do queues a request and waits for its reply.
func (w *writer) do(ctx context.Context, r request) error {
	r.reply = make(chan error, 1)
	if err := w.enqueue(ctx, &r); err != nil {
		return err
	}
	return <-r.reply // the goroutine always replies, bounded by the busy timeout
}

func (w *writer) queueAppend(ctx context.Context, r *request) {
	if err := w.enqueue(ctx, r); err != nil {
		r.done(chat.Receipt{}, err)
	}
}

// enqueue waits for a place in the queue.
func (w *writer) enqueue(ctx context.Context, r *request) error {
	if ctx.Done() == nil {
		w.requests <- r
		return nil
	}
	select {
	case w.requests <- r:
		return nil
	case <-ctx.Done():
		return unavailable(ctx.Err())
	}
}

func (w *writer) unfollow(room string, f *follower) {
	w.mu.Lock()
	defer w.mu.Unlock()
	r := w.rooms[room]
	if r == nil {
		return
	}
	r.followers = slices.DeleteFunc(slices.Clone(r.followers), func(g *follower) bool { return g == f })
	if len(r.followers) == 0 {
		w.abandoned = append(w.abandoned, room)
	}
}

// followers are those of a room.
func (w *writer) followers(room string) []*follower {
	w.mu.Lock()
	defer w.mu.Unlock()
	if r := w.rooms[room]; r != nil {
		return r.followers // replaced, never changed
	}
	return nil
}

func (w *writer) run() {
	defer close(w.stopped)
	batch := make([]*request, 0, maxBatch)
	for open := true; open; {
		batch = append(batch[:0], w.again...)
		w.again = nil
		if len(batch) == 0 {
			var first *request
			if first, open = <-w.requests; !open {
				break
			}
			batch = append(batch, first)
		}
	more:
		for len(batch) < maxBatch {
			select {
			case r, ok := <-w.requests:
				if open = ok; !ok {
					break more
				}
				batch = append(batch, r)
			default:
				break more
			}
		}
		w.handle(batch)
		clear(batch)
	}
	refuse(w.again, errClosed)
	if w.conn != nil {
		// A log that was closed is one file. Where this fails, the next start reads
		// the write-ahead log.
		_, _ = w.conn.ExecContext(context.Background(), "PRAGMA wal_checkpoint(TRUNCATE)")
		w.closeStatements()
		w.conn.Close()
	}
}

func (w *writer) handle(batch []*request) {
	w.forgetAbandoned()
	ctx := context.Background()
	if err := w.connect(ctx); err != nil {
		refuse(batch, err)
		return
	}
	// Opens only read, so they succeed while the database can't be written. An
	// entry of this batch reaches the new follower after it.
	var truncating *request
	for _, r := range batch {
		if r.open != nil {
			state, first, err := w.stateToOpen(ctx, r.room)
			if err == nil {
				w.mu.Lock()
				r.open(state, first)
				w.mu.Unlock()
			}
			r.reply <- wrap(err)
		}
		if r.truncate != nil {
			truncating = r
		}
	}
	writes := slices.DeleteFunc(batch, func(r *request) bool { return r.open != nil || r.truncate != nil })
	for writes = w.admit(writes); len(writes) > 0; {
		n := slices.IndexFunc(writes, func(r *request) bool { return r.edit != nil })
		if n < 0 {
			n = len(writes)
		}
		n = max(n, 1) // an edit goes alone
		w.write(ctx, writes[:n])
		writes = writes[n:]
	}
	if truncating != nil { // there is one at most: see Log.look
		truncating.reply <- wrap(w.truncate(ctx, *truncating.truncate))
	}
}

// write carries out writes in one transaction and answers them.
func (w *writer) write(ctx context.Context, writes []*request) {
	if err := w.connect(ctx); err != nil {
		refuse(writes, err)
		return
	}
	started := time.Now()
	outcomes, err := w.transaction(ctx, writes, len(writes) >= many)
	if err == errRepeated {
		w.rollBack(ctx)
		outcomes, err = w.transaction(ctx, writes, false)
	}
	if err != nil {
		w.fail()
		refuse(writes, cmp.Or(w.place.check(), err))
		return
	}
	w.volume.committed()
	if w.erases {
		w.erased.CompareAndSwap(nil, &started)
	}
	// What was committed to files that are somewhere else is not acknowledged. If
	// they come back, the followers are told with the next entry.
	if err := w.place.check(); err != nil {
		w.distrust()
		refuse(writes, err)
		return
	}
	if len(outcomes) > 0 {
		w.observe(time.Since(started))
	}
	w.tellGone(w.gone) // before anyone has an answer
	w.handOn(ctx)
	if writes[0].edit != nil {
		w.distrust() // what it knows of rooms
	}
	for _, r := range writes {
		if r.done == nil {
			r.reply <- nil
			continue
		}
		if outcomes[0].err == errGoesOn {
			r.wrote.drop(chat.DeletesAtOnce, r.entry.Target)
			w.again = append(w.again, r)
		} else {
			r.done(outcomes[0].Receipt, wrap(outcomes[0].err))
		}
		outcomes = outcomes[1:]
	}
}

// errClosed is what an append ends with that would go on.
var errClosed = errors.New("the log is being closed")

var errRead = errors.New("somebody reads the database")

// truncate takes the write-ahead log into the database and makes it empty, unless
// somebody reads for longer than wait: then it goes on growing.
func (w *writer) truncate(ctx context.Context, wait time.Duration) error {
	if err := cmp.Or(w.connect(ctx), w.place.check()); err != nil {
		return err
	}
	busyTimeout := func(d time.Duration) error {
		_, err := w.conn.ExecContext(ctx, fmt.Sprintf("PRAGMA busy_timeout = %d", d.Milliseconds()))
		return err
	}
	if err := busyTimeout(wait); err != nil {
		return err
	}
	var busy, pages, written int
	err := w.conn.QueryRowContext(ctx, "PRAGMA wal_checkpoint(TRUNCATE)").Scan(&busy, &pages, &written)
	switch {
	case err != nil:
	case busy != 0:
		err = errRead
	default:
		w.erased.Store(nil)
	}
	restored := busyTimeout(w.busy)
	if restored != nil {
		w.fail()
	}
	return errors.Join(err, restored)
}

// admit refuses what can't be written now, and returns the rest.
func (w *writer) admit(writes []*request) []*request {
	if w.place.isLost() {
		if err := w.place.check(); err != nil {
			refuse(writes, err)
			return nil
		}
	}
	grows := func(r *request) bool { return r.done != nil || r.probe || r.file != nil && r.file.grows }
	if !slices.ContainsFunc(writes, grows) {
		return writes
	}
	err := w.reserve.check()
	if err == nil {
		return writes
	}
	var rest []*request
	for _, r := range writes {
		if grows(r) {
			refuse([]*request{r}, err)
		} else {
			rest = append(rest, r)
		}
	}
	return rest
}

// state returns a room's state, from the database if need be.
func (w *writer) state(ctx context.Context, room shared.Name) (*roomState, error) {
	w.mu.Lock()
	r := w.rooms[room.Key]
	if r == nil {
		r = &roomState{key: room.Key}
		w.rooms[room.Key] = r
		w.abandoned = append(w.abandoned, room.Key) // until somebody follows it
	}
	w.mu.Unlock()
	if r.loaded {
		return r, nil
	}
	var last int64
	r.rules = chat.Rules{}
	switch err := w.stmt.room.QueryRowContext(ctx, room.Key).Scan(&r.id, &r.name, &r.head, &last); {
	case errors.Is(err, sql.ErrNoRows):
		r.id, r.name, r.head, r.last = 0, "", 0, time.Time{}
		if err := w.stmt.end.QueryRowContext(ctx, room.Key).Scan(&r.head); err != nil && !errors.Is(err, sql.ErrNoRows) {
			return nil, err
		}
	case err != nil:
		return nil, err
	default:
		r.last = time.UnixMilli(last).UTC()
		if r.rules, err = loadRules(ctx, w.conn, room.Key); err != nil {
			return nil, err
		}
	}
	r.loaded = true
	return r, nil
}

// stateToOpen returns also where the room's log begins.
func (w *writer) stateToOpen(ctx context.Context, room shared.Name) (r *roomState, first int64, err error) {
	if r, err = w.state(ctx, room); err != nil {
		return nil, 0, err
	}
	err = w.conn.QueryRowContext(ctx, "SELECT offset FROM entries WHERE at > ? AND at < ? ORDER BY at LIMIT 1", rowOf(r.id, 0), rowOf(r.id+1, 0)).Scan(&first)
	if errors.Is(err, sql.ErrNoRows) {
		return r, r.head + 1, nil
	}
	return r, first, err
}

func (w *writer) forgetAbandoned() {
	w.mu.Lock()
	defer w.mu.Unlock()
	for _, key := range w.abandoned {
		if r := w.rooms[key]; r != nil && len(r.followers) == 0 {
			delete(w.rooms, key)
		}
	}
	w.abandoned = w.abandoned[:0]
}

// connect opens the connection and prepares its statements, if there is none.
func (w *writer) connect(ctx context.Context) (err error) {
	if w.conn != nil {
		return nil
	}
	if w.conn, err = w.db.Conn(ctx); err != nil {
		w.conn = nil
		return err
	}
	if _, err := w.conn.ExecContext(ctx, pendingTable); err != nil {
		w.fail()
		return err
	}
	for stmt, query := range map[**sql.Stmt]string{
		&w.stmt.begin:       "BEGIN IMMEDIATE",
		&w.stmt.commit:      "COMMIT",
		&w.stmt.rollback:    "ROLLBACK",
		&w.stmt.room:        "SELECT id, name, head, last FROM rooms WHERE key = ?",
		&w.stmt.end:         "SELECT head FROM ends WHERE key = ?",
		&w.stmt.newRoom:     "INSERT INTO rooms (key, name, head, last) VALUES (?, ?, 0, 0) RETURNING id",
		&w.stmt.setHead:     "UPDATE rooms SET head = ?, last = ?, bytes = bytes + ? WHERE id = ?",
		&w.stmt.insert:      "INSERT INTO entries (" + entryColumns + ") VALUES (?, ?, ?, ?, ?, ?, ?) ON CONFLICT (id, device, room) DO NOTHING",
		&w.stmt.insertAll:   "INSERT OR IGNORE INTO entries (" + entryColumns + ") SELECT " + entryColumns + " FROM temp.pending",
		&w.stmt.insertAbout: "INSERT INTO entries (" + entryColumns + ", kind, target, reply, file) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
		&w.stmt.find:        "SELECT offset FROM entries WHERE id = ? AND device = ? AND room = ?",
		&w.stmt.missed:      "SELECT " + columns + " FROM entries WHERE at > ? AND at < ? AND " + shown + " ORDER BY at",
		&w.stmt.row:         rowQuery,
		&w.stmt.target:      targetQuery,
		&w.stmt.edit:        "UPDATE entries SET text = ?2, state = 1, changed = ?3 WHERE at = ?1",
		&w.stmt.erase:       "UPDATE entries SET text = '', state = 2, reply = 0, reactions = NULL, file = NULL, changed = ?2 WHERE at = ?1",
		&w.stmt.file:        fileQuery,
		&w.stmt.takeFile:    "UPDATE files SET off = ?2 WHERE id = ?1",
		&w.stmt.deleteFile:  "DELETE FROM files WHERE id = ?",
		&w.stmt.react:       "UPDATE entries SET reactions = ?2, changed = ?3 WHERE at = ?1",
		&w.stmt.wrote:       "SELECT octet_length(text), COALESCE(file, '') FROM entries WHERE at = ? AND device = ? AND " + kept,
		&w.stmt.lock: "INSERT INTO locks (room, hash, hidden, made) SELECT ?1, ?2, ?3, ?4 WHERE NOT EXISTS (SELECT 1 FROM rooms WHERE key = ?1) " +
			"ON CONFLICT (room) DO NOTHING",
		&w.stmt.claim:         claimStatement,
		&w.stmt.owner:         ownerQuery,
		&w.stmt.lookOwner:     lookQuery,
		&w.stmt.setLook:       "UPDATE names SET look = ?3 WHERE room = ?1 AND name = ?2",
		&w.stmt.forgetDevice:  forgetDevice,
		&w.stmt.forgetAddress: forgetAddress,
		&w.stmt.countNames:    countQuery,
	} {
		if *stmt, err = w.conn.PrepareContext(ctx, query); err != nil {
			w.fail()
			return err
		}
		w.opened = append(w.opened, *stmt)
	}
	err = w.conn.QueryRowContext(ctx, "SELECT COALESCE(SUM(bytes), 0) FROM rooms").Scan(&w.volume.bytes)
	if err = cmp.Or(err, w.place.connected()); err != nil {
		w.fail()
	}
	return err
}

// rollBack gives up a transaction, and everything that it made the writer believe.
func (w *writer) rollBack(ctx context.Context) {
	if w.stmt.rollback != nil {
		_, _ = w.stmt.rollback.ExecContext(ctx) // an error means that there was nothing to roll back
	}
	w.distrust()
}

// distrust forgets what the writer believes of rooms.
func (w *writer) distrust() {
	for _, r := range w.rooms {
		r.loaded = false
	}
	w.volume.change = 0
	w.settle()
}

// fail gives up a transaction together with its connection.
func (w *writer) fail() {
	w.rollBack(context.Background())
	w.closeStatements()
	_ = w.conn.Raw(func(any) error { return driver.ErrBadConn }) // so that it is not used again
	w.conn = nil
}

// closeStatements lets go of the connection's statements. SQLite keeps a
// connection and its files open while it has one.
func (w *writer) closeStatements() {
	for _, s := range w.opened {
		_ = s.Close() // what it did last, it has said already
	}
	w.stmt, w.opened = statements{}, nil
}

func refuse(batch []*request, err error) {
	err = wrap(err)
	for _, r := range batch {
		if r.done != nil {
			r.done(chat.Receipt{}, err)
		} else {
			r.reply <- err
		}
	}
}

func wrap(err error) error {
	if err == nil || errors.Is(err, chat.ErrRefused) {
		return err
	}
	return unavailable(err)
}
