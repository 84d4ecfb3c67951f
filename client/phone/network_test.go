//go:build linux

package phone

import (
	"net/netip"
	"syscall"
	"testing"
)

// Servers are looked for on the Wi-Fi network of a phone alone, if it is a local one.
func TestNetworks(t *testing.T) {
	address, came := listen(t)
	h := newHandset(wifiNetwork{handle: home})
	for prefix, want := range map[string]bool{
		"192.168.77.20/24": true, "10.0.0.7/8": true, "": false, "203.0.113.7/24": false, "fe80::1/64": false, "192.168.77.20/32": false,
	} {
		h.prefix = func() string { return prefix }
		if got := h.networks(); (len(got) == 1) != want || want && got[0].Prefix != netip.MustParsePrefix(prefix) {
			t.Errorf("%q: %+v", prefix, got)
		}
	}
	h.prefix = func() string { return "192.168.77.20/24" }
	n := h.networks()[0]
	c, err := n.Dial(t.Context(), "tcp", address)
	if err != nil {
		t.Fatal(err)
	}
	c.Close()
	if got := came().String(); got != "127.0.0.7" {
		t.Errorf("a server of the search was asked from %s", got)
	}
	fd, err := syscall.Socket(syscall.AF_INET, syscall.SOCK_DGRAM, 0)
	if err != nil {
		t.Fatal(err)
	}
	defer syscall.Close(fd)
	n.Bind(uintptr(fd))
	at, err := syscall.Getsockname(fd)
	if err != nil || at.(*syscall.SockaddrInet4).Addr != sources[home] {
		t.Errorf("the search's socket is bound to %v, %v", at, err)
	}

	// Its servers are asked nowhere else, also if the network leads nowhere.
	h.now = wifiNetwork{handle: nowhere}
	if c, err := h.networks()[0].Dial(t.Context(), "tcp", address); err == nil {
		c.Close()
		t.Error("a server of the search was asked on another network")
	}
	h.now = wifiNetwork{}
	if got := h.networks(); len(got) > 0 {
		t.Errorf("without Wi-Fi: %+v", got)
	}
}
