package chat_test

import (
	"context"
	"fmt"
	"net/http"
	"net/netip"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"parley/server/chat"
	"parley/shared"
)

// behindProxy lets from say where a connection comes from.
func behindProxy(c *chat.Config) {
	c.TrustedProxy = []netip.Prefix{netip.MustParsePrefix("127.0.0.0/8")}
	c.MaxPerAddress = 1000
}

func from(address string) http.Header { return http.Header{"X-Forwarded-For": {address}} }

// joinFrom joins from an address.
func (s *server) joinFrom(address, room string, h shared.Message) *client {
	s.t.Helper()
	c, _, err := s.tryDial("/ws/chat/"+room, shared.Protocol, from(address))
	if err != nil {
		s.t.Fatal(err)
	}
	c.send(h)
	c.next(shared.TypeWelcome)
	return c
}

// fill puts texts of 16 KB into a room, and returns the epoch.
func (s *server) fill(room string, texts int) (epoch string) {
	s.t.Helper()
	text := strings.Repeat("\U0001F600", shared.MaxText)
	var work sync.WaitGroup
	for i := range texts {
		work.Add(1)
		s.log.Append(s.t.Context(), shared.Name{Text: room, Key: room},
			chat.Entry{ID: fmt.Sprint(i), Device: "d", User: "Ann", Text: text, Time: time.Unix(int64(i), 0)},
			func(_ chat.Receipt, err error) {
				defer work.Done()
				if err != nil {
					s.t.Error(err)
				}
			})
	}
	work.Wait()
	state, stop, err := s.log.Open(s.t.Context(), shared.Name{Text: room, Key: room}, chat.Follower{Entries: func([]chat.Entry) {}, Begin: func(int64) {}})
	if err != nil {
		s.t.Fatal(err)
	}
	stop()
	return state.Epoch
}

// resume is a hello that asks for the whole room.
func resume(user, epoch string) shared.Message {
	h := hello(user, newDevice())
	h.Epoch = epoch
	return h
}

// mostHeld watches what is held while do runs.
func (s *server) mostHeld(do func()) (most int64) {
	ctx, cancel := context.WithCancel(s.t.Context())
	var watch sync.WaitGroup
	watch.Go(func() {
		for ctx.Err() == nil {
			most = max(most, s.hub.Held())
			time.Sleep(time.Millisecond)
		}
	})
	do()
	cancel()
	watch.Wait()
	return most
}

// Whoever resumes a room with long messages and reads nothing has at most
// ReplayHeld in hand, and whoever reads gets all of them.
func TestReplayIsBounded(t *testing.T) {
	const texts, members = 320, 16
	if chat.InHand > chat.ReplayHeld {
		t.Errorf("it may have %d bytes in hand", chat.InHand)
	}
	s := start(t, behindProxy)
	epoch := s.fill("hall", texts)
	var stalled []*client
	most := s.mostHeld(func() {
		for i := range members {
			stalled = append(stalled, s.joinNarrow("hall", resume(fmt.Sprint("Eve", i), epoch), from("192.0.2.1")))
		}
		s.until("all of them have something in hand", func() bool { return s.hub.Held() >= members*chat.ReplayHeld })
	})
	if each := most / members; each > chat.ReplayHeld+chat.HeldBySession+shared.MaxClientFrame {
		t.Errorf("%d bytes are held for each", each)
	}
	ann := s.joinFrom("192.0.2.2", "hall", resume("Ann", epoch))
	for i := range texts {
		if m := ann.next(shared.TypeChat); m.Offset != int64(i+1) || len(m.Text) != 4*shared.MaxText {
			t.Fatalf("message %d has the offset %d and %d bytes", i+1, m.Offset, len(m.Text))
		}
	}
	for _, c := range stalled {
		c.conn.CloseNow()
	}
	s.until("all is given back", func() bool { return s.hub.Held() <= 2*chat.HeldBySession })
}

// A room that is opened with long texts has the newest of them at hand, not the oldest
// of the newest.
func TestRecentOfLongTexts(t *testing.T) {
	t.Parallel()
	const texts = 300
	s := start(t)
	epoch := s.fill("hall", texts)
	for _, after := range []int64{texts - 1, texts - 3, texts - 40, texts - 260, 0} {
		s.stop()
		var reads atomic.Int64
		s.open(func(c *chat.Config) { c.Log = countingLog{c.Log, &reads} })
		h := resume(fmt.Sprint("Ann", after), epoch)
		h.After = after
		ann, welcome := s.join("hall", h)
		if !welcome.Resumed {
			t.Errorf("after %d: %+v", after, welcome)
		}
		for offset := after + 1; offset <= texts; offset++ {
			if m := ann.next(shared.TypeChat); m.Offset != offset {
				t.Fatalf("after %d, in the place of %d came %d", after, offset, m.Offset)
			}
		}
		if n := reads.Load(); after == texts-1 && n > 4 {
			t.Errorf("for the last one, the log was read %d times", n)
		}
	}
}

// At the limit, those go who hold most; everybody else stays, and newcomers come
// in.
func TestHeaviestIsShed(t *testing.T) {
	const limit = 4 << 20
	s := start(t, behindProxy, func(c *chat.Config) { c.MaxMemory = limit; c.TailBytes = 32 << 10 })
	epoch := s.fill("hall", 320)
	ann := s.joinFrom("192.0.2.2", "attic", hello("Ann", newDevice()))
	shed := func() bool { return s.metric(`parley_limit_hits_total{limit="memory"}`) != "" }
	for i := 0; !shed(); i++ { // three at a time from one address, each of which is within its own share
		s.joinNarrow("hall", resume(fmt.Sprint("Eve", i), epoch), from(fmt.Sprint("198.51.100.", i/3)))
	}
	s.until("it is within the limit", func() bool { return s.hub.Held() <= limit })
	bob := s.joinFrom("192.0.2.3", "attic", hello("Bob", newDevice()))
	bob.say("1", "still here?")
	for _, c := range []*client{ann, bob} {
		equal(t, "they hear", c.texts(1), "still here?")
	}
}

// A source that holds more than its share lets no more of its own in, and others
// come in.
func TestShareOfMemory(t *testing.T) {
	s := start(t, behindProxy, func(c *chat.Config) { c.MaxMemory = 4 * 500 << 10; c.TailBytes = 32 << 10 })
	epoch := s.fill("hall", 320)
	refused := false
	for i := 0; i < 100 && !refused; i++ {
		c, resp, err := s.tryDial("/ws/chat/hall", shared.Protocol, from("192.0.2.1"))
		if refused = err != nil; refused {
			if resp.StatusCode != http.StatusServiceUnavailable {
				t.Errorf("%v", err)
			}
			break
		}
		c.conn.CloseNow()
		s.joinNarrow("hall", resume(fmt.Sprint("Eve", i), epoch), from("192.0.2.1"))
		s.until("it has something in hand, or was shed", func() bool { return s.hub.Held() >= min(int64(i+1), 3)*chat.ReplayHeld })
	}
	if !refused {
		t.Error("a hundred were let in")
	}
	s.joinFrom("192.0.2.2", "hall", hello("Ann", newDevice()))
}

// What is held is given back, whatever a connection ends with.
func TestNothingStaysHeld(t *testing.T) {
	s := start(t, behindProxy)
	ann := s.joinFrom("192.0.2.1", "hall", hello("Ann", newDevice()))
	ann.say("1", "hello")
	ann.next(shared.TypeChat)
	ann.send(shared.Message{Type: shared.TypeHistory, Limit: 10})
	ann.next(shared.TypeHistory)
	seed := s.tutorial("hall")
	seed.sendRaw("{")
	seed.next(shared.TypeError)
	code, _ := s.refused("hall", hello("Ann", newDevice()))
	if code != int(shared.CloseNameTaken) {
		t.Errorf("closed with %d", code)
	}
	for range 100 {
		ann.send(shared.Message{Type: shared.TypeHistory, Limit: 10}) // and read none of the answers
	}
	ann.conn.CloseNow()
	seed.conn.CloseNow()
	s.until("nothing is held", func() bool { return s.hub.Held() == 0 })
}
