package session_test

import (
	"errors"
	"io"
	"net"
	"sync"
	"testing"
	"time"
)

// direction is which way bytes go through a proxy.
type direction int

const (
	up   direction = iota // from the client
	down                  // from the server
)

func (d direction) String() string { return [...]string{"up", "down"}[d] }

// fault is what a proxy does to one connection.
type fault struct {
	kind      faultKind
	direction direction
	at        int // number of bytes in this direction
}

type faultKind string

const (
	none      faultKind = "none"
	cut       faultKind = "cut"        // both sides are reset
	halfClose faultKind = "half-close" // one direction ends, the other goes on
	stall     faultKind = "stall"      // one direction falls silent
	delay     faultKind = "delay"      // one direction pauses once
	trickle   faultKind = "trickle"    // both directions go byte by byte
)

// proxy stands between clients and a server. Its first connection has the
// fault, the later ones have none.
type proxy struct {
	t        testing.TB
	listener net.Listener
	target   string
	wg       sync.WaitGroup
	stalled  chan struct{} // closed when a stall has begun
	over     chan struct{} // closed when the first connection is over

	mu     sync.Mutex
	fault  fault
	conns  map[net.Conn]bool
	passed [2]int // bytes of the first connection
	count  int    // connections
	closed bool
}

func startProxy(t testing.TB, target string, f fault) *proxy {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	p := &proxy{
		t: t, listener: listener, target: target, fault: f,
		stalled: make(chan struct{}), over: make(chan struct{}),
		conns: map[net.Conn]bool{},
	}
	p.wg.Go(p.accept)
	return p
}

func (p *proxy) accept() {
	for {
		client, err := p.listener.Accept()
		if err != nil {
			return
		}
		p.mu.Lock()
		p.count++
		first := p.count == 1
		f := fault{kind: none}
		if first {
			f = p.fault
		}
		p.mu.Unlock()
		p.wg.Go(func() {
			p.carry(client, f, first)
			if first {
				close(p.over)
			}
		})
	}
}

// carry takes one connection through.
func (p *proxy) carry(client net.Conn, f fault, first bool) {
	defer client.Close()
	server, err := net.Dial("tcp", p.target)
	if err != nil {
		return
	}
	defer server.Close()
	if !p.keep(client, server) {
		return
	}
	defer p.drop(client, server)
	reset := func() {
		for _, c := range []net.Conn{client, server} {
			_ = c.(*net.TCPConn).SetLinger(0)
			_ = c.Close()
		}
	}
	var both sync.WaitGroup
	both.Go(func() { p.pipe(server, client, up, f, first, reset) })
	both.Go(func() { p.pipe(client, server, down, f, first, reset) })
	both.Wait()
}

// pipe carries one direction.
func (p *proxy) pipe(to, from net.Conn, d direction, f fault, first bool, reset func()) {
	defer func() { _ = to.(*net.TCPConn).CloseWrite() }()
	here := f.direction == d
	buffer := make([]byte, 32<<10)
	passed := 0
	for {
		limit := len(buffer)
		if f.kind == trickle {
			limit = 1
		}
		if here && passed < f.at {
			limit = min(limit, f.at-passed)
		}
		if here && passed == f.at {
			switch f.kind {
			case cut:
				reset()
				return
			case halfClose:
				_ = to.(*net.TCPConn).CloseWrite()
				_, _ = io.Copy(io.Discard, from)
				return
			case stall:
				close(p.stalled)
				_, _ = io.Copy(io.Discard, from)
				reset()
				return
			case delay:
				time.Sleep(2 * time.Millisecond)
			}
			here = false
		}
		n, err := from.Read(buffer[:limit])
		if n > 0 {
			passed += n
			if first {
				p.mu.Lock()
				p.passed[d] = passed
				p.mu.Unlock()
			}
			if _, err := to.Write(buffer[:n]); err != nil {
				reset() // as the system would to who goes on writing
				return
			}
		}
		if err != nil {
			if !errors.Is(err, io.EOF) {
				reset()
			}
			return
		}
	}
}

func (p *proxy) keep(conns ...net.Conn) bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	for _, c := range conns {
		p.conns[c] = true
	}
	return !p.closed
}

func (p *proxy) drop(conns ...net.Conn) {
	p.mu.Lock()
	defer p.mu.Unlock()
	for _, c := range conns {
		delete(p.conns, c)
	}
}

// stop ends everything.
func (p *proxy) stop() {
	p.mu.Lock()
	p.closed = true
	_ = p.listener.Close()
	for c := range p.conns {
		_ = c.Close()
	}
	p.mu.Unlock()
	p.wg.Wait()
}
