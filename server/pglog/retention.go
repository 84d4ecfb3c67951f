package pglog

import (
	"context"
	"fmt"

	"github.com/jackc/pgx/v5"

	"parley/server/chat"
)

// retention deletes what is over the bounds. Every server does so; whoever comes second
// finds nothing to do.
type retention struct {
	chat.Retention
	log  *Log
	stop context.CancelFunc
	done chan struct{}
}

// Retain implements chat.Log.
func (l *Log) Retain(r chat.Retention) {
	l.retains.Store(new(fmt.Sprintf("--retain-age %v --retain-bytes %d --log-bytes %d", r.Age, r.Bytes, r.Total)))
	if !r.Bounds() {
		return
	}
	ctx, cancel := context.WithCancel(context.Background())
	l.retention = &retention{Retention: r.WithDefaults(), log: l, stop: cancel, done: make(chan struct{})}
	go l.retention.run(ctx)
}

func (r *retention) end() {
	r.stop()
	<-r.done
}

func (r *retention) run(ctx context.Context) {
	defer close(r.done)
	r.Run(ctx, nil, r.log.opt.Logger, r.pass)
}

type roomSize struct {
	id, head, first, bytes int64
	key                    string
}

// pass looks at every room once.
func (r *retention) pass(ctx context.Context) (deleted int, err error) {
	rows, err := r.log.pool.Query(ctx, "SELECT id, head, first, bytes, key FROM rooms WHERE bytes > 0")
	if err != nil {
		return 0, err
	}
	rooms, err := pgx.CollectRows(rows, func(row pgx.CollectableRow) (v roomSize, err error) {
		err = row.Scan(&v.id, &v.head, &v.first, &v.bytes, &v.key)
		return v, err
	})
	if err != nil {
		return 0, err
	}
	var sizes []int64
	for _, v := range rooms {
		sizes = append(sizes, v.bytes)
	}
	most := r.Level(sizes)
	for _, v := range rooms {
		upTo, err := r.bound(ctx, v, most)
		if err != nil {
			return deleted, err
		}
		if upTo < v.first {
			continue
		}
		n, err := r.log.deleteUpTo(ctx, v.key, v.id, upTo)
		if deleted += n; n > 0 {
			r.Expired(n)
		}
		if err != nil {
			return deleted, err
		}
	}
	return deleted, nil
}

// bound returns the offset up to which a room's entries are to go.
func (r *retention) bound(ctx context.Context, v roomSize, most int64) (upTo int64, err error) {
	upTo = v.first - 1
	if r.Age > 0 {
		var oldest int64
		err := r.log.pool.QueryRow(ctx, "SELECT off FROM entries WHERE room = $1 AND off >= $2 AND time >= $3 ORDER BY off LIMIT 1",
			v.id, v.first, r.Now().Add(-r.Age).UnixMilli()).Scan(&oldest)
		switch {
		case err == nil:
			upTo = oldest - 1
		case ignoreNone(err) == nil:
			upTo = v.head
		default:
			return 0, err
		}
	}
	if v.bytes <= most {
		return upTo, nil
	}
	// The newest that fit stay: the sum from the end tells which.
	var first int64
	err = r.log.pool.QueryRow(ctx, "SELECT COALESCE(MIN(off), $4) FROM (SELECT off, SUM("+entryBytes+") OVER (ORDER BY off DESC) AS upto FROM entries e "+
		"WHERE room = $1 AND off >= $2) AS v WHERE upto <= $3", v.id, v.first, most, v.head+1).Scan(&first)
	return max(upTo, first-1), err
}

// deleteAtOnce is how many rows go in one transaction.
const deleteAtOnce = 1000

// deleteUpTo moves a room's beginning, tells of it, and then deletes what lies before it
// in pieces.
func (l *Log) deleteUpTo(ctx context.Context, key string, id, upTo int64) (deleted int, err error) {
	w := l.writer(key)
	var files []string
	if err := w.do(ctx, func(ctx context.Context) error {
		first := upTo + 1
		var h heads
		if err := l.inTransaction(ctx, func(tx pgx.Tx) error {
			var r roomState
			if err := scanRoom(tx.QueryRow(ctx, "SELECT "+roomColumns+" FROM rooms WHERE id = $1 AND key = $2 FOR NO KEY UPDATE", id, key), &r); err != nil {
				first = 0 // it was deleted or renamed since
				return ignoreNone(err)
			}
			first = max(first, r.first)
			h = heads{r.id, r.version, first, 0}
			w.begins(key, &r, first) // before anything is gone; other servers hear of it later
			var gone, left int64
			if err := tx.QueryRow(ctx, "SELECT COALESCE(SUM("+entryBytes+") FILTER (WHERE off < $3), 0)::bigint, COUNT(*) FILTER (WHERE off >= $3) FROM entries e WHERE room = $1 AND off >= $2",
				id, r.first, first).Scan(&gone, &left); err != nil {
				return err
			}
			rows, err := tx.Query(ctx, "DELETE FROM files USING entries e WHERE e.room = $1 AND e.off >= $2 AND e.off < $3 AND files.id = e.file RETURNING files.id", id, r.first, first)
			if err != nil {
				return err
			}
			if files, err = pgx.CollectRows(rows, pgx.RowTo[string]); err != nil {
				return err
			}
			_, err = tx.Exec(ctx, "UPDATE rooms SET first = $2, bytes = bytes - $3, last = CASE WHEN $4 > 0 THEN last ELSE 0 END WHERE id = $1", id, first, gone, left)
			return err
		}); err != nil || first == 0 {
			return err
		}
		l.listener.tell(key, &news{heads: h})
		return nil
	}); err != nil {
		return 0, err
	}
	l.filesGone.tell(files)
	for {
		tag, err := l.commits.Exec(ctx, "DELETE FROM entries WHERE room = $1 AND off IN (SELECT e.off FROM entries e JOIN rooms ON rooms.id = e.room "+
			"WHERE e.room = $1 AND e.off < rooms.first ORDER BY e.off LIMIT $2)", id, deleteAtOnce)
		if err != nil {
			return deleted, err
		}
		if deleted += int(tag.RowsAffected()); tag.RowsAffected() < deleteAtOnce {
			return deleted, nil
		}
	}
}
