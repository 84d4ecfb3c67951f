package chat

import (
	"bufio"
	"bytes"
	"io"
	"net"
	"net/http"
	"sync"
	"sync/atomic"
	"syscall"
	"time"
)

// sock is the connection under a WebSocket. Its Read and Write serve the
// WebSocket library, which writes nothing but whole control frames; the frames
// of the chat go around the library, through write and its variants, whose
// callers hold mu. So frames never mix: what was begun is finished first.
type sock struct {
	net.Conn
	raw   syscall.RawConn // nil where writing without blocking is not possible
	write func(fd uintptr) bool

	closed atomic.Bool // a close frame went out, or Close was called: nothing may follow

	mu    sync.Mutex
	rest  []byte // what is left of a frame that was begun
	after func() // called when the library has written something, which may have kept others from it

	// The arguments and results of write, which is made once and not for each call.
	p   []byte
	n   int
	err error
}

// sendBuffer bounds what the kernel keeps for a peer that has stopped reading.
const sendBuffer = 256 << 10

func newSock() *sock { return &sock{after: func() {}} }

// use takes the connection, before which nothing is written.
func (s *sock) use(c net.Conn) {
	s.Conn = c
	if tcp, ok := c.(*net.TCPConn); ok {
		_ = tcp.SetWriteBuffer(sendBuffer) // without it, a frozen peer only pins more
		s.raw = rawConn(tcp)
		s.write = func(fd uintptr) bool {
			s.n, s.err = writeNow(fd, s.p)
			return true // never wait for the socket to become writable
		}
	}
}

// Read never ends with io.EOF: the library takes one inside a frame for the end
// of the message.
func (s *sock) Read(p []byte) (int, error) {
	n, err := s.Conn.Read(p)
	if err == io.EOF {
		err = io.ErrUnexpectedEOF
	}
	return n, err
}

// Close may be called while another goroutine holds mu.
func (s *sock) Close() error {
	s.closed.Store(true)
	return s.Conn.Close()
}

// tryWrite writes as much of p as the socket takes at once. The caller holds mu.
func (s *sock) tryWrite(p []byte) (int, error) {
	s.p, s.n, s.err = p, 0, nil // where the socket is closed, write is not called
	err := s.raw.Write(s.write)
	s.p = nil
	if err == nil {
		err = s.err
	}
	return s.n, err
}

// writeAll writes p, however long it takes, as long as the peer takes a byte
// within every stall. The caller holds mu.
func (s *sock) writeAll(p []byte, stall time.Duration) error {
	const chunk = 64 << 10
	for len(p) > 0 {
		if err := s.SetWriteDeadline(time.Now().Add(stall)); err != nil {
			return err
		}
		n, err := s.Conn.Write(p[:min(len(p), chunk)])
		p = p[n:]
		if err != nil && n == 0 {
			s.rest = p
			return err
		}
	}
	return s.SetWriteDeadline(time.Time{})
}

// Write writes one of the library's frames, after what is left of ours.
func (s *sock) Write(p []byte) (int, error) {
	s.mu.Lock()
	n, err := s.writeControl(p)
	after := s.after
	s.mu.Unlock()
	after()
	return n, err
}

func (s *sock) writeControl(p []byte) (int, error) {
	if s.closed.Load() {
		return 0, net.ErrClosed
	}
	if len(p) > 0 && p[0] == finalBit|opClose {
		s.closed.Store(true)
	}
	for len(s.rest) > 0 {
		n, err := s.Conn.Write(s.rest)
		s.rest = s.rest[n:]
		if err != nil {
			return 0, err
		}
	}
	return s.Conn.Write(p)
}

// hijacker gives the library a sock in place of the connection, with buffers as
// small as they may be: each holds the longest control frame, so that the
// library writes it at once.
type hijacker struct {
	http.ResponseWriter
	sock *sock
}

const (
	readBuffer  = 256
	writeBuffer = 128
)

func (h *hijacker) Hijack() (net.Conn, *bufio.ReadWriter, error) {
	c, brw, err := http.NewResponseController(h.ResponseWriter).Hijack()
	if err != nil {
		return nil, nil, err
	}
	c.SetDeadline(time.Time{})
	h.sock.use(c)
	// The server may already have read the client's first frames; the library
	// takes over what the reader has buffered.
	early, _ := brw.Peek(brw.Reader.Buffered())
	early = bytes.Clone(early)
	reader := bufio.NewReaderSize(io.MultiReader(bytes.NewReader(early), h.sock), max(readBuffer, len(early)))
	_, _ = reader.Peek(len(early)) // it reads from memory
	return h.sock, bufio.NewReadWriter(reader, bufio.NewWriterSize(h.sock, writeBuffer)), nil
}
