//go:build unix

package servertest

import (
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"time"
)

// Freeze stops the process until Thaw.
func (s *Server) Freeze() { Freeze(s.Pid()) }

// Thaw lets the process go on.
func (s *Server) Thaw() {
	s.t.Helper()
	s.Signal(syscall.SIGCONT)
}

// Freeze stops processes until they get SIGCONT, and returns when each of their threads
// stands still: until the signal reaches them, they go on.
func Freeze(pids ...int) { signalAll(syscall.SIGSTOP, "TZX", pids) }

// Kill kills processes, and returns when they are gone: until then, they have their files
// and their memory.
func Kill(pids ...int) { signalAll(syscall.SIGKILL, "ZX", pids) }

// signalAll sends processes a signal, and waits until each of their threads is in one of
// some states, where there is /proc to see it. It leaves out those that have ended.
func signalAll(signal syscall.Signal, states string, pids []int) {
	for _, pid := range pids {
		_ = syscall.Kill(pid, signal)
	}
	for _, pid := range pids {
		for !are(pid, states) {
			time.Sleep(time.Millisecond)
		}
	}
}

// are reports whether all threads of a process are in one of some states.
func are(pid int, states string) bool {
	threads, _ := filepath.Glob(fmt.Sprintf("/proc/%d/task/*/stat", pid))
	return !slices.ContainsFunc(threads, func(path string) bool {
		stat, err := os.ReadFile(path)
		at := strings.LastIndex(string(stat), ") ")
		return err == nil && at >= 0 && !strings.ContainsRune(states, rune(stat[at+2]))
	})
}
