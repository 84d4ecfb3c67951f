package session_test

import (
	"bufio"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"sync"
	"syscall"
	"testing"

	"go.uber.org/goleak"
)

// serverBinary is the real server, built once.
var serverBinary string

func TestMain(m *testing.M) {
	if role := os.Getenv(childRole); role != "" {
		os.Exit(child(role))
	}
	os.Exit(runTests(m))
}

func runTests(m *testing.M) int {
	dir, err := os.MkdirTemp("", "parley-session")
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	defer os.RemoveAll(dir)
	serverBinary = filepath.Join(dir, "parley-server")
	build := exec.Command("go", "build", "-o", serverBinary, "parley/server")
	build.Stderr = os.Stderr
	if err := build.Run(); err != nil {
		fmt.Fprintln(os.Stderr, "building the server:", err)
		return 1
	}
	code := m.Run()
	if code == 0 {
		if err := goleak.Find(); err != nil {
			fmt.Fprintln(os.Stderr, err)
			code = 1
		}
	}
	return code
}

// server is a running server process.
type server struct {
	t     testing.TB
	base  string
	addr  string
	data  string
	flags []string
	link  string // of its page, as it was printed
	cmd   *exec.Cmd
}

// startServer starts the real server on a free port.
func startServer(t testing.TB, flags ...string) *server {
	t.Helper()
	s := &server{t: t, addr: "127.0.0.1:0", data: t.TempDir(), flags: flags}
	s.start()
	t.Cleanup(s.kill)
	return s
}

var listening = regexp.MustCompile(`(https?)://(127\.0\.0\.1:\d+)/(#[a-z-]+)?`)

// start starts it, after the first time on the same port and data.
func (s *server) start() {
	s.t.Helper()
	args := append([]string{"--addr", s.addr, "--data", s.data, "--max-per-address", "0", "--max-upgrades", "0"}, s.flags...)
	cmd := exec.Command(serverBinary, args...)
	stdout, err := cmd.StdoutPipe()
	if err != nil {
		s.t.Fatal(err)
	}
	var stderr lockedBuffer
	cmd.Stderr = &stderr
	if err := cmd.Start(); err != nil {
		s.t.Fatal(err)
	}
	lines := bufio.NewScanner(stdout)
	for lines.Scan() {
		if m := listening.FindStringSubmatch(lines.Text()); m != nil {
			s.cmd, s.addr, s.base, s.link = cmd, m[2], m[1]+"://"+m[2], m[0]
			go func() {
				for lines.Scan() {
				}
			}()
			return
		}
	}
	_ = cmd.Wait()
	s.t.Fatalf("the server did not start: %s", stderr.String())
}

// stop ends it in good order.
func (s *server) stop() { s.end(syscall.SIGTERM) }

// kill ends it at once.
func (s *server) kill() { s.end(syscall.SIGKILL) }

func (s *server) end(sig os.Signal) {
	if s.cmd == nil {
		return
	}
	_ = s.cmd.Process.Signal(sig)
	_ = s.cmd.Wait()
	s.cmd = nil
}

// lockedBuffer is what a process writes while a test reads.
type lockedBuffer struct {
	mu   sync.Mutex
	data []byte
}

func (b *lockedBuffer) Write(p []byte) (int, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.data = append(b.data, p...)
	return len(p), nil
}

func (b *lockedBuffer) String() string {
	b.mu.Lock()
	defer b.mu.Unlock()
	return string(b.data)
}
