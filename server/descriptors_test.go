//go:build linux

package main

import (
	"fmt"
	"net"
	"os"
	"strings"
	"testing"

	"golang.org/x/sys/unix"

	"parley/shared/servertest"
)

// A server that may open no more files says so once, keeps those who are in, and takes
// others again when there is room.
func TestDescriptorsUsedUp(t *testing.T) {
	s := servertest.Start(t)
	ann := s.Join("hall", "Ann")
	open, err := os.ReadDir(fmt.Sprintf("/proc/%d/fd", s.Pid()))
	if err != nil {
		t.Fatal(err)
	}
	var before unix.Rlimit
	if err := unix.Prlimit(s.Pid(), unix.RLIMIT_NOFILE, nil, &before); err != nil {
		t.Fatal(err)
	}
	limit := before
	limit.Cur = uint64(len(open) + 5)
	if err := unix.Prlimit(s.Pid(), unix.RLIMIT_NOFILE, &limit, nil); err != nil {
		t.Fatal(err)
	}
	var others []net.Conn
	for range 20 {
		c, err := net.Dial("tcp", s.Addr())
		if err != nil {
			t.Fatal(err)
		}
		defer c.Close()
		others = append(others, c)
	}
	s.Output.Wait(t, fmt.Sprintf("too many files are open.*limit=%d", limit.Cur))
	ann.Say("still here")
	ann.Hear("still here")
	for _, c := range others {
		c.Close()
	}
	bob := s.Join("hall", "Bob")
	bob.Hear("still here")
	if n := strings.Count(s.Output.String(), "too many files"); n != 1 {
		t.Errorf("it said so %d times", n)
	}
	s.Stop()
}
