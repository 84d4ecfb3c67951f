// Package mdns announces one service on the local network, and answers questions
// about it: multicast DNS (RFC 6762) and DNS-based service discovery (RFC 6763), over
// IPv4.
//
// What a network sends can only be answered within that network: a question counts
// if it comes from an address of a Link, and its answer has this host's addresses
// there. Nothing is ever sent to any other address.
package mdns

import (
	"net/netip"
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"
)

// Port is that of multicast DNS.
const Port = 5353

// Service is what a Responder announces.
type Service struct {
	Type     string   // such as "_http._tcp"
	Instance string   // its name for people: see InstanceName
	Host     string   // the host's name without .local, at most 50 letters, digits and hyphens
	Alias    string   // another name of the host, which it has only if nobody else does; "" for none
	Port     uint16   // TCP
	Text     []string // of the form key=value, at most 255 bytes each
}

// Link is a network that this host is in.
type Link struct {
	Name     string         // the interface's
	Index    int            // the interface's
	Prefixes []netip.Prefix // this host's addresses in it, with the length of the network
}

// Equal reports whether two links are the same, addresses included.
func (l Link) Equal(other Link) bool {
	return l.Name == other.Name && l.Index == other.Index && slices.Equal(l.Prefixes, other.Prefixes)
}

// has reports whether an address is one of the network's.
func (l Link) has(a netip.Addr) bool {
	return slices.ContainsFunc(l.Prefixes, func(p netip.Prefix) bool { return p.Contains(a) })
}

// addresses returns this host's in the network: those of IPv4, and of IPv6 those that
// other hosts can use without naming an interface; four and two at most, so that an
// answer stays under the 512 bytes that simple resolvers read.
func (l Link) addresses() (v4, v6 []netip.Addr) {
	for _, p := range l.Prefixes {
		switch a := p.Addr(); {
		case a.Is4() && len(v4) < 4:
			v4 = append(v4, a)
		case a.Is6() && a.IsGlobalUnicast() && len(v6) < 2:
			v6 = append(v6, a)
		}
	}
	return v4, v6
}

// longestLabel is what DNS allows between two dots, in bytes.
const longestLabel = 63

// InstanceName returns a name as a Service's Instance can be: at most 63 bytes that
// end at a character, without controls. Dots become U+2024, which looks the same,
// because the library that packs DNS messages takes each dot for the end of a label.
func InstanceName(name string) string {
	name = strings.Map(func(r rune) rune {
		switch {
		case r == '.':
			return '․'
		case unicode.IsControl(r) || r == utf8.RuneError:
			return -1
		}
		return r
	}, name)
	return cut(strings.TrimSpace(name), longestLabel)
}

// cut returns the beginning of s, of at most n bytes and whole characters.
func cut(s string, n int) string {
	if len(s) <= n {
		return s
	}
	for n > 0 && !utf8.RuneStart(s[n]) {
		n--
	}
	return strings.TrimSpace(s[:n])
}
