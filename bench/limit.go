package main

import (
	"net"
	"net/http"
	"os"
	"runtime"
	"runtime/debug"
	"syscall"
	"unsafe"

	"github.com/lxzan/gws"
)

// limitRooms is the least that a server can do: one thread, which waits for a
// frame and writes it to each socket of the room, one after the other, with system
// calls that block. Go's runtime takes no part in it, so it costs what the same
// loop in C does.
func limitRooms() http.Handler {
	debug.SetGCPercent(-1)
	l := &limitLoop{rooms: make(map[string][]*limitConn), joined: make(chan *limitConn, 1024)}
	if err := syscall.Pipe2(l.wake[:], syscall.O_CLOEXEC); err != nil {
		panic(err)
	}
	go l.run()
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		c, err := gws.NewUpgrader(&gws.BuiltinEventHandler{}, nil).Upgrade(w, r)
		if err != nil {
			return
		}
		f, err := c.NetConn().(*net.TCPConn).File() // a descriptor of its own
		if err != nil {
			return
		}
		l.joined <- &limitConn{fd: f.Fd(), file: f, conn: c, room: r.URL.Path} // Fd makes it block
		if _, err := syscall.Write(l.wake[1], []byte{0}); err != nil {
			panic(err)
		}
	})
}

type limitConn struct {
	fd   uintptr
	file *os.File  // kept, since a forgotten file is closed
	conn *gws.Conn // likewise
	room string
	part []byte // of a frame
}

type limitLoop struct {
	wake   [2]int // a pipe that tells of joined
	joined chan *limitConn

	// Owned by run.
	rooms map[string][]*limitConn
	conns []*limitConn // by descriptor
}

func (l *limitLoop) run() {
	runtime.LockOSThread()
	epoll, err := syscall.EpollCreate1(syscall.EPOLL_CLOEXEC)
	if err != nil {
		panic(err)
	}
	l.watch(epoll, l.wake[0])
	events := make([]syscall.EpollEvent, 1024)
	buf := make([]byte, 64<<10)
	for {
		n, _, errno := syscall.RawSyscall6(syscall.SYS_EPOLL_PWAIT, uintptr(epoll), uintptr(unsafe.Pointer(&events[0])), uintptr(len(events)), ^uintptr(0), 0, 0)
		if errno != 0 {
			continue
		}
		for _, e := range events[:n] {
			if int(e.Fd) != l.wake[0] {
				l.read(epoll, l.conns[e.Fd], buf)
				continue
			}
			raw(syscall.SYS_READ, uintptr(l.wake[0]), buf[:1])
			c := <-l.joined
			for len(l.conns) <= int(c.fd) {
				l.conns = append(l.conns, nil)
			}
			l.conns[c.fd] = c
			l.rooms[c.room] = append(l.rooms[c.room], c)
			l.watch(epoll, int(c.fd))
		}
	}
}

func (l *limitLoop) watch(epoll, fd int) {
	if err := syscall.EpollCtl(epoll, syscall.EPOLL_CTL_ADD, fd, &syscall.EpollEvent{Events: syscall.EPOLLIN, Fd: int32(fd)}); err != nil {
		panic(err)
	}
}

// read passes on the whole frames that a connection has.
func (l *limitLoop) read(epoll int, c *limitConn, buf []byte) {
	kept := copy(buf, c.part)
	n := raw(syscall.SYS_READ, c.fd, buf[kept:])
	if n <= 0 {
		_ = syscall.EpollCtl(epoll, syscall.EPOLL_CTL_DEL, int(c.fd), nil)
		return
	}
	b := buf[:kept+n]
	for {
		p, size := unmask(b)
		if size == 0 {
			break
		}
		for _, to := range l.rooms[c.room] {
			raw(syscall.SYS_WRITE, to.fd, p)
		}
		b = b[size:]
	}
	c.part = append(c.part[:0], b...)
}

// raw is a system call that the runtime knows nothing of.
func raw(call, fd uintptr, p []byte) int {
	n, _, errno := syscall.RawSyscall(call, fd, uintptr(unsafe.Pointer(&p[0])), uintptr(len(p)))
	if errno != 0 {
		return -1
	}
	return int(n)
}

// unmask turns the generator's first frame, whose mask is zero, into one from a
// server.
func unmask(b []byte) (frame []byte, size int) {
	if len(b) < 8 {
		return nil, 0
	}
	header := 2
	length := int(b[1] & 0x7f)
	if length == 126 {
		header, length = 4, int(b[2])<<8|int(b[3])
	}
	if size = header + 4 + length; len(b) < size {
		return nil, 0
	}
	frame = append(frame, b[:header]...)
	frame[1] &= 0x7f
	return append(frame, b[header+4:size]...), size
}
