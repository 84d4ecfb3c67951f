package chat

import (
	"context"
	"net/http"
	"net/netip"
	"sync/atomic"
	"time"

	"golang.org/x/time/rate"
)

// source is where connections come from: an IPv4 address, or the /64 that an IPv6
// host has for itself. Whatever is limited per address is limited per source.
type source struct {
	name  string
	meter *meter       // nil if there is no limit per address
	held  atomic.Int64 // bytes, see memory

	messages pace

	connections int // WebSockets; guarded by Hub.mu
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
func (s *source) rested() bool { return s.meter.rested() && s.messages.rested() && s.held.Load() == 0 }

// newSource is what Hub.sources makes.
func (h *Hub) newSource(name string) *source {
	s := &source{name: name, messages: pace{rate.NewLimiter(rate.Inf, 0)}}
	if h.meters != nil {
		s.meter = h.meters.newMeter()
		s.messages = h.newPace(sourcePace)
	}
	return s
}

// source returns where an address is, which Hub.sources.release gives back by name.
func (h *Hub) source(address string) *source { return h.sources.of(sourceOf(address)) }

// sourcePace is how many members' messages may come from one source.
const sourcePace = 20

// pace is how fast messages may come, from a device or a source, over however many
// connections.
type pace struct{ *rate.Limiter }

// newPace returns the pace of n members.
func (h *Hub) newPace(n int) pace {
	if h.cfg.Rate <= 0 {
		return pace{rate.NewLimiter(rate.Inf, 0)}
	}
	return pace{rate.NewLimiter(rate.Limit(float64(n)*h.cfg.Rate), n*h.cfg.Burst)}
}

func (p pace) rested() bool { return p.Limit() == rate.Inf || p.Tokens() >= float64(p.Burst()) }

// Arrives charges a new connection to the source of an address, and reports whether
// it is welcome: from a source deep in debt it is not.
func (h *Hub) Arrives(addr netip.Addr, tls bool) bool {
	src := h.source(addr.String())
	defer h.sources.release(src.name)
	if src.meter == nil {
		return true
	}
	cost := costAccept
	if tls {
		cost = costTLS
	}
	src.meter.charge(cost)
	return src.meter.debt() < meterDebt/2
}

// metered has a request wait until its source has paid for the ones before, and
// charges it.
func (h *Hub) metered(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		src := h.source(h.address(r))
		defer h.sources.release(src.name)
		src.meter.wait()
		src.meter.charge(costRequest)
		ctx := context.WithValue(r.Context(), meterKey{}, src.meter)
		next.ServeHTTP(&meteredWriter{w, src.meter}, r.WithContext(ctx))
	})
}

type meterKey struct{}

// meterOf returns the meter of a request's source, for what it costs besides.
func meterOf(r *http.Request) *meter {
	m, _ := r.Context().Value(meterKey{}).(*meter)
	return m
}

// meteredWriter charges what is written.
type meteredWriter struct {
	http.ResponseWriter
	meter *meter
}

func (w *meteredWriter) Write(p []byte) (int, error) {
	w.meter.charge(time.Duration(len(p)) * costWritten)
	return w.ResponseWriter.Write(p)
}

// Unwrap is for an http.ResponseController.
func (w *meteredWriter) Unwrap() http.ResponseWriter { return w.ResponseWriter }
