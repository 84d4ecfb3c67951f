package pglog

import (
	"cmp"
	"context"
	"slices"
	"sync/atomic"
	"time"

	"github.com/jackc/pgx/v5"

	"parley/server/chat"
)

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

// opens is told that a room is about to have a follower, or does not any more.
func (w *writer) opens(room string, by int) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.opening[room] += by; w.opening[room] == 0 {
		delete(w.opening, room)
	}
}

// awaits reports whether somebody follows a room, or is about to.
func (w *writer) awaits(room string) bool {
	w.mu.Lock()
	defer w.mu.Unlock()
	return len(w.followers[room]) > 0 || w.opening[room] > 0
}

// hear is told what another server has in a room. It does not block.
func (w *writer) hear(room string, n *news) {
	w.mu.Lock()
	if w.held += len(n.entries); w.held > mostHeld {
		w.held -= len(n.entries)
		n.entries = nil
	}
	all := w.heard[room]
	if last := len(all) - 1; last >= 0 && len(n.entries) == 0 && all[last].Room == n.Room && all[last].Version == n.Version {
		all[last].First, all[last].Head = max(all[last].First, n.First), max(all[last].Head, n.Head)
	} else {
		w.heard[room] = append(all, n)
	}
	w.mu.Unlock()
	w.rouse()
}

// lookSoon has it look where the rooms are.
func (w *writer) lookSoon() {
	w.due.Store(true)
	w.rouse()
}

// settled answers whoever has waited until something was handed on.
func (n *news) settled() {
	for i := range n.answers {
		n.answers[i].give()
	}
}

// behind is a follower that has not been told of what its room has up to head.
type behind struct {
	*follower
	key     string
	head    int64
	first   int64 // where the room begins
	entries []chat.Entry
	about   bool // there are more than plain messages: the room is read alone
}

// catchUp hands on what followers have not been told of. What can't be read now comes
// with the next entry, or when the listener looks again. That there is more, up to head,
// may only have been heard. It reports whether it could read.
func (w *writer) catchUp(ctx context.Context, late []behind) (ok bool) {
	late = slices.DeleteFunc(slices.Clone(late), func(b behind) bool { return b.handed >= b.head })
	if len(late) == 0 {
		return true
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
				return false
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
	return true
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
	rows, err := w.conn.conn.Query(ctx, "SELECT v.n, e.off, e.id, e.device, e.usr, e.text, e.time, e.state, e.changed, "+
		"e.kind <> 0 OR e.reply <> 0 OR e.file IS NOT NULL OR e.reactions IS NOT NULL "+
		"FROM unnest($1::text[], $2::bigint[], $3::bigint[], $4::bigint[]) AS v (room, after, head, n) "+
		"JOIN rooms r ON r.key = v.room JOIN entries e ON e.room = r.id AND e.off >= r.first AND e.off > v.after AND e.off <= v.head "+
		"ORDER BY v.n, e.off", rooms, after, heads, numbers)
	if err != nil {
		return err
	}
	var n, ms int64
	var e chat.Entry
	var text []byte
	var state int16
	var more bool
	_, err = pgx.ForEachRow(rows, []any{&n, &e.Offset, &e.ID, &e.Device, &e.User, &text, &ms, &state, &e.Changed, &more}, func() error {
		b := &late[n]
		e.Room, e.Text, e.Time = b.key, string(text), time.UnixMilli(ms).UTC()
		e.Edited, e.Deleted = state&stateEdited != 0, state&stateDeleted != 0
		b.entries, b.about = append(b.entries, e), b.about || more && e.Offset > b.handed
		return nil
	})
	return err
}

// holdFor is how long something that was heard is kept if what comes before it was not:
// that is under way, mostly. Then it is read.
const holdFor = 50 * time.Millisecond

// takeIn hands on what this server has written, and what it has heard of others, which
// comes in any order.
func (w *writer) takeIn() {
	w.mu.Lock()
	for key, some := range w.heard {
		w.missing[key] = append(w.missing[key], some...)
	}
	w.heard, w.held = make(map[string][]*news), 0
	w.mu.Unlock()
	now := time.Now()
	var late []behind
	for key := range w.missing {
		late = append(late, w.takeRoom(key, now, readMissing)...)
	}
	for _, pass := range []int{readAll, readNothing} {
		if len(late) == 0 {
			break
		}
		if !w.catchUp(context.Background(), late) {
			pass = readNothing
		}
		var again []behind
		for i, b := range late {
			if i == 0 || b.key != late[i-1].key {
				again = append(again, w.takeRoom(b.key, now, pass)...)
			}
		}
		late = again
	}
	if len(w.missing) > 0 && !w.waits.Swap(true) {
		time.AfterFunc(holdFor, func() {
			w.waits.Store(false)
			w.rouse()
		})
	}
}

// What is to be read of what is missing.
const (
	readMissing = iota // what comes before something that was heard
	readAll            // that also: some of what came before has nothing to show any more
	readNothing
)

// takeRoom hands on what comes next in a room, and keeps what comes after something that
// may still be heard. It returns the followers for whom something has to be read first.
func (w *writer) takeRoom(key string, now time.Time, pass int) (late []behind) {
	some := w.missing[key]
	slices.SortStableFunc(some, func(a, b *news) int { return cmp.Compare(a.place(), b.place()) })
	kept := make(map[*news]bool)
	for _, f := range w.following(key) {
		b := behind{key: key, follower: f}
		for _, n := range some {
			if n.since.IsZero() {
				n.since = now
			}
			if f.over.Load() {
				break
			}
			if !f.is(n.Room, n.Version) {
				w.isAnother(context.Background(), key, f)
				continue
			}
			w.mayBegin(key, f, n.First)
			entries, why := w.next(f, n)
			f.hand(entries)
			head := int64(0)
			switch {
			case why == isLater && now.Sub(n.since) < holdFor:
				kept[n] = true
			case why == isLater && pass == readMissing:
				head = n.entries[0].Offset - 1
			case why == isLater && pass == readAll, pass == readMissing:
				head = n.Head
			}
			if head > f.handed {
				kept[n] = true
				b.head, b.about = max(b.head, head), b.about || n.about
			}
		}
		if b.head > 0 && !f.over.Load() {
			late = append(late, b)
		}
	}
	left := some[:0]
	for _, n := range some {
		if kept[n] {
			left = append(left, n)
		} else {
			n.settled()
		}
	}
	clear(some[len(left):])
	if w.missing[key] = left; len(left) == 0 {
		delete(w.missing, key)
	}
	return late
}

// mayBegin has a follower begin at first, if its room does. That was only heard, and what
// comes before is to be deleted.
func (w *writer) mayBegin(key string, f *follower, first int64) {
	if first <= f.began {
		return
	}
	if w.log.row(context.Background(), "SELECT first FROM rooms WHERE key = $1 AND id = $2", key, f.room).Scan(&first) == nil {
		f.begin(first)
	}
}

// What next says of what was heard.
const (
	isNext    = iota // or the follower has it already
	isLater          // something before it is missing
	isUnknown        // it has to be read
)

// next returns which entries of what there is new are a follower's next ones.
func (w *writer) next(f *follower, n *news) (_ []chat.Entry, why int) {
	if n.Head <= f.handed && len(n.entries) == 0 {
		return nil, isNext
	}
	if len(n.entries) == 0 || n.about || n.epoch != *w.log.epoch.Load() && !n.own {
		return nil, isUnknown
	}
	last := f.last.Load()
	switch has := f.handed - n.entries[0].Offset + 1; {
	case has < 0:
		return nil, isLater
	case has > int64(len(n.entries)):
		return nil, isNext
	case n.entries[0].Offset+has < f.began:
		return nil, isUnknown
	case has > 0:
		if last == nil || last.id != n.entries[has-1].ID {
			w.log.proof.doubt() // what it was handed is not there any more
			return nil, isUnknown
		}
		return n.entries[has:], isNext
	case last != nil && n.before != tailOf(last.id) && n.before != 0:
		return nil, isUnknown
	}
	return n.entries, isNext
}

// look asks where the rooms are that somebody here follows: a notification may have been
// lost. It is told only of those that are not where their followers are.
func (w *writer) look(ctx context.Context) {
	var all []behind
	var keys []string
	var ids, versions, firsts, heads, tails []int64
	w.mu.Lock()
	for key, followers := range w.followers {
		for _, f := range followers {
			if !f.over.Load() {
				all, keys = append(all, behind{key: key, follower: f}), append(keys, key)
				ids, versions, firsts, heads = append(ids, f.room), append(versions, f.version), append(firsts, f.began), append(heads, f.handed)
				tail := int64(0)
				if last := f.last.Load(); last != nil && last.offset == f.handed {
					tail = tailOf(last.id)
				}
				tails = append(tails, tail)
			}
		}
	}
	w.mu.Unlock()
	if len(all) == 0 {
		return
	}
	var late []behind
	err := w.connect(ctx)
	if err == nil {
		var rows pgx.Rows
		rows, err = w.conn.conn.Query(ctx, "SELECT v.n, COALESCE(r.id, 0), COALESCE(r.version, 0), COALESCE(r.first, 0), COALESCE(r.head, 0), "+
			"r.head = v.head AND r.tail <> v.tail AND r.tail <> 0 AND v.tail <> 0 "+
			"FROM unnest($1::text[], $2::bigint[], $3::bigint[], $4::bigint[], $5::bigint[], $6::bigint[]) WITH ORDINALITY AS v (key, id, version, first, head, tail, n) "+
			"LEFT JOIN rooms r ON r.key = v.key WHERE COALESCE(r.id, 0) <> v.id OR r.version <> v.version OR r.first > v.first OR r.head <> v.head "+
			"OR r.tail <> v.tail AND r.tail <> 0 AND v.tail <> 0",
			keys, ids, versions, firsts, heads, tails)
		if err == nil {
			var n, room, version, first, head int64
			var other *bool
			_, err = pgx.ForEachRow(rows, []any{&n, &room, &version, &first, &head, &other}, func() error {
				b := all[n-1]
				switch {
				case !b.is(room, version):
					b.end()
				case head < b.handed || other != nil && *other:
					w.log.proof.doubt() // what it was handed is not there any more
				default:
					b.head, b.first = head, first
					late = append(late, b)
				}
				return nil
			})
		}
	}
	if err != nil {
		w.giveUp() // the next look will do
		return
	}
	w.catchUp(ctx, late)
	for _, b := range late {
		b.begin(b.first)
	}
}

// isAnother ends a follower whose room is another by now. What was heard of it may be
// old: this server may have made the room since.
func (w *writer) isAnother(ctx context.Context, key string, f *follower) {
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
