package main

import (
	"cmp"
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"

	"parley/server/chat"
	"parley/server/files"
	"parley/server/pglog"
	"parley/server/sqlitelog"
	"parley/server/transfer"
)

func copyCommand() command {
	var c copied
	return command{
		name: "copy", noLog: true,
		about: "Copies a log, with all that it keeps, from a folder to a PostgreSQL database, or back. No server may be running on either. " +
			"If it is interrupted, run it again: the log is there whole or not at all, and files that were copied are not copied again.",
		flags: func(f *flag.FlagSet) {
			f.StringVar(&c.from, "from", "", "`folder` of the log, or its database, as postgres://host/name")
			f.StringVar(&c.to, "to", "", "`folder` that the log goes to, or database, as postgres://host/name; it must not have a log yet")
			f.StringVar(&c.fromFiles, "from-files", "", "with a database in --from: the `folder` that its servers had with --files")
			f.StringVar(&c.toFiles, "to-files", "", "with a database in --to: the `folder` that its servers will have with --files, which may be the same")
			f.BoolVar(&c.mayMiss, "without-missing", false, "copy although bytes of files are missing")
		},
		run: func(ctx context.Context, _ string, _ []string, stdout, _ io.Writer) error {
			if err := c.check(); err != nil {
				return err
			}
			if err := c.copy(ctx); err != nil {
				return cmp.Or(ctxError(ctx), err)
			}
			c.say(stdout)
			return nil
		},
	}
}

func ctxError(ctx context.Context) error {
	if ctx.Err() == nil {
		return nil
	}
	return errors.New("the copy was broken off, and its log is not kept: run it again")
}

// copied is what a copy has.
type copied struct {
	from, to           string
	fromFiles, toFiles string // folders that have a folder of files
	mayMiss            bool

	log            transfer.Log
	rooms, entries int64
	files          *files.Copying // nil as long as there is none
}

// check looks at what was asked for, and finds the folders of the files.
func (c *copied) check() error {
	switch {
	case c.from == "" || c.to == "":
		return fmt.Errorf("copy needs --from and --to: %w", errUsage)
	case c.from == c.to:
		return errors.New("--from and --to are the same")
	case !isDatabase(c.from) && c.fromFiles != "":
		return errors.New("--from-files is for a database: the folder of --from has its files with it")
	case !isDatabase(c.to) && c.toFiles != "":
		return errors.New("--to-files is for a database: the folder of --to gets the files, too")
	}
	for _, dir := range []string{c.fromFiles, c.toFiles} {
		if dir == "" {
			continue
		}
		if info, err := os.Stat(dir); err != nil {
			return fmt.Errorf("the folder %s can't be used (%w): make it, or correct its name", dir, err)
		} else if !info.IsDir() {
			return fmt.Errorf("%s is no folder: correct its name", dir)
		}
	}
	if !isDatabase(c.from) {
		c.fromFiles = c.from
	}
	if !isDatabase(c.to) {
		c.toFiles = c.to
	}
	return nil
}

// copy copies the log, and the bytes of its files before that is there.
func (c *copied) copy(ctx context.Context) error {
	if !isDatabase(c.from) && c.toFiles == "" {
		// Before all rows were copied for nothing.
		err := filesOf(ctx, filepath.Join(c.from, sqlitelog.FileName))(func(row chat.FileRow) error { return c.need(row) })
		if errors.Is(err, errNeeds) {
			return err
		}
	}
	fill := func(put transfer.Put) error {
		both := func(row any) error {
			if err := put(row); err != nil {
				return named(err, "--to")
			}
			return c.row(ctx, row)
		}
		var err error
		if isDatabase(c.from) {
			err = pglog.CopyFrom(ctx, c.from, pglog.Options{}, both)
		} else {
			err = sqlitelog.CopyFrom(ctx, c.from, both)
		}
		err = named(err, "--from")
		if err == nil && c.files != nil {
			err = c.files.End(c.mayMiss)
		}
		if err == nil && isDatabase(c.to) && c.toFiles != "" {
			err = markShared(c.toFiles, c.log.ID)
		}
		return err
	}
	if isDatabase(c.to) {
		return named(pglog.CopyTo(ctx, c.to, pglog.Options{}, fill), "--to")
	}
	return named(sqlitelog.CopyTo(ctx, c.to, fill), "--to")
}

// namedError is a log's error with the flag that its place was given by. A log says --data
// and --log, as for servers.
type namedError struct {
	error
	flag string
}

func named(err error, flag string) error {
	if err == nil || errors.As(err, new(namedError)) {
		return err
	}
	return namedError{err, flag}
}

// ofLog finds where an error says by which flag to choose another place. That one starts a
// server with --data, or --log-restored, stays as it is.
var ofLog = regexp.MustCompile(`(choose [a-z ]+ )--data|--log([^-]|$)`)

func (e namedError) Error() string {
	return ofLog.ReplaceAllString(e.error.Error(), "${1}"+e.flag+"${2}")
}

func (e namedError) Unwrap() error { return e.error }

func (c *copied) row(ctx context.Context, row any) error {
	switch v := row.(type) {
	case transfer.Log:
		c.log = v
		return c.checkFolders()
	case transfer.Room:
		c.rooms++
	case transfer.Entry:
		c.entries++
	case chat.FileRow:
		if err := c.need(v); err != nil {
			return err
		}
		if c.files == nil {
			c.files = files.Copy(c.fromFiles, c.toFiles)
		}
		return c.files.Add(ctx, v)
	}
	return nil
}

// checkFolders makes sure that folders of databases are this log's.
func (c *copied) checkFolders() error {
	if isDatabase(c.from) && c.fromFiles != "" {
		if _, err := sharedFiles(c.fromFiles, c.log.ID); err != nil {
			return err
		}
	}
	if !isDatabase(c.to) || c.toFiles == "" {
		return nil
	}
	if _, err := os.Lstat(filepath.Join(c.toFiles, markerName)); errors.Is(err, fs.ErrNotExist) {
		return nil // it will be marked
	}
	_, err := sharedFiles(c.toFiles, c.log.ID)
	return err
}

// errNeeds is that nobody has said where files are, or go to.
var errNeeds = errors.New("the log has files: say")

func (c *copied) need(row chat.FileRow) error {
	switch {
	case row.State != chat.FileWhole:
		return nil
	case c.fromFiles == "":
		return fmt.Errorf("%w with --from-files in which folder its servers had them", errNeeds)
	case c.toFiles == "":
		return fmt.Errorf("%w with --to-files which folder its servers will have for them", errNeeds)
	}
	return nil
}

// say says what was copied, and what is still to be done.
func (c *copied) say(out io.Writer) {
	fmt.Fprintf(out, "Copied: %s in %s. Clients will see that it is another log.\n", count(c.entries, "entry", "entries"), number(c.rooms, "room"))
	with := "--log with the database's address"
	if isDatabase(c.to) && c.toFiles != "" {
		with += ", and --files " + c.toFiles
	}
	if c.files != nil {
		fmt.Fprintf(out, "Its folder has %s with %s: %s\n", number(c.files.N, "file"), number(c.files.Bytes, "byte"), filepath.Join(c.toFiles, files.FolderName))
	}
	if c.files != nil && c.files.Missing > 0 {
		fmt.Fprintf(out, "%s missing, as before.\n", count(c.files.Missing, "file is", "files are"))
	}
	if isDatabase(c.to) {
		fmt.Fprintf(out, "Start the server with its --data as before, and %s. Start none on the old log.\n", with)
	} else {
		fmt.Fprintf(out, "Start the server with --data %s, without --log. Start none on the old log.\n", c.to)
	}
}
