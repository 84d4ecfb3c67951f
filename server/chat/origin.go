package chat

import (
	"net/http"
	"net/url"
	"slices"
	"strings"
)

// guard serves what is meant for this server. A page of another origin may ask
// for nothing, unless the configuration names it. And under a name that could be
// somebody else's nothing is served: a page can point its own name at this server
// (DNS rebinding), and then its requests are of one origin with it, and those that
// read have no Origin at all. Sockets without one are not a browser's.
func (h *Hub) guard(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		origin := r.Header.Get("Origin")
		if origin == "" {
			// Browsers send none with a page's GET, and a page that asks why its socket
			// was refused sends it itself.
			origin = r.Header.Get("Page-Origin")
		}
		h.warnOfProxy(r)
		switch {
		case tellsNothing(r.URL.Path):
			next.ServeHTTP(w, r)
		case !h.servesHost(r.Host) && (origin != "" || !strings.HasPrefix(r.URL.Path, "/ws/")):
			h.refuseHost(w, r)
		case origin != "" && !h.servesOrigin(origin, r):
			h.refuseOrigin(w, r, origin)
		default:
			next.ServeHTTP(w, r)
		}
	})
}

// tellsNothing reports whether a path is the same for everyone: what a page is
// made of, which the page about a wrong name needs too, and the probes.
func tellsNothing(path string) bool {
	return strings.HasPrefix(path, "/static/") || slices.Contains([]string{"/favicon.ico", "/healthz", "/readyz"}, path)
}

// refuseHost answers a request under a name that is not the server's: a person
// with a page, a program with a problem document.
func (h *Hub) refuseHost(w http.ResponseWriter, r *http.Request) {
	h.metrics.limit("host")
	name := typable(hostName(r.Host))
	h.refused.Do(func() {
		h.cfg.Logger.Warn("a name that is not the server's was refused", "host", name, "address", h.address(r), "flag", "--allow-host "+name)
	})
	if h.cfg.WrongHost != nil && strings.Contains(r.Header.Get("Accept"), "text/html") {
		h.cfg.WrongHost.ServeHTTP(w, r)
		return
	}
	refuse(w, http.StatusForbidden, "wrong_host",
		"The server does not know itself by the name "+name+". If the name is this server's, start it with --allow-host "+name+".")
}

// refuseOrigin answers a page of another origin, or one behind a proxy that tells
// another Host than the page has.
func (h *Hub) refuseOrigin(w http.ResponseWriter, r *http.Request, origin string) {
	h.metrics.limit("origin")
	u, err := url.Parse(origin)
	if err != nil || u.Host == "" {
		refuse(w, http.StatusForbidden, "refused_origin", "A page without an origin may not connect: no --allow-origin can name it.")
		return
	}
	from, host := typable(u.Host), typable(r.Host)
	h.refused.Do(func() {
		h.cfg.Logger.Warn("a page of another origin was refused", "origin", from, "host", host, "address", h.address(r),
			"flag", "--allow-origin "+from, "or", "a proxy that passes Host on as it came")
	})
	refuse(w, http.StatusForbidden, "refused_origin", "The page comes from "+from+", and its request is for "+host+
		". If a proxy is between them, it must pass Host on as it came. Otherwise --allow-origin "+from+" lets the page in.")
}

// servesOrigin reports whether a page of an origin may send a request: one from
// the host that it asks, or one that the configuration names. A port that goes
// without saying may be left out, and a trusted proxy may leave out any. Other
// clients than browsers send no origin.
func (h *Hub) servesOrigin(origin string, r *http.Request) bool {
	u, err := url.Parse(origin)
	if err != nil || u.Host == "" {
		return false
	}
	said := func(port string) string {
		if port == map[string]string{"http": "80", "https": "443"}[u.Scheme] {
			return ""
		}
		return port
	}
	name, port := splitHost(r.Host)
	return name == hostName(u.Host) && (said(port) == said(u.Port()) || port == "" && h.isProxied(r)) ||
		slices.ContainsFunc(h.cfg.AllowOrigin, func(allowed string) bool {
			return strings.EqualFold(allowed, origin) || strings.EqualFold(allowed, u.Host)
		})
}
