package sqlitelog

import (
	"context"
	"database/sql"
	"encoding/hex"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"

	"parley/server/chat"
	"parley/server/transfer"
)

// copyingEnd is what the name of a database ends with that is being filled. No log is
// opened next to one: it would begin anew, though its operator has just copied one.
const copyingEnd = ".copying"

func checkCopying(path string) error {
	switch _, err := os.Lstat(path + copyingEnd); {
	case errors.Is(err, fs.ErrNotExist):
		return nil
	case err != nil:
		return err
	}
	return fmt.Errorf("a copy to the data folder %s was broken off: run parley-server copy again, or remove the file %s", filepath.Dir(path), path+copyingEnd)
}

// CopyFrom hands on all rows of the log in the folder dir, on which no server may be
// running.
func CopyFrom(ctx context.Context, dir string, put transfer.Put) error {
	lock, err := lockExisting(ctx, dir)
	if err != nil {
		return err
	}
	defer lock.Close()
	db, unreadable, err := openNewest(ctx, dir)
	if err != nil {
		return err
	}
	defer db.Close()
	tx, err := db.BeginTx(ctx, nil)
	if err != nil {
		return unreadable(err)
	}
	defer tx.Rollback()
	var refused error // by put, and no fault of this database
	err = copyRows(ctx, tx, func(row any) error {
		refused = put(row)
		return refused
	})
	if err == nil || refused != nil {
		return refused
	}
	return unreadable(err)
}

// lockExisting takes the lock of a folder that has a log.
func lockExisting(ctx context.Context, dir string) (*sql.DB, error) {
	if _, err := os.Stat(filepath.Join(dir, FileName)); err != nil {
		return nil, fmt.Errorf("there is no log in %s: choose its folder with --data", dir)
	}
	lock, err := takeLock(ctx, filepath.Join(dir, lockName))
	if err != nil {
		return nil, inUse(dir)
	}
	return lock, nil
}

func copyRows(ctx context.Context, tx *sql.Tx, put transfer.Put) error {
	var log transfer.Log
	if err := tx.QueryRowContext(ctx, "SELECT lower(hex(id)), host_key, bounded FROM meta").Scan(&log.ID, &log.HostKey, &log.Bounded); err != nil {
		return err
	}
	if err := put(log); err != nil {
		return err
	}
	numbers, err := copyRooms(ctx, tx, put)
	if err != nil {
		return err
	}
	if err := eachRow(ctx, tx, "SELECT key, room, head FROM ends ORDER BY key", func(rows *sql.Rows) error {
		var e transfer.End
		if err := rows.Scan(&e.Key, &e.Room, &e.Head); err != nil {
			return err
		}
		e.Room = numbers[e.Room]
		return put(e)
	}); err != nil {
		return err
	}
	if err := eachRow(ctx, tx, "SELECT room, offset, id, device, user, text, time, kind, state, target, reply, changed, reactions, COALESCE(file, '') FROM entries ORDER BY at", func(rows *sql.Rows) error {
		var e transfer.Entry
		var packed sql.RawBytes
		if err := rows.Scan(&e.Room, &e.Offset, (*messageID)(&e.ID), (*deviceID)(&e.Device), &e.User, &e.Text, &e.Time,
			&e.Kind, &e.State, &e.Target, &e.Reply, &e.Changed, &packed, &e.File); err != nil {
			return err
		}
		if e.Room = numbers[e.Room]; e.Room == 0 {
			return nil // what is left of a room
		}
		all, err := unpackReactions(packed)
		if err != nil {
			return err
		}
		for _, r := range all {
			e.Reactions = append(e.Reactions, transfer.Reaction{Reaction: r.Reaction, Offset: r.offset})
		}
		return put(e)
	}); err != nil {
		return err
	}
	if err := eachRow(ctx, tx, transfer.NamesQuery, func(rows *sql.Rows) error {
		n, err := transfer.ScanName(rows)
		if err != nil {
			return err
		}
		return put(n)
	}); err != nil {
		return err
	}
	if err := eachRow(ctx, tx, transfer.LocksQuery, func(rows *sql.Rows) error {
		l, err := transfer.ScanLock(rows)
		if err != nil {
			return err
		}
		return put(l)
	}); err != nil {
		return err
	}
	return eachRow(ctx, tx, "SELECT "+fileColumns+" FROM files ORDER BY id", func(rows *sql.Rows) error {
		row, err := scanFile(rows)
		if err != nil {
			return err
		}
		return put(row)
	})
}

// copyRooms returns the number of each room by its id.
func copyRooms(ctx context.Context, tx *sql.Tx, put transfer.Put) (numbers map[int64]int64, err error) {
	ruled := make(map[string]bool)
	if err := eachRow(ctx, tx, "SELECT room FROM settings", func(rows *sql.Rows) error {
		var room string
		err := rows.Scan(&room)
		ruled[room] = true
		return err
	}); err != nil {
		return nil, err
	}
	var all []transfer.Room
	numbers = make(map[int64]int64)
	if err := eachRow(ctx, tx, "SELECT id, key, name, head, last, bytes, COALESCE((SELECT offset FROM entries WHERE at > rooms.id << 40 AND at < (rooms.id + 1) << 40 ORDER BY at LIMIT 1), head + 1) "+
		"FROM rooms ORDER BY id", func(rows *sql.Rows) error {
		var id int64
		var r transfer.Room
		if err := rows.Scan(&id, &r.Key, &r.Name, &r.Head, &r.Last, &r.Bytes, &r.First); err != nil {
			return err
		}
		all = append(all, r)
		numbers[id] = int64(len(all))
		return nil
	}); err != nil {
		return nil, err
	}
	for _, r := range all {
		if ruled[r.Key] {
			rules, err := loadRules(ctx, tx, r.Key)
			if err != nil {
				return nil, err
			}
			r.Rules = &rules
		}
		if err := put(r); err != nil {
			return nil, err
		}
	}
	return numbers, nil
}

// eachRow calls each with every row of a query.
func eachRow(ctx context.Context, tx *sql.Tx, query string, each func(*sql.Rows) error) error {
	rows, err := tx.QueryContext(ctx, query)
	if err != nil {
		return err
	}
	defer rows.Close()
	for rows.Next() {
		if err := each(rows); err != nil {
			return err
		}
	}
	return errors.Join(rows.Err(), rows.Close())
}

// CopyTo makes the log of the folder dir, which has none, out of the rows that fill puts.
// The log has a new epoch. It is there whole or not at all; what a killed copy leaves
// keeps servers from starting until another one is whole.
func CopyTo(ctx context.Context, dir string, fill func(transfer.Put) error) error {
	if err := writable(dir); err != nil {
		return err
	}
	lock, err := takeLock(ctx, filepath.Join(dir, lockName))
	if err != nil {
		return inUse(dir)
	}
	defer lock.Close()
	path := filepath.Join(dir, FileName)
	if _, err := os.Lstat(path); err == nil || size(path+"-wal") > 0 {
		return fmt.Errorf("there is a log in %s already: choose another folder, or move that away", dir)
	}
	fresh := path + copyingEnd
	remove := func() {
		for _, end := range []string{"-wal", "-shm", "-journal", ""} {
			_ = os.Remove(fresh + end) // or a start names it
		}
	}
	remove()
	defer remove() // where it was not renamed
	if err := fillNew(ctx, fresh, fill); err != nil {
		return err
	}
	if err := os.Rename(fresh, path); err != nil {
		return err
	}
	return syncFile(dir)
}

// fillNew makes a database out of rows.
func fillNew(ctx context.Context, path string, fill func(transfer.Put) error) error {
	unwritable := func(err error) error { return fmt.Errorf("the database %s can't be written: %w", path, err) }
	if err := create(path); err != nil {
		return unwritable(err)
	}
	if err := migrate(ctx, path, Options{}.withDefaults()); err != nil {
		return unwritable(err)
	}
	db, err := open(path, Options{}, "_pragma=synchronous(OFF)", "_pragma=journal_mode(DELETE)", "_pragma=cache_size(-65536)", "_txlock=immediate")
	if err != nil {
		return unwritable(err)
	}
	defer db.Close()
	db.SetMaxOpenConns(1)
	tx, err := db.BeginTx(ctx, nil)
	if err != nil {
		return unwritable(err)
	}
	defer tx.Rollback()
	f := &filler{ctx: ctx, tx: tx, stmts: make(map[string]*sql.Stmt)}
	if err := f.begin(); err != nil {
		return unwritable(err)
	}
	var wrong error // of this database, and no fault of where the rows come from
	if err := fill(func(row any) error {
		if err := f.put(row); err != nil {
			wrong = unwritable(err)
		}
		return wrong
	}); err != nil {
		return err
	}
	if err := f.end(); err != nil {
		return unwritable(err)
	}
	if err := errors.Join(tx.Commit(), db.Close(), syncFile(path)); err != nil {
		return unwritable(err)
	}
	return nil
}

// filler adds rows to a database that has none.
type filler struct {
	ctx   context.Context
	tx    *sql.Tx
	stmts map[string]*sql.Stmt
	rooms int64
}

// begin drops the index that costs most, which is made again when the rows are there.
func (f *filler) begin() error { return f.add("DROP INDEX entries_id") }

func (f *filler) end() error {
	return f.add("CREATE UNIQUE INDEX entries_id ON entries (id, device, room)")
}

func (f *filler) add(statement string, args ...any) (err error) {
	stmt := f.stmts[statement]
	if stmt == nil {
		if stmt, err = f.tx.PrepareContext(f.ctx, statement); err != nil {
			return err
		}
		f.stmts[statement] = stmt
	}
	_, err = stmt.ExecContext(f.ctx, args...)
	return err
}

func (f *filler) put(row any) error {
	switch v := row.(type) {
	case transfer.Log:
		id, err := hex.DecodeString(v.ID)
		if err != nil {
			return err
		}
		return f.add("UPDATE meta SET id = ?, host_key = ?, bounded = ?", id, v.HostKey, v.Bounded)
	case transfer.Room:
		if f.rooms++; f.rooms > maxRoom {
			return errRooms
		}
		if v.Rules != nil {
			if err := saveRules(f.ctx, f.tx, v.Key, chat.Rules{}, *v.Rules); err != nil {
				return err
			}
		}
		return f.add("INSERT INTO rooms (id, key, name, head, last, bytes) VALUES (?, ?, ?, ?, ?, ?)", f.rooms, v.Key, v.Name, v.Head, v.Last, v.Bytes)
	case transfer.End:
		return f.add("INSERT INTO ends (key, room, head) VALUES (?, ?, ?)", v.Key, v.Room, v.Head)
	case transfer.Entry:
		all := make([]reaction, 0, len(v.Reactions))
		for _, r := range v.Reactions {
			all = append(all, reaction{r.Reaction, r.Offset})
		}
		return f.add("INSERT INTO entries ("+entryColumns+", kind, target, reply, state, changed, reactions, file) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
			rowOf(v.Room, v.Offset), v.Room, messageID(v.ID).pack(), deviceID(v.Device).pack(), v.User, v.Text, v.Time,
			v.Kind, v.Target, v.Reply, v.State, v.Changed, packReactions(all), sql.NullString{String: v.File, Valid: v.File != ""})
	case transfer.Name:
		return f.add("INSERT INTO names (room, name, device, seen, spoken, address, look) VALUES (?, ?, ?, ?, ?, ?, nullif(?, ''))",
			v.Room, v.Name, v.Device, v.Seen, v.Spoken, v.Address, v.Look)
	case transfer.Lock:
		return f.add("INSERT INTO locks (room, hash, hidden, made) VALUES (?, ?, ?, ?)", v.Room, v.Hash, v.Hidden, v.Made.UnixMilli())
	case chat.FileRow:
		return f.add("INSERT INTO files ("+fileColumns+") VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
			v.ID, v.Room, deviceID(v.Device).pack(), v.Offset, v.Name, v.Type, v.Size, v.Width, v.Height, v.Thumb, int64(v.State), v.Made.UnixMilli(), v.Source)
	}
	panic(fmt.Sprintf("there is no row like %T", row))
}
