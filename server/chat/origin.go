package chat

import (
	"net"
	"net/http"
	"net/netip"
	"net/url"
	"slices"
	"strconv"
	"strings"
)

// guard serves what is meant for this server. A page of another origin may ask
// for nothing, unless the configuration names it. And what tells or changes
// something is served under names of a local network alone: a page can point its
// own name at this server (DNS rebinding), and then its requests are of one
// origin with it, and those that read have no Origin at all.
func (h *Hub) guard(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		origin := r.Header.Get("Origin")
		if origin == "" {
			// Browsers send none with a page's GET, and a page that asks why its socket
			// was refused sends it itself.
			origin = r.Header.Get("Page-Origin")
		}
		switch {
		case (origin != "" || tells(r.URL.Path)) && !h.servesHost(r.Host):
			h.metrics.limit("host")
			refuse(w, http.StatusForbidden, "wrong_host", "This server does not know itself by the name in the request's Host. If it is yours, start the server with --allow-host and this name.")
		case origin != "" && !h.servesOrigin(origin, r):
			h.metrics.limit("origin")
			refuse(w, http.StatusForbidden, "refused_origin", "Pages of another origin may not connect, unless the server's --allow-origin names it.")
		default:
			next.ServeHTTP(w, r)
		}
	})
}

// tells reports whether a path may be answered with more than the page.
func tells(path string) bool {
	return slices.ContainsFunc([]string{"/api/", "/metrics", "/debug/"}, func(s string) bool { return strings.HasPrefix(path, s) })
}

// servesOrigin reports whether a page of an origin may send a request: one from
// the host that it asks, or one that the configuration names. A trusted proxy may
// leave the port out of Host. Other clients than browsers send no origin.
func (h *Hub) servesOrigin(origin string, r *http.Request) bool {
	u, err := url.Parse(origin)
	if err != nil || u.Host == "" {
		return false
	}
	return strings.EqualFold(u.Host, r.Host) || strings.EqualFold(u.Hostname(), r.Host) && h.isProxied(r) ||
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

// localSuffixes end names that no public name server answers (RFC 6761, 6762,
// 8375, and what ICANN keeps for private use). ownSuffixes are what routers and
// offices put behind a host's name: below them only this host's own is believed.
var (
	localSuffixes = []string{".localhost", ".local", ".lan", ".home.arpa", ".internal"}
	ownSuffixes   = []string{".fritz.box", ".intranet", ".home", ".localdomain", ".private", ".corp", ".router", ".speedport.ip"}
)

// servesHost reports whether a Host can only mean a server of this network: an
// address, a name that is not public, the host's own, or one that the
// configuration names.
func (h *Hub) servesHost(host string) bool {
	name := hostName(host)
	if _, err := netip.ParseAddr(name); err == nil {
		return true
	}
	if name == "" || strings.ContainsAny(name, "/@ ") {
		return false
	}
	return !strings.Contains(name, ".") || isOwn(name, h.cfg.hostname()) ||
		slices.ContainsFunc(localSuffixes, func(s string) bool { return strings.HasSuffix(name, s) }) ||
		slices.ContainsFunc(h.cfg.AllowHost, func(allowed string) bool { return name == hostName(allowed) || isBelow(name, allowed) })
}

// isOwn reports whether a name is this host's, alone or below an ownSuffix.
func isOwn(name, own string) bool {
	own = hostName(own)
	short, _, _ := strings.Cut(own, ".")
	return name == own || short != "" && slices.ContainsFunc(ownSuffixes, func(s string) bool { return name == short+s })
}

// isBelow reports whether a name is what a certificate's *.example.com stands for.
func isBelow(name, wildcard string) bool {
	suffix, ok := strings.CutPrefix(strings.ToLower(wildcard), "*")
	label, below := strings.CutSuffix(name, suffix)
	return ok && below && label != "" && !strings.Contains(label, ".")
}

// hostName is a Host without its port, brackets and final dot, in lower case;
// "" if the port is none.
func hostName(host string) string {
	if name, port, err := net.SplitHostPort(host); err == nil {
		if _, err := strconv.ParseUint(port, 10, 16); err != nil {
			return ""
		}
		host = name
	}
	host = strings.TrimSuffix(strings.TrimPrefix(host, "["), "]")
	return strings.ToLower(strings.TrimSuffix(host, "."))
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
