package pglog

import (
	"cmp"
	"context"
	"errors"
	"slices"
	"time"

	"parley/server/chat"
	"parley/shared"
)

// append works out what an entry does.
func (b *batch) append(ctx context.Context, r *roomState, req *request) (receipt chat.Receipt, err error) {
	name, e := req.room, req.entry
	if r.changed {
		return chat.Receipt{}, errChanged
	}
	if b.looks {
		if offset, ok := b.ids[idKey{r.id, e.Device, e.ID}]; ok {
			return chat.Receipt{Offset: offset, Duplicate: true}, nil
		}
	}
	about, reactions, err := r.refer(&e)
	if err != nil {
		return chat.Receipt{Reactions: reactions}, err
	}
	if e.Offset = r.head + 1; e.Offset > maxOffset {
		return chat.Receipt{}, errEntries
	}
	rules := r.rules
	if e.Kind == chat.KindNotice {
		r.rules = rules.Clone()
	}
	if refused := r.rules.Carry(e); refused != nil {
		r.rules = rules
		return chat.Receipt{Reactions: reactions}, refused
	}
	var file *chat.FileRow
	if e.Kind == chat.KindMessage && e.Extras().File != nil {
		if file = b.files[e.Extra.File.ID]; true {
			if err := e.MayTake(file); err != nil {
				r.rules = rules
				return chat.Receipt{}, err
			}
		}
		file.Offset = e.Offset
		b.took = append(b.took, file)
		e.Own().File = new(file.File)
	} else if e.Extras().File != nil {
		e.Own().File = nil
	}
	var deletes []int64
	if e.Kind == chat.KindNotice && e.Extra.Act.Do == shared.DoDeleteAll {
		if deletes, err = b.wrote(ctx, r, e, req.deleted); err != nil {
			return chat.Receipt{}, err
		}
		if first := chat.DeletesFirst(e, deletes); first != nil {
			r.rules = rules // as long as the notice is not there
			return chat.Receipt{}, cmp.Or(b.delete(r, e, first), error(goesOn{first[len(first)-1]}))
		}
	}
	if !r.used {
		r.used, r.name = true, name.Text
	}
	b.add(r, e)
	if file != nil {
		r.row(e.Offset).file = file.ID
	}
	if e.Kind == chat.KindNotice {
		r.ruled = e.Offset
	}
	if about != nil && e.Kind != chat.KindMessage && e.Kind != chat.KindNotice {
		b.change(e, about)
	}
	if err := b.delete(r, e, deletes); err != nil {
		return chat.Receipt{}, err
	}
	return chat.Receipt{Offset: e.Offset, Reactions: reactions}, nil
}

// add adds an entry to its room.
func (b *batch) add(r *roomState, e chat.Entry) {
	if b.looks {
		b.ids[idKey{r.id, e.Device, e.ID}] = e.Offset
	}
	r.head, r.last = e.Offset, max(e.Time.UnixMilli(), 1)
	r.bytes += int64(len(e.RowText())+len(e.User)) + chat.EntryOverhead
	r.about = r.about || e.Kind != chat.KindMessage || e.Reply != 0
	if e.Extra != nil {
		own := e.Own()
		own.Of, own.Since = "", time.Time{}
	}
	if r.fresh == nil {
		r.fresh = make([]chat.Entry, 0, r.asked)
	}
	r.fresh = append(r.fresh, e)
}

// refer finds the message that an entry is about, unless it may not be; nil for none.
func (r *roomState) refer(e *chat.Entry) (t *row, reactions int, err error) {
	var target *chat.Target
	if t = r.row(e.About()); t.kept() && t.id == e.Extras().Of {
		target = &chat.Target{Device: t.device, User: t.user, Time: t.time, HasFile: t.file != "", Reactions: len(t.reactions),
			Reacted: slices.ContainsFunc(t.reactions, func(v reaction) bool { return v.Device == e.Device })}
	}
	about, err := r.rules.Refer(e, target)
	if e.Kind == chat.KindReact && target != nil {
		reactions = target.Reactions
	}
	if !about {
		t = nil
	}
	return t, reactions, err
}

// change carries out on its message what a change says.
func (b *batch) change(e chat.Entry, t *row) {
	t.changed, t.dirty = e.Offset, true
	switch e.Kind {
	case chat.KindEdit:
		t.room.bytes += int64(len(e.Text)) - t.size
		t.text, t.size, t.state = []byte(e.Text), int64(len(e.Text)), t.state|stateEdited
	case chat.KindDelete:
		b.erase(t, e.Offset)
	case chat.KindReact:
		t.reactions = slices.DeleteFunc(t.reactions, func(v reaction) bool { return v.Device == e.Device })
		if e.Extras().Emoji != "" {
			t.reactions = append(t.reactions, reaction{e.Offset, e.Extras().Emoji, e.Device})
		}
	}
}

// erase takes away what a message has.
func (b *batch) erase(t *row, by int64) {
	t.room.bytes -= t.size
	if t.file != "" {
		b.filesGone = append(b.filesGone, t.file)
	}
	t.text, t.size, t.state, t.reply, t.reactions, t.file = []byte{}, 0, stateDeleted, 0, nil, ""
	t.changed, t.dirty = by, true
}

// goesOn is that a notice comes when more of what it deletes is gone: it is up to an offset.
type goesOn struct{ upTo int64 }

// Error implements error.
func (goesOn) Error() string { return "there is more to delete" }

// wrote returns which messages a notice is to delete, of which those up to an offset are
// gone: all, or more than go in one transaction.
func (b *batch) wrote(ctx context.Context, r *roomState, notice chat.Entry, upTo int64) (offsets []int64, err error) {
	device := notice.Extras().Act.Device
	if err := b.scanRows(b.conn.Query(ctx, "SELECT "+rowColumns+" FROM entries e WHERE e.room = $1 AND e.off >= $2 AND e.device = $3 AND e.kind = 0 AND e.state & 2 = 0 "+
		"ORDER BY e.off LIMIT $4", r.id, max(r.first, upTo+1), device, chat.DeletesAtOnce+1)); err != nil {
		return nil, err
	}
	for _, e := range r.fresh {
		r.row(e.Offset)
	}
	for _, v := range r.rows {
		if v.kept() && v.device == device {
			offsets = append(offsets, v.off)
		}
	}
	slices.Sort(offsets)
	return offsets, nil
}

// delete adds the deletes that a notice brings with it, and carries them out.
func (b *batch) delete(r *roomState, notice chat.Entry, offsets []int64) error {
	for _, e := range chat.Deletes(notice, offsets, r.head) {
		if e.Offset > maxOffset {
			return errors.New("the room has no place for the deletes of a notice")
		}
		if err := r.rules.Carry(e); err != nil {
			return err
		}
		b.add(r, e)
		for _, target := range e.Gone() {
			b.erase(r.row(target), e.Offset)
		}
	}
	return nil
}
