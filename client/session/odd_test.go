package session_test

import (
	"context"
	"fmt"
	"net"
	"path/filepath"
	"reflect"
	"slices"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/coder/websocket"

	"parley/client/session"
	"parley/shared"
)

func TestCloseCodes(t *testing.T) {
	for _, test := range []struct {
		code  websocket.StatusCode
		cause session.Cause
		stops bool
	}{
		{1000, session.CauseLost, false},
		{1001, session.CauseServerRestart, false},
		{1003, session.CauseLost, false},
		{1008, session.CauseLost, false},
		{1011, session.CauseLost, false},
		{1012, session.CauseServerRestart, false},
		{1013, session.CauseServerFull, false},
		{3000, session.CauseLost, false},
		{4000, session.CauseSlow, false},
		{4001, session.CauseFlooding, false},
		{4499, session.CauseLost, false},
		{4501, session.CauseNameTaken, true},
		{4502, session.CauseNeedsKey, true},
		{4503, session.CauseRemoved, true},
		{4504, session.CauseOpenRoom, true},
		{4999, session.CauseStopped, true},
	} {
		s := startOddServer(t)
		v := enter(t, session.Config{Server: s.base, Room: "r", User: "Ann"})
		p, _ := s.welcomed("e", 0, false)
		v.connected()
		_ = p.ws.Close(test.code, "a reason")
		if test.stops {
			v.until("the end", func() bool { return v.status.State == session.Closed })
			if v.status.Cause != test.cause || v.status.Detail != "a reason" || !v.status.RetryAt.IsZero() {
				t.Errorf("%d: %+v", test.code, v.status)
			}
			v.room.Reconnect() // the person acts
		}
		p, _ = s.welcomed("e", 0, true)
		v.until("another connection", func() bool {
			return v.status.State == session.Connected && v.status.Generation == 2
		})
		if !test.stops && !slices.ContainsFunc(v.changes, func(c session.Change) bool {
			return c.Status.State == session.Disconnected && c.Status.Cause == test.cause && !c.Status.RetryAt.IsZero()
		}) {
			t.Errorf("%d: no %s in %+v", test.code, test.cause, v.changes)
		}
		v.room.Close()
		p.gone()
	}
}

func TestBadHelloStopsAtTheSecond(t *testing.T) {
	s := startOddServer(t)
	v := enter(t, session.Config{Server: s.base, Room: "r", User: "Ann"})
	for range 2 {
		p, _ := s.next()
		_ = p.ws.Close(4500, "no")
	}
	v.until("the end", func() bool { return v.status.State == session.Closed })
	if v.status.Cause != session.CauseBadHello || v.status.Generation != 2 {
		t.Errorf("%+v", v.status)
	}
}

// TestRefusedForGood is about a message that the server will never take: it
// leaves the outbox, stays visible with its reason over a restart, and can be
// sent again or thrown away.
func TestRefusedForGood(t *testing.T) {
	s := startOddServer(t)
	path := filepath.Join(t.TempDir(), "store")
	store := openStore(t, path)
	config := session.Config{Server: s.base, Room: "r", User: "Ann", Store: store}
	v := enter(t, config)
	p, _ := s.welcomed("e", 0, false)
	v.send("bad", "worse", "good")
	for range 2 {
		m := p.expect(shared.TypeChat)
		p.send(shared.Message{Type: shared.TypeError, ID: m.ID, Code: shared.CodeNotAllowed, Text: "Not here."})
	}
	m := p.expect(shared.TypeChat)
	p.send(entry(1, m.ID, "Ann", m.Text))
	failed := func(i session.Item) bool {
		return i.Delivery == session.Failed && i.Reason == "Not here." && i.Code == shared.CodeNotAllowed && i.Offset == 0
	}
	v.until("two failures and a success", func() bool {
		return len(v.rows) == 3 && failed(v.rows[0]) && failed(v.rows[1]) && v.rows[2].Delivery == session.Sent
	})
	v.room.Close()
	v.take()
	rows := v.rows
	if err := store.Close(); err != nil {
		t.Fatal(err)
	}

	store = openStore(t, path)
	defer store.Close()
	config.Store = store
	v = enter(t, config)
	defer v.room.Close()
	p, hello := s.welcomed("e", 1, true)
	if hello.Epoch != "e" || hello.After != 1 {
		t.Errorf("resumes %+v", hello)
	}
	v.until("the rows", func() bool { return len(v.rows) == 3 })
	if !reflect.DeepEqual(v.rows, rows) {
		t.Errorf("shows %+v, was %+v", v.rows, rows)
	}
	v.room.Discard(rows[0].ID)
	v.room.Retry(rows[1].ID)
	v.room.Retry(rows[2].ID) // did not fail
	m = p.expect(shared.TypeChat)
	if m.Text != "worse" || m.ID == rows[1].ID {
		t.Errorf("sends %+v", m)
	}
	p.send(entry(2, m.ID, "Ann", m.Text))
	v.shows("good", "worse")
}

// TestOrderOverRefusals refuses messages for a while in every way: later ones
// wait, and all come in the order of writing, each under one id.
func TestOrderOverRefusals(t *testing.T) {
	s := startOddServer(t)
	v := enter(t, session.Config{Server: s.base, Room: "r", User: "Ann"})
	p, _ := s.welcomed("e", 0, false)
	v.send(enumerate("m %d", 1, 6)...)
	codes := []shared.ErrorCode{shared.CodeRateLimited, shared.CodeUnavailable}
	for i := range 6 {
		want := fmt.Sprintf("m %d", i+1)
		first := p.expect(shared.TypeChat)
		for _, code := range codes[:i%3] {
			p.send(shared.Message{Type: shared.TypeError, ID: first.ID, Code: code, Text: "Wait.", RetryMS: 1})
			if again := p.expect(shared.TypeChat); again.ID != first.ID || again.Text != want {
				t.Errorf("after %s came %+v, want %q again", code, again, want)
			}
		}
		if first.Text != want {
			t.Errorf("%q came, want %q", first.Text, want)
		}
		p.send(entry(int64(i+1), first.ID, "Ann", first.Text))
	}
	v.shows(enumerate("m %d", 1, 6)...)
}

// TestAcknowledged is about a message whose echo was lost: the server
// acknowledges the repetition, before or after the entry comes.
func TestAcknowledged(t *testing.T) {
	s := startOddServer(t)
	v := enter(t, session.Config{Server: s.base, Room: "r", User: "Ann"})
	p, _ := s.welcomed("e", 0, false)
	v.connected()
	p.send(entry(1, "b1", "Bob", "hi"))
	v.shows("hi")
	v.send("mine", "second")
	lost := p.expect(shared.TypeChat)
	_ = p.ws.CloseNow()

	p, hello := s.welcomed("e", 4, true)
	if hello.After != 1 {
		t.Errorf("resumes after %d", hello.After)
	}
	again := p.expect(shared.TypeChat)
	if again.ID != lost.ID {
		t.Errorf("%s comes again as %s", lost.ID, again.ID)
	}
	p.send(shared.Message{Type: shared.TypeAck, ID: again.ID, Offset: 3})
	v.until("the acknowledgement", func() bool {
		return len(v.rows) == 3 && v.rows[1].Delivery == session.Sent && v.rows[1].Offset == 3
	})
	second := p.expect(shared.TypeChat)
	_ = p.ws.CloseNow() // an acknowledgement does not move the position

	p, hello = s.welcomed("e", 4, true)
	if hello.After != 1 {
		t.Errorf("resumes after %d", hello.After)
	}
	if again := p.expect(shared.TypeChat); again.ID != second.ID {
		t.Errorf("sends %+v, want the second", again)
	}
	p.send(entry(2, "b2", "Bob", "two"), entry(3, lost.ID, "Ann", "mine"), entry(4, "b4", "Bob", "four"))
	p.send(entry(5, second.ID, "Ann", "second"))
	v.shows("hi", "two", "mine", "four", "second")
}

// TestGap comes back after more than the server replays: what was shown stays,
// a gap is drawn, and fills from history.
func TestGap(t *testing.T) {
	s := startOddServer(t)
	v := enter(t, session.Config{Server: s.base, Room: "r", User: "Ann"})
	p, _ := s.welcomed("e", 2, false)
	p.send(entry(1, "1", "Bob", "1"), entry(2, "2", "Bob", "2"))
	v.shows("1", "2")
	_ = p.ws.CloseNow()

	p, _ = s.welcomed("e", 302, false)
	p.send(entry(301, "301", "Bob", "301"), entry(302, "302", "Bob", "302"))
	v.until("a gap", func() bool { return slices.Equal(v.texts(), []string{"1", "2", "-", "301", "302"}) })
	gap := v.rows[2].ID
	v.room.LoadGap(gap)
	question := p.expect(shared.TypeHistory)
	if question.Before != 301 {
		t.Errorf("asks before %d", question.Before)
	}
	answer := shared.Message{Type: shared.TypeHistory, More: true}
	for i := 201; i <= 300; i++ {
		answer.Messages = append(answer.Messages, entry(int64(i), fmt.Sprint(i), "Bob", fmt.Sprint(i)))
	}
	p.send(answer)
	v.until("a smaller gap", func() bool { return len(v.rows) == 105 && v.rows[2].ID == gap && v.rows[3].Text == "201" })

	v.room.LoadGap(gap)
	p.expect(shared.TypeHistory)
	p.send(shared.Message{Type: shared.TypeError, Code: shared.CodeBadFrame, Text: "No."})
	updates := len(v.changes)
	v.until("an answer", func() bool {
		return slices.ContainsFunc(v.changes[updates:], func(c session.Change) bool {
			return c.Kind == session.Update && c.Items[0].ID == gap
		})
	})

	// A new connection does not forget what was asked.
	v.room.LoadGap(gap)
	p.expect(shared.TypeHistory)
	_ = p.ws.CloseNow()
	p, _ = s.welcomed("e", 302, true)
	if question := p.expect(shared.TypeHistory); question.Before != 201 {
		t.Errorf("asks before %d", question.Before)
	}
	// Two messages are no longer in the log; the answer meets what is above.
	p.send(shared.Message{Type: shared.TypeHistory, More: true, Messages: []shared.Message{
		entry(2, "2", "Bob", "2"), entry(150, "150", "Bob", "150"), entry(200, "200", "Bob", "200"),
	}})
	want := slices.Concat([]string{"1", "2", "150", "200"}, enumerate("%d", 201, 302))
	v.shows(want...)
}

// TestAnotherEpoch meets another log under the room's name: what was shown
// stays, messages are known by their ids, and the outbox goes out.
func TestAnotherEpoch(t *testing.T) {
	s := startOddServer(t)
	v := enter(t, session.Config{Server: s.base, Room: "r", User: "Ann"})
	p, _ := s.welcomed("e", 3, false)
	p.send(entry(1, "1", "Bob", "1"), entry(2, "2", "Bob", "2"), entry(3, "3", "Bob", "3"))
	v.shows("1", "2", "3")
	v.send("mine")
	mine := p.expect(shared.TypeChat)
	p.send(shared.Message{Type: shared.TypeAck, ID: mine.ID, Offset: 4})
	v.until("the acknowledgement", func() bool { return len(v.rows) == 4 && v.rows[3].Delivery == session.Sent })
	_ = p.ws.CloseNow()

	// The log was restored and has lost 3 and mine; somebody has written since.
	p, hello := s.welcomed("f", 12, false)
	if hello.Epoch != "e" || hello.After != 3 {
		t.Errorf("resumes %+v", hello)
	}
	if again := p.expect(shared.TypeChat); again.ID != mine.ID {
		t.Errorf("sends %+v", again)
	}
	p.send(entry(11, "2", "Bob", "2"), entry(12, "4", "Bob", "4"), entry(13, mine.ID, "Ann", "mine"))
	v.shows("1", "2", "3", "4", "mine")
	if v.rows[1].Offset != 11 {
		t.Errorf("2 is at %d", v.rows[1].Offset)
	}
	_ = p.ws.CloseNow()

	// A log of other people; then the former again.
	p, hello = s.welcomed("g", 2, false)
	if hello.Epoch != "f" || hello.After != 13 {
		t.Errorf("resumes %+v", hello)
	}
	p.send(entry(2, "x2", "Eve", "x2"))
	v.shows("1", "2", "3", "4", "mine", "-", "x2")
	v.room.LoadGap(v.rows[5].ID)
	p.expect(shared.TypeHistory)
	p.send(shared.Message{Type: shared.TypeHistory, Messages: []shared.Message{entry(1, "x1", "Eve", "x1")}})
	v.shows("1", "2", "3", "4", "mine", "x1", "x2")
	_ = p.ws.CloseNow()

	p, _ = s.welcomed("f", 14, false)
	p.send(entry(12, "4", "Bob", "4"), entry(13, mine.ID, "Ann", "mine"), entry(14, "5", "Bob", "5"))
	v.shows("1", "2", "3", "4", "mine", "x1", "x2", "5")
}

// TestSameID is about somebody who uses another's id: both messages are shown.
func TestSameID(t *testing.T) {
	s := startOddServer(t)
	v := enter(t, session.Config{Server: s.base, Room: "r", User: "Ann"})
	p, _ := s.welcomed("e", 0, false)
	v.send("mine")
	mine := p.expect(shared.TypeChat)
	p.send(
		entry(1, mine.ID, "Ann", "mine"), entry(2, mine.ID, "Eve", "not yours"), entry(3, mine.ID, "Ann", "not mine"),
		entry(4, "", "Eve", "no id"), entry(5, "", "Eve", "none"),
		entry(6, "6", "Bob", "six"), entry(7, "6", "Bob", "seven"),
	)
	want := []string{"mine", "not yours", "not mine", "no id", "none", "six", "seven"}
	v.shows(want...)

	// What comes again changes nothing, the position neither.
	p.send(entry(2, mine.ID, "Eve", "not yours"), entry(1, "other", "Eve", "late"), shared.Message{Type: shared.TypeTyping, User: "Eve"})
	v.until("the end of it", func() bool { return len(v.typing) == 1 })
	_ = p.ws.CloseNow()
	if _, hello := s.welcomed("e", 7, true); hello.After != 7 {
		t.Errorf("resumes after %d", hello.After)
	}
	v.shows(want...)
}

// TestShorterLog comes back to a log that has lost its end without saying so,
// and has gone on.
func TestShorterLog(t *testing.T) {
	s := startOddServer(t)
	v := enter(t, session.Config{Server: s.base, Room: "r", User: "Ann"})
	p, _ := s.welcomed("e", 0, false)
	v.connected()
	p.send(entry(1, "1", "Bob", "1"), entry(2, "2", "Bob", "2"), entry(3, "3", "Bob", "3"))
	v.shows("1", "2", "3")
	_ = p.ws.CloseNow()
	p, _ = s.welcomed("e", 1, false)
	p.send(entry(1, "1", "Bob", "1"), entry(2, "other", "Bob", "other"), entry(3, "2", "Bob", "2"))
	v.shows("1", "3", "other", "2")
}

// TestAcknowledgedInAGap is about a message that is acknowledged and lies before
// all that the server replays.
func TestAcknowledgedInAGap(t *testing.T) {
	s := startOddServer(t)
	v := enter(t, session.Config{Server: s.base, Room: "r", User: "Ann"})
	p, _ := s.welcomed("e", 1, false)
	p.send(entry(1, "1", "Bob", "1"))
	v.shows("1")
	v.send("mine")
	mine := p.expect(shared.TypeChat)
	_ = p.ws.CloseNow()
	p, _ = s.welcomed("e", 300, false)
	p.send(shared.Message{Type: shared.TypeAck, ID: p.expect(shared.TypeChat).ID, Offset: 100})
	p.send(entry(299, "299", "Bob", "299"), entry(300, "300", "Bob", "300"))
	v.shows("1", "mine", "-", "299", "300")
	v.room.LoadGap(v.rows[2].ID)
	p.expect(shared.TypeHistory)
	p.send(shared.Message{Type: shared.TypeHistory, More: true, Messages: []shared.Message{
		entry(1, "1", "Bob", "1"), entry(99, "99", "Bob", "99"), entry(100, mine.ID, "Ann", "mine"), entry(101, "101", "Bob", "101"),
	}})
	v.shows("1", "99", "mine", "101", "299", "300")
}

// TestNoEcho has a server take a message and say nothing: the connection is
// given up and the message sent again.
func TestNoEcho(t *testing.T) {
	s := startOddServer(t)
	clock := newClock()
	v := enter(t, session.Config{Server: s.base, Room: "r", User: "Ann", Clock: clock})
	p, _ := s.welcomed("e", 0, false)
	v.send("x")
	first := p.expect(shared.TypeChat)
	clock.advance(30 * time.Second)
	p.gone()
	p, _ = s.welcomed("e", 0, true)
	if again := p.expect(shared.TypeChat); again.ID != first.ID {
		t.Errorf("%s comes again as %s", first.ID, again.ID)
	}
}

// TestPauses has a server ask for patience, which is kept.
func TestPauses(t *testing.T) {
	s := startOddServer(t)
	clock := newClock()
	v := enter(t, session.Config{Server: s.base, Room: "r", User: "Ann", Clock: clock})
	p, _ := s.welcomed("e", 0, false)
	v.send("x")
	m := p.expect(shared.TypeChat)
	p.send(shared.Message{Type: shared.TypeError, ID: m.ID, Code: shared.CodeRateLimited, Text: "Wait.", RetryMS: 5000})
	p.send(entry(1, "1", "Bob", "1"))
	v.until("what came after it", func() bool { return len(v.rows) == 2 })
	v.room.Typing()
	p.expect(shared.TypeTyping) // and no message before it
	clock.advance(5 * time.Second)
	if again := p.expect(shared.TypeChat); again.ID != m.ID {
		t.Errorf("%s comes again as %s", m.ID, again.ID)
	}
}

func TestPresence(t *testing.T) {
	s := startOddServer(t)
	v := enter(t, session.Config{Server: s.base, Room: "r", User: "Ann"})
	p, _ := s.welcomed("e", 0, false)
	people := func(count int, want ...string) {
		t.Helper()
		v.until(fmt.Sprintf("%d people, %q", count, want), func() bool {
			return v.count == count && slices.Equal(v.people, want)
		})
	}
	people(1, "Ann")
	p.send(shared.Message{Type: shared.TypePresence, Event: shared.Join, Users: []string{"cid", "Bob"}, Count: 3})
	people(3, "Ann", "Bob", "cid")
	p.send(shared.Message{Type: shared.TypePresence, Event: shared.Leave, Users: []string{"Bob"}, Count: 2})
	people(2, "Ann", "cid")
	p.send(shared.Message{Type: shared.TypePresence, Event: shared.Join, Count: 250})
	people(250, "Ann", "cid")
}

// TestLateAnswers replaces a connection while it is telling a lot: what it says
// from then on changes nothing.
func TestLateAnswers(t *testing.T) {
	s := startOddServer(t)
	store := openStore(t, filepath.Join(t.TempDir(), "store"))
	defer store.Close()
	v := enter(t, session.Config{Server: s.base, Room: "r", User: "Ann", Store: store})
	defer v.room.Close()
	old, _ := s.welcomed("e", 0, false)
	var flood sync.WaitGroup
	flood.Go(func() {
		for i := int64(1); ; i++ {
			if old.ws.Write(context.Background(), websocket.MessageText, shared.Encode(entry(i, fmt.Sprint(i), "Bob", "old"))) != nil {
				return
			}
		}
	})
	defer flood.Wait()
	v.until("a lot", func() bool { return len(v.rows) > 500 })
	v.room.Rename("Anna")
	p, hello := s.welcomed("e", 1<<30, true)
	if hello.User != "Anna" {
		t.Errorf("says %q", hello.User)
	}
	for i := int64(1); i <= 100; i++ {
		p.send(entry(hello.After+i, fmt.Sprint("new ", i), "Bob", "new"))
	}
	all := int(hello.After) + 100
	v.until("the new ones", func() bool { return len(v.rows) >= all && v.rows[len(v.rows)-1].Text == "new" })
	if len(v.rows) != all {
		t.Errorf("%d rows, want %d", len(v.rows), all)
	}
	for i, r := range v.rows {
		if want := [...]string{"old", "new"}[min(i/int(hello.After), 1)]; r.Text != want {
			t.Fatalf("row %d is %q", i, r.Text)
		}
	}
	if v.status.State != session.Connected || v.status.Generation != 2 {
		t.Errorf("%+v", v.status)
	}
}

// TestSilence is about a connection on which nothing comes: pings keep it
// alive, and without them it is given up after 60 s.
func TestSilence(t *testing.T) {
	s := startOddServer(t)
	clock := newClock()
	v := enter(t, session.Config{Server: s.base, Room: "r", User: "Ann", Clock: clock})
	p, _ := s.welcomed("e", 0, false)
	v.connected()
	for range 5 {
		clock.advance(50 * time.Second)
		if err := p.ws.Ping(t.Context()); err != nil {
			t.Fatal(err)
		}
	}
	if v.take(); v.status.Generation != 1 {
		t.Errorf("pings do not keep the connection: %+v", v.status)
	}
	clock.advance(61 * time.Second)
	p.gone()
	s.welcomed("e", 0, true)
	v.until("the second", func() bool { return v.status.State == session.Connected && v.status.Generation == 2 })
}

// TestReconnectAsksForLife has a phone come back from another network: the
// connection looks fine and is dead.
func TestReconnectAsksForLife(t *testing.T) {
	s := startOddServer(t)
	clock := newClock()
	v := enter(t, session.Config{Server: s.base, Room: "r", User: "Ann", Clock: clock})
	p, _ := s.welcomed("e", 0, false)
	v.connected()
	v.room.Reconnect() // it answers: nothing happens
	v.room.Typing()
	p.expect(shared.TypeTyping) // so it has asked, and what comes now is an answer
	p.send(entry(1, "1", "Bob", "1"))
	v.shows("1")
	clock.advance(10 * time.Second)
	p.send(entry(2, "2", "Bob", "2"))
	v.shows("1", "2")
	if v.status.Generation != 1 {
		t.Errorf("%+v", v.status)
	}
}

// deafConn loses what is written to it once it is deaf.
type deafConn struct {
	net.Conn
	deaf atomic.Bool
}

func (c *deafConn) Write(p []byte) (int, error) {
	if c.deaf.Load() {
		return len(p), nil
	}
	return c.Conn.Write(p)
}

func TestReconnectGivesUpADeadConnection(t *testing.T) {
	s := startOddServer(t)
	clock := newClock()
	var newest atomic.Pointer[deafConn]
	v := enter(t, session.Config{
		Server: s.base, Room: "r", User: "Ann", Clock: clock,
		Dial: func(ctx context.Context, network, address string) (net.Conn, error) {
			conn, err := new(net.Dialer).DialContext(ctx, network, address)
			c := &deafConn{Conn: conn}
			newest.Store(c)
			return c, err
		},
	})
	s.welcomed("e", 0, false)
	v.connected()
	newest.Load().deaf.Store(true)
	v.room.Reconnect()
	v.send("x") // handled after it
	v.until("the row", func() bool { return len(v.rows) == 1 })
	clock.advance(3 * time.Second)
	p, _ := s.welcomed("e", 0, true)
	p.expect(shared.TypeChat)
}

func TestTyping(t *testing.T) {
	s := startOddServer(t)
	clock := newClock()
	v := enter(t, session.Config{Server: s.base, Room: "r", User: "Ann", Clock: clock})
	p, _ := s.welcomed("e", 0, false)
	v.connected()
	for range 10 {
		v.room.Typing()
	}
	v.send("x")
	p.expect(shared.TypeTyping)
	m := p.expect(shared.TypeChat) // and no second typing before it
	p.send(entry(1, m.ID, "Ann", "x"))
	v.shows("x")
	clock.advance(3 * time.Second)
	v.room.Typing()
	p.expect(shared.TypeTyping)

	typing := func(want ...string) {
		t.Helper()
		v.until(fmt.Sprintf("typing by %q", want), func() bool { return slices.Equal(v.typing, want) })
	}
	p.send(shared.Message{Type: shared.TypeTyping, User: "Bob"}, shared.Message{Type: shared.TypeTyping, User: "Ann"}, shared.Message{Type: shared.TypeTyping, User: "cid"})
	typing("Bob", "cid")
	p.send(entry(2, "2", "cid", "done"))
	typing("Bob")
	clock.advance(5 * time.Second)
	typing()
}
