package pglog

import (
	"context"
	"crypto/rand"
	"encoding/json"
	"errors"
	"fmt"
	"sync/atomic"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"

	"parley/server/chat"
	"parley/server/transfer"
)

// copying opens a transaction that keeps servers from starting on a log, and is undone
// unless do ends without an error. Options has the schema.
func copying(ctx context.Context, address string, opt Options, do func(pgx.Tx) error) error {
	opt = opt.withDefaults()
	pool, err := configure(address, opt.Schema)
	if err != nil {
		return err
	}
	cfg := pool.ConnConfig
	fail := func(err error) error {
		return fmt.Errorf("the database can't be used: %w", sayOpen(cfg, opt.Schema, err))
	}
	var warned atomic.Bool
	cfg.OnNotice = func(_ *pgconn.PgConn, n *pgconn.Notice) {
		if n.Code == "01000" {
			warned.Store(true)
		}
	}
	var conn *pgx.Conn
	if err := await(ctx, cfg, opt.startFor, func(c *pgx.Conn) error { conn = c; return nil }); err != nil {
		return fail(err)
	}
	defer conn.Close(context.WithoutCancel(ctx))
	tx, err := conn.Begin(ctx)
	if err != nil {
		return fail(err)
	}
	defer tx.Rollback(context.WithoutCancel(ctx))
	if err := lockSchema(ctx, tx, opt.startFor); err != nil {
		return fail(err)
	}
	if err := do(tx); err != nil {
		var elsewhere otherSide
		if errors.As(err, &elsewhere) {
			return elsewhere.error
		}
		return fail(err)
	}
	warned.Store(false)
	err = tx.Commit(context.WithoutCancel(ctx)) // or it would end its wait for the standby
	if err == nil && warned.Load() {
		err = errNotDurable
	}
	if err != nil {
		return fail(err)
	}
	return nil
}

// otherSide is an error of the log that is copied to, or from.
type otherSide struct{ error }

// CopyFrom hands on all rows of the log at an address. It fails if a server runs on it,
// and none can start meanwhile.
func CopyFrom(ctx context.Context, address string, opt Options, put transfer.Put) error {
	opt = opt.withDefaults()
	return copying(ctx, address, opt, func(lock pgx.Tx) error {
		if there, err := hasLog(ctx, lock, opt.Schema); err != nil {
			return err
		} else if !there {
			return ErrNoLog
		}
		var version int
		if err := lock.QueryRow(ctx, "SELECT MAX(version) FROM versions").Scan(&version); err != nil {
			return err
		}
		if version != len(migrations) {
			return fmt.Errorf("its log is of another version (schema %d, this one knows %d): start this version's server on it once", version, len(migrations))
		}
		if err := checkIdle(ctx, lock); err != nil {
			return err
		}
		// Nobody writes: each statement sees the same.
		return copyRows(ctx, lock, func(row any) error {
			if err := put(row); err != nil {
				return otherSide{err}
			}
			return nil
		})
	})
}

// checkIdle fails if a server goes on.
func checkIdle(ctx context.Context, tx pgx.Tx) error {
	read := func() (map[string]int64, error) {
		rows, err := tx.Query(ctx, "SELECT id, seen FROM servers")
		if err != nil {
			return nil, err
		}
		all := make(map[string]int64)
		var id string
		var seen int64
		_, err = pgx.ForEachRow(rows, []any{&id, &seen}, func() error { all[id] = seen; return nil })
		return all, err
	}
	before, err := read()
	if err != nil || len(before) == 0 {
		return err
	}
	select { // one that was killed has left its row, which does not change
	case <-time.After(2 * proveEvery):
	case <-ctx.Done():
		return ctx.Err()
	}
	now, err := read()
	for id, seen := range now {
		if was, known := before[id]; err == nil && (!known || was != seen) {
			return errors.New("a Parley server runs on it: stop all of its servers, and copy then")
		}
	}
	return err
}

func copyRows(ctx context.Context, tx pgx.Tx, put transfer.Put) error {
	var log transfer.Log
	if err := tx.QueryRow(ctx, "SELECT id, host_key, bounded FROM meta").Scan(&log.ID, &log.HostKey, &log.Bounded); err != nil {
		return err
	}
	if err := put(log); err != nil {
		return err
	}
	numbers := make(map[int64]int64)
	if err := eachRow(ctx, tx, "SELECT "+roomColumns+", rules IS NOT NULL FROM rooms WHERE used ORDER BY id", func(rows pgx.Rows) error {
		var r roomState
		var ruled bool
		if err := scanRoom(withMore{rows, &ruled}, &r); err != nil {
			return err
		}
		numbers[r.id] = int64(len(numbers) + 1)
		row := transfer.Room{Key: r.key, Name: r.name, Head: r.head, First: r.first, Last: r.last, Bytes: r.bytes}
		if ruled {
			row.Rules = &r.rules
		}
		return put(row)
	}); err != nil {
		return err
	}
	if err := eachRow(ctx, tx, "SELECT key, room, head FROM ends ORDER BY key", func(rows pgx.Rows) error {
		var e transfer.End
		if err := rows.Scan(&e.Key, &e.Room, &e.Head); err != nil {
			return err
		}
		e.Room = numbers[e.Room]
		return put(e)
	}); err != nil {
		return err
	}
	if err := eachRow(ctx, tx, "SELECT e.room, e.off, e.id, e.device, e.usr, e.text, e.time, e.kind, e.state, e.target, e.reply, e.changed, e.reactions, COALESCE(e.file, '') "+
		"FROM entries e JOIN rooms r ON r.id = e.room AND e.off >= r.first WHERE r.used ORDER BY e.room, e.off", func(rows pgx.Rows) error {
		var e transfer.Entry
		var text []byte
		var packed *string
		if err := rows.Scan(&e.Room, &e.Offset, &e.ID, &e.Device, &e.User, &text, &e.Time, &e.Kind, &e.State, &e.Target, &e.Reply, &e.Changed, &packed, &e.File); err != nil {
			return err
		}
		e.Room, e.Text = numbers[e.Room], string(text)
		if packed != nil {
			var all []reaction
			if err := json.Unmarshal([]byte(*packed), &all); err != nil {
				return err
			}
			for _, r := range all {
				e.Reactions = append(e.Reactions, transfer.Reaction{Reaction: chat.Reaction{Device: r.Device, Emoji: r.Emoji}, Offset: r.Offset})
			}
		}
		return put(e)
	}); err != nil {
		return err
	}
	if err := eachRow(ctx, tx, transfer.NamesQuery, func(rows pgx.Rows) error {
		n, err := transfer.ScanName(rows)
		if err != nil {
			return err
		}
		return put(n)
	}); err != nil {
		return err
	}
	if err := eachRow(ctx, tx, transfer.LocksQuery, func(rows pgx.Rows) error {
		l, err := transfer.ScanLock(rows)
		if err != nil {
			return err
		}
		return put(l)
	}); err != nil {
		return err
	}
	return eachRow(ctx, tx, "SELECT "+fileColumns+" FROM files ORDER BY id", func(rows pgx.Rows) error {
		row, err := scanFile(rows)
		if err != nil {
			return err
		}
		return put(row)
	})
}

// withMore is a row that has more columns than the one that scans it knows.
type withMore struct {
	pgx.Row
	more any
}

// Scan implements pgx.Row.
func (r withMore) Scan(into ...any) error { return r.Row.Scan(append(into, r.more)...) }

// eachRow calls each with every row of a query.
func eachRow(ctx context.Context, tx pgx.Tx, query string, each func(pgx.Rows) error) error {
	rows, err := tx.Query(ctx, query)
	if err != nil {
		return err
	}
	defer rows.Close()
	for rows.Next() {
		if err := each(rows); err != nil {
			return err
		}
	}
	return rows.Err()
}

// CopyTo makes the log of a database that has none out of the rows that fill puts. The
// log has a new epoch. It is there whole or not at all, since one transaction makes it,
// and no server can start on it meanwhile.
func CopyTo(ctx context.Context, address string, opt Options, fill func(transfer.Put) error) error {
	opt = opt.withDefaults()
	return copying(ctx, address, opt, func(tx pgx.Tx) error {
		version, err := migrateTo(ctx, tx, opt.Schema, migrations)
		if err != nil {
			return err
		}
		if version > 0 {
			return fmt.Errorf("there is a log in it already: choose another database, or remove that one with DROP SCHEMA %s CASCADE", pgx.Identifier{opt.Schema}.Sanitize())
		}
		f := &filler{ctx: ctx, tx: tx, waiting: make(map[string][][]any)}
		var wrong error
		if err := fill(func(row any) error {
			wrong = f.put(row)
			return wrong
		}); wrong != nil {
			return wrong
		} else if err != nil {
			return otherSide{err}
		}
		return f.end()
	})
}

// filler adds rows to tables that are empty.
type filler struct {
	ctx     context.Context
	tx      pgx.Tx
	rooms   int64
	waiting map[string][][]any // rows by table, which go together
}

// fillAtOnce is how many rows of a table go together.
const fillAtOnce = 5000

var fillColumns = map[string][]string{
	"rooms":   {"id", "key", "name", "used", "head", "first", "last", "bytes", "ruled", "rules"},
	"ends":    {"key", "room", "head"},
	"entries": {"room", "off", "id", "device", "usr", "text", "time", "kind", "target", "reply", "state", "changed", "reactions", "file"},
	"names":   {"room", "name", "device", "seen", "spoken", "address", "look"},
	"locks":   {"room", "hash", "hidden", "made"},
	"files":   {"id", "room", "device", "off", "name", "type", "size", "width", "height", "thumb", "state", "made", "source"},
}

func (f *filler) add(table string, row ...any) error {
	f.waiting[table] = append(f.waiting[table], row)
	if len(f.waiting[table]) < fillAtOnce {
		return nil
	}
	return f.flush(table)
}

func (f *filler) flush(table string) error {
	_, err := f.tx.CopyFrom(f.ctx, pgx.Identifier{table}, fillColumns[table], pgx.CopyFromRows(f.waiting[table]))
	clear(f.waiting[table])
	f.waiting[table] = f.waiting[table][:0]
	return err
}

// end adds what still waits, and what the rows do not say.
func (f *filler) end() error {
	for table := range fillColumns {
		if err := f.flush(table); err != nil {
			return err
		}
	}
	for _, s := range []string{
		"UPDATE rooms SET ruled = GREATEST(1, (SELECT MAX(off) FROM entries WHERE room = rooms.id AND kind = 4)) WHERE rules IS NOT NULL",
		"SELECT setval(pg_get_serial_sequence('rooms', 'id'), (SELECT COALESCE(MAX(id), 0) + 1 FROM rooms), false)",
		"ANALYZE rooms, entries, names, files",
	} {
		if _, err := f.tx.Exec(f.ctx, s); err != nil {
			return err
		}
	}
	return nil
}

func orNull(s string) *string {
	if s == "" {
		return nil
	}
	return &s
}

func (f *filler) put(row any) error {
	switch v := row.(type) {
	case transfer.Log:
		return addMeta(f.ctx, f.tx, v)
	case transfer.Room:
		f.rooms++
		var rules *string
		if v.Rules != nil {
			text, err := json.Marshal(v.Rules)
			if err != nil {
				return err
			}
			rules = new(string(text))
		}
		return f.add("rooms", f.rooms, v.Key, v.Name, true, v.Head, v.First, v.Last, v.Bytes, 0, rules)
	case transfer.End:
		return f.add("ends", v.Key, v.Room, v.Head)
	case transfer.Entry:
		all := make([]reaction, 0, len(v.Reactions))
		for _, r := range v.Reactions {
			all = append(all, reaction{r.Offset, r.Emoji, r.Device})
		}
		return f.add("entries", v.Room, v.Offset, v.ID, v.Device, v.User, []byte(v.Text), v.Time, v.Kind, v.Target, v.Reply, v.State, v.Changed,
			packReactions(all), orNull(v.File))
	case transfer.Name:
		return f.add("names", v.Room, v.Name, v.Device, v.Seen, v.Spoken, v.Address, orNull(v.Look))
	case transfer.Lock:
		return f.add("locks", v.Room, v.Hash, v.Hidden, v.Made.UnixMilli())
	case chat.FileRow:
		return f.add("files", v.ID, v.Room, v.Device, v.Offset, v.Name, v.Type, v.Size, v.Width, v.Height, v.Thumb, int64(v.State), v.Made.UnixMilli(), v.Source)
	}
	panic(fmt.Sprintf("there is no row like %T", row))
}

// addMeta begins a log, with an epoch and a secret of its own.
func addMeta(ctx context.Context, tx pgx.Tx, log transfer.Log) error {
	secret := make([]byte, 32)
	_, _ = rand.Read(secret) // never fails
	_, err := tx.Exec(ctx, "INSERT INTO meta (epoch, id, secret, host_key, bounded) VALUES ($1, $2, $3, $4, $5)", rand.Text(), log.ID, secret, log.HostKey, log.Bounded)
	return err
}
