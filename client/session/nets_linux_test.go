package session_test

import (
	"context"
	"fmt"
	"net"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"parley/client/session"
	"parley/shared/servertest"
)

// The networks of these tests join hosts in namespaces: the app's, which has no default
// route, and those of real servers.

// needs skips the test without a program.
func needs(t *testing.T, program, pkg string) {
	t.Helper()
	if _, err := exec.LookPath(program); err != nil {
		t.Skipf("there is no %s: apt install %s", program, pkg)
	}
}

// serve starts a server on a host, and returns once it is announced there.
func serve(t *testing.T, h *servertest.Host, flags ...string) (said *servertest.Output, stop func()) {
	t.Helper()
	said = servertest.NewOutput()
	stop = h.Serve(said, flags...)
	said.Wait(t, `msg="announced on the network"`)
	return said, stop
}

// look searches until so many servers are found, or the search is over, and returns the
// lines that the app would show, sorted.
func look(t *testing.T, what string, s session.Discovery, enough int) (lines []string, infos []session.ServerInfo, trace session.Trace) {
	t.Helper()
	if s.Pins == nil {
		s.Pins = session.NewPins(nil)
	}
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	begun, first := time.Now(), time.Duration(0)
	trace = s.Run(ctx, func(f session.Nearby) {
		if first == 0 {
			first = time.Since(begun)
		}
		lines, infos = append(lines, f.Info.Name+" "+f.Base), append(infos, f.Info)
		if len(lines) == enough {
			cancel()
		}
	})
	slices.Sort(lines)
	t.Logf("%s: the first of %d lines after %v", what, len(lines), first.Round(10*time.Microsecond))
	return lines, infos, trace
}

// counted counts the IPv4 packets, of a kind in the words of nft(8), that this host sends to
// other hosts.
func counted(t *testing.T, table, which string) func() int {
	t.Helper()
	servertest.Firewall(t, "add table ip "+table+"\nadd chain ip "+table+" out { type filter hook output priority 0; }\n"+
		"add rule ip "+table+" out oif != lo meta l4proto != igmp "+which+" counter\n")
	return func() int {
		t.Helper()
		out := servertest.Firewall(t, "list chain ip "+table+" out\n")
		_, after, _ := strings.Cut(out, "counter packets ")
		number, _, _ := strings.Cut(after, " ")
		n, err := strconv.Atoi(number)
		if err != nil {
			t.Fatalf("nothing was counted:\n%s", out)
		}
		return n
	}
}

// Four hosts, of which the app's is in two local networks, in a VPN and in a network that is
// not local. Two servers have the same id, as after a restore: they stay two lines.
func TestSearchHosts(t *testing.T) {
	needs(t, "nft", "nftables")
	if !servertest.InNamespace(t) {
		return
	}
	for _, args := range []string{"link set lo up", "link add br7 type bridge", "addr add 10.7.0.1/24 dev br7", "link set br7 up"} {
		servertest.IP(t, args)
	}
	attic, copied, shed, vpn, far := servertest.NewHost(t), servertest.NewHost(t), servertest.NewHost(t), servertest.NewHost(t), servertest.NewHost(t)
	attic.Cable("eth7", "10.7.0.2/24")
	copied.Cable("eth8", "10.7.0.3/24")
	shed.Cable("wlan9", "192.168.9.2/24")
	vpn.Cable("tun0", "10.9.0.2/24")
	far.Cable("eth9", "203.0.113.2/24")
	for _, args := range []string{"link set eth7 master br7", "link set eth8 master br7", "addr add 192.168.9.1/24 dev wlan9",
		"addr add 10.9.0.1/24 dev tun0", "addr add 203.0.113.1/24 dev eth9"} {
		servertest.IP(t, args)
	}
	dir := t.TempDir()
	data := filepath.Join(dir, "data")
	said, stop := serve(t, attic, "--addr", ":8123", "--data", data, "--name", "Attic")
	two := session.Discovery{Networks: session.Networks()}
	if lines, _, _ := look(t, "two hosts", two, 1); !slices.Equal(lines, []string{"Attic http://10.7.0.2:8123"}) {
		t.Fatalf("found %q\n%s", lines, said)
	}
	stop()

	backup := filepath.Join(dir, "backup.db")
	for _, args := range [][]string{{"backup", backup, "--data", data}, {"restore", backup, "--data", filepath.Join(dir, "copy")}} {
		if out, err := exec.Command(servertest.Binary(t), args...).CombinedOutput(); err != nil {
			t.Fatalf("%q: %v\n%s", args, err, out)
		}
	}
	serve(t, attic, "--addr", ":8123", "--data", data, "--name", "Attic")
	serve(t, copied, "--addr", ":8123", "--data", filepath.Join(dir, "copy"), "--name", "Attic")
	serve(t, shed, "--addr", ":8124", "--data", filepath.Join(dir, "shed"), "--name", "Shed", "--tls", "auto")

	elsewhere := counted(t, "elsewhere", "ip daddr != { 224.0.0.251, 10.7.0.0/24, 192.168.9.0/24 }")
	search := session.Discovery{Networks: session.Networks()}
	want := []string{"Attic http://10.7.0.2:8123", "Attic http://10.7.0.3:8123", "Shed https://192.168.9.2:8124"}
	lines, infos, trace := look(t, "four hosts", search, -1)
	if !slices.Equal(lines, want) {
		t.Errorf("found %q, not %q; %+v", lines, want, trace)
	}
	ids := map[string]int{}
	var secure session.ServerInfo
	for _, i := range infos {
		ids[i.ID]++
		if i.Name == "Shed" {
			secure = i
		}
	}
	if len(ids) != 2 || secure.Words == "" {
		t.Errorf("the servers are %+v", infos)
	}
	search.ID, search.Words = secure.ID, secure.Words
	if lines, _, _ := look(t, "by its id", search, -1); !slices.Equal(lines, want[2:]) {
		t.Errorf("by its id and its certificate there is %q", lines)
	}

	// A default route changes nothing.
	servertest.IP(t, "route add default via 203.0.113.2 dev eth9")
	if lines, _, _ := look(t, "with a default route", session.Discovery{Networks: session.Networks(), Harder: true}, len(want)); !slices.Equal(lines, want) {
		t.Errorf("with a default route there is %q", lines)
	}
	if n := elsewhere(); n != 0 {
		t.Errorf("%d packets went to other networks", n)
	}
}

// A network that passes on less and less.
func TestSearchFiltered(t *testing.T) {
	needs(t, "nft", "nftables")
	if !servertest.InNamespace(t) {
		return
	}
	attic := servertest.NewNeighbour(t)
	serve(t, attic, "--addr", ":8123", "--data", t.TempDir(), "--name", "Attic")
	attic.Firewall("add table ip f\nadd chain ip f in { type filter hook input priority 0; }\n")

	base := "http://10.7.0.2:8123"
	there := []string{"Attic " + base}
	plain := session.Discovery{Networks: session.Networks()}
	harder, known := plain, plain
	harder.Harder, known.Known = true, []string{base}
	const multicast, broadcast, udp, tcp = "ip daddr 224.0.0.0/4", "ip daddr 10.7.0.255", "meta l4proto udp", "meta l4proto tcp"
	for _, step := range []struct {
		what    string
		dropped []string
		search  session.Discovery
		want    []string
	}{
		{"nothing dropped", nil, plain, there},
		{"broadcast dropped", []string{broadcast}, plain, there},
		{"multicast dropped", []string{multicast}, plain, there},
		{"both dropped", []string{multicast, broadcast}, plain, nil},
		{"both dropped, harder", []string{multicast, broadcast}, harder, there},
		{"all UDP dropped, harder", []string{udp}, harder, nil},
		{"all UDP dropped, known", []string{udp}, known, there},
		{"all dropped, known", []string{udp, tcp}, known, nil},
	} {
		rules := "flush chain ip f in\n"
		for _, d := range step.dropped {
			rules += "add rule ip f in " + d + " drop\n"
		}
		attic.Firewall(rules)
		lines, _, trace := look(t, step.what, step.search, len(step.want))
		if !slices.Equal(lines, step.want) {
			t.Errorf("%s: found %q, not %q; %+v", step.what, lines, step.want, trace)
		}
		if step.want != nil {
			continue
		}
		// What the person is told: it was asked for, and nobody answered.
		sent := 6
		if step.search.Harder {
			sent += 2 * 253
		}
		if len(trace.Networks) != 1 || trace.Networks[0].Name != "eth7" || trace.Networks[0].Packets != sent || trace.Networks[0].Err != nil ||
			trace.Answers+trace.Dropped+trace.Silent != 0 {
			t.Errorf("%s: what it did is %+v", step.what, trace)
		}
	}
	attic.Firewall("delete table ip f\n")
	if lines, _, trace := look(t, "nothing dropped any more", plain, 1); !slices.Equal(lines, there) {
		t.Errorf("nothing is dropped any more, and there is %q; %+v", lines, trace)
	}
}

// Avahi runs on the server's host, begun before it and after it. Whichever began later gets
// what is sent to port 5353 of the host alone.
func TestSearchNextToAvahi(t *testing.T) {
	for program, pkg := range map[string]string{"nft": "nftables", "avahi-daemon": "avahi-daemon", "dbus-daemon": "dbus"} {
		needs(t, program, pkg)
	}
	if !servertest.InNamespace(t) {
		return
	}
	attic := servertest.NewNeighbour(t)
	attic.Firewall("add table ip f\nadd chain ip f in { type filter hook input priority 0; }\n")
	for _, when := range []string{"before", "after"} {
		stopAvahi := func() {}
		if when == "before" {
			_, stopAvahi = servertest.StartAvahi(t, attic)
		}
		_, stop := serve(t, attic, "--addr", ":8000", "--data", t.TempDir(), "--name", "Attic")
		if when == "after" {
			_, stopAvahi = servertest.StartAvahi(t, attic)
		}
		for _, dropped := range []string{"", "ip daddr 224.0.0.0/4", "ip daddr 10.7.0.255"} {
			if dropped != "" {
				attic.Firewall("add rule ip f in " + dropped + " drop\n")
			}
			what := fmt.Sprintf("Avahi %s, dropping %q", when, dropped)
			search := session.Discovery{Networks: session.Networks(), Harder: dropped == "ip daddr 10.7.0.255"}
			if lines, _, trace := look(t, what, search, 1); !slices.Equal(lines, []string{"Attic http://10.7.0.2:8000"}) {
				t.Errorf("%s: found %q; %+v", what, lines, trace)
			}
		}
		attic.Firewall("flush chain ip f in\n")
		stop()
		stopAvahi()
	}
}

// After its end a search sends nothing more, whenever it ends. Packets are counted.
func TestSearchSendsNothingAfterItsEnd(t *testing.T) {
	needs(t, "nft", "nftables")
	if !servertest.InNamespace(t) {
		return
	}
	attic := servertest.NewNeighbour(t)
	serve(t, attic, "--addr", ":8123", "--data", t.TempDir(), "--name", "Attic")
	questions := counted(t, "questions", "udp dport 5353")
	others := counted(t, "others", "udp dport != 5353")

	// It ends between the socket and the first question, and with the first question on its way.
	ctx, cancel := context.WithCancel(t.Context())
	early := session.Networks()
	for i := range early {
		early[i].Bind = func(uintptr) { cancel() }
	}
	trace := session.Discovery{Networks: early, Pins: session.NewPins(nil)}.Run(ctx, func(f session.Nearby) { t.Errorf("found %+v", f) })
	if n := questions(); n != 0 || ctx.Err() == nil {
		t.Errorf("%d packets were sent after the end; %+v", n, trace)
	}
	_, _, trace = look(t, "ended at the first line", session.Discovery{Networks: session.Networks()}, 1)
	before := questions()
	if before == 0 || before != trace.Networks[0].Packets {
		t.Errorf("%d packets were sent; %+v", before, trace)
	}

	// Nothing of it is sent while another one runs for all of its time.
	lines, _, trace := look(t, "whole", session.Discovery{Networks: session.Networks()}, -1)
	if got := questions() - before; len(lines) != 1 || got != 6 || others() != 0 {
		t.Errorf("%d packets of its own and %d others, %q; %+v", got, others(), lines, trace)
	}

	// It ends while a server that it asked for its name keeps it waiting.
	var hung net.Conn
	ctx, cancel = context.WithCancel(t.Context())
	dial := func(ctx context.Context, _, _ string) (net.Conn, error) {
		app, server := net.Pipe()
		hung = server
		cancel()
		return app, nil
	}
	session.Discovery{Networks: session.Networks(), Pins: session.NewPins(nil), Dial: dial}.Run(ctx, func(f session.Nearby) { t.Errorf("found %+v", f) })
	if hung == nil {
		t.Fatal("nobody was asked")
	}
	hung.Close()
}
