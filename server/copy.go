package main

import (
	"cmp"
	"context"
	"errors"
	"flag"
	"fmt"
	"io"

	"parley/server/chat"
	"parley/server/pglog"
	"parley/server/sqlitelog"
	"parley/server/transfer"
)

func copyCommand() command {
	var from, to string
	return command{
		name: "copy", noLog: true,
		about: "Copies a log, with all that it keeps, from a folder to a PostgreSQL database, or back. No server may be running on either.",
		flags: func(f *flag.FlagSet) {
			f.StringVar(&from, "from", "", "`folder` of the log, or its database, as postgres://host/name")
			f.StringVar(&to, "to", "", "the same of where it goes to, which has no log yet")
		},
		run: func(ctx context.Context, _ string, _ []string, stdout, _ io.Writer) error {
			if from == "" || to == "" {
				return fmt.Errorf("copy needs --from and --to: %w", errUsage)
			}
			if from == to {
				return errors.New("--from and --to are the same")
			}
			c := copied{}
			if err := copyLog(ctx, from, to, &c); err != nil {
				return cmp.Or(ctxError(ctx), err)
			}
			return c.say(stdout, from, to)
		},
	}
}

func ctxError(ctx context.Context) error {
	if ctx.Err() == nil {
		return nil
	}
	return errors.New("the copy was broken off, and is not kept: run it again")
}

func copyLog(ctx context.Context, from, to string, c *copied) error {
	fill := func(put transfer.Put) error {
		counted := func(row any) error {
			c.count(row)
			return put(row)
		}
		if isDatabase(from) {
			return pglog.CopyFrom(ctx, from, pglog.Options{}, counted)
		}
		return sqlitelog.CopyFrom(ctx, from, counted)
	}
	if isDatabase(to) {
		return pglog.CopyTo(ctx, to, pglog.Options{}, fill)
	}
	return sqlitelog.CopyTo(ctx, to, fill)
}

// copied is what a copy has.
type copied struct {
	id                    string
	rooms, entries, files int64
}

func (c *copied) count(row any) {
	switch v := row.(type) {
	case transfer.Log:
		c.id = v.ID
	case transfer.Room:
		c.rooms++
	case transfer.Entry:
		c.entries++
	case chat.FileRow:
		c.files++
	}
}

// say says what was copied, and what is still to be done.
func (c *copied) say(out io.Writer, from, to string) error {
	fmt.Fprintf(out, "Copied: %d entries in %d rooms. Clients will see that it is another log.\n", c.entries, c.rooms)
	if isDatabase(to) {
		fmt.Fprintln(out, "Start the server with its --data as before, and --log with the database's address. Start none on the old log.")
	} else {
		fmt.Fprintf(out, "Start the server with --data %s, without --log. Start none on the old log.\n", to)
	}
	if c.files == 0 {
		return nil
	}
	fmt.Fprintf(out, "The bytes of its %d files were not copied: ", c.files)
	var err error
	switch {
	case isDatabase(to) && isDatabase(from):
		_, err = fmt.Fprintln(out, "give the same folder with --files.")
	case isDatabase(to):
		_, err = fmt.Fprintf(out, "copy the folder %s/files to the one that you give with --files, and write %s to the file parley-log there.\n", from, c.id)
	case isDatabase(from):
		_, err = fmt.Fprintf(out, "copy the folder files of the one that --files had to %s.\n", to)
	default:
		_, err = fmt.Fprintf(out, "copy the folder %s/files to %s.\n", from, to)
	}
	return err
}
