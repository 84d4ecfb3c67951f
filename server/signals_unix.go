//go:build unix

package main

import (
	"os/signal"
	"syscall"
)

// A file that may not grow, by ulimit or systemd's LimitFSIZE, is a full disk to
// the log and no reason to end the process. Nor is a reader of standard error that
// has gone: anyone can cause a line of the log.
func init() { signal.Ignore(syscall.SIGXFSZ, syscall.SIGPIPE) }
