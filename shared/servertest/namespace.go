package servertest

import (
	"bytes"
	"io"
	"os"
	"os/exec"
	"runtime"
	"strings"
	"testing"
	"time"
)

// InNamespace runs the calling test again, alone in a network of its own that has
// only a loopback, and returns false in the test that was called first. Root may
// do that, on Linux; otherwise it skips the test.
func InNamespace(t *testing.T) bool {
	t.Helper()
	if IsInNamespace() {
		return true
	}
	if runtime.GOOS != "linux" || os.Getuid() != 0 {
		t.Skip("this test needs a network namespace: run it as root on Linux")
	}
	t.Parallel()   // it only waits
	timeout := "0" // as whoever started the first one wants it
	if deadline, ok := t.Deadline(); ok {
		timeout = (time.Until(deadline) * 9 / 10).String() // before that one, which says less
	}
	args := []string{"--pdeathsig", "TERM", "unshare", "--net", os.Args[0], "-test.run", "^" + t.Name() + "$", "-test.v", "-test.timeout", timeout}
	for _, arg := range os.Args[1:] { // as go test gives them: -test.x=y
		if !strings.HasPrefix(arg, "-test.") {
			args = append(args, arg)
		}
	}
	cmd := exec.Command("setpriv", args...)
	cmd.Env = append(os.Environ(), "PARLEY_NAMESPACE=1")
	var out bytes.Buffer
	cmd.Stdout = &out
	if timeout == "0" && testing.Verbose() { // somebody looks on
		cmd.Stdout = io.MultiWriter(&out, os.Stderr)
	}
	cmd.Stderr = cmd.Stdout
	err := cmd.Run()
	t.Logf("in a namespace:\n%s", &out)
	if err != nil || !strings.Contains(out.String(), "--- PASS: "+t.Name()) {
		t.Errorf("in a namespace: %v", err)
	}
	return false
}

// IsInNamespace reports whether this process is what InNamespace runs again.
func IsInNamespace() bool { return os.Getenv("PARLEY_NAMESPACE") != "" }

// IP runs ip(8) in a test's namespace.
func IP(t *testing.T, args string) {
	t.Helper()
	if out, err := exec.Command("ip", strings.Fields(args)...).CombinedOutput(); err != nil {
		t.Fatalf("ip %s: %v\n%s", args, err, out)
	}
}
