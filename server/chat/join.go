package chat

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"math/rand/v2"
	"net/http"
	"time"

	"github.com/oklog/ulid/v2"

	"parley/server/chat/wire"
	"parley/shared"
)

// hello carries out the first exchange of parley.v1 and joins the room.
func (s *session) hello(path shared.Name) bool {
	limit := s.core.cfg.HelloTimeout
	if s.knocks != nil {
		limit = min(limit, knockTime)
	}
	late := time.AfterFunc(limit, func() {
		s.core.metrics.limit("hello")
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
		s.core.metrics.refuse("bad_hello")
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
		if name, err = s.core.personName(m.User); err != nil {
			return refuse(err.Error())
		}
	}
	hash := sha256.Sum256([]byte(m.Device))
	s.newMember(hex.EncodeToString(hash[:16]))
	return s.join(name, m)
}

// firstVisit is how many messages a client gets that does not resume, and
// visitEntries how many entries that may be in a tail, with the changes of messages,
// and no more than half of what a member may be behind. If they are more, the messages
// come from the log, as they are now.
const (
	firstVisit   = 50
	visitEntries = 4 * firstVisit
)

// join takes a parley.v1 session into the room and starts its replay.
func (s *session) join(name shared.Name, hello shared.Message) bool {
	r, m := s.room, s.member
	if owner, err := s.core.cfg.Registry.Owner(background, r.name.Key, name.Key); err == nil {
		m.known = owner.Device == m.device
	}
	s.greeted.Store(true)
	if s.knocks != nil && !m.known {
		return s.crowdedOut()
	}
	isNew := r.isNew() && !s.core.reserved(r.name.Key)
	opens := hello.Host && isNew
	if code, reason := s.unlock(hello); code != 0 {
		if !code.Reconnect() {
			s.core.metrics.refuse("wrong_key")
		}
		s.close(code, reason)
		return false
	}
	operator, code, reason := s.operates(hello)
	if code != 0 {
		s.core.metrics.refuse("wrong_key")
		s.close(code, reason)
		return false
	}
	if !operator && !s.comesIn() {
		return false
	}
	if s.knocks != nil && !s.core.seat(s) {
		return s.crowdedOut()
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
		s.core.metrics.refuse("name_taken")
		s.close(shared.CloseNameTaken, free.Text)
		return false
	}
	if err := r.catchUp(); err != nil {
		s.close(shared.CloseTryLater, "The server can't write its log right now.")
		s.depart()
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
	r.came(m.device, s.source.name)
	if !operator && !s.comesIn() { // it was removed while it came
		return false
	}
	// As a member, so that it hears of it as everybody does.
	if operator || opens {
		if err := s.becomeHost(operator); err != nil {
			s.close(shared.CloseTryLater, "The server can't write its log right now.")
			return false
		}
	}
	welcome := shared.Message{
		Type: shared.TypeWelcome, Room: r.name.Text, User: r.userOf(m).Text, By: shared.By(r.name.Key, m.device), Epoch: r.epoch, Offset: head,
		Limits: s.core.cfg.limits(), Server: shared.Server{Name: s.core.cfg.Name, Version: s.core.cfg.Version},
		Can: s.core.cfg.can(),
	}
	if isNew {
		done := s.core.look(reader{meter: s.source.meter})
		welcome.Like = s.core.alike(r.name)
		done()
	}
	r.welcomeRules(&welcome, m.device)
	welcome.Members, welcome.Count = r.who()
	behind := head - hello.After
	first := r.first.Load() // the tail may still have what the log has not
	welcome.Resumed = hello.Epoch == r.epoch && behind >= 0 && behind <= int64(s.core.cfg.ResumeLimit) && hello.After+1 >= first
	from := hello.After
	if !welcome.Resumed {
		from = m.visits(head, first)
	}
	m.start(from, wire.Message(welcome))
	r.rename(m.device, welcome.User)
	return true
}

// visits returns the offset after which a member that does not resume gets what is
// in the tail. If the tail lacks something, the member reads the newest messages.
func (m *member) visits(head, first int64) (from int64) {
	limit := m.room.core.cfg.ResumeLimit
	n := min(firstVisit, limit)
	if from, ok := m.tail.View().BeforeLast(head, n, min(visitEntries, limit/2)); ok {
		return max(from, first-1)
	}
	if head > 0 {
		m.visit = n
	}
	return head
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
	if no := s.core.doorRefusal(s.mayEnter()); no != nil {
		return no
	}
	if name.Key == "" {
		name, _ = shared.PersonName(guest())
	}
	if err := s.borrow(name); err != nil {
		return &refusal{status: http.StatusServiceUnavailable, detail: "The server can't read its log right now."}
	}
	if err := s.room.catchUp(); err != nil {
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

func (s *session) newMember(device string) {
	s.member = &member{room: s.room, dialect: s.dialect, device: device, sock: s.sock, source: s.source, account: &s.account, fail: s.close, busy: true}
	s.member.connected.Store(s.conn != nil)
	s.sock.Mu.Lock()
	s.sock.After = func() { s.member.flush() }
	s.sock.Mu.Unlock()
}

func guest() string { return fmt.Sprintf("Guest-%04d", rand.IntN(10000)) }

// unlock decides whether a hello's passphrase lets its session in: it opens the
// room's lock, or becomes it if the room is new. The code is 0 if it does.
func (s *session) unlock(hello shared.Message) (code shared.CloseCode, reason string) {
	lock := s.room.settledLock()
	switch {
	case !lock.locks() && hello.Key == "":
		return 0, "" // Room.add finds out if it was locked since
	case hello.Key == "":
		return shared.CloseWrongKey, saysLocked
	}
	// Whoever has been in the room is not kept out by wrong passphrases of others at
	// their address, such as everybody else's behind one router.
	who := s.source.name
	if s.member.known {
		who = s.member.device
	}
	s.source.meter.wait(s.sock.Over)
	wait := s.core.keys.InTurn(who, s.core.accountOf(ofWrong, inRoom(who, s.room.name.Key)), func() (wrong bool) {
		if !lock.locks() {
			if lock, code, reason = s.lock(hello); code != 0 {
				return false
			}
		}
		if !s.room.opens(lock, hello.Key, s.source.meter) {
			code, reason = shared.CloseWrongKey, saysWrongKey
			return true
		}
		s.member.unlocked = true
		return false
	})
	if wait {
		return shared.CloseTryLater, shared.ReasonTooMany
	}
	return code, reason
}

// lock locks a new room and returns the lock that it has then, which is another
// one if somebody was faster.
func (s *session) lock(hello shared.Message) (Lock, shared.CloseCode, string) {
	r := s.room
	key, err := shared.CheckKey(hello.Key)
	if err != nil {
		return Lock{}, shared.CloseWrongKey, err.Error()
	}
	if !r.isNew() || s.core.reserved(r.name.Key) {
		return Lock{}, shared.CloseOpenRoom, saysOpen
	}
	s.source.meter.charge(costHash)
	lock, err := r.setLock(Lock{Hash: s.core.keys.Hash(key), Hidden: hello.Hidden, Made: s.core.cfg.Now().UTC().Truncate(time.Millisecond)})
	switch {
	case err != nil:
		return Lock{}, shared.CloseTryLater, "The server can't write its log right now."
	case !lock.locks():
		return Lock{}, shared.CloseOpenRoom, saysOpen
	}
	return lock, 0, ""
}

// greet takes the session into the room, unless it is there already, and starts to
// write to it. name is the path's, or zero.
func (s *session) greet(name shared.Name) bool {
	s.conn.SetReadLimit(int64(s.core.cfg.MaxFrame))
	if s.dialect == tutorial {
		s.member.connected.Store(true)
		if refused := s.member.out.Load(); refused != nil {
			s.close(shared.CloseRemoved, refused.Reason)
			return false
		}
		s.member.start(s.member.sent)
		return true
	}
	return s.hello(name)
}
