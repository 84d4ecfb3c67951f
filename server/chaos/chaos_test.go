//go:build linux

package chaos

import (
	"flag"
	"math/rand/v2"
	"os"
	"os/signal"
	"syscall"
	"testing"
	"time"

	"parley/shared/servertest"
)

var (
	duration = flag.Duration("chaos", time.Minute, "how long TestChaos takes; -short makes it 10 s")
	seed     = flag.Uint64("seed", 0, "of TestChaos; 0 is another each time")
)

func TestMain(m *testing.M) {
	flag.Parse()
	// A process ignores what its parent ignored, as under nohup, but not what its
	// parent listens to.
	signal.Notify(make(chan os.Signal, 1), syscall.SIGHUP)
	os.Exit(servertest.Main(m))
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
