package main

import (
	"bufio"
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"io/fs"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"time"

	"parley/server/chat"
	"parley/server/files"
	"parley/server/pglog"
	"parley/server/sqlitelog"
	"parley/shared"
)

// Only this file knows what the log is kept in.

// store keeps everything that is to survive a restart.
type store interface {
	chat.Log
	chat.Registry
	chat.FileRows

	// Bounded reports whether the log began with a bound to its size.
	Bounded() bool

	// ID tells this log from others: 32 hexadecimal digits. A backup has its log's.
	ID() string
}

// openLog opens what is in the data folder, and tells observe how long each
// transaction took.
func openLog(ctx context.Context, o *options, logger *slog.Logger, observe func(time.Duration)) (store, error) {
	if o.log != "" {
		if err := os.MkdirAll(o.data, 0o700); err != nil {
			return nil, fmt.Errorf("the data folder %s can't be made: %w", o.data, err)
		}
		if o.logInArgs && pglog.HasPassword(o.log) {
			logger.Warn("everyone on this computer can read the password in --log with ps: put it in PGPASSWORD, a file named by PGPASSFILE, or a service file")
		}
		if o.sync != defaultSync {
			logger.Warn("--sync does nothing with --log: PostgreSQL's synchronous_commit says what survives what")
		}
		if o.diskFree.set {
			logger.Warn("--disk-free bounds only files with --log: who runs PostgreSQL looks after its disk")
		}
		return pglog.Open(ctx, o.log, pglog.Options{Observe: observe, Logger: logger, Data: o.data, Restored: o.restored, Now: now})
	}
	opt := sqlitelog.Options{Sync: sqlitelog.Sync(o.sync), DiskFree: o.diskFree.bytes, Observe: observe, Logger: logger}
	if !o.diskFree.set {
		opt.DiskFree = -1 // the default depends on the disk
	}
	return sqlitelog.Open(ctx, o.data, opt)
}

const logAbout = "`address` of a PostgreSQL database that has the log, as postgres://host/name, in place of the data folder: several servers may share it"

// isDatabase reports whether a command's log is a database's address, and no folder.
func isDatabase(data string) bool {
	return strings.HasPrefix(data, "postgres://") || strings.HasPrefix(data, "postgresql://")
}

func (o *options) checkLog() error {
	if o.log == "" && o.files != "" {
		return errors.New("--files is for servers that share a log: it needs --log")
	}
	return checkAddress(o.log)
}

// checkAddress looks at a --log, which may be missing.
func checkAddress(log string) error {
	if log != "" && !isDatabase(log) {
		return errors.New("--log takes the address of a PostgreSQL database, like postgres://host/name; a folder is for --data")
	}
	return nil
}

// inDatabase does something with the log of a database, beside the servers that run on it.
func inDatabase(ctx context.Context, address string, do func(*pglog.Log) error) error {
	log, err := pglog.Open(ctx, address, pglog.Options{Writers: 1, Existing: true})
	if err != nil {
		return err
	}
	return errors.Join(do(log), log.Close())
}

// diskFlags bound what the server takes of the disk.
func (o *options) diskFlags(f *flag.FlagSet) {
	o.roomBytes.least, o.logBytes.least = leastKept, leastKept
	f.Var(&o.roomBytes, "retain-bytes", "approximate `bytes` of disk for the messages of each room, for example 50MB; the oldest go first; 0 removes the limit")
	o.logBytes.bytes, o.diskFree.bytes = 10e9, sqlitelog.DefaultDiskFree
	f.Var(&o.logBytes, "log-bytes", "approximate `bytes` of disk for the messages of all rooms; the oldest of the largest rooms go first; "+
		"0 removes the limit; without this flag, a data folder of an earlier version has no limit either")
	f.Var(&o.diskFree, "disk-free", "`bytes` of the disk that messages leave free; without this flag, 5 % of it if that is less; 0 leaves none")
}

// bound sets how much of the log is kept. A folder from a time without a bound has
// none, until its operator gives one.
func (o *options) bound(s store, logger *slog.Logger) {
	if o.logBytes.set || s.Bounded() {
		o.retain.Total = o.logBytes.bytes
		return
	}
	logger.Info("an earlier version has begun this log: nothing bounds its size. To bound it, give --log-bytes 10GB", "data", o.data)
}

const defaultSync = string(sqlitelog.Full)

func checkSync(s string) error {
	if s != string(sqlitelog.Full) && s != string(sqlitelog.Normal) {
		return fmt.Errorf("--sync takes full or normal, not %q", s)
	}
	return nil
}

// offline opens the log of a data folder on which no server runs, to manage its rooms.
func offline(ctx context.Context, data string) (hub *chat.Hub, done func() error, err error) {
	if isDatabase(data) { // whose servers go on, and learn of it
		log, err := pglog.Open(ctx, data, pglog.Options{Writers: 1, Existing: true})
		if err != nil {
			return nil, nil, err
		}
		hub = chat.NewHub(chat.Config{Log: log, Registry: log})
		return hub, func() error { return errors.Join(hub.Shutdown(context.WithoutCancel(ctx)), log.Close()) }, nil
	}
	if _, err := os.Stat(filepath.Join(data, sqlitelog.FileName)); err != nil {
		return nil, nil, fmt.Errorf("there is no log in %s: choose its folder with --data", data)
	}
	log, err := sqlitelog.Open(ctx, data, sqlitelog.Options{})
	if err != nil {
		return nil, nil, err
	}
	filed, err := files.Open(ctx, data, log, files.Options{}) // removes the files of what is deleted
	if err != nil {
		return nil, nil, errors.Join(err, log.Close())
	}
	hub = chat.NewHub(chat.Config{Log: log, Registry: log})
	return hub, func() error {
		err := hub.Shutdown(context.WithoutCancel(ctx))
		filed.Close()
		return errors.Join(err, log.Close())
	}, nil
}

// filesOf are the rows of the files of a data folder's log, or of a backup's.
func filesOf(ctx context.Context, path string) files.Rows {
	return func(each func(chat.FileRow) error) error { return sqlitelog.FilesIn(ctx, path, each) }
}

// filesIn are the same of a database's log.
func filesIn(ctx context.Context, log *pglog.Log) files.Rows {
	return func(each func(chat.FileRow) error) error {
		const page = 500
		for after := ""; ; {
			rows, err := log.Files(ctx, after, page)
			if err != nil {
				return err
			}
			for _, row := range rows {
				if err := each(row); err != nil {
					return err
				}
				after = row.ID
			}
			if len(rows) < page {
				return nil
			}
		}
	}
}

// errNotShared is said if a folder of files is named, and the log is in a folder as well.
func errNotShared(name string) error {
	return fmt.Errorf("--%s is for a log in a database: it needs --log; a data folder has its files with it: %w", name, errUsage)
}

func checkCommand() command {
	var shared string
	return command{
		name: "check", about: "Reads the whole log and reports damage and missing files.", server: mayRun,
		flags: func(f *flag.FlagSet) {
			f.StringVar(&shared, "files", "", "with --log: the `folder` that its servers have with --files; without it, files are not checked")
		},
		run: func(ctx context.Context, data string, _ []string, stdout, _ io.Writer) error {
			if isDatabase(data) {
				return inDatabase(ctx, data, func(log *pglog.Log) error {
					s, err := log.Check(ctx)
					if err != nil {
						return err
					}
					if _, err = fmt.Fprintf(stdout, "The log is whole: %s in %s, %d bytes, epoch %s.\n", number(s.Messages, "message"), number(s.Rooms, "room"), s.Bytes, s.Epoch); err != nil || shared == "" {
						return err
					}
					dir, err := sharedFiles(shared, log.ID())
					if err != nil {
						return err
					}
					return checkFiles(stdout, dir, filesIn(ctx, log))
				})
			}
			if shared != "" {
				return errNotShared("files")
			}
			s, err := sqlitelog.Check(ctx, data)
			if err != nil {
				return err
			}
			if _, err = fmt.Fprintf(stdout, "The database %s is whole: %s in %s, %d bytes, epoch %s.\n", s.Path, number(s.Messages, "message"), number(s.Rooms, "room"), s.Bytes, s.Epoch); err != nil {
				return err
			}
			return checkFiles(stdout, data, filesOf(ctx, s.Path))
		},
	}
}

// checkFiles says whether the files of a log are in a folder, and which are missing.
func checkFiles(stdout io.Writer, dir string, rows files.Rows) error {
	missing, n, err := files.Missing(dir, rows)
	if err != nil {
		return err
	}
	for _, row := range missing {
		fmt.Fprintf(stdout, "Missing, or not whole: %s, %q, %s, message %d in %q.\n", row.ID, plain(row.Name), number(row.Size, "byte"), row.Offset, plain(row.Room))
	}
	if len(missing) > 0 {
		return fmt.Errorf("of %s, %s missing in %s, or not whole: put them there from a backup", number(n, "file"), count(len(missing), "is", "are"), filepath.Join(dir, files.FolderName))
	}
	if n > 0 {
		_, err = fmt.Fprintf(stdout, "It has %s. None is missing.\n", number(n, "file"))
	}
	return err
}

func backupCommand() command {
	return command{
		name: "backup", args: " FILE", about: "Writes a complete copy of the log to a new file, and its files to the folder FILE.files.", server: mayRun,
		run: func(ctx context.Context, data string, args []string, stdout, _ io.Writer) error {
			if isDatabase(data) {
				return errors.New("PostgreSQL makes backups of its own: pg_dump writes this database to a file, pg_basebackup copies the whole server; copy the folder of --files, too")
			}
			n, missing, err := files.Backup(ctx, data, args[0], filesOf(ctx, filepath.Join(data, sqlitelog.FileName)), filesOf(ctx, args[0]),
				func() error { return sqlitelog.Backup(ctx, data, args[0]) })
			if err != nil {
				return err
			}
			fmt.Fprintf(stdout, "The log is in %s. To use it: parley-server restore FILE\n", args[0])
			if n+missing > 0 {
				fmt.Fprintf(stdout, "It has %s, in %s. Keep both together.\n", number(n, "file"), args[0]+files.BackupEnd)
			}
			return lacks(missing)
		},
	}
}

// lacks is the error that says that files are missing.
func lacks(missing int) error {
	if missing == 0 {
		return nil
	}
	return fmt.Errorf("messages lack %s: see parley-server check", number(missing, "file"))
}

func restoreCommand() command {
	var replace bool
	return command{
		name: "restore", args: " FILE", about: "Puts a backup in place, with the files in FILE.files.", server: mayNotRun,
		flags: func(f *flag.FlagSet) {
			f.BoolVar(&replace, "replace", false, "set aside the log and the files that are there")
		},
		run: func(ctx context.Context, data string, args []string, stdout, _ io.Writer) error {
			if isDatabase(data) {
				return errors.New("PostgreSQL restores its own backups: use pg_restore or psql, and then start each server once with --log-restored")
			}
			n, missing := 0, 0
			aside, err := sqlitelog.RestoreWith(ctx, data, args[0], replace,
				files.Restore(ctx, data, args[0], filesOf(ctx, args[0]), func(found, lost int) { n, missing = found, lost }))
			if aside != "" {
				fmt.Fprintf(stdout, "The log that was there is now %s.\n", aside)
			}
			if err != nil {
				return err
			}
			fmt.Fprintf(stdout, "The log in %s is that of %s. Clients will see that it is another.\n", data, args[0])
			if n > 0 {
				fmt.Fprintf(stdout, "It has %s.\n", number(n, "file"))
			}
			return lacks(missing)
		},
	}
}

func exportCommand() command {
	var room, format, folder, from string
	return command{
		name: "export", about: "Prints a room's messages.", server: mayRun,
		flags: func(f *flag.FlagSet) {
			f.StringVar(&room, "room", "", "the room's `name`")
			f.StringVar(&format, "format", "txt", "`format`: txt, to read; or jsonl, one frame of the protocol on each line")
			f.StringVar(&folder, "to-files", "", "`folder` to which the room's files are copied")
			f.StringVar(&from, "from-files", "", "with --log: the `folder` that its servers have with --files, from which the files are copied")
		},
		run: func(ctx context.Context, data string, _ []string, stdout, _ io.Writer) error {
			name, err := roomFlag("room", room)
			if err != nil {
				return err
			}
			write, ok := exportFormats[format]
			if !ok {
				return fmt.Errorf("--format takes txt or jsonl, not %q: %w", format, errUsage)
			}
			out := bufio.NewWriter(stdout)
			each, done := write(out), func() error { return nil }
			switch {
			case !isDatabase(data) && from != "":
				return errNotShared("from-files")
			case !isDatabase(data):
				from = data
			case folder != "" && from == "":
				return fmt.Errorf("--to-files needs --from-files, too: the folder that the servers of the database have with --files: %w", errUsage)
			}
			if folder != "" {
				if each, done, err = withFiles(from, folder, each); err != nil {
					return err
				}
			}
			if isDatabase(data) {
				err = inDatabase(ctx, data, func(log *pglog.Log) error {
					if folder != "" {
						if _, err := sharedFiles(from, log.ID()); err != nil {
							return err
						}
					}
					return log.Export(ctx, name, each)
				})
			} else {
				err = sqlitelog.Export(ctx, data, name, each)
			}
			return errors.Join(err, out.Flush(), done())
		},
	}
}

// withFiles is each, which also copies the messages' files to a folder, as
// "57 IMG.jpg"; 57 is the message's offset. done says what is missing.
func withFiles(data, folder string, each func(chat.Entry) error) (with func(chat.Entry) error, done func() error, err error) {
	if err := os.MkdirAll(folder, 0o700); err != nil {
		return nil, nil, fmt.Errorf("the folder %s can't be made: %w", folder, err)
	}
	missing := 0
	return func(e chat.Entry) error {
		if err := each(e); err != nil || e.Extras().File == nil || e.Extra.File.Gone {
			return err
		}
		f := e.Extra.File
		switch err := files.Export(data, f.ID, filepath.Join(folder, fmt.Sprintf("%d %s", e.Offset, shared.SavedName(f.Name)))); {
		case errors.Is(err, fs.ErrExist): // of an export before
		case errors.Is(err, fs.ErrNotExist):
			missing++
		case err != nil:
			return fmt.Errorf("the file of message %d can't be copied to %s: %w", e.Offset, folder, err)
		}
		return nil
	}, func() error { return lacks(missing) }, nil
}

// allRooms lists the rooms of a log.
func allRooms(ctx context.Context, data string) (rooms []chat.RoomTotals, err error) {
	if !isDatabase(data) {
		return sqlitelog.AllRooms(ctx, data)
	}
	err = inDatabase(ctx, data, func(log *pglog.Log) error {
		rooms, err = log.AllRooms(ctx)
		return err
	})
	return rooms, err
}

// rulesOf reads the rules of a room.
func rulesOf(ctx context.Context, data string, room shared.Name) (rules chat.Rules, err error) {
	if !isDatabase(data) {
		return sqlitelog.Rules(ctx, data, room)
	}
	err = inDatabase(ctx, data, func(log *pglog.Log) error {
		rules, err = log.RulesOf(ctx, room)
		return err
	})
	return rules, err
}
