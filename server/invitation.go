package main

import (
	"errors"
	"flag"
	"fmt"
	"io"
	"net"
	"net/netip"
	"os"
	"strconv"
	"strings"

	"github.com/mdp/qrterminal/v3"

	"parley/server/web"
	"parley/shared"
)

// inviteFlags say what people are invited to.
func (o *options) inviteFlags(f *flag.FlagSet) {
	f.StringVar(&o.room, "room", "", "`name` of the room that the printed links and /join lead into")
	f.StringVar(&o.apkFolder, "apk", "dist", "`folder` with the app's packages for Android, which /app offers")
	f.StringVar(&o.wifi.SSID, "wifi", "", "`name` of the Wi-Fi that /join shows a QR code for")
	f.StringVar(&o.wifiPasswordFile, "wifi-password-file", "", "`file` with that Wi-Fi's password; without it the Wi-Fi is open")
}

// checkInvite checks what inviteFlags have set, and reads the password.
func (o *options) checkInvite() error {
	if o.room != "" {
		name, err := shared.RoomName(o.room)
		if err != nil {
			return fmt.Errorf("--room: %w", err)
		}
		o.room = name.Text
	}
	if o.wifiPasswordFile != "" {
		if o.wifi.SSID == "" {
			return errors.New("--wifi-password-file needs the Wi-Fi's name: --wifi NAME")
		}
		data, err := os.ReadFile(o.wifiPasswordFile)
		if err != nil {
			return fmt.Errorf("the --wifi-password-file can't be read: %w", err)
		}
		if o.wifi.Password = strings.TrimRight(string(data), "\r\n"); o.wifi.Password == "" {
			return fmt.Errorf("the --wifi-password-file %s is empty: leave it out if the Wi-Fi is open", o.wifiPasswordFile)
		}
	}
	if err := o.wifi.Check(); o.wifi.SSID != "" && err != nil {
		return fmt.Errorf("--wifi: %w", err)
	}
	return nil
}

// invitation is what the host shows to whoever is to come.
type invitation struct {
	addresses *addresses
	listening netip.AddrPort
	plain     netip.AddrPort // where the server is without TLS too; the zero value for nowhere
	metrics   netip.AddrPort // the zero value for nowhere
	tls       bool
	host      func() string // a name of this host on the local network; "" for none
	words     func() string // the fingerprint of a certificate that nobody else vouches for; "" for another
	path      string        // the base path; "" for none
	room      string        // that the links lead to; "" for none
	server    string        // its name
	url       string        // what links to files begin with; "" is the first address
	taken     string        // the address that another program has; "" if none does
	wifi      *web.WiFi     // to be joined first; nil for none
}

// links returns the links by which other devices get in, the likeliest to work
// first; none if no other device can.
func (i *invitation) links() []shared.Link {
	links, elsewhere := i.at(i.listening, i.link())
	return links[:elsewhere]
}

// everywhere returns all links, those for other devices first.
func (i *invitation) everywhere() []shared.Link {
	links, _ := i.at(i.listening, i.link())
	return links
}

func (i *invitation) link() shared.Link {
	return shared.Link{TLS: i.tls, Path: i.path, Room: i.room, Words: i.words()}
}

// at returns a link with each address of a listener. The first ones are for other
// devices, and elsewhere is their number; the last may be for this one only.
func (i *invitation) at(listening netip.AddrPort, link shared.Link) (links []shared.Link, elsewhere int) {
	var hosts []string
	ip := listening.Addr().Unmap()
	if ip.IsUnspecified() {
		for _, a := range i.addresses.list() {
			hosts = append(hosts, a.String())
		}
		elsewhere = len(hosts)
		hosts = append(hosts, "localhost")
	} else {
		hosts = []string{ip.String()}
		if !ip.IsLoopback() {
			elsewhere = 1
		}
	}
	for _, host := range hosts {
		link.Host = net.JoinHostPort(host, strconv.Itoa(int(listening.Port())))
		links = append(links, link)
	}
	return links, elsewhere
}

// local reports whether the server's own address is for this computer only.
func (i *invitation) local() bool { return i.listening.Addr().Unmap().IsLoopback() }

// page is what /join shows; people are who is here now. If no other device reaches the
// server itself, they come by --url.
func (i *invitation) page(people int) web.Invitation {
	links := i.links()
	if len(links) == 0 && i.url != "" {
		if link, err := shared.ParseLink(i.url); err == nil {
			link.Room = i.room
			links = append(links, link)
		}
	}
	return web.Invitation{Server: i.server, Room: i.room, Links: links, Local: i.local(), WiFi: i.wifi, People: people}
}

// mostAddresses is how many addresses the terminal shows. A host with many
// bridges has many that nobody wants.
const mostAddresses = 4

// greet tells the person at the terminal where the page is, and shows the first
// address as a QR code for the phones.
func (i *invitation) greet(w io.Writer) {
	if i.taken != "" {
		fmt.Fprintf(w, "The port %s is in use by another program, so this is %d. For browsers that is another server: they have no names and no unsent messages here.\n",
			strings.TrimPrefix(i.taken, ":"), i.listening.Port())
	}
	switch {
	case len(i.links()) > 0:
		i.show(w, "Parley is open. On any device in this network, go to:")
	case i.local():
		i.show(w, "Parley is open for this computer, and for a proxy on it: no other device can reach the address of --addr. Here, go to:")
	default:
		i.show(w, inNoNetwork)
	}
	fmt.Fprintln(w, "Ctrl-C stops it. What was said stays.")
}

// moved tells that this host's addresses have changed. A server with an address of its own
// is where it was.
func (i *invitation) moved(w io.Writer) {
	if !i.listening.Addr().Unmap().IsUnspecified() {
		return
	}
	if len(i.links()) == 0 {
		i.show(w, "\n"+inNoNetwork)
		return
	}
	i.show(w, "\nThis computer has other addresses now. Go to:")
}

// inNoNetwork is said before the address that only this computer reaches.
const inNoNetwork = "This computer is in no network now, so no other device can reach it. Here, go to:"

func (i *invitation) show(w io.Writer, title string) {
	links, elsewhere := i.at(i.listening, i.link())
	fmt.Fprintln(w, title)
	for n, link := range links {
		if n < mostAddresses || n == len(links)-1 {
			fmt.Fprintln(w, "  "+link.String())
		}
	}
	if host := i.host(); host != "" && elsewhere > 0 {
		link := i.link()
		link.Host = net.JoinHostPort(host, strconv.Itoa(int(i.listening.Port())))
		fmt.Fprintln(w, "Computers and some phones find it by name, too:\n  "+link.String())
	}
	if words := i.words(); words != "" {
		fmt.Fprintln(w, "Browsers warn of its own certificate. The app shows these words; they must be the same:\n  "+words)
	}
	if i.plain.IsValid() {
		plain, _ := i.at(i.plain, shared.Link{Path: i.path, Room: i.room})
		fmt.Fprintln(w, "Without encryption it is also at:\n  "+plain[0].String())
	}
	if i.metrics.IsValid() {
		metrics, _ := i.at(i.metrics, shared.Link{})
		fmt.Fprintln(w, "Metrics are at:\n  "+metrics[0].String()+"metrics")
	}
	if elsewhere > 0 {
		fmt.Fprintln(w)
		qrterminal.GenerateHalfBlock(links[0].String(), qrterminal.L, w)
		fmt.Fprintln(w, "For a projector, or to be printed:\n  "+links[len(links)-1].Base()+"/join")
	}
}
