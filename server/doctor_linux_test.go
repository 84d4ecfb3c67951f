package main

import (
	"context"
	"errors"
	"net"
	"net/netip"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"parley/shared/servertest"
)

// examined is a run of the doctor.
type examined struct {
	t    *testing.T
	out  *servertest.Output
	done chan error
}

// see begins a run of the doctor.
func see(t *testing.T, args ...string) *examined {
	t.Helper()
	e := &examined{t, servertest.NewOutput(), make(chan error, 1)}
	ctx, cancel := context.WithCancel(context.Background())
	t.Cleanup(cancel)
	go func() {
		e.done <- run(ctx, append([]string{"doctor"}, args...), nil, e.out, e.out)
	}()
	return e
}

// says waits for the end, and looks for lines among those that the doctor says. Its
// verdict must be the worst of them.
func (e *examined) says(lines ...string) {
	e.t.Helper()
	var found diagnosis
	if err := <-e.done; err != nil && !errors.As(err, &found) {
		e.t.Fatal(err)
	}
	got := found.worst
	text := e.out.String()
	want := good
	for line := range strings.Lines(text) {
		for _, v := range []verdict{doubtful, wrong} {
			if strings.HasPrefix(line, v.String()) {
				want = max(want, v)
			}
		}
	}
	if got != want {
		e.t.Errorf("the verdict is %v, want %v", got, want)
	}
	for _, line := range lines {
		if !strings.Contains(text, line) {
			e.t.Errorf("the doctor does not say %q:\n%s", line, text)
		}
	}
}

// reach has a host connect to an address, for as long as that takes or ctx lasts.
func reach(ctx context.Context, h *servertest.Host, addr string) {
	h.Within(func() {
		if c, err := (&net.Dialer{}).DialContext(ctx, "tcp", addr); err == nil {
			c.Close()
		}
	})
}

func TestDoctor(t *testing.T) {
	if !servertest.InNamespace(t) {
		return
	}
	needsProgram(t, "nft", "nftables")
	ann := servertest.NewNeighbour(t)
	data := t.TempDir()
	flags := []string{"--addr", ":8123", "--data", data}
	patient := append([]string{"--wait", "1m"}, flags...)
	hasty := append([]string{"--wait", "300ms"}, flags...)
	phone := func(e *examined, addr string) {
		t.Helper()
		e.out.Wait(t, `Now open http://10\.7\.0\.1:8123/ on a phone`)
		ctx, cancel := context.WithCancel(t.Context())
		defer cancel()
		tried := make(chan bool)
		go func() {
			defer close(tried)
			reach(ctx, ann, addr)
		}()
		e.out.Wait(t, `(?m)^\w+ +Phone:`)
		cancel()
		<-tried
	}

	// Without a server, the doctor answers itself.
	e := see(t, patient...)
	phone(e, "10.7.0.1:8123")
	e.says("doubtful  Data folder: there is no log in "+data, "doubtful  Server: none answers at port 8123", "good      Phone: 10.7.0.2 has connected")

	out, stop := runServer(t, append(flags, "--name", "Class \x1b[31m4b")...)
	out.wait(t, settled)
	e = see(t, patient...)
	phone(e, "10.7.0.1:8123")
	e.says("good      Data folder: ", "good      Network: eth7 has 10.7.0.1/24", "good      Network: there is no way to the Internet",
		"good      Server: it answers at port 8123", "good      Server: it answers at 10.7.0.1",
		`good      Searches: on eth7 the app finds this server as "Class [31m4b", at parley-`, "good      Phone: 10.7.0.2 has connected")

	see(t, hasty...).says("doubtful  Phone: nothing has come within 300ms", "client isolation")

	rules := "add table ip f\nadd chain ip f in { type filter hook input priority 0; }\nadd rule ip f in iif eth7 "
	servertest.Firewall(t, rules+"tcp dport 8123 drop\n")
	e = see(t, append([]string{"--wait", "3s"}, flags...)...)
	phone(e, "10.7.0.1:8123")
	e.says("wrong     Phone: 10.7.0.2 has tried, and this computer's firewall lets nothing in", "→ Let TCP port 8123 in")

	servertest.Firewall(t, "delete table ip f\n"+rules+"tcp dport 8123 reject with tcp reset\n")
	e = see(t, append([]string{"--wait", "2s"}, flags...)...)
	phone(e, "10.7.0.1:8123")
	e.says("wrong     Phone: 10.7.0.2 was refused")

	servertest.Firewall(t, "delete table ip f\n")
	ann.Firewall("add table ip f\nadd chain ip f in { type filter hook input priority 0; }\nadd rule ip f in tcp sport 8123 drop\n")
	e = see(t, append([]string{"--wait", "2s"}, flags...)...)
	phone(e, "10.7.0.1:8123")
	e.says("wrong     Phone: 10.7.0.2 was answered, and the answer does not arrive")

	servertest.Firewall(t, rules+"udp dport 5353 drop\n")
	see(t, append([]string{"--wait", "0"}, flags...)...).says("doubtful  Searches: on eth7, nobody finds this server")
	stop()

	out, stop = runServer(t, "--addr", ":8123", "--data", data, "--tls", "auto", "--no-announce")
	out.wait(t, "Ctrl-C")
	e = see(t, hasty...)
	e.says("good      Server: it answers at 10.7.0.1", "Was it started with --no-announce", "open https://10.7.0.1:8123/ on a phone")
	stop()

	other := must(net.Listen("tcp", ":8123"))
	go func() {
		for {
			c, err := other.Accept()
			if err != nil {
				return
			}
			c.Write([]byte("HTTP/1.1 200 OK\r\nContent-Length: 2\r\nConnection: close\r\n\r\nhi"))
			c.Close()
		}
	}()
	keeps := must(net.ListenPacket("udp4", ":5353"))
	see(t, append([]string{"--wait", "0"}, flags...)...).says("wrong     Server: another program has port 8123", "doubtful  Searches: another program keeps UDP port 5353")
	other.Close()
	keeps.Close()

	servertest.IP(t, "link set eth7 down")
	see(t, flags...).says("wrong     Network: this computer is in no network")
	see(t, "--addr", "127.0.0.1:8123", "--data", data).says("wrong     Network: a server at 127.0.0.1:8123 is for this computer alone")
}

// TestDoctorNextToAvahi has another server in the network, with a name that would turn
// the line around, and Avahi on this host.
func TestDoctorNextToAvahi(t *testing.T) {
	needsProgram(t, "avahi-daemon", "avahi-daemon")
	if !servertest.InNamespace(t) {
		return
	}
	ann := servertest.NewNeighbour(t)
	data := t.TempDir()
	out, _ := runServer(t, "--addr", ":8123", "--data", data)
	out.wait(t, settled)
	servertest.StartAvahi(t, nil)
	other := ann.Command(servertest.Binary(t), "--addr", ":8124", "--data", filepath.Join(t.TempDir(), "data"), "--name", "\u202eevil")
	said := servertest.NewOutput()
	other.Stdout, other.Stderr = said, said
	if err := other.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		other.Process.Signal(os.Interrupt)
		var exit *exec.ExitError
		if err := other.Wait(); errors.As(err, &exit) {
			t.Errorf("the other server: %v", err)
		}
	})
	said.Wait(t, settled)
	see(t, "--addr", ":8123", "--data", data, "--wait", "0").says("good      Searches: another program, such as Avahi",
		`good      Searches: on eth7, another server is at 10.7.0.2: "\u202eevil"`)
}

func TestDoctorFindings(t *testing.T) {
	root := t.TempDir()
	for _, dir := range []string{"etc/ufw", "run/firewalld", "proc/net", "sys/class/rtc/rtc0"} {
		if err := os.MkdirAll(filepath.Join(root, dir), 0o755); err != nil {
			t.Fatal(err)
		}
	}
	var out strings.Builder
	d := &doctor{out: &out, root: root, data: filepath.Join(root, "data")}
	for _, test := range []struct {
		now  string
		want string
	}{{"2019-01-01T00:00:00Z", "wrong     Clock: it says 2019"}, {"2031-01-01T00:00:00Z", "good      Clock: it says 2031"}} {
		out.Reset()
		d.clock(must(time.Parse(time.RFC3339, test.now)))
		if !strings.Contains(out.String(), test.want) {
			t.Errorf("at %s the doctor says %s", test.now, &out)
		}
	}
	if lines := firewallAdvice(t.TempDir(), 80); !strings.Contains(lines, "nft list ruleset") {
		t.Errorf("without a known firewall: %s", lines)
	}
	writeFile(t, filepath.Join(root, "etc/ufw"), "ufw.conf", "# ENABLED=yes\nENABLED=no\n")
	if lines := firewallAdvice(root, 80); !strings.Contains(lines, "firewall-cmd --permanent --add-port=80/tcp --add-port=80/udp") {
		t.Errorf("with firewalld: %s", lines)
	}
	writeFile(t, filepath.Join(root, "etc/ufw"), "ufw.conf", "ENABLED=yes\n")
	if lines := firewallAdvice(root, 80); lines != "sudo ufw allow 80\nsudo ufw allow 5353/udp" {
		t.Errorf("with ufw: %s", lines)
	}
	writeFile(t, filepath.Join(root, "proc/net"), "udp", "  sl  local_address rem_address\n 1: 00000000:14E9 00000000:0000 07\n 2: 0100007F:14E9 00000000:0000 07\n 3: 00000000:0035 00000000:14E9 07\n")
	if n := socketsAt(filepath.Join(root, "proc/net/udp"), 5353); n != 2 {
		t.Errorf("%d sockets are at port 5353", n)
	}
	if _, err := awaitArrival(t.Context(), func() {}, nil); !errors.Is(err, errCannotWatch) {
		t.Errorf("without a listener and without root: %v", err)
	}
	came := make(chan netip.Addr, 1)
	came <- netip.MustParseAddr("10.7.0.2")
	if seen, err := awaitArrival(t.Context(), func() {}, came); err != nil || !seen.connected.IsValid() {
		t.Errorf("without root: %+v, %v", seen, err)
	}
	var nobody diagnosis
	if err := run(t.Context(), []string{"doctor", "--addr", "nonsense"}, nil, &out, &out); !errors.Is(err, errUsage) || errors.As(err, &nobody) {
		t.Errorf("--addr nonsense: %v", err)
	}
}

// FuzzArrivals reads what anyone can send to this host.
func FuzzArrivals(f *testing.F) {
	f.Add([]byte("\x45\x00\x00\x28\x00\x00\x40\x00\x40\x06\x00\x00\x0a\x07\x00\x02\x0a\x07\x00\x01\x30\x39\x1f\xbb\x00\x00\x00\x00\x00\x00\x00\x00\x50\x02\x00\x00\x00\x00\x00\x00"))
	f.Add([]byte("\x60\x00\x00\x00\x00\x14\x06\x40"))
	f.Fuzz(func(t *testing.T, packet []byte) {
		var a arrivals
		a.note(packet, 8123, func(netip.Addr) bool { return false })
		if a.connected.IsValid() || a.refused.IsValid() || a.answered.IsValid() {
			t.Errorf("one packet makes %+v", a)
		}
	})
}
