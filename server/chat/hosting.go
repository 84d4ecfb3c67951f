package chat

import (
	"context"
	"maps"
	"net/http"
	"slices"
	"sync"
	"time"

	"github.com/oklog/ulid/v2"

	"parley/shared"
)

// ruling is what a room in memory knows of its Rules. What the log hands it makes them
// before anybody is told of it.
type ruling struct {
	mu    sync.Mutex // taken last
	rules Rules
	spoke map[string]time.Time // when a device last wrote, in slow mode
	from  map[string]string    // the source of a device that was in the room
}

const (
	mostRemembered = 4096                // devices that a ruling remembers something of
	mostVisitors   = 16 * mostRemembered // in all rooms whose doors are closed, at other servers
)

// begin sets the rules with which the room enters memory.
func (u *ruling) begin(rules Rules) {
	u.mu.Lock()
	defer u.mu.Unlock()
	u.rules = rules
}

// carry takes what the log hands on.
func (u *ruling) carry(entries []Entry) {
	u.mu.Lock()
	defer u.mu.Unlock()
	for _, e := range entries {
		_ = u.rules.Carry(e) // the log has asked
		u.wrote(e)
	}
}

// recall takes the newest entries of before the room entered memory: who wrote at
// another server a moment ago waits here as well.
func (u *ruling) recall(entries []Entry) {
	u.mu.Lock()
	defer u.mu.Unlock()
	for _, e := range entries {
		u.wrote(e)
	}
}

// wrote notes when a device wrote, if that matters. The caller holds mu.
func (u *ruling) wrote(e Entry) {
	if e.Kind == KindMessage && u.rules.isSlow() && e.Time.After(u.spoke[e.Device]) {
		remember(&u.spoke, mostRemembered, e.Device, e.Time)
	}
}

func (u *ruling) expire(first int64) {
	u.mu.Lock()
	defer u.mu.Unlock()
	u.rules.Begin(first)
}

// may is Rules.May.
func (u *ruling) may(who Who, what What, now time.Time) error {
	u.mu.Lock()
	defer u.mu.Unlock()
	return u.rules.May(who, what, now)
}

// slow returns how a message is refused that comes too early in slow mode. The next one
// of its device has to wait from now on. Whatever else is refused, the log refuses: it
// knows whether the entry is there already.
func (u *ruling) slow(e Entry) *Refusal {
	u.mu.Lock()
	defer u.mu.Unlock()
	if e.Kind != KindMessage || !u.rules.isSlow() {
		return nil
	}
	err := u.rules.May(Who{Device: e.Device, Here: true, Spoke: u.spoke[e.Device]}, ToWrite, e.Time)
	refusal := refusalOf(err)
	switch {
	case refusal == nil:
		remember(&u.spoke, mostRemembered, e.Device, e.Time)
	case refusal.Code == shared.CodeRateLimited:
		return refusal
	}
	return nil
}

// came notes from where a device came.
func (u *ruling) came(device, source string) {
	u.mu.Lock()
	defer u.mu.Unlock()
	remember(&u.from, mostRemembered, device, source)
}

// wasHere reports whether a device has been in the room since the room is in memory: a
// closed door is open for those who come back.
func (u *ruling) wasHere(device string) bool {
	u.mu.Lock()
	defer u.mu.Unlock()
	_, here := u.from[device]
	return here
}

// visitors returns the devices that have been in the room since it is in memory.
func (u *ruling) visitors() []string {
	u.mu.Lock()
	defer u.mu.Unlock()
	return slices.Collect(maps.Keys(u.from))
}

// isClosed reports whether nobody comes in any more who was not here.
func (u *ruling) isClosed() bool {
	u.mu.Lock()
	defer u.mu.Unlock()
	return u.rules.Settings.Door == shared.DoorClosed
}

// remember sets a value in a map that does not grow without end.
func remember[V any](m *map[string]V, most int, key string, value V) {
	if *m == nil {
		*m = make(map[string]V)
	}
	if _, known := (*m)[key]; !known && len(*m) >= most {
		for other := range *m {
			delete(*m, other)
			break
		}
	}
	(*m)[key] = value
}

// removedAfter is Rules.removedAfter.
func (u *ruling) removedAfter(at time.Time) bool {
	u.mu.Lock()
	defer u.mu.Unlock()
	return u.rules.removedAfter(at)
}

// removals are from where somebody was removed less than RemovalHold ago, by account:
// from everywhere that they were then, and whatever they speak. The registry knows only
// where a name was last, but longer.
type removals struct {
	mu    sync.Mutex
	until map[string]time.Time
}

func (v *removals) note(account string, now time.Time) {
	v.mu.Lock()
	defer v.mu.Unlock()
	for key, until := range v.until {
		if !now.Before(until) {
			delete(v.until, key)
		}
	}
	remember(&v.until, mostRemembered, account, now.Add(RemovalHold))
}

func (v *removals) has(account string, now time.Time) bool {
	v.mu.Lock()
	defer v.mu.Unlock()
	return now.Before(v.until[account])
}

// visitors are devices that are in a room at another server, by account, if its door is
// closed: when that server stops, they come here, and are no strangers.
type visitors struct {
	mu  sync.Mutex
	are map[string]struct{}
}

func (v *visitors) note(account string) {
	v.mu.Lock()
	defer v.mu.Unlock()
	remember(&v.are, mostVisitors, account, struct{}{})
}

func (v *visitors) has(account string) bool {
	v.mu.Lock()
	defer v.mu.Unlock()
	_, is := v.are[account]
	return is
}

// tellVisitors tells the other servers who is in a room whose door is closed.
func (c *core) tellVisitors(room string, devices []string) {
	if c.spending == nil {
		return
	}
	for _, device := range devices {
		c.spending.add(c.accountOf(ofVisitor, inRoom(device, room)))
	}
}

// came notes from where a device came.
func (r *Room) came(device, source string) {
	if r.ruling.came(device, source); r.ruling.isClosed() {
		r.core.tellVisitors(r.name.Key, []string{device})
	}
}

// mayEnter reports whether the session's device may come in: nil or a *Refusal. The
// error is another one if the log could not be read.
func (s *session) mayEnter() (err error) {
	now, room := s.core.cfg.Now(), s.room.name.Key
	who := Who{Device: s.member.device, Known: s.member.known}
	if who.Beside, err = s.beside(now); err != nil {
		return err
	}
	err = s.room.ruling.may(who, ToEnter, now)
	if err == nil || s.dialect == tutorial {
		return err
	}
	// What costs more is asked only if it matters.
	known, broken := s.core.cfg.Registry.Knows(background, room, who.Device)
	if broken != nil {
		return broken
	}
	who.Known, who.Here = known, s.room.ruling.wasHere(who.Device) || s.core.visitors.has(s.core.accountOf(ofVisitor, inRoom(who.Device, room)))
	return s.room.ruling.may(who, ToEnter, now)
}

// beside reports whether somebody was removed from the room, less than RemovalHold ago,
// who was where the session comes from.
func (s *session) beside(now time.Time) (bool, error) {
	room, source, since := s.room.name.Key, s.source.name, now.Add(-RemovalHold)
	switch {
	case s.core.removals.has(s.core.accountOf(ofRemoval, inRoom(source, room)), now):
		return true, nil
	case s.member.known || !s.room.ruling.removedAfter(since):
		return false, nil
	}
	return s.core.cfg.Registry.RemovedFrom(background, room, source, since)
}

// comesIn closes the session if its device may not come in, and reports whether it may.
func (s *session) comesIn() bool {
	err := s.mayEnter()
	switch refused := refusalOf(err); {
	case refused != nil:
		s.core.metrics.refuse("door")
		s.core.metrics.rule(refused)
		s.close(shared.CloseRemoved, refused.Reason)
	case err != nil:
		s.close(shared.CloseTryLater, "The server can't read its log right now.")
	}
	return err == nil
}

const saysNoOperator = "This is not the key of this server's operator. It may be of another server, or an earlier one."

// operates decides whether a hello has the operator's key. The code is not 0 if the
// session is to end. Wrong keys make wait as wrong passphrases do.
func (s *session) operates(hello shared.Message) (operator bool, code shared.CloseCode, reason string) {
	if hello.HostKey == "" {
		return false, 0, ""
	}
	s.source.meter.wait(s.sock.Over)
	wait := s.core.keys.InTurn(s.source.name, s.core.accountOf(ofWrong, inRoom(s.source.name, s.room.name.Key)), func() (wrong bool) {
		hash, err := s.core.cfg.Registry.HostKey(background)
		if err != nil {
			code, reason = shared.CloseTryLater, "The server can't read its log right now."
			return false
		}
		if operator = isHostKey(hash, hello.HostKey); !operator {
			code, reason = shared.CloseBadHello, saysNoOperator
		}
		return !operator
	})
	if wait {
		return false, shared.CloseTryLater, shared.ReasonTooMany
	}
	return operator, code, reason
}

// becomeHost makes the session's device a host, if it is none, and no other one has
// opened the room first. The error is not about that.
func (s *session) becomeHost(operator bool) error {
	r, device := s.room, s.member.device
	if r.ruling.may(Who{Device: device, Here: true}, ToHost, s.core.cfg.Now()) == nil {
		return nil // the log would refuse it
	}
	if !r.begin() {
		return errStopping
	}
	added := make(chan error, 1)
	s.core.cfg.Log.Append(background, r.name, Entry{
		Kind: KindNotice, ID: ulid.Make().String(), Device: device, User: r.userOf(s.member).Text, Time: s.core.cfg.Now(),
		Extra: &Extra{Act: &Act{Do: shared.DoOpen, Operator: operator}},
	}, func(_ Receipt, err error) {
		defer r.appended()
		added <- err
	})
	err := <-added
	if refusalOf(err) != nil {
		return nil //nolint:nilerr // it is one already, or is not to be one
	}
	return err
}

// welcomeRules adds to a welcome what holds in the room.
func (r *Room) welcomeRules(welcome *shared.Message, device string) {
	r.ruling.mu.Lock()
	defer r.ruling.mu.Unlock()
	rules := &r.ruling.rules
	_, welcome.Host = rules.Hosts[device]
	welcome.Settings = new(shared.OpenSettings().With(rules.Settings))
	welcome.Pinned = rules.Pinned
	if silenced := rules.Barred[device].Silenced; silenced.is() {
		welcome.Silenced = whose(silenced.By)
	}
}

// host takes what a member wants to do as a host.
func (s *session) host(m shared.Message) bool {
	err := shared.CheckID(m.ID)
	if err == nil {
		err = shared.CheckHost(m)
	}
	if err != nil {
		return s.handle(m, err)
	}
	act := &Act{Do: m.Do, Settings: m.Settings}
	// Somebody who is no host is refused anyway, or does something again that is done.
	host := s.room.ruling.may(Who{Device: s.member.device, Here: true}, ToHost, s.core.cfg.Now()) == nil
	if host && (m.User != "" || m.Whom != "") {
		began := time.Now()
		act.Device, act.About, err = s.whom(m)
		if s.source.meter.charge(time.Since(began)); err != nil {
			return s.refuse(m, shared.CodeUnavailable, "The server can't read its log right now.")
		}
	}
	return s.add(m, Entry{Kind: KindNotice, Target: m.Target, Extra: &Extra{Act: act, Of: m.Of}})
}

// removes reports whether an entry removes somebody from the room.
func removes(e Entry) bool { return e.Kind == KindNotice && e.Extras().Act.Do == shared.DoRemove }

// closes reports whether an entry closes the room's door.
func closes(e Entry) bool {
	if e.Kind != KindNotice || e.Extras().Act.Do != shared.DoSet {
		return false
	}
	set := e.Extras().Act.Settings
	return set != nil && set.Door == shared.DoorClosed
}

// noteRemoval notes from where a device came that was removed. It reports how the device
// is refused at the door: nil if it was let in again since.
func (r *Room) noteRemoval(e Entry) *Refusal {
	device := e.Extras().Act.Device
	r.ruling.mu.Lock()
	refused := refusalOf(r.ruling.rules.may(device, ToEnter))
	source := r.ruling.from[device]
	r.ruling.mu.Unlock()
	if refused != nil && source != "" {
		r.core.noteRemoval(r.name.Key, source)
	}
	return refused
}

// noteRemoval notes, at all servers, from where somebody was removed.
func (c *core) noteRemoval(room, source string) {
	account := c.accountOf(ofRemoval, inRoom(source, room))
	c.removals.note(account, c.cfg.Now())
	c.spending.add(account)
}

// expel ends the sessions of a device that was removed. They are told nothing that
// comes later.
func (r *Room) expel(e Entry) {
	refused := r.noteRemoval(e)
	if refused == nil {
		return
	}
	device := e.Extras().Act.Device
	var gone []*member
	r.mu.Lock()
	for _, m := range r.members {
		if m.device == device {
			gone = append(gone, m)
		}
	}
	r.mu.Unlock()
	for _, m := range gone {
		r.core.noteRemoval(r.name.Key, m.source.name)
		m.out.Store(refused)
		r.remove(m)
		if m.connected.Load() { // else greet finds out
			m.fail(shared.CloseRemoved, refused.Reason)
		}
	}
}

// notices returns a notices frame's payload: the newest before an offset.
func (c *core) notices(ctx context.Context, r reader, before int64, limit int) ([]byte, error) {
	entries, err := c.cfg.Log.Notices(ctx, r.room, before, Most{Entries: limit + 1})
	if err != nil {
		return nil, err
	}
	r.meter.charge(costOf(entries))
	answer := shared.Message{Type: shared.TypeNotices, More: len(entries) > limit}
	if answer.More {
		entries = entries[1:]
	}
	for _, e := range entries {
		answer.Notices = append(answer.Notices, Notice(e, shared.By(r.room, e.Device)))
	}
	return shared.Encode(answer), nil
}

// doorOf returns why a room's door is closed to strangers, nil if it is open.
func (h *Hub) doorOf(ctx context.Context, name shared.Name) *refusal {
	h.mu.Lock()
	room := h.rooms[name.Key]
	h.mu.Unlock()
	var err error
	if room != nil {
		if <-room.opened; room.err != nil {
			err = room.err
		} else {
			err = room.ruling.may(Who{}, ToEnter, h.cfg.Now())
		}
	} else {
		state, stop, broken := h.cfg.Log.Open(ctx, name, Follower{Entries: func([]Entry) {}, Begin: func(int64) {}})
		if broken != nil {
			return h.doorRefusal(broken)
		}
		stop()
		err = state.Rules.May(Who{}, ToEnter, h.cfg.Now())
	}
	return h.doorRefusal(err)
}

// doorRefusal is how a connection learns why it does not come in.
func (c *core) doorRefusal(err error) *refusal {
	switch refused := refusalOf(err); {
	case err == nil:
		return nil
	case refused != nil:
		c.metrics.rule(refused)
		return &refusal{status: http.StatusForbidden, detail: refused.Reason}
	}
	return &refusal{status: http.StatusServiceUnavailable, code: "unavailable", detail: "The server can't read its log right now."}
}
