package chat

import (
	"crypto/sha256"
	"crypto/subtle"
	"net/http"
	"net/http/pprof"
	"net/netip"
	"strings"
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

// fromThisHost reports whether a request comes from a program on this host, and
// not through a proxy that runs here.
func (h *Hub) fromThisHost(r *http.Request) bool {
	addr, err := netip.ParseAddr(h.address(r))
	for _, name := range []string{"X-Forwarded-For", "X-Real-Ip", "Forwarded", "Via"} {
		if r.Header.Get(name) != "" {
			return false
		}
	}
	return err == nil && addr.IsLoopback()
}

// hostOrToken serves what is for the host's eyes: to this host, and elsewhere to
// whoever has the token.
func (h *Hub) hostOrToken(next http.Handler) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		if !h.fromThisHost(r) && !h.bearer(r) {
			unauthorized(w, "Away from its host, this needs the token in the server's --api-token-file.")
			return
		}
		next.ServeHTTP(w, r)
	}
}

// profiles serves Go's profiles, to this host alone.
func (h *Hub) profiles(w http.ResponseWriter, r *http.Request) {
	if !h.fromThisHost(r) {
		Problem(w, http.StatusForbidden, "Profiles are shown to programs on the server's own host only.")
		return
	}
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
