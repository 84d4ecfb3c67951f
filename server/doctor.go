package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"io/fs"
	"net"
	"net/netip"
	"os"
	"path/filepath"
	"strings"
	"time"

	"parley/server/pglog"
	"parley/server/sqlitelog"
	"parley/shared"
)

// verdict is what the doctor thinks of something. The worst is the process's exit code.
type verdict int

const (
	good verdict = iota
	doubtful
	wrong
)

func (v verdict) String() string { return [...]string{"good", "doubtful", "wrong"}[v] }

// diagnosis is the command's error if not all is good. Its lines have been printed.
type diagnosis struct{ worst verdict }

func (d diagnosis) Error() string { return "the doctor found something " + d.worst.String() }

// doctor looks for what keeps people from a server, and says what to do.
type doctor struct {
	out    io.Writer
	root   string // of the file system
	data   string
	log    string         // the address of the database that has the log in place of data; "" for none
	listen netip.AddrPort // what --addr names
	wait   time.Duration  // for a phone
	at     *addresses
	worst  verdict
}

func doctorCommand() command {
	var addr, log string
	var wait time.Duration
	return command{
		name: "doctor", about: "Looks for what keeps people from the server, and says what to do.", server: mayRun, log: &log,
		flags: func(f *flag.FlagSet) {
			f.StringVar(&addr, "addr", ":"+shared.DefaultPort, "`address` that the server listens on")
			f.DurationVar(&wait, "wait", 30*time.Second, "how long to wait for a phone; 0 does not wait")
		},
		run: func(ctx context.Context, data string, _ []string, stdout, _ io.Writer) error {
			tcp, err := net.ResolveTCPAddr("tcp", addr)
			if err != nil || tcp.Port == 0 {
				return fmt.Errorf("--addr takes an address like :8000 or 192.168.1.5:8000, not %q: %w", addr, errUsage)
			}
			listen := tcp.AddrPort()
			if !listen.Addr().IsValid() {
				listen = netip.AddrPortFrom(netip.IPv6Unspecified(), listen.Port())
			}
			d := &doctor{out: stdout, root: "/", data: data, log: log, wait: wait, at: findAddresses(),
				listen: netip.AddrPortFrom(listen.Addr().Unmap(), listen.Port())}
			d.examine(ctx)
			if d.worst != good {
				return diagnosis{d.worst}
			}
			return nil
		},
	}
}

func (d *doctor) examine(ctx context.Context) {
	if d.log != "" {
		d.database(ctx)
	} else {
		d.folder()
		d.disk()
	}
	d.clock(time.Now())
	d.addresses()
	server := d.server(ctx)
	d.reach(ctx, server)
	d.announced(ctx, server)
	d.sharing(server != nil)
	if d.wait > 0 {
		d.phone(ctx, server)
	}
}

// say reports one finding, and what to do about it; "" for nothing.
func (d *doctor) say(v verdict, finding, todo string) {
	d.worst = max(d.worst, v)
	fmt.Fprintf(d.out, "%-9s %s\n", v, finding)
	for line := range strings.Lines(todo) {
		fmt.Fprintf(d.out, "%-9s → %s\n", "", strings.TrimSuffix(line, "\n"))
	}
}

func (d *doctor) folder() {
	path := filepath.Join(d.data, sqlitelog.FileName)
	f, err := os.Open(path)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		d.say(doubtful, fmt.Sprintf("Data folder: there is no log in %s.", d.data), "Name the server's folder with --data; a service of install has /var/lib/parley. A first start makes one.")
		return
	case err != nil:
		d.say(wrong, fmt.Sprintf("Data folder: %s can't be read (%v).", path, err), "Run this as the server's user, or as root; or give the files to the server's user with chown.")
		return
	}
	defer f.Close()
	var size int64
	if info, err := f.Stat(); err == nil {
		size = info.Size()
	}
	d.say(good, fmt.Sprintf("Data folder: %s has a log of %s.", d.data, megabytes(uint64(size))), "")
}

// database looks at a log that is in a database, whose disk is not this computer's.
func (d *doctor) database(ctx context.Context) {
	err := inDatabase(ctx, d.log, func(*pglog.Log) error { return nil })
	switch {
	case errors.Is(err, pglog.ErrNoLog):
		d.say(doubtful, "Log: there is none in the database of --log.", "Correct the address, or start the server, which begins one.")
	case err != nil:
		finding, todo, _ := strings.Cut(err.Error(), ": ")
		d.say(wrong, fmt.Sprintf("Log: %s.", finding), todo)
	default:
		d.say(good, "Log: the database of --log answers, and has one.", "")
	}
}

func (d *doctor) disk() {
	dir := d.data
	if _, err := os.Stat(dir); err != nil {
		dir = "." // where it would be made, unless it was named
	}
	free, kept, err := sqlitelog.Space(dir)
	switch {
	case err != nil:
		d.say(doubtful, fmt.Sprintf("Disk: the system does not tell how much is free (%v).", err), "Make sure that there is some space.")
	case free < kept:
		d.say(wrong, fmt.Sprintf("Disk: %s is free. A server keeps %s free and refuses messages.", megabytes(free), megabytes(kept)),
			"Free some space, or lower --disk-free.")
	case free < 2*kept:
		d.say(doubtful, fmt.Sprintf("Disk: only %s is free. Below %s a server refuses messages.", megabytes(free), megabytes(kept)), "Free some space.")
	default:
		d.say(good, fmt.Sprintf("Disk: %s is free.", megabytes(free)), "")
	}
}

func megabytes(n uint64) string {
	if n < 10e9 {
		return fmt.Sprintf("%.1f MB", float64(n)/1e6)
	}
	return fmt.Sprintf("%.0f GB", float64(n)/1e9)
}

// firstYear is when this program was written: a clock before it is wrong.
const firstYear = 2026

func (d *doctor) clock(now time.Time) {
	shown := now.Format("2006-01-02 15:04:05 MST")
	switch {
	case now.Year() < firstYear:
		d.say(wrong, fmt.Sprintf("Clock: it says %s.", shown), "Set it, for example with: sudo date --set \"2026-05-01 09:00\"\nMessages have the server's time; their order does not depend on it.")
	case !clockIsKept(d.root):
		d.say(doubtful, fmt.Sprintf("Clock: it says %s. This computer has none that runs while it is off, and nothing sets it.", shown), "Compare it with a watch. Messages have the server's time; their order does not depend on it.")
	default:
		d.say(good, fmt.Sprintf("Clock: it says %s.", shown), "")
	}
}

// addresses looks at the networks that this computer is in.
func (d *doctor) addresses() {
	links, list := networks(d.at.current.Load().interfaces, d.listen.Addr()), d.at.list()
	for _, l := range links {
		var has []string
		for _, p := range l.Prefixes {
			if p.Addr().Is4() || !p.Addr().IsLinkLocalUnicast() {
				has = append(has, p.String())
			}
		}
		d.say(good, fmt.Sprintf("Network: %s has %s.", l.Name, strings.Join(has, ", ")), "")
	}
	for _, a := range list {
		if a.Is4() && !a.IsPrivate() {
			d.say(doubtful, fmt.Sprintf("Network: %s is a public address. The server is not announced there.", a), "Give people the address itself. Everyone who reaches it gets in.")
		}
	}
	switch {
	case d.listen.Addr().IsLoopback():
		d.say(wrong, fmt.Sprintf("Network: a server at %s is for this computer alone.", d.listen), "Start it without --addr, or with --addr :8000.")
	case len(links)+len(list) == 0:
		d.say(wrong, "Network: this computer is in no network.", "Join the Wi-Fi, or plug in the cable, that the others use.")
	case len(list) == 0:
		d.say(doubtful, "Network: nobody has given this computer an address, so it has made one up.", "That works between computers on one cable. In a Wi-Fi, the router gives no addresses: restart it.")
	case len(routeAddresses()) == 0:
		d.say(good, "Network: there is no way to the Internet, and none is needed.", "")
	}
}

// sharing looks at UDP port 5353, which several programs have.
func (d *doctor) sharing(running bool) {
	c, err := net.ListenPacket("udp4", "224.0.0.0:5353") // shared, as an announcer opens it
	if err != nil {
		d.say(doubtful, fmt.Sprintf("Searches: another program keeps UDP port 5353 to itself (%v).", err),
			"Stop it, if you know it: sudo ss --udp --listening --processes 'sport = 5353' names it. Some apps find the server all the same.")
		return
	}
	c.Close()
	own := 0
	if running {
		own = 1
	}
	if n := socketsAt(filepath.Join(d.root, "proc/net/udp"), 5353); n > own {
		d.say(good, "Searches: another program, such as Avahi, has UDP port 5353, too. They share it.", "")
	}
}

// socketsAt counts the UDP sockets at a port, in what Linux tells; elsewhere none.
func socketsAt(table string, port uint16) (n int) {
	text, err := os.ReadFile(table)
	if err != nil {
		return 0
	}
	for line := range strings.Lines(string(text)) {
		if fields := strings.Fields(line); len(fields) > 1 && strings.HasSuffix(fields[1], fmt.Sprintf(":%04X", port)) {
			n++
		}
	}
	return n
}

// phone waits for another device to connect, because no computer sees its own
// firewall by calling itself.
func (d *doctor) phone(ctx context.Context, server *runningServer) {
	if len(d.at.list()) == 0 || d.listen.Addr().IsLoopback() {
		return // which was said
	}
	ctx, cancel := context.WithTimeout(ctx, d.wait)
	defer cancel()
	var came chan netip.Addr // those that this program's own listener has accepted
	if server == nil {
		came = make(chan netip.Addr, 1)
		l, err := net.Listen("tcp", d.listen.String())
		if err != nil {
			return // another program's server was found
		}
		defer l.Close()
		go d.answerPhone(l, came)
	}
	scheme := "http"
	if server != nil && server.TLS {
		scheme = "https"
	}
	url := scheme + "://" + netip.AddrPortFrom(d.at.list()[0], d.listen.Port()).String() + "/"
	ready := func() {
		fmt.Fprintf(d.out, "Now open %s on a phone in the same Wi-Fi. Waiting %v for it.\n", url, d.wait)
	}
	seen, err := watchArrivals(ctx, d.listen.Port(), d.isOwn, ready, came)
	switch {
	case errors.Is(err, errCannotWatch):
		d.say(doubtful, "Phone: this user does not see what comes from the network.", "Open "+url+" on a phone. If no page appears, run this as root on Linux, or:\n"+firewallAdvice(d.root, d.listen.Port()))
	case err != nil:
		d.say(doubtful, fmt.Sprintf("Phone: what comes from the network can't be seen (%v).", err), "Open "+url+" on a phone.")
	case seen.connected.IsValid():
		d.say(good, fmt.Sprintf("Phone: %s has connected.", seen.connected), "")
	case seen.refused.IsValid():
		d.say(wrong, fmt.Sprintf("Phone: %s was refused.", seen.refused), "A firewall on this computer refuses it, or no server listens on that address.\n"+firewallAdvice(d.root, d.listen.Port()))
	case seen.answered.IsValid():
		d.say(wrong, fmt.Sprintf("Phone: %s was answered, and the answer does not arrive.", seen.answered), "A VPN or a wrong route on this computer takes the answer elsewhere: turn the VPN off.")
	case seen.came.IsValid():
		d.say(wrong, fmt.Sprintf("Phone: %s has tried, and this computer's firewall lets nothing in.", seen.came), firewallAdvice(d.root, d.listen.Port()))
	default:
		todo := "If you did open the address: is the phone in the same Wi-Fi, not in its guest network, and are mobile data and VPN off?\n" +
			"If so, the Wi-Fi keeps its devices apart (client isolation, AP isolation): turn that off in the router, or use another Wi-Fi."
		if !seen.watched {
			todo += "\nOr this computer's firewall lets nothing in.\n" + firewallAdvice(d.root, d.listen.Port())
		}
		d.say(doubtful, fmt.Sprintf("Phone: nothing has come within %v.", d.wait), todo)
	}
}

// answerPhone shows a page in the server's place, and tells who has come.
func (d *doctor) answerPhone(l net.Listener, came chan<- netip.Addr) {
	const page = "The doctor has seen this device. Start the server now."
	for {
		c, err := l.Accept()
		if err != nil {
			return
		}
		from := c.RemoteAddr().(*net.TCPAddr).AddrPort().Addr().Unmap()
		_ = c.SetDeadline(time.Now().Add(time.Second))
		_, _ = c.Read(make([]byte, 4096))
		_, _ = fmt.Fprintf(c, "HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\nContent-Length: %d\r\nConnection: close\r\n\r\n%s", len(page), page)
		c.Close()
		if !d.isOwn(from) {
			select {
			case came <- from:
			default:
			}
		}
	}
}

// isOwn reports whether an address is one of this computer's.
func (d *doctor) isOwn(a netip.Addr) bool {
	if a.IsLoopback() {
		return true
	}
	for _, i := range d.at.current.Load().interfaces {
		for _, p := range i.prefixes {
			if p.Addr() == a.WithZone("") {
				return true
			}
		}
	}
	return false
}
