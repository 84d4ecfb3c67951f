package chat

import (
	"bytes"
	"context"
	"errors"
	"io"
	"sync"
	"sync/atomic"
	"time"

	"github.com/coder/websocket"
	"golang.org/x/time/rate"

	"parley/server/chat/wire"
	"parley/shared"
)

// session is one connection: it reads frames until it ends, and answers them.
type session struct {
	// Set before greet.
	hub     *Hub
	dialect dialect
	conn    *websocket.Conn
	sock    *wire.Sock
	room    *Room
	member  *member
	address string // of the peer, without a port
	source  *source
	named   bool // the path has a name
	slot    int  // owned by the wheel

	account  account // of what is held for it
	reserved bool    // its connection counts

	heard   atomic.Int64 // when the peer last sent anything, Unix nanoseconds
	claimed atomic.Int64 // when the name was last claimed, likewise
	said    atomic.Bool  // the registry knows that something was said under the name
	closing atomic.Bool

	*spoken // owned by run; nil until the peer says something, since most only listen
}

// spoken is what a session keeps of what its peer has sent.
type spoken struct {
	messages pace          // the device's
	requests *rate.Limiter // made with the first
	typed    time.Time
	refused  int    // frames in a row that were answered with an error
	asked    rush   // ping frames
	user     string // key of the last name taken from a frame of the tutorial's dialect
}

// listen makes what the session keeps of the frames to come.
func (s *session) listen() {
	if s.spoken == nil {
		s.spoken = &spoken{messages: s.hub.devices.of(s.member.device)}
	}
}

// greet takes the session into the room, unless it is there already, and has it
// written to. name is the path's, or zero.
func (s *session) greet(name shared.Name) bool {
	s.hear()
	s.conn.SetReadLimit(int64(s.hub.cfg.MaxFrame))
	if s.dialect == tutorial {
		s.member.connected.Store(true)
		s.member.start(s.member.sent)
		return true
	}
	return s.hello(name)
}

// run is a member's session: it reads until the connection ends.
func (s *session) run() {
	s.hub.wheel.add(s)
	s.read()
	s.hub.wheel.remove(s)
	s.end()
}

// linger is what is left of a session that did not become a member's: the peer
// has time to see why, and to close.
func (s *session) linger() {
	s.close(shared.CloseBadHello, "No hello came.") // unless it is closing for another reason
	s.read()
	s.end()
}

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

// background is what the log and the library are called with. A context for each
// session would bound nothing that is not bounded already, and takes memory.
var background = context.Background()

func (s *session) hear() { s.heard.Store(time.Now().UnixNano()) }

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
			s.hub.metrics.limit("frame")
		}
		return m, nil, false
	}
	s.hear()
	if kind != websocket.MessageText {
		s.hub.metrics.refuse("binary")
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

// depart takes the session out of the room, if it is in it. The hold on its name
// starts now.
func (s *session) depart() {
	if s.member == nil {
		return
	}
	p := s.room.personOf(s.member)
	s.room.remove(s.member)
	s.renew(p)
}

// beat is called by the wheel.
func (s *session) beat() {
	now := time.Now().UnixNano()
	if time.Duration(now-s.heard.Load()) > s.hub.cfg.SilenceLimit {
		s.hub.metrics.silent.Inc()
		s.hub.cfg.Logger.Debug("peer is silent", "room", s.room.name.Text, "address", s.address)
		s.cut()
		return
	}
	s.member.send(wire.Ping)
	if s.dialect == parley && time.Duration(now-s.claimed.Load()) > s.hub.cfg.NameHold/4 {
		s.hub.work.Go(func() { s.renew(s.room.personOf(s.member)) })
	}
}

// close ends the session with a close frame. It may be called from anywhere,
// and does not wait.
func (s *session) close(code shared.CloseCode, reason string) {
	if s.closing.Swap(true) {
		return
	}
	if code == shared.CloseSlowConsumer {
		s.hub.metrics.slow.Inc()
	}
	s.hub.cfg.Logger.Info("session closed", "code", int(code), "reason", reason, "address", s.address)
	s.sock.End(time.Now().Add(s.hub.cfg.CloseLimit)) // for the peer's answer, too
	s.hub.work.Go(func() {
		_, _ = s.sock.Write(wire.Close(code, reason)) // if this fails, so does reading
	})
}

// end gives back what the session has taken, in reverse order, whatever that is.
func (s *session) end() {
	if s.conn != nil {
		_ = s.conn.CloseNow()
		s.hub.dismiss(s)
	}
	s.depart()
	if s.member != nil && s.conn != nil {
		s.member.forget()
	}
	if s.room != nil {
		s.hub.leave(s.room)
	}
	if s.reserved {
		s.account.hold(-heldBySession)
		s.hub.release(s.source)
	}
	s.hub.sources.release(s.source.name)
	if s.spoken != nil {
		s.hub.devices.release(s.member.device)
	}
}

// cut ends the session without a word.
func (s *session) cut() { s.sock.Close() }

// Wait implements wire.Meter. The room's meter is waited for only with a message,
// because whoever only listens causes nothing in it.
func (s *session) Wait() { s.source.meter.wait() }

// Count implements wire.Meter.
func (s *session) Count(n int) {
	s.hub.metrics.read.Add(float64(n))
	s.source.meter.charge(costRead + time.Duration(n)*costByteRead)
}

// pong answers a ping, unless earlier answers still wait to be taken.
func (s *session) pong(payload []byte) {
	s.hear()
	s.source.meter.charge(costPing)
	if m := s.member; m != nil && !m.waiting() {
		m.send(wire.Pong(payload))
	}
}
