//go:build unix

package wire

import (
	"net"
	"syscall"
)

func rawConn(c *net.TCPConn) syscall.RawConn {
	raw, err := c.SyscallConn()
	if err != nil {
		return nil
	}
	return raw
}

// writeNow writes what a non-blocking socket takes at once, perhaps nothing.
func writeNow(fd uintptr, p []byte) (int, error) {
	for {
		n, err := syscall.Write(int(fd), p)
		switch err {
		case syscall.EINTR:
			continue
		case syscall.EAGAIN:
			return 0, nil
		}
		return max(n, 0), err
	}
}

// readNow reads what a non-blocking socket has. Again means that it has nothing
// yet; at the connection's end, and after an error, it returns 0 and false.
func readNow(fd uintptr, p []byte) (n int, again bool) {
	for {
		n, err := syscall.Read(int(fd), p)
		if err == syscall.EINTR {
			continue
		}
		return max(n, 0), err == syscall.EAGAIN
	}
}
