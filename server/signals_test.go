//go:build unix

package main

import (
	"bufio"
	"net/http"
	"os"
	"os/exec"
	"os/signal"
	"regexp"
	"strings"
	"syscall"
	"testing"

	"parley/shared"
	"parley/shared/servertest"
)

// A server whose standard error nobody reads any more lives on, although anyone
// can cause a line there.
func TestClosedStderr(t *testing.T) {
	cmd := exec.Command(servertest.Binary(t), "--addr", "127.0.0.1:0", "--data", t.TempDir())
	stdout, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	reader, writer, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	cmd.Stderr = writer
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	writer.Close()
	reader.Close()
	lines := bufio.NewScanner(stdout)
	var base string
	for base == "" && lines.Scan() {
		base = regexp.MustCompile(`http://127\.0\.0\.1:\d+`).FindString(lines.Text())
	}
	c := dial(t, "ws"+strings.TrimPrefix(base, "http")+"/ws/chat/hall", shared.Protocol)
	write(t, c, `{"type":"typing"}`) // no hello: the server logs that it closes this one
	if _, _, err := c.Read(t.Context()); err == nil {
		t.Error("a session without a hello was not closed")
	}
	resp, err := http.Get(base + "/healthz")
	if err != nil {
		t.Fatalf("the server has ended: %v", err)
	}
	resp.Body.Close()
	if err := cmd.Process.Signal(syscall.SIGTERM); err != nil {
		t.Fatal(err)
	}
	if err := cmd.Wait(); err != nil {
		t.Errorf("it ended with %v", err)
	}
}

// A hangup stops a server in good order, unless it has a certificate to read
// again, or was started to outlive its terminal.
func TestHangup(t *testing.T) {
	// A process inherits what its parent ignores, as under nohup; what its parent
	// listens to it does not ignore.
	heard := make(chan os.Signal, 1)
	signal.Notify(heard, syscall.SIGHUP)
	defer signal.Reset(syscall.SIGHUP)

	s := servertest.Start(t)
	ann := s.Join("hall", "Ann")
	ann.Say("hi")
	ann.Hear("hi")
	if err := s.End(syscall.SIGHUP); err != nil {
		t.Errorf("it ended with %v", err)
	}
	if !strings.Contains(s.Output.String(), "msg=stopped") {
		t.Errorf("it did not stop in good order:\n%s", s.Output)
	}

	s = servertest.Start(t, "--tls", "auto", "--http-addr", "127.0.0.1:0")
	s.Signal(syscall.SIGHUP)
	s.Output.Wait(t, "the certificate was read again")
	s.Stop()

	signal.Ignore(syscall.SIGHUP)
	s = servertest.Start(t)
	s.Signal(syscall.SIGHUP)
	bob := s.Join("hall", "Bob")
	bob.Say("still here")
	bob.Hear("still here")
	s.Stop()
}
