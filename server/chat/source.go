package chat

import (
	"context"
	"net/http"
	"net/netip"
	"sync"
	"sync/atomic"
	"time"
)

// source is where connections come from: an IPv4 address, or the /64 that an IPv6
// host has for itself. Whatever is limited per address is limited per source.
type source struct {
	name  string
	meter *meter       // nil if there is no limit per address
	held  atomic.Int64 // bytes, see memory

	uses int // requests and connections under way; guarded by sources.mu

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

// sources are those that have a connection, or have had one so recently that it
// still counts.
type sources struct {
	meters *meters // nil if there is no limit per address

	mu     sync.Mutex
	byName map[string]*source
	swept  time.Time
}

// of returns the source of an address, which release gives back.
func (s *sources) of(address string) *source {
	name := sourceOf(address)
	s.mu.Lock()
	defer s.mu.Unlock()
	if now := time.Now(); now.Sub(s.swept) >= time.Second {
		s.swept = now
		for name, src := range s.byName {
			if src.uses == 0 && src.meter.rested() {
				delete(s.byName, name)
			}
		}
	}
	src := s.byName[name]
	if src == nil {
		src = &source{name: name}
		if s.meters != nil {
			src.meter = s.meters.newMeter()
		}
		s.byName[name] = src
	}
	src.uses++
	return src
}

func (s *sources) release(src *source) {
	s.mu.Lock()
	defer s.mu.Unlock()
	src.uses--
}

// metered has a request wait until its source has paid for the ones before, and
// charges it.
func (h *Hub) metered(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		src := h.sources.of(h.address(r))
		defer h.sources.release(src)
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
