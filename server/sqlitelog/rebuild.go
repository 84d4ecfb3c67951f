package sqlitelog

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"time"
)

// rebuild puts a new database, with the schema base, in the place of one that has
// an older schema. The old one is only read and stays as it is until the new one,
// whole and on the disk, is renamed over it: whatever ends the process before, the
// next start begins anew, and an older Parley can go on with the old database. Nothing of
// the old file is left in the new one, so what is deleted from it later is gone.
func rebuild(ctx context.Context, path string, version int, opt Options) error {
	dir := filepath.Dir(path)
	if err := enoughSpace(path, opt.free); err != nil {
		return err
	}
	if err := leaveWAL(ctx, path, opt); err != nil {
		return err
	}
	opt.stage("closed")
	fresh := path + ".migrating"
	for _, file := range []string{fresh, fresh + "-journal"} { // of a start that was broken off
		if err := os.Remove(file); err != nil && !errors.Is(err, fs.ErrNotExist) {
			return err
		}
	}
	defer os.Remove(fresh) // unless it was renamed
	if err := create(fresh); err != nil {
		return err
	}
	if err := build(ctx, path, fresh, version, opt); err != nil {
		return fmt.Errorf("it could not be brought to schema %d, and was left as it is: %w", base, err)
	}
	if err := syncFile(fresh); err != nil {
		return err
	}
	opt.stage("synced")
	if err := os.Rename(fresh, path); err != nil {
		return err
	}
	opt.stage("renamed")
	return syncFile(dir)
}

// enoughSpace asks for twice the size of a database before it is rebuilt: for the
// new one, and for what sorting its index takes meanwhile.
func enoughSpace(path string, free func(dir string) (uint64, error)) error {
	dir := filepath.Dir(path)
	have, err := free(dir)
	if err != nil {
		return fmt.Errorf("the free space of %s can't be read: %w", dir, err)
	}
	if need := 2 * uint64(size(path)+size(path+"-wal")); have < need {
		return fmt.Errorf("it has to be brought to schema %d, which needs %s of free space in %s, of which %s are there. Nothing was changed. "+
			"Make room, or move the folder to another disk and choose it with --data", base, megabytes(need), dir, megabytes(have))
	}
	return nil
}

func megabytes(n uint64) string { return fmt.Sprintf("%.1f MB", float64(n)/1e6) }

// leaveWAL takes a database's write-ahead log into it and does without one, so
// that the one file is all there is of it. A new database that took its place would
// otherwise meet a write-ahead log that is not its own.
func leaveWAL(ctx context.Context, path string, opt Options) error {
	db, err := open(path, opt)
	if err != nil {
		return err
	}
	defer db.Close()
	db.SetMaxOpenConns(1)
	var mode string
	if err := db.QueryRowContext(ctx, "PRAGMA journal_mode = DELETE").Scan(&mode); err != nil || mode != "delete" {
		return fmt.Errorf("another program has it open: end that, and start again (%v)", err)
	}
	return db.Close()
}

// build makes the database fresh of what is in old.
func build(ctx context.Context, old, fresh string, version int, opt Options) (err error) {
	// A file that is thrown away if anything fails needs no journal.
	db, err := open(fresh, opt, "_pragma=journal_mode(OFF)", "_pragma=synchronous(OFF)", "_pragma=cache_size(-65536)")
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, db.Close()) }()
	db.SetMaxOpenConns(1)
	conn, err := db.Conn(ctx)
	if err != nil {
		return err
	}
	defer conn.Close()
	// An index is sorted in the folder whose space was asked for.
	if _, err := conn.ExecContext(ctx, "PRAGMA temp_store_directory = '"+strings.ReplaceAll(filepath.Dir(fresh), "'", "''")+"'"); err != nil {
		return err
	}
	defer func() {
		_, undone := conn.ExecContext(context.WithoutCancel(ctx), "PRAGMA temp_store_directory = ''")
		err = errors.Join(err, undone)
	}()
	if _, err := conn.ExecContext(ctx, "ATTACH ? AS old", address(old)+"?mode=ro"); err != nil {
		return err
	}
	run := func(statement string) error {
		_, err := conn.ExecContext(ctx, statement)
		return err
	}
	if err := run("BEGIN; " + baseSchema + setVersion(base)); err != nil {
		return err
	}
	if err := run(`INSERT INTO meta (epoch) SELECT epoch FROM old.meta;
		INSERT INTO rooms (id, key, name, head, last) SELECT id, key, name, head, last FROM old.rooms;
		UPDATE rooms SET last = 0 WHERE NOT EXISTS (SELECT 1 FROM old.entries WHERE room = rooms.id);
		INSERT INTO names (room, name, device, seen) SELECT room, name, device, seen FROM old.names`); err != nil {
		return err
	}
	if version >= 2 {
		if err := run("INSERT INTO locks (room, hash, hidden) SELECT room, hash, hidden FROM old.locks"); err != nil {
			return err
		}
	}
	opt.stage("begun")
	n, err := copyEntries(ctx, conn, opt)
	if err != nil {
		return err
	}
	opt.Logger.Info("sorting the log's index", "messages", n)
	if err := run(baseIndexes); err != nil {
		return err
	}
	opt.stage("indexed")
	if err := run("COMMIT"); err != nil {
		return err
	}
	opt.stage("committed")
	return nil
}

// copyEntries copies every entry of the attached database, and tells the logger
// every few seconds how far it is.
func copyEntries(ctx context.Context, conn *sql.Conn, opt Options) (n int64, err error) {
	const every = 2 * time.Second
	var all int64
	if err := conn.QueryRowContext(ctx, "SELECT COUNT(*) FROM old.entries").Scan(&all); err != nil {
		return 0, err
	}
	insert, err := conn.PrepareContext(ctx, "INSERT INTO entries (at, room, id, device, user, text, time) VALUES (?, ?, ?, ?, ?, ?, ?)")
	if err != nil {
		return 0, err
	}
	defer insert.Close()
	// Watching ctx costs the driver a goroutine for each call; it is looked at below.
	unwatched := context.WithoutCancel(ctx)
	rows, err := conn.QueryContext(unwatched, "SELECT room, offset, id, device, user, text, time FROM old.entries ORDER BY room, offset")
	if err != nil {
		return 0, err
	}
	defer rows.Close()
	const says = "bringing the log to a new format"
	opt.Logger.Info(says, "schema", base, "messages", 0, "of", all)
	told := time.Now()
	for ; rows.Next(); n++ {
		var room, offset, ms int64
		var id, device, user, text string
		if err := rows.Scan(&room, &offset, &id, &device, &user, &text, &ms); err != nil {
			return n, err
		}
		if room > maxRoom || offset > maxOffset {
			return n, fmt.Errorf("the room %d has a message %d, more than this Parley can count", room, offset)
		}
		if _, err := insert.ExecContext(unwatched, rowOf(room, offset), room, messageID(id).pack(), deviceID(device).pack(), user, text, ms); err != nil {
			return n, err
		}
		if n%1000 == 0 {
			opt.stage("copied")
			if err := ctx.Err(); err != nil {
				return n, err
			}
			if time.Since(told) > every {
				told = time.Now()
				opt.Logger.Info(says, "schema", base, "messages", n, "of", all)
			}
		}
	}
	if err := rows.Err(); err != nil {
		return n, err
	}
	if n != all {
		return n, fmt.Errorf("not all messages could be read: %d of %d", n, all)
	}
	return n, nil
}
