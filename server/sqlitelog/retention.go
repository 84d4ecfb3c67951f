package sqlitelog

import (
	"context"
	"database/sql"
	"errors"
	"time"

	"parley/server/chat"
)

// entryBytes is what an entry takes on the disk: its text, its user's name, and
// about 160 bytes for the rest of its row and its place in the index.
const entryBytes = "octet_length(text) + octet_length(user) + 160"

// retention deletes what is over the bounds. Its goroutine alone touches it.
type retention struct {
	chat.Retention
	log  *Log
	used map[int64]usage // by the room's id; only where Bytes bounds it
	stop context.CancelFunc
	done chan struct{}
}

// usage is the size of a room's entries up to an offset.
type usage struct{ upTo, bytes int64 }

// Retain implements chat.Log. The file does not shrink: the space of what was
// deleted is used again.
func (l *Log) Retain(r chat.Retention) {
	if r.Age == 0 && r.Bytes == 0 {
		return
	}
	if r.Every == 0 {
		r.Every = time.Minute
	}
	if r.Now == nil {
		r.Now = time.Now
	}
	if r.Expired == nil {
		r.Expired = func(int) {}
	}
	ctx, cancel := context.WithCancel(context.Background())
	l.retention = &retention{Retention: r, log: l, used: make(map[int64]usage), stop: cancel, done: make(chan struct{})}
	go l.retention.run(ctx)
}

func (r *retention) end() {
	r.stop()
	<-r.done
}

func (r *retention) run(ctx context.Context) {
	defer close(r.done)
	ticker := time.NewTicker(r.Every)
	defer ticker.Stop()
	for {
		switch n, err := r.pass(ctx); {
		case ctx.Err() != nil:
			return
		case err != nil:
			r.log.logger.Warn("old messages were not deleted", "error", err)
		case n > 0:
			r.log.logger.Info("old messages deleted", "messages", n)
		}
		select {
		case <-ticker.C:
		case <-ctx.Done():
			return
		}
	}
}

// pass looks at every room once.
func (r *retention) pass(ctx context.Context) (deleted int, err error) {
	type room struct {
		id, head int64
		key      string
	}
	var rooms []room
	rows, err := r.log.read.QueryContext(ctx, "SELECT id, head, key FROM rooms")
	if err != nil {
		return 0, err
	}
	defer rows.Close()
	for rows.Next() {
		var v room
		if err := rows.Scan(&v.id, &v.head, &v.key); err != nil {
			return 0, err
		}
		rooms = append(rooms, v)
	}
	if err := rows.Err(); err != nil {
		return 0, err
	}
	for _, v := range rooms {
		n, err := r.trim(ctx, v.key, v.id, v.head)
		deleted += n
		if n > 0 {
			r.Expired(n)
		}
		if err != nil {
			return deleted, err
		}
	}
	return deleted, nil
}

// trim deletes a room's oldest entries, as far as head.
func (r *retention) trim(ctx context.Context, key string, room, head int64) (deleted int, err error) {
	var first int64
	err = r.log.read.QueryRowContext(ctx, "SELECT offset FROM entries WHERE at > ? AND at < ? ORDER BY at LIMIT 1", rowOf(room, 0), rowOf(room+1, 0)).Scan(&first)
	if errors.Is(err, sql.ErrNoRows) {
		return 0, nil
	}
	if err != nil {
		return 0, err
	}
	upTo, err := r.tooOld(ctx, room, head)
	if err != nil {
		return 0, err
	}
	var u usage
	if r.Bytes > 0 {
		if upTo, u, err = r.tooMuch(ctx, room, head, upTo); err != nil {
			return 0, err
		}
	}
	if upTo < first {
		r.used[room] = u
		return 0, nil
	}
	const batch = 1000 // in one transaction, which members' messages wait for
	for {
		t := &trim{key: key, room: room, upTo: upTo, limit: batch}
		if err := r.log.writer.do(ctx, request{trim: t}); err != nil {
			delete(r.used, room) // counted anew
			return deleted, err
		}
		if deleted += t.deleted; t.deleted < batch {
			break
		}
	}
	r.used[room] = u
	return deleted, nil
}

// tooOld returns the offset up to which a room's entries are over Age.
func (r *retention) tooOld(ctx context.Context, room, head int64) (upTo int64, err error) {
	if r.Age == 0 {
		return 0, nil
	}
	var oldest int64
	err = r.log.read.QueryRowContext(ctx, "SELECT offset FROM entries WHERE at > ? AND at < ? AND time >= ? ORDER BY at LIMIT 1",
		rowOf(room, 0), rowOf(room+1, 0), r.Now().Add(-r.Age).UnixMilli()).Scan(&oldest)
	if errors.Is(err, sql.ErrNoRows) {
		return head, nil
	}
	return oldest - 1, err
}

// tooMuch returns the offset up to which a room's entries are to go so that what
// is left is within Bytes, and how much that is. It reads what is new since the
// last time, and what goes.
func (r *retention) tooMuch(ctx context.Context, room, head, upTo int64) (int64, usage, error) {
	u := r.used[room]
	var fresh int64
	if err := r.log.read.QueryRowContext(ctx, "SELECT COALESCE(SUM("+entryBytes+"), 0) FROM entries WHERE at > ? AND at <= ?",
		rowOf(room, u.upTo), rowOf(room, head)).Scan(&fresh); err != nil {
		return 0, u, err
	}
	u = usage{upTo: head, bytes: u.bytes + fresh}
	rows, err := r.log.read.QueryContext(ctx, "SELECT offset, "+entryBytes+" FROM entries WHERE at > ? AND at <= ? ORDER BY at", rowOf(room, 0), rowOf(room, head))
	if err != nil {
		return 0, u, err
	}
	defer rows.Close()
	for rows.Next() {
		var offset, bytes int64
		if err := rows.Scan(&offset, &bytes); err != nil {
			return 0, u, err
		}
		if offset > upTo && u.bytes <= r.Bytes {
			break
		}
		upTo = max(upTo, offset)
		u.bytes -= bytes
	}
	return upTo, u, rows.Err()
}

// trim is a request to delete a room's oldest entries, as far as upTo.
type trim struct {
	key            string // the room's
	room, upTo     int64
	limit, deleted int
}

const trimQuery = "DELETE FROM entries WHERE at IN (SELECT at FROM entries WHERE at > ? AND at <= ? ORDER BY at LIMIT ?)"

// emptiedQuery takes a room without entries out of the list of rooms.
const emptiedQuery = "UPDATE rooms SET last = 0 WHERE id = ? AND NOT EXISTS (SELECT 1 FROM entries WHERE at > ? AND at < ?)"

// trim tells the room's followers where its log will begin, then deletes. Rooms
// are opened by the same goroutine, so whoever opens one learns of what goes
// either from its state or as a follower.
func (w *writer) trim(ctx context.Context, t *trim) error {
	for _, f := range w.followers(t.key) {
		f.Begin(t.upTo + 1)
	}
	result, err := w.conn.ExecContext(ctx, trimQuery, rowOf(t.room, 0), rowOf(t.room, t.upTo), t.limit)
	if err != nil {
		return err
	}
	n, err := result.RowsAffected()
	t.deleted = int(n)
	if err != nil || t.deleted == t.limit { // there may be more
		return err
	}
	_, err = w.conn.ExecContext(ctx, emptiedQuery, t.room, rowOf(t.room, 0), rowOf(t.room+1, 0))
	return err
}
