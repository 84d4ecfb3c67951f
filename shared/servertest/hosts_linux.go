package servertest

import (
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strconv"
	"strings"
	"sync"
	"testing"

	"golang.org/x/sys/unix"
)

// Host is another host on a test's network: a namespace of the system.
type Host struct {
	t   *testing.T
	pid string // of a process that keeps it
}

// NewHost returns a host that is in no network yet.
func NewHost(t *testing.T) *Host {
	t.Helper()
	keep := exec.Command("unshare", "--net", "--mount", "sh", "-c", "ip link set lo up && echo ready && exec cat")
	stdin, err := keep.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	said := NewOutput()
	keep.Stdout, keep.Stderr = said, said
	if err := keep.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { stdin.Close(); keep.Wait() })
	said.Wait(t, "ready")
	return &Host{t, strconv.Itoa(keep.Process.Pid)}
}

// NewNeighbour returns a host at 10.7.0.2, at the other end of the cable eth7 of the
// test's own host, which is at 10.7.0.1.
func NewNeighbour(t *testing.T) *Host {
	t.Helper()
	IP(t, "link set lo up")
	h := NewHost(t)
	h.Cable("eth7", "10.7.0.2/24")
	IP(t, "addr add 10.7.0.1/24 dev eth7")
	return h
}

// Command returns a command that runs on the host.
func (h *Host) Command(args ...string) *exec.Cmd {
	return exec.Command("nsenter", append([]string{"--target", h.pid, "--net", "--mount"}, args...)...)
}

// Run runs a command on the host and returns what it prints.
func (h *Host) Run(args string) string {
	h.t.Helper()
	out, err := h.Command(strings.Fields(args)...).CombinedOutput()
	if err != nil {
		h.t.Fatalf("%s: %v\n%s", args, err, out)
	}
	return string(out)
}

// Cable joins the host to an interface of the test's own host.
func (h *Host) Cable(own, address string) {
	h.t.Helper()
	far := own + "p"
	IP(h.t, "link add "+own+" type veth peer name "+far)
	IP(h.t, "link set "+far+" netns "+h.pid)
	IP(h.t, "link set "+own+" up")
	h.Run("ip addr add " + address + " dev " + far)
	h.Run("ip link set " + far + " up")
}

// Within calls f on a thread that is in the host's network: the sockets that f opens
// stay there.
func (h *Host) Within(f func()) {
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

// Socket opens a UDP socket on the host, at any address if addr is "".
func (h *Host) Socket(addr string) *net.UDPConn {
	h.t.Helper()
	var c net.PacketConn
	var err error
	h.Within(func() { c, err = net.ListenPacket("udp4", addr+":0") })
	if err != nil {
		h.t.Fatal(err)
	}
	h.t.Cleanup(func() { c.Close() })
	return c.(*net.UDPConn)
}

// StartAvahi starts Avahi and a bus of its own for it, on a host or, with nil, on the
// test's own. It returns the bus, for Avahi's programs, and what ends both.
func StartAvahi(t *testing.T, h *Host) (bus string, stop func()) {
	t.Helper()
	dir := t.TempDir()
	bus = "unix:path=" + filepath.Join(dir, "bus")
	for name, content := range map[string]string{
		"dbus.conf": `<busconfig><type>system</type><listen>` + bus + `</listen><auth>EXTERNAL</auth><policy context="default">
<allow send_destination="*" eavesdrop="true"/><allow eavesdrop="true"/><allow own="*"/><allow user="*"/></policy></busconfig>`,
		"avahi.conf": "[server]\nuse-ipv4=yes\nuse-ipv6=no\n[publish]\npublish-workstation=no\n",
	} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(content), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	script := `mkdir -p /run/avahi-daemon && mount -t tmpfs tmpfs /run/avahi-daemon
		dbus-daemon --config-file="$0/dbus.conf" --nofork --nopidfile --print-address=1 > "$0/listening" & bus=$!
		while ! [ -s "$0/listening" ]; do kill -0 $bus || exit 1; done
		DBUS_SYSTEM_BUS_ADDRESS="` + bus + `" avahi-daemon --no-drop-root --no-chroot --no-rlimits --file "$0/avahi.conf" & avahi=$!
		trap 'kill $avahi; wait $avahi; kill $bus; wait $bus; exit' TERM
		wait $avahi`
	args := []string{"unshare", "--mount", "sh", "-c", script, dir}
	cmd := exec.Command(args[0], args[1:]...)
	if h != nil {
		cmd = h.Command(args...)
	}
	said := NewOutput()
	cmd.Stdout, cmd.Stderr = said, said
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	stop = sync.OnceFunc(func() {
		cmd.Process.Signal(unix.SIGTERM)
		cmd.Wait()
	})
	t.Cleanup(stop)
	said.Wait(t, "Server startup complete")
	return bus, stop
}

// Serve starts a server on a host, and returns what ends it.
func (h *Host) Serve(said *Output, args ...string) (stop func()) {
	h.t.Helper()
	cmd := h.Command(append([]string{Binary(h.t)}, args...)...)
	cmd.Stdout, cmd.Stderr = said, said
	if err := cmd.Start(); err != nil {
		h.t.Fatal(err)
	}
	stop = sync.OnceFunc(func() {
		cmd.Process.Signal(unix.SIGTERM)
		if err := cmd.Wait(); err != nil {
			h.t.Errorf("a server on another host: %v", err)
		}
	})
	h.t.Cleanup(stop)
	return stop
}

// Firewall carries out rules of nft(8) for the host's firewall.
func (h *Host) Firewall(rules string) {
	h.t.Helper()
	firewall(h.t, h.Command("nft", "--file", "-"), rules)
}

// Firewall carries out rules for this host's firewall, and returns what nft says.
func Firewall(t *testing.T, rules string) string {
	t.Helper()
	return firewall(t, exec.Command("nft", "--file", "-"), rules)
}

func firewall(t *testing.T, cmd *exec.Cmd, rules string) string {
	t.Helper()
	cmd.Stdin = strings.NewReader(rules)
	out, err := cmd.CombinedOutput()
	if err != nil {
		t.Fatalf("nft: %v\n%s\n%s", err, rules, out)
	}
	return string(out)
}
