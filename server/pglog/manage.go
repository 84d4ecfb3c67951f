package pglog

import (
	"context"
	"time"

	"github.com/jackc/pgx/v5"

	"parley/server/chat"
	"parley/shared"
)

// lockRoom locks a room's row, and makes it if it is not there.
func lockRoom(ctx context.Context, tx pgx.Tx, key string) (r roomState, err error) {
	if err := makeRooms(ctx, tx, []string{key}); err != nil {
		return r, err
	}
	return r, scanRoom(tx.QueryRow(ctx, "SELECT "+roomColumns+" FROM rooms WHERE key = $1 FOR NO KEY UPDATE", key), &r)
}

// SetLock implements chat.Registry. Whoever sets the lock tells the followers of the
// room at this server.
func (l *Log) SetLock(ctx context.Context, key string, lock chat.Lock) (set bool, err error) {
	ctx = context.WithoutCancel(ctx)
	w := l.writer(key)
	made := make(chan bool, 1)
	err = w.do(ctx, func(ctx context.Context) error {
		var r roomState
		var set bool
		if err := l.inTransaction(ctx, func(tx pgx.Tx) error {
			set = false
			var err error
			if r, err = lockRoom(ctx, tx, key); err != nil || r.used {
				return err
			}
			tag, err := tx.Exec(ctx, "INSERT INTO locks (room, hash, hidden, made) VALUES ($1, $2, $3, $4) ON CONFLICT (room) DO NOTHING",
				key, lock.Hash, lock.Hidden, lock.Made.UnixMilli())
			if set = tag.RowsAffected() > 0; !set || err != nil {
				return err
			}
			return changed(ctx, tx, key)
		}); err != nil {
			return err
		}
		if made <- set; !set {
			return nil
		}
		for _, f := range w.following(key) {
			if f.is(r.id, r.version) {
				f.version++
			}
		}
		return nil
	})
	if err == nil {
		set = <-made
	}
	if set {
		l.listener.tellNow(key)
	}
	if err == nil {
		err = l.proof.wait(ctx) // also the lock of somebody else has to be durable
	}
	return set, wrap(err)
}

// changed has everybody learn who is in a room that it is another one now.
func changed(ctx context.Context, tx pgx.Tx, key string) error {
	_, err := tx.Exec(ctx, "UPDATE rooms SET version = version + 1 WHERE key = $1", key)
	return err
}

// Lock implements chat.Registry.
func (l *Log) Lock(ctx context.Context, room string) (lock chat.Lock, err error) {
	var ms int64
	if err := l.row(ctx, "SELECT hash, hidden, made FROM locks WHERE room = $1", room).Scan(&lock.Hash, &lock.Hidden, &ms); err != nil {
		return chat.Lock{}, wrap(ignoreNone(err))
	}
	lock.Made = time.UnixMilli(ms).UTC()
	return lock, nil
}

// Unlock implements chat.Registry.
func (l *Log) Unlock(ctx context.Context, room string) error {
	err := l.patiently(ctx, func(ctx context.Context) error {
		return l.inTransaction(ctx, func(tx pgx.Tx) error {
			if _, err := tx.Exec(ctx, "DELETE FROM locks WHERE room = $1", room); err != nil {
				return err
			}
			return changed(ctx, tx, room)
		})
	})
	if err == nil {
		l.listener.tellNow(room)
	}
	return wrap(err)
}

// Rooms implements chat.Registry.
func (l *Log) Rooms(ctx context.Context, limit int) ([]chat.Listed, error) {
	var rooms []chat.Listed
	err := l.reading(ctx, func(ctx context.Context) error {
		rows, err := l.pool.Query(ctx, "SELECT rooms.key, rooms.name, rooms.last, locks.hash IS NOT NULL FROM rooms LEFT JOIN locks ON locks.room = rooms.key "+
			"WHERE rooms.last > 0 AND locks.hidden IS NOT TRUE ORDER BY rooms.last DESC, rooms.id DESC LIMIT $1", limit)
		if err != nil {
			return err
		}
		rooms, err = pgx.CollectRows(rows, func(row pgx.CollectableRow) (r chat.Listed, err error) {
			var ms int64
			err = row.Scan(&r.Key, &r.Name, &ms, &r.Locked)
			r.Last = time.UnixMilli(ms).UTC()
			return r, err
		})
		return err
	})
	return rooms, wrap(err)
}

// SetHostKey implements chat.Registry.
func (l *Log) SetHostKey(ctx context.Context, hash []byte) error {
	_, err := l.exec(ctx, "UPDATE meta SET host_key = $1", hash)
	return wrap(err)
}

// HostKey implements chat.Registry.
func (l *Log) HostKey(ctx context.Context) (hash []byte, err error) {
	err = l.row(ctx, "SELECT host_key FROM meta").Scan(&hash)
	return hash, wrap(err)
}

// Rename implements chat.Registry.
func (l *Log) Rename(ctx context.Context, key string, to shared.Name) error {
	ctx = context.WithoutCancel(ctx)
	defer l.listener.tellNow(key)
	return wrap(l.patiently(ctx, func(ctx context.Context) error { return l.rename(ctx, key, to) }))
}

func (l *Log) rename(ctx context.Context, key string, to shared.Name) error {
	return l.inTransaction(ctx, func(tx pgx.Tx) error {
		if key == to.Key {
			tag, err := tx.Exec(ctx, "UPDATE rooms SET name = $1, version = version + 1 WHERE key = $2 AND used", to.Text, key)
			if err == nil && tag.RowsAffected() == 0 {
				err = chat.ErrNoRoom
			}
			return err
		}
		if _, err := tx.Exec(ctx, "SELECT 1 FROM rooms WHERE key IN ($1, $2) ORDER BY id FOR UPDATE", key, to.Key); err != nil {
			return err
		}
		var known, taken bool
		if err := tx.QueryRow(ctx, `SELECT
			EXISTS (SELECT 1 FROM rooms WHERE key = $1 AND used) OR EXISTS (SELECT 1 FROM locks WHERE room = $1),
			EXISTS (SELECT 1 FROM rooms WHERE key = $2 AND used) OR EXISTS (SELECT 1 FROM locks WHERE room = $2)
				OR EXISTS (SELECT 1 FROM ends WHERE key = $2 AND room IS DISTINCT FROM (SELECT id FROM rooms WHERE key = $1))`,
			key, to.Key).Scan(&known, &taken); err != nil {
			return err
		}
		switch {
		case !known:
			return chat.ErrNoRoom
		case taken:
			return chat.ErrRoomTaken
		}
		return each(ctx, tx,
			statement{"DELETE FROM rooms WHERE key = $1 AND NOT used", []any{to.Key}},
			statement{"INSERT INTO ends (key, room, head) SELECT key, id, head FROM rooms WHERE key = $1 AND used ON CONFLICT (key) DO UPDATE SET room = excluded.room, head = excluded.head", []any{key}},
			statement{"DELETE FROM ends WHERE key = $1", []any{to.Key}},
			statement{"UPDATE rooms SET key = $2, version = version + 1, name = CASE WHEN used THEN $3 ELSE '' END WHERE key = $1", []any{key, to.Key, to.Text}},
			statement{"UPDATE locks SET room = $2 WHERE room = $1", []any{key, to.Key}},
			statement{"DELETE FROM names WHERE room = $1", []any{to.Key}},
			statement{"UPDATE names SET room = $2 WHERE room = $1", []any{key, to.Key}},
			statement{"UPDATE files SET room = $2 WHERE room = $1", []any{key, to.Key}},
		)
	})
}

type statement struct {
	query string
	args  []any
}

func each(ctx context.Context, tx pgx.Tx, statements ...statement) error {
	for _, s := range statements {
		if _, err := tx.Exec(ctx, s.query, s.args...); err != nil {
			return err
		}
	}
	return nil
}

// Delete implements chat.Registry.
func (l *Log) Delete(ctx context.Context, key string) error {
	ctx = context.WithoutCancel(ctx)
	var id, head int64
	err := ignoreNone(l.row(ctx, "SELECT id, head FROM rooms WHERE key = $1 AND used", key).Scan(&id, &head))
	if err == nil && id != 0 { // the many rows go in pieces
		_, err = l.deleteUpTo(ctx, key, id, head)
	}
	if err != nil {
		return wrap(err)
	}
	return wrap(l.patiently(ctx, func(ctx context.Context) error {
		found, files, err := l.delete(ctx, key)
		if err != nil {
			return err
		}
		l.filesGone.tell(files)
		l.listener.tellNow(key)
		if !found {
			return chat.ErrNoRoom
		}
		return nil
	}))
}

// delete deletes what is left of a room. It reports whether there was one, and whose
// files' rows went.
func (l *Log) delete(ctx context.Context, key string) (found bool, files []string, err error) {
	err = l.inTransaction(ctx, func(tx pgx.Tx) error {
		r, err := lockRoom(ctx, tx, key)
		if err != nil {
			return err
		}
		rows, err := tx.Query(ctx, "DELETE FROM files WHERE room = $1 RETURNING id", key)
		if err != nil {
			return err
		}
		if files, err = pgx.CollectRows(rows, pgx.RowTo[string]); err != nil {
			return err
		}
		tag, err := tx.Exec(ctx, "DELETE FROM locks WHERE room = $1", key)
		if err != nil {
			return err
		}
		found = r.used || tag.RowsAffected() > 0
		statements := []statement{
			{"DELETE FROM entries WHERE room = $1", []any{r.id}},
			{"UPDATE ends SET room = 0 WHERE room = $1", []any{r.id}},
			{"DELETE FROM names WHERE room = $1", []any{key}},
			{"DELETE FROM rooms WHERE id = $1", []any{r.id}},
		}
		if r.used {
			statements = append(statements, statement{"INSERT INTO ends (key, room, head) VALUES ($1, 0, $2) ON CONFLICT (key) DO UPDATE SET room = 0, head = excluded.head", []any{key, r.head}})
		}
		return each(ctx, tx, statements...)
	})
	return found, files, err
}
