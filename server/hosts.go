package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"io/fs"
	"path/filepath"
	"slices"
	"text/tabwriter"

	"github.com/mdp/qrterminal/v3"

	"parley/server/chat"
	"parley/shared"
)

func hostCommand() command {
	var room string
	return command{
		name: "host", about: "Prints a link that makes whoever opens it a host of a room.", server: mustRun,
		log:   new(string), // the link is in the data folder of a server, which tells its addresses
		flags: func(f *flag.FlagSet) { f.StringVar(&room, "room", "", "the room's `name`") },
		run: func(ctx context.Context, data string, _ []string, stdout, _ io.Writer) error {
			name, err := roomFlag("room", room)
			if err != nil {
				return err
			}
			links, err := hostLinks(ctx, data, name)
			if err != nil {
				return err
			}
			fmt.Fprintf(stdout, "Whoever opens this link is a host of the room %q. Show it to nobody else:\n", name.Text)
			for _, link := range links[:min(len(links), mostAddresses)] {
				fmt.Fprintln(stdout, "  "+link.String())
			}
			fmt.Fprintln(stdout)
			qrterminal.GenerateHalfBlock(links[0].String(), qrterminal.L, stdout)
			_, err = fmt.Fprintf(stdout, "If others have seen it: delete %s and start the server again. Hosts stay hosts.\n", filepath.Join(data, hostKeyName))
			return err
		},
	}
}

// hostLinks returns the links by which the server that runs on a data folder is
// reached, with a room and the operator's key.
func hostLinks(ctx context.Context, data string, room shared.Name) ([]shared.Link, error) {
	server, err := dialControl(data)
	if errors.Is(err, errNoServer) {
		return nil, fmt.Errorf("no server runs on %s: start it first, since the link leads to it, or name its folder with --data", data)
	}
	if err != nil {
		return nil, err
	}
	links, err := server.links(ctx)
	if err != nil {
		return nil, err
	}
	key, err := readHostKey(data)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, fmt.Errorf("the file %s was deleted: start the server again, which makes another", filepath.Join(data, hostKeyName))
	}
	if err != nil {
		return nil, err
	}
	for i := range links {
		links[i].Room, links[i].HostKey = room.Text, key
	}
	return links, nil
}

func hostsCommand() command {
	var room string
	var remove int64
	return command{
		name: "hosts", about: "Lists the hosts of a room, or takes the role away from one.", server: mayRun,
		flags: func(f *flag.FlagSet) {
			f.StringVar(&room, "room", "", "the room's `name`")
			f.Int64Var(&remove, "remove", 0, "`number` of the host to take the role away from")
		},
		run: func(ctx context.Context, data string, _ []string, stdout, _ io.Writer) error {
			name, err := roomFlag("room", room)
			if err != nil {
				return err
			}
			if remove < 0 {
				return fmt.Errorf("--remove takes a number from the list of hosts, not %d: %w", remove, errUsage)
			}
			if remove > 0 {
				if err := manage(ctx, data, func(ctx context.Context, m manager) error { return m.Unhost(ctx, name, remove) }); err != nil {
					return fmt.Errorf("the hosts of %q stay as they are: %w", name.Text, err)
				}
			}
			rules, err := rulesOf(ctx, data, name)
			if err != nil {
				return fmt.Errorf("the hosts of %q can't be listed: %w", name.Text, err)
			}
			return writeHosts(stdout, name, rules)
		},
	}
}

// writeHosts lists hosts, the one that was made first at the top.
func writeHosts(w io.Writer, room shared.Name, rules chat.Rules) error {
	if len(rules.Hosts) == 0 {
		_, err := fmt.Fprintf(w, "The room %q has no host. To make one: parley-server host --room NAME\n", room.Text)
		return err
	}
	var hosts []chat.Host
	for _, h := range rules.Hosts {
		hosts = append(hosts, h)
	}
	slices.SortFunc(hosts, func(a, b chat.Host) int { return int(a.Offset - b.Offset) })
	t := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
	fmt.Fprintln(t, "NUMBER\tSINCE\tNAME")
	for _, h := range hosts {
		fmt.Fprintf(t, "%d\t%s\t%s\n", h.Offset, h.Since.Local().Format(timeFormat), plain(h.Name))
	}
	return t.Flush()
}
