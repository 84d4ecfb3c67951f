package session

import (
	"cmp"
	"slices"
	"time"

	"parley/shared"
)

// skip passes over a frame that this version can't read. If it answers a question,
// the question gets an error.
func (l *loop) skip(t shared.Type) {
	l.room.skip(1)
	switch t {
	case shared.TypeHistory, shared.TypeSearch, shared.TypeReactions, shared.TypeNotices, shared.TypeRoles:
		l.unreadable()
	}
}

// frame takes a frame of the present connection.
func (l *loop) frame(m shared.Message) {
	c, now := l.connection, l.clock.Now()
	if m.Type == shared.TypeWelcome && c.welcomed.IsZero() {
		c.welcomed = now
		l.welcome(m)
		return
	}
	if c.welcomed.IsZero() {
		return
	}
	switch m.Type {
	case shared.TypeChat:
		if m.Edits > 0 {
			l.amended(m)
			break
		}
		if l.timeline.live(m) && !l.timeline.isMine(m) {
			l.state.Unread++
		}
		l.spoke(m.ID, now)
		l.outbox.answered(m.ID)
		l.crowd.stopped(m.User)
	case shared.TypeDelete, shared.TypeReact:
		l.amended(m)
	case shared.TypeAck:
		l.spoke(m.ID, now)
		l.timeline.acknowledged(m.ID, m.Offset)
		l.outbox.answered(m.ID)
	case shared.TypeUpload:
		l.mayUpload(m)
	case shared.TypeError:
		l.refused(m, now)
	case shared.TypePresence:
		l.crowd.presence(m)
	case shared.TypeTyping:
		if m.User != l.timeline.me {
			l.crowd.typing(m.User, now)
		}
	case shared.TypeHistory, shared.TypeSearch, shared.TypeReactions, shared.TypeNotices, shared.TypeRoles:
		l.room.skip(m.Skipped)
		l.answer(m)
	case shared.TypeNotice:
		switch {
		case m.Did != shared.DidRename && m.Offset > 0:
			l.timeline.noticed(m)
			if m.Settings != nil && m.Settings.Slow != nil { // the server says how long from now on
				l.outbox.slowed = time.Time{}
			}
			if l.timeline.isMine(m) {
				l.outbox.answered(m.ID)
			}
		case m.Did == shared.DidRename && m.By != l.timeline.by:
			l.crowd.stopped(m.User)
			l.timeline.change(Change{Kind: Renamed, By: m.By, From: m.User, To: m.About})
		}
	}
}

// spoke notes that a message that was on its way is in the log: in slow mode the next one
// has to wait.
func (l *loop) spoke(id string, now time.Time) {
	if pause := l.timeline.rules.slow(); pause > 0 && id == l.outbox.onWay && l.timeline.amendment(id) == nil {
		l.outbox.slowDown(now, pause)
	}
}

// amended takes an entry that changes others.
func (l *loop) amended(m shared.Message) {
	l.timeline.amended(m)
	if l.timeline.isMine(m) {
		l.outbox.answered(m.ID)
	}
	if m.Type == shared.TypeChat {
		l.crowd.stopped(m.User)
	}
}

func (l *loop) welcome(m shared.Message) {
	l.badHello = false
	l.state.CanChange = slices.Contains(m.Can, shared.CanChange)
	l.state.CanSearch = slices.Contains(m.Can, shared.CanSearch)
	l.connection.answers = slices.Contains(m.Can, shared.CanPing)
	l.state.MaxFile = 0
	if slices.Contains(m.Can, shared.CanFiles) {
		l.state.MaxFile = m.Limits.File
	}
	l.room.limitFile(l.state.MaxFile)
	l.setStatus(Status{State: Connected, Generation: l.status.Generation})
	l.outbox.welcome(m.Limits)
	l.crowd.welcome(m)
	l.timeline.welcome(m)
	l.welcomeHost(m)
	if !l.state.CanChange { // it would take an edit for a message
		for _, a := range slices.Clone(l.timeline.amendments) {
			l.timeline.undo(a, shared.CodeUnknownType, "")
		}
	}
	if l.state.MaxFile == 0 { // it would take the caption for a message
		for _, r := range slices.Clone(l.timeline.rows[l.timeline.fixed:]) {
			if r.Content.File != nil {
				l.timeline.fail(r.ID, shared.CodeUnknownType, "")
			}
		}
	}
	l.entered = true
	l.state.Name = cmp.Or(m.Room, l.config.Room)
	l.state.Key = l.config.Key
	l.room.setKey(l.config.Key)
	l.room.limitText(m.Limits.Message)
}

func (l *loop) refused(m shared.Message, now time.Time) {
	switch {
	case m.ID == "":
		l.unanswered(m)
	case l.uploads.asks(m.ID):
		l.mayNotUpload(m)
	case m.Code.Final() && l.timeline.fileInDoubt(m.ID): // the file is asked about again
		l.outbox.answered(m.ID)
	case m.Code.Final():
		if a := l.timeline.amendment(m.ID); a != nil {
			l.timeline.undo(a, m.Code, m.Text)
		} else {
			l.timeline.fail(m.ID, m.Code, m.Text)
		}
		l.outbox.answered(m.ID)
	case m.Code == shared.CodeRateLimited && l.timeline.rules.slow() > 0 && l.timeline.amendment(m.ID) == nil:
		l.outbox.slowDown(now, time.Duration(m.RetryMS)*time.Millisecond)
		l.outbox.refused(m.ID, now, 0)
	case m.Code == shared.CodeRateLimited:
		l.outbox.refused(m.ID, now, time.Duration(m.RetryMS)*time.Millisecond)
	default:
		l.outbox.refused(m.ID, now, l.config.Backoff(l.outbox.refusals))
	}
}
