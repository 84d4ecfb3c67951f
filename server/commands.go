package main

import (
	"cmp"
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"slices"
	"strings"
)

// command is a thing to do other than serving: with the log, or with this computer.
type command struct {
	name, args, about string
	server            string // mayRun, mayNotRun or mustRun; "" if none is concerned
	noLog             bool   // it does not touch the log, and has no --data

	// log is set by --log if the command is about the server on this computer, which has a
	// data folder in any case. Otherwise data is the database's address.
	log *string

	flags func(*flag.FlagSet) // of its own, in addition to --data and --log
	run   func(ctx context.Context, data string, args []string, stdout, stderr io.Writer) error
}

// commands are those that the program has, new for each use: their flags keep
// what they are set to.
func commands() []command {
	return []command{checkCommand(), backupCommand(), restoreCommand(), copyCommand(), exportCommand(), roomsCommand(), unlockCommand(), renameCommand(), deleteCommand(), hostCommand(), hostsCommand(),
		installCommand(), uninstallCommand(), doctorCommand()}
}

// What a command says of a server on the log's folder.
const (
	mayRun    = "A server may be running on the folder meanwhile."
	mayNotRun = "No server may be running on the folder."
	mustRun   = "The server has to run."
)

// errUsage is what errors about arguments wrap; the process then ends with 2.
var errUsage = errors.New("see --help")

// runCommand carries out the command that args begin with, if they do.
func runCommand(ctx context.Context, args, environ []string, stdout, stderr io.Writer) (found bool, err error) {
	if len(args) == 0 {
		return false, nil
	}
	all := commands()
	i := slices.IndexFunc(all, func(c command) bool { return c.name == args[0] })
	if i < 0 {
		return false, nil
	}
	c := all[i]
	f := flag.NewFlagSet("parley-server "+c.name, flag.ContinueOnError)
	data, log := new(string), c.log
	if log == nil {
		log = new(string)
	}
	if !c.noLog {
		f.StringVar(data, "data", defaultData, "`folder` of the log")
		f.StringVar(log, "log", "", logAbout)
	}
	if c.flags != nil {
		c.flags(f)
	}
	help := func(w io.Writer) {
		fmt.Fprintf(w, "Usage: parley-server %s [flags]%s\n\n%s\n\n", c.name, c.args, wrapped(strings.TrimSpace(c.about+" "+c.server), ""))
		printFlags(w, f)
	}
	if err := fromEnvironment(f, environ); err != nil {
		return true, err
	}
	// Flags may also come after the other arguments.
	var rest []string
	for args = args[1:]; ; args = f.Args()[1:] {
		if err := parse(f, args, stdout, help); err != nil {
			return true, err
		}
		if f.NArg() == 0 {
			break
		}
		rest = append(rest, f.Arg(0))
	}
	want := 0
	if c.args != "" {
		want = 1
	}
	switch {
	case len(rest) > want:
		return true, fmt.Errorf("%s has no use for %q: %w", c.name, rest[want], errUsage)
	case len(rest) < want:
		return true, fmt.Errorf("%s needs a file: %w", c.name, errUsage)
	}
	if err := checkAddress(*log); err != nil {
		return true, fmt.Errorf("%w: %w", err, errUsage)
	}
	where := *data
	if c.log == nil {
		where = cmp.Or(*log, where)
	}
	return true, c.run(ctx, where, rest, stdout, stderr)
}
