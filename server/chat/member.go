package chat

import (
	"errors"
	"os"
	"sync"
	"sync/atomic"
	"time"

	"parley/server/chat/wire"
	"parley/shared"
)

// member is a session's place in a room: what it has been sent, and what is
// still to be sent. What goes out, in this order: the rest of a frame that was
// begun, the member's own queue, the room's tail from the member's cursor on.
//
// Writing never blocks the caller of flush. If the socket takes no more, or
// the tail no longer has what comes next, a goroutine of the member's own takes
// over until it has caught up.
type member struct {
	// Set when it joins.
	room     *Room
	dialect  dialect
	device   string // as the log knows it
	unlocked bool   // it has the room's passphrase
	skip     string // the device whose entries this member does not get
	sock     *wire.Sock
	source   *source
	account  *account                       // the session's
	fail     func(shared.CloseCode, string) // closes the session

	known  bool    // it has been in the room before, under this name; set before it is added
	person *person // guarded by room.mu
	gaveUp bool    // its place is somebody else's; likewise

	connected atomic.Bool             // the upgrade is answered, so that it can be closed
	out       atomic.Pointer[Refusal] // why it was removed from the room: what comes after that is not for it

	dirty atomic.Bool // there may be something to write

	queueMu sync.Mutex
	queue   [][]byte // finished frames for this member alone; held
	queued  int      // bytes in queue

	// Guarded by sock.Mu.
	tail   *wire.Tail
	cursor uint64
	sent   int64 // the newest entry that was handed to the socket whole
	behind bool  // the log comes before the tail
	visit  int   // how many messages up to sent come before that
	busy   bool  // only a goroutine of its own writes; so also before start
	rest   int   // bytes that are held for sock.Rest
}

// maxQueued bounds a member's own queue in bytes. Only answers to its own
// frames go there, so a member with more waiting does not read them.
const maxQueued = 2 * shared.MaxServerFrame

// start lets the member be written to: first, what it is greeted with; then the
// entries after the offset from, which is not beyond the head that it joined at.
func (m *member) start(from int64, greeting ...[]byte) {
	for _, f := range greeting {
		m.enqueue(f)
	}
	m.sock.Mu.Lock()
	m.behind = from < m.sent || m.visit > 0
	m.sent = from
	m.busy = false
	m.sock.Mu.Unlock()
	m.flush()
}

// send queues a frame for this member alone.
func (m *member) send(f []byte) { m.writeQueued(m.enqueue(f)) }

// writeQueued writes a frame that was put into the queue; if it was not taken, the
// member is closed.
func (m *member) writeQueued(taken bool) {
	if !taken {
		m.fail(shared.CloseSlowConsumer, "The answers to your requests were not read.")
		return
	}
	m.flush()
}

// anyChange lets an answer be older than a change.
const anyChange = -1

// sendAsOf sends an answer that was read when the newest change was asOf. It reports
// false, and sends nothing, if there is a newer one: a client that got the change first,
// without having the message, and then the message as it was before, would never know.
func (m *member) sendAsOf(asOf int64, f []byte) bool {
	m.room.mu.Lock()
	if asOf != anyChange && m.room.changed != asOf {
		m.room.mu.Unlock()
		return false
	}
	taken := m.enqueue(f) // with the lock held, so that the next change comes behind it
	m.room.mu.Unlock()
	m.writeQueued(taken)
	return true
}

// enqueue reports whether the queue had space for a frame.
func (m *member) enqueue(f []byte) bool {
	m.queueMu.Lock()
	defer m.queueMu.Unlock()
	if m.queued+len(f) > maxQueued {
		return false
	}
	m.queue = append(m.queue, f)
	m.queued += len(f)
	m.account.hold(len(f))
	return true
}

// forget gives back what is held for the member, whose connection has ended.
func (m *member) forget() {
	m.sock.Mu.Lock()
	defer m.sock.Mu.Unlock()
	m.setRest(nil)
	m.queueMu.Lock()
	defer m.queueMu.Unlock()
	m.account.hold(-m.queued)
	m.queue, m.queued = nil, maxQueued // nothing more goes in
}

// setRest sets what is left of a frame that was begun. The caller holds sock.Mu.
func (m *member) setRest(p []byte) {
	m.account.hold(len(p) - m.rest)
	m.sock.Rest, m.rest = p, len(p)
}

// waiting reports whether the member's own queue has something in it.
func (m *member) waiting() bool {
	m.queueMu.Lock()
	defer m.queueMu.Unlock()
	return len(m.queue) > 0
}

func (m *member) nextQueued() []byte {
	m.queueMu.Lock()
	defer m.queueMu.Unlock()
	if len(m.queue) == 0 {
		m.queue = nil
		return nil
	}
	f := m.queue[0]
	m.queue = m.queue[1:]
	m.queued -= len(f)
	m.account.hold(-len(f))
	return f
}

// flush writes what the socket takes at once and returns the number of tail
// frames that went out. It is safe to call from anywhere, with no lock of the
// room's held or with room.mu.
func (m *member) flush() (delivered int) {
	m.dirty.Store(true)
	// Whoever holds the lock looks at dirty after letting it go.
	for m.dirty.Load() && m.sock.Mu.TryLock() {
		m.dirty.Store(false)
		if !m.busy {
			n, more, err := m.writeNow()
			delivered += n
			if more {
				m.busy = true
				m.room.core.work.Go(m.catchUp)
			}
			if err != nil {
				m.sock.Close() // reading fails too, and ends the session
			}
		}
		m.sock.Mu.Unlock()
	}
	return delivered
}

// writeNow writes without blocking. More means that something is left which a
// goroutine must see to. The caller holds sock.Mu.
func (m *member) writeNow() (delivered int, more bool, err error) {
	s := m.sock
	v := m.tail.View() // before the queue, whose answers may not come behind newer changes
	if s.Closed() || m.out.Load() != nil {
		return 0, false, nil //nolint:nilerr // why it is out, its close frame says
	}
	if m.behind {
		return 0, true, nil
	}
	if !s.Direct() {
		return 0, m.pending(), nil
	}
	for {
		if len(s.Rest) == 0 {
			m.setRest(m.nextQueued())
		}
		if len(s.Rest) == 0 {
			break
		}
		n, err := s.TryWrite(s.Rest)
		if s.Rest = s.Rest[n:]; err != nil || len(s.Rest) > 0 {
			return 0, err == nil, err
		}
	}
	for {
		if !v.Holds(m.cursor) {
			m.behind = true
			return delivered, true, nil
		}
		p, end, frames := v.Next(m.cursor, m.skip)
		if end == nil {
			return delivered, false, nil
		}
		n := 0
		if len(p) > 0 {
			if n, err = s.TryWrite(p); err != nil {
				return delivered, false, err
			}
		}
		full := n < len(p)
		if full {
			if n == 0 {
				return delivered, true, nil
			}
			// The tail may move on before the socket takes more, so what is left of
			// the begun frame is kept aside.
			end, frames = v.FrameEnd(m.cursor, m.cursor+uint64(n)-1)
			m.setRest(append([]byte(nil), p[n:end.End-m.cursor]...))
		}
		m.cursor, m.sent = end.End, end.Offset
		delivered += frames
		if full {
			return delivered, true, nil
		}
	}
}

// pending reports whether something is left to write. The caller holds sock.Mu.
func (m *member) pending() bool {
	return len(m.sock.Rest) > 0 || m.waiting() || m.cursor < m.tail.View().End()
}

// catchUp writes, blocking, until this member has everything.
func (m *member) catchUp() {
	for {
		m.sock.Mu.Lock()
		n, more, err := m.catchUpLocked()
		m.busy = more || err != nil // after an error nobody writes any more
		m.sock.Mu.Unlock()
		m.room.core.metrics.deliveries.Add(float64(n))
		switch {
		case errors.Is(err, errTooFarBehind):
			m.fail(shared.CloseSlowConsumer, "You fell too far behind.")
			return
		case errors.Is(err, ErrUnavailable):
			m.fail(shared.CloseTryLater, "The server can't read its log right now.")
			return
		case errors.Is(err, os.ErrDeadlineExceeded):
			m.fail(shared.CloseSlowConsumer, "Your connection took nothing for too long.")
			return
		case err != nil:
			m.sock.Close() // the peer is gone; reading fails too, and ends the session
			return
		case !more:
			m.flush() // what came meanwhile
			return
		}
	}
}

var errTooFarBehind = errors.New("too far behind")

func (m *member) catchUpLocked() (delivered int, more bool, err error) {
	s := m.sock
	head, v := m.room.position(m.tail) // before the queue, as in writeNow
	if s.Closed() || m.out.Load() != nil {
		return 0, false, nil //nolint:nilerr // why it is out, its close frame says
	}
	for {
		if len(s.Rest) == 0 {
			m.setRest(m.nextQueued())
		}
		if len(s.Rest) == 0 {
			break
		}
		if err := m.writeAll(s.Rest); err != nil {
			return 0, false, err
		}
		s.Rest = nil
	}
	if m.behind {
		return m.replay(head, v)
	}
	if s.Direct() {
		return m.writeNow()
	}
	if !v.Holds(m.cursor) {
		m.behind = true
		return 0, true, nil
	}
	p, end, frames := v.Next(m.cursor, m.skip)
	if end == nil {
		return 0, false, nil
	}
	if err := m.writeAll(p); err != nil {
		return 0, false, err
	}
	m.cursor, m.sent = end.End, end.Offset
	return frames, true, nil
}

// writeAll writes p, blocking. An error ends the session.
func (m *member) writeAll(p []byte) error {
	m.source.meter.charge(time.Duration(len(p)) * costWritten)
	return m.sock.WriteAll(p, m.room.core.cfg.StallLimit)
}

// replay writes what lies between sent and the tail's head, or goes over to the
// tail. The switch has one point: head and tail were taken together. The tail
// itself mostly has what a member missed; else it is read from the log, a batch
// at a time.
func (m *member) replay(head int64, v *wire.View) (delivered int, more bool, err error) {
	if m.visit > 0 {
		return m.replayVisit()
	}
	if m.sent < head && (head-m.sent > int64(m.room.core.cfg.ResumeLimit) || m.missed()) {
		return 0, false, errTooFarBehind
	}
	if runs, n, ok := v.Since(m.sent, m.cursor, m.skip); ok || m.sent >= head {
		for _, p := range runs {
			if err := m.writeAll(p); err != nil {
				return 0, false, err
			}
		}
		m.sent, m.behind, m.cursor = head, false, v.End()
		return n, true, nil
	}
	m.account.hold(replayHeld)
	defer m.account.hold(-replayHeld)
	entries, err := m.room.core.cfg.Log.Read(background, m.room.name.Key, m.sent, head, Most{Entries: replayEntries, Bytes: replayRead})
	if err != nil {
		return 0, false, err
	}
	if m.missed() {
		return 0, false, errTooFarBehind
	}
	if len(entries) == 0 {
		m.sent = head
		return 0, true, nil
	}
	delivered, err = m.writeEntries(entries, m.room.core.message)
	m.sent = entries[len(entries)-1].Offset
	return delivered, true, err
}

// replayVisit writes the newest messages up to sent, as they are now.
func (m *member) replayVisit() (delivered int, more bool, err error) {
	entries, err := m.room.core.cfg.Log.History(background, m.room.name.Key, m.sent+1, Most{Entries: m.visit, Bytes: shared.MaxServerFrame})
	if err != nil {
		return 0, false, err
	}
	held := replayHeld
	for _, e := range entries {
		held += len(e.Text)
	}
	m.account.hold(held)
	defer m.account.hold(-held)
	m.visit = 0
	delivered, err = m.writeEntries(entries, func(e Entry, by string) shared.Message { return m.room.core.present(e, by, m.device) })
	return delivered, true, err
}

// writeEntries writes entries from the log, blocking, in pieces.
func (m *member) writeEntries(entries []Entry, frame func(e Entry, by string) shared.Message) (delivered int, err error) {
	m.source.meter.charge(costOf(entries))
	var p, scratch []byte
	for i, e := range entries {
		if m.dialect.understood(e) && (e.Device != m.skip || m.skip == "") {
			p, scratch = appendFrame(p, scratch, frame(e, shared.By(m.room.name.Key, e.Device)))
			delivered++
		}
		if len(p) >= replayPiece || i == len(entries)-1 {
			if err := m.writeAll(p); err != nil {
				return 0, err
			}
			p = p[:0]
		}
	}
	return delivered, nil
}

// A replay reads a limited number of entries and bytes at a time, and encodes and
// writes them in pieces. A text has up to 16 KB and its frame up to 26 KB, so a member
// never has more than replayHeld in hand.
const (
	replayEntries = 256
	replayRead    = 32 << 10
	replayPiece   = 16 << 10
	replayHeld    = 160 << 10
)

// missed reports whether the log has deleted what the member was still to get:
// it has to come back, and learn that something is missing.
func (m *member) missed() bool { return m.sent+1 < m.room.first.Load() }

// position returns the tail's head and what it shows, together.
func (r *Room) position(t *wire.Tail) (head int64, v *wire.View) {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.head, t.View()
}
