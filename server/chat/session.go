package chat

import (
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
	core    *core
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
	knocks   error   // why it has no place yet, see Hub.knock; nil if it has one
	gaveUp   bool    // its place is for somebody else; guarded by Hub.mu

	greeted atomic.Bool  // its member's device and known are set
	heard   atomic.Int64 // when the peer last sent anything, Unix nanoseconds
	claimed atomic.Int64 // when the name was last claimed, likewise
	said    atomic.Bool  // the registry knows that something was said under the name
	closing atomic.Bool

	*spoken // owned by run; nil until the peer says something, since most only listen
}

// spoken is what a session keeps of what its peer has sent.
type spoken struct {
	messages *pace         // the device's
	all      *pace         // of its address
	requests *rate.Limiter // made with the first
	typed    time.Time
	refused  int    // frames in a row that were answered with an error
	asked    rush   // ping frames
	user     string // key of the last name taken from a frame of the tutorial's dialect
}

func (s *session) hear() { s.heard.Store(time.Now().UnixNano()) }

// close ends the session with a close frame. It may be called from anywhere,
// and does not wait.
func (s *session) close(code shared.CloseCode, reason string) {
	if s.closing.Swap(true) {
		return
	}
	if code == shared.CloseSlowConsumer {
		s.core.metrics.slow.Inc()
	}
	s.core.cfg.Logger.Info("session closed", "code", int(code), "reason", reason, "address", s.address)
	s.sock.End(time.Now().Add(s.core.cfg.CloseLimit)) // for the peer's answer, too
	s.core.work.Go(func() {
		_, _ = s.sock.Write(wire.Close(code, reason)) // if this fails, so does reading
	})
}

// cut ends the session without a word.
func (s *session) cut() { s.sock.Close() }

// Wait implements wire.Meter. The room's meter is waited for only with a message,
// because whoever only listens causes nothing in it.
func (s *session) Wait() { s.source.meter.wait(s.sock.Over) }

// Count implements wire.Meter.
func (s *session) Count(n int) {
	s.core.metrics.read.Add(float64(n))
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

// ponged notes a pong that the library has read.
func (s *session) ponged() {
	s.hear()
	s.source.meter.charge(costPong)
}

// giveUp ends a session whose place is for somebody else, at once if it is closing
// already. The caller holds Hub.mu.
func (s *session) giveUp() {
	s.gaveUp = true
	if s.closing.Load() {
		s.cut()
	} else {
		s.close(shared.CloseTryLater, saysShare)
	}
}
