package session

import (
	"context"
	"errors"
	"net"
	"net/netip"
	"os"
	"strings"
	"time"
)

// Discovery looks for servers: by one question, asked on local networks alone, and at
// the servers that are known already. Whatever answers is asked GET /api/server, and
// nothing else: it learns no secret and no name, and what it says becomes no pin.
type Discovery struct {
	Dial     DialFunc
	Pins     *Pins
	Networks []Network
	Known    []string // servers that the person has been on, as ParseServer gives them; asked first

	// Harder asks every address around this device's own, too, by unicast: for networks
	// that pass on neither multicast nor broadcast.
	Harder bool

	// ID looks for the servers of that ServerInfo.ID alone. If Words are given, these
	// have to show the certificate that has them, else to speak without TLS.
	ID, Words string
}

// Nearby is a server that answers.
type Nearby struct {
	Base  string // as ParseServer gives it
	Info  ServerInfo
	Known bool // it is one of Discovery.Known
}

// Trace is what a search did, for a person who misses a server.
type Trace struct {
	Networks []Asked
	Answers  int // packets that came in
	Dropped  int // packets, and servers in them, that were no good
	Silent   int // servers that were announced and did not answer as one
}

// Asked is what a search did on one network.
type Asked struct {
	Name    string
	Prefix  netip.Prefix
	Packets int // that went out
	Err     error
}

// When the question is asked, and when the last answer is waited for.
var questionsAt = []time.Duration{0, 250 * time.Millisecond, time.Second}

const listenWait = 3 * time.Second

// Bounds of one search.
const (
	maxFound   = 64              // servers
	maxOfHost  = 4               // of them, bases that one address tells of
	maxProbes  = 8               // at once
	foundWait  = 5 * time.Second // for a server's answer to GET /api/server
	searchWait = 8 * time.Second // for all of it
	mdnsPort   = 5353
	serverPort = 8000 // where servers answer as well, if they have it for TCP: see Discovery.Harder
)

// mdns is the multicast address of RFC 6762.
var mdns = netip.AddrPortFrom(netip.AddrFrom4([4]byte{224, 0, 0, 251}), mdnsPort)

// Run searches, calls tell for each server on the calling goroutine, and returns after
// 3 s, and at most 5 s more for servers that are slow to answer; at once when ctx ends.
func (s Discovery) Run(ctx context.Context, tell func(Nearby)) Trace {
	ctx, cancel := context.WithTimeout(ctx, searchWait)
	defer cancel()
	r := &searching{Discovery: s, ctx: ctx, tell: tell, events: make(chan func()), slots: make(chan struct{}, maxProbes), asked: map[string]bool{}, told: map[netip.Addr]int{}}
	for _, base := range s.Known {
		r.probe(s.Dial, base, s.Pins, netip.Addr{}, nil)
	}
	for _, n := range s.Networks {
		r.ask(n)
	}
	for r.running > 0 {
		(<-r.events)()
	}
	return r.trace
}

// searching is a search that runs. What its goroutines find out comes back through
// events; only Run's goroutine touches the rest.
type searching struct {
	Discovery
	ctx     context.Context
	tell    func(Nearby)
	events  chan func()
	slots   chan struct{} // one for each probe that runs
	running int
	asked   map[string]bool    // bases
	told    map[netip.Addr]int // how many of them an address told of
	trace   Trace
}

// start does work on another goroutine, and then what it returns on Run's.
func (r *searching) start(work func() (then func())) {
	r.running++
	go func() {
		then := work()
		r.events <- func() {
			r.running--
			then()
		}
	}()
}

// probe asks who is at a base, unless that was done. Otherwise it goes on to the next
// of the bases that may be the same server's. from is the address that told of it; none
// if the server is known.
func (r *searching) probe(dial DialFunc, base string, pins *Pins, from netip.Addr, others []string) {
	known := !from.IsValid()
	if base == "" || r.asked[base] || len(r.asked) >= maxFound || !known && r.told[from] >= maxOfHost {
		return
	}
	r.asked[base] = true
	r.told[from]++
	r.start(func() func() {
		select {
		case r.slots <- struct{}{}:
			defer func() { <-r.slots }()
		case <-r.ctx.Done():
			return func() {}
		}
		ctx, cancel := context.WithTimeout(r.ctx, foundWait)
		defer cancel()
		info, err := dial.Probe(ctx, base, pins)
		return func() {
			switch {
			case r.ctx.Err() != nil:
			case err == nil && (r.ID == "" || r.ID == info.ID):
				r.tell(Nearby{base, info, known})
			case len(others) > 0:
				r.probe(dial, others[0], r.glimpse(others[0]), from, others[1:])
			case !known:
				r.trace.Silent++
			}
		}
	})
}

// glimpse are pins for a server that nobody has chosen: they know its certificate, or
// that which is looked for, and keep none.
func (r *searching) glimpse(base string) *Pins {
	words := r.Words
	if words == "" {
		words = r.Pins.known(base)
	}
	pins := NewPins(nil)
	if words != "" {
		pins.words[base] = words
	}
	return pins
}

// ask asks on a network.
func (r *searching) ask(n Network) {
	r.start(func() func() {
		asked := Asked{Name: n.Name, Prefix: n.Prefix}
		answers, dropped := 0, 0
		conn, err := n.listen(r.ctx)
		if err == nil {
			stop := context.AfterFunc(r.ctx, func() { _ = conn.SetDeadline(time.Unix(1, 0)) })
			asked.Packets, err = r.question(conn, n, func(from netip.Addr, found []announcement, bad int) {
				answers++
				dropped += bad
				r.events <- func() { r.found(n, from, found) }
			})
			stop()
			_ = conn.Close() // nothing waits in it
		}
		asked.Err = err
		return func() {
			r.trace.Networks = append(r.trace.Networks, asked)
			r.trace.Answers += answers
			r.trace.Dropped += dropped
		}
	})
}

// question sends the question when it is time to, and hands over what comes in between.
// It returns how many packets went out, and if none did, why.
func (r *searching) question(conn *net.UDPConn, n Network, heard func(from netip.Addr, found []announcement, bad int)) (sent int, err error) {
	packet, id := query()
	send := func(to netip.AddrPort) {
		if _, e := conn.WriteToUDPAddrPort(packet, to); e != nil {
			err = e
			return
		}
		sent++
	}
	buffer := make([]byte, maxPacket+1)
	begun := time.Now()
	_ = conn.SetWriteDeadline(begun.Add(listenWait)) // a busy device takes its time to ask everyone
	for i, at := range questionsAt {
		until := begun.Add(listenWait)
		if i+1 < len(questionsAt) {
			until = begun.Add(questionsAt[i+1])
		}
		_ = conn.SetReadDeadline(until)
		if r.ctx.Err() != nil { // it may have ended before the deadlines were set
			break
		}
		send(mdns)
		send(netip.AddrPortFrom(n.broadcast(), mdnsPort))
		if r.Harder && at == 0 {
			_ = conn.SetWriteBuffer(1 << 20) // packets wait there until their addressees are known
			for _, a := range n.around() {
				send(netip.AddrPortFrom(a, mdnsPort))
				send(netip.AddrPortFrom(a, serverPort))
			}
		}
		r.hear(conn, n, id, buffer, heard)
	}
	if sent > 0 {
		err = nil
	}
	return sent, err
}

// hear reads until the socket's deadline for it, or ctx ends.
func (r *searching) hear(conn *net.UDPConn, n Network, id uint16, buffer []byte, heard func(netip.Addr, []announcement, int)) {
	for failures := 0; failures < 1000; {
		size, from, err := conn.ReadFromUDPAddrPort(buffer)
		if errors.Is(err, os.ErrDeadlineExceeded) || errors.Is(err, net.ErrClosed) || r.ctx.Err() != nil {
			return
		}
		if err != nil { // on Windows, that nobody listens at an address that was asked
			failures++
			continue
		}
		addr := from.Addr().Unmap()
		if !n.holds(addr) {
			heard(addr, nil, 1)
			continue
		}
		found, bad := readAnnouncements(buffer[:size], id)
		heard(addr, found, bad)
	}
}

// found asks the servers that an answer tells of: at the address that it came from, which
// is right even if the announcement is old, and then at those that it names.
func (r *searching) found(n Network, from netip.Addr, announced []announcement) {
	dial := n.Dial
	if dial == nil {
		dial = r.Dial
	}
	for _, a := range announced {
		if r.ID != "" && (!strings.HasPrefix(a.id, r.ID) || a.tls != (r.Words != "")) {
			continue
		}
		bases := []string{a.base(from)}
		for _, addr := range a.addrs {
			if addr != from && n.holds(addr) {
				bases = append(bases, a.base(addr))
			}
		}
		r.probe(dial, bases[0], r.glimpse(bases[0]), from, bases[1:])
	}
}

func (a announcement) base(addr netip.Addr) string {
	scheme := "http"
	if a.tls {
		scheme = "https"
	}
	base, _, err := ParseServer(scheme + "://" + netip.AddrPortFrom(addr, a.port).String())
	if err != nil {
		return "" // nothing connects with it
	}
	return base
}
