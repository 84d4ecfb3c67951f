package chat

import (
	"net"
	"net/http"
	"net/netip"
	"slices"
	"strings"
)

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

// SourceOf returns the source that a request counts for, as Source does; through a
// trusted proxy, that of the proxy's client.
func (h *Hub) SourceOf(r *http.Request) string { return sourceOf(h.address(r)) }

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

// isProxied reports whether a request comes from a trusted proxy.
func (h *Hub) isProxied(r *http.Request) bool {
	peer, err := netip.ParseAddrPort(r.RemoteAddr)
	return err == nil && isTrusted(peer.Addr(), h.cfg.TrustedProxy)
}

func isTrusted(peer netip.Addr, trusted []netip.Prefix) bool {
	peer = peer.Unmap().WithZone("")
	return slices.ContainsFunc(trusted, func(p netip.Prefix) bool { return p.Contains(peer) })
}

// warnOfProxy says that a proxy is not trusted: all who come through it count as
// one address.
func (h *Hub) warnOfProxy(r *http.Request) {
	peer, _, err := net.SplitHostPort(r.RemoteAddr)
	if err != nil || r.Header.Get("X-Forwarded-For") == "" || h.isProxied(r) {
		return
	}
	h.untrusted.Do(func() {
		h.cfg.Logger.Warn("X-Forwarded-For comes from an address that is no --trusted-proxy", "address", peer, "flag", "--trusted-proxy "+peer)
	})
}
