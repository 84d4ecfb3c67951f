package main

import (
	"net"
	"net/netip"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strconv"
	"strings"
	"testing"

	"golang.org/x/sys/unix"

	"parley/shared/servertest"
)

// remoteHost is another host on a test's network: a namespace of the system.
type remoteHost struct {
	t   *testing.T
	pid string // of a process that keeps it
}

// newHost returns a host that is in no network yet.
func newHost(t *testing.T) *remoteHost {
	t.Helper()
	keep := exec.Command("unshare", "--net", "--mount", "sh", "-c", "ip link set lo up && echo ready && exec cat")
	stdin, said := must(keep.StdinPipe()), servertest.NewOutput()
	keep.Stdout, keep.Stderr = said, said
	if err := keep.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { stdin.Close(); keep.Wait() })
	said.Wait(t, "ready")
	return &remoteHost{t, strconv.Itoa(keep.Process.Pid)}
}

// command returns a command that runs on the host.
func (h *remoteHost) command(args ...string) *exec.Cmd {
	return exec.Command("nsenter", append([]string{"--target", h.pid, "--net", "--mount"}, args...)...)
}

// run runs a command on the host and returns what it prints.
func (h *remoteHost) run(args string) string {
	h.t.Helper()
	out, err := h.command(strings.Fields(args)...).CombinedOutput()
	if err != nil {
		h.t.Fatalf("%s: %v\n%s", args, err, out)
	}
	return string(out)
}

// cable joins the host to an interface of the test's own host.
func (h *remoteHost) cable(own, address string) {
	h.t.Helper()
	far := own + "p"
	servertest.IP(h.t, "link add "+own+" type veth peer name "+far)
	servertest.IP(h.t, "link set "+far+" netns "+h.pid)
	servertest.IP(h.t, "link set "+own+" up")
	h.run("ip addr add " + address + " dev " + far)
	h.run("ip link set " + far + " up")
}

// within calls f on a thread that is in the host's network: the sockets that f opens
// stay there.
func (h *remoteHost) within(f func()) {
	h.t.Helper()
	done := make(chan error, 1)
	go func() {
		runtime.LockOSThread() // and never unlocked: the thread ends with the goroutine
		there, err := os.Open("/proc/" + h.pid + "/ns/net")
		if err == nil {
			defer there.Close()
			err = unix.Setns(int(there.Fd()), unix.CLONE_NEWNET)
		}
		if err == nil {
			f()
		}
		done <- err
	}()
	if err := <-done; err != nil {
		h.t.Fatal(err)
	}
}

// socket opens a UDP socket on the host, at any address if addr is "".
func (h *remoteHost) socket(addr string) *net.UDPConn {
	h.t.Helper()
	var c net.PacketConn
	var err error
	h.within(func() { c, err = net.ListenPacket("udp4", addr+":0") })
	if err != nil {
		h.t.Fatal(err)
	}
	h.t.Cleanup(func() { c.Close() })
	return c.(*net.UDPConn)
}

// startAvahi starts Avahi and a bus of its own for it, on a host or, with nil, on the
// test's own. It returns the bus, for Avahi's programs, and what ends both.
func startAvahi(t *testing.T, h *remoteHost) (bus string, stop func()) {
	t.Helper()
	dir := t.TempDir()
	bus = "unix:path=" + filepath.Join(dir, "bus")
	writeFile(t, dir, "dbus.conf", `<busconfig><type>system</type><listen>`+bus+`</listen><auth>EXTERNAL</auth><policy context="default">
<allow send_destination="*" eavesdrop="true"/><allow eavesdrop="true"/><allow own="*"/><allow user="*"/></policy></busconfig>`)
	writeFile(t, dir, "avahi.conf", "[server]\nuse-ipv4=yes\nuse-ipv6=no\n[publish]\npublish-workstation=no\n")
	script := `mkdir -p /run/avahi-daemon && mount -t tmpfs tmpfs /run/avahi-daemon
		dbus-daemon --config-file="$0/dbus.conf" --nofork --nopidfile --print-address=1 & bus=$!
		while ! [ -S "$0/bus" ]; do kill -0 $bus || exit 1; done
		DBUS_SYSTEM_BUS_ADDRESS="` + bus + `" avahi-daemon --no-drop-root --no-chroot --no-rlimits --file "$0/avahi.conf" & avahi=$!
		trap 'kill $avahi; wait $avahi; kill $bus; wait $bus; exit' TERM
		wait $avahi`
	args := []string{"unshare", "--mount", "sh", "-c", script, dir}
	cmd := exec.Command(args[0], args[1:]...)
	if h != nil {
		cmd = h.command(args...)
	}
	said := servertest.NewOutput()
	cmd.Stdout, cmd.Stderr = said, said
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	stopped := false
	stop = func() {
		if !stopped {
			stopped = true
			cmd.Process.Signal(unix.SIGTERM)
			cmd.Wait()
		}
	}
	t.Cleanup(stop)
	said.Wait(t, "Server startup complete")
	return bus, stop
}

// sent counts the UDP packets that this host sends, except those to networks.
func sent(t *testing.T, except ...string) (count func() string) {
	t.Helper()
	rules := "add table ip t\nadd chain ip t out { type filter hook output priority 0; }\nadd rule ip t out oif != lo meta l4proto udp"
	if len(except) > 0 {
		rules += " ip daddr != { " + strings.Join(except, ", ") + " }"
	}
	nft(t, rules+" counter\n")
	return func() string {
		t.Helper()
		out := nft(t, "list chain ip t out\n")
		_, after, ok := strings.Cut(out, "counter packets ")
		if !ok {
			t.Fatalf("nothing was counted:\n%s", out)
		}
		n, _, _ := strings.Cut(after, " ")
		return n
	}
}

// nft carries out rules for this host's firewall.
func nft(t *testing.T, rules string) string {
	t.Helper()
	cmd := exec.Command("nft", "--file", "-")
	cmd.Stdin = strings.NewReader(rules)
	out, err := cmd.CombinedOutput()
	if err != nil {
		t.Fatalf("nft: %v\n%s\n%s", err, rules, out)
	}
	return string(out)
}

// local is a link of addresses as the program finds them.
func local(t *testing.T, name string, prefixes ...string) networkInterface {
	t.Helper()
	i := networkInterface{name: name, flags: net.FlagUp}
	for _, s := range prefixes {
		i.prefixes = append(i.prefixes, netip.MustParsePrefix(s))
	}
	return i
}
