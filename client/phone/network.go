package phone

import (
	"context"
	"net"
	"net/netip"

	"parley/client/session"
)

// Networks are the local networks that servers may be looked for on. On a phone it is
// the Wi-Fi network, with every socket bound to it; none if Android does not tell.
// Elsewhere they are session.Networks.
func Networks() []session.Network { return sockets.networks() }

func (d *dialer) networks() []session.Network {
	if d.prefix == nil {
		return session.Networks()
	}
	w := d.wifi()
	p, err := netip.ParsePrefix(d.prefix())
	if w.handle == 0 || err != nil || !session.Local(p.Addr()) || p.Bits() >= 31 {
		return nil
	}
	return []session.Network{{
		Name: "Wi-Fi", Prefix: p,
		Bind: func(fd uintptr) { d.bind(w.handle, fd) },
		Dial: func(ctx context.Context, network, address string) (net.Conn, error) {
			return d.dialOn(ctx, w.handle, d.resolving.RLocker(), wifiWait, network, address)
		},
	}}
}
