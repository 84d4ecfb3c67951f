package session

import (
	"time"

	"parley/shared"
)

// The commands that the methods of Room put into the mailbox.

func (l *loop) send(item Item) {
	l.draft = ""
	l.timeline.pend(item)
}

// retry is given the id that the new message gets.
func (l *loop) retry(old, id string) {
	if r := l.timeline.discard(old); r != nil {
		l.timeline.pend(Item{ID: id, User: l.config.User, Text: r.Text, Time: now(l.clock), Mine: true, Delivery: Pending})
	}
}

func (l *loop) discard(id string) { l.timeline.discard(id) }

func (l *loop) typing() {
	now := l.clock.Now()
	if l.status.State == Connected && now.Sub(l.typed) >= typingEvery {
		l.typed = now
		l.write(shared.Message{Type: shared.TypeTyping})
	}
}

func (l *loop) markRead() {
	if l.state.Unread > 0 {
		l.state.Unread = 0
		l.saveSoon()
	}
}

func (l *loop) setDraft(text string) {
	if text != l.draft {
		l.draft = text
		l.saveSoon()
	}
}

func (l *loop) show(on bool, at time.Time) {
	l.state.Shown = on
	if on {
		l.state.Used = at
	}
	l.saveSoon()
}

func (l *loop) setPlace(p Place) {
	if p != l.state.Place {
		l.state.Place = p
		l.saveWithin(placeWait)
	}
}

func (l *loop) saveNow() {
	if !l.saveBy.IsZero() {
		l.saveBy = l.clock.Now()
	}
}

func (l *loop) reconnect() {
	c, now := l.connection, l.clock.Now()
	switch {
	case l.paused:
	case c == nil:
		l.tries = 0
		l.connect()
	case !c.welcomed.IsZero():
		c.expect(checkWait)
		select {
		case c.checks <- struct{}{}:
		default: // one is on its way
		}
	case now.Sub(c.begun) >= redialAfter:
		l.tries = 0
		c.cut()
		l.forget()
		l.connect()
	}
}

func (l *loop) rename(user string) {
	l.config.User = user
	l.redial()
}

// redial goes on with what the person has changed, on a new connection.
func (l *loop) redial() {
	if !l.paused {
		l.tries = 0
		l.hangUp()
		l.connect()
	}
}

func (l *loop) unlock(key string) {
	l.config.Key = key
	l.redial()
}

func (l *loop) pause() {
	if !l.paused {
		l.paused = true
		l.hangUp()
		l.setStatus(Status{State: Disconnected, Generation: l.status.Generation, Cause: CausePaused})
	}
}

func (l *loop) resume() {
	if l.paused {
		l.paused = false
		l.tries = 0
		l.connect()
	}
}

func (l *loop) close() {
	l.closing = true
	l.hangUp()
}

// history is what was asked for and what waits to be.
type history struct {
	older     bool      // the person wants older history
	gap       string    // the gap that the person wants filled
	asked     *question // on its way
	notBefore time.Time // nothing is asked before; zero when it may be
}

type question struct {
	gap    string // "" asks for older history
	before int64
}

func (l *loop) loadOlder() {
	if l.timeline.more() {
		l.history.older = true
	}
}

func (l *loop) loadGap(id string) {
	if l.history.gap == "" {
		l.history.gap = id
	}
}

// ask sends the next question for history; one is on its way at a time.
func (l *loop) ask(now time.Time) {
	h := &l.history
	if h.asked != nil || now.Before(h.notBefore) {
		return
	}
	h.notBefore = time.Time{}
	limit := olderLimit
	if h.gap != "" {
		if gap, before, ok := l.timeline.gapAt(h.gap); ok {
			h.asked, limit = &question{gap.ID, before}, gapLimit
		} else {
			l.timeline.unfilled(h.gap, nil)
			h.gap = ""
		}
	}
	if h.asked == nil && h.older {
		if before, ok := l.timeline.beforeOldest(); ok {
			h.asked = &question{"", before}
		} else {
			l.timeline.noOlder(nil)
			h.older = false
		}
	}
	if h.asked != nil {
		l.write(shared.Message{Type: shared.TypeHistory, Before: h.asked.before, Limit: limit})
	}
}

// answer takes the answer to the question that is on its way.
func (l *loop) answer(m shared.Message) {
	h := &l.history
	q := h.asked
	h.asked = nil
	switch {
	case q == nil:
	case m.More && m.After == 0 && len(m.Messages) == 0: // there is more, but it does not say where
		h.asked = q
		l.unreadable()
	case q.gap != "":
		if l.timeline.fill(q.gap, q.before, m) {
			h.gap = ""
		}
	case l.timeline.older(q.before, m):
		h.older = false
	}
}

// unanswered takes an error that names no message: the question is asked again
// later, or given up.
func (l *loop) unanswered(m shared.Message, now time.Time) {
	h := &l.history
	q := h.asked
	h.asked = nil
	switch {
	case q == nil:
	case !m.Code.Final():
		pause := max(time.Second, time.Duration(m.RetryMS)*time.Millisecond)
		h.notBefore = now.Add(min(pause, longestPause))
	default:
		l.giveUp(q, nil)
	}
}

// unreadable handles an answer that this version can't read. The server would
// answer the same again, so the question has to wait.
func (l *loop) unreadable() {
	h := &l.history
	q := h.asked
	h.asked = nil
	if q != nil {
		l.giveUp(q, ErrUnreadable)
		h.notBefore = l.clock.Now().Add(unreadableWait)
	}
}

// giveUp settles a question that has no answer.
func (l *loop) giveUp(q *question, err error) {
	if q.gap != "" {
		l.timeline.unfilled(q.gap, err)
		l.history.gap = ""
		return
	}
	l.timeline.noOlder(err)
	l.history.older = false
}
