package chat_test

import (
	"context"
	"testing"
	"time"

	"parley/server/chat"
	"parley/shared"
)

// busyLog hands an entry on before it says what it knows of the room.
type busyLog struct {
	chat.Log
	t *testing.T
}

func (l busyLog) Open(ctx context.Context, room shared.Name, f chat.Follower) (chat.State, func(), error) {
	handOn, handed := f.Entries, make(chan struct{}, 10)
	f.Entries = func(entries []chat.Entry) {
		handOn(entries)
		clear(entries) // they are the log's
		handed <- struct{}{}
	}
	state, stop, err := l.Log.Open(ctx, room, f)
	if err == nil {
		e := chat.Entry{ID: "early", Device: newDevice(), User: "Eve", Text: "early", Time: time.Now()}
		l.Append(ctx, room, e, func(_ chat.Receipt, err error) {
			if err != nil {
				l.t.Error(err)
			}
		})
		select {
		case <-handed:
		case <-time.After(time.Minute):
			l.t.Error("what hands entries on waits for a room that is opened")
		}
	}
	return state, stop, err
}

// What comes while a room is opened waits for it, and nobody else does: a log may hand on
// to many rooms, one after the other.
func TestDeliveredWhileOpened(t *testing.T) {
	s := start(t, func(c *chat.Config) { c.Log = busyLog{c.Log, t} })
	ann, _ := s.join("r", hello("Ann", newDevice()))
	ann.say("a", "on time")
	for i, want := range []string{"early", "on time"} {
		if m := ann.next(shared.TypeChat); m.Text != want || m.Offset != int64(i+1) {
			t.Errorf("got %q at %d, want %q", m.Text, m.Offset, want)
		}
	}
}
