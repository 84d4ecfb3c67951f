package main

import (
	"net"
	"os/exec"
	"strings"
	"testing"

	"parley/shared/servertest"
)

// inTerminal starts the server in a terminal, where script(1) has it, and returns
// what it prints.
func inTerminal(t *testing.T, args ...string) (out *servertest.Output, wait func()) {
	t.Helper()
	out = servertest.NewOutput()
	cmd := exec.Command("script", "--quiet", "--flush", "--return", "--command", servertest.Binary(t)+" "+strings.Join(args, " "), "/dev/null")
	cmd.Stdout, cmd.Stderr = out, out
	stdin, err := cmd.StdinPipe() // script ends with it
	if err == nil {
		err = cmd.Start()
	}
	if err != nil {
		t.Fatal(err)
	}
	wait = func() { _ = cmd.Wait() } // what it printed says how it ended
	t.Cleanup(func() {
		stdin.Write([]byte{3}) // Ctrl-C
		wait()
	})
	return out, wait
}

// TestTakenPort starts servers while another program has the default port. Only
// one in a terminal, whose port nobody asked for and whose folder nobody uses,
// takes the next free one.
func TestTakenPort(t *testing.T) {
	if !servertest.InNamespace(t) {
		return
	}
	servertest.IP(t, "link set lo up")
	for _, port := range []string{":8000", ":8001"} {
		l, err := net.Listen("tcp", port)
		if err != nil {
			t.Fatal(err)
		}
		defer l.Close()
	}
	data := t.TempDir()
	out, _ := inTerminal(t, "--data", data)
	out.Wait(t, `localhost:8002/`)
	if !strings.Contains(out.String(), "The port 8000 is in use by another program, so this is 8002.") {
		t.Errorf("it does not say that it has moved:\n%s", out)
	}
	for _, args := range [][]string{{"--data", t.TempDir(), "--addr", ":8000"}, {"--data", data}} {
		out, wait := inTerminal(t, args...)
		wait()
		if want := map[bool]string{true: "the address :8000 is in use", false: "another Parley server"}[len(args) > 2]; !strings.Contains(out.String(), want) {
			t.Errorf("%q: it says\n%s", args, out)
		}
	}
	quiet, err := exec.Command(servertest.Binary(t), "--data", t.TempDir()).CombinedOutput()
	if err == nil || !strings.Contains(string(quiet), "the address :8000 is in use") {
		t.Errorf("without a terminal: %v\n%s", err, quiet)
	}
}
