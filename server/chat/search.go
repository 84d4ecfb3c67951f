package chat

import (
	"context"
	"time"

	"parley/shared"
)

// searchBudget is how long one answer may look for messages.
const searchBudget = 200 * time.Millisecond

// searchesAtOnce leaves the log's other readers to those who only read. It bounds
// searches and questions for changes together.
const searchesAtOnce = 2

// look begins what may take long to read, once there is a place for it, and returns
// what ends it. The time in between is charged.
func (c *core) look(r reader) (done func()) {
	c.searches <- struct{}{}
	began := time.Now()
	return func() {
		r.meter.charge(time.Since(began))
		<-c.searches
	}
}

// search returns a search frame's payload: the newest messages before an offset that
// have a text in them, and how far back they were looked for.
func (c *core) search(ctx context.Context, r reader, text string, before int64) ([]byte, error) {
	done := c.look(r)
	hits, err := c.cfg.Log.Search(ctx, r.room, text, before, Most{Entries: shared.SearchHits, Bytes: shared.MaxServerFrame}, searchBudget)
	done()
	if err != nil {
		return nil, err
	}
	answer := shared.Message{Type: shared.TypeSearch, Before: hits.At, More: hits.More}
	size := frameAround
	for i, e := range hits.Messages {
		m := c.presentTo(r, e)
		if size += len(shared.Encode(m)) + 1; size > shared.MaxServerFrame {
			answer.More, answer.Before = true, hits.Messages[i-1].Offset
			break
		}
		answer.Messages = append(answer.Messages, m)
	}
	return shared.Encode(answer), nil
}

// reactions returns a reactions frame's payload: who reacted to a message, and how.
func (c *core) reactions(ctx context.Context, r reader, target int64) ([]byte, error) {
	began := time.Now()
	reacted, err := c.cfg.Log.Reactions(ctx, r.room, target)
	r.meter.charge(time.Since(began))
	if err != nil {
		return nil, err
	}
	answer := shared.Message{Type: shared.TypeReactions, Target: target}
	for _, emoji := range shared.Emojis {
		group := shared.Reactors{Emoji: emoji}
		for _, p := range reacted {
			if p.Emoji == emoji && len(group.Names) < shared.MaxMembers {
				group.Names = append(group.Names, p.User)
			}
		}
		if group.Names != nil {
			answer.Reactors = append(answer.Reactors, group)
		}
	}
	return shared.Encode(answer), nil
}
