package main

import (
	"errors"
	"log/slog"
	"net"
	"syscall"

	"golang.org/x/time/rate"
)

// descriptorListener says when the process has no file descriptor left for another
// connection. The http.Server waits and tries again; it would do so without a word.
type descriptorListener struct {
	net.Listener
	logger *slog.Logger
	told   *rate.Sometimes
}

func (l descriptorListener) Accept() (net.Conn, error) {
	c, err := l.Listener.Accept()
	if errors.Is(err, syscall.EMFILE) || errors.Is(err, syscall.ENFILE) {
		l.told.Do(func() {
			l.logger.Error("nobody else can connect: too many files are open. Raise the limit: ulimit -n, or LimitNOFILE= in a systemd unit",
				"limit", maxDescriptors(), "error", err)
		})
	}
	return c, err
}
