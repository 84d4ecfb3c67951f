package chat_test

import (
	"context"
	"fmt"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/coder/websocket"

	"parley/server/chat"
	"parley/shared"
)

// expire has the log delete what is over its bounds, and returns when n are gone.
func (s *server) expire(r chat.Retention, n int) {
	s.t.Helper()
	gone := make(chan int, 100)
	r.Every = time.Millisecond
	r.Expired = func(n int) { s.hub.ObserveExpired(n); gone <- n }
	s.log.Retain(r)
	for n > 0 {
		n -= <-gone
	}
}

// textBytes is what an entry of Ann's with a text of one byte counts for.
const textBytes = 160 + 3 + 1

// A client that comes back to a log which no longer has what it missed learns
// that; one that missed nothing of what is gone resumes.
func TestResumePastRetention(t *testing.T) {
	s := start(t)
	device := newDevice()
	ann, before := s.join("r", hello("Ann", device))
	for i := range 10 {
		ann.say(fmt.Sprint(i), "x")
	}
	ann.texts(10)
	s.expire(chat.Retention{Bytes: 4 * textBytes}, 6) // 7 to 10 are kept
	for _, c := range []struct {
		after   int64
		resumed bool
		first   int64 // of what follows
	}{{5, false, 7}, {6, true, 7}, {8, true, 9}, {0, false, 7}} {
		h := hello("Ann", device)
		h.Epoch, h.After = before.Epoch, c.after
		again, welcome := s.join("r", h)
		if welcome.Resumed != c.resumed || welcome.Epoch != before.Epoch || welcome.Offset != 10 {
			t.Errorf("after %d the welcome is %+v", c.after, welcome)
		}
		for offset := c.first; offset <= 10; offset++ {
			if m := again.next(shared.TypeChat); m.Offset != offset {
				t.Errorf("after %d, %d comes in the place of %d", c.after, m.Offset, offset)
			}
		}
		again.leave()
	}
	ann.send(shared.Message{Type: shared.TypeHistory, Before: 9, Limit: 2})
	if m := ann.next(shared.TypeHistory); len(m.Messages) != 2 || m.More {
		t.Errorf("the history that reaches the oldest is %+v", m)
	}
	ann.send(shared.Message{Type: shared.TypeHistory, Before: 7, Limit: 50})
	if m := ann.next(shared.TypeHistory); len(m.Messages) != 0 || m.More {
		t.Errorf("the history before the oldest is %+v", m)
	}
	if got := s.metric("parley_messages_expired_total"); got != "6" {
		t.Errorf("%s were counted as expired", got)
	}
}

// A member that was behind when what it still had to get was deleted is closed,
// so that it comes back and learns that something is missing.
func TestBehindRetention(t *testing.T) {
	s := start(t)
	bob := s.joinNarrow("r", hello("Bob", newDevice()))
	ann, _ := s.join("r", hello("Ann", newDevice()))
	filling := make([]byte, 4000)
	for i := range filling {
		filling[i] = 'x'
	}
	const messages = 1000 // more than sockets and tail hold
	for i := range messages {
		ann.say(fmt.Sprint(i), string(filling))
		ann.next(shared.TypeChat)
	}
	s.expire(chat.Retention{Bytes: 1}, messages)
	last := int64(0)
	for {
		m, err := bob.read()
		if err != nil {
			if websocket.CloseStatus(err) != websocket.StatusCode(shared.CloseSlowConsumer) {
				t.Errorf("the end was %v", err)
			}
			break
		}
		if m.Type == shared.TypeChat {
			if m.Offset != last+1 {
				t.Errorf("%d follows %d", m.Offset, last)
			}
			last = m.Offset
		}
	}
	if last == messages {
		t.Error("he was never behind")
	}
}

// racing is a log from which entries go while they are read, once it is armed.
type racing struct {
	chat.Log
	armed  *atomic.Bool
	expire func()
}

func (r racing) Read(ctx context.Context, room string, after, upTo int64, most chat.Most) ([]chat.Entry, error) {
	if r.armed.Load() {
		r.expire()
	}
	return r.Log.Read(ctx, room, after, upTo, most)
}

// A member whose missed entries go while they are read is closed, too: it must
// not be handed what is left as if that were all.
func TestRetentionDuringReplay(t *testing.T) {
	var s *server
	var armed atomic.Bool
	expire := sync.OnceFunc(func() { s.expire(chat.Retention{Bytes: 2 * textBytes}, 8) })
	s = start(t, func(c *chat.Config) {
		c.TailBytes = 1 // so that the log is read
		c.Log = racing{c.Log, &armed, expire}
	})
	device := newDevice()
	ann, before := s.join("r", hello("Ann", device))
	for i := range 10 {
		ann.say(fmt.Sprint(i), "x")
	}
	ann.texts(10)
	armed.Store(true)
	bob := s.raw("r")
	h := hello("Bob", newDevice())
	h.Epoch, h.After = before.Epoch, 2
	bob.send(h)
	for {
		m, err := bob.read()
		if err != nil {
			if websocket.CloseStatus(err) != websocket.StatusCode(shared.CloseSlowConsumer) {
				t.Errorf("the end was %v", err)
			}
			return
		}
		if m.Type == shared.TypeChat {
			t.Fatalf("entry %d comes after entry 2", m.Offset)
		}
	}
}

// A room whose messages are all gone is an empty one that goes on counting.
func TestEverythingExpired(t *testing.T) {
	s := start(t)
	ann, _ := s.join("r", hello("Ann", newDevice()))
	ann.say("1", "x")
	ann.texts(1)
	s.expire(chat.Retention{Bytes: 1}, 1)
	h := hello("Bob", newDevice())
	_, welcome := s.join("r", h)
	if welcome.Offset != 1 || welcome.Resumed {
		t.Errorf("the welcome is %+v", welcome)
	}
	// Who has all that there was misses nothing, although the next one goes, too.
	h.Epoch, h.After = welcome.Epoch, 1
	bob, welcome := s.join("r", h)
	if welcome.Offset != 1 || !welcome.Resumed {
		t.Errorf("the next welcome is %+v", welcome)
	}
	ann.say("2", "y")
	if m := bob.next(shared.TypeChat); m.Text != "y" || m.Offset != 2 {
		t.Errorf("the next is %+v", m)
	}
}
