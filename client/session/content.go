package session

import (
	"cmp"
	"reflect"
	"slices"

	"parley/shared"
)

// Content is what the log has of a message. Its Item shows the person's amendments, too.
type Content struct {
	Text      string
	File      *File
	Edited    bool
	Deleted   bool
	Quote     *Quote
	Reactions []Reaction
	Reacted   string
}

// contentOf is what a chat_message says. Only history tells the person's own reaction.
func contentOf(m shared.Message) Content {
	if m.Deleted {
		return Content{Deleted: true}
	}
	s := Content{Text: textOf(m), File: fileOf(m.File), Edited: m.Edited, Reactions: reactionsOf(m.Reactions), Reacted: m.Mine}
	if m.Reply > 0 {
		s.Quote = &Quote{Offset: m.Reply}
		if m.Quote != nil {
			s.Quote.User, s.Quote.Text = m.Quote.User, m.Quote.Text
		}
	}
	return s
}

// textOf is the text of a chat_message, without the link that stands for a file.
func textOf(m shared.Message) string {
	if m.File != nil {
		return m.File.Caption
	}
	return m.Text
}

func fileOf(f *shared.File) *File {
	if f == nil {
		return nil
	}
	return &File{
		ID: f.ID, Name: shared.FileName(f.Name), Type: f.Type, Size: f.Size, Width: f.Width, Height: f.Height, Thumb: f.Thumb, Gone: f.Gone,
	}
}

// quoted is what a quote of a message shows of it.
func (c *Content) quoted() string {
	if shared.Blank(c.Text) && c.File != nil {
		return cut(c.File.Name)
	}
	return cut(c.Text)
}

func reactionsOf(counts []shared.Count) []Reaction {
	n := map[string]int{}
	for _, c := range counts {
		n[c.Emoji] = c.N
	}
	return inOrder(n)
}

// Show makes the Item of a message show its content, and what the person did to it
// since.
func (r *Row) Show(amendments []*Amendment) {
	s := r.Content
	r.Waits = ""
	for _, a := range amendments {
		if a.Row != r.ID || s.Deleted || a.Did == DidHost {
			continue
		}
		if a.Kept == 0 {
			r.Waits = a.Did
		}
		switch {
		case a.Did == DidEdit:
			s.Text, s.Edited = a.Text, true
		case a.Did == DidDelete:
			s = Content{Deleted: true}
		default:
			s.Reactions, s.Reacted = react(s.Reactions, s.Reacted, a.Emoji), a.Emoji
		}
	}
	r.Text, r.File, r.Edited, r.Deleted = s.Text, s.File, s.Edited, s.Deleted
	r.copy = r.Copy
	r.Quote, r.Reactions, r.Reacted = s.Quote, s.Reactions, s.Reacted
}

func (t *timeline) draw(r *Row) { r.Show(t.amendments) }

// redraw draws a row and tells the screen if it looks different.
func (t *timeline) redraw(r *Row) {
	before := r.Item
	t.draw(r)
	if t.mark(r); !reflect.DeepEqual(before, r.Item) {
		t.update(t.indexOf(r))
	}
}

// adopt makes what a chat_message says the content of a row. Without whole, it is a live
// one, which does not tell the person's own reaction.
func (t *timeline) adopt(r *Row, m shared.Message, whole bool) {
	s := contentOf(m)
	if !whole && s.Reacted == "" && slices.ContainsFunc(s.Reactions, func(x Reaction) bool { return x.Emoji == r.Content.Reacted }) {
		s.Reacted = r.Content.Reacted
	}
	if s.Quote != nil {
		switch q := t.byOffset[s.Quote.Offset]; { // a row of it may be newer, or hear of changes before
		case q == nil, q == r, *s.Quote == Quote{Offset: m.Reply}:
		case q.Content.Deleted:
			s.Quote = &Quote{Offset: q.Offset}
		default:
			s.Quote = &Quote{Offset: q.Offset, User: cmp.Or(s.Quote.User, q.User), Text: q.Content.quoted()}
		}
	}
	if s.Deleted {
		t.dropThumb(r.Offset)
	}
	t.erase = t.erase || r.Content.Text != "" && r.Content.Text != s.Text
	r.Content, r.Changed = s, m.Changed
	t.draw(r)
}

// refresh takes another copy of an entry of the present epoch, unless it is older than
// what the row has.
func (t *timeline) refresh(r *Row, m shared.Message, whole bool) {
	if m.Changed < r.Changed {
		return
	}
	before, was := r.Item, r.Changed
	text := r.Content.Text
	if t.adopt(r, m, whole); r.Changed != was {
		t.mark(r)
	}
	if r.Content.Text != text {
		t.requoteRow(r)
	}
	if !reflect.DeepEqual(before, r.Item) {
		t.update(t.indexOf(r))
	}
}

// amended takes the room's next entry, which changes others.
func (t *timeline) amended(m shared.Message) {
	if !t.follows(m) {
		return
	}
	own := t.amendment(m.ID)
	if own != nil && t.isMine(m) {
		t.keepAmendments(func(a *Amendment) bool { return a != own })
	}
	switch m.Type {
	case shared.TypeChat:
		t.edit(m)
	case shared.TypeDelete:
		t.unpinned(m.Targets)
		for _, target := range m.Targets {
			t.meanwhile.note(target, m.Offset, true)
			t.dropThumb(target)
			r := t.byOffset[target]
			switch {
			case r == nil:
				t.elsewhere(Item{Offset: target, Deleted: true})
				t.requote(target, "", "", true)
			case r.Changed < m.Offset:
				r.Changed = m.Offset
				t.deleted(r)
			}
		}
	case shared.TypeReact:
		t.reaction(m)
	}
	if own != nil {
		if r := t.ids[own.Row]; r != nil {
			t.redraw(r)
		}
	}
	t.settle()
	t.settleAmendments()
}

func (t *timeline) edit(m shared.Message) {
	t.meanwhile.note(m.Edits, m.Offset, true)
	t.editPin(m)
	r := t.byOffset[m.Edits]
	if r == nil {
		c := contentOf(m)
		t.elsewhere(Item{Offset: m.Edits, User: m.User, Text: c.Text, Edited: true})
		t.requote(m.Edits, m.User, c.quoted(), false)
		return
	}
	if r.Changed >= m.Offset || r.Content.Deleted {
		return
	}
	t.erase = true
	r.Changed = m.Offset
	r.Content.Text, r.Content.Edited = textOf(m), true
	t.redraw(r)
	t.requoteRow(r)
}

// elsewhere tells how a message is now that has no row.
func (t *timeline) elsewhere(item Item) {
	t.change(Change{Kind: Elsewhere, Items: []Item{item}})
}

// reaction takes a react. The person's own counts even if the row is newer: a copy of
// it may not tell.
func (t *timeline) reaction(m shared.Message) {
	t.meanwhile.note(m.Target, m.Offset, false)
	r := t.byOffset[m.Target]
	if r == nil || r.Content.Deleted {
		return
	}
	if t.isMine(m) {
		r.Content.Reacted = m.Emoji
	}
	if r.Changed < m.Offset {
		r.Changed = m.Offset
		r.Content.Reactions = reactionsOf(m.Counts)
	}
	t.redraw(r)
}

// deleted empties a row, and the quotes of it.
func (t *timeline) deleted(r *Row) {
	t.erase = true
	r.Content = Content{Deleted: true}
	t.redraw(r)
	t.requoteRow(r)
}

// renewAbout notes what the rows have that the person's task and amendments are about.
func (t *timeline) renewAbout() {
	if r := t.ids[t.task.Row]; r != nil {
		t.task.Entry, t.task.Quote = r.Entry, *quoteOf(r)
	}
	for _, a := range t.amendments {
		if r := t.ids[a.Row]; r != nil && a.Did != DidEdit {
			a.About = r.Content.quoted()
		}
	}
}

// requoteAbout does the same for a message that has no row. One that was deleted can't be
// answered.
func (t *timeline) requoteAbout(offset int64, text string, deleted bool) {
	if q := &t.task.Quote; q.Offset == offset && t.ids[t.task.Row] == nil {
		if t.erase = t.erase || q.Text != text || deleted; deleted {
			*q = Quote{}
		} else {
			q.Text = text
		}
	}
	for _, a := range t.amendments {
		if a.Target == offset && a.About != "" && t.ids[a.Row] == nil {
			t.erase = t.erase || a.About != text
			a.About = text
		}
	}
	t.touched = t.touched || t.erase
}

// requote makes what answers a message, or is about it, show what that is now, text as a
// quote shows it, whether its row is here or not.
func (t *timeline) requote(offset int64, user, text string, deleted bool) {
	t.requoteAbout(offset, text, deleted)
	for _, r := range t.rows {
		q := r.Content.Quote
		if q == nil || q.Offset != offset || r.Epoch != t.epoch && r.Delivery == Sent && r.Epoch != "" {
			continue
		}
		fresh := Quote{Offset: offset}
		if !deleted {
			fresh.User, fresh.Text = cmp.Or(q.User, user), text
		}
		if fresh != *q {
			t.erase = true
			r.Content.Quote = &fresh
			t.redraw(r)
		}
	}
}

func (t *timeline) requoteRow(r *Row) {
	t.requote(r.Offset, r.User, r.Content.quoted(), r.Content.Deleted)
}
