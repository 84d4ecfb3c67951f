package session

import (
	"slices"
	"unicode/utf8"

	"parley/shared"
)

// Amendment is what the person did to a message. It waits, in the store too, until
// the room has echoed it or the server has refused it, and meanwhile shows in the
// message's row.
type Amendment struct {
	ID     string `json:"id"` // which the server knows it by
	Did    Did    `json:"did"`
	Row    string `json:"row"`              // Item.ID of the message
	Of     string `json:"of"`               // the message's id in the log
	Target int64  `json:"target,omitempty"` // its offset there; 0 while it is pending
	Text   string `json:"text,omitempty"`   // of an edit
	Emoji  string `json:"emoji,omitempty"`  // of a reaction; "" takes it back
	About  string `json:"about,omitempty"`  // the beginning of the message, for when its row has left the timeline

	// Of an Act.

	Do       string           `json:"do,omitempty"`
	User     string           `json:"user,omitempty"`
	Whom     string           `json:"whom,omitempty"`
	Settings *shared.Settings `json:"settings,omitempty"`

	After string `json:"after,omitempty"` // the row of the outbox that goes out before it; "" if none has to
	Out   bool   `json:"out,omitempty"`   // it has gone out, so the server may have it
	Kept  int64  `json:"-"`               // the offset that it was acknowledged under while its entry is yet to come
}

// amend adds an amendment to what waits. Whatever the server can't have got yet is
// changed itself: a message that has not gone out, one that was refused, and earlier
// amendments. An edit that can't be is handed back.
func (t *timeline) amend(a Amendment) {
	if a.Did == DidHost {
		t.act(a)
		return
	}
	r := t.ids[a.Row]
	refuse := func(code shared.ErrorCode) {
		if a.Did == DidEdit {
			t.change(Change{Kind: Undone, Undo: a.undo(code, "")})
		}
	}
	switch {
	case !t.canChange && (r == nil || !r.Held):
		refuse(shared.CodeUnknownType)
		return
	case r == nil && a.Did == DidEdit && t.task.is(Task{Row: a.Row, Edit: true}) && t.task.Quote.Offset > 0:
		t.amendElsewhere(a)
		return
	case r == nil || r.Kind != KindMessage || r.Deleted || r.Delivery == Failed && a.Did == DidReact:
		refuse(shared.CodeNotFound)
		return
	case !r.Mine && a.Did != DidReact && !(a.Did == DidDelete && t.rules.Host):
		refuse(shared.CodeNotAllowed)
		return
	case (r.Held || r.Delivery == Failed) && a.Did != DidReact:
		t.rewrite(r, a)
		return
	}
	t.replaceAmendments(a)
	t.draw(r)
	if !(a.Did == DidReact && r.Reacted == a.Emoji || a.Did == DidEdit && r.Text == a.Text) {
		a.Of = r.Entry
		if r.Delivery == Sent {
			a.Target = r.Offset
		}
		a.After = t.lastWaiting()
		t.amendments = append(t.amendments, &a)
		t.draw(r)
	}
	t.touched = true
	t.update(t.indexOf(r))
}

// amendElsewhere adds the edit that is the person's task, of a message whose row has left
// the timeline.
func (t *timeline) amendElsewhere(a Amendment) {
	t.replaceAmendments(a)
	a.Of, a.Target, a.After = t.task.Entry, t.task.Quote.Offset, t.lastWaiting()
	t.amendments = append(t.amendments, &a)
	t.touched = true
}

// replaceAmendments drops what has not gone out and is undone by an amendment.
func (t *timeline) replaceAmendments(by Amendment) {
	t.amendments = slices.DeleteFunc(t.amendments, func(b *Amendment) bool {
		return b.Row == by.Row && !b.Out && b.Did != DidHost && (b.Did == by.Did || by.Did == DidDelete)
	})
	t.erase = t.erase || by.Did != DidReact // what it replaces is in the store
}

// rewrite carries out on the spot what was done to a message that the server can't have.
func (t *timeline) rewrite(r *Row, a Amendment) {
	t.erase = true
	if a.Did == DidDelete {
		t.unamend(r.ID)
		t.unquote(r)
		t.passOn(r)
		t.take(t.indexOf(r))
		t.release(r)
		return
	}
	if r.Content.File != nil && utf8.RuneCountInString(a.Text) > shared.MaxCaption {
		t.change(Change{Kind: Undone, Undo: a.undo(shared.CodeTooLong, "")})
		return
	}
	r.Content.Text = a.Text
	t.draw(r)
	t.update(t.indexOf(r))
}

// passOn has what goes out after a waiting row go out after the row before it.
func (t *timeline) passOn(r *Row) {
	before := ""
	if i := t.indexOf(r); i > t.fixed {
		before = t.rows[i-1].ID
	}
	for _, a := range t.amendments {
		if a.After == r.ID {
			a.After, t.touched = before, true
		}
	}
}

// unamend drops what waits for a row, and returns it.
func (t *timeline) unamend(row string) (dropped []*Amendment) {
	for _, a := range t.amendments {
		if a.Row == row {
			dropped = append(dropped, a)
		}
	}
	t.keepAmendments(func(a *Amendment) bool { return a.Row != row })
	return dropped
}

// keepAmendments drops those that are not to be kept.
func (t *timeline) keepAmendments(keep func(*Amendment) bool) {
	n := len(t.amendments)
	t.amendments = slices.DeleteFunc(t.amendments, func(a *Amendment) bool { return !keep(a) })
	t.touched = t.touched || len(t.amendments) < n
}

// waiting is what waits of it.
func (t *timeline) waiting() (list []Waiting) {
	for _, a := range t.amendments {
		if a.Kept > 0 {
			continue
		}
		w := Waiting{ID: a.ID, Did: a.Did, Row: a.Row, Out: a.Out, Text: a.Text, Emoji: a.Emoji, Do: a.Do, User: a.User, Settings: a.Settings}
		r := t.ids[a.Row]
		if r == nil {
			w.About = a.About
		}
		if a.Did == DidDelete {
			w.Text = a.About
			if r != nil {
				w.Text = r.Content.quoted()
			}
		}
		list = append(list, w)
	}
	return list
}

// takeBack drops what waits, unless it has gone out.
func (t *timeline) takeBack(id string) {
	a := t.amendment(id)
	if a == nil || a.Out {
		return
	}
	t.keepAmendments(func(b *Amendment) bool { return b != a })
	t.erase = t.erase || a.Did == DidEdit
	if r := t.ids[a.Row]; r != nil {
		t.redraw(r)
	}
}

// amendment is the one of an id; nil if none is.
func (t *timeline) amendment(id string) *Amendment {
	for _, a := range t.amendments {
		if a.ID == id {
			return a
		}
	}
	return nil
}

// undo takes back an amendment that came to nothing. A message that this device knows to
// be deleted is as the person wants it. That a log does not have it does not say so: others
// may still read it in a room that has another name now.
func (t *timeline) undo(a *Amendment, code shared.ErrorCode, reason string) {
	t.keepAmendments(func(b *Amendment) bool { return b != a })
	t.erase = t.erase || a.Did == DidEdit
	r := t.ids[a.Row]
	if a.Did == DidDelete && code == shared.CodeNotFound && r != nil && r.Content.Deleted {
		return
	}
	if r != nil {
		t.redraw(r)
	}
	t.change(Change{Kind: Undone, Undo: a.undo(code, reason)})
}

func (a *Amendment) undo(code shared.ErrorCode, reason string) *Undo {
	return &Undo{ID: a.Row, Did: a.Did, Text: a.Text, Emoji: a.Emoji, Do: a.Do, Code: code, Reason: reason}
}

// aim tells what waits for a row at which offset its message is now.
func (t *timeline) aim(r *Row) {
	for _, a := range t.amendments {
		if a.Row == r.ID && a.Target != r.Offset {
			a.Target, t.touched = r.Offset, true
		}
	}
	for _, w := range t.rows[t.fixed:] {
		if w.Answers == r.Entry && w.Answers != "" && w.Content.Quote != nil && w.Content.Quote.Offset != r.Offset {
			q := *w.Content.Quote
			q.Offset = r.Offset
			w.Content.Quote = &q
			t.redraw(w)
		}
	}
}

// unquote takes the quote away from what answers a message that will never be sent.
func (t *timeline) unquote(r *Row) {
	for _, w := range t.rows[t.fixed:] {
		if w.Answers == r.Entry && w != r {
			w.Content.Quote, w.Answers = nil, ""
			t.redraw(w)
		}
	}
}

// settleAmendments lets go of those that were acknowledged, once the room has come to
// where their entries are.
func (t *timeline) settleAmendments() {
	if t.gapDue {
		return
	}
	for _, a := range slices.Clone(t.amendments) {
		if a.Kept > 0 && a.Kept <= t.last {
			t.keepAmendments(func(b *Amendment) bool { return b != a })
			if r := t.ids[a.Row]; r != nil {
				t.redraw(r)
			}
		}
	}
}

// frame is what goes out for a waiting message.
func (r *Row) frame(canChange bool) shared.Message {
	m := shared.Message{Type: shared.TypeChat, ID: r.ID, Text: r.Content.Text}
	if f := r.Content.File; f != nil {
		m.File = &shared.File{ID: f.ID}
	}
	if q := r.Content.Quote; canChange && q != nil && q.Offset > 0 {
		m.Reply, m.Of = q.Offset, r.Answers
	}
	return m
}

func (a *Amendment) frame() shared.Message {
	switch a.Did {
	case DidEdit:
		return shared.Message{Type: shared.TypeChat, ID: a.ID, Text: a.Text, Edits: a.Target, Of: a.Of}
	case DidDelete:
		return shared.Message{Type: shared.TypeDelete, ID: a.ID, Target: a.Target, Of: a.Of}
	case DidHost:
		return shared.Message{Type: shared.TypeHost, ID: a.ID, Do: a.Do, User: a.User, Whom: a.Whom, Settings: a.Settings, Target: a.Target, Of: a.Of}
	}
	return shared.Message{Type: shared.TypeReact, ID: a.ID, Target: a.Target, Of: a.Of, Emoji: a.Emoji}
}

// react returns the reactions after somebody has another one than before.
func react(reactions []Reaction, was, is string) []Reaction {
	counts := map[string]int{}
	for _, r := range reactions {
		counts[r.Emoji] = r.Count
	}
	if was != "" {
		counts[was]--
	}
	if is != "" {
		counts[is]++
	}
	return inOrder(counts)
}

// inOrder are the reactions that somebody has, in the order in which they are shown.
func inOrder(counts map[string]int) (list []Reaction) {
	for _, emoji := range shared.Emojis {
		if n := counts[emoji]; n > 0 {
			list = append(list, Reaction{emoji, n})
		}
	}
	return list
}

// quoteOf is a quote of a row, as long as a server's.
func quoteOf(r *Row) *Quote {
	shown := Content{Text: r.Text, File: r.File}
	q := &Quote{User: r.User, Text: shown.quoted()}
	if r.Delivery == Sent {
		q.Offset = r.Offset
	}
	return q
}

// cut is the beginning of a text, as much as is quoted.
func cut(text string) string {
	n := 0
	for i := range text {
		if n++; n > shared.MaxQuote {
			return text[:i]
		}
	}
	return text
}
