package wire

import (
	"bufio"
	"bytes"
	"crypto/tls"
	"io"
	"net"
	"net/http"
	"sync"
	"sync/atomic"
	"syscall"
	"time"
)

// Sock is the connection under a WebSocket. Its Read and Write serve the
// WebSocket library, which writes only whole control frames. The frames of the
// chat go around the library, through TryWrite and WriteAll, whose callers hold
// Mu. So frames never mix: a frame that was begun is finished first.
type Sock struct {
	net.Conn
	raw   syscall.RawConn // nil if the connection can't be read and written without blocking
	write func(fd uintptr) bool
	read  func(fd uintptr) bool

	// Owned by the goroutine that reads.
	reader  *bufio.Reader // the library's, over this sock
	early   []byte        // what Read returns before it asks the connection
	buf     *[4096]byte   // what early lies in, if it came from earlyBuffers
	between bool          // two messages: only there is a pong known by its bytes
	ponged  bool          // the last read was a pong, and is done with
	OnPong  func()        // called for each pong that arrives while it waits
	Meter   Meter

	ends   atomic.Int64 // from this moment on, in Unix nanoseconds, nothing is written; 0 is never
	closed atomic.Bool  // a close frame went out, or Close was called: nothing may follow
	gone   atomic.Bool  // Close was called

	// Guarded by Mu.
	Mu    sync.Mutex
	Rest  []byte // what is left of a frame that was begun
	After func() // called after the library has written, which may have kept others from writing

	// The arguments and results of write, which is made once and not for each call.
	p   []byte
	n   int
	err error
}

// Meter makes a reader wait before it reads, and is told how many bytes it has read.
type Meter interface {
	Wait()
	Count(bytes int)
}

type freeMeter struct{}

func (freeMeter) Wait()     {}
func (freeMeter) Count(int) {}

// sendBuffer bounds what the kernel keeps for a peer that has stopped reading.
const sendBuffer = 256 << 10

// NewSock returns a Sock without a connection; a Hijacker gives it one.
func NewSock() *Sock { return &Sock{After: func() {}, OnPong: func() {}, Meter: freeMeter{}} }

// use takes the connection, before which nothing is written.
func (s *Sock) use(c net.Conn) {
	s.Conn = c
	under := c
	if t, ok := c.(*tls.Conn); ok {
		under = t.NetConn()
	}
	if tcp, ok := under.(interface{ SetWriteBuffer(int) error }); ok {
		_ = tcp.SetWriteBuffer(sendBuffer) // without it, a frozen peer only pins more
	}
	if tcp, ok := c.(*net.TCPConn); ok {
		s.raw = rawConn(tcp)
		s.write = func(fd uintptr) bool {
			s.n, s.err = writeNow(fd, s.p)
			return true // never wait for the socket to become writable
		}
		s.read = s.readEarly
	}
}

// earlyBuffers are shared, so that a silent connection holds none.
var earlyBuffers = sync.Pool{New: func() any { return new([4096]byte) }}

// Await waits between two messages until the peer has sent something other than
// pongs. Waiting here and not in the library keeps the goroutine's stack at its
// smallest.
func (s *Sock) Await() {
	if s.raw == nil || s.reader.Buffered() > 0 {
		return
	}
	s.between = true
	for s.ponged = true; s.ponged && len(s.early) == 0; {
		s.fill()
	}
	s.between = false
}

// fill reads into early. If it can't, the same error comes again with Read.
func (s *Sock) fill() {
	s.ponged = false
	s.Meter.Wait()
	_ = s.raw.Read(s.read)
}

// readEarly reads what is there, and returns false if it has to wait for more.
func (s *Sock) readEarly(fd uintptr) bool {
	s.buf = earlyBuffers.Get().(*[4096]byte)
	n, again := readNow(fd, s.buf[:])
	if n > 0 {
		s.Meter.Count(n)
	}
	// The pong of a client that answers a ping without a payload: 6 bytes, the
	// last four of them the mask.
	if s.between && n == 6 && s.buf[0] == finalBit|opPong && s.buf[1] == maskBit {
		s.OnPong()
		s.ponged = true
		n = 0
	}
	if s.early = s.buf[:n]; n == 0 {
		s.letGo()
	}
	return !again
}

// letGo gives back the buffer, which is empty.
func (s *Sock) letGo() {
	if s.buf != nil {
		earlyBuffers.Put(s.buf)
	}
	s.buf, s.early = nil, nil
}

// Read never ends with io.EOF: the library takes one inside a frame for the end
// of the message. For headers, which the library reads in small pieces, it asks the
// connection for more, so that a flood of small frames takes few calls.
func (s *Sock) Read(p []byte) (int, error) {
	if len(s.early) == 0 && len(p) <= readBuffer && s.raw != nil {
		s.fill()
	}
	if len(s.early) > 0 {
		n := copy(p, s.early)
		if s.early = s.early[n:]; len(s.early) == 0 {
			s.letGo()
		}
		return n, nil
	}
	s.Meter.Wait()
	n, err := s.Conn.Read(p)
	if n > 0 {
		s.Meter.Count(n)
	}
	if err == io.EOF {
		err = io.ErrUnexpectedEOF
	}
	return n, err
}

// Closed reports whether nothing may be written any more.
func (s *Sock) Closed() bool { return s.closed.Load() }

// Over reports whether Close was called, or the connection's time is up. Between a
// close frame and the peer's answer it is not over: the peer may send on, which costs
// as much as before.
func (s *Sock) Over() bool {
	ends := s.ends.Load()
	return s.gone.Load() || ends != 0 && time.Now().UnixNano() > ends
}

// Direct reports whether the socket can be written without blocking; TLS can not.
func (s *Sock) Direct() bool { return s.raw != nil }

// End ends the connection at a time, whatever else is to be written before.
func (s *Sock) End(at time.Time) {
	s.ends.Store(at.UnixNano())
	_ = s.SetDeadline(at)
}

// Close may be called while another goroutine holds mu.
func (s *Sock) Close() error {
	s.closed.Store(true)
	s.gone.Store(true)
	return s.Conn.Close()
}

// TryWrite writes as much of p as the socket takes at once. The caller holds mu.
func (s *Sock) TryWrite(p []byte) (int, error) {
	s.p, s.n, s.err = p, 0, nil // if the socket is closed, write is not called
	err := s.raw.Write(s.write)
	s.p = nil
	if err == nil {
		err = s.err
	}
	return s.n, err
}

// WriteAll writes p, however long it takes, as long as the peer takes a byte
// within every stall. The caller holds mu.
func (s *Sock) WriteAll(p []byte, stall time.Duration) error {
	chunk := 64 << 10
	if s.raw == nil {
		chunk = 4 << 10 // after a deadline TLS takes no more, so each write has to be one that a slow peer can take
	}
	for len(p) > 0 {
		deadline := time.Now().Add(stall)
		if ends := s.ends.Load(); ends != 0 && ends < deadline.UnixNano() {
			deadline = time.Unix(0, ends)
		}
		if err := s.SetWriteDeadline(deadline); err != nil {
			return err
		}
		n, err := s.Conn.Write(p[:min(len(p), chunk)])
		p = p[n:]
		if err != nil && n == 0 {
			s.Rest = p
			return err
		}
	}
	if s.ends.Load() != 0 {
		return nil
	}
	return s.SetWriteDeadline(time.Time{})
}

// Write writes one of the library's frames, after what is left of ours.
func (s *Sock) Write(p []byte) (int, error) {
	s.Mu.Lock()
	n, err := s.writeControl(p)
	after := s.After
	s.Mu.Unlock()
	after()
	return n, err
}

func (s *Sock) writeControl(p []byte) (int, error) {
	if s.Closed() {
		return 0, net.ErrClosed
	}
	if len(p) > 0 && p[0] == finalBit|opClose {
		s.closed.Store(true)
	}
	for len(s.Rest) > 0 {
		n, err := s.Conn.Write(s.Rest)
		s.Rest = s.Rest[n:]
		if err != nil {
			return 0, err
		}
	}
	return s.Conn.Write(p)
}

// Hijacker gives the library a Sock in place of the connection, with buffers as
// small as they may be: the writer's holds the longest control frame, so that the
// library writes it at once.
type Hijacker struct {
	http.ResponseWriter
	Sock *Sock
}

// The library's buffers. What it reads comes out of early, mostly.
const (
	readBuffer  = 16
	writeBuffer = 128
)

// Hijack implements http.Hijacker.
func (h *Hijacker) Hijack() (net.Conn, *bufio.ReadWriter, error) {
	c, brw, err := http.NewResponseController(h.ResponseWriter).Hijack()
	if err != nil {
		return nil, nil, err
	}
	c.SetDeadline(time.Time{})
	s := h.Sock
	s.use(c)
	// The server may already have read the client's first frames.
	early, _ := brw.Peek(brw.Reader.Buffered())
	if s.early = bytes.Clone(early); len(early) > 0 {
		s.Meter.Count(len(early))
	}
	s.reader = bufio.NewReaderSize(s, readBuffer)
	return s, bufio.NewReadWriter(s.reader, bufio.NewWriterSize(s, writeBuffer)), nil
}
