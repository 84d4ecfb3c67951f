package main

import (
	"context"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"io"
	"log/slog"
	"text/tabwriter"
	"time"

	"parley/server/chat"
	"parley/shared"
)

func roomsCommand() command {
	var format string
	return command{
		name: "rooms", about: "Lists all rooms, including hidden and empty ones.", server: mayRun,
		flags: func(f *flag.FlagSet) {
			f.StringVar(&format, "format", "txt", "`format`: txt, to read; or jsonl, one object on each line")
		},
		run: func(ctx context.Context, data string, _ []string, stdout, _ io.Writer) error {
			write, ok := roomFormats[format]
			if !ok {
				return fmt.Errorf("--format takes txt or jsonl, not %q: %w", format, errUsage)
			}
			rooms, err := allRooms(ctx, data)
			if err != nil {
				return err
			}
			return write(stdout, rooms)
		},
	}
}

// roomFormats are the ways to write down a list of rooms.
var roomFormats = map[string]func(io.Writer, []chat.RoomTotals) error{
	"jsonl": func(w io.Writer, rooms []chat.RoomTotals) error {
		for _, r := range rooms {
			err := json.NewEncoder(w).Encode(struct {
				Name     string    `json:"name"`
				Messages int64     `json:"messages"`
				Bytes    int64     `json:"bytes"`
				Last     time.Time `json:"last_use"`
				Locked   bool      `json:"locked"`
				Hidden   bool      `json:"hidden"`
			}{r.Name, r.Messages, r.Bytes, r.Last, r.Locked, r.Hidden})
			if err != nil {
				return err
			}
		}
		return nil
	},
	"txt": func(w io.Writer, rooms []chat.RoomTotals) error {
		t := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
		fmt.Fprintln(t, "MESSAGES\tBYTES\tLAST USE\tLOCK\tROOM")
		for _, r := range rooms {
			lock := ""
			switch {
			case r.Hidden:
				lock = "hidden"
			case r.Locked:
				lock = "locked"
			}
			fmt.Fprintf(t, "%d\t%d\t%s\t%s\t%s\n", r.Messages, r.Bytes, r.Last.Local().Format(timeFormat), lock, plain(r.Name))
		}
		return t.Flush()
	},
}

func unlockCommand() command {
	var room string
	return command{
		name: "unlock", about: "Opens a locked room to everyone, with what was said in it.", server: mayRun,
		flags: func(f *flag.FlagSet) { f.StringVar(&room, "room", "", "the room's `name`") },
		run: func(ctx context.Context, data string, _ []string, stdout, _ io.Writer) error {
			name, err := roomFlag("room", room)
			if err != nil {
				return err
			}
			if err := manage(ctx, data, func(ctx context.Context, m manager) error { return m.Unlock(ctx, name) }); err != nil {
				return fmt.Errorf("%q stays as it is: %w", name.Text, err)
			}
			_, err = fmt.Fprintf(stdout, "The room %q is open to everyone.\n", name.Text)
			return err
		},
	}
}

func renameCommand() command {
	var room, to string
	return command{
		name: "rename", about: "Gives a room another name.", server: mayRun,
		flags: func(f *flag.FlagSet) {
			f.StringVar(&room, "room", "", "the room's `name`")
			f.StringVar(&to, "to", "", "its new `name`")
		},
		run: func(ctx context.Context, data string, _ []string, stdout, _ io.Writer) error {
			from, err := roomFlag("room", room)
			if err != nil {
				return err
			}
			name, err := roomFlag("to", to)
			if err != nil {
				return err
			}
			if err := manage(ctx, data, func(ctx context.Context, m manager) error { return m.Rename(ctx, from, name) }); err != nil {
				return fmt.Errorf("%q stays as it is: %w", from.Text, err)
			}
			_, err = fmt.Fprintf(stdout, "The room %q is now called %q.\n", from.Text, name.Text)
			return err
		},
	}
}

func deleteCommand() command {
	var room string
	var yes bool
	return command{
		name: "delete", about: "Deletes a room and everything that was said in it.", server: mayRun,
		flags: func(f *flag.FlagSet) {
			f.StringVar(&room, "room", "", "the room's `name`")
			f.BoolVar(&yes, "yes", false, "delete it for good")
		},
		run: func(ctx context.Context, data string, _ []string, stdout, _ io.Writer) error {
			name, err := roomFlag("room", room)
			if err != nil {
				return err
			}
			if !yes {
				return fmt.Errorf("this deletes the room %q and everything that was said in it, for good. If you mean it, add --yes: %w", name.Text, errUsage)
			}
			if err := manage(ctx, data, func(ctx context.Context, m manager) error { return m.Delete(ctx, name) }); err != nil {
				return fmt.Errorf("%q stays as it is: %w", name.Text, err)
			}
			_, err = fmt.Fprintf(stdout, "The room %q was deleted.\n", name.Text)
			return err
		},
	}
}

func roomFlag(flag, value string) (shared.Name, error) {
	if value == "" {
		return shared.Name{}, fmt.Errorf("--%s NAME is missing: %w", flag, errUsage)
	}
	name, err := shared.RoomName(value)
	if err != nil {
		return name, fmt.Errorf("--%s: %w (%w)", flag, err, errUsage)
	}
	return name, nil
}

// manage has the server that runs on a data folder change rooms, or does it itself if
// none runs. An interrupt does not stop a change half-way.
func manage(ctx context.Context, data string, change func(context.Context, manager) error) error {
	whole := context.WithoutCancel(ctx)
	server, err := dialControl(data)
	switch {
	case err == nil:
		return change(whole, server)
	case !errors.Is(err, errNoServer):
		return err
	}
	hub, done, err := offline(ctx, data)
	if err != nil {
		return err
	}
	return errors.Join(change(whole, hub), done())
}

// warnOfLocks names the reserved rooms that somebody has locked before.
func warnOfLocks(ctx context.Context, rooms []shared.Name, registry chat.Registry, logger *slog.Logger) {
	for _, room := range rooms {
		if lock, err := registry.Lock(ctx, room.Key); err == nil && lock.Hash != "" {
			logger.Warn("a room of --rooms has a passphrase. To open it: parley-server unlock --room NAME", "room", room.Text)
		}
	}
}
