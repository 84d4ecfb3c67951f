package main

import (
	"bytes"
	"context"
	"crypto/tls"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/coder/websocket"

	"parley/server/chat"
	"parley/shared"
	"parley/shared/servertest"
)

// snippets returns the code blocks of docs/proxies.md in a language: first the one
// for a name of its own, then the one below a path.
func snippets(t *testing.T, language string) []string {
	t.Helper()
	text, err := os.ReadFile("../docs/proxies.md")
	if err != nil {
		t.Fatal(err)
	}
	var found []string
	for _, m := range regexp.MustCompile("(?s)```"+language+"\n(.*?)```").FindAllSubmatch(text, -1) {
		found = append(found, string(m[1]))
	}
	if len(found) != 2 {
		t.Fatalf("docs/proxies.md has %d snippets for %s", len(found), language)
	}
	return found
}

// A proxy is a program that runs a snippet of docs/proxies.md.
type proxy struct {
	language, program string
	packaged          string // Debian's package
	// command writes the configuration around a snippet, whose addresses are in
	// place, into a folder. port is the one that the proxy is to listen on.
	command func(t *testing.T, program, snippet, dir string, port int) *exec.Cmd
}

var proxies = []proxy{
	{"nginx", "nginx", "nginx", func(t *testing.T, program, snippet, dir string, port int) *exec.Cmd {
		snippet = replace(t, snippet, "listen 443 ssl", fmt.Sprintf("listen 127.0.0.1:%d ssl", port))
		snippet = regexp.MustCompile(`/etc/ssl/.*\.(crt|key)`).ReplaceAllString(snippet, filepath.Join(dir, "site.$1"))
		writeFile(t, dir, "nginx.conf", "daemon off; master_process off; pid "+dir+"/pid; error_log stderr; events {}\n"+
			"http { access_log off; client_body_temp_path "+dir+"; proxy_temp_path "+dir+"; fastcgi_temp_path "+dir+
			"; uwsgi_temp_path "+dir+"; scgi_temp_path "+dir+";\n"+snippet+"}\n")
		return exec.Command(program, "-p", dir, "-e", "stderr", "-c", filepath.Join(dir, "nginx.conf"))
	}},
	{"caddy", "caddy", "caddy", func(t *testing.T, program, snippet, dir string, port int) *exec.Cmd {
		writeFile(t, dir, "Caddyfile", fmt.Sprintf("{\nadmin off\nhttps_port %d\nauto_https disable_redirects\nlocal_certs\nskip_install_trust\ndefault_bind 127.0.0.1\n}\n", port)+snippet)
		cmd := exec.Command(program, "run", "--adapter", "caddyfile", "--config", filepath.Join(dir, "Caddyfile"))
		cmd.Env = append(os.Environ(), "HOME="+dir, "XDG_DATA_HOME="+dir, "XDG_CONFIG_HOME="+dir)
		return cmd
	}},
	{"haproxy", "haproxy", "haproxy", func(t *testing.T, program, snippet, dir string, port int) *exec.Cmd {
		snippet = replace(t, snippet, "bind :443", fmt.Sprintf("bind 127.0.0.1:%d", port))
		snippet = regexp.MustCompile(`/etc/haproxy/\S*`).ReplaceAllString(snippet, filepath.Join(dir, "site.pem"))
		writeFile(t, dir, "haproxy.cfg", snippet)
		return exec.Command(program, "-db", "-f", filepath.Join(dir, "haproxy.cfg"))
	}},
}

// TestProxies runs each proxy on the snippets of docs/proxies.md and has people
// come through it.
func TestProxies(t *testing.T) {
	for _, p := range proxies {
		for i, snippet := range snippets(t, p.language) {
			name, base := "chat.example.org", ""
			if i == 1 {
				name, base = "example.org", "/parley"
			}
			t.Run(p.language+base, func(t *testing.T) {
				program, err := exec.LookPath(p.program)
				if err != nil {
					t.Skipf("This needs %s: apt install %s. `make test` installs it.", p.program, p.packaged)
				}
				throughProxy(t, p, program, snippet, name, base)
			})
		}
	}
}

func throughProxy(t *testing.T, p proxy, program, snippet, name, base string) {
	// One connection per address: which one the server sees, the limit shows.
	s := servertest.Start(t, "--trusted-proxy", "127.0.0.1", "--allow-host", name, "--base-path", base, "--room", "Lobby", "--max-per-address", "1")
	dir, port := t.TempDir(), servertest.FreePort(t)
	certificate, key := filepath.Join(dir, "site.crt"), filepath.Join(dir, "site.key")
	newAuthority(t).write(certificate, key, 1)
	writeFile(t, dir, "site.pem", readFile(t, certificate)+readFile(t, key))
	cmd := p.command(t, program, replace(t, snippet, "127.0.0.1:8000", s.Addr()), dir, port)
	said := servertest.NewOutput()
	cmd.Stdout, cmd.Stderr = said, said
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		_ = cmd.Process.Kill()
		_ = cmd.Wait()
		if t.Failed() {
			t.Logf("%s said:\n%s", program, said)
		}
	})
	site := "https://" + name + base
	ann, bob := newVisitor(t, "Ann", "127.0.0.2", port, site), newVisitor(t, "Bob", "127.0.0.3", port, site)
	for path, want := range map[string]string{
		"": "name-input", "/": "name-input", "/chat/Lobby": "chat-message-input", "/chat/Lobby/": base + "/static/main.js",
		"/static/main.js": "import", "/api/server": `"protocol"`, "/join.txt": "\n" + site + "/r/Lobby\n",
	} {
		if status, body := ann.fetch(path); status != http.StatusOK || !strings.Contains(body, want) {
			t.Errorf("%s%s: %d %.300s", site, path, status, body)
		}
	}

	c, _, err := ann.enter(name, nil)
	if err != nil {
		t.Fatal(err)
	}
	write(t, c, `{"type":"chat_message","id":"1","message":"hello"}`)
	if m := readUntil(t, c, shared.TypeChat); m.Text != "hello" || m.User != "Ann" {
		t.Errorf("Ann sees %+v", m)
	}
	ann.upload(c)
	// The server counts Ann's connection as her own address's, whatever she says it is.
	if _, resp, err := ann.enter(name, http.Header{"X-Forwarded-For": {"127.0.0.9"}}); err == nil || !strings.Contains(err.Error(), shared.ReasonCrowded) {
		t.Errorf("a second connection from Ann's address: %v, %v", resp, err)
	}
	if _, _, err := bob.enter(name, nil); err != nil {
		t.Errorf("a connection from another address: %v", err)
	}
	eve := newVisitor(t, "Eve", "127.0.0.4", port, site)
	if _, resp, err := eve.enter("evil.example", nil); err == nil || resp == nil || resp.StatusCode != http.StatusForbidden {
		t.Errorf("a page of another site: %v, %v", resp, err)
	}

	// Ann reloads.
	c.CloseNow()
	ann.fetch("/chat/Lobby/")
	ann.until("come back", func() (err error) {
		c, _, err = ann.enter(name, nil) // once the server has noticed that she left
		return err
	})
	if m := readUntil(t, c, shared.TypeChat); m.Text != "hello" {
		t.Errorf("after a reload Ann sees %+v", m)
	}
}

// A visitor is a browser at an address of this host, in whose network each name
// leads to the proxy.
type visitor struct {
	t            *testing.T
	name, device string
	site         string
	client       *http.Client
}

// newVisitor returns a visitor for whom the proxy is up.
func newVisitor(t *testing.T, name, address string, port int, site string) *visitor {
	t.Helper()
	d := net.Dialer{LocalAddr: &net.TCPAddr{IP: net.ParseIP(address)}}
	client := insecure(t, &tls.Config{})
	client.Transport.(*http.Transport).DialContext = func(ctx context.Context, network, _ string) (net.Conn, error) {
		return d.DialContext(ctx, network, net.JoinHostPort("127.0.0.1", strconv.Itoa(port)))
	}
	v := &visitor{t, name, servertest.NewDevice(), site, client}
	v.until("see the page", func() error {
		resp, err := client.Get(site + "/")
		if err == nil {
			resp.Body.Close()
		}
		return err
	})
	return v
}

// until tries until it succeeds.
func (v *visitor) until(what string, try func() error) {
	v.t.Helper()
	late := time.After(time.Minute)
	for {
		err := try()
		if err == nil {
			return
		}
		select {
		case <-late:
			v.t.Fatalf("%s does not %s: %v", v.name, what, err)
		case <-time.After(20 * time.Millisecond):
		}
	}
}

func (v *visitor) fetch(path string) (status int, body string) {
	v.t.Helper()
	resp, err := v.client.Get(v.site + path)
	if err != nil {
		v.t.Fatal(err)
	}
	defer resp.Body.Close()
	data, _ := io.ReadAll(resp.Body)
	return resp.StatusCode, string(data)
}

// upload sends the longest part of a file.
func (v *visitor) upload(c *websocket.Conn) {
	v.t.Helper()
	id := newFileID()
	write(v.t, c, string(shared.Encode(shared.Message{Type: shared.TypeUpload, ID: id, Name: "a.bin", Size: shared.MaxUploadPart})))
	up := readUntil(v.t, c, shared.TypeUpload)
	req, err := http.NewRequest(http.MethodPatch, v.site+"/files/"+id, bytes.NewReader(make([]byte, shared.MaxUploadPart)))
	if err != nil {
		v.t.Fatal(err)
	}
	req.Header.Set("Authorization", "Bearer "+up.Key)
	req.Header.Set("Upload-Offset", "0")
	resp, err := v.client.Do(req)
	if err != nil {
		v.t.Fatal(err)
	}
	if resp.Body.Close(); resp.StatusCode != http.StatusNoContent || resp.Header.Get("Upload-Offset") != strconv.Itoa(shared.MaxUploadPart) {
		v.t.Errorf("a part of a file: %d %v", resp.StatusCode, resp.Header)
	}
}

// enter joins the lobby as a page does that came from a host.
func (v *visitor) enter(host string, header http.Header) (*websocket.Conn, *http.Response, error) {
	v.t.Helper()
	if header == nil {
		header = http.Header{}
	}
	header.Set("Origin", "https://"+host)
	conn, resp, err := websocket.Dial(v.t.Context(), v.site+"/ws/chat/Lobby/",
		&websocket.DialOptions{HTTPClient: v.client, HTTPHeader: header, Subprotocols: []string{shared.Protocol}})
	if err != nil {
		return nil, resp, err
	}
	v.t.Cleanup(func() { conn.CloseNow() })
	write(v.t, conn, string(shared.Encode(shared.Message{Type: shared.TypeHello, User: v.name, Device: v.device})))
	if _, _, err := conn.Read(v.t.Context()); err != nil { // the welcome
		return nil, resp, err
	}
	return conn, resp, nil
}

// TestProxyTimeouts compares the timeouts in docs/proxies.md with the server's
// pings: a proxy that waits for less cuts whoever is silent.
func TestProxyTimeouts(t *testing.T) {
	timeout := regexp.MustCompile(`(?m)^\s*(proxy_read_timeout|proxy_send_timeout|timeout (?:client|server|tunnel)) (\w+)`)
	for language, want := range map[string]int{"nginx": 2, "haproxy": 3} {
		for _, snippet := range snippets(t, language) {
			found := timeout.FindAllStringSubmatch(snippet, -1)
			if len(found) != want {
				t.Errorf("%s: %d timeouts, want %d", language, len(found), want)
			}
			for _, m := range found {
				if d, err := time.ParseDuration(m[2]); err != nil || d < 2*chat.Defaults().PingEvery {
					t.Errorf("%s: %s is %s, and pings come every %v", language, m[1], m[2], chat.Defaults().PingEvery)
				}
			}
		}
	}
	text, err := os.ReadFile("../docs/proxies.md")
	if says := fmt.Sprintf("a ping every %.0f s", chat.Defaults().PingEvery.Seconds()); err != nil || !strings.Contains(string(text), says) {
		t.Errorf("docs/proxies.md does not say %q", says)
	}
}

// replace is strings.ReplaceAll that finds something.
func replace(t *testing.T, s, old, new string) string {
	t.Helper()
	if !strings.Contains(s, old) {
		t.Fatalf("there is no %q in:\n%s", old, s)
	}
	return strings.ReplaceAll(s, old, new)
}

func writeFile(t *testing.T, dir, name, content string) {
	t.Helper()
	if err := os.WriteFile(filepath.Join(dir, name), []byte(content), 0o600); err != nil {
		t.Fatal(err)
	}
}

func readFile(t *testing.T, path string) string {
	t.Helper()
	data, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return string(data)
}
