package chat

import (
	"crypto/sha256"
	"crypto/subtle"
	"net/http"
	"net/http/pprof"
	"strings"

	"github.com/go-chi/chi/v5"
)

// MinToken is how many characters a token has at least.
const MinToken = 16

// bearer reports whether a request carries the API's token. Digests are
// compared, so that the time taken tells nothing of the token or its length.
func (h *Hub) bearer(r *http.Request) bool {
	scheme, token, _ := strings.Cut(r.Header.Get("Authorization"), " ")
	got, want := sha256.Sum256([]byte(strings.TrimSpace(token))), sha256.Sum256([]byte(h.cfg.Token))
	same := subtle.ConstantTimeCompare(got[:], want[:]) == 1
	return same && h.cfg.Token != "" && strings.EqualFold(scheme, "Bearer")
}

// Metrics serves metrics and profiles to whoever can reach it: it is for a
// listener of its own.
func (h *Hub) Metrics() http.Handler {
	r := chi.NewRouter()
	r.Use(h.guard)
	h.operatorRoutes(r)
	return r
}

// operatorRoutes adds what is for the eyes of whoever runs the server.
func (h *Hub) operatorRoutes(r chi.Router) {
	r.Get("/metrics", h.metrics.handler().ServeHTTP)
	if h.cfg.Profiles {
		r.HandleFunc("/debug/pprof/*", profiles)
	}
}

// withToken serves whoever has the token. Where a request comes from does not
// count: a proxy on this host can bring anybody's.
func (h *Hub) withToken(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		switch {
		case h.bearer(r):
			next.ServeHTTP(w, r)
		case h.cfg.Token == "":
			Problem(w, http.StatusForbidden, "This needs a token, and the server has none: start it with --api-token-file, or with --metrics-addr for a listener without a token.")
		default:
			unauthorized(w, "This needs the header Authorization: Bearer and the token in the server's --api-token-file.")
		}
	})
}

func profiles(w http.ResponseWriter, r *http.Request) {
	switch strings.TrimPrefix(r.URL.Path, "/debug/pprof/") {
	case "cmdline":
		pprof.Cmdline(w, r)
	case "profile":
		pprof.Profile(w, r)
	case "symbol":
		pprof.Symbol(w, r)
	case "trace":
		pprof.Trace(w, r)
	default:
		pprof.Index(w, r)
	}
}

func unauthorized(w http.ResponseWriter, detail string) {
	w.Header().Set("WWW-Authenticate", "Bearer")
	Problem(w, http.StatusUnauthorized, detail)
}
