package sqlitelog

import (
	"cmp"
	"context"
	"database/sql"
	"errors"
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
		// A log that was closed is one file. If this fails, the next start reads the
		// write-ahead log.
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
