package main

import (
	"errors"
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"syscall"
	"testing"

	"parley/shared"
	"parley/shared/servertest"
)

// TestUnitAllowsWhatTheServerCalls traces the system calls of a server at work: the
// unit must allow all of them, and the families of its sockets.
func TestUnitAllowsWhatTheServerCalls(t *testing.T) {
	strace := needsProgram(t, "strace", "strace")
	analyze := needsProgram(t, "systemd-analyze", "systemd")
	allowed := map[string]bool{}
	var apply func(set string, allow bool)
	apply = func(set string, allow bool) {
		for line := range strings.Lines(string(must(exec.Command(analyze, "syscall-filter", set).Output()))) {
			switch name := strings.TrimSpace(line); {
			case name == set || name == "" || name[0] == '#':
			case name[0] == '@':
				apply(name, allow)
			default:
				allowed[name] = allow
			}
		}
	}
	unit := service{port: 8000}.unit()
	filters := regexp.MustCompile(`(?m)^SystemCallFilter=(~?)(.*)$`).FindAllStringSubmatch(string(unit), -1)
	for _, m := range filters {
		for set := range strings.FieldsSeq(m[2]) {
			apply(set, m[1] == "")
		}
	}
	if os.Geteuid() == 0 {
		allowed["fchown"] = true // SQLite calls it for root only, which the service is not
	}
	if !allowed["write"] || allowed["mount"] || allowed["setuid"] {
		t.Fatalf("the filters %q were not understood", filters)
	}

	trace := filepath.Join(t.TempDir(), "trace")
	cmd := exec.Command(strace, "-f", "-o", trace, servertest.Binary(t), "--addr", "127.0.0.1:0", "--data", t.TempDir(), "--tls", "auto", "--http-addr", "127.0.0.1:0")
	out := servertest.NewOutput()
	cmd.Stdout, cmd.Stderr = out, out
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true} // both get the signal
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	url := out.Wait(t, `http://127\.0\.0\.1:\d+`)
	ann := dial(t, url+"/ws/chat/Lobby/Ann", "")
	write(t, ann, `{"message":"hello"}`)
	readUntil(t, ann, shared.TypeChat)
	readOn(ann)
	if err := errors.Join(syscall.Kill(-cmd.Process.Pid, syscall.SIGTERM), cmd.Wait()); err != nil {
		t.Errorf("%v\n%s", err, out)
	}
	called, traced := map[string]bool{}, string(must(os.ReadFile(trace)))
	for _, m := range regexp.MustCompile(`(?m)^\d+ +(\w+)\(`).FindAllStringSubmatch(traced, -1) {
		called[m[1]] = true
	}
	families := strings.Fields(string(regexp.MustCompile(`(?m)^RestrictAddressFamilies=.*`).Find(unit)))
	families[0] = strings.TrimPrefix(families[0], "RestrictAddressFamilies=")
	sockets := regexp.MustCompile(`socket\((AF_\w+)`).FindAllStringSubmatch(traced, -1)
	for _, m := range sockets {
		if !slices.Contains(families, m[1]) {
			t.Errorf("the server opens a socket of %s, which the unit forbids", m[1])
		}
	}
	for name := range called {
		if !allowed[name] {
			t.Errorf("the server calls %s, which the unit forbids", name)
		}
	}
	if !called["fdatasync"] && !called["fsync"] || !called["accept4"] || len(sockets) < 3 {
		t.Errorf("the trace has only %v", slices.Sorted(maps.Keys(called)))
	}
}
