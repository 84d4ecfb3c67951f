package main

import (
	"bufio"
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"log/slog"
	"os"
	"path/filepath"
	"time"

	"parley/server/chat"
	"parley/server/sqlitelog"
	"parley/shared"
)

// Only this file knows what the log is kept in.

// store keeps everything that is to survive a restart.
type store interface {
	chat.Log
	chat.Registry

	// Bounded reports whether the log began with a bound to its size.
	Bounded() bool

	// ID tells this log from others: 32 hexadecimal digits. A backup has its log's.
	ID() string
}

// openLog opens what is in the data folder, and tells observe how long each
// transaction took.
func openLog(ctx context.Context, o *options, logger *slog.Logger, observe func(time.Duration)) (store, error) {
	opt := sqlitelog.Options{Sync: sqlitelog.Sync(o.sync), DiskFree: o.diskFree.bytes, Observe: observe, Logger: logger}
	if !o.diskFree.set {
		opt.DiskFree = -1 // the default depends on the disk
	}
	return sqlitelog.Open(ctx, o.data, opt)
}

// diskFlags bound what the server takes of the disk.
func (o *options) diskFlags(f *flag.FlagSet) {
	o.roomBytes.least, o.logBytes.least = leastKept, leastKept
	f.Var(&o.roomBytes, "retain-bytes", "approximate `bytes` of disk for the messages of each room, for example 50MB; the oldest go first; 0 removes the limit")
	o.logBytes.bytes, o.diskFree.bytes = 10e9, sqlitelog.DefaultDiskFree
	f.Var(&o.logBytes, "log-bytes", "approximate `bytes` of disk for the messages of all rooms; the oldest of the largest rooms go first; "+
		"0 removes the limit, and so does a data folder that an earlier version has begun, unless this is given")
	f.Var(&o.diskFree, "disk-free", "`bytes` of the disk that messages leave free, or 5 % of it if that is less and this is not given; 0 leaves none")
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
	if _, err := os.Stat(filepath.Join(data, sqlitelog.FileName)); err != nil {
		return nil, nil, fmt.Errorf("there is no log in %s: choose its folder with --data", data)
	}
	log, err := sqlitelog.Open(ctx, data, sqlitelog.Options{})
	if err != nil {
		return nil, nil, err
	}
	hub = chat.NewHub(chat.Config{Log: log, Registry: log})
	return hub, func() error { return errors.Join(hub.Shutdown(context.WithoutCancel(ctx)), log.Close()) }, nil
}

func checkCommand() command {
	return command{
		name: "check", about: "Reads the whole log and says whether it is whole.", serving: true,
		run: func(ctx context.Context, data string, _ []string, stdout, _ io.Writer) error {
			s, err := sqlitelog.Check(ctx, data)
			if err != nil {
				return err
			}
			_, err = fmt.Fprintf(stdout, "The database %s is whole: %d messages in %d rooms, %d bytes, epoch %s.\n", s.Path, s.Messages, s.Rooms, s.Bytes, s.Epoch)
			return err
		},
	}
}

func backupCommand() command {
	return command{
		name: "backup", args: " FILE", about: "Writes the log, as it is at one moment, to a new file.", serving: true,
		run: func(ctx context.Context, data string, args []string, stdout, _ io.Writer) error {
			if err := sqlitelog.Backup(ctx, data, args[0]); err != nil {
				return err
			}
			_, err := fmt.Fprintf(stdout, "The log is in %s. To use it: parley-server restore FILE\n", args[0])
			return err
		},
	}
}

func restoreCommand() command {
	var replace bool
	return command{
		name: "restore", args: " FILE", about: "Puts a backup in the log's place.",
		flags: func(f *flag.FlagSet) {
			f.BoolVar(&replace, "replace", false, "set aside the log that is there")
		},
		run: func(ctx context.Context, data string, args []string, stdout, _ io.Writer) error {
			aside, err := sqlitelog.Restore(ctx, data, args[0], replace)
			if aside != "" {
				fmt.Fprintf(stdout, "The log that was there is now %s.\n", aside)
			}
			if err != nil {
				return err
			}
			_, err = fmt.Fprintf(stdout, "The log in %s is that of %s. Clients will see that it is another.\n", data, args[0])
			return err
		},
	}
}

func exportCommand() command {
	var room, format string
	return command{
		name: "export", about: "Writes a room's messages to the standard output.", serving: true,
		flags: func(f *flag.FlagSet) {
			f.StringVar(&room, "room", "", "the room's `name`")
			f.StringVar(&format, "format", "txt", "txt, to read; or jsonl, one frame of the protocol on each line")
		},
		run: func(ctx context.Context, data string, _ []string, stdout, _ io.Writer) error {
			name, err := shared.RoomName(room)
			if err != nil {
				return fmt.Errorf("--room: %w (%w)", err, errUsage)
			}
			write, ok := exportFormats[format]
			if !ok {
				return fmt.Errorf("--format takes txt or jsonl, not %q: %w", format, errUsage)
			}
			out := bufio.NewWriter(stdout)
			err = sqlitelog.Export(ctx, data, name, write(out))
			return errors.Join(err, out.Flush())
		},
	}
}
