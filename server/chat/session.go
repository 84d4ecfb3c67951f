package chat

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"net/http"
	"sync"
	"sync/atomic"
	"time"

	"github.com/coder/websocket"
	"github.com/oklog/ulid/v2"
	"golang.org/x/time/rate"

	"parley/server/chat/lookalike"
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

// hello carries out the first exchange of parley.v1 and joins the room.
func (s *session) hello(path shared.Name) bool {
	late := time.AfterFunc(s.hub.cfg.HelloTimeout, func() {
		s.hub.metrics.limit("hello")
		s.close(shared.CloseBadHello, "No hello came in time.")
	})
	kind, r, err := s.conn.Reader(background)
	if err != nil {
		late.Stop()
		return false
	}
	m, err, ok := s.decode(kind, r)
	if !late.Stop() || !ok {
		return false
	}
	refuse := func(reason string) bool {
		s.hub.metrics.refuse("bad_hello")
		s.close(shared.CloseBadHello, reason)
		return false
	}
	if err != nil {
		return refuse(err.(*shared.FrameError).Reason)
	}
	if m.Type != shared.TypeHello {
		return refuse("The first frame must be a hello.")
	}
	if err := shared.CheckDevice(m.Device); err != nil {
		return refuse("The hello's device is not a secret of 22 to 128 printable ASCII characters.")
	}
	name := path
	if name.Key == "" {
		if m.User == "" {
			m.User = guest()
		}
		if name, err = s.hub.personName(m.User); err != nil {
			return refuse(err.Error())
		}
	}
	hash := sha256.Sum256([]byte(m.Device))
	s.newMember(hex.EncodeToString(hash[:16]))
	return s.join(name, m)
}

// firstVisit is how many entries a client gets that does not resume.
const firstVisit = 50

// join takes a parley.v1 session into the room and starts its replay.
func (s *session) join(name shared.Name, hello shared.Message) bool {
	r, m := s.room, s.member
	if owner, err := s.hub.cfg.Registry.Owner(background, r.name.Key, name.Key); err == nil {
		m.known = owner.Device == m.device
	}
	if code, reason := s.unlock(hello); code != 0 {
		if !code.Reconnect() {
			s.hub.metrics.refuse("wrong_key")
		}
		s.close(code, reason)
		return false
	}
	if ok, err := s.own(name); err != nil {
		s.close(shared.CloseTryLater, "The server can't write its log right now.")
		return false
	} else if !ok {
		free, err := s.freeName(name)
		if err != nil {
			s.close(shared.CloseTryLater, "The server can't write its log right now.")
			return false
		}
		s.hub.metrics.refuse("name_taken")
		s.close(shared.CloseNameTaken, free.Text)
		return false
	}
	head, err := r.add(m)
	if err != nil {
		if err == errLocked {
			s.close(shared.CloseWrongKey, saysLocked)
		} else {
			s.close(shared.CloseTryLater, shared.ReasonRoomFull)
		}
		s.depart()
		return false
	}
	welcome := shared.Message{
		Type: shared.TypeWelcome, Room: r.name.Text, User: r.userOf(m).Text, By: shared.By(r.name.Key, m.device), Epoch: r.epoch, Offset: head,
		Limits: s.hub.cfg.limits(), Server: shared.Server{Name: s.hub.cfg.Name, Version: s.hub.cfg.Version},
		Can: []string{shared.CanBy, shared.CanPing},
	}
	welcome.Members, welcome.Count = r.who()
	behind := head - hello.After
	first := r.first.Load() // the tail may still have what the log has not
	welcome.Resumed = hello.Epoch == r.epoch && behind >= 0 && behind <= int64(s.hub.cfg.ResumeLimit) && hello.After+1 >= first
	from := hello.After
	if !welcome.Resumed {
		var err error
		if from, err = s.beforeLast(head, min(firstVisit, s.hub.cfg.ResumeLimit)); err != nil {
			s.close(shared.CloseTryLater, "The server can't read its log right now.")
			s.depart()
			return false
		}
		from = max(from, first-1)
	}
	m.start(from, wire.Message(welcome))
	r.rename(m.device, welcome.User)
	return true
}

// own gives the session a name, which belongs to its device from now on unless that
// has enough of them. It reports false if somebody else has the name.
func (s *session) own(name shared.Name) (bool, error) {
	look := lookalike.Of(name.Text)
	claim := Claim{Name: name.Key}
	if !look.Mixed { // which always has a hint, and shall give none to others
		claim.Look = look.Skeleton
	}
	s.room.mu.Lock()
	claim.Shy = s.room.alike(name, look) != nil
	other := s.room.people[name.Key]
	inUse := other != nil && other.conns > 0 && other.device != s.member.device
	s.room.mu.Unlock()
	if inUse {
		return false, nil // and must not own what somebody else uses
	}
	standing, err := s.claim(claim)
	if err != nil || standing.Taken {
		return false, err
	}
	s.said.Store(standing.Spoken)
	return s.room.arrive(s.member, name, look, standing), nil
}

func (s *session) claim(c Claim) (Standing, error) {
	if s.room.farewell.Load() != nil {
		return Standing{}, nil // the room has no names any more, and the session ends
	}
	s.claimed.Store(time.Now().UnixNano())
	s.source.meter.charge(costClaim)
	c.Room, c.Device, c.Address, c.Seen = s.room.name.Key, s.member.device, s.source.name, s.hub.cfg.Now()
	return s.hub.cfg.Registry.Claim(background, c, s.hub.cfg.nameRules())
}

// renew claims a person's name again. A log that can't be written keeps the earlier
// time.
func (s *session) renew(p *person) {
	if s.dialect == tutorial || p == nil {
		return
	}
	c := Claim{Name: p.name.Key, Spoken: s.said.Load()}
	if !p.marked {
		c.Look = p.look.Skeleton
	}
	_, _ = s.claim(c)
}

// spoke has the person's name held longer once something was said under it.
func (s *session) spoke() {
	if s.dialect == parley && !s.said.Swap(true) {
		s.hub.work.Go(func() { s.renew(s.room.personOf(s.member)) })
	}
}

// freeName finds a name like the one that is taken which nobody has.
func (s *session) freeName(name shared.Name) (shared.Name, error) {
	for n := 2; ; n++ {
		v := variant(name, number(n))
		free, err := s.free(v)
		if free || err != nil {
			return v, err
		}
	}
}

// number returns what the nth try puts behind a name: the first few in order, then
// any, so that a thousand taken ones cost no thousand tries.
func number(n int) int {
	if n < 6 {
		return n
	}
	return n + rand.IntN(1_000_000)
}

// free reports whether nobody owns a name or is here under it.
func (s *session) free(name shared.Name) (bool, error) {
	if s.room.here(name.Key) {
		return false, nil
	}
	owner, err := s.hub.cfg.Registry.Owner(background, s.room.name.Key, name.Key)
	return err == nil && !s.hub.cfg.nameRules().Held(owner, s.hub.cfg.Now()), err
}

// beforeLast returns the offset before the newest n entries up to head.
func (s *session) beforeLast(head int64, n int) (int64, error) {
	if offset, ok := s.member.tail.View().BeforeLast(head, n); ok {
		return offset, nil
	}
	entries, err := s.hub.cfg.Log.History(background, s.room.name.Key, head+1, Most{Entries: n, Bytes: shared.MaxServerFrame})
	if err != nil || len(entries) == 0 {
		return head, err
	}
	return entries[0].Offset - 1, nil
}

// joinTutorial takes a session of the tutorial's dialect into the room, where
// it is sent nothing yet.
func (s *session) joinTutorial(name shared.Name, skipOwn bool) *refusal {
	locked := &refusal{status: http.StatusForbidden, detail: saysTutorial}
	if s.room.settledLock().locks() {
		return locked
	}
	s.newMember("tutorial-" + ulid.Make().String())
	if skipOwn {
		s.member.skip = s.member.device
	}
	if name.Key == "" {
		name, _ = shared.PersonName(guest())
	}
	if err := s.borrow(name); err != nil {
		return &refusal{status: http.StatusServiceUnavailable, detail: "The server can't read its log right now."}
	}
	switch _, err := s.room.add(s.member); {
	case err == errLocked:
		return locked
	case err != nil:
		return roomFull()
	}
	return nil
}

// borrow gives the session a name that nobody owns, with a number behind it if
// somebody does.
func (s *session) borrow(name shared.Name) error {
	for try, n := name, 2; ; n++ {
		free, err := s.free(try)
		if err != nil {
			return err
		}
		if free {
			if came, err := s.arriveUnowned(try); came || err != nil {
				return err
			}
		}
		try = variant(name, number(n))
	}
}

// arriveUnowned is arrive under a name that belongs to nobody.
func (s *session) arriveUnowned(name shared.Name) (bool, error) {
	look := lookalike.Of(name.Text)
	owner, err := s.hub.cfg.Registry.LookOwner(background, s.room.name.Key, look.Skeleton)
	if err != nil {
		return false, err
	}
	var standing Standing
	if owner.Name != name.Key && s.hub.cfg.nameRules().Held(owner, s.hub.cfg.Now()) {
		standing.Like = owner.Name
	}
	return s.room.arrive(s.member, name, look, standing), nil
}

func (s *session) newMember(device string) {
	s.member = &member{room: s.room, dialect: s.dialect, device: device, sock: s.sock, source: s.source, account: &s.account, fail: s.close, busy: true}
	s.member.connected.Store(s.conn != nil)
	s.sock.Mu.Lock()
	s.sock.After = func() { s.member.flush() }
	s.sock.Mu.Unlock()
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

func guest() string { return fmt.Sprintf("Guest-%04d", rand.IntN(10000)) }

// pong answers a ping, unless earlier answers still wait to be taken.
func (s *session) pong(payload []byte) {
	s.hear()
	s.source.meter.charge(costPing)
	if m := s.member; m != nil && !m.waiting() {
		m.send(wire.Pong(payload))
	}
}
