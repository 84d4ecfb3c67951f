package pglog

import (
	"crypto/sha256"
	"fmt"
	"os"
	"testing"
	"time"

	"go.uber.org/goleak"

	"parley/server/pglog/pgtest"
)

var (
	server   *pgtest.Server // of all tests that leave it alone
	database string         // an address there
)

func TestMain(m *testing.M) {
	var err error
	if server, err = pgtest.Start(); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	database = pgtest.Address("postgres", server)
	before := goleak.IgnoreCurrent()
	code := m.Run()
	server.Stop()
	if code == 0 {
		if err := goleak.Find(before); err != nil {
			fmt.Fprintln(os.Stderr, err)
			code = 1
		}
	}
	os.Exit(code)
}

func schema(test string) string { return fmt.Sprintf("test_%x", sha256.Sum256([]byte(test)))[:40] }

// pgAddress is where a user has a database.
func pgAddress(user, name string) string {
	return "postgres://" + user + "@/" + name + "?host=" + server.Dir()
}

// at opens the log of a test, which has a schema of its own. On a busy machine, much at
// once takes longer than people wait.
func at(t *testing.T, name string) *Log {
	t.Helper()
	l, err := Open(t.Context(), database, Options{Schema: schema(name), patience: time.Minute, startFor: time.Minute})
	if err != nil {
		t.Fatal(err)
	}
	return l
}
