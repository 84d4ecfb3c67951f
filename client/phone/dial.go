package phone

import (
	"context"
	"errors"
	"net"
	"sync"
	"syscall"
	"time"
)

// A dial takes at most dialWait. Of this, wifiWait is for a Wi-Fi network that is
// not the system's choice: long enough for a server that is there.
const (
	dialWait = 10 * time.Second
	wifiWait = 3 * time.Second
)

// wifiNetwork is a network as Android knows it.
type wifiNetwork struct {
	handle uint64 // a net_handle_t, another one after each reconnection; 0 leaves the choice to the system
	chosen bool   // the system chooses it as well
}

// dialer opens connections on the Wi-Fi network, and on the network of the
// system's choice if there is none or if it does not lead to the server.
type dialer struct {
	wifi      func() wifiNetwork              // the present network; the zero value if there is none
	resolveOn func(handle uint64)             // puts the look-ups of the process on a network
	bind      func(handle uint64, fd uintptr) // puts a socket on a network
	prefix    func() string                   // the Wi-Fi network's address and bits; "" if they are not known, nil if this is no phone

	// Look-ups hold resolving: those on the present network to read, others to
	// write. The process has one network for all of them.
	resolving sync.RWMutex
}

// dial asks for the network each time: the handle changes when Wi-Fi was lost
// and has come back.
func (d *dialer) dial(ctx context.Context, network, address string) (net.Conn, error) {
	w := d.wifi()
	now := d.resolving.RLocker()
	if w.handle == 0 || w.chosen {
		return d.dialOn(ctx, w.handle, now, dialWait, network, address)
	}
	conn, err := d.dialOn(ctx, w.handle, now, wifiWait, network, address)
	if err == nil || ctx.Err() != nil || errors.Is(err, syscall.ECONNREFUSED) {
		return conn, err
	}
	// The server may be on the Internet, or behind a VPN.
	if conn, err := d.dialOn(ctx, 0, &d.resolving, dialWait-wifiWait, network, address); err == nil {
		return conn, nil
	}
	return nil, err
}

// dialOn opens a connection on a network, and holds resolving until the name has
// been looked up. A socket that the system keeps off the network stays on the one
// that it has.
func (d *dialer) dialOn(ctx context.Context, handle uint64, resolving sync.Locker, wait time.Duration, network, address string) (net.Conn, error) {
	resolving.Lock()
	resolved := sync.OnceFunc(resolving.Unlock)
	defer resolved()
	d.resolveOn(handle)
	dialer := net.Dialer{
		Timeout: wait,
		Control: func(_, _ string, c syscall.RawConn) error {
			resolved() // or there would be no socket yet
			if handle == 0 {
				return nil
			}
			return c.Control(func(fd uintptr) { d.bind(handle, fd) })
		},
	}
	return dialer.DialContext(ctx, network, address)
}
