package session

import (
	"context"
	"net"
	"net/netip"
	"slices"
	"strings"
	"syscall"
)

// Network is a local network that servers may be looked for on.
type Network struct {
	Name   string       // of the interface, for a person
	Prefix netip.Prefix // this device's address there, and how many bits all devices there share

	// Bind puts a socket on the network, where the system would not by itself; nil if
	// it does.
	Bind func(fd uintptr)

	// Dial opens connections on this network alone; nil opens them as the rooms do.
	Dial DialFunc
}

// Local reports whether an address is one of a local network: private (RFC 1918) or
// link-local IPv4. Servers are looked for at such addresses only.
func Local(a netip.Addr) bool { return a.Is4() && (a.IsPrivate() || a.IsLinkLocalUnicast()) }

// holds reports whether the address can be that of another device of the network, or
// of this one.
func (n Network) holds(a netip.Addr) bool {
	return Local(a) && n.Prefix.Contains(a) && a != n.first() && a != n.broadcast()
}

func (n Network) first() netip.Addr { return n.Prefix.Masked().Addr() }

// broadcast is the address that all devices of the network hear.
func (n Network) broadcast() netip.Addr {
	a := n.first().As4()
	for bit := n.Prefix.Bits(); bit < 32; bit++ {
		a[bit/8] |= 0x80 >> (bit % 8)
	}
	return netip.AddrFrom4(a)
}

// around are the network's addresses of which the first three bytes are those of this
// device: at most 254, without its own.
func (n Network) around() (addrs []netip.Addr) {
	a := n.Prefix.Addr().As4()
	for last := range 256 {
		a[3] = byte(last)
		if addr := netip.AddrFrom4(a); last > 0 && last < 255 && n.holds(addr) && addr != n.Prefix.Addr() {
			addrs = append(addrs, addr)
		}
	}
	return addrs
}

// listen opens the socket that asks on the network.
func (n Network) listen(ctx context.Context) (*net.UDPConn, error) {
	config := net.ListenConfig{Control: func(_, _ string, c syscall.RawConn) error {
		return c.Control(func(fd uintptr) {
			if n.Bind != nil {
				n.Bind(fd)
			}
			_ = sendMulticastBy(fd, n.Prefix.Addr().As4()) // else the system chooses, or refuses
		})
	}}
	c, err := config.ListenPacket(ctx, "udp4", "0.0.0.0:0")
	if err != nil {
		return nil, err
	}
	return c.(*net.UDPConn), nil
}

// tunnels are how the names of interfaces begin that lead to no local network: VPNs,
// and mobile data.
var tunnels = []string{"tun", "tap", "wg", "ppp", "utun", "ipsec", "gif", "stf", "tailscale", "zt", "nebula", "vpn", "wwan", "rmnet", "ccmni"}

// Networks are the local networks that a desktop is in: those of interfaces that are
// up, are no line between two points and have a local IPv4 address. If the system does
// not tell, there are none.
func Networks() (networks []Network) {
	interfaces, err := net.Interfaces()
	if err != nil {
		return nil
	}
	for _, i := range interfaces {
		name := strings.ToLower(i.Name)
		if i.Flags&net.FlagUp == 0 || i.Flags&(net.FlagLoopback|net.FlagPointToPoint) != 0 ||
			slices.ContainsFunc(tunnels, func(t string) bool { return strings.HasPrefix(name, t) }) {
			continue
		}
		addrs, err := i.Addrs()
		if err != nil {
			continue // it has just gone
		}
		for _, a := range addrs {
			if p, err := netip.ParsePrefix(a.String()); err == nil && Local(p.Addr()) && p.Bits() < 31 {
				networks = append(networks, Network{Name: i.Name, Prefix: p})
			}
		}
	}
	return networks
}
