package main

import (
	"cmp"
	"context"
	"net"
	"net/netip"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync/atomic"
	"time"
)

// addressEvery is the time between two looks at the host's addresses.
const addressEvery = 5 * time.Second

// addresses are those by which other devices reach this host, the likeliest
// first.
type addresses struct {
	current atomic.Pointer[found]
}

// found is what the system told at one time.
type found struct {
	interfaces []networkInterface
	reachable  []netip.Addr
}

// findAddresses asks the system for this host's addresses.
func findAddresses() *addresses {
	a := &addresses{}
	a.look()
	return a
}

func (a *addresses) list() []netip.Addr { return a.current.Load().reachable }

// look asks the system again and reports whether the answer is another one.
func (a *addresses) look() (changed bool) {
	now := &found{interfaces: interfaces()}
	now.reachable = reachable(now.interfaces, routeAddresses())
	before := a.current.Swap(now)
	return before == nil || !slices.Equal(before.reachable, now.reachable)
}

// watch asks the system again and again until ctx ends. It calls looked each time, and
// changed first if other addresses are reachable.
func (a *addresses) watch(ctx context.Context, changed, looked func()) {
	ticker := time.NewTicker(addressEvery)
	defer ticker.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-ticker.C:
		}
		if a.look() {
			changed()
		}
		looked()
	}
}

// networkInterface is what reachable needs to know of one.
type networkInterface struct {
	name     string
	index    int
	flags    net.Flags
	bridge   bool
	prefixes []netip.Prefix // its addresses, with the length of their network
}

// interfaces returns those of this host that are up; none if the system does not
// tell.
func interfaces() (found []networkInterface) {
	all, err := net.Interfaces()
	if err != nil {
		return nil
	}
	for _, i := range all {
		if i.Flags&net.FlagUp == 0 {
			continue
		}
		n := networkInterface{name: i.Name, index: i.Index, flags: i.Flags}
		if info, err := os.Stat(filepath.Join("/sys/class/net", i.Name, "bridge")); err == nil {
			n.bridge = info.IsDir() // on Linux
		}
		addrs, err := i.Addrs()
		if err != nil {
			continue // it has just gone
		}
		for _, a := range addrs {
			if p, err := netip.ParsePrefix(a.String()); err == nil {
				n.prefixes = append(n.prefixes, p)
			}
		}
		found = append(found, n)
	}
	return found
}

// routeAddresses returns the addresses that this host uses towards the Internet,
// one of each family, if it has a default route. Nothing is sent.
func routeAddresses() (found []netip.Addr) {
	for _, far := range []string{"192.0.2.1:9", "[2001:db8::1]:9"} { // for documentation (RFC 5737, 3849)
		c, err := net.Dial("udp", far)
		if err != nil {
			continue // there is no route
		}
		found = append(found, c.LocalAddr().(*net.UDPAddr).AddrPort().Addr().Unmap())
		c.Close()
	}
	return found
}

// How likely a phone reaches an interface, the likeliest first.
const (
	rankRoute   = iota // it has the default route
	rankNetwork        // wired or Wi-Fi, as its name says
	rankOther
	rankInside // bridges, containers and virtual machines
	rankTunnel // VPNs and other lines between two points
)

// reachable returns the addresses that may be reached from elsewhere, the
// likeliest first. routes are those with a default route. A travel router or an
// access point of one's own has none, and works too.
func reachable(interfaces []networkInterface, routes []netip.Addr) []netip.Addr {
	type candidate struct {
		addr        netip.Addr
		rank, after int // after is 0 for the route's own address, 1 for others of its interface
	}
	var candidates []candidate
	for _, i := range interfaces {
		rank := i.rank()
		routed := slices.ContainsFunc(i.prefixes, func(p netip.Prefix) bool { return slices.Contains(routes, p.Addr()) })
		if routed && rank < rankTunnel { // a phone is not in this host's VPN
			rank = rankRoute
		}
		for _, p := range i.prefixes {
			a := p.Addr()
			if !a.IsGlobalUnicast() { // which private ones are, and loopback and link-local are not
				continue
			}
			c := candidate{addr: a, rank: rank}
			if !slices.Contains(routes, a) {
				c.after = 1
			}
			candidates = append(candidates, c)
		}
	}
	slices.SortStableFunc(candidates, func(a, b candidate) int {
		// IPv4 before IPv6, because people type it.
		return cmp.Or(cmp.Compare(a.rank, b.rank), cmp.Compare(a.addr.BitLen(), b.addr.BitLen()), cmp.Compare(a.after, b.after))
	})
	list := make([]netip.Addr, 0, len(candidates))
	for _, c := range candidates {
		if !slices.Contains(list, c.addr) {
			list = append(list, c.addr)
		}
	}
	return list
}

// The beginnings of interfaces' names, in lower case.
var (
	tunnelNames  = []string{"tun", "tap", "wg", "ppp", "utun", "ipsec", "gif", "stf", "tailscale", "zt", "nebula", "vpn", "wwan"}
	insideNames  = []string{"br", "docker", "veth", "virbr", "vnet", "vmnet", "vboxnet", "virtualbox", "vmware", "vethernet", "lxc", "lxd", "incus", "cni", "flannel", "cali", "podman", "dummy"}
	networkNames = []string{"en", "eth", "wl", "wi-fi", "lan"}
)

func (i networkInterface) rank() int {
	begins := func(prefixes []string) bool {
		name := strings.ToLower(i.name)
		return slices.ContainsFunc(prefixes, func(p string) bool { return strings.HasPrefix(name, p) })
	}
	switch {
	case i.flags&net.FlagPointToPoint != 0 || begins(tunnelNames):
		return rankTunnel
	case i.bridge || begins(insideNames):
		return rankInside
	case begins(networkNames):
		return rankNetwork
	}
	return rankOther
}
