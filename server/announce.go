package main

import (
	"log/slog"
	"net"
	"net/netip"
	"slices"
	"strings"
	"sync"

	"parley/server/mdns"
)

// serviceType is what clients look for on the local network.
const serviceType = "_parley._tcp"

// announcer tells the networks of this host that a server is here, and what it is
// called there.
type announcer struct {
	service   mdns.Service
	listening netip.Addr
	logger    *slog.Logger

	mu     sync.Mutex
	links  []mdns.Link
	now    *mdns.Responder // nil while there is no network to announce in
	warned bool
	closed bool
}

// newAnnouncer returns an announcer that has not begun. id is the log's: it is in the
// host's name, so that this stays if the host's own changes.
func newAnnouncer(id string, listening netip.AddrPort, tls bool, logger *slog.Logger) *announcer {
	text := []string{"v=1", "id=" + id, "tls=0"}
	if tls {
		text[2] = "tls=1"
	}
	return &announcer{listening: listening.Addr().Unmap(), logger: logger,
		service: mdns.Service{Type: serviceType, Host: "parley-" + id[:4], Alias: "parley", Port: listening.Port(), Text: text}}
}

// begin announces the server under a name, on the networks that a has now.
func (a *announcer) begin(name string, at *addresses) {
	if a.service.Instance = mdns.InstanceName(name); a.service.Instance == "" {
		a.service.Instance = "Parley"
	}
	a.follow(at)
}

// follow announces the server anew if the host's networks have changed: whoever asks
// must get its present addresses.
func (a *announcer) follow(at *addresses) {
	links := networks(at.current.Load().interfaces, a.listening)
	a.mu.Lock()
	defer a.mu.Unlock()
	if a.closed || slices.EqualFunc(a.links, links, mdns.Link.Equal) {
		return
	}
	if a.now != nil {
		a.now.Close()
		a.now = nil
	}
	a.links = links
	if len(links) == 0 {
		return
	}
	var err error
	if a.now, err = mdns.Open(a.service, links, a.logger); err == nil {
		err = a.now.NotShared()
	}
	if err != nil && !a.warned {
		a.logger.Warn("the app finds this server less easily: another program has UDP port 5353", "error", err)
		a.warned = true
	}
}

// close takes back what was announced.
func (a *announcer) close() {
	a.mu.Lock()
	defer a.mu.Unlock()
	if a.closed = true; a.now != nil {
		a.now.Close()
	}
}

// host is the name by which others on the network find this host; "" if it is
// announced nowhere.
func (a *announcer) host() string {
	a.mu.Lock()
	defer a.mu.Unlock()
	if a.now == nil {
		return ""
	}
	if hosts := a.now.Hosts(); len(hosts) > 0 {
		return hosts[0]
	}
	return a.service.Host + ".local"
}

// isHost reports whether a name of a Host is one that this host is announced by.
func (a *announcer) isHost(name string) bool {
	a.mu.Lock()
	defer a.mu.Unlock()
	if a.now == nil {
		return false
	}
	return strings.EqualFold(name, a.service.Host+".local") ||
		slices.ContainsFunc(a.now.Hosts(), func(h string) bool { return strings.EqualFold(name, h) })
}

// networks returns those in which a server that listens at an address is announced:
// networks with a private IPv4 address, or one that the host gave itself. A public
// address may be in a network of strangers, and whoever is at the other end of a VPN
// is not in the room.
func networks(interfaces []networkInterface, listening netip.Addr) (links []mdns.Link) {
	for _, i := range interfaces {
		if i.rank() == rankTunnel || i.flags&net.FlagLoopback != 0 {
			continue
		}
		l := mdns.Link{Name: i.name, Index: i.index}
		local := false
		for _, p := range i.prefixes {
			a := p.Addr()
			served := a == listening || listening.IsUnspecified() && (a.Is4() || listening.Is6())
			if !served || a.Is4() && !a.IsPrivate() && !a.IsLinkLocalUnicast() {
				continue
			}
			local = local || a.Is4()
			l.Prefixes = append(l.Prefixes, p)
		}
		if local {
			links = append(links, l)
		}
	}
	return links
}
