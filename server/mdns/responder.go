package mdns

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"math/rand/v2"
	"net"
	"net/netip"
	"slices"
	"strings"
	"sync"
	"time"

	"golang.org/x/net/dns/dnsmessage"
	"golang.org/x/net/ipv4"
)

var group = netip.AddrPortFrom(netip.AddrFrom4([4]byte{224, 0, 0, 251}), Port)

const (
	largestPacket = 9000 // bytes (RFC 6762, section 17)

	probes     = 3
	probeEvery = 250 * time.Millisecond
	mostRounds = 10 // in which names are looked for that nobody has

	// claimEvery is the least time between two conflicts that are acted upon, so that
	// a hostile host does not keep the names from being settled. It doubles while they
	// go on, up to claimSeldom.
	claimEvery  = 10 * time.Second
	claimSeldom = 10 * time.Minute
)

// Responder announces a service on links and answers questions about it. Its methods
// may be called from several goroutines.
type Responder struct {
	service   Service
	links     []Link
	logger    *slog.Logger
	group     *ipv4.PacketConn // of port 5353; nil if that is not to be had
	spare     net.PacketConn   // of the service's own port; nil if that is not to be had
	notShared error

	stop    context.CancelFunc
	running sync.WaitGroup
	lost    chan names // names that another host has, told by the reading goroutines

	sending sync.Mutex // the socket of the group sends on one link at a time

	mu      sync.Mutex
	names   names
	settled bool                    // the names are this host's
	held    names                   // those that were settled on last
	told    []map[records]time.Time // by link: when a record was last told to everyone
}

// Open begins to announce a service on links. It answers at port 5353, which it
// shares with other programs, and at the service's own port: another program on this
// host may get what is sent to this host alone at 5353. It needs one of the two; the
// other's error is logged once. Close ends it.
func Open(service Service, links []Link, logger *slog.Logger) (*Responder, error) {
	r := &Responder{service: service, links: links, logger: logger,
		lost: make(chan names, 1), told: make([]map[records]time.Time, len(links))}
	for i := range r.told {
		r.told[i] = make(map[records]time.Time)
	}
	// An address of a group: then the port is shared.
	shared, groupErr := net.ListenPacket("udp4", fmt.Sprintf("224.0.0.0:%d", Port))
	var spareErr error
	r.spare, spareErr = net.ListenPacket("udp4", fmt.Sprintf(":%d", service.Port))
	if groupErr != nil && spareErr != nil {
		return nil, errors.Join(groupErr, spareErr)
	}
	ctx, stop := context.WithCancel(context.Background())
	r.stop = stop
	if spareErr == nil {
		r.running.Go(func() { r.read(r.spare, false) })
	} else {
		logger.Debug("searches at this UDP port are not answered", "port", service.Port, "error", spareErr)
	}
	if groupErr != nil {
		r.notShared = groupErr
		r.settle(names{instance: service.Instance, host: service.Host}, true) // nobody asks for names at the spare port
		return r, nil                                                         //nolint:nilerr // it says so when asked
	}
	r.group = ipv4.NewPacketConn(shared)
	_ = r.group.SetMulticastTTL(255) // some resolvers believe no other
	_ = r.group.SetTTL(255)
	_ = r.group.SetMulticastLoopback(true) // for programs on this host
	for _, l := range links {
		i, err := net.InterfaceByIndex(l.Index)
		if err == nil {
			err = r.group.JoinGroup(i, net.UDPAddrFromAddrPort(group))
		}
		if err != nil {
			logger.Debug("no multicast", "interface", l.Name, "error", err) // broadcasts still get here
		}
	}
	r.running.Go(func() { r.read(shared, true) })
	r.running.Go(func() { r.announce(ctx) })
	return r, nil
}

// Close takes back what was announced, and waits until everything has ended.
func (r *Responder) Close() {
	r.stop()
	if r.group != nil {
		r.mu.Lock()
		settled := r.settled
		r.mu.Unlock()
		if settled {
			r.tellAll(0)
		}
		_ = r.group.Close()
	}
	if r.spare != nil {
		_ = r.spare.Close()
	}
	r.running.Wait()
}

// NotShared returns why port 5353 can't be used; nil if it can.
func (r *Responder) NotShared() error { return r.notShared }

// Hosts returns the names of this host, with .local; none before they are known to be
// nobody else's.
func (r *Responder) Hosts() (hosts []string) {
	r.mu.Lock()
	defer r.mu.Unlock()
	for _, name := range []string{r.held.host, r.held.alias} {
		if name != "" {
			hosts = append(hosts, name+".local")
		}
	}
	return hosts
}

func (r *Responder) wanted() names {
	return names{instance: r.service.Instance, host: r.service.Host, alias: r.service.Alias}
}

// zone is what is answered on a link.
func (r *Responder) zone(l Link, n names) *zone {
	z := &zone{service: r.service, names: n}
	z.v4, z.v6 = l.addresses()
	return z
}

// read answers what comes to a socket until that is closed.
func (r *Responder) read(c net.PacketConn, shared bool) {
	buf := make([]byte, largestPacket)
	askers := newAskers()
	for failures := 0; ; {
		n, from, err := c.ReadFrom(buf)
		if errors.Is(err, net.ErrClosed) {
			return
		}
		if err != nil { // on Windows also that somebody's port was closed
			if failures++; failures == 1000 {
				r.logger.Warn("searches are not answered any more", "error", err)
				return
			}
			continue
		}
		failures = 0
		source := from.(*net.UDPAddr).AddrPort()
		source = netip.AddrPortFrom(source.Addr().Unmap(), source.Port())
		i := slices.IndexFunc(r.links, func(l Link) bool { return l.has(source.Addr()) })
		if i >= 0 {
			r.take(c, buf[:n], source, i, shared, askers)
		}
	}
}

// take looks at a packet from a link.
func (r *Responder) take(c net.PacketConn, packet []byte, from netip.AddrPort, link int, shared bool, askers *askers) {
	var p dnsmessage.Parser
	header, err := p.Start(packet)
	if err != nil || header.OpCode != 0 || header.RCode != 0 {
		return
	}
	r.mu.Lock()
	n, settled := r.names, r.settled
	r.mu.Unlock()
	z := r.zone(r.links[link], n)
	if header.Response {
		if shared && from.Port() == Port {
			r.lose(z.conflicts(&p, r.own()))
		}
		return
	}
	q := z.read(packet, header, &p)
	switch {
	case q.wanted == 0:
	case !settled:
		if q.probe && shared {
			r.yield(z, q, from.Addr())
		}
	case from.Port() != Port || !shared || q.direct:
		if answer, err := z.answer(q, from.Port() != Port); err == nil && askers.allow(from.Addr(), time.Now()) {
			_, _ = c.WriteTo(answer, net.UDPAddrFromAddrPort(from)) // a phone asks again
		}
	default:
		r.tell(link, q)
	}
}

// yield gives up names for which another host asks at the same moment, if that has
// the higher address.
func (r *Responder) yield(z *zone, q query, from netip.Addr) {
	own := r.own()
	if slices.Contains(own, from) || len(z.v4) > 0 && from.Less(z.v4[0]) {
		return
	}
	var taken names
	if q.wanted&(recSRV|recTXT) != 0 {
		taken.instance = z.names.instance
	}
	if q.wanted&recHost != 0 {
		taken.host = z.names.host
	}
	if q.wanted&recAlias != 0 {
		taken.alias = z.names.alias
	}
	r.lose(taken)
}

// lose tells that another host has names.
func (r *Responder) lose(taken names) {
	if taken == (names{}) {
		return
	}
	select {
	case r.lost <- taken:
	default: // it is told already that there are some
	}
}

// own are all addresses of this host.
func (r *Responder) own() (all []netip.Addr) {
	for _, l := range r.links {
		for _, p := range l.Prefixes {
			all = append(all, p.Addr())
		}
	}
	return all
}

// tell answers a question for everyone on its link, unless they have been told within
// the last second (RFC 6762, section 6).
func (r *Responder) tell(link int, q query) {
	least := time.Second
	if q.probe {
		least = probeEvery
	}
	now := time.Now()
	r.mu.Lock()
	n, fresh := r.names, false
	for bit := records(1); bit != 0; bit <<= 1 {
		if q.wanted&bit != 0 && now.Sub(r.told[link][bit]) >= least {
			r.told[link][bit], fresh = now, true
		}
	}
	r.mu.Unlock()
	if !fresh {
		return
	}
	if packet, err := r.zone(r.links[link], n).tell(q.wanted, ttl); err == nil {
		r.send(r.links[link], packet)
	}
}

// tellAll tells everyone on every link everything, to be kept for so many seconds.
func (r *Responder) tellAll(seconds uint32) {
	r.mu.Lock()
	n := r.names
	r.mu.Unlock()
	for _, l := range r.links {
		packet, err := r.zone(l, n).tell(recAll, seconds)
		if err != nil {
			r.logger.Warn("this server can't be announced", "error", err)
			return
		}
		r.send(l, packet)
	}
}

func (r *Responder) send(l Link, packet []byte) {
	i, err := net.InterfaceByIndex(l.Index)
	if err == nil {
		r.sending.Lock()
		defer r.sending.Unlock()
		if err = r.group.SetMulticastInterface(i); err == nil {
			_, err = r.group.WriteTo(packet, nil, net.UDPAddrFromAddrPort(group))
		}
	}
	if err != nil && !errors.Is(err, net.ErrClosed) {
		r.logger.Debug("not announced", "interface", l.Name, "error", err)
	}
}

// announce finds names that nobody else has, tells them to everyone, and begins anew
// if another host turns out to have one, until ctx ends.
func (r *Responder) announce(ctx context.Context) {
	for pause := claimEvery; ; {
		if !wait(ctx, rand.N(probeEvery)) || !r.claim(ctx) {
			return
		}
		r.tellAll(ttl)
		if !wait(ctx, time.Second) {
			return
		}
		r.tellAll(ttl)
		if !wait(ctx, pause-time.Second) {
			return
		}
		select {
		case <-r.lost:
			pause = min(2*pause, claimSeldom)
		default:
			pause = claimEvery
			select {
			case <-ctx.Done():
				return
			case <-r.lost:
			}
		}
		r.logger.Info("another computer on the network has a name of this one")
	}
}

// claim settles on names that nobody else has, or that have been tried long enough.
// It reports whether ctx has not ended.
func (r *Responder) claim(ctx context.Context) bool {
	wanted := r.wanted()
	n, instances, hosts := wanted, 1, 1
	for range mostRounds {
		r.settle(n, false)
		select {
		case <-r.lost: // it is of names of before
		default:
		}
		taken, ok := r.ask(ctx, n)
		if !ok {
			return false
		}
		if taken == (names{}) {
			break
		}
		if taken.instance != "" {
			instances++
			suffix := fmt.Sprintf(" (%d)", instances)
			n.instance = cut(wanted.instance, longestLabel-len(suffix)) + suffix
		}
		if taken.host != "" {
			hosts++
			n.host = fmt.Sprintf("%s-%d", wanted.host, hosts)
		}
		if taken.alias != "" {
			n.alias = ""
		}
	}
	r.settle(n, true)
	var on []string
	for _, l := range r.links {
		on = append(on, l.Name)
	}
	r.logger.Info("announced on the network", "name", n.instance, "host", strings.Join(r.Hosts(), " "), "interfaces", strings.Join(on, " "))
	return true
}

func (r *Responder) settle(n names, settled bool) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.names, r.settled = n, settled; settled {
		r.held = n
	}
}

// ask asks whether anyone has names, and returns those that somebody has. ok is false
// if ctx has ended.
func (r *Responder) ask(ctx context.Context, n names) (taken names, ok bool) {
	for range probes {
		for _, l := range r.links {
			if packet, err := r.zone(l, n).probe(); err == nil {
				r.send(l, packet)
			}
		}
		timer := time.NewTimer(probeEvery)
		select {
		case <-ctx.Done():
			timer.Stop()
			return taken, false
		case taken = <-r.lost:
			timer.Stop()
			return taken, true
		case <-timer.C:
		}
	}
	return taken, true
}

// wait waits, and reports whether ctx has not ended meanwhile.
func wait(ctx context.Context, d time.Duration) bool {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-ctx.Done():
		return false
	case <-timer.C:
		return true
	}
}
