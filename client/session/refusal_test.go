package session_test

import (
	"path/filepath"
	"testing"
	"time"

	"parley/client/session"
)

// A client that the real server refuses learns why.
func TestRefusals(t *testing.T) {
	later := func(int) time.Duration { return time.Hour }
	for cause, flags := range map[session.Cause][]string{
		session.CauseRoomFull:   {"--max-members", "1"},
		session.CauseTooMany:    {"--max-per-address", "1"},
		session.CauseServerFull: {"--max-connections", "1"},
	} {
		s := startServer(t, flags...)
		ann := enter(t, session.Config{Server: s.base, Room: "r", User: "Ann"})
		ann.connected()
		bob := enter(t, session.Config{Server: s.base, Room: "r", User: "Bob", Backoff: later})
		bob.cause(cause)
		if bob.status.Detail == "" || cause.Final() {
			t.Errorf("%s: %+v", cause, bob.status)
		}
	}

	s := startServer(t)
	ann := enter(t, session.Config{Server: s.base, Room: "vault", User: "Ann", Key: "correct horse"})
	ann.connected()
	eve := session.Config{Server: s.base, Room: "vault", User: "Eve", Key: "battery staple", Backoff: later,
		Store: openStore(t, filepath.Join(t.TempDir(), "store"))}
	enter(t, eve).cause(session.CauseWrongKey)
	eve.Store = openStore(t, filepath.Join(t.TempDir(), "store"))
	enter(t, eve).cause(session.CauseTooManyTries)
}
