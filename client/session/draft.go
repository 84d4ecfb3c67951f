package session

import (
	"strings"
)

// Draft is what SetDraft said last, or what the store has. It reads the store.
func (r *Room) Draft() string {
	r.mu.Lock()
	defer r.mu.Unlock()
	if !r.hasDraft && r.config.Store != nil {
		r.draft = r.config.Store.Draft(r.config.Server, r.config.Room)
		r.hasDraft = true
	}
	return r.draft
}

// SetDraft keeps what is written and not sent. It may be called at every
// change; it is saved within half a second, and with the next message.
func (r *Room) SetDraft(text string) {
	text = strings.ToValidUTF8(text, "\ufffd")
	r.mu.Lock()
	defer r.mu.Unlock()
	if !r.closed {
		r.draft, r.hasDraft = text, true
		r.post(func(l *loop) { l.setDraft(text) })
	}
}

// Task is what SetTask said last or, after the first Reset, what the store has. Its row
// may have left the timeline.
func (r *Room) Task() Task {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.task
}

// SetTask keeps what is written for, a Row, Edit and Text; the zero Task ends that. It is
// saved as a draft is.
func (r *Room) SetTask(t Task) {
	t.Text = strings.ToValidUTF8(t.Text, "\ufffd")
	r.mu.Lock()
	defer r.mu.Unlock()
	if !r.closed && !(t.is(r.task) && t.Text == r.task.Text) {
		r.task, r.hasTask = t, true
		r.post(func(l *loop) { l.setTask(t) })
	}
}

// endTask ends the task, if it is this one in any words. It needs mu.
func (r *Room) endTask(t Task) {
	if r.task.is(t) {
		r.task, r.hasTask = Task{}, true
	}
}

func (t Task) is(other Task) bool { return t.Row == other.Row && t.Edit == other.Edit }

// loadTask takes what the store has, unless the person was faster.
func (r *Room) loadTask(t Task) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if !r.hasTask {
		r.task, r.hasTask = t, true
	}
}
