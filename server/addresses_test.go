package main

import (
	"fmt"
	"io"
	"net"
	"net/http"
	"net/netip"
	"slices"
	"strings"
	"testing"
	"time"

	"parley/shared/servertest"
)

func TestReachable(t *testing.T) {
	on := func(name, addrs string, flags ...net.Flags) networkInterface {
		i := networkInterface{name: name, flags: net.FlagUp}
		for _, f := range flags {
			i.flags |= f
		}
		for s := range strings.FieldsSeq(addrs) {
			a := netip.MustParseAddr(s)
			i.prefixes = append(i.prefixes, netip.PrefixFrom(a, a.BitLen()))
		}
		return i
	}
	lo := on("lo", "127.0.0.1 ::1", net.FlagLoopback)
	for name, test := range map[string]struct {
		interfaces []networkInterface
		routes     string
		want       string
	}{
		"a laptop": {[]networkInterface{lo,
			on("docker0", "172.17.0.1"), on("enp3s0", "192.0.2.9"), on("wlp2s0", "192.0.2.5 2001:db8::5 fe80::5 fd00::5"), on("zeronet0", "198.51.100.7")},
			"192.0.2.5 2001:db8::5", "192.0.2.5 2001:db8::5 fd00::5 192.0.2.9 198.51.100.7 172.17.0.1"},
		"a VPN has the default route": {[]networkInterface{lo, on("tun0", "10.8.0.2", net.FlagPointToPoint), on("wlan0", "192.168.1.5")},
			"10.8.0.2", "192.168.1.5 10.8.0.2"},
		"a VPN without the flag":         {[]networkInterface{on("tailscale0", "100.64.0.7"), on("eth0", "192.168.1.5")}, "192.168.1.5", "192.168.1.5 100.64.0.7"},
		"a bridge has the default route": {[]networkInterface{on("eth0", "10.0.0.2"), on("br0", "192.168.1.5")}, "192.168.1.5", "192.168.1.5 10.0.0.2"},
		"a travel router":                {[]networkInterface{lo, on("br-lan", "10.1.0.1"), on("wlan0", "192.168.8.2"), on("veth1", "10.2.0.1")}, "", "192.168.8.2 10.1.0.1 10.2.0.1"},
		"an access point of one's own":   {[]networkInterface{lo, on("wlan0", "192.168.4.1 192.0.2.1")}, "", "192.168.4.1 192.0.2.1"},
		"several on the route's":         {[]networkInterface{on("eth0", "10.0.0.7 10.0.0.2 2001:db8::1")}, "10.0.0.2", "10.0.0.2 10.0.0.7 2001:db8::1"},
		"only IPv6":                      {[]networkInterface{lo, on("eth0", "fe80::1 fd00::1")}, "", "fd00::1"},
		"none answered a lease":          {[]networkInterface{lo, on("eth0", "169.254.7.7 fe80::1")}, "", ""},
		"Windows":                        {[]networkInterface{on("vEthernet (WSL)", "172.20.0.1"), on("Wi-Fi", "192.168.1.5")}, "", "192.168.1.5 172.20.0.1"},
	} {
		var routes []netip.Addr
		for s := range strings.FieldsSeq(test.routes) {
			routes = append(routes, netip.MustParseAddr(s))
		}
		if got := strings.Trim(fmt.Sprint(reachable(test.interfaces, routes)), "[]"); got != test.want {
			t.Errorf("%s: %s, want %s", name, got, test.want)
		}
	}
}

func TestInvitation(t *testing.T) {
	local := []netip.Addr{netip.MustParseAddr("192.0.2.5"), netip.MustParseAddr("2001:db8::5")}
	for _, test := range []struct {
		listening string
		addresses []netip.Addr
		i         invitation
		want      string // the links for others
		first     string // that the terminal shows
	}{
		{"[::]:8000", local, invitation{}, "[http://192.0.2.5:8000/ http://[2001:db8::5]:8000/]", "http://192.0.2.5:8000/"},
		{"0.0.0.0:1", nil, invitation{}, "[]", "http://localhost:1/"},
		{"[::ffff:0.0.0.0]:1", nil, invitation{}, "[]", "http://localhost:1/"}, // as a listener of IPv4 alone may say it
		{"127.0.0.1:9", local, invitation{}, "[]", "http://127.0.0.1:9/"},
		{"127.0.0.1:9", local, invitation{url: "https://chat.example.org/parley", room: "Hall"}, "[]", "http://127.0.0.1:9/r/Hall"},
		{"[2001:db8::1]:80", local, invitation{}, "[http://[2001:db8::1]:80/]", "http://[2001:db8::1]:80/"},
		{"[::]:8000", local[:1], invitation{room: "Team Pizza"}, "[http://192.0.2.5:8000/r/Team%20Pizza]", "http://192.0.2.5:8000/r/Team%20Pizza"},
		{"[::]:8000", local[:1], invitation{path: "/parley"}, "[http://192.0.2.5:8000/parley/]", "http://192.0.2.5:8000/parley/"},
	} {
		all := &addresses{}
		all.current.Store(&found{reachable: test.addresses})
		i := test.i
		i.addresses, i.listening, i.words = all, netip.MustParseAddrPort(test.listening), func() string { return "" }
		i.host = i.words
		if got := fmt.Sprint(i.links()); got != test.want {
			t.Errorf("%s: %s, want %s", test.listening, got, test.want)
		}
		var out strings.Builder
		i.greet(&out)
		lines := strings.Split(out.String(), "\n")
		if strings.TrimSpace(lines[1]) != test.first || strings.Contains(out.String(), "█") != (test.want != "[]") {
			t.Errorf("%s: the terminal shows\n%s", test.listening, &out)
		}
		if strings.Contains(lines[0], "On any device") != (test.want != "[]") {
			t.Errorf("%s: the terminal says %q", test.listening, lines[0])
		}
		if local := i.page(0).Local; local != strings.HasPrefix(test.listening, "127.") {
			t.Errorf("%s: the page says that this computer alone reaches it: %v", test.listening, local)
		}
		want := test.want
		if i.url != "" {
			want = "[https://chat.example.org/parley/r/Hall]"
		}
		if got := fmt.Sprint(i.page(0).Links); got != want {
			t.Errorf("%s: /join leads to %s, want %s", test.listening, got, want)
		}
		out.Reset()
		i.moved(&out)
		if moves := i.listening.Addr().Unmap().IsUnspecified(); strings.Contains(out.String(), test.first) != moves || !moves && out.Len() > 0 {
			t.Errorf("%s: when the addresses change, the terminal says\n%s", test.listening, &out)
		}
	}
}

// get returns the body of an answer that must be 200.
func get(t *testing.T, url string) string {
	t.Helper()
	resp, err := http.Get(url)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	body, err := io.ReadAll(resp.Body)
	if err != nil || resp.StatusCode != http.StatusOK {
		t.Fatalf("%s: %d, %v", url, resp.StatusCode, err)
	}
	http.DefaultClient.CloseIdleConnections()
	return string(body)
}

// TestNetworks has a server on a host with two networks and a bridge, without and
// with a default route, and with an address that changes.
func TestNetworks(t *testing.T) {
	if !servertest.InNamespace(t) {
		return
	}
	for _, args := range []string{
		"link set lo up",
		"link add br7 type bridge", "addr add 10.7.0.1/24 dev br7", "link set br7 up",
		"link add eth7 type veth peer name far7", "link set far7 up", "addr add 10.9.0.5/24 dev eth7", "link set eth7 up",
		"link add wlan7 type veth peer name far8", "link set far8 up", "addr add 198.51.100.5/24 dev wlan7", "link set wlan7 up",
	} {
		servertest.IP(t, args)
	}
	out, ctx, data := servertest.NewOutput(), t.Context(), t.TempDir()
	done := make(chan error, 1)
	go func() {
		done <- run(ctx, []string{"--addr", ":8123", "--data", data, "--room", "Lobby"}, nil, out, out)
	}()
	t.Cleanup(func() {
		if err := <-done; err != nil {
			t.Error(err)
		}
	})
	// The server may have looked between two changes: it looks again.
	joins := func(want ...string) {
		t.Helper()
		for i, host := range want {
			want[i] = "http://" + host + ":8123/r/Lobby"
		}
		for end := time.Now().Add(time.Minute); ; time.Sleep(100 * time.Millisecond) {
			var links []string
			for line := range strings.Lines(get(t, "http://127.0.0.1:8123/join.txt")) {
				if strings.HasPrefix(line, "http") {
					links = append(links, strings.TrimSpace(line))
				}
			}
			if slices.Equal(links, want) {
				return
			}
			if time.Now().After(end) {
				t.Errorf("/join.txt has %q, want %q", links, want)
				return
			}
		}
	}
	out.Wait(t, `go to:\n  http://10\.9\.0\.5`)
	joins("10.9.0.5", "198.51.100.5", "10.7.0.1") // no default route

	servertest.IP(t, "route add default via 198.51.100.1 dev wlan7")
	out.Wait(t, `other addresses now(.|\n)*http://198\.51\.100\.5`)
	joins("198.51.100.5", "10.9.0.5", "10.7.0.1")

	servertest.IP(t, "addr add 203.0.113.5/24 dev wlan7")
	servertest.IP(t, "addr del 198.51.100.5/24 dev wlan7")
	out.Wait(t, `other addresses now(.|\n)*http://203\.0\.113\.5`)
	joins("203.0.113.5", "10.9.0.5", "10.7.0.1") // the route stays

	servertest.IP(t, "link set eth7 down")
	servertest.IP(t, "link set wlan7 down")
	servertest.IP(t, "link set br7 down")
	out.Wait(t, `in no network now[^│]*go to:\n  http://localhost`)
	joins()
}
