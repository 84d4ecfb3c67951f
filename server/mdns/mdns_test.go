package mdns

import (
	"net/netip"
	"os"
	"slices"
	"strings"
	"testing"
	"unicode/utf8"

	"golang.org/x/net/dns/dnsmessage"

	"parley/shared/servertest"
)

func TestMain(m *testing.M) { os.Exit(servertest.Main(m)) }

func TestInstanceName(t *testing.T) {
	for name, want := range map[string]string{
		"Class 4b":                     "Class 4b",
		" pc.example.org\n":            "pc․example․org",
		"a\x1b[2J\x00\u0085b":          "a[2Jb",
		"\xff\xfe":                     "",
		strings.Repeat("é", 40):        strings.Repeat("é", 31),
		strings.Repeat("日", 21):        strings.Repeat("日", 21),
		strings.Repeat("x", 62) + "👍":  strings.Repeat("x", 62),
		strings.Repeat("y", 62) + " z": strings.Repeat("y", 62),
	} {
		if got := InstanceName(name); got != want || len(got) > longestLabel || !utf8.ValidString(got) {
			t.Errorf("%q becomes %q, want %q", name, got, want)
		}
	}
}

func testZone() *zone {
	service := Service{Type: "_parley._tcp", Port: 8000, Text: []string{"v=1", "id=3f9a", "tls=0"}}
	return &zone{service: service, names: names{instance: "Class 4b", host: "parley-3f9a", alias: "parley"},
		v4: []netip.Addr{netip.MustParseAddr("192.168.1.5")}}
}

// ask packs a query.
func ask(t testing.TB, m dnsmessage.Message, questions ...string) []byte {
	t.Helper()
	for _, q := range questions {
		typ, name, _ := strings.Cut(q, " ")
		types := map[string]dnsmessage.Type{"PTR": dnsmessage.TypePTR, "SRV": dnsmessage.TypeSRV, "TXT": dnsmessage.TypeTXT,
			"A": dnsmessage.TypeA, "AAAA": dnsmessage.TypeAAAA, "ANY": dnsmessage.TypeALL}
		m.Questions = append(m.Questions, dnsmessage.Question{Name: dnsmessage.MustNewName(name), Type: types[typ], Class: dnsmessage.ClassINET})
	}
	packet, err := m.Pack()
	if err != nil {
		t.Fatal(err)
	}
	return packet
}

// read reads a query as a Responder does.
func read(t testing.TB, z *zone, packet []byte) query {
	t.Helper()
	var p dnsmessage.Parser
	header, err := p.Start(packet)
	if err != nil {
		t.Fatal(err)
	}
	return z.read(packet, header, &p)
}

func unpack(t testing.TB, packet []byte, err error) (m dnsmessage.Message) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
	if err := m.Unpack(packet); err != nil {
		t.Fatalf("the answer is malformed: %v", err)
	}
	return m
}

// said lists the records of a section.
func said(section []dnsmessage.Resource) (all []string) {
	for _, r := range section {
		all = append(all, strings.TrimPrefix(r.Header.Type.String(), "Type")+" "+r.Header.Name.String())
	}
	return all
}

func TestAnswers(t *testing.T) {
	for question, want := range map[string]string{
		"PTR _services._dns-sd._udp.local.": "PTR _services._dns-sd._udp.local.",
		"PTR _parley._tcp.local.":           "PTR _parley._tcp.local., SRV Class 4b._parley._tcp.local., TXT Class 4b._parley._tcp.local., A parley-3f9a.local., 47 parley-3f9a.local.",
		"PTR _PARLEY._tcp.LOCAL.":           "PTR _parley._tcp.local., SRV Class 4b._parley._tcp.local., TXT Class 4b._parley._tcp.local., A parley-3f9a.local., 47 parley-3f9a.local.",
		"SRV Class 4b._parley._tcp.local.":  "SRV Class 4b._parley._tcp.local., A parley-3f9a.local., 47 parley-3f9a.local.",
		"TXT Class 4b._parley._tcp.local.":  "TXT Class 4b._parley._tcp.local.",
		"A parley-3f9a.local.":              "A parley-3f9a.local.",
		"AAAA parley-3f9a.local.":           "47 parley-3f9a.local.",
		"A parley.local.":                   "A parley.local.",
		"ANY parley.local.":                 "A parley.local., 47 parley.local.",
		"SRV _parley._tcp.local.":           "",
		"A parley-0000.local.":              "",
		"PTR _http._tcp.local.":             "",
		"A local.":                          "",
		"A .":                               "",
	} {
		z := testZone()
		q := read(t, z, ask(t, dnsmessage.Message{}, question))
		if q.wanted == 0 {
			if want != "" {
				t.Errorf("%s has no answer", question)
			}
			continue
		}
		packet, err := z.tell(q.wanted, ttl)
		m := unpack(t, packet, err)
		if got := strings.Join(append(said(m.Answers), said(m.Additionals)...), ", "); got != want {
			t.Errorf("%s: %s, want %s", question, got, want)
		}
	}
}

// A simple resolver gets its id and its questions back, and no bit or record that only
// multicast DNS knows.
func TestLegacyAnswer(t *testing.T) {
	z := testZone()
	packet, err := z.answer(read(t, z, ask(t, dnsmessage.Message{Header: dnsmessage.Header{ID: 77}}, "PTR _parley._tcp.local.", "A nas.local.")), true)
	m := unpack(t, packet, err)
	if m.ID != 77 || len(m.Questions) != 1 || m.Questions[0].Name.String() != "_parley._tcp.local." || len(packet) > 512 {
		t.Errorf("%d bytes: %+v", len(packet), m)
	}
	if got := strings.Join(said(m.Additionals), ", "); got != "SRV Class 4b._parley._tcp.local., TXT Class 4b._parley._tcp.local., A parley-3f9a.local." {
		t.Errorf("it has %s", got)
	}
	for _, r := range append(m.Answers, m.Additionals...) {
		if r.Header.Class != dnsmessage.ClassINET || r.Header.TTL > 10 {
			t.Errorf("it has %+v", r.Header)
		}
	}
}

// The longest names and the most addresses still fit what simple resolvers read.
func TestLongestAnswer(t *testing.T) {
	z := testZone()
	z.service.Text = []string{"v=1", "id=" + strings.Repeat("a", 32), "tls=1"}
	z.names = names{strings.Repeat("i", 63), "parley-3f9a-10", "parley"}
	l := Link{}
	for _, s := range strings.Fields("10.0.0.1/8 10.0.0.2/8 10.0.0.3/8 10.0.0.4/8 10.0.0.5/8 fe80::1/64 fd00::1/64 2001:db8::1/64 2001:db8::2/64") {
		l.Prefixes = append(l.Prefixes, netip.MustParsePrefix(s))
	}
	z.v4, z.v6 = l.addresses()
	if len(z.v4) != 4 || len(z.v6) != 2 {
		t.Errorf("the addresses are %v and %v", z.v4, z.v6)
	}
	packet, err := z.answer(query{questions: unpack(t, ask(t, dnsmessage.Message{}, "PTR _parley._tcp.local."), nil).Questions, wanted: recPointer}, true)
	if err != nil || len(packet) > 512 {
		t.Errorf("the answer has %d bytes, %v", len(packet), err)
	}
}

// Who knows the instance already is not told again.
func TestKnownAnswer(t *testing.T) {
	z := testZone()
	for seconds, want := range map[uint32]records{ttl: 0, ttl / 2: 0, ttl/2 - 1: recPointer} {
		known := dnsmessage.Message{Answers: []dnsmessage.Resource{
			{Header: dnsmessage.ResourceHeader{Name: dnsmessage.MustNewName("nas.local."), Class: dnsmessage.ClassINET, TTL: 100}, Body: &dnsmessage.AResource{}},
			{Header: dnsmessage.ResourceHeader{Name: dnsmessage.MustNewName("_parley._tcp.local."), Class: dnsmessage.ClassINET, TTL: seconds},
				Body: &dnsmessage.PTRResource{PTR: dnsmessage.MustNewName("class 4b._parley._tcp.local.")}},
		}}
		if q := read(t, z, ask(t, known, "PTR _parley._tcp.local.")); q.wanted != want {
			t.Errorf("known for %d s: asked for %b", seconds, q.wanted)
		}
	}
}

func TestConflicts(t *testing.T) {
	z := testZone()
	own := []netip.Addr{z.v4[0], netip.MustParseAddr("10.0.0.5")}
	rr := func(name string, seconds uint32, body dnsmessage.ResourceBody) dnsmessage.Resource {
		return dnsmessage.Resource{Header: dnsmessage.ResourceHeader{Name: dnsmessage.MustNewName(name), Class: dnsmessage.ClassINET | flush, TTL: seconds}, Body: body}
	}
	srv := func(port uint16, host string) *dnsmessage.SRVResource {
		return &dnsmessage.SRVResource{Port: port, Target: dnsmessage.MustNewName(host)}
	}
	for name, test := range map[string]struct {
		record dnsmessage.Resource
		want   names
	}{
		"our own":              {rr("parley-3f9a.local.", 9, &dnsmessage.AResource{A: own[1].As4()}), names{}},
		"another host":         {rr("Parley-3F9A.local.", 9, &dnsmessage.AResource{A: [4]byte{10, 0, 0, 6}}), names{host: "parley-3f9a"}},
		"another host by IPv6": {rr("parley-3f9a.local.", 9, &dnsmessage.AAAAResource{}), names{host: "parley-3f9a"}},
		"it goes away":         {rr("parley-3f9a.local.", 0, &dnsmessage.AResource{A: [4]byte{10, 0, 0, 6}}), names{}},
		"the alias":            {rr("parley.local.", 9, &dnsmessage.AResource{A: [4]byte{10, 0, 0, 6}}), names{alias: "parley"}},
		"our instance":         {rr("Class 4b._parley._tcp.local.", 9, srv(8000, "parley-3f9a.local.")), names{}},
		"another port":         {rr("Class 4b._parley._tcp.local.", 9, srv(8001, "parley-3f9a.local.")), names{instance: "Class 4b"}},
		"another's instance":   {rr("Class 4b._parley._tcp.local.", 9, srv(8000, "parley-77aa.local.")), names{instance: "Class 4b"}},
		"another instance":     {rr("Class 5._parley._tcp.local.", 9, srv(8000, "parley-77aa.local.")), names{}},
	} {
		for _, section := range []string{"answers", "additionals"} {
			m := dnsmessage.Message{Header: dnsmessage.Header{Response: true}}
			other := rr("nas.local.", 9, &dnsmessage.TXTResource{TXT: []string{"x"}})
			if section == "answers" {
				m.Answers = []dnsmessage.Resource{other, test.record}
			} else {
				m.Answers, m.Additionals = []dnsmessage.Resource{other}, []dnsmessage.Resource{test.record}
			}
			var p dnsmessage.Parser
			if _, err := p.Start(ask(t, m)); err != nil {
				t.Fatal(err)
			}
			if got := z.conflicts(&p, own); got != test.want {
				t.Errorf("%s, among the %s: %+v, want %+v", name, section, got, test.want)
			}
		}
	}
}

// A probe names the records that its asker wants, and is seen to be one.
func TestProbe(t *testing.T) {
	z := testZone()
	packet, err := z.probe()
	m := unpack(t, packet, err)
	if len(m.Questions) != 3 || !slices.Equal(said(m.Authorities), []string{"SRV Class 4b._parley._tcp.local.", "A parley-3f9a.local.", "A parley.local."}) {
		t.Errorf("it is %+v", m)
	}
	if q := read(t, z, packet); !q.probe || !q.direct || q.wanted&recSRV == 0 || q.wanted&recHost4 == 0 {
		t.Errorf("it is read as %+v", q)
	}
}

// FuzzPacket reads what anyone on the network can send: whatever is asked, the answer
// is a sound packet that is not much larger than the largest.
func FuzzPacket(f *testing.F) {
	z := testZone()
	probe, err := z.probe()
	told, tellErr := z.tell(recAll, ttl)
	if err != nil || tellErr != nil {
		f.Fatal(err, tellErr)
	}
	f.Add(probe)
	f.Add(told)
	f.Add(ask(f, dnsmessage.Message{}, "PTR _parley._tcp.local.", "ANY Class 4b._parley._tcp.local.", "A parley.local."))
	f.Add([]byte("\x00\x00\x00\x00\x00\x01\x00\x00\x00\x00\x00\x00\xc0\x0c\x00\x0c\x00\x01"))             // a name that points at itself
	f.Add([]byte("\x00\x00\x84\x00\x00\x00\xff\xff\x00\x00\x00\x00\x00\x00\x01\x00\x01\x00\x00\x00\x09")) // an answer that is not there
	f.Fuzz(func(t *testing.T, packet []byte) {
		if len(packet) > largestPacket {
			return
		}
		parse(packet, "_parley._tcp")
		var p dnsmessage.Parser
		header, err := p.Start(packet)
		if err != nil {
			return
		}
		z := testZone()
		if header.Response {
			z.conflicts(&p, z.v4)
			return
		}
		q := z.read(packet, header, &p)
		if q.wanted == 0 {
			return
		}
		for _, legacy := range []bool{true, false} {
			answer, err := z.answer(q, legacy)
			if m := unpack(t, answer, err); !m.Response || legacy && m.ID != header.ID || len(answer) > 1400 {
				t.Errorf("%d bytes: %+v", len(answer), m)
			}
		}
	})
}
