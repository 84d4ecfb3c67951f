package chat_test

import (
	"context"
	"fmt"
	"testing"
	"time"

	"parley/server/chat"
	"parley/shared"
)

// slowLog lets nobody go on who looks for something in it, until it is told to.
type slowLog struct {
	chat.Log
	looking chan time.Duration // the budget of one who looks
	goOn    chan struct{}
}

func (l slowLog) look(budget time.Duration) {
	l.looking <- budget
	<-l.goOn
}

func (l slowLog) Changes(ctx context.Context, room string, changed, before int64, most chat.Most, budget time.Duration) (chat.Changed, error) {
	l.look(budget)
	return l.Log.Changes(ctx, room, changed, before, most, budget)
}

func (l slowLog) Search(ctx context.Context, room, text string, before int64, most chat.Most, budget time.Duration) (chat.Hits, error) {
	l.look(budget)
	return l.Log.Search(ctx, room, text, before, most, budget)
}

// What may take long to read is bounded, charged by the time that it takes, and has two
// of the log's readers at most: others who read are not held up.
func TestLookingIsBounded(t *testing.T) {
	slow := slowLog{looking: make(chan time.Duration, 9), goOn: make(chan struct{})}
	s := start(t, func(c *chat.Config) {
		c.MaxPerAddress, slow.Log = 9, c.Log
		c.Log = slow
	})
	s.hub.StopMeters()
	ask := shared.Message{Type: shared.TypeHistory, Changed: 1, Before: 2, Limit: 1}
	var all []*client
	for _, name := range []string{"Ann", "Bob", "Cleo"} {
		c, _ := s.join("r", hello(name, newDevice()))
		all = append(all, c)
		c.ask(shared.Message{Type: shared.TypeHistory, Limit: 1}) // so that all is charged that came before
	}
	used := s.hub.Used("127.0.0.1")
	all[0].send(ask)
	all[1].send(shared.Message{Type: shared.TypeSearch, Text: "gate"})
	for range 2 {
		if budget := <-slow.looking; budget <= 0 || budget > time.Second {
			t.Errorf("the budget is %v", budget)
		}
	}
	began := time.Now() // since when both look
	all[2].send(ask)
	all[2].send(shared.Message{Type: shared.TypePing}) // whose answer waits behind the other one
	dora, _ := s.join("r", hello("Dora", newDevice()))
	for time.Since(began) < 20*time.Millisecond {
		dora.ask(shared.Message{Type: shared.TypeHistory, Limit: 1})
	}
	if len(slow.looking) > 0 {
		t.Error("three look at once")
	}
	least := time.Since(began)
	slow.goOn <- struct{}{}
	<-slow.looking
	slow.goOn <- struct{}{}
	slow.goOn <- struct{}{}
	all[0].next(shared.TypeHistory)
	all[1].next(shared.TypeSearch)
	all[2].next(shared.TypeHistory)
	if got := s.hub.Used("127.0.0.1") - used; got < 2*least {
		t.Errorf("%v are charged for two who looked for %v each", got, least)
	}
}

// Each reaction writes all of its message again, and is charged for that.
func TestReactionsAreCharged(t *testing.T) {
	s := start(t, func(c *chat.Config) { c.MaxPerAddress = 9 })
	s.hub.StopMeters()
	ann, _ := s.join("r", hello("Ann", newDevice()))
	for _, id := range []string{"few", "many"} {
		ann.say(id, "x")
		ann.next(shared.TypeChat)
	}
	const reactions = 1000
	added := make(chan error, reactions)
	for i := range reactions {
		s.log.Append(t.Context(), shared.Name{Text: "r", Key: "r"}, chat.Entry{
			Kind: chat.KindReact, ID: fmt.Sprint(i), Device: fmt.Sprint(i), User: "Bob", Time: time.Now(), Target: 2,
			Extra: &chat.Extra{Of: "many", Emoji: "👍"},
		}, func(_ chat.Receipt, err error) { added <- err })
	}
	for range reactions {
		if err := <-added; err != nil {
			t.Fatal(err)
		}
		ann.next(shared.TypeReact)
	}
	cost := func(id string, target int64) time.Duration {
		used := s.hub.Used("127.0.0.1")
		ann.send(react("to-"+id, target, id, "🎉"))
		ann.next(shared.TypeReact)
		ann.send(react("to-"+id, target, id, "🎉")) // a repeat, so that the first is charged for
		ann.next(shared.TypeAck)
		return s.hub.Used("127.0.0.1") - used
	}
	if few, many := cost("few", 1), cost("many", 2); many < few+reactions*500*time.Nanosecond {
		t.Errorf("%v are charged for a reaction to a message with %d, %v to one without", many, reactions, few)
	}
}
