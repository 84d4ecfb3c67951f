// Package cluster tests servers that share a log: their processes, over a real
// PostgreSQL.
package cluster

import (
	"fmt"
	"os"
	"os/exec"
	"os/signal"
	"syscall"
	"testing"
	"time"

	"go.uber.org/goleak"

	"parley/server/pglog/pgtest"
	"parley/shared/servertest"
)

var database *pgtest.Server

func TestMain(m *testing.M) {
	if servertest.IsInNamespace() { // a test that has its own
		os.Exit(servertest.Main(m))
	}
	var err error
	if database, err = pgtest.Start(); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	interrupted := make(chan os.Signal, 1)
	signal.Notify(interrupted, os.Interrupt, syscall.SIGTERM)
	go func() {
		<-interrupted
		database.Stop()
		servertest.Remove()
		os.Exit(1)
	}()
	code := servertest.Main(m, goleak.IgnoreCurrent()) // of the database
	database.Stop()
	os.Exit(code)
}

// start starts servers that share a log of their own.
func start(t *testing.T, n int, flags ...string) (servers []*servertest.Server, log string) {
	t.Helper()
	log = pgtest.Address(database.Create(t), database)
	servers = make([]*servertest.Server, n)
	for i := range servers {
		servers[i] = servertest.Start(t, append([]string{"--log", log}, flags...)...)
	}
	return servers, log
}

// parley runs a command of the server's program.
func parley(t *testing.T, args ...string) (out []byte, err error) {
	t.Helper()
	return exec.Command(servertest.Binary(t), args...).CombinedOutput()
}

// tooLong is how long anything may take that comes by itself.
const tooLong = 5 * time.Minute

// until waits for something that comes by itself.
func until(t testing.TB, what string, is func() bool) {
	t.Helper()
	for deadline := time.Now().Add(tooLong); !is(); time.Sleep(20 * time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatalf("it never came to this: %s", what)
		}
	}
}
