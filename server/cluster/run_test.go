package cluster

import (
	"fmt"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"parley/shared"
	"parley/shared/servertest"
)

// TestRun runs docs/cluster/run.sh, and so the files that it takes: etcd, Patroni, and
// PostgreSQL on three machines, two servers, and HAProxy. It kills the PostgreSQL that is
// written to, and then sees that nothing is left.
func TestRun(t *testing.T) {
	if !servertest.InNamespace(t) {
		return
	}
	servertest.IP(t, "link set lo up")
	dir, port := t.TempDir(), freePort(t)
	for path := dir; path != os.TempDir(); path = filepath.Dir(path) {
		if err := os.Chmod(path, 0o755); err != nil { // for the user postgres
			t.Fatal(err)
		}
	}
	cmd := exec.Command(filepath.Join("..", "..", "docs", "cluster", "run.sh"), servertest.Binary(t), strconv.Itoa(port))
	cmd.Env = append(os.Environ(), "TMPDIR="+dir)
	said := run(t, cmd)
	said.Wait(t, "Starting Parley") // a minute each
	said.Wait(t, "Ctrl-C ends everything")
	primary := regexp.MustCompile(`kill -9 (\d+).*is written to`).FindStringSubmatch(said.String())
	if primary == nil {
		t.Fatal("it does not say which PostgreSQL is written to")
	}

	s := servertest.New(t)
	s.Listen(fmt.Sprint("127.0.0.1:", port))
	if status, body := s.Get("/api/server"); status != http.StatusOK || !strings.Contains(body, "Attic") {
		t.Errorf("through the proxy: %d %s", status, body)
	}
	ann := s.Join("Hall", "Ann")
	for i := range 2 {
		id := strconv.Itoa(i)
		for deadline := time.Now().Add(time.Minute); ; {
			ann.Send(shared.Message{Type: shared.TypeChat, ID: id, Text: id})
			m := ann.Next(shared.TypeChat, shared.TypeAck, shared.TypeError)
			if m.ID == id && m.Type != shared.TypeError {
				break
			}
			if m.Type == shared.TypeError && m.Code.Final() || time.Now().After(deadline) {
				t.Fatalf("it is not acknowledged: %+v", m)
			}
			time.Sleep(500 * time.Millisecond) // or it sends too fast
		}
		if i == 0 {
			pid, _ := strconv.Atoi(primary[1])
			if err := syscall.Kill(pid, syscall.SIGKILL); err != nil {
				t.Fatal(err)
			}
		}
	}
	until(t, "both messages can be read", func() bool {
		status, body := s.Get("/api/rooms/Hall/messages")
		return status == http.StatusOK && strings.Count(body, `"chat_message"`) == 2
	})

	if err := cmd.Process.Signal(syscall.SIGTERM); err != nil {
		t.Fatal(err)
	}
	_ = cmd.Wait() // its status is that of the signal
	if left, err := os.ReadDir(dir); err != nil || len(left) > 0 {
		t.Errorf("there is still %v, %v", left, err)
	}
	lines, _ := filepath.Glob("/proc/[0-9]*/cmdline")
	for _, path := range lines {
		if line, _ := os.ReadFile(path); strings.Contains(string(line), dir) {
			t.Errorf("it still runs: %q", line)
		}
	}
}
