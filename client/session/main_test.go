package session_test

import (
	"fmt"
	"os"
	"strings"
	"testing"

	"parley/shared/servertest"
)

func TestMain(m *testing.M) {
	if role := os.Getenv(childRole); role != "" {
		os.Exit(child(role))
	}
	os.Exit(runTests(m))
}

func runTests(m *testing.M) int {
	dir, err := os.MkdirTemp("", "parley-session")
	if err == nil {
		defer os.RemoveAll(dir)
		err = makeAuthority(dir)
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	return servertest.Main(m)
}

// server is a running server process.
type server struct {
	*servertest.Server
	base string
	link string // of its page, as it was printed
}

// startServer starts the real server on a free port.
func startServer(t testing.TB, flags ...string) *server {
	t.Helper()
	s := &server{Server: servertest.Start(t, append([]string{"--max-per-address", "0", "--max-upgrades", "0"}, flags...)...)}
	s.link = s.Output.Wait(t, `https?://127\.0\.0\.1:\d+/(#[a-z-]+)?`)
	s.base = s.link[:strings.Index(s.link, "//")+2] + s.Addr()
	return s
}
