// Package servertest runs the real server as a process of its own and plays the
// people who connect to it, for the tests of both ends.
package servertest

import (
	"bufio"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"runtime/debug"
	"slices"
	"strings"
	"sync"
	"syscall"
	"testing"

	"go.uber.org/goleak"

	"parley/shared"
)

// Main runs a package's tests for its TestMain and returns their exit code. It
// fails on a goroutine that is left, and removes the server that was built.
func Main(m *testing.M, leaks ...goleak.Option) int {
	defer Remove()
	code := m.Run()
	if code == 0 {
		if err := goleak.Find(leaks...); err != nil {
			fmt.Fprintln(os.Stderr, err)
			return 1
		}
	}
	return code
}

// Remove removes the server that was built, for a TestMain that can't use Main.
func Remove() {
	if built.path != "" {
		os.RemoveAll(filepath.Dir(built.path))
	}
}

// built is the server's program, which all tests of a package share.
var built struct {
	once sync.Once
	path string
	err  error
}

// Binary builds the server once and returns the program's path. The build has
// the race detector if the test has. A package that calls it runs Main.
func Binary(t testing.TB) string {
	t.Helper()
	built.once.Do(func() {
		dir, err := os.MkdirTemp("", "parley-servertest")
		if err == nil {
			err = os.Chmod(dir, 0o755) // for a server that runs as another user
		}
		if err != nil {
			built.err = err
			return
		}
		built.path = filepath.Join(dir, "parley-server")
		args := []string{"build", "-tags", "chaos", "-o", built.path}
		if Race() {
			args = append(args, "-race")
		}
		if out, err := exec.Command("go", append(args, "parley/server")...).CombinedOutput(); err != nil {
			built.err = fmt.Errorf("building the server: %w\n%s", err, out)
		}
	})
	if built.err != nil {
		t.Fatal(built.err)
	}
	return built.path
}

// Race reports whether the test, and so the server that Binary builds, has the race
// detector, which costs several times the processor time.
func Race() bool {
	info, ok := debug.ReadBuildInfo()
	return ok && slices.Contains(info.Settings, debug.BuildSetting{Key: "-race", Value: "true"})
}

// Server is the server as a process that comes and goes over one data folder.
// Its methods belong to the test's goroutine.
type Server struct {
	Data   string               // its data folder
	Flags  []string             // beyond --addr and --data
	Env    []string             // of the process; nil is the test's
	Attr   *syscall.SysProcAttr // of the process; nil is the default
	Output *Output              // what it prints, of all its runs

	t     testing.TB
	token string // the file with the token that reads its metrics
	addr  string // host:port, kept over restarts
	cmd   *exec.Cmd
	errs  *os.File      // the other end of its standard error
	read  chan struct{} // closed when its output has ended
}

// New returns a server that is not started yet. Flags are the program's.
func New(t testing.TB, flags ...string) *Server {
	t.Helper()
	dir := t.TempDir()
	s := &Server{Data: filepath.Join(dir, "data"), Flags: flags, Output: NewOutput(), t: t, token: filepath.Join(dir, "token"), addr: anyPort}
	if err := os.WriteFile(s.token, []byte(token), 0o600); err != nil {
		t.Fatal(err)
	}
	Binary(t)
	t.Cleanup(s.Kill)
	return s
}

const anyPort = "127.0.0.1:0"

const token = "the-token-of-servertest"

// Listen sets the host:port that the server listens on from its next start.
func (s *Server) Listen(addr string) { s.addr = addr }

// Start returns a server that takes connections.
func Start(t testing.TB, flags ...string) *Server {
	t.Helper()
	s := New(t, flags...)
	s.MustStart()
	return s
}

var address = regexp.MustCompile(`https?://((?:127\.0\.0\.1|localhost):\d+)`)

// Start starts the process and waits until it takes connections. If it ends
// before that, the error has what it said.
func (s *Server) Start() error {
	s.t.Helper()
	if s.addr == anyPort && !slices.Contains(s.Flags, "--addr") { // and nobody takes it while the server is away
		s.addr = fmt.Sprint("127.0.0.1:", FreePort(s.t))
	}
	cmd := exec.Command(built.path, append([]string{"--addr", s.addr, "--data", s.Data, "--api-token-file", s.token}, s.Flags...)...)
	cmd.Env, cmd.SysProcAttr = s.Env, s.Attr
	stdout, err := cmd.StdoutPipe()
	if err != nil {
		return err
	}
	errs, stderr, err := os.Pipe()
	if err != nil {
		return err
	}
	cmd.Stderr = stderr
	err = cmd.Start()
	stderr.Close()
	if err != nil {
		errs.Close()
		return err
	}
	said := &strings.Builder{}
	var reading sync.WaitGroup
	reading.Go(func() {
		defer errs.Close()
		_, _ = io.Copy(io.MultiWriter(s.Output, said), errs)
	})
	lines := bufio.NewScanner(stdout)
	for lines.Scan() {
		fmt.Fprintln(s.Output, lines.Text())
		if m := address.FindStringSubmatch(lines.Text()); m != nil {
			s.cmd, s.addr, s.errs, s.read = cmd, m[1], errs, make(chan struct{})
			go func() {
				defer close(s.read)
				_, _ = io.Copy(s.Output, stdout)
				reading.Wait()
			}()
			return nil
		}
	}
	reading.Wait()
	err = cmd.Wait()
	return fmt.Errorf("%w: %s", err, said)
}

// Deafen stops reading the process's standard error, like a terminal or a logger that
// has gone.
func (s *Server) Deafen() { s.errs.Close() }

// MustStart is Start for a test that needs the server.
func (s *Server) MustStart() {
	s.t.Helper()
	if err := s.Start(); err != nil {
		s.t.Fatalf("the server does not start: %v", err)
	}
}

// Stop ends the process in good order and fails the test if it ended otherwise.
func (s *Server) Stop() {
	s.t.Helper()
	if err := s.End(syscall.SIGTERM); err != nil {
		s.t.Errorf("the server ended with %v", err)
	}
}

// Kill ends the process at once.
func (s *Server) Kill() { _ = s.End(syscall.SIGKILL) }

// End sends the process a signal, waits for its end and returns how it ended.
// It fails the test if the process reported a race or a panic.
func (s *Server) End(signal os.Signal) error {
	s.t.Helper()
	if s.cmd == nil {
		return nil
	}
	_ = s.cmd.Process.Signal(signal) // it may have ended by itself
	<-s.read
	err := s.cmd.Wait()
	s.cmd = nil
	if text := s.Output.String(); strings.Contains(text, "DATA RACE") || strings.Contains(text, "panic:") {
		s.t.Errorf("the server said:\n%s", text)
	}
	return err
}

// Signal sends the process a signal.
func (s *Server) Signal(signal os.Signal) {
	s.t.Helper()
	if err := s.cmd.Process.Signal(signal); err != nil {
		s.t.Fatal(err)
	}
}

// Pid returns the process's number.
func (s *Server) Pid() int { return s.cmd.Process.Pid }

// Run runs a command of the program on the folder and returns what it printed.
func (s *Server) Run(args ...string) string {
	s.t.Helper()
	var out, problems strings.Builder
	cmd := exec.Command(built.path, append(args, "--data", s.Data)...)
	cmd.Stdout, cmd.Stderr = &out, &problems
	if err := cmd.Run(); err != nil {
		s.t.Errorf("%q: %v, %s", args, err, &problems)
	}
	return out.String()
}

// Addr returns its host:port, the same after each start.
func (s *Server) Addr() string { return s.addr }

// URL returns an http address of the server.
func (s *Server) URL(path string) string { return "http://" + s.addr + path }

// direct uses no proxy, and a connection for each request, since the server may
// be killed at any time.
var direct = &http.Client{Transport: &http.Transport{DisableKeepAlives: true}, Timeout: tooLong}

// Get returns the status and the body of a path.
func (s *Server) Get(path string) (status int, body string) {
	s.t.Helper()
	req, err := http.NewRequest(http.MethodGet, s.URL(path), nil)
	if err != nil {
		s.t.Fatal(err)
	}
	return s.do(req)
}

func (s *Server) do(req *http.Request) (status int, body string) {
	s.t.Helper()
	resp, err := direct.Do(req)
	if err != nil {
		s.t.Fatal(err)
	}
	defer resp.Body.Close()
	data, err := io.ReadAll(resp.Body)
	if err != nil {
		s.t.Fatal(err)
	}
	return resp.StatusCode, string(data)
}

// Metric returns the value of a line of /metrics, "" if there is no such line.
func (s *Server) Metric(name string) string {
	s.t.Helper()
	req, err := http.NewRequest(http.MethodGet, s.URL("/metrics"), nil)
	if err != nil {
		s.t.Fatal(err)
	}
	req.Header.Set("Authorization", "Bearer "+token)
	_, body := s.do(req)
	for line := range strings.Lines(body) {
		if value, ok := strings.CutPrefix(line, name+" "); ok {
			return strings.TrimSpace(value)
		}
	}
	return ""
}

// Messages returns a room's messages after an offset, as the API has them, oldest
// first.
func (s *Server) Messages(room string, after int64) (all []shared.Message) {
	s.t.Helper()
	for before := ""; ; {
		status, body := s.Get("/api/rooms/" + url.PathEscape(room) + "/messages?limit=100" + before)
		page, err := shared.Decode([]byte(body))
		if err != nil || status != http.StatusOK {
			s.t.Fatalf("the messages of %s: %d %s, %v", room, status, body, err)
		}
		newer := slices.DeleteFunc(slices.Clone(page.Messages), func(m shared.Message) bool { return m.Offset <= after })
		all = append(newer, all...)
		if !page.More || len(newer) < len(page.Messages) {
			return all
		}
		before = fmt.Sprint("&before=", page.Messages[0].Offset)
	}
}

// JSON decodes the answer to a path.
func (s *Server) JSON(path string, v any) {
	s.t.Helper()
	status, body := s.Get(path)
	if err := json.Unmarshal([]byte(body), v); err != nil || status != http.StatusOK {
		s.t.Fatalf("%s: %d %s, %v", path, status, body, err)
	}
}
