package chat

import (
	"bytes"
	"errors"
	"io"
	"sync"

	"parley/shared"

	"github.com/coder/websocket"
)

// listen makes what the session keeps of the frames to come.
func (s *session) listen() {
	if s.spoken == nil {
		s.spoken = &spoken{messages: s.core.pace(ofDevice, s.member.device), all: s.core.pace(ofAddress, s.source.name)}
	}
}

// read takes frame after frame until the session ends.
func (s *session) read() {
	for {
		s.sock.Await()
		kind, r, err := s.conn.Reader(background)
		if err != nil || !s.take(kind, r) {
			return
		}
	}
}

// take reads a frame and answers it. It reports false if the session is to
// end. Between a close frame and the peer's answer to it nothing counts.
func (s *session) take(kind websocket.MessageType, r io.Reader) bool {
	if s.closing.Load() {
		_, err := io.Copy(io.Discard, r)
		return err == nil
	}
	s.listen()
	s.source.meter.charge(costFrame)
	m, err, ok := s.decode(kind, r)
	return ok && s.handle(m, err) || s.closing.Load()
}

// buffers are shared, so that a silent session holds none.
var buffers = sync.Pool{New: func() any { return new(bytes.Buffer) }}

// decode reads a frame. The error is a *FrameError; ok is false if there was
// no whole text frame.
func (s *session) decode(kind websocket.MessageType, r io.Reader) (m shared.Message, err error, ok bool) {
	b := buffers.Get().(*bytes.Buffer)
	defer buffers.Put(b)
	b.Reset()
	if err := s.fill(b, r); err != nil {
		if errors.Is(err, websocket.ErrMessageTooBig) {
			s.core.metrics.limit("frame")
		}
		return m, nil, false
	}
	s.hear()
	if kind != websocket.MessageText {
		s.core.metrics.refuse("binary")
		s.close(shared.CloseUnsupported, "Only text frames are understood here.")
		return m, nil, false
	}
	m, err = shared.Decode(b.Bytes())
	return m, err, true
}

// fill reads r into b. What b takes is held until the message has come, however
// slowly that is.
func (s *session) fill(b *bytes.Buffer, r io.Reader) error {
	held := 0
	defer func() { s.account.hold(-held) }()
	for {
		b.Grow(bytes.MinRead)
		s.account.hold(b.Cap() - held)
		held = b.Cap()
		n, err := r.Read(b.AvailableBuffer()[:b.Available()])
		b.Write(b.AvailableBuffer()[:n])
		switch err {
		case nil:
		case io.EOF:
			return nil
		default:
			return err
		}
	}
}
