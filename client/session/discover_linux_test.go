package session

import (
	"context"
	"crypto/tls"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log"
	"net"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"slices"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"parley/shared"
	"parley/shared/servertest"
)

// The networks of the tests are in a namespace: an interface with addresses of its own,
// and nobody at its other end. What is sent to these, or to everyone, comes back to this host.
const (
	ours   = "192.168.77.20"
	theirs = "192.168.77.30"
	others = "192.168.78.30" // of another network
)

// lan makes the network, without a default route, and returns it as the app finds it.
func lan(t *testing.T) Network {
	t.Helper()
	servertest.IP(t, "link set lo up")
	for name, addrs := range map[string][]string{
		"lan0": {ours + "/24", theirs + "/24", others + "/24"},
		"tun7": {"10.9.0.1/24"}, // a VPN, by its name
		"pub0": {"8.8.8.1/24"},  // no local network
	} {
		servertest.IP(t, "link add "+name+" type veth peer name far-"+name)
		servertest.IP(t, "link set far-"+name+" up")
		servertest.IP(t, "link set "+name+" up")
		for _, a := range addrs {
			servertest.IP(t, "addr add "+a+" dev "+name)
		}
	}
	var names []string
	var first Network
	for _, n := range Networks() {
		names = append(names, n.Name+" "+n.Prefix.String())
		if n.Prefix.Addr().String() == ours {
			first = n
		}
	}
	if want := []string{"lan0 " + ours + "/24", "lan0 " + others + "/24"}; !slices.Equal(slices.DeleteFunc(names, func(s string) bool { return strings.Contains(s, theirs) }), want) {
		t.Fatalf("the networks are %v", names)
	}
	return first
}

// playedServer answers GET /api/server, and notes everything that it is asked.
type playedServer struct {
	*httptest.Server
	port uint16

	mu    sync.Mutex
	asked []string
}

func playServer(t *testing.T, address, name string, secure bool) *playedServer {
	t.Helper()
	s := &playedServer{}
	l, err := net.Listen("tcp4", address+":0")
	if err != nil {
		t.Fatal(err)
	}
	s.port = uint16(l.Addr().(*net.TCPAddr).Port)
	s.Server = &httptest.Server{Listener: l, Config: &http.Server{ErrorLog: log.New(io.Discard, "", 0), Handler: http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body)
		s.mu.Lock()
		s.asked = append(s.asked, fmt.Sprint(r.Method, " ", r.URL, " ", r.Header, string(body)))
		s.mu.Unlock()
		_ = json.NewEncoder(w).Encode(map[string]any{"name": name, "protocol": shared.Protocol, "version": "1", "id": someID, "people": 3})
	})}}
	if secure {
		s.TLS = &tls.Config{}
		s.StartTLS()
	} else {
		s.Start()
	}
	t.Cleanup(s.Close)
	return s
}

func (s *playedServer) questions() []string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return slices.Clone(s.asked)
}

// respond answers whatever comes to a UDP address, in the multicast group of an
// interface if that is not "", and returns how many questions came.
func respond(t *testing.T, address, group string, servers ...announced) (came func() int) {
	t.Helper()
	return respondBy(t, nil, address, group, servers...)
}

// respondBy is respond with another socket to answer by, if that is not nil.
func respondBy(t *testing.T, by *net.UDPConn, address, group string, servers ...announced) (came func() int) {
	t.Helper()
	config := net.ListenConfig{Control: func(_, _ string, c syscall.RawConn) error {
		return c.Control(func(fd uintptr) { _ = syscall.SetsockoptInt(int(fd), syscall.SOL_SOCKET, syscall.SO_REUSEADDR, 1) })
	}}
	pc, err := config.ListenPacket(t.Context(), "udp4", address)
	if err != nil {
		t.Fatal(err)
	}
	conn := pc.(*net.UDPConn)
	if group != "" {
		i, err := net.InterfaceByName(group)
		if err != nil {
			t.Fatal(err)
		}
		raw, err := conn.SyscallConn()
		if err != nil {
			t.Fatal(err)
		}
		_ = raw.Control(func(fd uintptr) {
			err = syscall.SetsockoptIPMreqn(int(fd), syscall.IPPROTO_IP, syscall.IP_ADD_MEMBERSHIP, &syscall.IPMreqn{Multiaddr: mdns.Addr().As4(), Ifindex: int32(i.Index)})
		})
		if err != nil {
			t.Fatal(err)
		}
	}
	if by == nil {
		by = conn
	}
	var mu sync.Mutex
	questions := 0
	done := make(chan struct{})
	go func() {
		defer close(done)
		buffer := make([]byte, maxPacket)
		for {
			n, from, err := conn.ReadFromUDPAddrPort(buffer)
			if err != nil {
				return
			}
			if n < 2 || buffer[2]&0x80 != 0 {
				continue // an answer
			}
			mu.Lock()
			questions++
			mu.Unlock()
			_, _ = by.WriteToUDPAddrPort(answer(t, uint16(buffer[0])<<8|uint16(buffer[1]), servers...), from)
		}
	}()
	t.Cleanup(func() { conn.Close(); <-done })
	return func() int {
		mu.Lock()
		defer mu.Unlock()
		return questions
	}
}

// run searches and returns what was found, sorted.
func run(t *testing.T, s Discovery) (bases []string, infos map[string]ServerInfo, trace Trace) {
	t.Helper()
	if s.Pins == nil {
		s.Pins = NewPins(nil)
	}
	infos = map[string]ServerInfo{}
	trace = s.Run(t.Context(), func(f Nearby) {
		bases = append(bases, f.Base)
		infos[f.Base] = f.Info
	})
	slices.Sort(bases)
	return bases, infos, trace
}

// A server is found by multicast; by broadcast if nobody hears multicast; and by asking
// each address if nobody hears either.
func TestSearchFinds(t *testing.T) {
	if !servertest.InNamespace(t) {
		return
	}
	n := lan(t)
	s := playServer(t, "0.0.0.0", "Class 4b", false)
	server := announced{instance: "Class 4b." + service, port: s.port, addr: [4]byte{192, 168, 77, 99}} // an address that it has no more
	at := func(addr string) string { return fmt.Sprintf("http://%s:%d", addr, s.port) }
	for name, tc := range map[string]struct {
		address, group string
		harder         bool
		want           []string
	}{
		"by multicast":                 {"224.0.0.251:5353", "lan0", false, []string{at(ours)}},
		"by broadcast":                 {"192.168.77.255:5353", "", false, []string{at(ours)}},
		"by neither":                   {theirs + ":5353", "", false, nil},
		"harder":                       {theirs + ":5353", "", true, []string{at(theirs)}},
		"harder, where another had it": {theirs + ":8000", "", true, []string{at(theirs)}},
	} {
		t.Run(name, func(t *testing.T) {
			came := respond(t, tc.address, tc.group, server)
			found, infos, trace := run(t, Discovery{Networks: []Network{n}, Harder: tc.harder})
			if !slices.Equal(found, tc.want) {
				t.Fatalf("found %v, not %v; %d questions came; %+v", found, tc.want, came(), trace)
			}
			if len(found) > 0 {
				if i := infos[found[0]]; i.Name != "Class 4b" || i.People != 3 || i.ID != someID || i.Words != "" {
					t.Errorf("%+v", i)
				}
			}
			most := 2 * len(questionsAt)
			if tc.harder {
				most += 2 * 253
			}
			if len(trace.Networks) != 1 || trace.Networks[0].Packets != most || trace.Networks[0].Err != nil || trace.Dropped+trace.Silent != 0 {
				t.Errorf("%+v", trace)
			}
		})
	}
	for _, q := range s.questions() {
		if !strings.HasPrefix(q, "GET /api/server map[Accept-Encoding:[gzip] Connection:[close] User-Agent:[Go-http-client/1.1]]") {
			t.Errorf("a server that nobody chose was sent %s", q)
		}
	}
}

// Two servers of one name stay two. What answers from another network, announces what
// nobody can be asked at, or is no server of ours, is not listed, but counted.
func TestSearchBounds(t *testing.T) {
	if !servertest.InNamespace(t) {
		return
	}
	n := lan(t)
	a, b := playServer(t, ours, "Class 4b", false), playServer(t, ours, "Class 4b", true)
	shop := httptest.NewUnstartedServer(http.NotFoundHandler())
	l, err := net.Listen("tcp4", ours+":0")
	if err != nil {
		t.Fatal(err)
	}
	shop.Listener.Close()
	shop.Listener = l
	shop.Start()
	t.Cleanup(shop.Close)
	far := playServer(t, others, "Far", false)
	respond(t, "224.0.0.251:5353", "lan0",
		announced{instance: "Class 4b." + service, port: a.port, addr: [4]byte{8, 8, 8, 8}},
		announced{instance: "Class 4b (2)." + service, port: b.port, txt: []string{"tls=1"}},
		announced{instance: "Shop." + service, port: uint16(l.Addr().(*net.TCPAddr).Port), addr: [4]byte{192, 168, 78, 30}},
		announced{instance: "Bad\x07." + service, port: 1})
	by, err := net.ListenUDP("udp4", &net.UDPAddr{IP: net.ParseIP(others)})
	if err != nil {
		t.Fatal(err)
	}
	defer by.Close()
	answered := respondBy(t, by, "192.168.77.255:5353", "", announced{instance: "Far." + service, port: far.port})

	capture := listenOnAll(t)
	pins := NewPins(nil)
	n.Prefix = netip.MustParsePrefix(ours + "/24")
	found, infos, trace := run(t, Discovery{Networks: []Network{n}, Pins: pins, Harder: true})
	secure := fmt.Sprintf("https://%s:%d", ours, b.port)
	if want := []string{fmt.Sprintf("http://%s:%d", ours, a.port), secure}; !slices.Equal(found, want) {
		t.Errorf("found %v, not %v", found, want)
	}
	if infos[secure].Words == "" || pins.Words(secure) != "" || pins.known(secure) != "" {
		t.Errorf("the certificate of a server that nobody chose: %q, kept %q", infos[secure].Words, pins.known(secure))
	}
	if trace.Silent != 1 || trace.Dropped < 1+answered() || answered() == 0 {
		t.Errorf("%+v", trace)
	}
	if len(far.questions()) > 0 {
		t.Errorf("a server of another network was asked: %v", far.questions())
	}
	for to := range capture() {
		if !n.holds(to) && to != n.broadcast() && to != mdns.Addr() {
			t.Errorf("something went to %s", to)
		}
	}
}

// listenOnAll notes where the IPv4 packets of the namespace go, until the function that
// it returns is called.
func listenOnAll(t *testing.T) func() map[netip.Addr]bool {
	t.Helper()
	const ip = 0x0800
	fd, err := syscall.Socket(syscall.AF_PACKET, syscall.SOCK_DGRAM, ip<<8&0xff00|ip>>8)
	if err != nil {
		t.Fatal(err)
	}
	_ = syscall.SetsockoptTimeval(fd, syscall.SOL_SOCKET, syscall.SO_RCVTIMEO, &syscall.Timeval{Usec: 50000})
	seen, stop, done := map[netip.Addr]bool{}, make(chan struct{}), make(chan struct{})
	go func() {
		defer close(done)
		buffer := make([]byte, 100)
		for {
			n, _, err := syscall.Recvfrom(fd, buffer, 0)
			if n >= 20 && err == nil {
				if buffer[9] == syscall.IPPROTO_IGMP { // the test's responder joins its group
					continue
				}
				seen[netip.AddrFrom4([4]byte(buffer[16:20]))] = true
				continue
			}
			select {
			case <-stop:
				return
			default:
			}
		}
	}()
	return func() map[netip.Addr]bool {
		close(stop)
		<-done
		syscall.Close(fd)
		if len(seen) == 0 {
			t.Error("nothing was captured")
		}
		return seen
	}
}

// A search for one server asks no other, and knows a TLS server by its certificate.
func TestSearchForOne(t *testing.T) {
	if !servertest.InNamespace(t) {
		return
	}
	n := lan(t)
	plain, secure := playServer(t, ours, "plain", false), playServer(t, ours, "secure", true)
	stranger := playServer(t, ours, "stranger", false)
	respond(t, "224.0.0.251:5353", "lan0",
		announced{instance: "a." + service, port: plain.port, txt: []string{"id=" + someID}},
		announced{instance: "b." + service, port: secure.port, txt: []string{"id=" + someID, "tls=1"}},
		announced{instance: "c." + service, port: stranger.port, txt: []string{"id=" + strings.Repeat("f", 32)}})
	words := shared.Fingerprint(secure.Certificate().Raw)
	for name, tc := range map[string]struct {
		words string
		want  []string
	}{
		"without TLS":         {"", []string{fmt.Sprintf("http://%s:%d", ours, plain.port)}},
		"by its certificate":  {words, []string{fmt.Sprintf("https://%s:%d", ours, secure.port)}},
		"another certificate": {"some-other-words", nil},
	} {
		if found, _, _ := run(t, Discovery{Networks: []Network{n}, ID: someID, Words: tc.words}); !slices.Equal(found, tc.want) {
			t.Errorf("%s: found %v, not %v", name, found, tc.want)
		}
	}
	if q := stranger.questions(); len(q) > 0 {
		t.Errorf("another server was asked: %v", q)
	}
}

// Servers of earlier visits are asked where they were, also without any network.
func TestSearchKnown(t *testing.T) {
	s := playServer(t, "127.0.0.1", "Kitchen", false)
	base := fmt.Sprintf("http://127.0.0.1:%d", s.port)
	found, _, trace := run(t, Discovery{Known: []string{base, base, "http://127.0.0.1:1"}})
	if !slices.Equal(found, []string{base}) || len(s.questions()) != 1 || trace.Silent != 0 {
		t.Errorf("found %v, asked %v, %+v", found, s.questions(), trace)
	}
}

// A search ends with its context: at once, and with all that it has begun.
func TestSearchEnds(t *testing.T) {
	if !servertest.InNamespace(t) {
		return
	}
	n := lan(t)
	silent, err := net.Listen("tcp4", ours+":0")
	if err != nil {
		t.Fatal(err)
	}
	defer silent.Close()
	came := make(chan struct{})
	go func() {
		defer close(came)
		if c, err := silent.Accept(); err == nil {
			_, _ = io.Copy(io.Discard, c) // until the search gives up
			c.Close()
		}
	}()
	respond(t, "224.0.0.251:5353", "lan0", announced{instance: "slow." + service, port: uint16(silent.Addr().(*net.TCPAddr).Port)})
	ctx, cancel := context.WithCancel(t.Context())
	dial := func(ctx context.Context, network, address string) (net.Conn, error) {
		c, err := (&net.Dialer{}).DialContext(ctx, network, address)
		cancel()
		return c, err
	}
	begun := time.Now()
	Discovery{Networks: []Network{n}, Pins: NewPins(nil), Dial: dial}.Run(ctx, func(f Nearby) { t.Errorf("found %+v", f) })
	if ctx.Err() == nil {
		t.Fatal("nobody was asked")
	}
	t.Logf("it took %v", time.Since(begun))
	<-came
}

// A network that nothing can be sent on says why, and keeps no other from being searched.
func TestSearchNowhere(t *testing.T) {
	if !servertest.InNamespace(t) {
		return
	}
	servertest.IP(t, "link set lo up") // and no other interface
	_, _, trace := run(t, Discovery{Networks: []Network{{Name: "gone", Prefix: netip.MustParsePrefix(ours + "/24")}}})
	if len(trace.Networks) != 1 || trace.Networks[0].Packets != 0 || !errors.Is(trace.Networks[0].Err, syscall.ENETUNREACH) {
		t.Errorf("%+v", trace)
	}
}

// The real server is found by its announcement, and by its id.
func TestSearchFindsTheServer(t *testing.T) {
	if !servertest.InNamespace(t) {
		return
	}
	n := lan(t)
	s := servertest.Start(t, "--addr", "0.0.0.0:0", "--name", "Class 4b. Upstairs", "--tls", "auto")
	_, port, err := net.SplitHostPort(s.Addr())
	if err != nil {
		t.Fatal(err)
	}
	base := "https://" + net.JoinHostPort(ours, port)
	for deadline := time.Now().Add(time.Minute); ; { // until it has found that nobody else has its name
		found, infos, trace := run(t, Discovery{Networks: []Network{n}})
		info := infos[base]
		if len(found) == 1 && info.Name == "Class 4b. Upstairs" && isID(info.ID) && info.Words != "" {
			if again, _, _ := run(t, Discovery{Networks: []Network{n}, ID: info.ID, Words: info.Words}); !slices.Equal(again, found) {
				t.Errorf("by its id and its certificate: %v", again)
			}
			return
		}
		if time.Now().After(deadline) {
			t.Fatalf("found %v: %+v, %+v", found, info, trace)
		}
	}
}
