package chat

import (
	"strings"

	"parley/server/chat/wire"
	"parley/shared"
)

// message is an entry as a member sees it when it happens, and again when it is
// replayed; by is its sender's shared.By. Whoever knows nothing of files reads a link
// below what was said: it is made now, as the server's address may change. A change follows its message, so the
// message says nothing of it, except that there is no text any more.
func (c *core) message(e Entry, by string) shared.Message {
	m := shared.Message{Type: shared.TypeChat, ID: e.ID, Offset: e.Offset, User: e.User, By: by, Time: e.Time}
	switch {
	case e.Kind == KindNotice:
		return Notice(e, by)
	case e.Kind == KindDelete:
		m.Type, m.Targets = shared.TypeDelete, e.Gone()
	case e.Kind == KindReact:
		m.Type, m.Target, m.Emoji, m.Counts = shared.TypeReact, e.Target, e.Extras().Emoji, Counts(e.Extras().Reactions)
	case e.Deleted:
		m.Text, m.Deleted = shared.TextDeleted, true
	default:
		m.Text, m.Reply, m.Quote = e.Text, e.Reply, e.Extras().Quote
		if f := e.Extras().File; f != nil {
			m.File = f.Shared(e.Text)
			m.Text = strings.TrimPrefix(e.Text+"\n"+c.fileURL(f.ID), "\n")
		}
		if e.Kind == KindEdit {
			m.Edits = e.Target
		}
	}
	return m
}

// present is a message with all that has become of it, for a member's device, or
// for nobody's if that is empty.
func (c *core) present(e Entry, by, device string) shared.Message {
	m := c.message(e, by)
	m.Edited, m.Changed, m.Reactions = e.Edited && !e.Deleted, e.Changed, Counts(e.Extras().Reactions)
	for _, r := range e.Extras().Reactions {
		if r.Device == device {
			m.Mine = r.Emoji
		}
	}
	return m
}

// understood reports whether a dialect has a frame for an entry.
func (d dialect) understood(e Entry) bool {
	return d == parley || e.Kind == KindMessage || e.Kind == KindEdit
}

// appendEntry appends an entry as a finished frame. It overwrites scratch, and
// returns it for the next call.
func (c *core) appendEntry(b, scratch []byte, e Entry, by string) (frames, scratchAgain []byte) {
	return appendFrame(b, scratch, c.message(e, by))
}

func appendFrame(b, scratch []byte, m shared.Message) (frames, scratchAgain []byte) {
	scratch = shared.Append(scratch[:0], m)
	return wire.AppendText(b, scratch), scratch
}

var pongFrame = wire.Message(shared.Message{Type: shared.TypePong})
