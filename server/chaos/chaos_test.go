//go:build linux

package chaos

import (
	"flag"
	"fmt"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"testing"
	"time"

	"go.uber.org/goleak"
)

var (
	duration = flag.Duration("chaos", time.Minute, "how long TestChaos takes; -short makes it 10 s")
	seed     = flag.Uint64("seed", 0, "of TestChaos; 0 is another each time")
)

var (
	binary     string // the server, built once, with a clock that can be moved
	buildFlags []string
)

func TestMain(m *testing.M) {
	flag.Parse()
	os.Exit(runTests(m))
}

func runTests(m *testing.M) int {
	dir, err := os.MkdirTemp("", "parley-chaos")
	if err == nil {
		defer os.RemoveAll(dir)
		err = os.Chmod(dir, 0o755) // for the server, which does not run as root
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	binary = filepath.Join(dir, "parley-server")
	build := exec.Command("go", append([]string{"build", "-tags", "chaos", "-o", binary}, append(buildFlags, "parley/server")...)...)
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

// TestChaos makes faults of every kind at random moments. A failed run is made
// again, as far as the machine repeats itself, with the seed that it printed.
func TestChaos(t *testing.T) {
	if *seed == 0 {
		*seed = rand.Uint64()
	}
	if testing.Short() {
		*duration = 10 * time.Second
	}
	w := newWorld(t, *seed, 3)
	w.flow(100)
	weight := 0
	for _, f := range faults {
		weight += f.often
	}
	for end := time.Now().Add(*duration); time.Now().Before(end) && w.problems == 0; {
		w.moment(800 * time.Millisecond)
		n := w.random.IntN(weight)
		for _, f := range faults {
			if n -= f.often; n < 0 {
				w.inject(f)
				break
			}
		}
	}
	w.finish()
}
