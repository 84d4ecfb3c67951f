package session_test

import (
	"context"
	"fmt"
	"net"
	"slices"
	"sync"
	"testing"
	"time"

	"parley/client/session"
	"parley/shared"
)

// waits notes for how many failed tries a Room has waited.
type waits struct {
	mu    sync.Mutex
	tries []int
}

func (w *waits) backoff(tries int) time.Duration {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.tries = append(w.tries, tries)
	return 0
}

func (w *waits) take() []int {
	w.mu.Lock()
	defer w.mu.Unlock()
	tries := w.tries
	w.tries = nil
	return tries
}

func (w *waits) are(t *testing.T, what string, want ...int) {
	t.Helper()
	if got := w.take(); !slices.Equal(got, want) {
		t.Errorf("%s: it has waited for the tries %v, want %v", what, got, want)
	}
}

// TestWaits has connections end early and late: the waits between them grow, and
// begin again after a connection that held.
func TestWaits(t *testing.T) {
	s := startOddServer(t)
	clock := newClock()
	var w waits
	v := enter(t, session.Config{Server: s.base, Room: "r", User: "Ann", Clock: clock, Backoff: w.backoff})
	p, _ := s.welcomed("e", 0, false)
	for generation := 2; generation <= 4; generation++ {
		v.connected()
		_ = p.ws.CloseNow()
		p, _ = s.welcomed("e", 0, true)
		v.until("the next", func() bool { return v.status.State == session.Connected && v.status.Generation == generation })
	}
	w.are(t, "short ones", 0, 1, 2)
	clock.advance(9 * time.Second)
	_ = p.ws.CloseNow()
	p, _ = s.welcomed("e", 0, true)
	v.until("the next", func() bool { return v.status.State == session.Connected && v.status.Generation == 5 })
	w.are(t, "one of 9 s", 3)
	clock.advance(10 * time.Second)
	_ = p.ws.CloseNow()
	p, _ = s.welcomed("e", 0, true)
	v.until("the next", func() bool { return v.status.State == session.Connected && v.status.Generation == 6 })
	w.are(t, "one of 10 s", 0)

	// Flooding makes it wait as after several, however long it went well.
	clock.advance(20 * time.Second)
	_ = p.ws.Close(4001, "Too fast.")
	s.welcomed("e", 0, true)
	v.until("the next", func() bool { return v.status.State == session.Connected && v.status.Generation == 7 })
	w.are(t, "flooding", 4)

	// A person who acts does not wait for what went wrong before.
	v.room.Rename("Anna")
	p, _ = s.welcomed("e", 0, true)
	v.until("the next", func() bool { return v.status.State == session.Connected && v.status.Generation == 8 })
	w.are(t, "renamed", []int{}...)
	_ = p.ws.CloseNow()
	s.welcomed("e", 0, true)
	v.until("the next", func() bool { return v.status.State == session.Connected && v.status.Generation == 9 })
	w.are(t, "after it", 0)
}

// TestRedialWhilePaused: another name is for the connection to come.
func TestRedialWhilePaused(t *testing.T) {
	s := startOddServer(t)
	v := enter(t, session.Config{Server: s.base, Room: "r", User: "Ann", Paused: true})
	v.until("the beginning", func() bool { return v.status.Cause == session.CausePaused })
	v.room.Rename("Anna")
	v.room.Unlock("another key")
	v.room.Reconnect()
	v.send("x") // handled after them
	v.until("the row", func() bool { return len(v.rows) == 1 })
	if v.status.Generation != 0 || v.status.State != session.Disconnected {
		t.Errorf("%+v", v.status)
	}
	v.room.Resume()
	if _, hello := s.welcomed("e", 0, false); hello.User != "Anna" || hello.Key != "another key" {
		t.Errorf("says %+v", hello)
	}
}

// TestReconnectWhileDialing gives a try up that has hung for a second, and not
// one that has just begun.
func TestReconnectWhileDialing(t *testing.T) {
	clock := newClock()
	dials, over := make(chan struct{}, 10), make(chan struct{})
	t.Cleanup(func() { close(over) })
	hang := func(context.Context, string, string) (net.Conn, error) {
		dials <- struct{}{}
		<-over // net/http does not end a dial whose request has ended
		return nil, net.ErrClosed
	}
	v := enter(t, session.Config{Server: deadServer, Room: "r", User: "Ann", Clock: clock, Dial: hang})
	<-dials
	v.room.Reconnect()
	v.send("x") // handled after it
	v.until("the row", func() bool { return len(v.rows) == 1 })
	if v.status.Generation != 1 {
		t.Errorf("a try that has just begun is given up: %+v", v.status)
	}
	clock.advance(time.Second)
	v.room.Reconnect()
	<-dials
	v.until("the second", func() bool { return v.status.State == session.Connecting && v.status.Generation == 2 })
}

// TestHistoryWaits asks again for what the server was too busy to give, when it
// said, and not before.
func TestHistoryWaits(t *testing.T) {
	s := startOddServer(t)
	clock := newClock()
	v := enter(t, session.Config{Server: s.base, Room: "r", User: "Ann", Clock: clock})
	p, _ := s.welcomed("e", 5, false)
	p.send(entry(5, "5", "Bob", "5"))
	v.shows("5")
	v.room.LoadOlder()
	for i, c := range []struct {
		retry int // ms
		wait  time.Duration
	}{{0, time.Second}, {3000, 3 * time.Second}, {3_600_000, time.Minute}} {
		p.expect(shared.TypeHistory)
		p.send(shared.Message{Type: shared.TypeError, Code: shared.CodeRateLimited, Text: "Wait.", RetryMS: c.retry})
		p.send(entry(int64(6+i), fmt.Sprint(6+i), "Bob", "more"))
		v.until("what came after it", func() bool { return len(v.rows) == i+2 })
		for left := c.wait - time.Millisecond; left > 0; left -= 20 * time.Second {
			if err := p.ws.Ping(t.Context()); err != nil { // the server lives
				t.Fatal(err)
			}
			clock.advance(min(left, 20*time.Second))
		}
		v.room.Typing()
		p.expect(shared.TypeTyping) // and no question before it
		clock.advance(3 * time.Second)
	}
	p.expect(shared.TypeHistory)
	p.send(shared.Message{Type: shared.TypeHistory, Messages: []shared.Message{entry(4, "4", "Bob", "4")}})
	v.shows("4", "5", "more", "more", "more")
}

// TestManyTypists shows a bounded number of people who write, and keeps no more.
func TestManyTypists(t *testing.T) {
	s := startOddServer(t)
	v := enter(t, session.Config{Server: s.base, Room: "r", User: "Ann", Clock: newClock()})
	p, _ := s.welcomed("e", 1, false)
	for i := range 40 {
		p.send(shared.Message{Type: shared.TypeTyping, User: fmt.Sprintf("Bob %02d", i)})
	}
	p.send(entry(1, "1", "Cid", "1"))
	v.shows("1")
	if len(v.typing) != 16 || v.typing[0] != "Bob 00" {
		t.Errorf("%d write: %q", len(v.typing), v.typing)
	}
	// Somebody who goes on writing is known, and whoever sends makes room.
	p.send(entry(2, "2", "Bob 03", "2"), shared.Message{Type: shared.TypeTyping, User: "Zoe"}, entry(3, "3", "Cid", "3"))
	v.shows("1", "2", "3")
	if len(v.typing) != 16 || slices.Contains(v.typing, "Bob 03") || !slices.Contains(v.typing, "Zoe") {
		t.Errorf("%d write: %q", len(v.typing), v.typing)
	}
}
