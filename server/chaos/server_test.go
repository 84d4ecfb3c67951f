//go:build linux

package chaos

import (
	"bufio"
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"parley/shared"
)

// server is the real server, as a process that comes and goes over one folder.
type server struct {
	t     testing.TB
	data  string
	clock string // the file that moves its clock
	flags []string

	credential *syscall.Credential // who it runs as; nil is whoever the tests do

	cmd    *exec.Cmd // nil while it is down
	base   string    // its address; another after each start
	stderr *output
	read   chan struct{} // closed when its standard output has ended
}

func newServer(t testing.TB, flags ...string) *server {
	t.Helper()
	dir, err := os.MkdirTemp("", "parley-chaos-data")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { os.RemoveAll(dir) })
	s := &server{t: t, data: filepath.Join(dir, "data"), clock: filepath.Join(dir, "clock"), flags: flags}
	if err := errors.Join(os.Chmod(dir, 0o755), os.Mkdir(s.data, 0o755)); err != nil { // see startAsNobody
		t.Fatal(err)
	}
	t.Cleanup(func() { s.end(syscall.SIGKILL) })
	return s
}

// startAsNobody starts it as a user whom modes keep from writing, since they do
// not keep root from it.
func (s *server) startAsNobody() error {
	s.credential = &syscall.Credential{Uid: nobody, Gid: nobody}
	defer func() { s.credential = nil }()
	return s.start()
}

const nobody = 65534

var address = regexp.MustCompile(`http://127\.0\.0\.1:\d+`)

// start starts it and waits until it takes connections; the error has what it
// said when it ended instead.
func (s *server) start() error {
	cmd := exec.Command(binary, append([]string{"--addr", "127.0.0.1:0", "--data", s.data, "--max-per-address", "0", "--max-upgrades", "0", "--rate", "0"}, s.flags...)...)
	cmd.Env = append(os.Environ(), "PARLEY_CHAOS_CLOCK="+s.clock)
	cmd.SysProcAttr = &syscall.SysProcAttr{Credential: s.credential}
	s.stderr = &output{}
	cmd.Stderr = s.stderr
	stdout, err := cmd.StdoutPipe()
	if err != nil {
		return err
	}
	if err := cmd.Start(); err != nil {
		return err
	}
	lines := bufio.NewScanner(stdout)
	for lines.Scan() {
		if base := address.FindString(lines.Text()); base != "" {
			s.cmd, s.base, s.read = cmd, base, make(chan struct{})
			go func() {
				defer close(s.read)
				_, _ = io.Copy(io.Discard, stdout) // until it ends
			}()
			return nil
		}
	}
	err = cmd.Wait()
	return fmt.Errorf("%w: %s", err, s.stderr)
}

func (s *server) mustStart() {
	s.t.Helper()
	if err := s.start(); err != nil {
		s.t.Fatalf("the server does not start: %v", err)
	}
}

// end sends it a signal and waits for its end.
func (s *server) end(signal os.Signal) error {
	if s.cmd == nil {
		return nil
	}
	_ = s.cmd.Process.Signal(signal) // it may have ended
	<-s.read
	err := s.cmd.Wait()
	s.cmd = nil
	if text := s.stderr.String(); strings.Contains(text, "DATA RACE") || strings.Contains(text, "panic:") {
		s.t.Errorf("the server said:\n%s", text)
	}
	return err
}

// run runs a command of the program on the folder and returns what it printed.
func (s *server) run(args ...string) string {
	s.t.Helper()
	var out, problems bytes.Buffer
	cmd := exec.Command(binary, append(args, "--data", s.data)...)
	cmd.Stdout, cmd.Stderr = &out, &problems
	if err := cmd.Run(); err != nil {
		s.t.Errorf("%q: %v, %s", args, err, &problems)
	}
	return out.String()
}

// get returns the status and the body of a path.
func (s *server) get(path string) (status int, body string) {
	s.t.Helper()
	resp, err := direct.Get(s.base + path)
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

// direct goes to the server without the proxy, on a connection for each request:
// the server may be killed at any time.
var direct = &http.Client{Transport: &http.Transport{DisableKeepAlives: true}, Timeout: time.Minute}

// metric returns the value of a line of /metrics, "" if there is none.
func (s *server) metric(name string) string {
	s.t.Helper()
	_, body := s.get("/metrics")
	for line := range strings.Lines(body) {
		if value, ok := strings.CutPrefix(line, name+" "); ok {
			return strings.TrimSpace(value)
		}
	}
	return ""
}

// log returns a room's entries after an offset.
func (s *server) log(room string, after int64) (entries []shared.Message) {
	s.t.Helper()
	for before := ""; ; {
		status, body := s.get("/api/rooms/" + url.PathEscape(room) + "/messages?limit=100" + before)
		var page struct {
			Messages []struct {
				Offset  int64
				Message string
			}
			More bool
		}
		if err := json.Unmarshal([]byte(body), &page); err != nil || status != http.StatusOK {
			s.t.Fatalf("the messages of %s: %d %s, %v", room, status, body, err)
		}
		var older []shared.Message
		for _, m := range page.Messages {
			if m.Offset > after {
				older = append(older, shared.Message{Offset: m.Offset, Text: m.Message})
			}
		}
		entries = append(older, entries...)
		if len(older) < len(page.Messages) || !page.More {
			return entries
		}
		before = fmt.Sprint("&before=", older[0].Offset)
	}
}

// shift moves the server's clock, against the real one.
func (s *server) shift(by time.Duration) {
	s.t.Helper()
	part := s.clock + ".part"
	if err := errors.Join(os.WriteFile(part, []byte(by.String()), 0o644), os.Rename(part, s.clock)); err != nil {
		s.t.Fatal(err)
	}
}

// output is what a process writes while a test reads.
type output struct {
	mu   sync.Mutex
	data []byte
}

func (o *output) Write(p []byte) (int, error) {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.data = append(o.data, p...)
	return len(p), nil
}

func (o *output) String() string {
	o.mu.Lock()
	defer o.mu.Unlock()
	return string(o.data)
}
