//go:build linux

package chaos

import (
	"math/rand/v2"
	"net"
	"sync"
	"sync/atomic"
	"testing"
	"time"
)

// proxy stands between the members and the server, whose address changes with
// each start. Its faults can be made on connections that are under way.
type proxy struct {
	listener net.Listener
	target   atomic.Pointer[string] // host and port
	slow     atomic.Bool            // what goes through waits, for up to 200 ms
	trickle  atomic.Bool            // what goes through goes byte by byte
	work     sync.WaitGroup

	mu    sync.Mutex
	links map[*link]bool
	over  bool
}

// link is one connection through the proxy.
type link struct {
	client, server *net.TCPConn
	deaf           [2]atomic.Bool // up and down: what comes is thrown away
}

func startProxy(t testing.TB) *proxy {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	p := &proxy{listener: listener, links: make(map[*link]bool)}
	p.work.Go(func() {
		for {
			client, err := listener.Accept()
			if err != nil {
				return
			}
			p.work.Go(func() { p.carry(client.(*net.TCPConn)) })
		}
	})
	t.Cleanup(p.stop)
	return p
}

func (p *proxy) carry(client *net.TCPConn) {
	defer client.Close()
	server, err := net.Dial("tcp", *p.target.Load())
	if err != nil {
		return
	}
	l := &link{client: client, server: server.(*net.TCPConn)}
	defer server.Close()
	p.mu.Lock()
	over := p.over
	p.links[l] = true
	p.mu.Unlock()
	if !over {
		var both sync.WaitGroup
		both.Go(func() { p.pipe(l, 0, l.server, l.client) })
		both.Go(func() { p.pipe(l, 1, l.client, l.server) })
		both.Wait()
	}
	p.mu.Lock()
	delete(p.links, l)
	p.mu.Unlock()
}

// pipe carries one direction. An end that the other side can still not see, as
// on a line that was unplugged, is not passed on.
func (p *proxy) pipe(l *link, direction int, to, from *net.TCPConn) {
	buffer := make([]byte, 32<<10)
	for {
		n, err := from.Read(buffer)
		if l.deaf[direction].Load() {
			if err != nil {
				return
			}
			continue
		}
		if p.slow.Load() {
			time.Sleep(rand.N(200 * time.Millisecond))
		}
		for data := buffer[:n]; len(data) > 0; {
			part := data
			if p.trickle.Load() {
				part = data[:1]
			}
			if _, err := to.Write(part); err != nil {
				l.cut()
				return
			}
			data = data[len(part):]
		}
		if err != nil {
			l.cut()
			return
		}
	}
}

// cut resets both sides.
func (l *link) cut() {
	for _, c := range []*net.TCPConn{l.client, l.server} {
		_ = c.SetLinger(0) // it may be closed already
		_ = c.Close()
	}
}

// some calls f for about half of the links, but for at least one if there is any.
func (p *proxy) some(random *rand.Rand, f func(*link)) (n int) {
	p.mu.Lock()
	defer p.mu.Unlock()
	for l := range p.links {
		if n == 0 || random.IntN(2) == 0 {
			f(l)
			n++
		}
	}
	return n
}

func (p *proxy) stop() {
	_ = p.listener.Close()
	p.mu.Lock()
	p.over = true
	for l := range p.links {
		l.cut()
	}
	p.mu.Unlock()
	p.work.Wait()
}
