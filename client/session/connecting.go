package session

import (
	"context"
	"time"

	"parley/shared"
)

// connect begins a connection.
func (l *loop) connect() {
	l.setStatus(Status{State: Connecting, Generation: l.status.Generation + 1, Cause: l.status.Cause, Detail: l.status.Detail})
	ctx, cancel := context.WithCancel(context.Background())
	c := &connection{
		generation: l.status.Generation,
		dial:       l.config.Dial,
		clock:      l.clock,
		server:     l.config.Server,
		pins:       l.config.Pins,
		room:       l.config.Room,
		reports:    l.reports,
		begun:      l.clock.Now(),
		ctx:        ctx,
		cancel:     cancel,
		hello: shared.Message{
			Type: shared.TypeHello, User: l.config.User, Device: l.config.Device, Key: l.config.Key,
			Hidden: l.config.Hidden && l.config.Key != "", Host: l.config.Host, HostKey: l.config.HostKey,
			Epoch: l.timeline.position.Epoch, After: l.timeline.position.Offset,
			Can: []string{shared.CanBy, shared.CanPing, shared.CanChange, shared.CanSearch, shared.CanFiles, shared.CanHost},
		},
		out:      make(chan []byte, 64),
		checks:   make(chan struct{}, 1),
		bye:      make(chan struct{}),
		released: make(chan struct{}),
	}
	l.connection = c
	l.connections.Go(func() { c.deliver(report{connection: c, end: c.run()}) })
}

func (l *loop) setStatus(s Status) {
	s.Locked = l.config.Key != ""
	s.CanChange, s.CanSearch, s.MaxFile = l.state.CanChange, l.state.CanSearch, l.state.MaxFile
	l.status = s
	l.timeline.change(Change{Kind: StatusChanged, Status: s})
}

// drop cuts the connection.
func (l *loop) drop(p *Problem) {
	l.connection.cut()
	l.ended(p)
}

// ended goes on without the connection.
func (l *loop) ended(p *Problem) {
	welcomed := l.connection.welcomed
	l.forget()
	if !welcomed.IsZero() && l.clock.Now().Sub(welcomed) >= steadyAfter {
		l.tries = 0
	}
	if p.Cause == CauseFlooding {
		l.tries = max(l.tries, 4)
	}
	if p.Cause == CauseWrongKey && l.config.Key == "" {
		p.Cause = CauseNeedsKey
	}
	if p.Cause == CauseWrongKey || p.Cause == CauseOpenRoom {
		l.config.Key = ""
		l.state.Key = ""
		l.room.setKey("")
	}
	if p.Cause == CauseBadHello && l.config.HostKey != "" {
		p.Cause = CauseHostKey
		l.config.HostKey = ""
	}
	status := Status{State: Closed, Generation: l.status.Generation, Cause: p.Cause, Detail: p.Detail}
	final := p.Cause.Final()
	if p.Cause == CauseBadHello { // once may be a hello that was cut off on its way
		final = l.badHello
		l.badHello = true
	}
	if !final {
		status.State = Disconnected
		wait := l.config.Backoff(l.tries)
		if p.Cause == CauseServerRestart {
			wait += spread(p.Detail)
		}
		status.RetryAt = l.clock.Now().Add(wait)
		l.tries++
	}
	l.setStatus(status)
}

// forget lets go of the connection and of what belongs to it.
func (l *loop) forget() {
	close(l.connection.released)
	l.connection = nil
	l.frames = nil
	l.endUploads()
	l.questions.asked = nil
	l.questions.notBefore = time.Time{}
	l.crowd.silence()
}

// hangUp ends the connection in good order, if there is one.
func (l *loop) hangUp() {
	if l.connection != nil {
		l.connection.hangUp()
		l.forget()
	}
}
