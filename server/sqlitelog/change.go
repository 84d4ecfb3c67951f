package sqlitelog

import (
	"context"
	"database/sql"
	"errors"
	"slices"
	"time"

	"parley/server/chat"
)

// target is the row of the message that a change or a reply is about.
type target struct {
	at        int64
	device    string
	user      string
	text      int64 // its length in bytes
	time      time.Time
	state     int64
	reactions []reaction
	file      string // its id, or ""
}

const targetQuery = "SELECT at, device, user, octet_length(text), time, state, reactions, COALESCE(file, '') FROM entries WHERE at = ? AND id = ? AND " + kept

// refer finds the message that a change, a notice or a reply is about. It returns nil
// for a reply if there is none, and for a message or a notice that is about none, and
// otherwise an error that refuses the entry. For a reaction, it counts those that the message has.
func (w *writer) refer(ctx context.Context, room *roomState, e *chat.Entry) (t *target, reactions int, err error) {
	var is *chat.Target
	if offset := e.About(); offset != 0 {
		if t, err = w.target(ctx, rowOf(room.id, offset), e.Extras().Of); err != nil {
			return nil, 0, err
		}
	}
	if t != nil {
		is = &chat.Target{Device: t.device, User: t.user, Time: t.time, HasFile: t.file != "", Reactions: len(t.reactions)}
		if e.Kind == chat.KindReact {
			reactions = len(t.reactions)
			t.reactions = slices.DeleteFunc(t.reactions, func(r reaction) bool { return r.Device == e.Device })
			is.Reacted = len(t.reactions) < reactions
		}
	}
	about, err := room.rules.Refer(e, is)
	if !about {
		t = nil
	}
	return t, reactions, err
}

// target returns a message with an id, unless it is deleted or not there.
func (w *writer) target(ctx context.Context, at int64, id string) (*target, error) {
	var t target
	var ms int64
	var packed []byte
	err := w.stmt.target.QueryRowContext(ctx, at, messageID(id).pack()).Scan(&t.at, (*deviceID)(&t.device), &t.user, &t.text, &ms, &t.state, &packed, &t.file)
	if errors.Is(err, sql.ErrNoRows) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	t.time = time.UnixMilli(ms).UTC()
	t.reactions, err = unpackReactions(packed)
	return &t, err
}

// change carries out on its message what a change says. It returns how many bytes of
// the message's text went.
func (w *writer) change(ctx context.Context, e chat.Entry, t *target) (gone int64, err error) {
	switch e.Kind {
	case chat.KindEdit:
		w.erases = true
		_, err = w.stmt.edit.ExecContext(ctx, t.at, e.Text, e.Offset)
		return t.text, err
	case chat.KindDelete:
		w.erases = true
		if _, err := w.stmt.erase.ExecContext(ctx, t.at, e.Offset); err != nil {
			return 0, err
		}
		return t.text, w.deleteFile(ctx, t.file)
	case chat.KindReact:
		if e.Extras().Emoji != "" {
			t.reactions = append(t.reactions, reaction{chat.Reaction{Device: e.Device, Emoji: e.Extras().Emoji}, e.Offset})
		}
		_, err = w.stmt.react.ExecContext(ctx, t.at, packReactions(t.reactions), e.Offset)
	}
	return 0, err
}
