package sqlitelog

import (
	"context"
	"database/sql"
	"errors"
	"slices"

	"parley/server/chat"
)

// wrote is which messages of a room a device wrote, as somebody who reads has found
// them: the writer does not go through a large room while everyone waits for it. It
// looks at each again, since they may have gone, and finds those that came later.
type wrote struct {
	device  string
	offsets []int64 // none is over upTo
	upTo    int64
}

// drop drops the first n of the messages, but for one that is kept.
func (w *wrote) drop(n int, kept int64) {
	dropped := w.offsets[:n]
	if slices.Contains(dropped, kept) {
		n--
		dropped[n] = kept
	}
	w.offsets = w.offsets[n:]
}

// wrotePiece is how many of a room's offsets are gone through at once. As long as a
// reader stays at one moment, SQLite can't reuse the write-ahead log.
const wrotePiece = 1 << 16

// findWrote finds what a notice is to delete, if its device is a host. Whether it may
// is the writer's to say, which needs nothing of this.
func (l *Log) findWrote(ctx context.Context, room string, notice chat.Entry) (found wrote, err error) {
	l.deleting.Lock() // so that one of the readers at most is busy with this
	defer l.deleting.Unlock()
	var head int64
	act := notice.Extras().Act
	err = l.read.QueryRowContext(ctx, "SELECT id << 40, head FROM rooms WHERE key = ?1 AND (?2 OR EXISTS (SELECT 1 FROM hosts WHERE room = ?1 AND device = ?3))",
		room, act.Operator, notice.Device).Scan(&found.upTo, &head)
	begins := found.upTo
	found.upTo = 0
	if err == nil && notice.Target != 0 {
		err = l.read.QueryRowContext(ctx, "SELECT device FROM entries WHERE at = ? AND id = ? AND "+kept,
			begins|notice.Target, messageID(notice.Extras().Of).pack()).Scan((*deviceID)(&found.device))
	} else {
		found.device = act.Device
	}
	if errors.Is(err, sql.ErrNoRows) {
		return wrote{}, nil
	}
	l.looking.RLock()
	defer l.looking.RUnlock()
	for err == nil && found.upTo < head {
		from := found.upTo
		found.upTo = min(from+wrotePiece, head)
		found.offsets, err = appendOffsets(found.offsets, func() (*sql.Rows, error) {
			return l.read.QueryContext(ctx, wroteQuery, begins|from, begins|found.upTo, deviceID(found.device).pack())
		})
	}
	return found, err
}

const wroteQuery = "SELECT offset FROM entries WHERE at > ? AND at <= ? AND device = ? AND " + kept + " ORDER BY at"

func appendOffsets(offsets []int64, query func() (*sql.Rows, error)) ([]int64, error) {
	rows, err := query()
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	for rows.Next() {
		var offset int64
		if err := rows.Scan(&offset); err != nil {
			return nil, err
		}
		offsets = append(offsets, offset)
	}
	return offsets, rows.Err()
}

// errGoesOn is that a notice comes when more of what it deletes is gone.
var errGoesOn = errors.New("there is more to delete")

// deleteSome deletes some of what a notice is to delete, if that is much, and reports
// whether it did: then the notice has to wait.
func (w *writer) deleteSome(ctx context.Context, r *roomState, notice chat.Entry, found wrote) (did bool, err error) {
	if found.device != notice.Extras().Act.Device {
		return false, nil
	}
	first := chat.DeletesFirst(notice, found.offsets)
	return first != nil, w.delete(ctx, r, notice, first)
}

// deleteAll adds the deletes that a notice brings with it, and carries them out. Found
// may have part of what there is to delete.
func (w *writer) deleteAll(ctx context.Context, r *roomState, notice chat.Entry, found wrote) error {
	device := notice.Extras().Act.Device
	if found.device != device {
		found = wrote{}
	}
	offsets, err := appendOffsets(found.offsets, func() (*sql.Rows, error) {
		return w.conn.QueryContext(ctx, wroteQuery, rowOf(r.id, found.upTo), rowOf(r.id, maxOffset), deviceID(device).pack())
	})
	if err != nil {
		return err
	}
	return w.delete(ctx, r, notice, offsets)
}

// delete deletes messages of the device that a notice is about, as far as they are there.
func (w *writer) delete(ctx context.Context, r *roomState, notice chat.Entry, offsets []int64) error {
	device := notice.Extras().Act.Device
	there := make([]int64, 0, len(offsets))
	for _, offset := range offsets {
		var bytes int64
		var file string
		switch err := w.stmt.wrote.QueryRowContext(ctx, rowOf(r.id, offset), deviceID(device).pack()).Scan(&bytes, &file); {
		case errors.Is(err, sql.ErrNoRows):
			continue
		case err != nil:
			return err
		}
		if err := w.deleteFile(ctx, file); err != nil {
			return err
		}
		r.gone += bytes
		there = append(there, offset)
	}
	w.erases = w.erases || len(there) > 0
	for _, e := range chat.Deletes(notice, there, r.head) {
		if e.Offset > maxOffset {
			return errors.New("the room has no place for the deletes of a notice")
		}
		if err := r.rules.Carry(e); err != nil {
			return err
		}
		if err := w.addAbout(ctx, r, e, nil); err != nil {
			return err
		}
		for _, target := range e.Gone() {
			if _, err := w.stmt.erase.ExecContext(ctx, rowOf(r.id, target), e.Offset); err != nil {
				return err
			}
		}
		r.added(e)
	}
	return nil
}
