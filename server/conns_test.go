package main

import (
	"fmt"
	"net"
	"net/http"
	"net/netip"
	"testing"

	"parley/server/chat"
)

// fakeConn is a connection from an address.
type fakeConn struct {
	net.Conn
	addr   *net.TCPAddr
	closed bool
}

func (c *fakeConn) RemoteAddr() net.Addr        { return c.addr }
func (c *fakeConn) Write(p []byte) (int, error) { return len(p), nil }
func (c *fakeConn) Close() error                { c.closed = true; return nil }

// All places are held from two networks; others still come in, and those two get
// no more of them. Every address of a /64 counts as one.
func TestShareOfHalfOpen(t *testing.T) {
	refused := 0
	o := &options{chat: chat.Config{MaxConnections: 10, MaxPerAddress: 8}}
	l := newConnLimit(o, func(netip.Addr, bool) bool { return true }, func(string) { refused++ })
	from := func(address string) *fakeConn {
		c := &fakeConn{addr: &net.TCPAddr{IP: net.ParseIP(address)}}
		l.state(c, http.StateNew)
		return c
	}
	var eves []*fakeConn
	for i := range 5 {
		eves = append(eves, from(fmt.Sprintf("2001:db8::%d", i+1)), from("192.0.2.1"))
	}
	if c := from("2001:db8::99"); !c.closed || refused != 1 {
		t.Error("more than a share")
	}
	for i := range 4 {
		if from(fmt.Sprintf("198.51.100.%d", i)).closed {
			t.Errorf("newcomer %d is refused", i)
		}
	}
	closed := 0
	for _, c := range eves {
		if c.closed {
			closed++
		}
		l.state(c, http.StateClosed)
	}
	if closed != 4 {
		t.Errorf("%d had to give up their places", closed)
	}
	if len(l.open) != 4 || len(l.addresses) != 4 {
		t.Errorf("%d are open, from %d addresses", len(l.open), len(l.addresses))
	}
}
