package session

import (
	"reflect"
	"time"

	"parley/shared"
)

// The commands that the methods of Room put into the mailbox.

func (l *loop) send(item Item, answers string) {
	l.draft = ""
	l.timeline.pend(item, answers)
	l.endTask(Task{Row: answers})
}

func (l *loop) amend(a Amendment) {
	l.timeline.amend(a)
	if a.Did == DidEdit {
		l.endTask(Task{Row: a.Row, Edit: true})
	}
}

// endTask ends the task with what the person wrote it for, in one transaction with that.
func (l *loop) endTask(t Task) {
	if l.timeline.task.is(t) {
		l.setTask(Task{})
	}
}

// retry is given the id that the new message gets.
func (l *loop) retry(old, id string) {
	if r := l.timeline.discard(old); r != nil {
		item := Item{
			ID: id, User: l.config.User, Text: r.Text, Quote: r.Quote, Time: now(l.clock), Mine: true, Delivery: Pending,
		}
		if f := r.File; f != nil { // the server may have refused it under this id for good
			item.File, item.copy = f.begun(newFileID()), r.Copy
		}
		l.timeline.pend(item, "")
		l.timeline.ids[id].Answers = r.Answers
	}
}

func (l *loop) discard(id string) {
	if r := l.timeline.discard(id); r != nil {
		l.timeline.release(r)
	}
}

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

func (l *loop) setTask(t Task) {
	was := l.timeline.task
	if t.is(was) {
		t.Entry, t.Quote = was.Entry, was.Quote
	}
	l.timeline.task = t
	if l.timeline.renewAbout(); l.timeline.task != was {
		l.saveSoon()
	}
}

func (l *loop) setDraftFiles(d DraftFiles) {
	if reflect.DeepEqual(d, l.state.Files) {
		return
	}
	for _, f := range l.state.Files.Files {
		if f.Path == "" && !d.Has(f.ID) {
			l.timeline.released = append(l.timeline.released, released{copy: f.ID})
		}
	}
	l.state.Files = d
	l.saveSoon()
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
		c.expect(l.patience(checkWait))
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
