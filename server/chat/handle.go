package chat

import (
	"cmp"
	"errors"
	"fmt"
	"math"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/oklog/ulid/v2"

	"parley/server/chat/wire"
	"parley/shared"
	"parley/shared/find"
)

// handle answers one frame, or the error that decoding it gave. It reports
// false if the session is to end.
func (s *session) handle(m shared.Message, err error) bool {
	var frameErr *shared.FrameError
	if errors.As(err, &frameErr) {
		return s.refuse(m, frameErr.Code, frameErr.Reason)
	}
	if s.dialect == tutorial && m.Type != shared.TypeChat {
		return s.refuse(m, shared.CodeNotAllowed, "This connection takes only chat messages. Others need the subprotocol "+shared.Protocol+".")
	}
	switch m.Type {
	case shared.TypeChat:
		return s.chat(m)
	case shared.TypeDelete, shared.TypeReact:
		return s.change(m)
	case shared.TypeHost:
		return s.host(m)
	case shared.TypeTyping:
		return s.typing()
	case shared.TypeHistory, shared.TypeSearch, shared.TypeReactions, shared.TypeNotices, shared.TypeRoles:
		return s.ask(m)
	case shared.TypeUpload:
		return s.upload(m)
	case shared.TypePing:
		return s.ping()
	case shared.TypeHello:
		return s.refuse(m, shared.CodeBadFrame, "The hello was said already.")
	}
	return s.refuse(m, shared.CodeNotAllowed, "Only the server sends this type of frame.")
}

// chat takes a message, or a new text for one.
func (s *session) chat(m shared.Message) bool {
	switch {
	case s.dialect == tutorial && m.Edits != 0:
		return s.refuse(m, shared.CodeNotAllowed, saysTutorialChange)
	case s.dialect == tutorial:
		m.ID, m.Reply = ulid.Make().String(), 0
		if m.File = nil; shared.Blank(m.Text) {
			return s.handle(m, shared.ErrEmpty)
		}
	default:
		if err := checkSent(m); err != nil {
			return s.handle(m, err)
		}
	}
	most := s.core.cfg.MaxText
	if m.File != nil {
		// Whether there is such a file, the log says: it knows whether the message is there already.
		if most = min(most, shared.MaxCaption); shared.Blank(m.Text) {
			m.Text = ""
		}
	}
	if n := utf8.RuneCountInString(m.Text); n > most {
		return s.refuse(m, shared.CodeTooLong, fmt.Sprintf("The message has %d characters, of at most %d.", n, most))
	}
	e := Entry{Text: m.Text, Reply: m.Reply}
	if m.Edits != 0 {
		e.Kind, e.Target = KindEdit, m.Edits
	}
	if m.Edits != 0 || m.Reply != 0 {
		e.Extra = &Extra{Of: m.Of}
	}
	if m.File != nil {
		e.Own().File = &File{ID: m.File.ID}
	}
	return s.add(m, e)
}

// add appends an entry to the log. Its way back is through the log; only what the
// log does not tell the room is answered here.
func (s *session) add(m shared.Message, e Entry) bool {
	now := time.Now()
	if !s.messages.allow(now) {
		return s.refuse(m, shared.CodeRateLimited, "You are sending too fast.")
	}
	s.refused = 0
	if !s.all.allow(now) {
		// It is not only this one's doing, so it does not count as flooding.
		s.core.metrics.refuse(shared.CodeRateLimited)
		s.core.metrics.limit("rate")
		s.sendError(m, shared.CodeRateLimited, "Too many messages come from your address.", retryAfter(s.all))
		return true
	}
	s.spread(costMessage)
	if s.dialect == tutorial && !s.named && m.User != "" {
		if ok := s.takeUser(m); !ok {
			return true
		}
	}
	e.ID, e.Device, e.User, e.Time = m.ID, s.member.device, s.room.userOf(s.member).Text, s.core.cfg.Now()
	if !s.mayChange(&e) {
		return s.refuse(m, shared.CodeNotAllowed, saysNoChange)
	}
	if refusal := s.room.ruling.slow(e); refusal != nil {
		s.core.metrics.refuse(refusal.Code)
		s.core.metrics.rule(refusal)
		s.sendError(m, refusal.Code, refusal.Reason, int(refusal.Retry.Milliseconds()))
		return true
	}
	switch may, err := s.room.mayAdd(e); {
	case err != nil:
		return s.refuse(m, shared.CodeUnavailable, "The server can't read its log right now.")
	case !may:
		s.core.metrics.limit("share")
		return s.refuse(m, shared.CodeNotAllowed, saysHalf)
	}
	if !s.room.begin() {
		return true // unanswered: the client sends it again after the restart
	}
	s.core.metrics.messages.Inc()
	s.spoke()
	if e.Kind == KindNotice { // for which the log may have to look for what it deletes
		defer func(began time.Time) { s.source.meter.charge(time.Since(began)) }(time.Now())
	}
	s.core.cfg.Log.Append(background, s.room.name, e, func(r Receipt, err error) {
		defer s.room.appended()
		reactions := time.Duration(r.Reactions) * costReacted
		s.source.meter.charge(reactions)
		s.room.meter.charge(reactions)
		refusal := refusalOf(err)
		if err == nil && m.File != nil {
			s.source.uploads.end(m.File.ID)
		}
		switch {
		case refusal != nil:
			s.core.metrics.refuse(refusal.Code)
			s.core.metrics.rule(refusal)
			s.sendError(m, refusal.Code, sayRefused(e.Kind, refusal), 0)
		case err != nil:
			s.core.notStored(err)
			s.core.metrics.refuse(shared.CodeUnavailable)
			s.sendError(m, shared.CodeUnavailable, sayUnavailable(err), 0)
		case r.Duplicate, e.Kind == KindEdit && !s.room.echoes(r.Offset):
			s.member.send(wire.Message(shared.Message{Type: shared.TypeAck, ID: m.ID, Offset: r.Offset}))
		}
	})
	return true
}

// takeUser gives an unnamed member of the tutorial's dialect the name in its
// frame. It reports false if the message is refused.
func (s *session) takeUser(m shared.Message) bool {
	name, err := s.core.personName(m.User)
	if err != nil {
		s.refuse(m, shared.CodeBadFrame, err.Error())
		return false
	}
	if s.user == name.Key {
		return true
	}
	if err := s.borrow(name); err != nil {
		s.refuse(m, shared.CodeUnavailable, "The server can't read its log right now.")
		return false
	}
	s.user = name.Key
	return true
}

const typingEvery = 3 * time.Second

func (s *session) typing() bool {
	now := time.Now()
	if now.Sub(s.typed) < typingEvery {
		return true
	}
	s.typed = now
	if s.room.ruling.may(Who{Device: s.member.device, Here: true}, ToWrite, now) != nil {
		return true
	}
	s.spread(0)
	s.room.tellAll(shared.Message{Type: shared.TypeTyping, User: s.room.userOf(s.member).Text})
	return true
}

// ask answers a question for what the log has. The next frame of the session waits
// until it is answered.
func (s *session) ask(m shared.Message) bool {
	what := ToEnter
	if m.Type == shared.TypeRoles {
		what = ToHost
	}
	may := func() *Refusal {
		return refusalOf(s.room.ruling.may(Who{Device: s.member.device, Here: true}, what, s.core.cfg.Now()))
	}
	if refusal := may(); refusal != nil {
		return s.refuseBy(m, refusal)
	}
	if m.Type == shared.TypeSearch {
		if m.Text = strings.TrimSpace(m.Text); shared.Blank(m.Text) || find.Fold(m.Text) == "" {
			return s.refuse(m, shared.CodeEmpty, "There is nothing to look for.")
		}
	}
	if s.requests == nil {
		s.requests = s.core.newLimiter(1)
	}
	if !s.requests.AllowN(time.Now(), 1) {
		return s.refuse(m, shared.CodeRateLimited, "You are asking too fast.")
	}
	s.refused = 0
	for range askTries {
		asOf := s.room.newestChange()
		answer, err := s.answer(m)
		if err != nil {
			break
		}
		if refusal := may(); refusal != nil { // the answer may have what came after that
			return s.refuseBy(m, refusal)
		}
		if m.Type == shared.TypeSearch {
			asOf = anyChange // looking again takes long, and hits are not kept
		}
		if s.member.sendAsOf(asOf, wire.Text(answer)) {
			return true
		}
	}
	return s.refuse(m, shared.CodeUnavailable, "The server can't read its log right now.")
}

// askTries is how often a question is asked again whose answer was out of date before
// it could be sent.
const askTries = 10

// answer returns the payload of the answer to a question.
func (s *session) answer(m shared.Message) ([]byte, error) {
	r := reader{s.source.meter, s.room.name.Key, s.member.device}
	limit := cmp.Or(m.Limit, defaultHistory)
	switch {
	case m.Type == shared.TypeSearch:
		return s.core.search(background, r, m.Text, m.Before)
	case m.Type == shared.TypeReactions:
		return s.core.reactions(background, r, m.Target)
	case m.Type == shared.TypeNotices:
		return s.core.notices(background, r, m.Before, limit)
	case m.Type == shared.TypeRoles:
		return s.room.tellRoles(m.Before, limit), nil
	case m.Changed > 0:
		return s.core.changes(background, r, m.Changed, m.Before, limit)
	}
	return s.core.history(background, r, m.Before, limit)
}

// ping answers every ping, as a client takes a connection without an answer for
// dead. Whoever sends far more than one in shared.PingEvery loses the connection.
func (s *session) ping() bool {
	n := s.asked.count(shared.PingEvery)
	if n > 1 {
		s.core.metrics.limit("rate")
	}
	s.source.meter.charge(costPing)
	if n > floodLimit(s.core.cfg) {
		s.close(shared.CloseFlooding, "You kept sending far too fast.")
		return false
	}
	s.member.send(pongFrame)
	return true
}

// rush counts what comes close together.
type rush struct {
	since time.Time
	n     int
}

// count returns how many came since the period began, this one included.
func (r *rush) count(period time.Duration) int {
	if now := time.Now(); now.Sub(r.since) >= period {
		*r = rush{since: now}
	}
	r.n++
	return r.n
}

// refuseBy is refuse, by one of the room's rules.
func (s *session) refuseBy(m shared.Message, refusal *Refusal) bool {
	s.core.metrics.rule(refusal)
	return s.refuse(m, refusal.Code, refusal.Reason)
}

// refuse answers a frame with an error. Whoever keeps sending over the rate loses
// the connection.
func (s *session) refuse(m shared.Message, code shared.ErrorCode, reason string) bool {
	s.core.metrics.refuse(code)
	switch code {
	case shared.CodeRateLimited:
		s.core.metrics.limit("rate")
	case shared.CodeTooLong:
		s.core.metrics.limit("text")
	}
	retry := 0
	s.refused++
	if code == shared.CodeRateLimited {
		retry = retryAfter(s.messages)
	}
	if s.refused > floodLimit(s.core.cfg) {
		s.close(shared.CloseFlooding, "You kept sending far too fast.")
		return false
	}
	s.sendError(m, code, reason, retry)
	return true
}

// spread charges what goes to everyone in the room, and waits until the room has
// paid for what went before: a loud room slows itself down, and no other.
func (s *session) spread(cost time.Duration) {
	cost += time.Duration(s.room.size.Load()) * costDelivery
	s.source.meter.charge(cost)
	s.room.meter.wait(s.sock.Over)
	s.room.meter.charge(cost)
}

// retryAfter returns after how many milliseconds a member may send again.
func retryAfter(p *pace) int {
	return int(math.Ceil(p.next(time.Now()).Seconds() * 1000))
}

// floodLimit is how many frames in a row may be refused.
func floodLimit(c Config) int { return 10*c.Burst + 100 }

func (s *session) sendError(m shared.Message, code shared.ErrorCode, reason string, retry int) {
	id := m.ID
	if s.dialect == tutorial {
		id = ""
	}
	s.member.send(wire.Message(shared.Message{Type: shared.TypeError, ID: id, Code: code, Text: reason, RetryMS: retry}))
}
