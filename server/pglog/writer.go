package pglog

import (
	"context"
	"errors"
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

	deleted int64 // the messages up to here are gone that a notice is to delete

	do    func(context.Context) error
	reply chan error // of do; answered says that it has begun, or that nobody waits for it

	heard map[string]heads // where the logs of rooms are now

	due      time.Time // of an append: when its deadlines answer it
	answered atomic.Bool
}

// answer answers an append, once: who has waited too long has been told that the log is
// unavailable, and learns with the same id what became of it.
func (r *request) answer(receipt chat.Receipt, err error) {
	if r.answered.CompareAndSwap(false, true) {
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
	commands commands   // of a transaction, for their memory
	appends  []*request // of a transaction, likewise
	again    []*request // appends that go on after what waits

	deadlines deadlines

	mu        sync.Mutex
	followers map[string][]*follower // by room; a slice is replaced, never changed
}

// errClosed is what an append ends with that would go on.
var errClosed = errors.New("the log is being closed")

func newWriter(l *Log, number int) *writer {
	return &writer{log: l, number: number, requests: make(chan *request, maxQueue), stopped: make(chan struct{}),
		known: make(map[string]known), followers: make(map[string][]*follower),
		deadlines: deadlines{patience: l.opt.patience}}
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
	for _, r := range w.again {
		r.answer(chat.Receipt{}, wrap(errClosed))
	}
	w.giveUp()
}

// handle carries out what has come together, of which nothing has been answered: so any
// order is as good. Entries are written at once, and what others have written is read at
// once.
func (w *writer) handle(batch []*request) {
	appends := w.appends[:0]
	heard := make(map[string][]heads)
	for _, r := range batch {
		for room, h := range r.heard {
			heard[room] = append(heard[room], h)
		}
		if r.done != nil {
			appends = append(appends, r)
		}
	}
	if len(appends) > 0 {
		w.write(appends)
		w.deadlines.trim()
		clear(appends)
		w.appends = appends
	}
	if len(heard) > 0 {
		w.hear(heard)
	}
	for _, r := range batch {
		if r.do != nil && r.answered.CompareAndSwap(false, true) {
			r.reply <- r.do(context.Background())
		}
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
		var on goesOn
		if errors.As(b.outcomes[i].err, &on) {
			r.deleted = on.upTo
			w.again = append(w.again, r)
			continue
		}
		r.answer(b.outcomes[i].Receipt, wrap(b.outcomes[i].err))
	}
	w.log.filesGone.tell(b.filesGone)
}

// connect opens the connection where there is none.
func (w *writer) connect(ctx context.Context) error {
	if w.conn != nil {
		return nil
	}
	conn, err := w.log.connect(ctx)
	if err != nil {
		return err
	}
	w.conn = conn
	w.current.Store(conn)
	return w.log.proof.look(ctx) // it may lead to another database, which has less
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
	var late []behind
	for _, r := range b.rooms {
		if len(r.fresh) == 0 {
			continue
		}
		for _, f := range w.following(r.key) {
			if f.over.Load() {
				continue
			}
			if r.about || f.handed != r.head-int64(len(r.fresh)) {
				late = append(late, behind{key: r.key, follower: f, head: r.head, about: r.about})
				continue
			}
			f.hand(r.fresh)
		}
		w.log.listener.tell(r.key, heads{r.id, r.version, r.first, r.head})
	}
	w.catchUp(ctx, late)
}

// behind is a follower that has not been told of what its room has up to head.
type behind struct {
	*follower
	key     string
	head    int64
	first   int64 // where the room is said to begin
	entries []chat.Entry
	about   bool // something in entries is about another entry: the room is read alone
}

// catchUp hands on what followers have not been told of. What can't be read now comes
// with the next entry, or when the listener looks again. That there is more, up to head,
// may only have been heard.
func (w *writer) catchUp(ctx context.Context, late []behind) {
	late = slices.DeleteFunc(late, func(b behind) bool { return b.handed >= b.head })
	if len(late) == 0 {
		return
	}
	atOnce := w.readFor(ctx, late)
	if atOnce != nil {
		w.giveUp() // the pool finds the database again
	}
	for _, b := range late {
		if atOnce != nil || b.about { // what it is about has to be read with it
			var err error
			if b.entries, err = w.log.missed(ctx, b.key, b.handed-1, b.head); err != nil {
				w.log.opt.Logger.Warn("new entries can't be read", "error", err)
				return
			}
		}
		if len(b.entries) > 0 && b.entries[0].Offset == b.handed {
			if last := b.last.Load(); last != nil && last.id != b.entries[0].ID {
				w.log.proof.doubt() // what it was handed is not there any more
				continue
			}
			b.entries = b.entries[1:]
		}
		b.hand(b.entries)
	}
}

// readFor reads what followers have not been told of, and the entry before, in one trip,
// on the connection that writes: its plans are for that.
func (w *writer) readFor(ctx context.Context, late []behind) error {
	var rooms []string
	var after, heads, numbers []int64
	for i, b := range late {
		if !b.about {
			rooms, after, heads, numbers = append(rooms, b.key), append(after, b.handed-1), append(heads, b.head), append(numbers, int64(i))
		}
	}
	if len(rooms) == 0 {
		return nil
	}
	if err := w.connect(ctx); err != nil {
		return err
	}
	rows, err := w.conn.conn.Query(ctx, "SELECT "+columns+", v.n FROM unnest($1::text[], $2::bigint[], $3::bigint[], $4::bigint[]) AS v (room, after, head, n) "+
		"JOIN rooms r ON r.key = v.room JOIN entries e ON e.room = r.id AND e.off >= r.first AND e.off > v.after AND e.off <= v.head "+
		alsoRead+" WHERE "+readable+" ORDER BY v.n, e.off", rooms, after, heads, numbers)
	if err != nil {
		return err
	}
	defer rows.Close()
	for rows.Next() {
		var n int64
		e, err := scanEntry(rows, "", &n)
		if err != nil {
			return err
		}
		b := &late[n]
		e.Room = b.key
		b.entries, b.about = append(b.entries, e), b.about || e.Offset > b.handed && aboutOf(&e) != 0
	}
	return rows.Err()
}

// hear is told where the logs of rooms are now, by several servers in any order. It may
// not be true: whoever may connect to the database may say it.
func (w *writer) hear(said map[string][]heads) {
	ctx := context.Background()
	var late []behind
	for key, all := range said {
		for _, f := range w.following(key) {
			b := behind{key: key, follower: f}
			for _, h := range all {
				switch {
				case f.over.Load():
				case f.is(h.Room, h.Version):
					b.head, b.first = max(b.head, h.Head), max(b.first, h.First)
				default:
					w.look(ctx, key, f)
				}
			}
			if !f.over.Load() {
				late = append(late, b)
			}
		}
	}
	w.catchUp(ctx, slices.Clone(late))
	for _, b := range late {
		if b.first > b.began {
			var first int64
			if w.log.row(ctx, "SELECT first FROM rooms WHERE key = $1 AND id = $2", b.key, b.room).Scan(&first) == nil {
				b.begin(first)
			}
		}
	}
}

// look ends a follower whose room is another by now. What was heard of it may be old:
// this server may have made the room since.
func (w *writer) look(ctx context.Context, key string, f *follower) {
	var now heads
	err := w.log.row(ctx, "SELECT id, version FROM rooms WHERE key = $1", key).Scan(&now.Room, &now.Version)
	if ignoreNone(err) == nil && !f.is(now.Room, now.Version) {
		f.end()
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
