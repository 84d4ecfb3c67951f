package main

import (
	"fmt"
	"io"
	"net"
	"os"

	"golang.org/x/term"
)

// The ports that openMain tries if the default one is taken.
const firstSpare, lastSpare = 8001, 8009

// openMain opens the listener of --addr. If the default port is taken and a person
// looks on, it takes the next free one: then taken is the address that it was to
// be. A second server on the data folder is no reason, since the log refuses it. A
// server without a terminal must not move, nor one whose port was asked for: for a
// browser another port is another server, where it has neither name nor outbox.
func openMain(o *options, terminal bool) (l net.Listener, taken string, err error) {
	l, err = listen("addr", o.addr)
	if _, inUse := err.(inUseError); !inUse || o.addrGiven || !terminal {
		return l, "", err
	}
	for port := firstSpare; port <= lastSpare; port++ {
		if l, err := net.Listen("tcp", fmt.Sprint(":", port)); err == nil {
			return l, o.addr, nil
		}
	}
	return nil, "", err
}

// isTerminal reports whether a person reads what is written to w.
func isTerminal(w io.Writer) bool {
	f, ok := w.(*os.File)
	return ok && term.IsTerminal(int(f.Fd()))
}
