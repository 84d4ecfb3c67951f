package sqlitelog

import (
	"cmp"
	"context"
	"database/sql"
	"errors"

	"parley/server/chat"
	"parley/shared"
)

// outcome is what became of an append: an error is its own alone, and what else is
// in the transaction is kept.
type outcome struct {
	chat.Receipt
	err error
}

// The bounds of what a row's key can hold.
var (
	errRooms   = errors.New("the log has all the rooms that it can have")
	errEntries = errors.New("the room has all the messages that it can have")
)

// errRepeated is why a transaction that adds its entries together has to be carried
// out again, one entry at a time: one of them is there already.
var errRepeated = errors.New("an entry is repeated")

// many is how many writes are worth being carried out together.
const many = 8

// transaction carries out the writes and commits them. The outcomes are those of
// the appends, in order. If together is set, it adds all entries with one
// statement, unless one of them is there already: it then ends with errRepeated.
func (w *writer) transaction(ctx context.Context, writes []*request, together bool) (outcomes []outcome, err error) {
	if _, err := w.stmt.begin.ExecContext(ctx); err != nil {
		return nil, err
	}
	for _, r := range writes {
		switch {
		case r.done != nil:
			receipt, err := w.append(ctx, r, together)
			if err != nil && err != errRooms && err != errEntries && err != errGoesOn && !errors.Is(err, chat.ErrRefused) {
				return nil, err
			}
			outcomes = append(outcomes, outcome{receipt, err})
		case r.claim != nil:
			var err error
			if *r.claim.standing, err = r.claim.Take(ctx, owners{w}, r.claim.rules); err != nil {
				return nil, err
			}
		case r.trim != nil:
			if err := w.addPending(ctx); err != nil {
				return nil, err
			}
			if err := w.trim(ctx, r.trim); err != nil {
				return nil, err
			}
		case r.file != nil:
			if err := r.file.do(ctx, w); err != nil {
				return nil, err
			}
		case r.edit != nil:
			if err := r.edit(ctx, w.conn); err != nil {
				return nil, err
			}
		case r.probe:
			// A transaction that changes no page succeeds on a full disk.
			if _, err := w.conn.ExecContext(ctx, "INSERT INTO names (room, name, device, seen) VALUES ('', '', '', 0); DELETE FROM names WHERE room = ''"); err != nil {
				return nil, err
			}
		case r.lock != nil:
			result, err := w.stmt.lock.ExecContext(ctx, r.lock.room, r.lock.Hash, r.lock.Hidden, r.lock.Made.UnixMilli())
			if err != nil {
				return nil, err
			}
			n, err := result.RowsAffected()
			if err != nil {
				return nil, err
			}
			*r.lock.set = n > 0
		}
	}
	if err := w.addPending(ctx); err != nil {
		return nil, err
	}
	for _, r := range w.touched {
		if len(r.fresh) == 0 {
			continue
		}
		bytes := -r.gone
		for i := range r.fresh {
			bytes += r.fresh[i].Size()
		}
		w.volume.change += bytes
		if _, err := w.stmt.setHead.ExecContext(ctx, r.head, r.last.UnixMilli(), bytes, r.id); err != nil {
			return nil, err
		}
	}
	_, err = w.stmt.commit.ExecContext(ctx)
	return outcomes, err
}

// append adds an entry, or leaves it with those that are pending.
func (w *writer) append(ctx context.Context, req *request, leave bool) (chat.Receipt, error) {
	room, e := req.room, req.entry
	r, err := w.state(ctx, room)
	if err != nil {
		return chat.Receipt{}, err
	}
	if !r.touched {
		r.touched = true
		w.touched = append(w.touched, r)
	}
	var about *target
	reactions := 0
	file := e.Kind == chat.KindMessage && e.Extras().File != nil
	if e.Kind != chat.KindMessage || e.Reply != 0 || file {
		leave = false
		if err := w.addPending(ctx); err != nil { // among which may be what it is about
			return chat.Receipt{}, err
		}
		// The message of a repeated change may have gone.
		if receipt, err := w.find(ctx, r.id, e); err != nil || receipt.Duplicate {
			return receipt, err
		}
		if about, reactions, err = w.refer(ctx, r, &e); err != nil {
			return chat.Receipt{Reactions: reactions}, err
		}
		if file {
			if err := w.mayTake(ctx, &e); err != nil {
				return chat.Receipt{}, err
			}
		}
	}
	if e.Offset = r.head + 1; e.Offset > maxOffset {
		return chat.Receipt{}, errEntries
	}
	rules := r.rules
	if e.Kind == chat.KindNotice {
		r.rules = rules.Clone()
	}
	if refused := r.rules.Carry(e); refused != nil {
		r.rules = rules
		if err := w.addPending(ctx); err != nil { // among which it may be
			return chat.Receipt{}, err
		}
		// What was allowed when it came the first time is there.
		if receipt, err := w.find(ctx, r.id, e); err != nil || receipt.Duplicate {
			return receipt, err
		}
		return chat.Receipt{Reactions: reactions}, refused
	}
	deletes := e.Kind == chat.KindNotice && e.Extra.Act.Do == shared.DoDeleteAll
	if deletes {
		carried := r.rules
		r.rules = rules // as long as the notice is not there
		if did, err := w.deleteSome(ctx, r, e, req.wrote); did || err != nil {
			return chat.Receipt{}, cmp.Or(err, errGoesOn)
		}
		r.rules = carried
	}
	if r.id == 0 {
		if err := w.newRoom(ctx, r, room); err != nil {
			r.loaded = false
			return chat.Receipt{}, err
		}
	}
	switch {
	case e.Kind == chat.KindNotice:
		if err := w.addAbout(ctx, r, e, nil); err != nil {
			return chat.Receipt{}, err
		}
		if err := saveRules(ctx, w.conn, r.key, rules, r.rules); err != nil {
			return chat.Receipt{}, err
		}
	case about != nil || file:
		if err := w.addAbout(ctx, r, e, about); err != nil {
			return chat.Receipt{}, err
		}
	case leave:
		w.pending.rows = append(w.pending.rows, rowFor(r.id, &e))
	default:
		if added, err := w.add(ctx, rowFor(r.id, &e)); err != nil {
			return chat.Receipt{}, err
		} else if !added {
			return w.find(ctx, r.id, e)
		}
	}
	r.added(e)
	if deletes {
		if err := w.deleteAll(ctx, r, e, req.wrote); err != nil {
			return chat.Receipt{}, err
		}
	}
	return chat.Receipt{Offset: e.Offset, Reactions: reactions}, nil
}

func rowFor(room int64, e *chat.Entry) entryRow {
	return entryRow{rowOf(room, e.Offset), room, messageID(e.ID).pack(), deviceID(e.Device).pack(), e.User, e.RowText(), e.Time.UnixMilli()}
}

// add adds a row, unless there is one with its room, device and id.
func (w *writer) add(ctx context.Context, row entryRow) (added bool, err error) {
	result, err := w.stmt.insert.ExecContext(ctx, row[0], row[1], row[2], row[3], row[4], row[5], row[6])
	if err != nil {
		return false, err
	}
	n, err := result.RowsAffected()
	return n > 0, err
}

// addAbout adds a change, which it carries out, a reply, a message with a file, which
// it takes, or a notice.
func (w *writer) addAbout(ctx context.Context, r *roomState, e chat.Entry, about *target) error {
	row := rowFor(r.id, &e)
	var file sql.NullString
	if e.Kind == chat.KindMessage && e.Extras().File != nil {
		file = sql.NullString{String: e.Extra.File.ID, Valid: true}
	}
	if _, err := w.stmt.insertAbout.ExecContext(ctx, row[0], row[1], row[2], row[3], row[4], row[5], row[6], int64(e.Kind), e.Target, e.Reply, file); err != nil {
		return err
	}
	r.about = true
	if file.Valid {
		if _, err := w.stmt.takeFile.ExecContext(ctx, file.String, e.Offset); err != nil {
			return err
		}
	}
	if about == nil {
		return nil
	}
	gone, err := w.change(ctx, e, about)
	r.gone += gone
	return err
}

// find tells whether a room has an entry with the device and the id of e.
func (w *writer) find(ctx context.Context, room int64, e chat.Entry) (receipt chat.Receipt, err error) {
	err = w.stmt.find.QueryRowContext(ctx, messageID(e.ID).pack(), deviceID(e.Device).pack(), room).Scan(&receipt.Offset)
	if errors.Is(err, sql.ErrNoRows) {
		return receipt, nil
	}
	receipt.Duplicate = err == nil
	return receipt, err
}

// addPending adds the rows that are pending.
func (w *writer) addPending(ctx context.Context) error {
	want := int64(len(w.pending.rows))
	if want == 0 {
		return nil
	}
	result, err := w.stmt.insertAll.ExecContext(ctx)
	if err != nil {
		return err
	}
	n, err := result.RowsAffected()
	if err == nil && n != want {
		err = errRepeated
	}
	w.forgetPending()
	return err
}

func (w *writer) forgetPending() {
	clear(w.pending.rows)
	w.pending.rows = w.pending.rows[:0]
}

// handOn calls the followers of the rooms that the last transaction touched.
// A commit that failed may have been kept all the same: what a follower missed
// that way is read again, so that it never sees a gap. So is what is about other
// entries: it takes from them what they are now.
func (w *writer) handOn(ctx context.Context) {
	for _, r := range w.touched {
		for _, f := range w.followers(r.key) {
			entries := r.fresh
			if r.about || f.handed < r.head-int64(len(r.fresh)) {
				var err error
				if entries, err = scan(ctx, r.key, 0, w.stmt.row, func() (*sql.Rows, error) {
					return w.stmt.missed.QueryContext(ctx, rowOf(r.id, f.handed), rowOf(r.id+1, 0))
				}); err != nil {
					continue // with the next entry, then
				}
			}
			f.handed = r.head
			if len(entries) > 0 {
				f.Entries(entries)
			}
		}
	}
	w.settle()
}

// settle ends a transaction's bookkeeping.
func (w *writer) settle() {
	for _, r := range w.touched {
		r.usual = len(r.fresh)
		r.fresh, r.gone, r.about, r.touched = nil, 0, false, false
	}
	w.touched = w.touched[:0]
	w.erases, w.gone = false, nil
	w.forgetPending()
}
