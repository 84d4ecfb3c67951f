package chat

import (
	"net"
	"net/netip"
	"regexp"
	"slices"
	"strconv"
	"strings"
)

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
		h.cfg.IsHost != nil && h.cfg.IsHost(name) ||
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

// typable is a name as a sentence repeats it, and as it can be typed after a flag;
// "…" for one that no browser sends.
func typable(name string) string {
	if len(name) > 260 || !plainHost.MatchString(name) {
		return "…"
	}
	return name
}

var plainHost = regexp.MustCompile(`^[A-Za-z0-9._:\[\]-]+$`)
