package session

import (
	"net/netip"
	"slices"
	"strings"
	"testing"

	"golang.org/x/net/dns/dnsmessage"
)

// announced is what a test's server announces.
type announced struct {
	instance string
	port     uint16
	txt      []string
	addr     [4]byte
}

// answer is what a responder sends to a question of an id.
func answer(t testing.TB, id uint16, servers ...announced) []byte {
	t.Helper()
	b := dnsmessage.NewBuilder(nil, dnsmessage.Header{ID: id, Response: true, Authoritative: true})
	b.EnableCompression()
	name := dnsmessage.MustNewName
	header := func(n string) dnsmessage.ResourceHeader {
		return dnsmessage.ResourceHeader{Name: name(n), Class: dnsmessage.ClassINET, TTL: 10}
	}
	check := func(err error) {
		if err != nil {
			t.Fatal(err)
		}
	}
	check(b.StartQuestions())
	check(b.Question(dnsmessage.Question{Name: name(service), Type: dnsmessage.TypePTR, Class: dnsmessage.ClassINET}))
	check(b.StartAnswers())
	for _, s := range servers {
		check(b.PTRResource(header(service), dnsmessage.PTRResource{PTR: name(s.instance)}))
	}
	check(b.StartAdditionals())
	for _, s := range servers {
		host := "parley-1234.local."
		check(b.SRVResource(header(s.instance), dnsmessage.SRVResource{Port: s.port, Target: name(host)}))
		if s.txt != nil {
			check(b.TXTResource(header(s.instance), dnsmessage.TXTResource{TXT: s.txt}))
		}
		check(b.AResource(header(host), dnsmessage.AResource{A: s.addr}))
	}
	packet, err := b.Finish()
	check(err)
	return packet
}

const someID = "0123456789abcdef0123456789abcdef"

func TestReadAnnouncements(t *testing.T) {
	good := announced{"Class 4b." + service, 8000, []string{"v=1", "id=" + someID, "tls=1"}, [4]byte{192, 168, 77, 1}}
	found, dropped := readAnnouncements(answer(t, 7, good), 7)
	if len(found) != 1 || dropped != 0 {
		t.Fatalf("%v, %d dropped", found, dropped)
	}
	if a := found[0]; a.port != 8000 || !a.tls || a.id != someID || !slices.Equal(a.addrs, []netip.Addr{netip.MustParseAddr("192.168.77.1")}) {
		t.Errorf("%+v", a)
	}
	many := func(n int) (servers []announced) {
		for i := range n {
			servers = append(servers, announced{instance: strings.Repeat("x", i+1) + "." + service, port: 8000})
		}
		return servers
	}
	loop := answer(t, 7)
	loop[7] = 1 // answers
	loop = append(loop, 0xc0, byte(len(loop)), 0, 33, 0, 1, 0, 0, 0, 9, 0, 7, 0, 0, 0, 0, 1, 1, 0)
	for what, tc := range map[string]struct {
		packet         []byte
		found, dropped int
	}{
		"another question's":    {answer(t, 8, good), 0, 1},
		"another service":       {answer(t, 7, announced{instance: "Printer._ipp._tcp.local.", port: 631}), 0, 1},
		"the service itself":    {answer(t, 7, announced{instance: service, port: 8000}), 0, 1},
		"no port":               {answer(t, 7, announced{instance: good.instance}), 0, 1},
		"a control in the name": {answer(t, 7, announced{instance: "a\x1b[2J." + service, port: 8000}), 0, 1},
		"a joined emoji":        {answer(t, 7, announced{instance: "👩\u200d🏫 class\u30004b." + service, port: 8000}), 1, 0},
		"no UTF-8":              {answer(t, 7, announced{instance: "a\xff." + service, port: 8000}), 0, 1},
		"a control in the id":   {answer(t, 7, announced{good.instance, 8000, []string{"id=a\x00"}, good.addr}), 0, 1},
		"a long id":             {answer(t, 7, announced{good.instance, 8000, []string{"id=" + strings.Repeat("0", 200)}, good.addr}), 0, 1},
		"no attributes":         {answer(t, 7, announced{instance: good.instance, port: 1}), 1, 0},
		"four":                  {answer(t, 7, many(4)...), 4, 0},
		"six":                   {answer(t, 7, many(6)...), 4, 2},
		"too many records":      {answer(t, 7, many(40)...), 0, 1},
		"a name that loops":     {loop, 0, 1},
		"nothing":               {answer(t, 7), 0, 0},
		"cut":                   {answer(t, 7, good)[:60], 0, 1},
		"too long":              {append(answer(t, 7, good), make([]byte, maxPacket)...), 0, 1},
		"a question":            {func() []byte { q, _ := query(); return q }(), 0, 1},
		"empty":                 {nil, 0, 1},
	} {
		if found, dropped := readAnnouncements(tc.packet, 7); len(found) != tc.found || dropped != tc.dropped {
			t.Errorf("%s: %+v, %d dropped", what, found, dropped)
		}
	}
}

func FuzzReadAnnouncements(f *testing.F) {
	f.Add(answer(f, 7, announced{"Class 4b." + service, 8000, []string{"id=" + someID}, [4]byte{192, 168, 77, 1}}))
	f.Add(answer(f, 7))
	f.Fuzz(func(t *testing.T, packet []byte) {
		found, dropped := readAnnouncements(packet, 7)
		if len(found) > maxServers || dropped < 0 || dropped > maxRecords+1 {
			t.Errorf("%d servers, %d dropped", len(found), dropped)
		}
		for _, a := range found {
			if a.port == 0 || len(a.addrs) > maxAddrs || len(a.id) > maxID || !plain(a.id) {
				t.Errorf("%+v", a)
			}
			if base := a.base(netip.MustParseAddr("192.168.77.1")); base == "" {
				t.Errorf("%+v has no base", a)
			}
		}
	})
}

func TestNetworkBounds(t *testing.T) {
	n := Network{Prefix: netip.MustParsePrefix("192.168.77.20/24")}
	for addr, holds := range map[string]bool{
		"192.168.77.1": true, "192.168.77.20": true, "192.168.77.0": false, "192.168.77.255": false, "192.168.78.1": false, "8.8.8.8": false, "127.0.0.1": false,
	} {
		if n.holds(netip.MustParseAddr(addr)) != holds {
			t.Errorf("%s: %v", addr, !holds)
		}
	}
	if (Network{Prefix: netip.MustParsePrefix("8.8.8.1/24")}).holds(netip.MustParseAddr("8.8.8.8")) {
		t.Error("a public address is one of a local network")
	}
	if b := n.broadcast().String(); b != "192.168.77.255" {
		t.Errorf("the broadcast address is %s", b)
	}
	for prefix, want := range map[string]int{"192.168.77.20/24": 253, "10.1.2.3/8": 253, "192.168.77.20/28": 13, "172.20.0.1/30": 1} {
		around := Network{Prefix: netip.MustParsePrefix(prefix)}.around()
		if len(around) != want {
			t.Errorf("%s: %d addresses", prefix, len(around))
		}
		for _, a := range around {
			if !netip.MustParsePrefix(prefix).Contains(a) || !Local(a) {
				t.Errorf("%s: %s", prefix, a)
			}
		}
	}
}
