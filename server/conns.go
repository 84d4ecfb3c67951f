package main

import (
	"crypto/tls"
	"io"
	"net"
	"net/http"
	"net/netip"
	"slices"
	"sync"
)

// connLimit bounds the connections that are not WebSockets yet, which the hub
// does not see: half-open upgrades and slow headers. It closes what is too much.
type connLimit struct {
	max        int // in all
	perAddress int // 0 is no limit
	exempt     []netip.Prefix
	refused    func(limit string)

	mu        sync.Mutex
	open      map[net.Conn]netip.Addr
	addresses map[netip.Addr]int
}

func newConnLimit(o *options, refused func(string)) *connLimit {
	return &connLimit{max: o.chat.MaxConnections, perAddress: o.chat.MaxPerAddress, exempt: o.chat.TrustedProxy, refused: refused,
		open: make(map[net.Conn]netip.Addr), addresses: make(map[netip.Addr]int)}
}

const tooManyAnswer = "HTTP/1.1 429 Too Many Requests\r\nContent-Type: application/problem+json\r\nConnection: close\r\n\r\n" +
	`{"type":"about:blank","title":"Too Many Requests","status":429,"detail":"Too many connections from this address.","code":"too_many"}` + "\n"

// state is an http.Server's ConnState.
func (l *connLimit) state(c net.Conn, s http.ConnState) {
	switch s {
	case http.StateNew:
		if limit := l.take(c); limit != "" {
			l.refused(limit)
			if _, ok := c.(*tls.Conn); !ok {
				_, _ = io.WriteString(c, tooManyAnswer) // it fits into the empty buffer
			}
			_ = c.Close()
		}
	case http.StateHijacked, http.StateClosed:
		l.release(c)
	}
}

// take counts a connection, or returns the name of the limit that it is over.
func (l *connLimit) take(c net.Conn) (over string) {
	l.mu.Lock()
	defer l.mu.Unlock()
	var addr netip.Addr
	if tcp, ok := c.RemoteAddr().(*net.TCPAddr); ok {
		addr = tcp.AddrPort().Addr().Unmap().WithZone("")
	}
	switch {
	case len(l.open) >= l.max:
		return "connections"
	case l.perAddress > 0 && l.addresses[addr] >= l.perAddress && !slices.ContainsFunc(l.exempt, func(p netip.Prefix) bool { return p.Contains(addr) }):
		return "half_open"
	}
	l.open[c] = addr
	l.addresses[addr]++
	return ""
}

func (l *connLimit) release(c net.Conn) {
	l.mu.Lock()
	defer l.mu.Unlock()
	addr, ok := l.open[c]
	if !ok {
		return // it was refused
	}
	delete(l.open, c)
	if l.addresses[addr]--; l.addresses[addr] == 0 {
		delete(l.addresses, addr)
	}
}
