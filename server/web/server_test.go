package web_test

import (
	"strings"
	"testing"

	"parley/shared/servertest"
)

// server is the real one, as a process.
type server struct{ *servertest.Server }

// startServer starts a server on a free port with a new log.
func startServer(t *testing.T, flags ...string) *server {
	t.Helper()
	s := &server{servertest.New(t)}
	s.start(flags...)
	t.Cleanup(s.Stop)
	return s
}

// start starts it on the address and the log that it had.
func (s *server) start(flags ...string) {
	s.Flags = flags
	s.MustStart()
}

func (s *server) url() string {
	if strings.Contains(s.Output.String(), "https://"+s.Addr()) {
		return "https://" + s.Addr()
	}
	return s.URL("")
}

// logged returns the texts that a room's log has.
func (s *server) logged(room string) (texts []string) {
	for _, m := range s.Messages(room, 0) {
		texts = append(texts, m.Text)
	}
	return texts
}
