package main

import (
	"bufio"
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"time"
)

// member is one connection of the load generator: the least that speaks
// WebSocket, so that the two cores are left to the server.
type member struct {
	room  string
	id    int
	sends bool // while others listen; set before listen

	// Called in its reader's thread, which must not wait.
	got   func(m *member, seq int, sent int64) // for each message: its number, and when it was sent in Unix nanoseconds
	frame func(m *member, payload []byte)      // for frames that hold no message; it may be nil
	rest  func(m *member)                      // when all that was there has been read; it may be nil

	count *atomic.Int64
	done  chan error // why the connection ended

	// Owned by its reader's thread, once it reads.
	part  []byte // a frame that is not whole yet
	begun []byte // of a message in several frames
	next  int    // the sequence number to come
	bad   int    // messages that came out of turn

	mu sync.Mutex
	fd int // -1 once it is closed
}

// dial opens a WebSocket and completes its handshake. Nothing more is read
// before listen.
func dial(addr, path, protocol string) (*member, error) {
	c, err := net.Dial("tcp", addr)
	if err != nil {
		return nil, err
	}
	defer c.Close()
	if protocol != "" {
		protocol = "Sec-WebSocket-Protocol: " + protocol + "\r\n"
	}
	fmt.Fprintf(c, "GET %s HTTP/1.1\r\nHost: %s\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"+
		"Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n%s\r\n", path, addr, protocol)
	r := bufio.NewReaderSize(c, 512)
	status, err := r.ReadString('\n')
	if err != nil || !strings.Contains(status, " 101 ") {
		return nil, fmt.Errorf("no upgrade of %s: %q %v", path, status, err)
	}
	for {
		line, err := r.ReadString('\n')
		if err != nil {
			return nil, err
		}
		if line == "\r\n" {
			break
		}
	}
	m := &member{done: make(chan error, 1), next: 1}
	early, _ := r.Peek(r.Buffered())
	m.part = bytes.Clone(early)
	// A descriptor of our own, which Go's poller does not watch.
	raw, err := c.(*net.TCPConn).SyscallConn()
	if err != nil {
		return nil, err
	}
	var errno syscall.Errno
	if err := raw.Control(func(fd uintptr) {
		var dup uintptr
		dup, _, errno = syscall.Syscall(syscall.SYS_FCNTL, fd, syscall.F_DUPFD_CLOEXEC, 0)
		m.fd = int(dup)
	}); err != nil {
		return nil, err
	}
	if errno != 0 {
		return nil, os.NewSyscallError("fcntl", errno)
	}
	if err := syscall.SetNonblock(m.fd, false); err != nil {
		return nil, os.NewSyscallError("fcntl", err)
	}
	return m, syscall.SetsockoptTimeval(m.fd, syscall.SOL_SOCKET, syscall.SO_SNDTIMEO, &syscall.Timeval{Sec: 10})
}

// send writes one text frame, masked with zeros.
func (m *member) send(payload []byte) error { return m.write(appendFrame(nil, 1, payload)) }

func appendFrame(b []byte, opcode byte, payload []byte) []byte {
	b = append(b, 0x80|opcode)
	if n := len(payload); n < 126 {
		b = append(b, 0x80|byte(n))
	} else {
		b = binary.BigEndian.AppendUint16(append(b, 0x80|126), uint16(n))
	}
	return append(append(b, 0, 0, 0, 0), payload...)
}

// write writes finished frames.
func (m *member) write(frames []byte) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.fd < 0 {
		return net.ErrClosed
	}
	for len(frames) > 0 {
		n, err := syscall.Write(m.fd, frames)
		if err != nil && err != syscall.EINTR {
			return os.NewSyscallError("write", err)
		}
		frames = frames[max(n, 0):]
	}
	return nil
}

// close has the reader find the connection's end.
func (m *member) close() {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.fd >= 0 {
		_ = syscall.Shutdown(m.fd, syscall.SHUT_RDWR) // an error means that the peer was first
	}
}

// reader reads for many members in one thread, through one buffer: waking a
// goroutine for each would cost more than what it reads.
type reader struct {
	epoll int

	mu      sync.Mutex
	members []*member // by descriptor
}

// readers are one for those who only listen, and one for those who send: what
// waits for the others must not hold up the next message.
var readers = sync.OnceValues(func() (pair [2]*reader, err error) {
	for i := range pair {
		epoll, err := syscall.EpollCreate1(syscall.EPOLL_CLOEXEC)
		if err != nil {
			return pair, os.NewSyscallError("epoll_create1", err)
		}
		pair[i] = &reader{epoll: epoll}
		go pair[i].run()
	}
	return pair, nil
})

// listen starts a reader for what comes for m from now on.
func (m *member) listen() error {
	pair, err := readers()
	if err != nil {
		return err
	}
	r := pair[0]
	if m.sends {
		r = pair[1]
	}
	used, err := m.take(m.part) // which came with the handshake
	if err != nil {
		return err
	}
	m.part = m.part[used:]
	r.mu.Lock()
	defer r.mu.Unlock()
	for len(r.members) <= m.fd {
		r.members = append(r.members, nil)
	}
	r.members[m.fd] = m
	return os.NewSyscallError("epoll_ctl", syscall.EpollCtl(r.epoll, syscall.EPOLL_CTL_ADD, m.fd,
		&syscall.EpollEvent{Events: syscall.EPOLLIN, Fd: int32(m.fd)}))
}

// pause is how long a reader lets things come together before it looks again,
// in nanoseconds.
var pause atomic.Int64

func (r *reader) run() {
	events := make([]syscall.EpollEvent, 2048)
	buf := make([]byte, 1<<20) // longer than any frame
	for {
		n, err := syscall.EpollWait(r.epoll, events, -1)
		if err != nil && err != syscall.EINTR {
			panic(os.NewSyscallError("epoll_wait", err))
		}
		for i := range max(n, 0) {
			r.mu.Lock()
			m := r.members[events[i].Fd]
			r.mu.Unlock()
			if err := m.read(buf); err != nil {
				r.forget(m)
				m.done <- err
			}
		}
		if p := pause.Load(); p > 0 {
			_ = syscall.Nanosleep(&syscall.Timespec{Nsec: p}, nil) // one that was interrupted is as good
		}
	}
}

func (r *reader) forget(m *member) {
	m.mu.Lock()
	defer m.mu.Unlock()
	r.mu.Lock()
	r.members[m.fd] = nil
	r.mu.Unlock()
	// A server that is just being started may still have the descriptor for a
	// moment, so closing it does not suffice.
	_ = syscall.EpollCtl(r.epoll, syscall.EPOLL_CTL_DEL, m.fd, nil)
	syscall.Close(m.fd)
	m.fd = -1
}

// read takes what is there. The descriptor has something, so it does not wait.
func (m *member) read(buf []byte) error {
	kept := copy(buf, m.part)
	n, err := syscall.Read(m.fd, buf[kept:])
	switch {
	case err == syscall.EINTR:
		return nil
	case err != nil:
		return os.NewSyscallError("read", err)
	case n == 0:
		return io.EOF
	}
	used, err := m.take(buf[:kept+n])
	m.part = append(m.part[:0], buf[used:kept+n]...)
	if m.rest != nil {
		m.rest(m)
	}
	return err
}

var errClosed = errors.New("closed by the server")

// take handles the whole frames at the beginning of b and returns their size.
func (m *member) take(b []byte) (used int, err error) {
	messages := 0
	for {
		opcode, payload, final, size := parseFrame(b[used:])
		if size == 0 {
			break
		}
		used += size
		if opcode < 8 && (!final || len(m.begun) > 0) {
			m.begun = append(m.begun, payload...)
			if !final {
				continue
			}
			payload, m.begun = m.begun, m.begun[:0]
		}
		switch opcode {
		case 0, 1:
			found := m.scan(payload)
			if found == 0 && m.frame != nil {
				m.frame(m, payload)
			}
			messages += found
		case 8:
			if len(payload) < 2 {
				return used, errClosed
			}
			return used, fmt.Errorf("%w: %d %q", errClosed, binary.BigEndian.Uint16(payload), payload[2:])
		case 9:
			if err := m.write(appendFrame(nil, 10, payload)); err != nil {
				return used, err
			}
		}
	}
	if messages > 0 && m.count != nil {
		m.count.Add(int64(messages))
	}
	return used, nil
}

// parseFrame returns the first frame in b, whether it ends its message, and its
// size; 0 if it is not whole.
func parseFrame(b []byte) (opcode byte, payload []byte, final bool, size int) {
	if len(b) < 2 {
		return 0, nil, false, 0
	}
	length, header := int(b[1]&0x7f), 2
	switch {
	case length == 126 && len(b) >= 4:
		length, header = int(binary.BigEndian.Uint16(b[2:])), 4
	case length == 127 && len(b) >= 10:
		length, header = int(binary.BigEndian.Uint64(b[2:])), 10
	case length >= 126:
		return 0, nil, false, 0
	}
	if len(b) < header+length {
		return 0, nil, false, 0
	}
	return b[0] & 0xf, b[header : header+length], b[0]&0x80 != 0, header + length
}

// Every text of the generator is #SEQUENCE@NANOSECONDS! and filling.
const (
	textLength = 100
	markLength = 1 + 10 + 1 + 19 + 1
)

func text(seq int, sent int64) string {
	mark := fmt.Sprintf("#%010d@%019d!", seq, sent)
	return mark + filling[:textLength-len(mark)]
}

var filling = strings.Repeat("x", textLength)

// scan counts the messages in a payload, which may hold several.
func (m *member) scan(p []byte) (found int) {
	for {
		i := bytes.IndexByte(p, '#')
		if i < 0 || len(p) < i+markLength {
			return found
		}
		seq, err := atoi(p[i+1 : i+11])
		if err != nil {
			return found
		}
		if m.got != nil {
			sent, err := atoi(p[i+12 : i+31])
			if err != nil {
				return found
			}
			m.got(m, seq, int64(sent))
		}
		p = p[i+markLength:]
		found++
		if seq != m.next {
			m.bad++
		}
		m.next = seq + 1
	}
}

func atoi(b []byte) (n int, err error) {
	for _, c := range b {
		if c < '0' || c > '9' {
			return 0, strconv.ErrSyntax
		}
		n = n*10 + int(c-'0')
	}
	return n, nil
}

func now() int64 { return time.Now().UnixNano() }
