package session_test

import (
	"context"
	"errors"
	"fmt"
	"net"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"parley/client/session"
	"parley/shared"
)

// mine are the texts of the rows that are shown as the person's own.
func (v *viewer) mine() (texts []string) {
	for _, r := range v.rows {
		if r.Mine {
			texts = append(texts, r.Text)
		}
	}
	return texts
}

// TestMineGoesByDevice has the person renamed and a stranger take the name: what
// this device wrote stays its own, and nothing else becomes it.
func TestMineGoesByDevice(t *testing.T) {
	s := startOddServer(t)
	store := openStore(t, filepath.Join(t.TempDir(), "store"))
	defer store.Close()
	v := enter(t, session.Config{Server: s.base, Room: "r", User: "Ann", Store: store})
	p, hello := s.welcomedAs("us", "e", 0, false)
	if !slices.Equal(hello.Can, []string{shared.CanBy, shared.CanPing, shared.CanChange, shared.CanSearch, shared.CanFiles, shared.CanHost}) {
		t.Errorf("says that it can %q", hello.Can)
	}
	v.send("one")
	m := p.expect(shared.TypeChat)
	p.send(entryBy("us", 1, m.ID, "Ann", "one"))
	v.shows("one")

	v.room.Rename("Anna")
	p, _ = s.welcomedAs("us", "e", 5, true)
	p.send(
		entryBy("them", 2, "2", "Ann", "a stranger under the old name"),
		entryBy("us", 3, "3", "Ann", "mine, from another window"),
		entryBy("them", 4, "4", "Anna", "a stranger under the new name"),
		entryBy("them", 5, "5", "Anna", "again"),
	)
	v.shows("one", "a stranger under the old name", "mine, from another window", "a stranger under the new name", "again")
	want := []string{"one", "mine, from another window"}
	if !slices.Equal(v.mine(), want) {
		t.Errorf("mine are %q, want %q", v.mine(), want)
	}
	if r := v.rows[1]; r.By != "them" || r.User != "Ann" {
		t.Errorf("the stranger is %+v", r)
	}
	v.room.Close()
	if recent := store.Recent(); len(recent) != 1 || recent[0].Unread != 3 {
		t.Errorf("unread: %+v", recent)
	}

	// The same after a restart, also for what comes out of the history.
	v = enter(t, session.Config{Server: s.base, Room: "r", User: "Anna", Store: store})
	defer v.room.Close()
	p, _ = s.welcomedAs("us", "f", 2, false)
	p.send(entryBy("us", 1, "x1", "Anna", "in another log"), entryBy("them", 2, "x2", "Anna", "a stranger there"))
	v.until("the other log", func() bool { return len(v.rows) == 7 && v.rows[6].Text == "a stranger there" })
	want = append(want, "in another log")
	if !slices.Equal(v.mine(), want) {
		t.Errorf("after a restart mine are %q, want %q", v.mine(), want)
	}
}

// TestServerThatDoesNotTell has an earlier server, with which the name decides.
func TestServerThatDoesNotTell(t *testing.T) {
	s := startOddServer(t)
	v := enter(t, session.Config{Server: s.base, Room: "r", User: "Ann"})
	p, _ := s.welcomed("e", 2, false)
	p.send(entry(1, "1", "Ann", "mine"), entry(2, "2", "Bob", "Bob's"))
	v.shows("mine", "Bob's")
	if got := v.mine(); !slices.Equal(got, []string{"mine"}) {
		t.Errorf("mine are %q", got)
	}
}

// TestUsedIDs has two people use one id, which a log that was restored under
// another epoch tells apart by who wrote, not by the name.
func TestUsedIDs(t *testing.T) {
	s := startOddServer(t)
	v := enter(t, session.Config{Server: s.base, Room: "r", User: "Ann"})
	p, _ := s.welcomedAs("us", "e", 1, false)
	p.send(entryBy("them", 1, "id", "Bob", "Bob's"))
	v.shows("Bob's")
	_ = p.ws.CloseNow()
	p, _ = s.welcomedAs("us", "f", 3, false)
	p.send(entryBy("them", 2, "id", "Bobby", "Bob's"), entryBy("others", 3, "id", "Bob", "another Bob's"))
	v.shows("Bob's", "another Bob's")
	if mine := v.mine(); len(mine) > 0 { // what is met again stays whose it was
		t.Errorf("mine are %q", mine)
	}
}

func TestRenamed(t *testing.T) {
	s := startOddServer(t)
	v := enter(t, session.Config{Server: s.base, Room: "r", User: "Ann"})
	p, _ := s.welcomedAs("us", "e", 0, false)
	p.send(shared.Message{Type: shared.TypeTyping, User: "Bob"})
	v.until("Bob types", func() bool { return len(v.typing) == 1 })
	p.sendRaw(`{"type":"notice","did":"settings","user":"Bob","about":"","settings":{"slow":5}}`) // of a later server
	p.send(shared.Message{Type: shared.TypeNotice, Did: shared.DidRename, By: "them", User: "Bob", About: "Rob"})
	v.until("the new name", func() bool {
		return slices.ContainsFunc(v.changes, func(c session.Change) bool {
			return c.Kind == session.Renamed && c.By == "them" && c.From == "Bob" && c.To == "Rob"
		})
	})
	v.until("nobody types", func() bool { return len(v.typing) == 0 })
	if n := v.room.Skipped(); n != 0 {
		t.Errorf("%d frames were skipped", n)
	}
}

// TestLaterServer meets a server that knows more: what it says besides is passed
// over, and the rest is shown.
func TestLaterServer(t *testing.T) {
	s := startOddServer(t)
	v := enter(t, session.Config{Server: s.base, Room: "r", User: "Ann"})
	p, _ := s.welcomedAs("us", "e", 100, false)
	p.sendRaw(`{"type":"poll","offset":99,"id":"x","options":["a","b"]}`)
	p.send(entryBy("them", 100, "100", "Bob", "100"))
	v.shows("100")

	ask := func(before int64) {
		t.Helper()
		if q := p.expect(shared.TypeHistory); q.Before != before {
			t.Fatalf("asks before %d, want %d", q.Before, before)
		}
	}
	v.room.LoadOlder()
	ask(100)
	p.sendRaw(`{"type":"history","more":true,"after":80,"messages":[
		{"type":"chat_message","id":"90","offset":90,"user":"Bob","by":"them","message":"90"},{"type":"poll","offset":95,"message":5}]}`)
	v.shows("90", "100")
	if !v.more {
		t.Fatal("one frame that is not known is taken for the beginning")
	}

	// A page that has only such frames is not the beginning either.
	v.room.LoadOlder()
	ask(81)
	p.sendRaw(`{"type":"history","more":true,"after":60,"messages":[{"type":"poll","offset":70},{"type":"poll","offset":80}]}`)
	ask(61)
	p.send(shared.Message{Type: shared.TypeHistory, Messages: []shared.Message{entryBy("them", 60, "60", "Bob", "60")}})
	v.shows("60", "90", "100")
	v.until("the beginning", func() bool { return !v.more })
	if n := v.room.Skipped(); n != 4 {
		t.Errorf("%d frames were skipped, want 4", n)
	}
}

// TestUnreadableAnswer gets answers that can't be read: they say so, and are not
// taken for an empty history. After a while it is asked again.
func TestUnreadableAnswer(t *testing.T) {
	for name, answer := range map[string]string{
		"a message that is not one": `{"type":"history","more":true,"after":5,"messages":[{"type":"chat_message","offset":50,"message":7}]}`,
		"no list":                   `{"type":"history","more":true,"messages":"none"}`,
		"nothing, but more":         `{"type":"history","more":true,"messages":[]}`,
	} {
		t.Run(name, func(t *testing.T) {
			s := startOddServer(t)
			clock := newClock()
			v := enter(t, session.Config{Server: s.base, Room: "r", User: "Ann", Clock: clock})
			p, _ := s.welcomedAs("us", "e", 2, false)
			p.send(entryBy("them", 1, "1", "Bob", "1"), entryBy("them", 2, "2", "Bob", "2"))
			v.shows("1", "2")
			_ = p.ws.CloseNow()
			p, _ = s.welcomedAs("us", "e", 100, false)
			p.send(entryBy("them", 100, "100", "Bob", "100"))
			v.until("a gap", func() bool { return slices.Equal(v.texts(), []string{"1", "2", "-", "100"}) })

			settled := func(kind session.ChangeKind) func() bool {
				before := len(v.changes)
				return func() bool {
					return slices.ContainsFunc(v.changes[before:], func(c session.Change) bool {
						return c.Kind == kind && errors.Is(c.Err, session.ErrUnreadable)
					})
				}
			}
			done := settled(session.Update)
			v.room.LoadGap(v.rows[2].ID)
			p.expect(shared.TypeHistory)
			p.sendRaw(answer)
			v.until("an error at the gap", done)

			v.room.LoadGap(v.rows[2].ID)
			p.send(entryBy("them", 101, "101", "Bob", "101"))
			v.until("what came after it", func() bool { return len(v.rows) == 5 })
			v.room.Typing()
			p.expect(shared.TypeTyping) // and no question before it
			clock.advance(15 * time.Second)
			p.expect(shared.TypeHistory)
			p.send(shared.Message{Type: shared.TypeHistory, More: true, After: 2, Messages: []shared.Message{entryBy("them", 99, "99", "Bob", "99")}})
			v.shows("1", "2", "99", "100", "101") // the page says that nothing lies between 2 and 99
		})
	}
}

// TestUnreadableOlder is the same for what is before the oldest row.
func TestUnreadableOlder(t *testing.T) {
	s := startOddServer(t)
	clock := newClock()
	v := enter(t, session.Config{Server: s.base, Room: "r", User: "Ann", Clock: clock})
	p, _ := s.welcomedAs("us", "e", 9, false)
	p.send(entryBy("them", 9, "9", "Bob", "9"))
	v.shows("9")
	v.room.LoadOlder()
	p.expect(shared.TypeHistory)
	p.sendRaw(`{"type":"history","messages":[{"type":"chat_message","message":" "}]}`)
	v.until("an error", func() bool {
		return slices.ContainsFunc(v.changes, func(c session.Change) bool {
			return c.Kind == session.Prepend && c.More && errors.Is(c.Err, session.ErrUnreadable)
		})
	})
	v.room.LoadOlder()
	clock.advance(15 * time.Second)
	p.expect(shared.TypeHistory)
	p.send(shared.Message{Type: shared.TypeHistory, Messages: []shared.Message{entryBy("them", 8, "8", "Bob", "8")}})
	v.shows("8", "9")
}

// TestGapsAreTold has offsets with holes. If the room was resumed, nothing is
// missing; if it was not, something may be.
func TestGapsAreTold(t *testing.T) {
	s := startOddServer(t)
	v := enter(t, session.Config{Server: s.base, Room: "r", User: "Ann"})
	p, _ := s.welcomedAs("us", "e", 10, false)
	p.send(entryBy("them", 10, "10", "Bob", "10"))
	v.shows("10")
	_ = p.ws.CloseNow()
	p, _ = s.welcomedAs("us", "e", 30, true)
	p.send(entryBy("them", 20, "20", "Bob", "20"), entryBy("them", 30, "30", "Bob", "30"))
	v.shows("10", "20", "30")
	_ = p.ws.CloseNow()
	p, _ = s.welcomedAs("us", "e", 31, false)
	p.send(entryBy("them", 31, "31", "Bob", "31"))
	v.until("a gap", func() bool { return slices.Equal(v.texts(), []string{"10", "20", "30", "-", "31"}) })
	v.room.LoadGap(v.rows[3].ID)
	p.expect(shared.TypeHistory)
	p.send(shared.Message{Type: shared.TypeHistory, More: true, After: 30})
	v.shows("10", "20", "30", "31")
}

// TestPing asks a silent server for a sign of life, and gives it up without one.
func TestPing(t *testing.T) {
	s := startOddServer(t)
	clock := newClock()
	v := enter(t, session.Config{Server: s.base, Room: "r", User: "Ann", Clock: clock})
	p, _ := s.welcomedAs("us", "e", 9, false)
	v.connected()
	for i := range int64(3) {
		clock.advance(shared.PingAfter)
		p.expect(shared.TypePing)
		clock.advance(shared.PongWait - time.Second)
		p.send(shared.Message{Type: shared.TypePong}, entryBy("them", i+1, fmt.Sprint(i), "Bob", "x"))
		v.until("what came", func() bool { return len(v.rows) == int(i)+1 })
		clock.advance(2 * time.Second) // when the answer was due
	}
	if v.take(); v.status.Generation != 1 {
		t.Errorf("answers do not keep the connection: %+v", v.status)
	}
	clock.advance(shared.PingAfter)
	p.expect(shared.TypePing)
	clock.advance(shared.PongWait)
	p.gone()
	s.welcomedAs("us", "e", 9, true)
	v.until("the second", func() bool { return v.status.State == session.Connected && v.status.Generation == 2 })
}

// TestRowsWithoutBy has a store of an earlier version, whose rows do not tell who
// wrote them: they stay whose they were, also on a server that tells.
func TestRowsWithoutBy(t *testing.T) {
	path := filepath.Join(t.TempDir(), "store")
	data, err := os.ReadFile("../store/testdata/store1.db")
	if err == nil {
		err = os.WriteFile(path, data, 0o600)
	}
	if err != nil {
		t.Fatal(err)
	}
	s := startOddServer(t)
	dial := func(ctx context.Context, network, _ string) (net.Conn, error) {
		return new(net.Dialer).DialContext(ctx, network, strings.TrimPrefix(s.base, "http://"))
	}
	texts := []string{"hello 👋", "hi", "how are you?", "refused", "anybody?", "me", "waits"}
	mine := []string{"hi", "refused", "waits"}
	for _, visit := range []string{"first", "second"} {
		store := openStore(t, path)
		v := enter(t, session.Config{Server: "http://192.0.2.1:8000", Room: "Lobby", User: "Ann", Store: store, Dial: dial})
		p, hello := s.next()
		p.send(shared.Message{Type: shared.TypeWelcome, Room: "Lobby", User: "Ann", By: "us", Can: []string{shared.CanBy},
			Epoch: hello.Epoch, Offset: hello.After + 2, Resumed: true})
		if visit == "first" {
			m := p.expect(shared.TypeChat)
			p.send(entryBy("us", hello.After+1, m.ID, "Ann", m.Text), entryBy("them", hello.After+2, "n", "Ann", "new, a stranger's"))
			texts = append(texts, "new, a stranger's")
		}
		v.until("all", func() bool { return slices.Equal(v.texts(), texts) && v.rows[6].Delivery == session.Sent })
		if !slices.Equal(v.mine(), mine) {
			t.Errorf("%s visit: mine are %q, want %q", visit, v.mine(), mine)
		}
		if v.rows[1].By != "" || v.rows[6].By != "us" || v.rows[7].By != "them" {
			t.Errorf("%s visit: %+v", visit, v.rows)
		}
		v.room.Close()
		if err := store.Close(); err != nil {
			t.Fatal(err)
		}
	}
}
