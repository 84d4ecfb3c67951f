package sqlitelog

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"os"
	"path/filepath"

	"modernc.org/sqlite"
	sqlite3 "modernc.org/sqlite/lib"
)

// ErrDamaged is what the errors about a database that was damaged wrap.
var ErrDamaged = errors.New("damaged")

// damaged is the sentence for whoever has a damaged database. It is never
// written to, so that what is left of it can be rescued.
func damaged(path, what string) error {
	return fmt.Errorf("the database %s is %w (%s). Nothing in it was changed. "+
		"Put a backup in its place with: parley-server restore --replace FILE. Or start on an empty folder with --data", path, ErrDamaged, what)
}

// inspect looks for damage in a database before anything is written to it, and
// reports whether its last user left without closing it. A file that is not
// there is a new database. It reads every page once: half a second for a million
// messages.
func inspect(ctx context.Context, path string) (unclean bool, err error) {
	db, wal := size(path), size(path+"-wal")
	if db == 0 {
		if wal > 0 {
			return false, damaged(path, "it is empty or missing, but its write-ahead log is not")
		}
		return false, nil
	}
	r, err := openExisting(path)
	if err != nil {
		return false, err
	}
	defer r.Close()
	return wal > 0, pragmaCheck(ctx, r, path, "quick_check(1)")
}

// size is 0 for a file that is not there.
func size(path string) int64 {
	info, err := os.Stat(path)
	if err != nil {
		return 0
	}
	return info.Size()
}

func pragmaCheck(ctx context.Context, db *sql.DB, path, pragma string) error {
	var answer string
	err := db.QueryRowContext(ctx, "PRAGMA "+pragma).Scan(&answer)
	switch {
	case isDamage(err):
		return damaged(path, err.Error())
	case err != nil:
		return fmt.Errorf("the database %s can't be read: %w", path, err)
	case answer != "ok":
		return damaged(path, answer)
	}
	return nil
}

func isDamage(err error) bool {
	var e *sqlite.Error
	if !errors.As(err, &e) {
		return false
	}
	code := e.Code() & 0xff // without its extension
	return code == sqlite3.SQLITE_CORRUPT || code == sqlite3.SQLITE_NOTADB
}

// openExisting opens a database for reading only; a server may have it open too.
func openExisting(path string) (*sql.DB, error) {
	if info, err := os.Stat(path); err != nil || !info.Mode().IsRegular() {
		if filepath.Base(path) == FileName {
			return nil, fmt.Errorf("there is no log in %s: choose its folder with --data", filepath.Dir(path))
		}
		return nil, fmt.Errorf("there is no file %s: name the one that backup wrote", path)
	}
	db, err := open(path, Options{BusyTimeout: defaultBusy}, "mode=ro")
	if err == nil {
		db.SetMaxOpenConns(1)
	}
	return db, err
}
