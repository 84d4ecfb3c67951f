package main

import (
	"cmp"
	"errors"
	"flag"
	"fmt"
	"io"
	"io/fs"
	"slices"
	"strings"
	"time"
	"unicode/utf8"

	"parley/server/chat"
	"parley/server/web"
	"parley/shared"
)

type options struct {
	addr      string
	addrGiven bool // by the flag or the variable
	data      string
	log       string // the address of a PostgreSQL database, or ""
	logInArgs bool   // it is among the program's arguments
	restored  bool
	files     string // the folder of files that several servers share, or ""
	sync      string
	logFormat string
	version   bool
	retain    chat.Retention
	roomBytes size
	logBytes  size
	diskFree  size
	maxFile   size
	allFiles  size
	filesFree size
	url       string // "" or as parseURL returns it
	httpAddr  string
	tls       string
	tlsCert   string
	tlsKey    string
	tokenFile string
	maxMemory int // MiB
	chat      chat.Config

	metricsAddr string
	captiveAddr string
	basePath    string // "" or as parseBasePath returns it
	noAnnounce  bool

	apkFolder        string
	apkGiven         bool   // by the flag or the variable
	room             string // "" or as RoomName returns it
	wifi             web.WiFi
	wifiPasswordFile string
}

var errHelp = errors.New("help was asked for")

const defaultData = "./data"

// parseOptions reads the flags. Each is also an environment variable PARLEY_…;
// the flag wins. Help goes to stdout.
func parseOptions(args, environ []string, stdout io.Writer) (*options, error) {
	o := &options{}
	d := chat.Defaults()
	f := flag.NewFlagSet("parley-server", flag.ContinueOnError)
	f.StringVar(&o.addr, "addr", ":8000", "`address` to listen on; with port 0 the system picks a free port")
	f.StringVar(&o.data, "data", defaultData, "`folder` of the log")
	f.StringVar(&o.log, "log", "", logAbout)
	f.BoolVar(&o.restored, "log-restored", false, "the database of --log was restored from a backup: go on with it, in a new epoch")
	f.StringVar(&o.sync, "sync", defaultSync, "`mode` of writing: with full, messages survive a power cut; with normal, they survive a killed server, and writing is faster")
	f.DurationVar(&o.retain.Age, "retain-age", 0, "how long the server keeps messages, for example 720h; 0 keeps them for ever")
	o.diskFlags(f)
	o.fileFlags(f)
	f.StringVar(&o.logFormat, "log-format", "text", "`format` of the log lines that the server prints: text or json")
	f.BoolVar(&o.version, "version", false, "print the version and exit")
	f.StringVar(&o.chat.Name, "name", "", "the server's `name` as clients show it (default: the host's name)")
	f.Float64Var(&o.chat.Rate, "rate", d.Rate, "sustained `messages` per second from one device, and 20 times as many from one address; 0 removes the limit")
	f.IntVar(&o.chat.Burst, "burst", d.Burst, "`messages` that one device may send at once; 0 removes the limit")
	f.IntVar(&o.chat.MaxPerAddress, "max-per-address", d.MaxPerAddress, "maximum `connections` per address; 0 removes this limit, --max-upgrades, and the share of the machine that an address gets")
	o.limitFlags(f, d)
	o.accessFlags(f)
	list(f, "rooms", "`names` of rooms that are always listed, and that nobody may lock", func(s string) error {
		name, err := shared.RoomName(s)
		o.chat.Rooms = append(o.chat.Rooms, name)
		return err
	})
	o.inviteFlags(f)
	f.IntVar(&o.chat.TailBytes, "tail-bytes", d.TailBytes, "`bytes` of memory for the newest frames of each room")
	f.DurationVar(&o.chat.EditFor, "edit-for", d.EditFor, "how long people may correct or delete their own messages; 0 lets nobody")
	f.DurationVar(&o.chat.NameHold, "name-hold", d.NameHold, "how long a name stays with the device that used it last")
	f.DurationVar(&o.chat.NameHoldSpoken, "name-hold-spoken", d.NameHoldSpoken, "the same for a name under which something was said, if it is longer")
	help := func(w io.Writer) {
		fmt.Fprintln(w, "Usage: parley-server [flags]\n       parley-server COMMAND --help\n\nWithout a command it runs the server. Commands maintain the log and the service:")
		for _, c := range commands() {
			about := wrapped(c.about, strings.Repeat(" ", 17))
			fmt.Fprintf(w, "  %-14s %s\n", c.name+c.args, about[17:])
		}
		fmt.Fprintln(w, "\nEach flag is also an environment variable: --tail-bytes is PARLEY_TAIL_BYTES.\nThe flag wins.")
		printFlags(w, f)
	}
	if err := fromEnvironment(f, environ); err != nil {
		return nil, err
	}
	if err := parse(f, args, stdout, help); err != nil {
		return nil, err
	}
	o.logInArgs = o.log != "" && slices.ContainsFunc(args, func(arg string) bool { return strings.Contains(arg, o.log) })
	f.Visit(func(fl *flag.Flag) {
		o.addrGiven = o.addrGiven || fl.Name == "addr"
		o.apkGiven = o.apkGiven || fl.Name == "apk" && o.apkFolder != ""
	})
	switch {
	case f.NArg() > 0:
		return nil, fmt.Errorf("there is no command or argument %q: %w", f.Arg(0), errUsage)
	case o.data == "":
		return nil, errors.New("--data takes a folder, like " + defaultData)
	case checkSync(o.sync) != nil:
		return nil, checkSync(o.sync)
	case o.retain.Age < 0:
		return nil, errors.New("--retain-age takes no negative times; 0 keeps everything")
	case o.logFormat != "text" && o.logFormat != "json":
		return nil, fmt.Errorf("--log-format takes text or json, not %q", o.logFormat)
	case o.chat.Rate < 0 || o.chat.Burst < 0 || o.chat.MaxPerAddress < 0:
		return nil, errors.New("--rate, --burst and --max-per-address take no negative numbers; 0 turns a limit off")
	case !utf8.ValidString(o.chat.Name) || utf8.RuneCountInString(o.chat.Name) > shared.MaxShown:
		return nil, fmt.Errorf("--name takes at most %d characters of UTF-8", shared.MaxShown)
	case o.checkLimits() != nil:
		return nil, o.checkLimits()
	case o.chat.TailBytes < 4096:
		return nil, errors.New("--tail-bytes takes at least 4096")
	case o.chat.EditFor < 0:
		return nil, errors.New("--edit-for takes no negative times; 0 lets nobody correct or delete a message")
	case o.chat.NameHold < time.Second, o.chat.NameHoldSpoken < time.Second:
		return nil, errors.New("--name-hold and --name-hold-spoken take at least 1s")
	}
	if err := cmp.Or(o.checkLog(), o.checkAccess(), o.checkInvite(), o.checkFiles()); err != nil {
		return nil, err
	}
	o.retain.Bytes = o.roomBytes.bytes
	if o.chat.Burst == 0 {
		o.chat.Rate = 0
	}
	if o.chat.MaxPerAddress == 0 {
		o.chat.MaxUpgrades = 0
	}
	return o, o.readToken()
}

// misunderstood returns an error about a setting as one that ends the process with 2: a
// service is then not started again. A file that can't be read may be there later.
func misunderstood(err error) error {
	if file := new(fs.PathError); errors.Is(err, errHelp) || errors.As(err, &file) {
		return err
	}
	return settingError{err}
}

// settingError matches errUsage. It names the setting, so that --help adds nothing.
type settingError struct{ error }

func (settingError) Is(target error) bool { return target == errUsage }
func (e settingError) Unwrap() error      { return e.error }

func fromEnvironment(f *flag.FlagSet, environ []string) (err error) {
	values := make(map[string]string)
	for _, kv := range environ {
		name, value, _ := strings.Cut(kv, "=")
		values[name] = value
	}
	f.VisitAll(func(fl *flag.Flag) {
		name := "PARLEY_" + strings.ToUpper(strings.ReplaceAll(fl.Name, "-", "_"))
		if value, ok := values[name]; ok && err == nil {
			if setErr := f.Set(fl.Name, value); setErr != nil {
				err = fmt.Errorf("the variable %s can't be %q: %s", name, value, takes(fl, setErr.Error()))
			}
		}
	})
	return err
}
