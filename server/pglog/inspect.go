package pglog

import (
	"context"
	"fmt"
	"time"

	"github.com/jackc/pgx/v5"

	"parley/server/chat"
	"parley/shared"
)

// AllRooms lists all rooms, the one that was used last first.
func (l *Log) AllRooms(ctx context.Context) ([]chat.RoomTotals, error) {
	rows, err := l.pool.Query(ctx, `SELECT CASE WHEN COALESCE(r.name, '') = '' THEN k.key ELSE r.name END,
		COALESCE((SELECT COUNT(*) FROM entries e WHERE e.room = r.id AND e.off >= r.first AND e.kind = 0 AND e.state & 2 = 0), 0), COALESCE(r.bytes, 0),
		GREATEST(COALESCE(r.last, 0), COALESCE(l.made, 0), COALESCE((SELECT MAX(seen) FROM names WHERE names.room = k.key), 0)), l.hash IS NOT NULL, COALESCE(l.hidden, false)
		FROM (SELECT key FROM rooms WHERE used UNION SELECT room FROM locks) AS k LEFT JOIN rooms r ON r.key = k.key LEFT JOIN locks l ON l.room = k.key
		ORDER BY 4 DESC, 1`)
	if err != nil {
		return nil, wrap(err)
	}
	rooms, err := pgx.CollectRows(rows, func(row pgx.CollectableRow) (r chat.RoomTotals, err error) {
		var ms int64
		err = row.Scan(&r.Name, &r.Messages, &r.Bytes, &ms, &r.Locked, &r.Hidden)
		r.Last = time.UnixMilli(ms).UTC()
		return r, err
	})
	return rooms, wrap(err)
}

// RulesOf reads the rules of a room. It fails with chat.ErrNoRoom if the log knows none.
func (l *Log) RulesOf(ctx context.Context, room shared.Name) (chat.Rules, error) {
	var state chat.State
	err := l.snapshot(ctx, func(ctx context.Context, tx pgx.Tx) (err error) {
		state, err = l.readState(ctx, tx, room.Key, &follower{})
		return err
	})
	if err == nil && state.Name == "" {
		err = chat.ErrNoRoom
	}
	return state.Rules, wrap(err)
}

// exportPage is how many entries are read at once.
const exportPage = 500

// Export calls each with every message and every notice that a room has now, in order;
// deleted ones are left out. It fails if the room has none. It reads page by page, since a
// long transaction would keep what others delete.
func (l *Log) Export(ctx context.Context, room shared.Name, each func(chat.Entry) error) error {
	for after, first := int64(0), true; ; first = false {
		page, err := l.entries(ctx, room.Key, 0, "AND e.off > $2 AND ("+kept+" OR e.kind = 4) ORDER BY e.off LIMIT $3", after, exportPage)
		if err != nil {
			return err
		}
		if first && len(page) == 0 {
			return fmt.Errorf("the log has no messages of a room %q", room.Text)
		}
		for _, e := range page {
			if err := each(e); err != nil {
				return err
			}
			after = e.Offset
		}
		if len(page) < exportPage {
			return nil
		}
	}
}

// Summary is what Check found in a log that is whole.
type Summary struct {
	Rooms    int
	Messages int64
	Bytes    int64 // of the database's tables and indexes
	Epoch    string
}

// Check looks whether the rows of the log fit together, room by room. Whether the
// database's own files are whole, its own programs say: pg_amcheck.
func (l *Log) Check(ctx context.Context) (s Summary, err error) {
	if err := l.pool.QueryRow(ctx, "SELECT (SELECT COUNT(*) FROM rooms WHERE used), (SELECT COALESCE(SUM(pg_total_relation_size(c.oid)), 0)::bigint FROM pg_class c "+
		"JOIN pg_namespace n ON n.oid = c.relnamespace WHERE n.nspname = $1 AND c.relkind = 'r'), (SELECT epoch FROM meta)", l.opt.Schema).Scan(&s.Rooms, &s.Bytes, &s.Epoch); err != nil {
		return s, wrap(err)
	}
	rows, err := l.pool.Query(ctx, "SELECT id FROM rooms ORDER BY id")
	if err != nil {
		return s, wrap(err)
	}
	rooms, err := pgx.CollectRows(rows, pgx.RowTo[int64])
	if err != nil {
		return s, wrap(err)
	}
	for _, room := range rooms {
		var messages, beyond, changed, bytes, said int64
		var name string
		err := l.pool.QueryRow(ctx, "SELECT r.name, r.bytes, COUNT(*) FILTER (WHERE "+kept+"), COUNT(*) FILTER (WHERE e.off > r.head), COUNT(*) FILTER (WHERE e.changed > r.head), "+
			"COALESCE(SUM("+entryBytes+"), 0)::bigint FROM rooms r LEFT JOIN entries e ON e.room = r.id AND e.off >= r.first WHERE r.id = $1 GROUP BY r.id", room).
			Scan(&name, &bytes, &messages, &beyond, &changed, &said)
		switch {
		case ignoreNone(err) == nil && err != nil:
			continue // it was deleted meanwhile
		case err != nil:
			return s, wrap(err)
		case beyond > 0:
			return s, fmt.Errorf("in %q, entries lie beyond the end of the room: %d", name, beyond)
		case changed > 0:
			return s, fmt.Errorf("in %q, messages were changed beyond the end of the room: %d", name, changed)
		case said != bytes:
			return s, fmt.Errorf("the entries of %q have %d bytes, and not %d as the room says", name, said, bytes)
		}
		s.Messages += messages
	}
	for what, query := range map[string]string{
		"entries belong to no room": "SELECT COUNT(*) FROM entries e WHERE NOT EXISTS (SELECT 1 FROM rooms WHERE id = e.room)",
		"messages have a file that is not theirs": "SELECT COUNT(*) FROM entries e JOIN rooms r ON r.id = e.room AND e.off >= r.first LEFT JOIN files f ON f.id = e.file " +
			"WHERE e.file IS NOT NULL AND (e.kind <> 0 OR f.off IS DISTINCT FROM e.off OR f.room IS DISTINCT FROM r.key)",
		"files belong to a message that has another one, or is not there": "SELECT COUNT(*) FROM files f LEFT JOIN rooms r ON r.key = f.room " +
			"LEFT JOIN entries e ON e.room = r.id AND e.off = f.off AND e.off >= r.first WHERE f.off > 0 AND e.file IS DISTINCT FROM f.id",
	} {
		var n int64
		if err := l.pool.QueryRow(ctx, query).Scan(&n); err != nil {
			return s, wrap(err)
		}
		if n > 0 {
			return s, fmt.Errorf("%s: %d", what, n)
		}
	}
	return s, nil
}

// FileSecret returns the secret from which the keys of uploads are made. All servers
// have the same one, so that each takes the parts of an upload that was begun at
// another.
func (l *Log) FileSecret() []byte { return l.secret }

// Bounded reports whether the log began with a bound to its size. Those that were copied
// from a folder of an earlier version did not.
func (l *Log) Bounded() bool { return l.bounded }
