package sqlitelog

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"time"

	"parley/server/chat"
	"parley/shared"
)

// Unlock implements chat.Registry.
func (l *Log) Unlock(ctx context.Context, room string) error {
	return l.edit(ctx, func(ctx context.Context, c *sql.Conn) error {
		_, err := c.ExecContext(ctx, "DELETE FROM locks WHERE room = ?", room)
		return err
	})
}

// Rename implements chat.Registry.
func (l *Log) Rename(ctx context.Context, room string, to shared.Name) error {
	return l.edit(ctx, func(ctx context.Context, c *sql.Conn) error {
		if room == to.Key {
			result, err := c.ExecContext(ctx, "UPDATE rooms SET name = ? WHERE key = ?", to.Text, room)
			return found(result, err)
		}
		var known, taken bool
		if err := c.QueryRowContext(ctx, `SELECT
			EXISTS (SELECT 1 FROM rooms WHERE key = ?1) OR EXISTS (SELECT 1 FROM locks WHERE room = ?1),
			EXISTS (SELECT 1 FROM rooms WHERE key = ?2) OR EXISTS (SELECT 1 FROM locks WHERE room = ?2)
				OR EXISTS (SELECT 1 FROM ends WHERE key = ?2 AND room IS NOT (SELECT id FROM rooms WHERE key = ?1))`,
			room, to.Key).Scan(&known, &taken); err != nil {
			return err
		}
		switch {
		case !known:
			return chat.ErrNoRoom
		case taken:
			return chat.ErrRoomTaken
		}
		return each(ctx, c, []string{
			"INSERT OR REPLACE INTO ends (key, room, head) SELECT key, id, head FROM rooms WHERE key = ?1",
			"DELETE FROM ends WHERE key = ?2",
			"UPDATE rooms SET key = ?2, name = ?3 WHERE key = ?1",
			"UPDATE locks SET room = ?2 WHERE room = ?1",
			"DELETE FROM names WHERE room = ?2",
			"UPDATE names SET room = ?2 WHERE room = ?1",
			"UPDATE settings SET room = ?2 WHERE room = ?1",
			"UPDATE hosts SET room = ?2 WHERE room = ?1",
			"UPDATE barred SET room = ?2 WHERE room = ?1",
			"UPDATE files SET room = ?2 WHERE room = ?1",
		}, room, to.Key, to.Text)
	})
}

// Delete implements chat.Registry. What it deletes goes oldest first and in steps,
// between which others write.
func (l *Log) Delete(ctx context.Context, room string) error {
	var id, head int64
	err := l.read.QueryRowContext(ctx, "SELECT id, head FROM rooms WHERE key = ?", room).Scan(&id, &head)
	switch {
	case err == nil:
		if _, err := l.deleteUpTo(ctx, room, id, head); err != nil {
			return err
		}
	case !errors.Is(err, sql.ErrNoRows):
		return unavailable(err)
	}
	var files []string
	err = l.edit(ctx, func(ctx context.Context, c *sql.Conn) (err error) {
		if files, err = ids(c.QueryContext(ctx, "DELETE FROM files WHERE room = ? RETURNING id", room)); err != nil {
			return err
		}
		if err := each(ctx, c, []string{
			"INSERT OR REPLACE INTO ends (key, room, head) SELECT key, 0, head FROM rooms WHERE key = ?1",
			"UPDATE ends SET room = 0 WHERE room = (SELECT id FROM rooms WHERE key = ?1)", // which the next room may get
			"DELETE FROM names WHERE room = ?1",
			"DELETE FROM settings WHERE room = ?1",
			"DELETE FROM hosts WHERE room = ?1",
			"DELETE FROM barred WHERE room = ?1",
		}, room); err != nil {
			return err
		}
		gone, err := c.ExecContext(ctx, "DELETE FROM rooms WHERE key = ?", room)
		if err != nil {
			return err
		}
		unlocked, err := c.ExecContext(ctx, "DELETE FROM locks WHERE room = ?", room)
		if wasThere := found(gone, nil); wasThere == nil {
			return err
		}
		return found(unlocked, err)
	})
	if len(files) > 0 && (err == nil || errors.Is(err, chat.ErrNoRoom)) { // which has no messages, but may have uploads
		l.writer.erased.CompareAndSwap(nil, new(time.Now()))
		l.writer.tellGone(files)
	}
	return err
}

// edit carries out a change of rooms in a transaction of its own. An error of chat's
// is returned as it is.
func (l *Log) edit(ctx context.Context, change func(context.Context, *sql.Conn) error) error {
	var refused error
	err := l.writer.do(ctx, request{edit: func(ctx context.Context, c *sql.Conn) error {
		err := change(ctx, c)
		if errors.Is(err, chat.ErrNoRoom) || errors.Is(err, chat.ErrRoomTaken) {
			refused, err = err, nil // nothing was changed
		}
		return err
	}})
	if err == nil {
		return refused
	}
	return err
}

func each(ctx context.Context, c *sql.Conn, statements []string, args ...any) error {
	for _, s := range statements {
		if _, err := c.ExecContext(ctx, s, args...); err != nil {
			return fmt.Errorf("%s: %w", s, err)
		}
	}
	return nil
}

// found returns chat.ErrNoRoom if a statement changed nothing.
func found(result sql.Result, err error) error {
	if err != nil {
		return err
	}
	if n, err := result.RowsAffected(); err != nil || n > 0 {
		return err
	}
	return chat.ErrNoRoom
}
