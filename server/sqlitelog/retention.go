package sqlitelog

import (
	"context"
	"database/sql"
	"errors"

	"parley/server/chat"
)

// entryBytes is chat.Entry.Size.
const entryBytes = "octet_length(text) + octet_length(user) + 160"

// retention deletes what is over the bounds. Its goroutine alone touches it.
type retention struct {
	chat.Retention
	log  *Log
	stop context.CancelFunc
	done chan struct{}
}

// Retain implements chat.Log. The file does not shrink: the space of what was
// deleted is used again.
func (l *Log) Retain(r chat.Retention) {
	if !r.Bounds() {
		return
	}
	ctx, cancel := context.WithCancel(context.Background())
	l.retention = &retention{Retention: r.WithDefaults(), log: l, stop: cancel, done: make(chan struct{})}
	l.writer.volume.bound.Store(r.Total)
	go l.retention.run(ctx)
}

func (r *retention) end() {
	r.stop()
	<-r.done
}

func (r *retention) run(ctx context.Context) {
	defer close(r.done)
	r.Run(ctx, r.log.writer.volume.over, r.log.logger, r.pass)
}

// roomSize is a room, and about what its entries take.
type roomSize struct {
	id, head, bytes int64
	key             string
}

// pass looks at every room once.
func (r *retention) pass(ctx context.Context) (deleted int, err error) {
	rooms, err := r.rooms(ctx)
	if err != nil {
		return 0, err
	}
	var sizes []int64
	for _, v := range rooms {
		sizes = append(sizes, v.bytes)
	}
	most := r.Level(sizes)
	for _, v := range rooms {
		if v.bytes == 0 || v.bytes <= most && r.Age == 0 {
			continue
		}
		n, err := r.trim(ctx, v, most)
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

func (r *retention) rooms(ctx context.Context) (rooms []roomSize, err error) {
	rows, err := r.log.read.QueryContext(ctx, "SELECT id, head, bytes, key FROM rooms")
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	for rows.Next() {
		var v roomSize
		if err := rows.Scan(&v.id, &v.head, &v.bytes, &v.key); err != nil {
			return nil, err
		}
		rooms = append(rooms, v)
	}
	return rooms, rows.Err()
}

// trim deletes a room's oldest entries: those over the age, and what it has more
// than most bytes.
func (r *retention) trim(ctx context.Context, v roomSize, most int64) (deleted int, err error) {
	var first int64
	err = r.log.read.QueryRowContext(ctx, "SELECT offset FROM entries WHERE at > ? AND at < ? ORDER BY at LIMIT 1", rowOf(v.id, 0), rowOf(v.id+1, 0)).Scan(&first)
	if errors.Is(err, sql.ErrNoRows) {
		return 0, nil
	}
	if err != nil {
		return 0, err
	}
	upTo, err := r.tooOld(ctx, v)
	if err != nil {
		return 0, err
	}
	if v.bytes > most {
		if upTo, err = r.tooMuch(ctx, v, most, upTo); err != nil {
			return 0, err
		}
	}
	if upTo < first {
		return 0, nil
	}
	return r.log.deleteUpTo(ctx, v.key, v.id, upTo)
}

// deleteUpTo deletes a room's entries as far as an offset, and tells its followers
// before.
func (l *Log) deleteUpTo(ctx context.Context, key string, room, upTo int64) (deleted int, err error) {
	const batch = 1000 // in one transaction, which members' messages wait for
	for {
		t := &trim{key: key, room: room, upTo: upTo, limit: batch}
		if err := l.writer.do(ctx, request{trim: t}); err != nil {
			return deleted, err
		}
		if deleted += t.deleted; t.deleted < batch {
			return deleted, nil
		}
	}
}

// tooOld returns the offset up to which a room's entries are over Age.
func (r *retention) tooOld(ctx context.Context, v roomSize) (upTo int64, err error) {
	if r.Age == 0 {
		return 0, nil
	}
	var oldest int64
	err = r.log.read.QueryRowContext(ctx, "SELECT offset FROM entries WHERE at > ? AND at < ? AND time >= ? ORDER BY at LIMIT 1",
		rowOf(v.id, 0), rowOf(v.id+1, 0), r.Now().Add(-r.Age).UnixMilli()).Scan(&oldest)
	if errors.Is(err, sql.ErrNoRows) {
		return v.head, nil
	}
	return oldest - 1, err
}

// tooMuch returns the offset up to which a room's entries are to go, at least upTo,
// so that those that are left take no more than most bytes.
func (r *retention) tooMuch(ctx context.Context, v roomSize, most, upTo int64) (int64, error) {
	rows, err := r.log.read.QueryContext(ctx, "SELECT offset, "+entryBytes+" FROM entries WHERE at > ? AND at <= ? ORDER BY at", rowOf(v.id, 0), rowOf(v.id, v.head))
	if err != nil {
		return 0, err
	}
	defer rows.Close()
	left := v.bytes
	for rows.Next() {
		var offset, bytes int64
		if err := rows.Scan(&offset, &bytes); err != nil {
			return 0, err
		}
		if offset > upTo && left <= most {
			break
		}
		upTo = max(upTo, offset)
		left -= bytes
	}
	return upTo, rows.Err()
}

// trim is a request to delete a room's oldest entries, as far as upTo.
type trim struct {
	key            string // the room's
	room, upTo     int64
	limit, deleted int
}

const trimQuery = "DELETE FROM entries WHERE at IN (SELECT at FROM entries WHERE at > ? AND at <= ? ORDER BY at LIMIT ?) RETURNING COALESCE(file, ''), " + entryBytes

// trimmedQuery notes what is left of a room. One without entries goes out of the
// list of rooms.
const trimmedQuery = "UPDATE rooms SET bytes = bytes - ?2, " +
	"last = iif(EXISTS (SELECT 1 FROM entries WHERE at > ?1 << 40 AND at < (?1 + 1) << 40), last, 0) WHERE id = ?1"

// trim tells the room's followers where its log will begin, then deletes. It does
// nothing if the room was deleted or renamed since: another one may have its id, or
// its key. Rooms are opened by the same goroutine, so whoever opens one learns of what goes
// either from its state or as a follower.
func (w *writer) trim(ctx context.Context, t *trim) error {
	var there bool
	err := w.conn.QueryRowContext(ctx, "SELECT EXISTS (SELECT 1 FROM rooms WHERE id = ? AND key = ?)", t.room, t.key).Scan(&there)
	if err != nil || !there {
		return err
	}
	for _, f := range w.followers(t.key) {
		f.Begin(t.upTo + 1)
	}
	var bytes int64
	var files []string
	rows, err := w.conn.QueryContext(ctx, trimQuery, rowOf(t.room, 0), rowOf(t.room, t.upTo), t.limit)
	if err != nil {
		return err
	}
	defer rows.Close()
	for ; rows.Next(); t.deleted++ {
		var file string
		var n int64
		if err := rows.Scan(&file, &n); err != nil {
			return err
		}
		bytes += n
		files = append(files, file)
	}
	if err := errors.Join(rows.Err(), rows.Close()); err != nil {
		return err
	}
	for _, file := range files {
		if err := w.deleteFile(ctx, file); err != nil {
			return err
		}
	}
	w.volume.change -= bytes
	w.erases = w.erases || t.deleted > 0
	_, err = w.conn.ExecContext(ctx, trimmedQuery, t.room, bytes)
	return err
}
