package session

import (
	"slices"
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

// DraftFiles are files that the person has chosen and not sent, and what is to go with
// them. The zero DraftFiles are none.
type DraftFiles struct {
	Files   []DraftFile `json:"files,omitempty"`
	Caption string      `json:"caption,omitempty"`
	AsItIs  bool        `json:"as_it_is,omitempty"` // pictures go as they are
}

// DraftFile is a file that was chosen. What can be read by no path has a copy in Files,
// under its ID, which goes when the file is no DraftFile any more.
type DraftFile struct {
	ID   string `json:"id"`
	Name string `json:"name"`
	Path string `json:"path,omitempty"`
	Size int64  `json:"size,omitempty"` // of the copy, in bytes; 0 while it is not whole
}

// Has reports whether there is a file of an ID.
func (d DraftFiles) Has(id string) bool {
	return slices.ContainsFunc(d.Files, func(f DraftFile) bool { return f.ID == id })
}

// without are those that stay after a file was sent, with which the caption went: all if
// it is none of them.
func (d DraftFiles) without(id string) DraftFiles {
	if !d.Has(id) {
		return d
	}
	d.Files = slices.DeleteFunc(slices.Clone(d.Files), func(f DraftFile) bool { return f.ID == id })
	if d.Caption = ""; len(d.Files) == 0 {
		return DraftFiles{}
	}
	return d
}

// DraftFiles is what SetDraftFiles said last or, after the first Reset, what the store
// has, without what SendFile has sent of it.
func (r *Room) DraftFiles() DraftFiles {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.files
}

// SetDraftFiles keeps which files are chosen; the zero DraftFiles ends that. It is saved
// as a draft is.
func (r *Room) SetDraftFiles(d DraftFiles) {
	d.Files = slices.Clone(d.Files)
	r.mu.Lock()
	defer r.mu.Unlock()
	if !r.closed {
		r.files, r.hasFiles = d, true
		r.post(func(l *loop) { l.setDraftFiles(d) })
	}
}

// loadDraftFiles takes what the store has, unless the person was faster.
func (r *Room) loadDraftFiles(d DraftFiles) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if !r.hasFiles {
		r.files, r.hasFiles = d, true
	}
}
