package chat

import (
	"net/netip"
	"sync/atomic"
	"time"
)

// source is where connections come from: an IPv4 address, or the /64 that an IPv6
// host has for itself. Whatever is limited per address is limited per source.
type source struct {
	name  string
	meter *meter       // nil if there is no limit per address
	held  atomic.Int64 // bytes, see memory

	uploads *uploads // nil if there is no limit per address

	// Guarded by Hub.mu.
	connections int        // WebSockets
	knocking    []*session // of these, those that have no place: see Hub.knock
}

// Source returns what stands for an address where addresses are counted: the
// address itself, or the first of its /64.
func Source(a netip.Addr) netip.Addr {
	a = a.Unmap().WithZone("")
	if a.Is6() {
		a = netip.PrefixFrom(a, 64).Masked().Addr()
	}
	return a
}

// sourceOf returns the name of an address's source.
func sourceOf(address string) string {
	if a, err := netip.ParseAddr(address); err == nil {
		return Source(a).String()
	}
	return address
}

// rested reports whether a new source would be the same.
func (s *source) rested() bool {
	return s.meter.rested() && s.held.Load() == 0 && s.uploads.rested(time.Now())
}

// newSource is what core.sources makes.
func (c *core) newSource(name string) *source {
	s := &source{name: name}
	if c.meters != nil {
		s.meter = c.meters.newMeter()
		s.uploads = new(uploads)
	}
	return s
}

// source returns where an address is, which core.sources.release gives back by name.
func (c *core) source(address string) *source { return c.sources.of(sourceOf(address)) }

// saysShare is what the one is told that gives up its place.
const saysShare = "Others need the place: too many connections come from your address."

const saysFull = "The server is full."

// richest returns the source with most places, if it still has more than src when
// each has given or taken one; else nil.
func richest(places map[*source]int, src *source) *source {
	var most *source
	for s, n := range places {
		if most == nil || n > places[most] {
			most = s
		}
	}
	if most == nil || places[most] <= places[src]+1 {
		return nil
	}
	return most
}
