package pglog

import (
	"context"
	"errors"
	"slices"
	"time"

	"github.com/jackc/pgx/v5"

	"parley/server/chat"
)

// CatchUp implements chat.Cluster.
func (l *Log) CatchUp(ctx context.Context, room string) error {
	h, err := l.proof.ask(ctx, room, l.opt.patience)
	if err != nil || l.writer(room).has(room, h) {
		return err
	}
	return l.catchUp(ctx, room, h)
}

var errNotRead = errors.New("what another server has written can't be read now")

// catchUp has a room's followers handed what it has.
func (l *Log) catchUp(ctx context.Context, room string, h heads) error {
	w := l.writer(room)
	return w.do(ctx, func(context.Context) error {
		w.missing[room] = append(w.missing[room], &news{heads: h})
		if !w.takeIn() {
			return errNotRead
		}
		return nil
	})
}

// has reports whether a room's followers have what it has.
func (w *writer) has(room string, h heads) bool {
	return !slices.ContainsFunc(w.following(room), func(f *follower) bool {
		last := f.taken.Load()
		return last == nil || last.room != h.Room || last.version != h.Version || last.offset < h.Head
	})
}

// lookSoon makes the writer look where the rooms are.
func (w *writer) lookSoon() {
	w.due.Store(true)
	w.rouse()
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
		w.giveUp() // the next one may be good
	}
	for _, b := range late {
		if atOnce != nil || b.about { // what it is about has to be read with it
			var err error
			if b.entries, err = w.missed(ctx, b.key, b.handed-1, b.head); err != nil {
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
