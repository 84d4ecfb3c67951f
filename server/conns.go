package main

import (
	"crypto/tls"
	"io"
	"net"
	"net/http"
	"net/netip"
	"slices"
	"sync"

	"parley/server/chat"
	"parley/shared"
)

// connLimit bounds the connections that are not WebSockets yet, which the hub
// does not see: half-open upgrades and slow headers. It closes what is too much.
// An IPv6 address counts as its /64.
type connLimit struct {
	max        int // in all
	perAddress int // 0 is no limit
	exempt     []netip.Prefix
	arrives    func(addr netip.Addr, tls bool) bool
	refused    func(limit string)

	mu        sync.Mutex
	open      map[net.Conn]netip.Addr
	addresses map[netip.Addr]int
}

func newConnLimit(o *options, arrives func(netip.Addr, bool) bool, refused func(string)) *connLimit {
	return &connLimit{arrives: arrives, max: o.chat.MaxConnections, perAddress: o.chat.MaxPerAddress, exempt: o.chat.TrustedProxy, refused: refused,
		open: make(map[net.Conn]netip.Addr), addresses: make(map[netip.Addr]int)}
}

const tooManyAnswer = "HTTP/1.1 429 Too Many Requests\r\nContent-Type: application/problem+json\r\nConnection: close\r\n\r\n" +
	`{"type":"about:blank","title":"Too Many Requests","status":429,"detail":"` + shared.ReasonCrowded + `","code":"too_many"}` + "\n"

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

// take counts a connection, or returns the name of the limit that it is over. If
// all places are taken, the address with most of them gives one up, if the new
// connection's has fewer.
func (l *connLimit) take(c net.Conn) (over string) {
	l.mu.Lock()
	defer l.mu.Unlock()
	addr := l.source(c)
	_, tls := c.(*tls.Conn)
	switch {
	case addr.IsValid() && !l.arrives(addr, tls):
		return "meter"
	case l.perAddress > 0 && addr.IsValid() && l.addresses[addr] >= l.perAddress:
		return "half_open"
	case len(l.open) >= l.max && !l.free(addr):
		return "connections"
	}
	l.open[c] = addr
	l.addresses[addr]++
	return ""
}

// source returns what a connection counts for; the zero Addr for a trusted proxy.
func (l *connLimit) source(c net.Conn) netip.Addr {
	tcp, ok := c.RemoteAddr().(*net.TCPAddr)
	if !ok {
		return netip.Addr{}
	}
	addr := tcp.AddrPort().Addr().Unmap().WithZone("")
	if slices.ContainsFunc(l.exempt, func(p netip.Prefix) bool { return p.Contains(addr) }) {
		return netip.Addr{}
	}
	return chat.Source(addr)
}

// free closes a connection of the address with most, and reports whether it did.
// The caller holds mu.
func (l *connLimit) free(addr netip.Addr) bool {
	var most netip.Addr
	for a, n := range l.addresses {
		if a.IsValid() && (!most.IsValid() || n > l.addresses[most]) {
			most = a
		}
	}
	if !most.IsValid() || l.addresses[most] <= l.addresses[addr]+1 {
		return false
	}
	for c, a := range l.open {
		if a == most {
			l.forget(c)
			_ = c.Close()
			break
		}
	}
	return true
}

func (l *connLimit) release(c net.Conn) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.forget(c)
}

// forget takes a connection off the count, if it is counted. The caller holds mu.
func (l *connLimit) forget(c net.Conn) {
	addr, ok := l.open[c]
	if !ok {
		return
	}
	delete(l.open, c)
	if l.addresses[addr]--; l.addresses[addr] == 0 {
		delete(l.addresses, addr)
	}
}
