package sqlitelog

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"runtime"
	"time"
)

// Backup writes the log in the folder dir, as it is at one moment, to a new
// file. A server may be running on it and goes on working.
func Backup(ctx context.Context, dir, file string) error {
	return snapshot(ctx, filepath.Join(dir, FileName), file)
}

// Restore puts a backup in the place of the log in the folder dir, on which no
// server may be running. The log gets a new epoch, since what was said after
// the backup is gone: clients then draw a line instead of believing that they
// missed nothing. A log that is there is only replaced where replace says so,
// and is set aside under the name that is returned.
func Restore(ctx context.Context, dir, file string, replace bool) (aside string, err error) {
	return RestoreWith(ctx, dir, file, replace, func(string) (func() error, error) { return func() error { return nil }, nil })
}

// RestoreWith is Restore for a log that has something next to it. prepare is called
// once it is certain that the log is replaced, with what is added to the names of what
// is set aside. What it returns is called before the log gets its place.
func RestoreWith(ctx context.Context, dir, file string, replace bool, prepare func(stamp string) (put func() error, err error)) (aside string, err error) {
	if err := writable(dir); err != nil {
		return "", err
	}
	lock, err := takeLock(ctx, filepath.Join(dir, lockName))
	if err != nil {
		return "", inUse(dir)
	}
	defer lock.Close()
	path := filepath.Join(dir, FileName)
	_, err = os.Lstat(path)
	there := err == nil || size(path+"-wal") > 0
	if there && !replace {
		return "", fmt.Errorf("there is a log in %s already: with --replace it is set aside and the backup takes its place", dir)
	}
	fresh := path + ".restoring"
	if err := os.Remove(fresh); err != nil && !errors.Is(err, fs.ErrNotExist) { // of a restore that was broken off
		return "", err
	}
	if err := snapshot(ctx, file, fresh); err != nil {
		return "", err
	}
	defer os.Remove(fresh) // where it was not renamed
	if err := renew(ctx, fresh); err != nil {
		return "", fmt.Errorf("the backup %s can't be used: %w", file, err)
	}
	stamp := ".replaced-" + time.Now().UTC().Format("20060102T150405.000")
	put, err := prepare(stamp)
	if err != nil {
		return "", err
	}
	if there {
		// A start in the middle of this finds a log without its end.
		mark, err := markUnsynced(dir, Normal)
		if err != nil {
			return "", err
		}
		aside = path + stamp
		if err := setAside(path, aside); err != nil {
			putBack(path, aside)
			return "", fmt.Errorf("the log %s can't be set aside: %w", path, err)
		}
		if err := put(); err != nil {
			putBack(path, aside)
			return aside, err
		}
		if err := os.Rename(fresh, path); err != nil {
			putBack(path, aside)
			return aside, err
		}
		return aside, errors.Join(syncFile(dir), mark.remove())
	}
	if err := put(); err != nil {
		return "", err
	}
	if err := os.Rename(fresh, path); err != nil {
		return "", err
	}
	return "", syncFile(dir)
}

// setAside gives a database a second name, which is the only one it has left
// when another is renamed to the first. Its write-ahead log goes first, so that
// it is never taken for its successor's.
func setAside(path, aside string) error {
	for _, step := range []func() error{
		func() error { return os.Rename(path+"-wal", aside+"-wal") },
		func() error { return os.Remove(path + "-shm") },
		func() error {
			if os.Link(path, aside) == nil {
				return nil
			}
			return os.Rename(path, aside) // a file system without links
		},
	} {
		if err := step(); err != nil && !errors.Is(err, fs.ErrNotExist) {
			return err
		}
	}
	return nil
}

// putBack gives a database that was not replaced its write-ahead log again.
func putBack(path, aside string) {
	if _, err := os.Lstat(path); err == nil {
		_ = os.Rename(aside+"-wal", path+"-wal")
	}
}

// renew brings a database to the newest schema and gives it a new epoch.
func renew(ctx context.Context, path string) error {
	if err := migrate(ctx, path, Options{}.withDefaults()); err != nil {
		return err
	}
	db, err := open(path, Options{}, "_pragma=synchronous(FULL)", "_pragma=journal_mode(DELETE)", "_txlock=immediate")
	if err != nil {
		return err
	}
	defer db.Close()
	db.SetMaxOpenConns(1)
	_, err = newEpoch(ctx, db)
	return errors.Join(err, db.Close(), syncFile(path))
}

// snapshot writes a database as it is at one moment to a new file, which is
// there whole or not at all.
func snapshot(ctx context.Context, from, to string) error {
	if _, err := os.Lstat(to); err == nil {
		return fmt.Errorf("the file %s is there already: choose another, or remove it", to)
	}
	db, err := openExisting(from)
	if err != nil {
		return err
	}
	defer db.Close()
	if err := pragmaCheck(ctx, db, from, "quick_check(1)"); err != nil {
		return err
	}
	var epochs int
	if err := db.QueryRowContext(ctx, "SELECT COUNT(*) FROM meta").Scan(&epochs); err != nil || epochs != 1 {
		return fmt.Errorf("the file %s is not a Parley log", from)
	}
	// SQLite takes an empty file as its target; this one is nobody else's to read.
	part, err := os.CreateTemp(filepath.Dir(to), filepath.Base(to)+".part-*")
	if err != nil {
		return fmt.Errorf("the file %s can't be written: %w", to, err)
	}
	defer os.Remove(part.Name()) // where it was not renamed
	if err := part.Close(); err != nil {
		return err
	}
	if _, err := db.ExecContext(ctx, "VACUUM INTO ?", part.Name()); err != nil {
		return fmt.Errorf("the file %s can't be written: %w", to, err)
	}
	if err := errors.Join(GiveToOwner(part.Name()), syncFile(part.Name())); err != nil {
		return err
	}
	if err := os.Rename(part.Name(), to); err != nil {
		return err
	}
	return syncFile(filepath.Dir(to))
}

// syncFile has a file's or a folder's content survive a power cut.
func syncFile(path string) error {
	if runtime.GOOS == "windows" {
		return nil // it has no such call for folders, and wants files open for writing
	}
	f, err := os.Open(path)
	if err != nil {
		return err
	}
	return errors.Join(f.Sync(), f.Close())
}
