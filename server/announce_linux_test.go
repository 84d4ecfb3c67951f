package main

import (
	"errors"
	"fmt"
	"net"
	"net/http"
	"net/netip"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"golang.org/x/net/dns/dnsmessage"
	"golang.org/x/net/ipv4"

	"parley/shared/servertest"
)

// TestAnnounceWhere looks at which networks a server is announced in.
func TestAnnounceWhere(t *testing.T) {
	lo := local(t, "lo", "127.0.0.1/8", "::1/128")
	lo.flags |= net.FlagLoopback
	all := []networkInterface{lo, local(t, "eth0", "192.168.1.5/24", "fd00::5/64"), local(t, "wlan0", "169.254.7.7/16"), local(t, "br0", "10.1.0.1/16"),
		local(t, "eth1", "203.0.113.5/24"), local(t, "eth2", "203.0.113.6/24", "172.16.0.1/12"), local(t, "tun0", "10.8.0.2/24"), local(t, "eth3", "fd00::7/64")}
	for listening, want := range map[string]string{
		"::":           "[{eth0 0 [192.168.1.5/24 fd00::5/64]} {wlan0 0 [169.254.7.7/16]} {br0 0 [10.1.0.1/16]} {eth2 0 [172.16.0.1/12]}]",
		"0.0.0.0":      "[{eth0 0 [192.168.1.5/24]} {wlan0 0 [169.254.7.7/16]} {br0 0 [10.1.0.1/16]} {eth2 0 [172.16.0.1/12]}]",
		"192.168.1.5":  "[{eth0 0 [192.168.1.5/24]}]",
		"127.0.0.1":    "[]",
		"::1":          "[]",
		"203.0.113.5":  "[]",
		"fd00::5":      "[]",
		"192.168.1.77": "[]",
	} {
		if got := fmt.Sprint(networks(all, netip.MustParseAddr(listening))); got != want {
			t.Errorf("%s: %s, want %s", listening, got, want)
		}
	}
}

// search is the question of an app that looks for servers.
func search(t *testing.T) []byte {
	t.Helper()
	m := dnsmessage.Message{Header: dnsmessage.Header{ID: 4711}, Questions: []dnsmessage.Question{
		{Name: dnsmessage.MustNewName(serviceType + ".local."), Type: dnsmessage.TypePTR, Class: dnsmessage.ClassINET}}}
	return must(m.Pack())
}

// seen is what an app reads in an answer.
type seen struct {
	source, address, host, instance, id, tls string
	port                                     uint16
}

// answer reads the next answer to a search.
func answer(t *testing.T, c net.PacketConn) seen {
	t.Helper()
	s, err := nextAnswer(t, c, time.Now().Add(30*time.Second))
	if err != nil {
		t.Fatalf("a search has no answer: %v", err)
	}
	return s
}

func nextAnswer(t *testing.T, c net.PacketConn, late time.Time) (s seen, err error) {
	t.Helper()
	_ = c.SetReadDeadline(late)
	buf := make([]byte, 9000)
	n, from, err := c.ReadFrom(buf)
	if err != nil {
		return s, err
	}
	var m dnsmessage.Message
	if err := m.Unpack(buf[:n]); err != nil || m.ID != 4711 || len(m.Questions) != 1 {
		t.Fatalf("the answer is %v, %+v", err, m)
	}
	s.source = from.(*net.UDPAddr).AddrPort().Addr().Unmap().String()
	for _, r := range append(m.Answers, m.Additionals...) {
		switch body := r.Body.(type) {
		case *dnsmessage.SRVResource:
			s.host, s.port = body.Target.String(), body.Port
			s.instance = strings.TrimSuffix(r.Header.Name.String(), "."+serviceType+".local.")
		case *dnsmessage.AResource:
			s.address += netip.AddrFrom4(body.A).String()
		case *dnsmessage.TXTResource:
			for _, text := range body.TXT {
				if id, ok := strings.CutPrefix(text, "id="); ok {
					s.id = id
				}
				if tls, ok := strings.CutPrefix(text, "tls="); ok {
					s.tls = tls
				}
			}
		}
	}
	return s, nil
}

// find asks at an address from a host's until it is answered, as an app does: while the
// server follows its addresses a question may be lost. The host's interface dev is where
// multicast goes.
func find(t *testing.T, h *servertest.Host, own, to, dev string) seen {
	t.Helper()
	c := h.Socket(own)
	h.Within(func() {
		if err := ipv4.NewPacketConn(c).SetMulticastInterface(must(net.InterfaceByName(dev))); err != nil {
			t.Error(err)
		}
	})
	for range 30 {
		if _, err := c.WriteTo(search(t), net.UDPAddrFromAddrPort(netip.MustParseAddrPort(to))); err != nil {
			t.Fatalf("%s: %v", to, err)
		}
		if s, err := nextAnswer(t, c, time.Now().Add(time.Second)); err == nil {
			return s
		}
	}
	t.Fatalf("searches at %s have no answer", to)
	return seen{}
}

const settled = `msg="announced on the network".*\n`

// status is the answer to a request under a Host.
func status(t *testing.T, url, host string) int {
	t.Helper()
	req := must(http.NewRequest(http.MethodGet, url, nil))
	req.Host = host
	resp, err := (&http.Client{Transport: &http.Transport{DisableKeepAlives: true}}).Do(req)
	if err != nil {
		t.Fatal(err)
	}
	resp.Body.Close()
	return resp.StatusCode
}

// TestAnnounce has apps in two networks without a default route look for a server, in
// each way that they know, and counts what the server sends to anybody else.
func TestAnnounce(t *testing.T) {
	if !servertest.InNamespace(t) {
		return
	}
	needsProgram(t, "nft", "nftables")
	servertest.IP(t, "link set lo up")
	ann, bob := servertest.NewHost(t), servertest.NewHost(t)
	ann.Cable("eth7", "10.7.0.2/24")
	bob.Cable("wlan7", "192.168.9.2/24")
	servertest.IP(t, "addr add 10.7.0.1/24 dev eth7")
	servertest.IP(t, "addr add 192.168.9.1/24 dev wlan7")
	elsewhere := sent(t, "224.0.0.251", "10.7.0.0/24", "192.168.9.0/24")

	out, stop := runServer(t, "--addr", ":8123", "--data", t.TempDir(), "--name", "Class 4.b")
	out.wait(t, settled)
	id := regexp.MustCompile(`"id":"([0-9a-f]{32})"`).FindStringSubmatch(get(t, "http://127.0.0.1:8123/api/server"))
	if id == nil {
		t.Fatal("/api/server has no id")
	}
	host := "parley-" + id[1][:4] + ".local"
	if text := out.wait(t, `(?s)go to:.*by name.*?local.*?\n`); !strings.Contains(text, "http://"+host+":8123/") {
		t.Errorf("the terminal shows\n%s", text)
	}
	for _, test := range []struct {
		h                  *servertest.Host
		own, to, dev, want string
	}{
		{ann, "10.7.0.2", "224.0.0.251:5353", "eth7p", "10.7.0.1"},
		{ann, "", "10.7.0.255:5353", "eth7p", "10.7.0.1"},
		{ann, "", "10.7.0.1:5353", "eth7p", "10.7.0.1"},
		{ann, "", "10.7.0.1:8123", "eth7p", "10.7.0.1"},
		{bob, "192.168.9.2", "224.0.0.251:5353", "wlan7p", "192.168.9.1"},
		{bob, "", "192.168.9.255:5353", "wlan7p", "192.168.9.1"},
		{bob, "", "192.168.9.255:8123", "wlan7p", "192.168.9.1"},
	} {
		want := seen{source: test.want, address: test.want, host: host + ".", instance: "Class 4․b", id: id[1], tls: "0", port: 8123}
		if got := find(t, test.h, test.own, test.to, test.dev); got != want {
			t.Errorf("%s is told %+v, want %+v", test.to, got, want)
		}
	}
	for host, want := range map[string]int{host + ":8123": 200, "parley.local:8123": 200, "PARLEY.local.:8123": 200, "parley-zzzz.local:8123": 403, "parley-2.local:8123": 403} {
		if got := status(t, "http://127.0.0.1:8123/api/server", host); got != want {
			t.Errorf("to %s it answers %d, want %d", host, got, want)
		}
	}

	// Someone who is not in the network gets nothing, whatever way leads back, and
	// neither does junk.
	ann.Run("ip addr add 203.0.113.9/24 dev eth7p")
	servertest.IP(t, "route add 203.0.113.0/24 dev eth7")
	c, near := ann.Socket("203.0.113.9"), ann.Socket("10.7.0.2")
	for _, port := range []string{"5353", "8123"} {
		to := must(net.ResolveUDPAddr("udp4", "10.7.0.1:"+port))
		for range 20 {
			must(c.WriteTo(search(t), to))
			must(near.WriteTo([]byte("\x12\x67\x00\x00\xff\xff\xff\xff\xff\xff\xff\xff\xc0\x0c"), to))
		}
		must(near.WriteTo(search(t), to)) // behind all of these
		if got := answer(t, near); got.id != id[1] {
			t.Errorf("port %s, behind a stranger and junk: %+v", port, got)
		}
	}
	stop()
	if n := elsewhere(); n != "0" {
		t.Errorf("%s packets went to other networks", n)
	}
}

// TestAnnounceMoves changes the server's address, takes multicast away, and then all
// networks.
func TestAnnounceMoves(t *testing.T) {
	if !servertest.InNamespace(t) {
		return
	}
	needsProgram(t, "nft", "nftables")
	ann := servertest.NewNeighbour(t)
	data := t.TempDir()
	out, stop := runServer(t, "--addr", ":8123", "--data", data)
	out.wait(t, settled)
	before := find(t, ann, "10.7.0.2", "224.0.0.251:5353", "eth7p")

	servertest.IP(t, "addr add 10.7.0.50/24 dev eth7")
	servertest.IP(t, "addr del 10.7.0.1/24 dev eth7") // and with it the second one of the network
	servertest.IP(t, "addr replace 10.7.0.50/24 dev eth7")
	out.wait(t, `(?s)announced on the network.*announced on the network`)
	want := before
	want.source, want.address = "10.7.0.50", "10.7.0.50"
	if got := find(t, ann, "10.7.0.2", "224.0.0.251:5353", "eth7p"); got != want {
		t.Errorf("after the move it tells %+v, want %+v", got, want)
	}

	servertest.Firewall(t, "add table ip f\nadd chain ip f in { type filter hook input priority 0; }\nadd rule ip f in ip daddr 224.0.0.0/4 drop\n")
	if got := find(t, ann, "", "10.7.0.255:5353", "eth7p"); got != want {
		t.Errorf("without multicast it tells %+v, want %+v", got, want)
	}
	servertest.Firewall(t, "add rule ip f in ip daddr 10.7.0.255 drop\n")
	if got := find(t, ann, "", "10.7.0.50:5353", "eth7p"); got != want {
		t.Errorf("without broadcast it tells %+v, want %+v", got, want)
	}

	servertest.IP(t, "link set eth7 down")
	out.wait(t, `in no network now[^│]*go to:\n  http://localhost`)
	stop()
}

// TestNotAnnounced has servers that send nothing at all.
func TestNotAnnounced(t *testing.T) {
	if !servertest.InNamespace(t) {
		return
	}
	needsProgram(t, "nft", "nftables")
	servertest.NewNeighbour(t)
	anywhere := sent(t)
	for _, args := range [][]string{{"--addr", ":8123", "--no-announce"}, {"--addr", "127.0.0.1:8123"}} {
		out, stop := runServer(t, append(args, "--data", t.TempDir())...)
		if text := out.wait(t, `(?s)Parley is open.*Ctrl-C`); strings.Contains(text, ".local") {
			t.Errorf("%q: the terminal shows\n%s", args, text)
		}
		if got := status(t, "http://127.0.0.1:8123/api/server", "parley.local"); got != http.StatusForbidden {
			t.Errorf("%q: to parley.local it answers %d", args, got)
		}
		stop()
	}
	if n := anywhere(); n != "0" {
		t.Errorf("%s packets were sent", n)
	}
	out, stop := runServer(t, "--addr", ":8123", "--data", t.TempDir())
	out.wait(t, settled)
	stop()
	if n := anywhere(); n == "0" {
		t.Error("what an announced server sends was not counted")
	}
}

// switched puts two hosts and the test's own into one network: 10.7.0.1, .2 and .3.
func switched(t *testing.T) (two, three *servertest.Host) {
	t.Helper()
	for _, args := range []string{"link set lo up", "link add br7 type bridge", "addr add 10.7.0.1/24 dev br7", "link set br7 up"} {
		servertest.IP(t, args)
	}
	two, three = servertest.NewHost(t), servertest.NewHost(t)
	two.Cable("eth7", "10.7.0.2/24")
	three.Cable("eth8", "10.7.0.3/24")
	servertest.IP(t, "link set eth7 master br7")
	servertest.IP(t, "link set eth8 master br7")
	return two, three
}

// twin copies a log as a backup and its restoration do.
func twin(t *testing.T, data string) (copied string) {
	t.Helper()
	backup, copied := filepath.Join(t.TempDir(), "backup.db"), filepath.Join(t.TempDir(), "copy")
	for _, args := range [][]string{{"backup", backup, "--data", data}, {"restore", backup, "--data", copied}} {
		if err := run(t.Context(), args, nil, servertest.NewOutput(), servertest.NewOutput()); err != nil {
			t.Fatal(err)
		}
	}
	return copied
}

// findAll asks everyone from the test's own host until so many servers have answered
// under names of their own, and returns them by address.
func findAll(t *testing.T, n int) map[string]seen {
	t.Helper()
	c := must(net.ListenPacket("udp4", "10.7.0.1:0"))
	defer c.Close()
	if err := ipv4.NewPacketConn(c).SetMulticastInterface(must(net.InterfaceByName("br7"))); err != nil {
		t.Fatal(err)
	}
	found := map[string]seen{}
	for range 60 {
		must(c.WriteTo(search(t), must(net.ResolveUDPAddr("udp4", "224.0.0.251:5353"))))
		hosts := map[string]bool{}
		clear(found)
		for late := time.Now().Add(time.Second); ; {
			s, err := nextAnswer(t, c, late)
			if err != nil {
				break
			}
			found[s.source], hosts[s.host] = s, true
			if len(hosts) == n {
				return found
			}
		}
	}
	t.Fatalf("found are only %+v", found)
	return nil
}

// TestAnnounceTwice has two servers of one log, as after a restore, in one network.
func TestAnnounceTwice(t *testing.T) {
	if !servertest.InNamespace(t) {
		return
	}
	two, _ := switched(t)
	data := t.TempDir()
	out, stop := runServer(t, "--addr", ":8123", "--data", data, "--name", "Attic")
	first := out.wait(t, settled)
	said := servertest.NewOutput()
	two.Serve(said, "--addr", ":8123", "--data", twin(t, data), "--name", "Attic")
	second := said.Wait(t, settled)
	found := findAll(t, 2)
	one, other := found["10.7.0.1"], found["10.7.0.2"]
	if one.id == "" || one.id != other.id {
		t.Errorf("the ids are %q and %q", one.id, other.id)
	}
	host := strings.TrimSuffix(one.host, ".local.")
	if one.instance != "Attic" || other.instance != "Attic (2)" || other.host != host+"-2.local." || other.address != "10.7.0.2" {
		t.Errorf("found are %+v and %+v", one, other)
	}
	if !strings.Contains(first, host+".local parley.local") || strings.Contains(second, " parley.local") {
		t.Errorf("they say\n%s%s", first, second)
	}
	stop()
}

// TestAnnounceAtOnce starts these two at the same moment, as when the power is back.
func TestAnnounceAtOnce(t *testing.T) {
	if !servertest.InNamespace(t) {
		return
	}
	two, three := switched(t)
	data := t.TempDir()
	_, stop := startServer(t, data)
	stop()
	copied, said := twin(t, data), servertest.NewOutput()
	servertest.Binary(t)
	two.Serve(said, "--addr", ":8123", "--data", data)
	three.Serve(said, "--addr", ":8123", "--data", copied)
	found := findAll(t, 2)
	a, b := found["10.7.0.2"], found["10.7.0.3"]
	if a.id != b.id || a.host == b.host || a.instance == b.instance || a.address != "10.7.0.2" || b.address != "10.7.0.3" {
		t.Errorf("found are %+v and %+v\n%s", a, b, said)
	}
}

// TestAnnounceAgainstAll has someone say that every name is theirs. The server is found
// all the same.
func TestAnnounceAgainstAll(t *testing.T) {
	if !servertest.InNamespace(t) {
		return
	}
	ann := servertest.NewNeighbour(t)
	var c net.PacketConn
	var p *ipv4.PacketConn
	group := &net.UDPAddr{IP: net.IPv4(224, 0, 0, 251), Port: 5353}
	ann.Within(func() {
		c = must(net.ListenPacket("udp4", "224.0.0.0:5353"))
		p = ipv4.NewPacketConn(c)
		i := must(net.InterfaceByName("eth7p"))
		if err := errors.Join(p.JoinGroup(i, group), p.SetMulticastInterface(i)); err != nil {
			t.Error(err)
		}
	})
	over := make(chan bool)
	go func() {
		defer close(over)
		buf := make([]byte, 9000)
		for {
			n, _, err := c.ReadFrom(buf)
			if err != nil {
				return
			}
			var m dnsmessage.Message
			if m.Unpack(buf[:n]) != nil || m.Response {
				continue
			}
			mine := dnsmessage.Message{Header: dnsmessage.Header{Response: true}}
			for _, q := range m.Questions {
				h := dnsmessage.ResourceHeader{Name: q.Name, Class: dnsmessage.ClassINET, TTL: 120}
				mine.Answers = append(mine.Answers, dnsmessage.Resource{Header: h, Body: &dnsmessage.AResource{A: [4]byte{10, 7, 0, 2}}},
					dnsmessage.Resource{Header: h, Body: &dnsmessage.SRVResource{Target: q.Name}})
			}
			if packet, err := mine.Pack(); err == nil {
				c.WriteTo(packet, group)
			}
		}
	}()
	t.Cleanup(func() { c.Close(); <-over })
	out, stop := runServer(t, "--addr", ":8123", "--data", t.TempDir(), "--name", "Attic")
	if text := out.wait(t, settled); strings.Contains(text, "parley.local") {
		t.Errorf("it has taken a name that is another's: %s", text)
	}
	if got := find(t, ann, "10.7.0.2", "10.7.0.1:8123", "eth7p"); got.address != "10.7.0.1" || !strings.HasPrefix(got.instance, "Attic (") {
		t.Errorf("it tells %+v", got)
	}
	stop()
}

// TestAnnounceWithoutPort has another program keep port 5353 to itself: the server
// says so once, runs, and is found at its own port.
func TestAnnounceWithoutPort(t *testing.T) {
	if !servertest.InNamespace(t) {
		return
	}
	ann := servertest.NewNeighbour(t)
	other := must(net.ListenPacket("udp4", ":5353"))
	defer other.Close()
	out, stop := runServer(t, "--addr", ":8123", "--data", t.TempDir())
	out.wait(t, "Ctrl-C")
	want := seen{source: "10.7.0.1", address: "10.7.0.1"}
	if got := find(t, ann, "", "10.7.0.1:8123", "eth7p"); got.source != want.source || got.address != want.address {
		t.Errorf("it tells %+v", got)
	}
	servertest.IP(t, "addr add 10.8.0.1/24 dev eth7")
	out.wait(t, "other addresses now")
	want.address = "10.7.0.110.8.0.1" // it follows
	for got := (seen{}); got.address != want.address; {
		got = find(t, ann, "", "10.7.0.1:8123", "eth7p")
	}
	stop()
	out.mu.Lock()
	defer out.mu.Unlock()
	if text := out.b.String(); strings.Count(text, "level=WARN") != 1 || !strings.Contains(text, "another program has UDP port 5353") {
		t.Errorf("it did not warn once:\n%s", text)
	}
}

// TestAnnounceNextToAvahi has an independent program read the announcement, on another
// host, while a second Avahi runs on the server's: begun before it, and after it.
func TestAnnounceNextToAvahi(t *testing.T) {
	for program, pkg := range map[string]string{"avahi-daemon": "avahi-daemon", "avahi-browse": "avahi-utils", "dbus-daemon": "dbus"} {
		needsProgram(t, program, pkg)
	}
	if !servertest.InNamespace(t) {
		return
	}
	ann := servertest.NewNeighbour(t)
	reader, _ := servertest.StartAvahi(t, ann)
	avahi := func(args ...string) string {
		t.Helper()
		cmd := ann.Command(args...)
		cmd.Env = append(os.Environ(), "DBUS_SYSTEM_BUS_ADDRESS="+reader)
		out, err := cmd.CombinedOutput()
		var exit *exec.ExitError
		if err != nil && !errors.As(err, &exit) {
			t.Fatal(err)
		}
		return string(out)
	}
	for _, when := range []string{"before", "after"} {
		var stopAvahi func()
		if when == "before" {
			_, stopAvahi = servertest.StartAvahi(t, nil)
		}
		out, stop := runServer(t, "--addr", ":8123", "--data", t.TempDir(), "--name", "Zoë 4")
		host := regexp.MustCompile(`parley-\w+\.local`).FindString(out.wait(t, settled))
		if when == "after" {
			_, stopAvahi = servertest.StartAvahi(t, nil)
		}
		// Avahi's programs wait for an answer no longer than they like.
		finds := func(wants []string, args ...string) {
			t.Helper()
			got := ""
			for range 10 {
				got = avahi(args...)
				if !slices.ContainsFunc(wants, func(want string) bool { return !strings.Contains(got, want) }) {
					return
				}
			}
			t.Errorf("Avahi %s: %q has\n%s", when, args, got)
		}
		finds([]string{`=;eth7p;IPv4;Zo\195\171\0324;`, ";" + host + ";10.7.0.1;8123;", `"tls=0"`}, "avahi-browse", "--resolve", "--terminate", "--parsable", serviceType)
		for _, name := range []string{host, "parley.local"} {
			finds([]string{"10.7.0.1"}, "avahi-resolve", "--name", name)
		}
		for _, to := range []string{"224.0.0.251:5353", "10.7.0.255:5353", "10.7.0.1:8123"} { // all but unicast at 5353
			if got := find(t, ann, "10.7.0.2", to, "eth7p"); got.host != host+"." {
				t.Errorf("Avahi %s: %s tells %+v", when, to, got)
			}
		}
		stop()
		got := "?"
		// It takes off what says goodbye after a second, and others after two minutes.
		for end := time.Now().Add(time.Minute); got != "" && time.Now().Before(end); {
			got = avahi("avahi-browse", "--terminate", "--parsable", serviceType)
		}
		if got != "" {
			t.Errorf("Avahi %s: after the server's end avahi-browse has\n%s", when, got)
		}
		stopAvahi()
	}
}
