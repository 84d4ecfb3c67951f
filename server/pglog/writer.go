package pglog

import (
	"context"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"parley/server/chat"
	"parley/shared"
)

const (
	maxQueue = 1024 // requests that wait; further callers wait for a place
	maxBatch = 1024 // requests in one transaction
)

// request is an entry to add, or something else to do in turn.
type request struct {
	room  shared.Name
	entry chat.Entry
	done  func(chat.Receipt, error) // of an append

	do    func(context.Context) error
	reply chan error // of do

	late     *time.Timer
	answered atomic.Bool
}

// answer answers an append, once: who has waited too long has been told that the log is
// unavailable, and learns with the same id what became of it.
func (r *request) answer(receipt chat.Receipt, err error) {
	if r.answered.CompareAndSwap(false, true) {
		r.late.Stop()
		r.done(receipt, err)
	}
}

type follower struct {
	chat.Follower
	room, version int64 // of the room's row when it began
	handed        int64 // the last offset that it was told of
	began         int64 // the last beginning that it was told of, or knows from its state
	over          atomic.Bool

	last atomic.Pointer[lastHanded] // nil if it was handed nothing
}

// lastHanded is the last entry that a follower was handed, or that was there before.
type lastHanded struct {
	offset int64
	id     string
}

// hand hands entries on.
func (f *follower) hand(entries []chat.Entry) {
	if len(entries) == 0 {
		return
	}
	last := entries[len(entries)-1]
	f.handed = last.Offset
	f.last.Store(&lastHanded{last.Offset, last.ID})
	f.Entries(entries)
}

// end tells it that the room is not the one any more that it was.
func (f *follower) end() {
	if f.over.CompareAndSwap(false, true) && f.Over != nil {
		f.Over()
	}
}

// writer carries out what is asked for its rooms. Its goroutine alone calls followers.
type writer struct {
	log      *Log
	number   int
	requests chan *request
	stopped  chan struct{}
	conn     *session // nil after a failure
	current  atomic.Pointer[session]
	looks    int // for how many transactions it looks up ids
	known    map[string]known

	mu        sync.Mutex
	followers map[string][]*follower // by room; a slice is replaced, never changed
}

func newWriter(l *Log, number int) *writer {
	return &writer{log: l, number: number, requests: make(chan *request, maxQueue), stopped: make(chan struct{}),
		known: make(map[string]known), followers: make(map[string][]*follower)}
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
			if c := w.current.Load(); c != nil {
				c.end()
			}
		}
	}
}

// do has something done between transactions, and waits until it is.
func (w *writer) do(ctx context.Context, what func(context.Context) error) error {
	r := &request{do: what, reply: make(chan error, 1)}
	if err := w.enqueue(ctx, r); err != nil {
		return err
	}
	late := time.NewTimer(2 * patience) // what is asked may itself have waited so long
	defer late.Stop()
	select {
	case err := <-r.reply:
		return wrap(err)
	case <-late.C:
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
	late := time.NewTimer(patience)
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

func (w *writer) follow(room string, f *follower) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.followers[room] = append(slices.Clone(w.followers[room]), f)
}

func (w *writer) unfollow(room string, f *follower) {
	w.mu.Lock()
	defer w.mu.Unlock()
	left := slices.DeleteFunc(slices.Clone(w.followers[room]), func(g *follower) bool { return g == f })
	if w.followers[room] = left; len(left) == 0 {
		delete(w.followers, room)
	}
}

// following returns the followers of a room.
func (w *writer) following(room string) []*follower {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.followers[room]
}

func (w *writer) run() {
	defer close(w.stopped)
	var batch []*request
	for first := range w.requests {
		batch = append(batch[:0], first)
	more:
		for len(batch) < maxBatch {
			select {
			case r, ok := <-w.requests:
				if !ok {
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
	w.giveUp()
}

func (w *writer) handle(batch []*request) {
	for len(batch) > 0 {
		n := slices.IndexFunc(batch, func(r *request) bool { return r.do != nil })
		switch n {
		case 0:
			batch[0].reply <- batch[0].do(context.Background())
			n = 1
		case -1:
			n = len(batch)
			fallthrough
		default:
			w.write(batch[:n])
		}
		batch = batch[n:]
	}
}

// write adds entries in one transaction, and answers.
func (w *writer) write(appends []*request) {
	started := time.Now()
	ctx := context.Background() // a context that ends would cancel a commit that waits for its standby
	var b *batch
	err := retry(ctx, func() (err error) {
		b, err = w.commit(ctx, appends)
		if err != nil {
			w.giveUp()
		}
		return err
	})
	w.log.noteFull(isFull(err))
	if err != nil {
		for _, r := range appends {
			r.answer(chat.Receipt{}, wrap(err))
		}
		return
	}
	w.log.opt.Observe(time.Since(started))
	w.handOn(ctx, b)
	for i, r := range appends {
		r.answer(b.outcomes[i].Receipt, wrap(b.outcomes[i].err))
	}
	w.log.filesGone.tell(b.filesGone)
}

// giveUp gives up the connection.
func (w *writer) giveUp() {
	if w.conn != nil {
		w.conn.end()
		w.conn = nil
	}
}

// handOn tells the followers of what a transaction has added, and the other servers.
func (w *writer) handOn(ctx context.Context, b *batch) {
	for _, r := range b.rooms {
		if len(r.fresh) == 0 {
			continue
		}
		for _, f := range w.following(r.key) {
			if f.over.Load() {
				continue
			}
			if r.about || f.handed != r.head-int64(len(r.fresh)) {
				w.catchUp(ctx, r.key, f, r.head)
				continue
			}
			f.hand(r.fresh)
		}
		w.log.listener.tell(r.key, heads{r.id, r.version, r.first, r.head})
	}
}

// catchUp hands on what a follower has not been told of. What can't be read now comes
// with the next entry, or when the listener looks again. That there is more, up to head,
// may only have been heard.
func (w *writer) catchUp(ctx context.Context, key string, f *follower, head int64) {
	if f.handed >= head {
		return
	}
	entries, err := w.log.missed(ctx, key, f.handed-1, head)
	if err != nil {
		w.log.opt.Logger.Warn("new entries can't be read", "error", err)
		return
	}
	if len(entries) > 0 && entries[0].Offset == f.handed {
		if last := f.last.Load(); last != nil && last.id != entries[0].ID {
			w.log.proof.doubt() // what it was handed is not there any more
			return
		}
		entries = entries[1:]
	}
	f.hand(entries)
}

// heard is told where a room's log is now. It may not be true: whoever may connect to
// the database may say it.
func (w *writer) heard(key string, h heads) {
	for _, f := range w.following(key) {
		switch {
		case f.over.Load():
			continue
		case !f.is(h.Room, h.Version):
			// What was heard may be old: this server may have made the room since.
			var now heads
			err := w.log.pool.QueryRow(context.Background(), "SELECT id, version FROM rooms WHERE key = $1", key).Scan(&now.Room, &now.Version)
			if ignoreNone(err) == nil && !f.is(now.Room, now.Version) {
				f.end()
			}
			continue
		}
		w.catchUp(context.Background(), key, f, h.Head)
		if h.First > f.began {
			var first int64
			if w.log.pool.QueryRow(context.Background(), "SELECT first FROM rooms WHERE key = $1 AND id = $2", key, h.Room).Scan(&first) == nil {
				f.begin(first)
			}
		}
	}
}

// begins is told where the log of a room's row begins from now on.
func (w *writer) begins(key string, r *roomState, first int64) {
	for _, f := range w.following(key) {
		if !f.over.Load() && f.is(r.id, r.version) {
			f.begin(first)
		}
	}
}

func (f *follower) begin(first int64) {
	if first > f.began {
		f.began = first
		f.Begin(first)
	}
}

// is reports whether the room's row is still the one that a follower knows. It takes
// the first row that the room gets.
func (f *follower) is(room, version int64) bool {
	if f.room == 0 && version == 0 {
		f.room = room
	}
	return f.room == room && f.version == version
}

// newest returns a follower for each room that has one.
func (w *writer) newest() map[string]*follower {
	w.mu.Lock()
	defer w.mu.Unlock()
	all := make(map[string]*follower)
	for room, followers := range w.followers {
		all[room] = followers[0]
	}
	return all
}

// endAll tells all followers that their rooms have to be read anew.
func (w *writer) endAll() {
	w.mu.Lock()
	defer w.mu.Unlock()
	for _, followers := range w.followers {
		for _, f := range followers {
			f.end()
		}
	}
}
