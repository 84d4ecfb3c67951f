package cluster

import (
	"fmt"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"

	"parley/shared/servertest"
)

// TestRun runs docs/cluster/run.sh, has somebody say something through its proxy, and sees
// that nothing is left in the end. TestChaos has the same files, and faults.
func TestRun(t *testing.T) {
	if !servertest.InNamespace(t) {
		return
	}
	servertest.IP(t, "link set lo up")
	dir, port := t.TempDir(), servertest.FreePort(t)
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
	s := servertest.New(t)
	s.Listen(fmt.Sprint("127.0.0.1:", port))
	if status, body := s.Get("/api/server"); status != http.StatusOK || !strings.Contains(body, "Attic") {
		t.Errorf("through the proxy: %d %s", status, body)
	}
	ann := s.Join("Hall", "Ann")
	ann.Say("hello")
	ann.Hear("hello")

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
