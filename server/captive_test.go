package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/netip"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"testing"

	"parley/shared/servertest"
)

const (
	success = "<HTML><HEAD><TITLE>Success</TITLE></HEAD><BODY>Success</BODY></HTML>"
	firefox = `<meta http-equiv="refresh" content="0;url=https://support.mozilla.org/kb/captive-portal"/>`
	online  = "NetworkManager is online\n"
)

// checks are what systems ask, and must get to the byte.
var checks = []struct {
	url    string
	status int
	body   string
}{
	{"connectivitycheck.gstatic.com/generate_204", 204, ""},
	{"connectivitycheck.android.com/generate_204", 204, ""},
	{"connect.rom.miui.com/generate_204", 204, ""},
	{"connectivitycheck.platform.hicloud.com/generate_204", 204, ""},
	{"www.google.com/gen_204", 204, ""},
	{"captive.apple.com/hotspot-detect.html", 200, success},
	{"captive.apple.com/", 200, success},
	{"CAPTIVE.apple.com./RDm1/Xz.html?x=y", 200, success},
	{"www.apple.com/library/test/success.html", 200, success},
	{"www.msftconnecttest.com/connecttest.txt", 200, "Microsoft Connect Test"},
	{"www.msftncsi.com/ncsi.txt", 200, "Microsoft NCSI"},
	{"detectportal.firefox.com/canonical.html", 200, firefox},
	{"detectportal.firefox.com/success.txt?ipv4", 200, "success\n"},
	{"nmcheck.gnome.org/check_network_status.txt", 200, online},
	{"network-test.debian.org/nm", 200, online},
	{"ping.archlinux.org/nm-check.txt", 200, online},
	{"connectivity-check.ubuntu.com/", 204, ""},
}

// startCaptive runs a server and returns the addresses of its page and of its checks.
func startCaptive(t *testing.T, args ...string) (page, captive string) {
	t.Helper()
	out, data := newOutput(), t.TempDir()
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan error, 1)
	go func() {
		done <- run(ctx, append([]string{"--data", data}, args...), nil, out, out)
		out.end()
	}()
	t.Cleanup(func() {
		cancel()
		if err := <-done; err != nil {
			t.Error(err)
		}
	})
	captive = strings.TrimPrefix(out.wait(t, `checks of phones" addr=\S+`), `checks of phones" addr=`)
	return strings.TrimSuffix(out.wait(t, `https?://\S+:\d+/`), "/"), captive
}

// ask sends a request as it is written and returns the whole answer.
func ask(t *testing.T, addr, method, host, path, version string) *http.Response {
	t.Helper()
	c, err := net.Dial("tcp", addr)
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	fmt.Fprintf(c, "%s %s HTTP/%s\r\nHost: %s\r\nOrigin: http://%s\r\n\r\n", method, path, version, host, host)
	answer, err := io.ReadAll(c) // to the end of the connection, so nothing can follow the body
	if err != nil {
		t.Fatal(err)
	}
	return parseAnswer(t, answer)
}

// parseAnswer has the body whole: what is behind the headers, whatever they say.
func parseAnswer(t *testing.T, answer []byte) *http.Response {
	t.Helper()
	head, body, ok := bytes.Cut(answer, []byte("\r\n\r\n"))
	lines := strings.Split(string(head), "\r\n")
	fields := strings.Fields(lines[0])
	if !ok || len(fields) < 2 {
		t.Fatalf("the answer is %q", answer)
	}
	resp := &http.Response{Header: http.Header{}, Body: io.NopCloser(bytes.NewReader(body))}
	resp.StatusCode, _ = strconv.Atoi(fields[1])
	for _, line := range lines[1:] {
		name, value, _ := strings.Cut(line, ": ")
		resp.Header.Add(name, value)
	}
	return resp
}

func isCheckAnswer(t *testing.T, what string, resp *http.Response, status int, body string) {
	t.Helper()
	length := strconv.Itoa(len(body))
	if status == http.StatusNoContent {
		length = "" // RFC 9110, section 8.6
	}
	got := string(must(io.ReadAll(resp.Body)))
	if resp.StatusCode != status || got != body || resp.Header.Get("Content-Length") != length {
		t.Errorf("%s: %d %q (%s), want %d %q (%s)", what, resp.StatusCode, got, resp.Header.Get("Content-Length"), status, body, length)
	}
}

// TestCaptiveChecks asks as each system does, and as whoever has another page in mind.
func TestCaptiveChecks(t *testing.T) {
	page, addr := startCaptive(t, "--addr", "127.0.0.1:0", "--captive", "127.0.0.1:0", "--room", "Team Pizza")
	for _, c := range checks {
		host, path, _ := strings.Cut(c.url, "/")
		for _, version := range []string{"1.1", "1.0"} {
			isCheckAnswer(t, c.url, ask(t, addr, "GET", host, "/"+path, version), c.status, c.body)
		}
	}
	// Nothing else is served, whatever the Host, and nobody else's page is led to.
	for _, path := range []string{"/", "/chat/Lobby/", "/api/rooms", "/api/server", "/static/main.js", "/metrics", "/healthz", "/ws/chat/Lobby/Eve",
		"/redirect", "//evil.example/%0d%0aX:y", "/nm/", "/generate_204/x"} {
		for _, host := range []string{"neverssl.com", "www.msftconnecttest.com", "localhost", "evil.example:80"} {
			resp := ask(t, addr, "GET", host, path, "1.1")
			isCheckAnswer(t, host+path, resp, http.StatusFound, "")
			if got := resp.Header.Get("Location"); got != page+"/join" {
				t.Errorf("%s%s leads to %q, not to %s/join", host, path, got, page)
			}
		}
	}
	for _, host := range []string{addr, "127.0.0.1", "[::1]"} {
		if got := ask(t, addr, "GET", host, "/", "1.1").Header.Get("Location"); got != page+"/r/Team%20Pizza" {
			t.Errorf("who typed %s is led to %q", host, got)
		}
	}
	if resp := ask(t, addr, "POST", "captive.apple.com", "/", "1.1"); resp.StatusCode != http.StatusMethodNotAllowed {
		t.Errorf("POST: %d", resp.StatusCode)
	}
	// The way there works, and the page still answers to no foreign name.
	get(t, page+"/join")
	resp := ask(t, strings.TrimPrefix(page, "http://"), "GET", "captive.apple.com\r\nConnection: close", "/", "1.1")
	if resp.StatusCode != http.StatusForbidden {
		t.Errorf("the page answers to captive.apple.com: %d", resp.StatusCode)
	}
}

func TestCaptiveLeadsTo(t *testing.T) {
	for want, c := range map[string]struct {
		i     invitation
		local string
	}{
		"http://192.168.4.1:8000/join":      {invitation{listening: netip.MustParseAddrPort("[::]:8000")}, "192.168.4.1"},
		"http://10.0.0.7:9/join":            {invitation{listening: netip.MustParseAddrPort("10.0.0.7:9")}, "192.168.4.1"},
		"http://[fd00::1]:8000/parley/join": {invitation{listening: netip.MustParseAddrPort("[::]:8000"), path: "/parley"}, "fd00::1"},
		"https://192.168.4.1:8443/join":     {invitation{listening: netip.MustParseAddrPort("[::]:8443"), tls: true}, "192.168.4.1"},
		"http://192.168.4.1:8001/join":      {invitation{listening: netip.MustParseAddrPort("[::]:8443"), tls: true, plain: netip.MustParseAddrPort("[::]:8001")}, "192.168.4.1"},
	} {
		c.i.words = func() string { return "" }
		if got := c.i.from(netip.MustParseAddr(c.local), false); got != want {
			t.Errorf("got %s, want %s", got, want)
		}
	}
}

func TestWhatCannotBeCaptive(t *testing.T) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	addr := fmt.Sprint("127.0.0.1:", servertest.FreePort(t))
	for want, args := range map[string][]string{
		"phones ask on port 80 only: stop that": {"--addr", "127.0.0.1:0", "--captive", l.Addr().String()},
		"--addr and --captive can't both be":    {"--addr", addr, "--captive", addr},
		"--captive takes an address like :80":   {"--addr", "127.0.0.1:0", "--captive", "nonsense"},
		"--captive needs port 80 for itself":    {"install", "--print", "--captive", "--port", "80"},
	} {
		if args[0] != "install" {
			args = append(args, "--data", t.TempDir())
		}
		if _, err := do(t, args...); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%q: %v", args, err)
		}
	}
}

// dnsmasqBlock returns the configuration in docs/access-point.md.
func dnsmasqBlock(t *testing.T) string {
	t.Helper()
	m := regexp.MustCompile("(?s)```dnsmasq\n(.*?)```").FindSubmatch(must(os.ReadFile("../docs/access-point.md")))
	if m == nil {
		t.Fatal("docs/access-point.md has no configuration for dnsmasq")
	}
	return string(m[1])
}

// TestAccessPoint has dnsmasq take the configuration of docs/access-point.md, and a
// phone in a network namespace of its own ask by name what each system does.
func TestAccessPoint(t *testing.T) {
	dnsmasq := needsProgram(t, "dnsmasq", "dnsmasq-base")
	needsProgram(t, "curl", "curl")
	config := filepath.Join(t.TempDir(), "parley.conf")
	if err := os.WriteFile(config, []byte(dnsmasqBlock(t)), 0o600); err != nil {
		t.Fatal(err)
	}
	if out, err := exec.Command(dnsmasq, "--test", "--conf-file="+config).CombinedOutput(); err != nil {
		t.Fatalf("dnsmasq --test: %v\n%s", err, out)
	}
	if !servertest.InNamespace(t) {
		return
	}

	// The phone is a process with a network, and with a resolv.conf, of its own.
	resolv := filepath.Join(t.TempDir(), "resolv.conf")
	writeFile(t, filepath.Dir(resolv), "resolv.conf", "nameserver 192.168.4.1\n")
	phone := exec.Command("unshare", "--net", "--mount", "sh", "-c", `mount --bind "$0" /etc/resolv.conf && echo ready && exec cat`, resolv)
	stdin, said := must(phone.StdinPipe()), servertest.NewOutput()
	phone.Stdout, phone.Stderr = said, said
	if err := phone.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { stdin.Close(); phone.Wait() })
	said.Wait(t, "ready")
	pid := strconv.Itoa(phone.Process.Pid)
	inPhone := func(args ...string) (string, error) {
		out, err := exec.Command("nsenter", append([]string{"--target", pid, "--net", "--mount"}, args...)...).CombinedOutput()
		return string(out), err
	}
	servertest.IP(t, "link set lo up")
	servertest.IP(t, "link add wlan0 type veth peer name phone0")
	servertest.IP(t, "link set phone0 netns "+pid)
	for _, m := range regexp.MustCompile(`(?m)^sudo ip (.*)$`).FindAllStringSubmatch(string(must(os.ReadFile("../docs/access-point.md"))), -1) {
		servertest.IP(t, m[1])
	}
	servertest.IP(t, "link set wlan0 up")
	for _, args := range []string{"addr add 192.168.4.77/24 dev phone0", "link set phone0 up", "route add default via 192.168.4.1"} {
		if out, err := inPhone(append([]string{"ip"}, strings.Fields(args)...)...); err != nil {
			t.Fatalf("ip %s: %v\n%s", args, err, out)
		}
	}
	dns, log := exec.Command(dnsmasq, "--keep-in-foreground", "--conf-file="+config, "--pid-file=", "--log-facility=-", "--no-resolv",
		"--dhcp-leasefile="+filepath.Join(t.TempDir(), "leases"), "--user=root"), servertest.NewOutput()
	dns.Stderr = log
	if err := dns.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { dns.Process.Kill(); dns.Wait() })
	log.Wait(t, "started")

	startCaptive(t, "--addr", ":8000", "--captive", ":80")
	request := func(url string) *http.Response {
		t.Helper()
		out, err := inPhone("curl", "--silent", "--show-error", "--include", "--max-time", "60", "http://"+url)
		if err != nil {
			t.Fatalf("%s: %v\n%s\n%s", url, err, out, log)
		}
		return parseAnswer(t, []byte(out))
	}
	asked := map[string]bool{}
	for _, c := range checks {
		host, _, _ := strings.Cut(c.url, "/")
		if !strings.Contains(dnsmasqBlock(t), "/"+host+"/") {
			continue // a host that has more than checks
		}
		asked[host] = true
		isCheckAnswer(t, c.url, request(c.url), c.status, c.body)
	}
	resolver := &net.Resolver{PreferGo: true, Dial: func(ctx context.Context, _, _ string) (net.Conn, error) {
		return (&net.Dialer{}).DialContext(ctx, "udp", "192.168.4.1:53")
	}}
	for host := range asked {
		// The answer is that there is no such address, not a refusal after which phones ask again.
		var problem *net.DNSError
		if _, err := resolver.LookupNetIP(t.Context(), "ip6", host+"."); !errors.As(err, &problem) || !problem.IsNotFound {
			t.Errorf("the IPv6 address of %s: %v", host, err)
		}
	}
	for _, m := range regexp.MustCompile(`address=/(.*)/192\.0\.2\.1`).FindAllStringSubmatch(dnsmasqBlock(t), -1) {
		if !asked[m[1]] {
			t.Errorf("no check goes to %s", m[1])
		}
	}
	if out, _ := inPhone("getent", "ahosts", "dns.msftncsi.com"); !strings.HasPrefix(out, "131.107.255.255 ") {
		t.Errorf("dns.msftncsi.com is %q", out)
	}
	if out, err := inPhone("getent", "ahosts", "parley.example"); err == nil {
		t.Errorf("any name is an address: %q", out)
	}
	for url, want := range map[string]string{
		"192.168.4.1/":                     "http://192.168.4.1:8000/",
		"www.msftconnecttest.com/redirect": "http://192.0.2.1:8000/join",
	} {
		resp := request(url)
		isCheckAnswer(t, url, resp, http.StatusFound, "")
		if got := resp.Header.Get("Location"); got != want {
			t.Errorf("%s leads to %s", url, got)
		}
		if resp := request(strings.TrimPrefix(want, "http://")); resp.StatusCode != http.StatusOK {
			t.Errorf("%s: %d", want, resp.StatusCode)
		}
	}
	if resp := request("detectportal.firefox.com:8000/"); resp.StatusCode != http.StatusForbidden {
		t.Errorf("the page answers to a foreign name: %d", resp.StatusCode)
	}
}
