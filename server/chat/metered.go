package chat

import (
	"context"
	"io"
	"net/http"
	"net/netip"
	"time"
)

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
	if src.meter.debt() >= meterDebt/2 {
		return false // and costs nothing, or those who are in would wait for ever
	}
	src.meter.charge(cost)
	return true
}

// metered has a request wait until its source has paid for the ones before, and
// charges it.
func (h *Hub) metered(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		src := h.source(h.address(r))
		defer h.sources.release(src.name)
		src.meter.wait(func() bool { return r.Context().Err() != nil })
		src.meter.charge(costRequest)
		ctx := context.WithValue(r.Context(), meterKey{}, src.meter)
		if r.Body != http.NoBody {
			r.Body = &meteredBody{r.Body, src.meter}
		}
		next.ServeHTTP(&meteredWriter{w, src.meter, 0}, r.WithContext(ctx))
	})
}

type meterKey struct{}

// meterOf returns the meter of a request's source, for what it costs besides.
func meterOf(r *http.Request) *meter {
	m, _ := r.Context().Value(meterKey{}).(*meter)
	return m
}

// ChargeSyncs charges the source of a request for the times that it has waited for the
// disk, which members' messages wait for, too.
func ChargeSyncs(r *http.Request, n int) { meterOf(r).charge(time.Duration(n) * costSync) }

// meteredWriter charges what is written. Within a long answer, too, it waits.
type meteredWriter struct {
	http.ResponseWriter
	meter *meter
	piece int // bytes since it has waited
}

// meteredPiece is how much of an answer is written before its source waits.
const meteredPiece = 128 << 10

func (w *meteredWriter) Write(p []byte) (int, error) {
	if w.piece += len(p); w.piece > meteredPiece {
		w.piece = 0
		w.meter.wait(nil)
	}
	w.meter.charge(time.Duration(len(p)) * costWritten)
	return w.ResponseWriter.Write(p)
}

// meteredBody charges what is read of a request's body.
type meteredBody struct {
	io.ReadCloser
	meter *meter
}

func (b *meteredBody) Read(p []byte) (int, error) {
	n, err := b.ReadCloser.Read(p)
	b.meter.charge(time.Duration(n) * costBody)
	return n, err
}

// Unwrap is for an http.ResponseController.
func (w *meteredWriter) Unwrap() http.ResponseWriter { return w.ResponseWriter }
