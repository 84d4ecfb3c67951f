package pglog

import (
	"context"
	"errors"
	"sync"
	"sync/atomic"
	"time"

	"github.com/jackc/pgx/v5"

	"parley/server/chat"
	"parley/shared"
)

const (
	maxQueue = 2048    // requests that wait; further callers wait for a place
	maxBatch = 2048    // requests in one transaction
	maxTexts = 1 << 20 // bytes of their texts, with which it is full
)

// request is an entry to add, or something else to do in turn.
type request struct {
	room  shared.Name
	entry chat.Entry
	done  func(chat.Receipt, error) // of an append

	deleted int64 // the messages up to here are gone that a notice is to delete

	do    func(context.Context) error
	reply chan error // of do; answered says that it has begun, or that nobody waits for it

	due      time.Time // of an append: when its deadlines answer it
	answered atomic.Bool
}

// answer answers an append, once: whoever has waited too long has been told that the
// log is unavailable, and learns with the same id what became of it.
func (r *request) answer(receipt chat.Receipt, err error) {
	if r.answered.CompareAndSwap(false, true) {
		r.done(receipt, err)
	}
}

// answer is what a transaction says to a request.
type answer struct {
	*request
	outcome
}

func (a *answer) give() { a.answer(a.Receipt, wrap(a.err)) }

// writer carries out what is asked for its rooms. Its goroutine alone calls followers.
type writer struct {
	log      *Log
	number   int
	requests chan *request
	wake     chan struct{} // there is something in heard, or due
	stopped  chan struct{}
	due      atomic.Bool // it has to look where the rooms are
	waits    atomic.Bool // it will be woken because of what is missing
	conn     *session    // nil after a failure
	current  atomic.Pointer[session]
	looks    int // for how many transactions it looks up ids
	known    map[string]known
	commands commands   // of a transaction, for their memory
	appends  []*request // of a transaction, likewise
	texts    int        // bytes of what was taken from the queue for it
	again    []*request // appends that go on after what waits

	later   []*request         // came while a transaction was under way, and could not go with it
	missing map[string][]*news // by room, what was not handed on yet: something before it is missing

	deadlines deadlines

	mu        sync.Mutex
	followers map[string][]*follower // by room; a slice is replaced, never changed
	opening   map[string]int         // rooms that are about to have one
	heard     map[string][]*news     // by room, what was not taken in yet
	held      int64                  // bytes of the entries in it
}

// errClosed is what an append ends with that would go on.
var errClosed = errors.New("the log is being closed")

func newWriter(l *Log, number int) *writer {
	return &writer{log: l, number: number, requests: make(chan *request, maxQueue), wake: make(chan struct{}, 1), stopped: make(chan struct{}),
		known: make(map[string]known), followers: make(map[string][]*follower), opening: make(map[string]int), heard: make(map[string][]*news), missing: make(map[string][]*news),
		deadlines: deadlines{patience: l.opt.patience, late: func() { l.waited.Store(true) }}}
}

// stop lets the goroutine finish what is queued, unless it waits for a standby that does
// not answer.
func (w *writer) stop() {
	close(w.requests)
	for {
		select {
		case <-w.stopped:
			return
		case <-time.After(patience):
			w.log.sockets.cut(w.log.sockets.opened()) // its own, or one that it does something else on
		}
	}
}

// do runs something between transactions, and waits until it has run.
func (w *writer) do(ctx context.Context, what func(context.Context) error) error {
	r := &request{do: what, reply: make(chan error, 1)}
	if err := w.enqueue(ctx, r); err != nil {
		return err
	}
	late := time.NewTimer(2 * w.log.opt.patience) // what is asked may itself have waited so long
	defer late.Stop()
	select {
	case err := <-r.reply:
		return wrap(err)
	case <-late.C:
		r.answered.Store(true)
		return wrap(errNoProof)
	}
}

// enqueue waits for a place in the queue.
func (w *writer) enqueue(ctx context.Context, r *request) error {
	select {
	case w.requests <- r:
		return nil
	default:
	}
	late := time.NewTimer(w.log.opt.patience)
	defer late.Stop()
	select {
	case w.requests <- r:
		return nil
	case <-late.C:
		return wrap(errNoProof)
	case <-ctx.Done():
		return wrap(ctx.Err())
	}
}

func (w *writer) rouse() {
	select {
	case w.wake <- struct{}{}:
	default:
	}
}

func (w *writer) run() {
	defer close(w.stopped)
	defer func() {
		for _, some := range w.missing {
			for _, n := range some {
				n.settled()
			}
		}
		w.giveUp()
	}()
	var batch []*request
	for open := true; open || len(w.later) > 0; {
		batch = append(append(batch[:0], w.later...), w.again...)
		w.later, w.again = w.later[:0], nil
		if len(batch) == 0 {
			select {
			case first, ok := <-w.requests:
				if open = ok; !ok {
					continue
				}
				batch = append(batch, first)
			case <-w.wake:
			}
		}
		w.texts = 0
		for _, r := range batch {
			w.texts += len(r.entry.Text)
		}
	more:
		for len(batch) < maxBatch && w.texts < maxTexts {
			select {
			case r, ok := <-w.requests:
				if open = ok; !ok {
					break more
				}
				batch = append(batch, r)
				w.texts += len(r.entry.Text)
			default:
				break more
			}
		}
		w.handle(batch)
		clear(batch)
	}
	for _, r := range w.again {
		r.answer(chat.Receipt{}, wrap(errClosed))
	}
}

// handle carries out what has come together, of which nothing has been answered: so any
// order is as good. Entries are written at once, and what others have written is taken in
// at once.
func (w *writer) handle(batch []*request) {
	w.appends = w.appends[:0]
	for _, r := range batch {
		if r.done != nil {
			w.appends = append(w.appends, r)
		}
	}
	if len(w.appends) > 0 {
		w.write()
		w.deadlines.trim()
		clear(w.appends)
	}
	w.takeIn()
	if w.due.Swap(false) {
		w.look(context.Background())
	}
	for _, r := range batch {
		if r.do != nil && r.answered.CompareAndSwap(false, true) {
			r.reply <- r.do(context.Background())
		}
	}
}

// write adds entries in one transaction, and answers.
func (w *writer) write() {
	started := time.Now()
	ctx := context.Background() // a context that ends would cancel a commit that waits for its standby
	var b *batch
	err := retry(ctx, func() (err error) {
		b, err = w.commit(ctx)
		if err != nil {
			w.giveUp()
		}
		return err
	})
	w.log.noteFull(isFull(err))
	if err != nil {
		for _, r := range w.appends {
			r.answer(chat.Receipt{}, wrap(err))
		}
		return
	}
	w.log.opt.Observe(time.Since(started))
	w.log.filesGone.tell(b.filesGone) // before anyone has an answer
	w.handOn(b)
}

// connect opens the connection where there is none, or only one to an old database.
func (w *writer) connect(ctx context.Context) error {
	if w.conn != nil && !w.log.sockets.isOld(w.conn.conn.PgConn()) {
		return nil
	}
	w.giveUp()
	conn, err := w.log.connect(ctx)
	if err != nil {
		return err
	}
	w.conn = conn
	w.current.Store(conn)
	return w.log.proof.look(ctx) // it may lead to another database, which has less
}

// row reads one row over the writer's own connection: those of the pool may all be in use
// by others, and whoever writes to the rooms would wait for them, too.
func (w *writer) row(ctx context.Context, into []any, query string, args ...any) (err error) {
	for range 2 { // the connection may be broken, and the next one good
		if err = w.connect(ctx); err == nil {
			err = w.conn.conn.QueryRow(ctx, query, args...).Scan(into...)
		}
		if ignoreNone(err) == nil {
			return err
		}
		w.giveUp()
	}
	return err
}

// snapshot is Log.snapshot over the writer's own connection.
func (w *writer) snapshot(ctx context.Context, read func(context.Context, pgx.Tx) error) error {
	err := w.log.readingAgain(ctx, w.giveUp, func(ctx context.Context) error {
		if err := w.connect(ctx); err != nil {
			return err
		}
		return readOnly(ctx, w.conn.conn, read)
	})
	if err != nil || w.conn.conn.IsClosed() { // it may have ended amid an answer
		w.giveUp()
	}
	return err
}

// giveUp gives up the connection.
func (w *writer) giveUp() {
	if w.conn != nil {
		w.conn.end()
		w.conn = nil
	}
}

// handOn tells the followers of what a transaction has added, and the other servers, and
// answers. What those have added before was mostly heard meanwhile.
func (w *writer) handOn(b *batch) {
	own := make(map[string]*news)
	for _, r := range b.rooms {
		if len(r.fresh) > 0 {
			n := &news{heads: heads{r.id, r.version, r.first, r.head}, epoch: b.epoch, before: r.tail, entries: r.fresh, own: true, about: r.about}
			w.missing[r.key], own[r.key] = append(w.missing[r.key], n), n
			if w.log.listener.others.Load() {
				w.log.listener.tell(r.key, n)
			}
		}
	}
	for i, r := range w.appends {
		a := answer{r, b.outcomes[i]}
		var on goesOn
		if errors.As(a.err, &on) {
			r.deleted = on.upTo
			w.again = append(w.again, r)
			continue
		}
		if n := own[r.room.Key]; n != nil {
			n.answers = append(n.answers, a)
		} else {
			a.give()
		}
	}
	w.takeIn()
}
