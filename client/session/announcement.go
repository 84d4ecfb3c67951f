package session

import (
	"maps"
	"math/rand/v2"
	"net/netip"
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"

	"golang.org/x/net/dns/dnsmessage"
)

// service is what servers announce themselves as (DNS-SD, RFC 6763).
const service = "_parley._tcp.local."

// Bounds of a packet that comes in.
const (
	maxPacket  = 9000 // bytes (RFC 6762, 17)
	maxRecords = 64
	maxServers = 4  // in one packet
	maxAddrs   = 4  // of one server
	maxID      = 64 // bytes
)

// announcement is what a packet says of one server. All of it is a claim.
type announcement struct {
	port  uint16
	tls   bool
	id    string       // "" if it says none
	addrs []netip.Addr // of the host that it names
}

// query returns the question who offers the service, and its id. It comes from no
// port 5353, so answers are sent to the asker alone (RFC 6762, 6.7).
func query() (packet []byte, id uint16) {
	id = uint16(rand.N(1 << 16))
	b := dnsmessage.NewBuilder(nil, dnsmessage.Header{ID: id})
	_ = b.StartQuestions() // nothing here can fail: the question is a constant
	_ = b.Question(dnsmessage.Question{Name: dnsmessage.MustNewName(service), Type: dnsmessage.TypePTR, Class: dnsmessage.ClassINET})
	packet, _ = b.Finish()
	return packet, id
}

// records are those of a packet, by their names in lower case.
type records struct {
	ports map[string]dnsmessage.SRVResource
	texts map[string][]string
	addrs map[string][]netip.Addr
}

// readAnnouncements returns what an answer to the question of an id says, and how
// much of it is no good: a record, a server, or the packet.
func readAnnouncements(packet []byte, id uint16) (found []announcement, dropped int) {
	if len(packet) > maxPacket {
		return nil, 1
	}
	var p dnsmessage.Parser
	h, err := p.Start(packet)
	if err != nil || !h.Response || h.ID != id || h.RCode != dnsmessage.RCodeSuccess || p.SkipAllQuestions() != nil {
		return nil, 1
	}
	r := records{map[string]dnsmessage.SRVResource{}, map[string][]string{}, map[string][]netip.Addr{}}
	left := maxRecords
	for _, section := range []struct {
		header func() (dnsmessage.ResourceHeader, error)
		skip   func() error
	}{
		{p.AnswerHeader, p.SkipAnswer}, {p.AuthorityHeader, p.SkipAuthority}, {p.AdditionalHeader, p.SkipAdditional},
	} {
		for {
			h, err := section.header()
			if err == dnsmessage.ErrSectionDone {
				break
			}
			if left--; left < 0 {
				return nil, dropped + 1
			}
			if err != nil { // a name that is none; the record can still be passed over, or nothing can
				dropped++
				if section.skip() != nil {
					return nil, dropped
				}
				continue
			}
			if !r.read(&p, h) && section.skip() != nil {
				return nil, dropped + 1
			}
		}
	}
	for _, name := range slices.Sorted(maps.Keys(r.ports)) {
		srv := r.ports[name]
		a := announcement{port: srv.Port, addrs: r.addrs[lower(srv.Target)]}
		if !isInstance(name) || a.port == 0 || len(found) == maxServers || !a.say(r.texts[name]) {
			dropped++
			continue
		}
		found = append(found, a)
	}
	return found, dropped
}

// read takes a record in. It reports false for one that is to be passed over.
func (r *records) read(p *dnsmessage.Parser, h dnsmessage.ResourceHeader) bool {
	name := lower(h.Name)
	switch h.Type {
	case dnsmessage.TypeSRV:
		srv, err := p.SRVResource()
		if err != nil {
			return false
		}
		r.ports[name] = srv
	case dnsmessage.TypeTXT:
		txt, err := p.TXTResource()
		if err != nil {
			return false
		}
		r.texts[name] = txt.TXT
	case dnsmessage.TypeA:
		a, err := p.AResource()
		if err != nil {
			return false
		}
		if len(r.addrs[name]) < maxAddrs {
			r.addrs[name] = append(r.addrs[name], netip.AddrFrom4(a.A))
		}
	default:
		return false
	}
	return true
}

// say takes in a server's attributes. It reports false if they are no good.
func (a *announcement) say(attributes []string) bool {
	for _, s := range attributes {
		switch key, value, _ := strings.Cut(s, "="); strings.ToLower(key) {
		case "id":
			if len(value) > maxID || !plain(value) {
				return false
			}
			a.id = value
		case "tls":
			a.tls = value != "" && value != "0"
		}
	}
	return true
}

// isInstance reports whether a name is that of a server of ours.
func isInstance(name string) bool {
	instance, ok := strings.CutSuffix(name, "."+service)
	return ok && instance != "" && plain(instance)
}

// plain reports whether s is text without controls.
func plain(s string) bool { return utf8.ValidString(s) && !strings.ContainsFunc(s, unicode.IsControl) }

// lower is "" for a name that is no text.
func lower(n dnsmessage.Name) string {
	if s := n.String(); utf8.ValidString(s) {
		return strings.ToLower(s)
	}
	return ""
}
