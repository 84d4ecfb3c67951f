package main

import (
	"context"
	"encoding/binary"
	"errors"
	"net/netip"
	"os"
	"path/filepath"

	"golang.org/x/sys/unix"
)

// clockIsKept reports whether the clock is right for all that the system tells: it runs
// while the computer is off, or NTP sets it.
func clockIsKept(root string) bool {
	if _, err := os.Stat(filepath.Join(root, "sys/class/rtc/rtc0")); err == nil {
		return true
	}
	state, err := unix.Adjtimex(&unix.Timex{})
	return err != nil || state != unix.TIME_ERROR
}

// watchArrivals watches connections to a TCP port from other devices, before the
// firewall sees them, until one is made or ctx ends. came brings those that a listener
// of this program has accepted. It calls ready once it watches. Root may do that.
func watchArrivals(ctx context.Context, port uint16, own func(netip.Addr) bool, ready func(), came <-chan netip.Addr) (seen arrivals, err error) {
	all := binary.NativeEndian.Uint16(binary.BigEndian.AppendUint16(nil, unix.ETH_P_ALL)) // what this host sends, too
	fd, err := unix.Socket(unix.AF_PACKET, unix.SOCK_DGRAM|unix.SOCK_CLOEXEC, int(all))
	switch {
	case errors.Is(err, unix.EPERM), errors.Is(err, unix.EACCES), errors.Is(err, unix.EAFNOSUPPORT):
		return awaitArrival(ctx, ready, came)
	case err != nil:
		return seen, err
	}
	defer unix.Close(fd)
	// So that it looks at ctx now and then.
	if err := unix.SetsockoptTimeval(fd, unix.SOL_SOCKET, unix.SO_RCVTIMEO, &unix.Timeval{Usec: 50_000}); err != nil {
		return seen, err
	}
	seen.watched = true
	ready()
	buf := make([]byte, 128) // the headers
	for !seen.connected.IsValid() {
		select {
		case <-ctx.Done():
			return seen, nil
		case seen.connected = <-came:
			return seen, nil
		default:
		}
		n, _, err := unix.Recvfrom(fd, buf, 0)
		switch {
		case err == nil:
			seen.note(buf[:n], port, own)
		case !errors.Is(err, unix.EAGAIN) && !errors.Is(err, unix.EINTR) && !errors.Is(err, unix.ENETDOWN):
			return seen, err
		}
	}
	return seen, nil
}

// TCP's flags.
const (
	flagSYN = 1 << 1
	flagRST = 1 << 2
	flagACK = 1 << 4
)

// note looks at one IP packet.
func (a *arrivals) note(packet []byte, port uint16, own func(netip.Addr) bool) {
	from, to, tcp, ok := headers(packet)
	if !ok || len(tcp) < 14 {
		return
	}
	sourcePort, destination := binary.BigEndian.Uint16(tcp), binary.BigEndian.Uint16(tcp[2:])
	flags := tcp[13]
	switch {
	case destination == port && !own(from):
		switch {
		case flags&flagSYN != 0 && flags&flagACK == 0:
			a.came = from
		case flags&(flagACK|flagRST|flagSYN) == flagACK && from == a.answered:
			a.connected = from
		}
	case sourcePort == port && !own(to) && to == a.came:
		switch {
		case flags&flagRST != 0:
			a.refused = to
		case flags&(flagSYN|flagACK) == flagSYN|flagACK:
			a.answered = to
		}
	}
}

// headers returns the addresses of an IP packet, and what is in it if that is TCP.
func headers(packet []byte) (from, to netip.Addr, tcp []byte, ok bool) {
	const protocolTCP = 6
	if len(packet) < 20 {
		return from, to, nil, false
	}
	switch packet[0] >> 4 {
	case 4:
		size := int(packet[0]&15) * 4
		first := binary.BigEndian.Uint16(packet[6:])&0x1fff == 0 // of a packet's fragments
		if packet[9] != protocolTCP || size < 20 || size > len(packet) || !first {
			return from, to, nil, false
		}
		return netip.AddrFrom4([4]byte(packet[12:16])), netip.AddrFrom4([4]byte(packet[16:20])), packet[size:], true
	case 6:
		if len(packet) < 40 || packet[6] != protocolTCP {
			return from, to, nil, false
		}
		return netip.AddrFrom16([16]byte(packet[8:24])), netip.AddrFrom16([16]byte(packet[24:40])), packet[40:], true
	}
	return from, to, nil, false
}
