package mdns

import (
	"errors"
	"fmt"
	"net/netip"
	"slices"
	"strings"

	"golang.org/x/net/dns/dnsmessage"
)

// names are what a service is called. Another host's service may have had the names
// that were asked for.
type names struct{ instance, host, alias string }

// zone is what is answered in one link.
type zone struct {
	service Service
	names   names
	v4, v6  []netip.Addr
}

// ttl is how many seconds others may keep a record; whoever asks from another port
// than 5353 gets ttlLegacy (RFC 6762, section 6.7).
const (
	ttl       = 120
	ttlLegacy = 10
)

// flush tells that a record replaces what others have kept under its name. In a
// question the same bit asks for an answer to the asker alone.
const flush = 1 << 15

// mostQuestions are looked at in one packet.
const mostQuestions = 32

// records is a set of what a zone can tell.
type records uint8

const (
	recTypes records = 1 << iota // the service's type among all types
	recPointer
	recSRV
	recTXT
	recHost4
	recHost6
	recAlias4
	recAlias6
)

const (
	recHost  = recHost4 | recHost6
	recAlias = recAlias4 | recAlias6
	recAll   = recPointer | recSRV | recTXT | recHost | recAlias
)

const allTypes = "_services._dns-sd._udp.local."

func (z *zone) typeName() string     { return z.service.Type + ".local." }
func (z *zone) instanceName() string { return z.names.instance + "." + z.typeName() }
func (z *zone) hostName() string     { return z.names.host + ".local." }
func (z *zone) aliasName() string    { return z.names.alias + ".local." }

// of returns which records answer a question.
func (z *zone) of(q dnsmessage.Question) records {
	if q.Class&^flush != dnsmessage.ClassINET && q.Class&^flush != dnsmessage.ClassANY {
		return 0
	}
	of := func(pairs map[dnsmessage.Type]records) (found records) {
		for t, r := range pairs {
			if q.Type == t || q.Type == dnsmessage.TypeALL {
				found |= r
			}
		}
		return found
	}
	name := q.Name.String()
	switch {
	case strings.EqualFold(name, allTypes):
		return of(map[dnsmessage.Type]records{dnsmessage.TypePTR: recTypes})
	case strings.EqualFold(name, z.typeName()):
		return of(map[dnsmessage.Type]records{dnsmessage.TypePTR: recPointer})
	case strings.EqualFold(name, z.instanceName()):
		return of(map[dnsmessage.Type]records{dnsmessage.TypeSRV: recSRV, dnsmessage.TypeTXT: recTXT})
	case strings.EqualFold(name, z.hostName()):
		return of(map[dnsmessage.Type]records{dnsmessage.TypeA: recHost4, dnsmessage.TypeAAAA: recHost6})
	case z.names.alias != "" && strings.EqualFold(name, z.aliasName()):
		return of(map[dnsmessage.Type]records{dnsmessage.TypeA: recAlias4, dnsmessage.TypeAAAA: recAlias6})
	}
	return 0
}

// query is what a packet asks of a zone.
type query struct {
	id        uint16
	questions []dnsmessage.Question // those that the zone can answer
	wanted    records
	direct    bool // all of them ask for an answer to the asker alone
	probe     bool // the asker wants to have the names that it asks about
}

// read returns what a query asks for. Anything malformed ends the reading, and what
// came before it counts.
func (z *zone) read(packet []byte, header dnsmessage.Header, p *dnsmessage.Parser) (q query) {
	q.id, q.direct = header.ID, true
	q.probe = packet[8] != 0 || packet[9] != 0 // it has an authority section
	for range mostQuestions {
		question, err := p.Question()
		if err != nil {
			break
		}
		if of := z.of(question); of != 0 {
			q.wanted |= of
			q.direct = q.direct && question.Class&flush != 0
			q.questions = append(q.questions, question)
		}
	}
	if q.wanted&recPointer != 0 && p.SkipAllQuestions() == nil && z.known(p) {
		q.wanted &^= recPointer
	}
	return q
}

// known reports whether the asker says that it knows the instance already, and for
// long enough (RFC 6762, section 7.1).
func (z *zone) known(p *dnsmessage.Parser) bool {
	for range mostRecords {
		h, err := p.AnswerHeader()
		if err != nil {
			return false
		}
		if h.Type != dnsmessage.TypePTR || h.TTL < ttl/2 || !strings.EqualFold(h.Name.String(), z.typeName()) {
			if p.SkipAnswer() != nil {
				return false
			}
			continue
		}
		r, err := p.PTRResource()
		if err != nil {
			return false
		}
		if strings.EqualFold(r.PTR.String(), z.instanceName()) {
			return true
		}
	}
	return false
}

// answer packs the records of a query's answer for its asker alone, who may be a
// simple resolver: it gets its id and its questions back, and nothing that only
// multicast DNS knows.
func (z *zone) answer(q query, legacy bool) ([]byte, error) {
	if !legacy {
		return z.pack(dnsmessage.Header{}, nil, q.wanted, ttl, flush)
	}
	return z.pack(dnsmessage.Header{ID: q.id}, q.questions, q.wanted, ttlLegacy, 0)
}

// tell packs records for everyone in the link; with 0 seconds to keep them, they are
// taken back.
func (z *zone) tell(what records, seconds uint32) ([]byte, error) {
	return z.pack(dnsmessage.Header{}, nil, what, seconds, flush)
}

func (z *zone) pack(header dnsmessage.Header, questions []dnsmessage.Question, what records, seconds uint32, bit dnsmessage.Class) ([]byte, error) {
	header.Response, header.Authoritative = true, true
	b := packer{Builder: dnsmessage.NewBuilder(make([]byte, 0, 512), header), seconds: seconds, flush: bit}
	b.EnableCompression()
	b.do(b.StartQuestions())
	for _, q := range questions {
		q.Class &^= flush
		b.do(b.Question(q))
	}
	b.do(b.StartAnswers())
	z.add(&b, what)
	b.do(b.StartAdditionals())
	more := records(0)
	if what&recPointer != 0 {
		more |= recSRV | recTXT | recHost
	}
	if what&recSRV != 0 {
		more |= recHost
	}
	if seconds > 0 {
		z.add(&b, more&^what)
	}
	if b.err != nil {
		return nil, fmt.Errorf("packing an answer: %w", b.err)
	}
	return b.Finish()
}

// packer is a Builder that remembers its first error.
type packer struct {
	dnsmessage.Builder
	seconds uint32
	flush   dnsmessage.Class
	err     error
}

func (b *packer) do(err error) {
	if b.err == nil {
		b.err = err
	}
}

// header is that of a record. A shared one replaces nothing.
func (b *packer) header(name string, shared bool) dnsmessage.ResourceHeader {
	n, err := dnsmessage.NewName(name)
	b.do(err)
	h := dnsmessage.ResourceHeader{Name: n, Class: dnsmessage.ClassINET, TTL: b.seconds}
	if !shared {
		h.Class |= b.flush
	}
	return h
}

func (b *packer) name(s string) dnsmessage.Name {
	n, err := dnsmessage.NewName(s)
	b.do(err)
	return n
}

func (z *zone) add(b *packer, what records) {
	if what&recTypes != 0 {
		b.do(b.PTRResource(b.header(allTypes, true), dnsmessage.PTRResource{PTR: b.name(z.typeName())}))
	}
	if what&recPointer != 0 {
		b.do(b.PTRResource(b.header(z.typeName(), true), dnsmessage.PTRResource{PTR: b.name(z.instanceName())}))
	}
	if what&recSRV != 0 {
		b.do(b.SRVResource(b.header(z.instanceName(), false), dnsmessage.SRVResource{Port: z.service.Port, Target: b.name(z.hostName())}))
	}
	if what&recTXT != 0 {
		b.do(b.TXTResource(b.header(z.instanceName(), false), dnsmessage.TXTResource{TXT: z.service.Text}))
	}
	z.addHost(b, z.hostName(), what&recHost4 != 0, what&recHost6 != 0)
	if z.names.alias != "" {
		z.addHost(b, z.aliasName(), what&recAlias4 != 0, what&recAlias6 != 0)
	}
}

// addHost adds a host's addresses. If it is asked for those of IPv6 and has none, it
// says so, because resolvers wait for seconds otherwise.
func (z *zone) addHost(b *packer, name string, v4, v6 bool) {
	if v4 {
		for _, a := range z.v4 {
			b.do(b.AResource(b.header(name, false), dnsmessage.AResource{A: a.As4()}))
		}
	}
	if !v6 {
		return
	}
	for _, a := range z.v6 {
		b.do(b.AAAAResource(b.header(name, false), dnsmessage.AAAAResource{AAAA: a.As16()}))
	}
	if len(z.v6) == 0 && b.flush != 0 && b.seconds > 0 {
		b.do(b.UnknownResource(b.header(name, false), dnsmessage.UnknownResource{Type: typeNSEC, Data: onlyA(name)}))
	}
}

const typeNSEC = dnsmessage.Type(47)

// onlyA is an NSEC record: this name has records of type A and no others (RFC 6762,
// section 6.1).
func onlyA(name string) (data []byte) {
	for label := range strings.SplitSeq(strings.TrimSuffix(name, "."), ".") {
		data = append(append(data, byte(len(label))), label...)
	}
	return append(data, 0 /* the root */, 0, 1, 1<<(7-dnsmessage.TypeA)) // window 0, one byte of bits
}

// probe packs the question whether anyone has the names of the zone. It says which
// records this host wants to have under them
// (RFC 6762, section 8.2).
func (z *zone) probe() ([]byte, error) {
	b := packer{Builder: dnsmessage.NewBuilder(make([]byte, 0, 512), dnsmessage.Header{}), seconds: ttl}
	b.EnableCompression()
	b.do(b.StartQuestions())
	asked := []string{z.instanceName(), z.hostName()}
	if z.names.alias != "" {
		asked = append(asked, z.aliasName())
	}
	for _, name := range asked {
		b.do(b.Question(dnsmessage.Question{Name: b.name(name), Type: dnsmessage.TypeALL, Class: dnsmessage.ClassINET | flush}))
	}
	b.do(b.StartAuthorities())
	z.add(&b, recSRV|recHost4|recAlias4)
	if b.err != nil {
		return nil, fmt.Errorf("packing a question: %w", b.err)
	}
	return b.Finish()
}

// conflicts returns which of the zone's names another host has, as its response says.
// own are all addresses of this host: what it has sent itself is no conflict.
func (z *zone) conflicts(p *dnsmessage.Parser, own []netip.Addr) (taken names) {
	if p.SkipAllQuestions() != nil {
		return taken
	}
	walk(p, func(h dnsmessage.ResourceHeader) (bool, error) { return z.conflict(p, h, own, &taken) })
	return taken
}

// mostRecords are looked at in one section of a packet.
const mostRecords = 200

// walk calls read with the header of each record behind the questions, as far as they
// make sense. It reads the record itself if it is of use, and says so.
func walk(p *dnsmessage.Parser, read func(dnsmessage.ResourceHeader) (done bool, err error)) {
	section := func(header func() (dnsmessage.ResourceHeader, error), skip func() error) bool {
		for range mostRecords {
			h, err := header()
			if err != nil {
				return errors.Is(err, dnsmessage.ErrSectionDone)
			}
			if done, err := read(h); err != nil || !done && skip() != nil {
				return false
			}
		}
		return false
	}
	if section(p.AnswerHeader, p.SkipAnswer) && p.SkipAllAuthorities() == nil {
		section(p.AdditionalHeader, p.SkipAdditional)
	}
}

// conflict looks at one record, and reports whether it has read it.
func (z *zone) conflict(p *dnsmessage.Parser, h dnsmessage.ResourceHeader, own []netip.Addr, taken *names) (read bool, err error) {
	name := h.Name.String()
	if h.TTL == 0 || h.Class&^flush != dnsmessage.ClassINET {
		return false, nil
	}
	var addr netip.Addr
	switch h.Type {
	case dnsmessage.TypeSRV:
		r, err := p.SRVResource()
		if err == nil && strings.EqualFold(name, z.instanceName()) && (r.Port != z.service.Port || !strings.EqualFold(r.Target.String(), z.hostName())) {
			taken.instance = z.names.instance
		}
		return true, err
	case dnsmessage.TypeA:
		r, err := p.AResource()
		if err != nil {
			return true, err
		}
		addr = netip.AddrFrom4(r.A)
	case dnsmessage.TypeAAAA:
		r, err := p.AAAAResource()
		if err != nil {
			return true, err
		}
		addr = netip.AddrFrom16(r.AAAA)
	default:
		return false, nil
	}
	if slices.Contains(own, addr) {
		return true, nil
	}
	if strings.EqualFold(name, z.hostName()) {
		taken.host = z.names.host
	}
	if z.names.alias != "" && strings.EqualFold(name, z.aliasName()) {
		taken.alias = z.names.alias
	}
	return true, nil
}
