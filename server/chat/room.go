package chat

import (
	"runtime"
	"sync"
	"sync/atomic"
	"time"

	"parley/server/chat/wire"
	"parley/shared"
)

// dialect is what a client speaks.
type dialect int

const (
	tutorial dialect = iota // chat_message and error, nothing else
	parley                  // all of shared.Protocol
	dialects
)

// Room is one room with somebody in it. Only the log feeds its members: what a
// session sends comes back through deliver, in the log's order.
//
// What is delivered waits in incoming for the room's loop, a goroutine that
// runs while there is something to do. The loop alone appends to the tails and
// has the members written to.
type Room struct {
	// Set when it is opened.
	core   *core
	opened chan struct{} // closed when what follows is set
	err    error         // why it could not be opened
	name   shared.Name
	epoch  string
	stop   func() // ends the log's calls of deliver
	meter  *meter // of what is said in it; nil if there is no limit per address

	size  atomic.Int64 // how many members there are
	first atomic.Int64 // the oldest entry that the log keeps; it never goes back

	sessions int  // guarded by Hub.mu; the room leaves memory with the last
	appends  gate // closed when it is retired

	retired  atomic.Bool
	farewell *farewell // guarded by Hub.mu; set when its retirement ends

	incomingMu sync.Mutex
	opening    bool    // what the log knows of the room is on its way
	early      []Entry // came meanwhile
	incoming   []delivery
	edits      map[int64]bool // the offsets of those that came and were not asked for by echoes
	looping    bool
	rounds     int       // how often the loop has come for what is in incoming
	over       bool      // it has left memory: nothing is taken in any more
	settled    sync.Cond // on incomingMu: looping became false, or rounds grew

	holdings holdings
	ruling   ruling
	locking  sync.Mutex // held while a lock is on its way into the log; taken before mu

	mu      sync.Mutex
	lock    Lock
	proof   []byte // stands for the passphrase that has opened the lock, once one has
	said    bool   // something was, at some time
	head    int64  // the newest entry in the tails
	changed int64  // the newest of them that is a change
	last    time.Time
	tails   [dialects]*wire.Tail // nil if nobody speaks the dialect
	speak   [dialects]int        // members of each dialect
	members []*member            // replaced, never changed
	recent  recent               // for the first tail
	authors map[string]*author   // by device
	presence
}

// newRoom returns a room that is still to be opened, with one session in it.
func newRoom(c *core, name shared.Name) *Room {
	r := &Room{core: c, name: name, sessions: 1, opened: make(chan struct{}), opening: true}
	r.settled.L = &r.incomingMu
	r.people = make(map[string]*person)
	r.looks = make(map[string][]*person)
	r.authors = make(map[string]*author)
	return r
}

// begin counts an append that is under way, unless the server is stopping or the
// room is retired.
func (r *Room) begin() bool {
	if !r.core.appends.enter() {
		return false
	}
	if !r.appends.enter() {
		r.core.appends.leave()
		return false
	}
	return true
}

// appended undoes begin.
func (r *Room) appended() {
	r.appends.leave()
	r.core.appends.leave()
}

// delivery is one thing for everyone: an entry, or a frame that is not kept.
type delivery struct {
	entry Entry
	frame []byte // for parley.v1 members only
}

// deliver is the log's way into the room. It does not block.
func (r *Room) deliver(entries []Entry) {
	r.incomingMu.Lock()
	defer r.incomingMu.Unlock()
	if r.opening {
		r.early = append(r.early, entries...)
		return
	}
	r.take(entries)
}

// begun takes in what came while the room was opened.
func (r *Room) begun() {
	r.incomingMu.Lock()
	defer r.incomingMu.Unlock()
	r.opening = false
	if len(r.early) > 0 {
		r.take(r.early)
	}
	r.early = nil
}

// take puts entries on their way to the members. The caller holds incomingMu.
func (r *Room) take(entries []Entry) {
	if r.over {
		return
	}
	r.ruling.carry(entries)
	for _, e := range entries {
		if removes(e) {
			_ = r.noteRemoval(e) // before anyone is told: who hears of it may find the door shut
		}
		if closes(e) {
			r.core.tellVisitors(r.name.Key, r.ruling.visitors())
		}
	}
	for _, e := range entries {
		r.incoming = append(r.incoming, delivery{entry: e})
		if e.Kind == KindEdit {
			if r.edits == nil || len(r.edits) >= mostEdits {
				r.edits = make(map[int64]bool)
			}
			r.edits[e.Offset] = true
		}
	}
	r.startLoop()
}

// mostEdits bounds what is kept for echoes: what is left is of appends that failed.
const mostEdits = 1024

// echoes reports, once, whether an edit has been delivered. One that came out of the
// log together with the deletion of its message is left out.
func (r *Room) echoes(offset int64) bool {
	r.incomingMu.Lock()
	defer r.incomingMu.Unlock()
	defer delete(r.edits, offset)
	return r.edits[offset]
}

// tell sends a frame to every parley.v1 member, between entries, unkept.
func (r *Room) tell(m shared.Message) {
	f := wire.Message(m)
	r.incomingMu.Lock()
	defer r.incomingMu.Unlock()
	if r.over || r.opening { // nobody is in it
		return
	}
	r.incoming = append(r.incoming, delivery{frame: f})
	r.startLoop()
}

func (r *Room) startLoop() {
	if !r.looping {
		r.looping = true
		r.core.work.Go(r.loop)
	}
}

func (r *Room) loop() {
	w := workspaces.Get().(*workspace)
	defer workspaces.Put(w)
	for {
		r.incomingMu.Lock()
		r.rounds++
		r.settled.Broadcast()
		batch := r.incoming
		r.incoming = w.deliveries
		if len(batch) == 0 {
			r.incoming, r.looping = nil, false
			r.incomingMu.Unlock()
			return
		}
		r.incomingMu.Unlock()

		for rest := batch; len(rest) > 0; {
			n := together(rest)
			r.core.metrics.deliveries.Add(float64(flushAll(r.appendAll(rest[:n], w))))
			if last := rest[n-1].entry; removes(last) {
				r.expel(last)
			}
			rest = rest[n:]
		}
		clear(batch)
		w.deliveries = batch[:0]
	}
}

// together returns how many of a batch go into the tails together. A delete begins a
// new part: the tails forget what lies before it, so the members should have that. A
// removal ends one: the removed one may be told of it, but of nothing after it.
func together(batch []delivery) int {
	for i, d := range batch[1:] {
		if d.entry.Kind == KindDelete || removes(batch[i].entry) {
			return 1 + i
		}
	}
	return len(batch)
}

// share is how many members are written to before others get a turn at the
// processor: some 300 µs.
const share = 32

// flushAll writes to members, and returns the number of tail frames that went
// out. Many are written to on all processors, share by share.
func flushAll(members []*member) int {
	if len(members) < 2*share {
		return flush(members)
	}
	var next, delivered atomic.Int64
	work := func() {
		for {
			end := int(next.Add(share))
			if end-share >= len(members) {
				return
			}
			delivered.Add(int64(flush(members[end-share : min(end, len(members))])))
			runtime.Gosched()
		}
	}
	var others sync.WaitGroup
	for range min(len(members)/(2*share), runtime.GOMAXPROCS(0)-1) {
		others.Go(work)
	}
	work()
	others.Wait()
	return int(delivered.Load())
}

func flush(members []*member) (delivered int) {
	for _, m := range members {
		delivered += m.flush()
	}
	return delivered
}

// workspace is memory that the rooms' loops use again.
type workspace struct {
	deliveries []delivery
	to         [dialects]frames
	entry      []byte // framed
	payload    []byte
}

var workspaces = sync.Pool{New: func() any { return new(workspace) }}

// frames are on their way into a tail.
type frames struct {
	buf   []byte
	marks []wire.Mark
}

// settle waits until everything that was delivered before has been written, as far as
// the members' sockets take it: the batch under way, and the one after it.
func (r *Room) settle() {
	r.incomingMu.Lock()
	defer r.incomingMu.Unlock()
	for upTo := r.rounds + 2; r.looping && r.rounds < upTo; {
		r.settled.Wait()
	}
}

// appendAll puts a batch into the tails and returns who is to be written to. If it
// begins with a delete, nothing that was said before stays in the tails.
func (r *Room) appendAll(batch []delivery, w *workspace) []*member {
	r.mu.Lock()
	defer r.mu.Unlock()
	for d := range w.to {
		w.to[d].buf, w.to[d].marks = w.to[d].buf[:0], w.to[d].marks[:0]
	}
	if batch[0].entry.Kind == KindDelete {
		r.forgetSaid()
	}
	for _, d := range batch {
		f, from := d.frame, parley
		if f == nil {
			w.entry, w.payload = r.core.appendEntry(w.entry[:0], w.payload, d.entry, r.author(d.entry).by)
			if f = w.entry; tutorial.understood(d.entry) {
				from = tutorial
			}
			r.head, r.last, r.said = d.entry.Offset, d.entry.Time, true
			if d.entry.Kind != KindMessage {
				r.changed = r.head
			}
		}
		for dialect := from; dialect < dialects; dialect++ {
			if r.tails[dialect] != nil {
				to := &w.to[dialect]
				to.buf = append(to.buf, f...)
				to.marks = append(to.marks, wire.Mark{End: uint64(len(f)), Offset: r.head, Device: d.entry.Device, Message: d.frame == nil && d.entry.Kind == KindMessage})
			}
		}
	}
	for d, t := range r.tails {
		if t != nil {
			t.Append(w.to[d].buf, w.to[d].marks)
		}
	}
	return r.members
}

// newestChange returns the offset of the newest change in the tails.
func (r *Room) newestChange() int64 {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.changed
}

// expire notes where the log begins.
func (r *Room) expire(first int64) {
	r.ruling.expire(first)
	for old := r.first.Load(); first > old && !r.first.CompareAndSwap(old, first); old = r.first.Load() {
	}
}
