//go:build !unix

package wire

import (
	"net"
	"syscall"
)

// rawConn gives none: sockets can't be read and written without blocking here, so
// every member is written by a goroutine.
func rawConn(*net.TCPConn) syscall.RawConn { return nil }

func writeNow(uintptr, []byte) (int, error) { panic("no raw connection") }

func readNow(uintptr, []byte) (int, bool) { panic("no raw connection") }
