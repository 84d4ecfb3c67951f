package chat

import (
	"net"
	"net/http"
	"net/netip"
	"net/url"
	"regexp"
	"slices"
	"strconv"
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

// warnOfProxy says that a proxy is not trusted: all who come through it count as
// one address.
func (h *Hub) warnOfProxy(r *http.Request) {
	peer, _, err := net.SplitHostPort(r.RemoteAddr)
	if err != nil || r.Header.Get("X-Forwarded-For") == "" || h.isProxied(r) {
		return
	}
	h.untrusted.Do(func() {
		h.cfg.Logger.Warn("X-Forwarded-For comes from an address that is no --trusted-proxy", "address", peer,
			"if it is your proxy", "--trusted-proxy "+peer)
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
		h.cfg.Logger.Warn("a name that is not the server's was refused", "host", name, "address", h.address(r), "if it is", "--allow-host "+name)
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
			"if a proxy changes Host", "let it pass Host on", "if the page is meant", "--allow-origin "+from)
	})
	refuse(w, http.StatusForbidden, "refused_origin", "The page comes from "+from+", and its request is for "+host+
		". If a proxy is between them, it must pass Host on as it came. Otherwise --allow-origin "+from+" lets the page in.")
}

// typable is a name as a sentence repeats it, and as it can be typed after a flag;
// "…" for one that no browser sends.
func typable(name string) string {
	if len(name) > 260 || !plainHost.MatchString(name) {
		return "…"
	}
	return name
}

var plainHost = regexp.MustCompile(`^[A-Za-z0-9._:\[\]-]+$`)

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

// isProxied reports whether a request comes from a trusted proxy.
func (h *Hub) isProxied(r *http.Request) bool {
	peer, err := netip.ParseAddrPort(r.RemoteAddr)
	return err == nil && isTrusted(peer.Addr(), h.cfg.TrustedProxy)
}

func isTrusted(peer netip.Addr, trusted []netip.Prefix) bool {
	peer = peer.Unmap().WithZone("")
	return slices.ContainsFunc(trusted, func(p netip.Prefix) bool { return p.Contains(peer) })
}

// privateSuffixes are what local networks put behind a host's name: RFC 6762,
// 8375, what ICANN keeps for private use, and the habits of routers and offices.
// Below them only this host's own name is believed, because whoever is on the
// network can have another answered (mDNS asks everyone).
var privateSuffixes = []string{".local", ".lan", ".home.arpa", ".internal", ".fritz.box", ".intranet", ".home",
	".localdomain", ".private", ".corp", ".router", ".speedport.ip"}

// servesHost reports whether a Host can only mean this server: an address,
// localhost, the host's own name, or one that the configuration names.
func (h *Hub) servesHost(host string) bool {
	name := hostName(host)
	if _, err := netip.ParseAddr(name); err == nil {
		return true
	}
	if name == "" || strings.ContainsAny(name, "/@ ") {
		return false
	}
	return name == "localhost" || strings.HasSuffix(name, ".localhost") || isOwn(name, h.cfg.hostname()) ||
		slices.ContainsFunc(h.cfg.AllowHost, func(allowed string) bool { return name == hostName(allowed) || isBelow(name, allowed) })
}

// isOwn reports whether a name is this host's, alone or below a privateSuffix.
func isOwn(name, own string) bool {
	own = hostName(own)
	short, _, _ := strings.Cut(own, ".")
	suffix, ok := strings.CutPrefix(name, short)
	return name == own || ok && short != "" && (suffix == "" || slices.Contains(privateSuffixes, suffix))
}

// isBelow reports whether a name is one of those that *.example.org stands for, at
// any depth: the machines of a tailnet are below its name in ts.net.
func isBelow(name, wildcard string) bool {
	suffix, ok := strings.CutPrefix(strings.ToLower(wildcard), "*.")
	label, below := strings.CutSuffix(name, "."+suffix)
	return ok && below && label != ""
}

// hostName is a Host without its port, brackets and final dot, in lower case;
// "" if the port is none.
func hostName(host string) string {
	name, _ := splitHost(host)
	return name
}

func splitHost(host string) (name, port string) {
	if n, p, err := net.SplitHostPort(host); err == nil {
		if _, err := strconv.ParseUint(p, 10, 16); err != nil {
			return "", ""
		}
		host, port = n, p
	}
	host = strings.TrimSuffix(strings.TrimPrefix(host, "["), "]")
	return strings.ToLower(strings.TrimSuffix(host, ".")), port
}

// address is where a request comes from, without a port: the peer, or what the
// trusted proxies say of it. The header of anybody else is ignored.
func (h *Hub) address(r *http.Request) string {
	host, _, err := net.SplitHostPort(r.RemoteAddr)
	if err != nil {
		return r.RemoteAddr
	}
	peer, err := netip.ParseAddr(host)
	if err != nil {
		return host
	}
	return forwarded(peer, r.Header.Values("X-Forwarded-For"), h.cfg.TrustedProxy).String()
}

// forwarded is the nearest address of a chain that is not a trusted proxy's. The
// chain grows at its end, so what comes before that one is hearsay; an address
// that is none ends it as well.
func forwarded(peer netip.Addr, header []string, trusted []netip.Prefix) netip.Addr {
	chain := strings.Split(strings.Join(header, ","), ",")
	for i := len(chain); ; i-- {
		peer = peer.Unmap().WithZone("")
		if !isTrusted(peer, trusted) || i == 0 {
			return peer
		}
		next, err := netip.ParseAddr(strings.TrimSpace(chain[i-1]))
		if err != nil {
			return peer
		}
		peer = next
	}
}
