//go:build linux

package chaos

import (
	"errors"
	"os"
	"path/filepath"
	"slices"
	"syscall"
	"testing"
	"time"

	"parley/shared/servertest"
)

// server is the real server over one folder, with a clock that can be moved.
type server struct {
	*servertest.Server
	t     testing.TB
	clock string // the file that moves its clock
}

func newServer(t testing.TB, flags ...string) *server {
	t.Helper()
	dir, err := os.MkdirTemp("", "parley-chaos-data")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { os.RemoveAll(dir) })
	s := &server{Server: servertest.New(t, append([]string{"--max-per-address", "0", "--max-upgrades", "0", "--rate", "0", "--edit-for", "1000000h"}, flags...)...),
		t: t, clock: filepath.Join(dir, "clock")}
	s.Data, s.Env = filepath.Join(dir, "data"), append(os.Environ(), "PARLEY_CHAOS_CLOCK="+s.clock)
	if err := errors.Join(os.Chmod(dir, 0o755), os.Mkdir(s.Data, 0o755)); err != nil { // see startAsNobody
		t.Fatal(err)
	}
	return s
}

// startAsNobody starts it as a user whom modes keep from writing, since they do
// not keep root from it.
func (s *server) startAsNobody() error {
	const nobody = 65534
	s.Attr = &syscall.SysProcAttr{Credential: &syscall.Credential{Uid: nobody, Gid: nobody}}
	flags := s.Flags
	s.Flags = append(slices.Clip(flags), "--api-token-file", "") // which lies where nobody may read
	defer func() { s.Attr, s.Flags = nil, flags }()
	return s.Start()
}

// shift moves the server's clock, against the real one.
func (s *server) shift(by time.Duration) {
	s.t.Helper()
	part := s.clock + ".part"
	if err := errors.Join(os.WriteFile(part, []byte(by.String()), 0o644), os.Rename(part, s.clock)); err != nil {
		s.t.Fatal(err)
	}
}
