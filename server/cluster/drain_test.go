package cluster

import (
	"context"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"encoding/pem"
	"errors"
	"fmt"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"testing"

	"github.com/coder/websocket"

	"parley/shared"
	"parley/shared/servertest"
)

// balancers are the proxies of docs/cluster. Each configuration comes with its servers in
// place, and is to listen on a port with the certificate in a folder, as site.crt, site.key
// and site.pem.
var balancers = []struct {
	program, file string
	command       func(t *testing.T, config, dir string, port int) *exec.Cmd
}{
	{"haproxy", "haproxy.cfg", func(t *testing.T, config, dir string, port int) *exec.Cmd {
		config = replace(t, config, "bind :443", fmt.Sprintf("bind 127.0.0.1:%d", port))
		config = replace(t, config, "/etc/haproxy/chat.example.org.pem", filepath.Join(dir, "site.pem"))
		return exec.Command("haproxy", "-db", "-f", write(t, dir, "haproxy.cfg", config))
	}},
	{"nginx", "nginx.conf", func(t *testing.T, config, dir string, port int) *exec.Cmd {
		config = replace(t, config, "listen 443", fmt.Sprintf("listen 127.0.0.1:%d", port))
		config = regexp.MustCompile(`/etc/ssl/.*\.(crt|key)`).ReplaceAllString(config, filepath.Join(dir, "site.$1"))
		temporary := ""
		for _, what := range []string{"client_body", "proxy", "fastcgi", "uwsgi", "scgi"} {
			temporary += what + "_temp_path " + dir + "; "
		}
		path := write(t, dir, "nginx.conf", "daemon off; master_process off; pid "+dir+"/pid; error_log stderr; events {}\n"+
			"http { access_log off; "+temporary+"\n"+config+"}\n")
		return exec.Command("nginx", "-p", dir, "-e", "stderr", "-c", path)
	}},
	{"caddy", "Caddyfile", func(t *testing.T, config, dir string, port int) *exec.Cmd {
		options := fmt.Sprintf("{\nadmin off\nhttps_port %d\nauto_https disable_redirects\nlocal_certs\nskip_install_trust\ndefault_bind 127.0.0.1\n}\n", port)
		cmd := exec.Command("caddy", "run", "--adapter", "caddyfile", "--config", write(t, dir, "Caddyfile", options+config))
		cmd.Env = append(os.Environ(), "HOME="+dir, "XDG_DATA_HOME="+dir, "XDG_CONFIG_HOME="+dir)
		return cmd
	}},
}

// TestDrain puts each proxy of docs/cluster in front of two servers, has people talk
// through it, and stops one of the servers: they go on at the other one, and the log and
// everyone's screen have each message once, in one order.
func TestDrain(t *testing.T) {
	for _, b := range balancers {
		t.Run(b.program, func(t *testing.T) {
			t.Parallel()
			s, _ := start(t, 2, "--trusted-proxy", "127.0.0.1", "--allow-host", "chat.example.org", "--rate", "0", "--max-per-address", "0")
			text, err := os.ReadFile(filepath.Join("..", "..", "docs", "cluster", b.file))
			if err != nil {
				t.Fatal(err)
			}
			config := replace(t, replace(t, string(text), "10.0.0.11:8000", s[0].Addr()), "10.0.0.12:8000", s[1].Addr())
			dir, port := t.TempDir(), servertest.FreePort(t)
			writeCertificate(t, dir)
			run(t, b.command(t, config, dir, port))
			drain(t, s, visitors(t, port))
		})
	}
}

// people is how many talk in TestDrain, and more is how much each says when the server has
// gone.
const people, more = 12, 10

func drain(t *testing.T, s []*servertest.Server, client *http.Client) {
	until(t, "both servers are in use", func() bool { // of the proxy
		resp, err := client.Get("https://chat.example.org/readyz")
		if err == nil {
			resp.Body.Close()
		}
		return err == nil && resp.StatusCode == http.StatusOK
	})
	late, stop := context.WithTimeout(t.Context(), tooLong)
	defer stop()
	ctx, fail := context.WithCancelCause(late)
	crowd := make([]*talker, people)
	var talking, in sync.WaitGroup
	defer talking.Wait()
	defer fail(nil)
	begin, gone := make(chan struct{}), make(chan struct{})
	for i := range crowd {
		in.Add(1)
		crowd[i] = &talker{client: client, name: fmt.Sprint("Person ", i), device: servertest.NewDevice(),
			in: sync.OnceFunc(in.Done), begin: begin, gone: gone, times: map[string]int{}}
		talking.Go(func() {
			if crowd[i].talk(ctx); crowd[i].err != nil {
				fail(fmt.Errorf("%s: %w", crowd[i].name, crowd[i].err)) // or the others wait for what it says at last
			}
		})
	}
	in.Wait()
	if ctx.Err() != nil {
		t.Fatal(context.Cause(ctx))
	}
	for i := range s {
		if s[i].Metric("parley_connections") == "0" {
			t.Errorf("nobody is at server %d", i)
		}
	}
	close(begin)
	until(t, "all talk", func() bool {
		if ctx.Err() != nil {
			t.Fatal(context.Cause(ctx))
		}
		return len(s[1].Messages("Hall", 0)) > 3*people
	})

	s[0].Signal(syscall.SIGTERM)
	until(t, "the server that stops is not ready", func() bool {
		status, _ := s[0].Get("/readyz")
		return status == http.StatusServiceUnavailable
	})
	if s[0].Metric("parley_connections") == "0" {
		t.Error("nobody is at the server, though proxies can't know yet that it stops")
	}
	if err := s[0].End(syscall.Signal(0)); err != nil {
		t.Errorf("the server ended with %v", err)
	}
	if said := s[0].Output.String(); strings.Contains(said, "cut off") {
		t.Errorf("the server did not end in good order:\n%s", said)
	}
	close(gone)
	talking.Wait()

	log := s[1].Messages("Hall", 0)
	times := map[string]int{}
	for _, m := range log {
		times[m.Text]++
	}
	moves, refused := 0, 0
	for _, p := range crowd {
		moves, refused = moves+p.moves, refused+p.refused
		if p.err != nil {
			t.Errorf("%s: %v", p.name, p.err)
		}
		for n := range p.said {
			if text := p.says(n); times[text] != 1 || p.times[text] != 1 {
				t.Errorf("%q is %d times in the log, and %d times on its writer's screen", text, times[text], p.times[text])
			}
		}
		if len(p.times) != len(log) {
			t.Errorf("%s has seen %d of %d messages", p.name, len(p.times), len(log))
		}
	}
	if moves == 0 {
		t.Error("nobody had to go to the other server")
	}
	t.Logf("%d messages of %d people, %d moves, %d refused connections", len(log), people, moves, refused)
}

// A talker says one thing after the other, each once the last one was acknowledged, and
// keeps what it sees, as a client does.
type talker struct {
	client       *http.Client
	name, device string
	in           func()          // is called when it is in the room
	begin, gone  <-chan struct{} // closed when all are, and when a server has gone

	epoch    string
	after    int64          // the newest offset that it has seen
	said     int            // what was acknowledged
	final    int            // the number of what it says at last; 0 if it does not know yet
	id, text string         // of what was not acknowledged
	times    map[string]int // it has seen a text
	ended    int            // who has said the last
	moves    int            // to another server
	refused  int            // connections
	err      error
}

const theLast = "the last of "

func (p *talker) says(n int) string {
	if p.final != 0 && n == p.final {
		return theLast + p.name
	}
	return fmt.Sprintf("%s says %d", p.name, n)
}

// talk goes on until a while after a server has gone, and until it has seen the last of
// everyone.
func (p *talker) talk(ctx context.Context) {
	defer p.in()
	for p.err == nil && p.ended < people {
		conn, _, err := websocket.Dial(ctx, "wss://chat.example.org/ws/chat/Hall", &websocket.DialOptions{HTTPClient: p.client, Subprotocols: []string{shared.Protocol}})
		if err != nil {
			if p.refused++; ctx.Err() != nil {
				p.err = err
			}
			continue
		}
		err = p.visit(ctx, conn)
		conn.CloseNow()
		switch websocket.CloseStatus(err) {
		case websocket.StatusCode(shared.CloseRestart):
			p.moves++
		case websocket.StatusCode(shared.CloseTryLater): // the database is slow
			p.refused++
		default:
			p.err = err
		}
	}
}

// visit is one connection.
func (p *talker) visit(ctx context.Context, conn *websocket.Conn) error {
	conn.SetReadLimit(shared.ReadLimit)
	send := func(m shared.Message) error { return conn.Write(ctx, websocket.MessageText, shared.Encode(m)) }
	if err := send(shared.Message{Type: shared.TypeHello, User: p.name, Device: p.device, Epoch: p.epoch, After: p.after}); err != nil {
		return err
	}
	for p.ended < people {
		_, data, err := conn.Read(ctx)
		if err != nil {
			return err
		}
		m, err := shared.Decode(data)
		if err != nil {
			return err
		}
		if m.Type == shared.TypeChat {
			if m.Offset <= p.after {
				return fmt.Errorf("offset %d comes after %d", m.Offset, p.after)
			}
			p.after = m.Offset
			p.times[m.Text]++
			if strings.HasPrefix(m.Text, theLast) {
				p.ended++
			}
		}
		own := p.id != "" && m.ID == p.id
		switch {
		case m.Type == shared.TypeWelcome:
			if p.epoch != "" && !m.Resumed {
				return errors.New("it was not resumed")
			}
			p.epoch = m.Epoch
			p.in()
			select {
			case <-p.begin:
			case <-ctx.Done():
			}
		case own && (m.Type == shared.TypeChat || m.Type == shared.TypeAck):
			p.id = ""
			p.said++
		case own && m.Code == shared.CodeUnavailable: // it says that again
		case m.Type == shared.TypeError:
			return fmt.Errorf("%s: %s", m.Code, m.Text)
		default:
			continue
		}
		if p.id == "" && !p.next() {
			continue
		}
		if err := send(shared.Message{Type: shared.TypeChat, ID: p.id, Text: p.text}); err != nil {
			return err
		}
	}
	return nil
}

// next decides on what to say next, and reports whether there is something.
func (p *talker) next() bool {
	select {
	case <-p.gone:
		if p.final == 0 {
			p.final = p.said + more
		}
	default:
	}
	if p.final != 0 && p.said > p.final {
		return false
	}
	p.id, p.text = rand.Text(), p.says(p.said)
	return true
}

// visitors are people for whom every name leads to a proxy.
func visitors(t *testing.T, port int) *http.Client {
	transport := &http.Transport{
		TLSClientConfig: &tls.Config{InsecureSkipVerify: true}, // the certificate is the test's own
		DialContext: func(ctx context.Context, network, _ string) (net.Conn, error) {
			return (&net.Dialer{}).DialContext(ctx, network, net.JoinHostPort("127.0.0.1", strconv.Itoa(port)))
		},
	}
	t.Cleanup(transport.CloseIdleConnections)
	return &http.Client{Transport: transport}
}

// writeCertificate writes site.crt, site.key, and both in site.pem.
func writeCertificate(t *testing.T, dir string) {
	t.Helper()
	s := httptest.NewTLSServer(nil) // which makes one
	defer s.Close()
	pair := s.TLS.Certificates[0]
	key, err := x509.MarshalPKCS8PrivateKey(pair.PrivateKey)
	if err != nil {
		t.Fatal(err)
	}
	crt := string(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: pair.Certificate[0]}))
	secret := string(pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: key}))
	write(t, dir, "site.crt", crt)
	write(t, dir, "site.key", secret)
	write(t, dir, "site.pem", crt+secret)
}

// run runs a program until the test ends.
func run(t *testing.T, cmd *exec.Cmd) (said *servertest.Output) {
	t.Helper()
	said = servertest.NewOutput()
	cmd.Stdout, cmd.Stderr = said, said
	if err := cmd.Start(); err != nil {
		t.Fatalf("%v: `make test` installs it", err)
	}
	t.Cleanup(func() {
		_ = cmd.Process.Kill()
		_ = cmd.Wait()
		if t.Failed() {
			t.Logf("%s said:\n%s", cmd.Path, said)
		}
	})
	return said
}

// replace is strings.ReplaceAll that finds something.
func replace(t *testing.T, s, old, new string) string {
	t.Helper()
	if !strings.Contains(s, old) {
		t.Fatalf("there is no %q in:\n%s", old, s)
	}
	return strings.ReplaceAll(s, old, new)
}

func write(t *testing.T, dir, name, content string) (path string) {
	t.Helper()
	path = filepath.Join(dir, name)
	if err := os.WriteFile(path, []byte(content), 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}
