//go:build linux

package chaos

import (
	"context"
	"crypto/rand"
	"fmt"
	"net/http"
	"net/url"
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
	said   int      // messages so far
	outbox []*draft // parley.v1: said, and not yet acknowledged
	fresh  []string // acknowledged since the last check
	seen   []sight  // since the last check
	last   int64    // the offset of the newest entry that it saw
	jump   bool     // the next entry may lie further on: it joined without resuming
	epoch  string
	joins  int
}

// draft is a message on its way.
type draft struct {
	text string // also its id
	at   time.Time
	sent bool // on this connection
}

// sight is an entry as a member saw it.
type sight struct {
	offset int64
	text   string
}

func (m *member) run(ctx context.Context) {
	for ctx.Err() == nil {
		m.visit(ctx)
		select {
		case <-time.After(m.w.jitter(20, 100)):
		case <-ctx.Done():
		}
	}
}

// visit is one connection.
func (m *member) visit(ctx context.Context) {
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

// greeting is the hello, and right behind it what was not acknowledged: some of
// that the log has already.
func (m *member) greeting() []shared.Message {
	m.w.mu.Lock()
	defer m.w.mu.Unlock()
	frames := []shared.Message{{Type: shared.TypeHello, User: m.name, Device: m.device, Epoch: m.epoch, After: m.last}}
	for _, d := range m.outbox {
		frames = append(frames, m.send(d))
	}
	return frames
}

// send marks a draft as sent. The caller holds w.mu.
func (m *member) send(d *draft) shared.Message {
	d.sent, d.at = true, time.Now()
	f := shared.Message{Type: shared.TypeChat, Text: d.text}
	if m.parley {
		f.ID = d.text
	}
	return f
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
				m.said++
				m.outbox = append(m.outbox, &draft{text: fmt.Sprintf("%s-%d", m.name, m.said)})
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
			m.jump = f.Offset > 0
		}
		m.epoch = f.Epoch
		m.joins++
	case shared.TypeChat:
		m.saw(f)
		m.acknowledged(f.Text)
	case shared.TypeAck:
		m.acknowledged(f.ID)
	case shared.TypeError:
		m.w.counts.reported++
		if !m.parley {
			m.outbox = nil // reported; sending it again could double it
		}
		for _, d := range m.outbox {
			if d.text == f.ID {
				if f.Code.Final() {
					m.w.problem("%s: %q was refused as %s", m.name, f.ID, f.Code)
				}
				d.sent = false
			}
		}
	}
}

// saw notes an entry, which must be the next one of the log.
func (m *member) saw(f shared.Message) {
	m.seen = append(m.seen, sight{f.Offset, f.Text})
	m.w.counts.seen++
	switch {
	case f.Offset <= m.last:
		m.w.counts.doubled++
		m.w.problem("%s sees %d (%q) after %d", m.name, f.Offset, f.Text, m.last)
	case f.Offset != m.last+1 && !m.jump:
		m.w.counts.disordered++
		m.w.problem("%s sees %d (%q) after %d", m.name, f.Offset, f.Text, m.last)
	}
	m.last, m.jump = f.Offset, false
}

func (m *member) acknowledged(text string) {
	for i, d := range m.outbox {
		if d.text == text {
			m.outbox = append(m.outbox[:i:i], m.outbox[i+1:]...)
			m.fresh = append(m.fresh, text)
			m.w.counts.acknowledged++
			return
		}
	}
}

func newDevice() string { return rand.Text() }
