//go:build linux

package chaos

import (
	"context"
	"crypto/rand"
	"net/http"
	"net/url"
	"slices"
	"sync"
	"time"

	"github.com/coder/websocket"

	"parley/shared"
)

const (
	patience  = 4 * time.Second // with a connection that says nothing, or a message that is not answered
	window    = 8               // messages of one member that are under way
	talkEvery = 25 * time.Millisecond
)

// member is one person. It comes back whenever its connection ends, until its
// context does.
type member struct {
	w      *world
	room   string
	name   string
	parley bool // the dialect; else the tutorial's
	talks  bool
	device string

	// Guarded by w.mu.
	said   int           // messages and changes so far
	outbox []*draft      // parley.v1: said, and not yet acknowledged
	fresh  []sight       // acknowledged since the last check
	seen   []sight       // since the last check
	last   int64         // the offset of the newest entry that it saw
	jump   bool          // the next entry may lie further on: it joined without resuming
	visit  int64         // up to here it was sent messages alone
	leaps  []leap        // over entries that it was not sent
	rows   map[int64]row // parley.v1: the messages, as it has been told of them
	own    []sight       // its newest, as far as it has not deleted them
	done   []*draft      // parley.v1: its newest that were acknowledged
	epoch  string
	joins  int
}

func (m *member) run(ctx context.Context) {
	for ctx.Err() == nil {
		m.connect(ctx)
		select {
		case <-time.After(m.w.jitter(20, 100)):
		case <-ctx.Done():
		}
	}
}

// connect is one connection.
func (m *member) connect(ctx context.Context) {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	path, opt := "/ws/chat/"+url.PathEscape(m.room), &websocket.DialOptions{HTTPClient: &http.Client{Transport: &http.Transport{DisableKeepAlives: true}}}
	if m.parley {
		opt.Subprotocols = []string{shared.Protocol}
	} else {
		path += "/" + url.PathEscape(m.name) + "?echo=1"
	}
	dialing, dialed := context.WithTimeout(ctx, patience)
	defer dialed()
	c, _, err := websocket.Dial(dialing, "ws://"+m.w.proxy.listener.Addr().String()+path, opt)
	if err != nil {
		return
	}
	defer c.CloseNow()
	c.SetReadLimit(shared.ReadLimit)
	joined := make(chan struct{})
	if m.parley {
		for _, f := range m.greeting() {
			if m.write(ctx, c, f) != nil {
				return
			}
		}
	} else {
		m.w.update(func() {
			m.joins++
			m.jump = true
			m.outbox = nil // nobody knows of it, and sending it again could double it
		})
		close(joined)
	}
	var talking sync.WaitGroup
	defer talking.Wait()
	defer cancel()
	talking.Go(func() {
		defer c.CloseNow()
		defer cancel()
		select {
		case <-joined:
			m.talk(ctx, c)
		case <-ctx.Done():
		}
	})
	for {
		reading, read := context.WithTimeout(ctx, patience)
		_, data, err := c.Read(reading)
		read()
		if err != nil {
			return
		}
		f, err := shared.Decode(data)
		if err != nil {
			m.w.t.Errorf("%s was sent %q: %v", m.name, data, err)
			return
		}
		if f.Type == shared.TypeWelcome {
			close(joined)
		}
		m.w.update(func() { m.take(f) })
	}
}

func (m *member) write(ctx context.Context, c *websocket.Conn, f shared.Message) error {
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	return c.Write(ctx, websocket.MessageText, shared.Encode(f))
}

// greeting is the hello, and right behind it, what was acknowledged a moment ago, as if
// the member had not heard of it, and what was not: some of that the log has already.
func (m *member) greeting() []shared.Message {
	m.w.mu.Lock()
	defer m.w.mu.Unlock()
	frames := []shared.Message{{Type: shared.TypeHello, User: m.name, Device: m.device, Epoch: m.epoch, After: m.last}}
	for _, d := range slices.Concat(m.done, m.outbox) {
		frames = append(frames, m.send(d))
	}
	return frames
}

// send marks a draft as sent. The caller holds w.mu.
func (m *member) send(d *draft) shared.Message {
	d.sent, d.at = true, time.Now()
	return d.frame(m.parley)
}

// talk sends what is new and what has to be sent again, until the connection
// ends or does not answer.
func (m *member) talk(ctx context.Context, c *websocket.Conn) {
	for {
		select {
		case <-ctx.Done():
			return
		case <-time.After(m.w.jitter(0, 2*int(talkEvery/time.Millisecond))):
		}
		var out []shared.Message
		silent := false
		m.w.update(func() {
			if m.talks && !m.w.quiet && len(m.outbox) < m.window() {
				m.outbox = append(m.outbox, m.next())
			}
			for _, d := range m.outbox {
				if !d.sent {
					out = append(out, m.send(d))
				}
				silent = silent || time.Since(d.at) > patience
			}
		})
		if silent {
			return
		}
		for _, f := range out {
			if m.write(ctx, c, f) != nil {
				return
			}
		}
	}
}

// window is how many messages may be under way. In the tutorial's dialect an
// error does not say which message it is about, so there is one.
func (m *member) window() int {
	if m.parley {
		return window
	}
	return 1
}

// take applies a frame. The caller holds w.mu.
func (m *member) take(f shared.Message) {
	switch f.Type {
	case shared.TypeWelcome:
		switch {
		case m.epoch != "" && f.Epoch != m.epoch:
			m.w.problem("%s finds the epoch %s in the place of %s", m.name, f.Epoch, m.epoch)
		case m.epoch != "" && !f.Resumed:
			m.w.problem("%s could not resume after %d: the head is %d", m.name, m.last, f.Offset)
		}
		if m.epoch == "" {
			m.jump, m.visit = f.Offset > 0, f.Offset
		}
		m.epoch = f.Epoch
		m.joins++
	case shared.TypeChat, shared.TypeDelete, shared.TypeReact:
		s := m.w.sightOf(m.room, f)
		m.saw(s)
		m.apply(f)
		m.acknowledged(s)
		if f.Type == shared.TypeChat && f.Edits == 0 && !f.Deleted {
			m.w.heard[m.room] = keep(m.w.heard[m.room], s)
		}
	case shared.TypeAck:
		s := sight{f.Offset, f.ID, f.ID}
		m.w.note(m.room, s)
		m.acknowledged(s)
	case shared.TypeError:
		m.w.counts.reported++
		if !m.parley {
			m.outbox = nil // reported; sending it again could double it
		}
		m.refused(f)
	}
}

// saw notes an entry, which must come after the one before.
func (m *member) saw(s sight) {
	m.seen = append(m.seen, s)
	m.w.counts.seen++
	m.w.note(m.room, s)
	switch before := max(m.last, m.visit); {
	case s.offset <= m.last:
		m.w.counts.doubled++
		m.w.problem("%s sees %d (%q) after %d", m.name, s.offset, s.name, m.last)
	case s.offset > before+1 && !m.jump:
		m.leaps = append(m.leaps, leap{before, s.offset})
	}
	m.last, m.jump = s.offset, false
}

func (m *member) acknowledged(s sight) {
	for i, d := range m.outbox {
		if d.name == s.name {
			m.outbox = append(m.outbox[:i:i], m.outbox[i+1:]...)
			m.fresh = append(m.fresh, s)
			m.w.counts.acknowledged++
			if m.parley {
				m.done = append(m.done[max(0, len(m.done)-window+1):len(m.done):len(m.done)], d)
			}
			if m.parley && d.kind == says {
				m.own = keep(m.own, s)
			}
			return
		}
	}
}

// refused takes the answer to a draft that the log has not taken.
func (m *member) refused(f shared.Message) {
	for i, d := range m.outbox {
		if d.name != f.ID {
			continue
		}
		d.sent = false
		switch {
		case f.Code == shared.CodeNotFound && (d.kind == edits || d.kind == reacts) && m.w.deleted[m.room][d.target.name]:
			d.gone = true
			m.outbox = append(m.outbox[:i:i], m.outbox[i+1:]...)
		case f.Code.Final():
			m.w.problem("%s: %q was refused as %s", m.name, f.ID, f.Code)
		}
		return
	}
}

func newDevice() string { return rand.Text() }
