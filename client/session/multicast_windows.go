package session

import "syscall"

// sendMulticastBy makes a socket send multicast by the interface that has an address,
// also if no route leads there.
func sendMulticastBy(fd uintptr, address [4]byte) error {
	return syscall.SetsockoptInet4Addr(syscall.Handle(fd), syscall.IPPROTO_IP, syscall.IP_MULTICAST_IF, address)
}
