package chat

import (
	"context"
	"slices"
	"time"

	"parley/shared"
)

const defaultHistory = 50

// history returns a history frame's payload: the newest entries before an
// offset, cut at the older end to what one frame may hold.
func (c *core) history(ctx context.Context, payer *meter, room string, before int64, limit int) ([]byte, error) {
	if limit == 0 {
		limit = defaultHistory
	}
	entries, err := c.cfg.Log.History(ctx, room, before, Most{Entries: limit + 1, Bytes: shared.MaxServerFrame})
	if err != nil {
		return nil, err
	}
	payer.charge(time.Duration(len(entries)) * costRow)
	answer := shared.Message{Type: shared.TypeHistory, More: len(entries) > limit}
	if answer.More {
		answer.After = entries[0].Offset
		entries = entries[1:]
	}
	size := 100 // for the frame around them
	for i := len(entries) - 1; i >= 0; i-- {
		m := message(entries[i], shared.By(room, entries[i].Device))
		if size += len(shared.Encode(m)) + 1; size > shared.MaxServerFrame {
			answer.More, answer.After = true, entries[i].Offset
			break
		}
		answer.Messages = append(answer.Messages, m)
	}
	slices.Reverse(answer.Messages)
	return shared.Encode(answer), nil
}
