package cluster

import (
	"fmt"
	"net"
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
	port := servertest.FreePort(t)
	cmd, dir, said := runAll(t, port)
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

	leavesNothing(t, cmd, dir)
}

// TestRunStopped stops docs/cluster/run.sh while the certificates are made, and while the
// first database is. Patroni has put the password into a file of its own by then, which must
// not stay.
func TestRunStopped(t *testing.T) {
	if !servertest.InNamespace(t) {
		return
	}
	servertest.IP(t, "link set lo up")
	for _, made := range []string{"ca.crt", filepath.Join("[abc]", "parley")} {
		cmd, dir, _ := runAll(t, servertest.FreePort(t))
		until(t, made+" is made", func() bool {
			found, _ := filepath.Glob(filepath.Join(dir, "*", made))
			return len(found) > 0
		})
		leavesNothing(t, cmd, dir)
	}
}

// TestRunTwice runs docs/cluster/run.sh while something listens where one of its programs
// would: it says so, and starts nothing.
func TestRunTwice(t *testing.T) {
	if !servertest.InNamespace(t) {
		return
	}
	servertest.IP(t, "link set lo up")
	port := servertest.FreePort(t)
	for _, address := range []string{fmt.Sprint("127.0.0.1:", port), ":8000", "127.0.0.13:5432"} {
		listener, err := net.Listen("tcp4", address)
		if err != nil {
			t.Fatal(err)
		}
		cmd, dir, said := runAll(t, port)
		said.Wait(t, "Another program listens at 127.0.0.1")
		if err := cmd.Wait(); err == nil {
			t.Errorf("it goes on although something listens at %s", address)
		}
		if left, err := os.ReadDir(dir); err != nil || len(left) > 0 {
			t.Errorf("there is still %v, %v", left, err)
		}
		listener.Close()
	}
}

// runAll starts docs/cluster/run.sh, which has dir for temporary files.
func runAll(t *testing.T, port int) (cmd *exec.Cmd, dir string, said *servertest.Output) {
	t.Helper()
	dir = t.TempDir()
	for path := dir; path != os.TempDir(); path = filepath.Dir(path) {
		if err := os.Chmod(path, 0o777); err != nil { // for the user postgres, as in /tmp
			t.Fatal(err)
		}
	}
	cmd = exec.Command(filepath.Join("..", "..", "docs", "cluster", "run.sh"), servertest.Binary(t), strconv.Itoa(port))
	cmd.Env = append(os.Environ(), "TMPDIR="+dir)
	return cmd, dir, run(t, cmd)
}

// leavesNothing ends what runAll has started, and looks for what it leaves.
func leavesNothing(t *testing.T, cmd *exec.Cmd, dir string) {
	t.Helper()
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
