//go:build linux

package phone

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"slices"
	"sync"
	"syscall"
	"testing"

	"parley/shared/servertest"
)

// Networks of the tests. Wi-Fi is another source address on the loopback interface;
// a Wi-Fi network that leads nowhere refuses to connect.
const (
	home    = 7
	garden  = 9 // home, after Wi-Fi was lost and has come back
	nowhere = 8
)

var sources = map[uint64][4]byte{home: {127, 0, 0, 7}, garden: {127, 0, 0, 9}}

// handset is a phone's networks, of this machine's real sockets.
type handset struct {
	dialer
	now wifiNetwork

	mu      sync.Mutex
	lookups []uint64 // by which networks
}

func newHandset(now wifiNetwork) *handset {
	h := &handset{now: now}
	h.wifi = func() wifiNetwork { return h.now }
	h.resolveOn = func(network uint64) {
		h.mu.Lock()
		defer h.mu.Unlock()
		h.lookups = append(h.lookups, network)
	}
	h.bind = func(network uint64, fd uintptr) {
		if network == nowhere {
			unix, err := syscall.Socket(syscall.AF_UNIX, syscall.SOCK_STREAM|syscall.SOCK_NONBLOCK|syscall.SOCK_CLOEXEC, 0)
			if err == nil {
				_ = syscall.Dup3(unix, int(fd), syscall.O_CLOEXEC) // which no IP address can be connected to
				_ = syscall.Close(unix)
			}
			return
		}
		_ = syscall.Bind(int(fd), &syscall.SockaddrInet4{Addr: sources[network]})
	}
	return h
}

// listen listens; came waits for a connection and returns its source.
func listen(t *testing.T) (address string, came func() netip.Addr) {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { l.Close() })
	return l.Addr().String(), func() netip.Addr {
		c, err := l.Accept()
		if err != nil {
			t.Error(err)
			return netip.Addr{}
		}
		defer c.Close()
		return c.RemoteAddr().(*net.TCPAddr).AddrPort().Addr()
	}
}

func TestDial(t *testing.T) {
	address, came := listen(t)
	for name, tc := range map[string]struct {
		now     wifiNetwork
		source  string
		lookups []uint64
	}{
		"beside mobile data": {wifiNetwork{handle: home}, "127.0.0.7", []uint64{home}},
		"the only network":   {wifiNetwork{handle: home, chosen: true}, "127.0.0.7", []uint64{home}},
		"no Wi-Fi":           {wifiNetwork{}, "127.0.0.1", []uint64{0}},
		"leads elsewhere":    {wifiNetwork{handle: nowhere}, "127.0.0.1", []uint64{nowhere, 0}},
	} {
		h := newHandset(tc.now)
		c, err := h.dial(t.Context(), "tcp", address)
		if err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		c.Close()
		if got := came(); got != netip.MustParseAddr(tc.source) {
			t.Errorf("%s: the connection came from %v, not from %s", name, got, tc.source)
		}
		if !slices.Equal(h.lookups, tc.lookups) {
			t.Errorf("%s: names were looked up on %v, not on %v", name, h.lookups, tc.lookups)
		}
	}
}

// Wi-Fi that was lost comes back as another network.
func TestDialFollowsTheNetwork(t *testing.T) {
	address, came := listen(t)
	h := newHandset(wifiNetwork{handle: home})
	for _, step := range []struct {
		handle uint64
		source string
	}{{home, "127.0.0.7"}, {0, "127.0.0.1"}, {garden, "127.0.0.9"}} {
		h.now.handle = step.handle
		c, err := h.dial(t.Context(), "tcp", address)
		if err != nil {
			t.Fatal(err)
		}
		c.Close()
		if got := came(); got != netip.MustParseAddr(step.source) {
			t.Errorf("on network %d the connection came from %v", step.handle, got)
		}
	}
}

// A server that refuses exists, so no other network is tried. If two networks fail,
// the error is that of the first.
func TestDialFails(t *testing.T) {
	closed := fmt.Sprint("127.0.0.1:", servertest.FreePort(t))
	h := newHandset(wifiNetwork{handle: home})
	if _, err := h.dial(t.Context(), "tcp", closed); !errors.Is(err, syscall.ECONNREFUSED) {
		t.Errorf("refused: %v", err)
	}
	if !slices.Equal(h.lookups, []uint64{home}) {
		t.Errorf("after a refusal: asked on %v", h.lookups)
	}
	h = newHandset(wifiNetwork{handle: nowhere})
	if _, err := h.dial(t.Context(), "tcp", closed); err == nil || errors.Is(err, syscall.ECONNREFUSED) {
		t.Errorf("both networks fail: %v", err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	h = newHandset(wifiNetwork{handle: nowhere})
	if _, err := h.dial(ctx, "tcp", closed); err == nil || len(h.lookups) != 1 {
		t.Errorf("cancelled: %v, asked on %v", err, h.lookups)
	}
}

// Dials at the same time by both ways wait for each other no longer than a
// look-up, and leave none held.
func TestDialsTogether(t *testing.T) {
	address, came := listen(t)
	h := newHandset(wifiNetwork{handle: nowhere})
	const dials = 40
	var work sync.WaitGroup
	work.Go(func() {
		for range dials {
			came()
		}
	})
	for range dials {
		work.Go(func() {
			c, err := h.dial(t.Context(), "tcp", address)
			if err != nil {
				t.Error(err)
				return
			}
			c.Close()
		})
	}
	work.Wait()
	if !h.resolving.TryLock() {
		t.Error("look-ups are still held")
	}
	if len(h.lookups) != 2*dials {
		t.Errorf("%d look-ups of %d", len(h.lookups), 2*dials)
	}
}
