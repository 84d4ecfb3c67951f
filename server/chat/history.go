package chat

import (
	"context"
	"slices"
	"time"

	"parley/shared"
)

const defaultHistory = 50

// reader is who asks for what the log has, and pays for it.
type reader struct {
	meter  *meter
	room   string // the room's key
	device string // empty for nobody's, who has no reactions of their own
}

// presentTo is a message as it is now, for a reader.
func (c *core) presentTo(r reader, e Entry) shared.Message {
	return c.present(e, shared.By(r.room, e.Device), r.device)
}

// history returns a history frame's payload: the newest messages before an
// offset, cut at the older end to what one frame may hold.
func (c *core) history(ctx context.Context, r reader, before int64, limit int) ([]byte, error) {
	entries, err := c.cfg.Log.History(ctx, r.room, before, Most{Entries: limit + 1, Bytes: shared.MaxServerFrame})
	if err != nil {
		return nil, err
	}
	r.meter.charge(costOf(entries))
	answer := shared.Message{Type: shared.TypeHistory, More: len(entries) > limit}
	if answer.More {
		answer.After = entries[0].Offset
		entries = entries[1:]
	}
	size := frameAround
	for i := len(entries) - 1; i >= 0; i-- {
		m := c.presentTo(r, entries[i])
		if size += len(shared.Encode(m)) + 1; size > shared.MaxServerFrame {
			answer.More, answer.After = true, entries[i].Offset
			break
		}
		answer.Messages = append(answer.Messages, m)
	}
	slices.Reverse(answer.Messages)
	return shared.Encode(answer), nil
}

// frameAround is at least what an answer has besides its messages, in bytes.
const frameAround = 100

// changesBudget is how long one answer may look for changes.
const changesBudget = 50 * time.Millisecond

// changes returns a history frame's payload: the messages before an offset that were
// changed after the offset changed, in the order of their changes. It ends between
// two of these, and if there may be more, it has the offset to ask on from.
func (c *core) changes(ctx context.Context, r reader, changed, before int64, limit int) ([]byte, error) {
	if before == 0 {
		before = shared.MaxAsked
	}
	done := c.look(r)
	found, err := c.cfg.Log.Changes(ctx, r.room, changed, before, Most{Entries: limit, Bytes: shared.MaxServerFrame}, changesBudget)
	done()
	if err != nil {
		return nil, err
	}
	answer := shared.Message{Type: shared.TypeHistory, More: found.More}
	size := frameAround
	for i, e := range found.Messages {
		m := c.presentTo(r, e)
		if size += len(shared.Encode(m)) + 1; i == shared.MaxHistory || size > shared.MaxServerFrame {
			answer.More = true
			answer.Messages = slices.DeleteFunc(answer.Messages, func(m shared.Message) bool { return m.Changed == e.Changed })
			if n := len(answer.Messages); n > 0 {
				found.At = answer.Messages[n-1].Changed
			}
			break
		}
		answer.Messages = append(answer.Messages, m)
	}
	if answer.More {
		answer.Changed = found.At
	}
	return shared.Encode(answer), nil
}
