package session_test

import (
	"bytes"
	"fmt"
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"testing"

	"parley/client/session"
	"parley/client/store"
	"parley/shared"
)

// welcomedToChange is welcomed by a server that knows of changes and searches. This
// client is "us".
func (s *oddServer) welcomedToChange(epoch string, head int64, resumed bool) (p *peer, hello shared.Message) {
	s.t.Helper()
	p, hello = s.next()
	p.send(shared.Message{
		Type: shared.TypeWelcome, Room: "Room", User: hello.User, By: "us", Epoch: epoch, Offset: head, Resumed: resumed,
		Members: []string{hello.User}, Count: 1, Limits: shared.Limits{Message: 4096, Rate: 1000, Burst: 100, Resume: 100},
		Can: []string{shared.CanBy, shared.CanPing, shared.CanChange, shared.CanSearch},
	})
	return p, hello
}

// echo is the entry that the server makes of what a client sent.
func echo(offset int64, m shared.Message) shared.Message {
	m.By, m.User, m.Offset, m.Of = "us", "Ann", offset, ""
	if m.Type == shared.TypeDelete {
		m.Targets, m.Target = []int64{m.Target}, 0
	}
	return m
}

// changing is a client in a room with a few messages, ids "1", "2", … at these offsets,
// of which the odd ones are its own.
type changing struct {
	*viewer
	server *oddServer
	peer   *peer
	config session.Config
	path   string // of the store
}

func startChanging(t *testing.T, messages int) *changing {
	t.Helper()
	c := &changing{server: startOddServer(t), path: filepath.Join(t.TempDir(), "store")}
	c.config = session.Config{Server: c.server.base, Room: "r", User: "Ann", Store: openStore(t, c.path)}
	t.Cleanup(func() { _ = c.config.Store.(*store.Store).Close() })
	c.viewer = enter(t, c.config)
	c.peer, _ = c.server.welcomedToChange("e", int64(messages), false)
	for i := range messages {
		m := entryBy("them", int64(i+1), fmt.Sprint(i+1), "Bob", fmt.Sprint("text ", i+1))
		if i%2 == 0 {
			m.By, m.User = "us", "Ann"
		}
		c.peer.send(m)
	}
	c.until("the messages", func() bool { return len(c.rows) == messages && c.status.CanChange })
	return c
}

// restart ends the client and starts it again, without a connection.
func (c *changing) restart() {
	c.t.Helper()
	c.room.Close()
	if err := c.config.Store.(*store.Store).Close(); err != nil {
		c.t.Fatal(err)
	}
	c.config.Store = openStore(c.t, c.path)
	c.viewer = enter(c.t, c.config)
	c.until("the rows", func() bool { return c.started })
}

// offline cuts the connection and leaves the client alone.
func (c *changing) offline() {
	c.t.Helper()
	c.room.Pause()
	c.peer.gone()
	c.until("the pause", func() bool { return c.status.Cause == session.CausePaused })
}

func (c *changing) online(head int64, resumed bool) {
	c.t.Helper()
	c.room.Resume()
	c.peer, _ = c.server.welcomedToChange("e", head, resumed)
}

// row waits until the row of an id is as it should be.
func (c *changing) row(id, what string, is func(session.Item) bool) {
	c.t.Helper()
	c.until(what, func() bool {
		i := slices.IndexFunc(c.rows, func(r session.Item) bool { return r.ID == id })
		return i >= 0 && is(c.rows[i])
	})
}

// undone waits for the next Undone.
func (c *changing) undone() (u session.Undo) {
	c.t.Helper()
	c.until("an Undone", func() bool {
		for i, change := range c.changes {
			if change.Kind == session.Undone {
				u = *change.Undo
				c.changes = slices.Delete(c.changes, i, i+1)
				return true
			}
		}
		return false
	})
	return u
}

func (c *changing) refuse(m shared.Message, code shared.ErrorCode) {
	c.t.Helper()
	c.peer.send(shared.Message{Type: shared.TypeError, ID: m.ID, Code: code, Text: "No: " + string(code)})
}

func reacted(mine string, counts ...session.Reaction) func(session.Item) bool {
	return func(i session.Item) bool { return i.Reacted == mine && slices.Equal(i.Reactions, counts) }
}

func says(text string, edited bool) func(session.Item) bool {
	return func(i session.Item) bool { return i.Text == text && i.Edited == edited && !i.Deleted }
}

func isDeleted(i session.Item) bool {
	return i.Deleted && i.Text == "" && i.Quote == nil && i.Reactions == nil && i.Reacted == ""
}

func TestReact(t *testing.T) {
	c := startChanging(t, 3)
	up := func(n int) session.Reaction { return session.Reaction{Emoji: "👍", Count: n} }
	c.room.React("2", "🦄") // not one of them
	c.room.React("2", "👍")
	m := c.peer.expect(shared.TypeReact)
	if m.Target != 2 || m.Of != "2" || m.Emoji != "👍" || m.ID == "" {
		t.Errorf("sends %+v", m)
	}
	c.row("2", "the own reaction, at once", reacted("👍", up(1)))
	e := echo(4, m)
	e.Counts = []shared.Count{{Emoji: "👍", N: 3}}
	c.peer.send(e)
	c.row("2", "all reactions", reacted("👍", up(3)))

	// Of what changes back and forth without a connection, the last goes out.
	c.offline()
	c.room.React("2", "🎉")
	c.row("2", "another one", reacted("🎉", up(2), session.Reaction{Emoji: "🎉", Count: 1}))
	c.room.React("2", "")
	c.row("2", "none", reacted("", up(2)))
	c.room.React("1", "❓")
	c.room.React("1", "")
	c.room.React("3", "✅")
	c.restart()
	c.row("2", "none, after a restart", reacted("", up(2)))
	c.row("3", "the own, after a restart", reacted("✅", session.Reaction{Emoji: "✅", Count: 1}))
	c.peer, _ = c.server.welcomedToChange("e", 4, true)
	m = c.peer.expect(shared.TypeReact)
	if m.Target != 2 || m.Emoji != "" {
		t.Errorf("sends %+v", m)
	}
	// The answer is lost: it goes out again, under the same id, and was kept.
	_ = c.peer.ws.CloseNow()
	c.peer, _ = c.server.welcomedToChange("e", 5, true)
	again := c.peer.expect(shared.TypeReact)
	if !reflect.DeepEqual(again, m) {
		t.Errorf("sends %+v after %+v", again, m)
	}
	c.peer.send(shared.Message{Type: shared.TypeAck, ID: m.ID, Offset: 5})
	last := c.peer.expect(shared.TypeReact)
	c.row("2", "none, though the entry is yet to come", reacted("", up(2)))
	e = echo(5, m)
	e.Counts = []shared.Count{{Emoji: "👍", N: 7}}
	c.peer.send(e)
	c.row("2", "the others' reactions", reacted("", up(7)))
	c.refuse(last, shared.CodeNotFound)
	if u := c.undone(); u != (session.Undo{ID: "3", Did: session.DidReact, Emoji: "✅", Code: shared.CodeNotFound, Reason: "No: not_found"}) {
		t.Errorf("undone: %+v", u)
	}
	c.row("3", "no reaction", reacted(""))

	// An older change of a row is none.
	e.ID, e.By, e.User, e.Offset, e.Counts = "x", "them", "Bob", 6, nil
	c.peer.send(e, e)
	c.row("2", "no reactions", reacted(""))
	c.room.Close()
	c.peer.gone()
}

func TestEdit(t *testing.T) {
	c := startChanging(t, 3)
	if err := c.room.Edit("1", " "); err != session.ErrEmpty {
		t.Errorf("a blank edit: %v", err)
	}
	if err := c.room.Edit("1", strings.Repeat("x", 4097)); err != session.ErrTooLong {
		t.Errorf("a long edit: %v", err)
	}
	edit := func(id, text string) {
		t.Helper()
		if err := c.room.Edit(id, text); err != nil {
			t.Fatal(err)
		}
	}
	edit("2", "of another")
	if u := c.undone(); u.Text != "of another" || u.Code != shared.CodeNotAllowed {
		t.Errorf("undone: %+v", u)
	}
	edit("no such row", "of nothing")
	if u := c.undone(); u.Text != "of nothing" || u.Code != shared.CodeNotFound {
		t.Errorf("undone: %+v", u)
	}
	edit("1", "text 1") // as it is
	edit("1", "better")
	m := c.peer.expect(shared.TypeChat)
	if m.Edits != 1 || m.Of != "1" || m.Text != "better" {
		t.Errorf("sends %+v", m)
	}
	c.row("1", "the edit, at once", says("better", true))
	edit("1", "best") // while the other one is on its way
	edit("1", "very best")
	c.row("1", "the last edit", says("very best", true))
	c.peer.send(echo(4, m))
	m = c.peer.expect(shared.TypeChat)
	if m.Edits != 1 || m.Text != "very best" {
		t.Errorf("sends %+v", m)
	}
	c.refuse(m, shared.CodeNotAllowed)
	if u := c.undone(); u.ID != "1" || u.Did != session.DidEdit || u.Text != "very best" || u.Code != shared.CodeNotAllowed {
		t.Errorf("undone: %+v", u)
	}
	c.row("1", "the edit before", says("better", true))

	// What has not gone out is changed itself; what is on its way waits.
	c.offline()
	item, _ := c.room.Send("typo")
	edit(item.ID, "tipo")
	edit(item.ID, "type")
	other, _ := c.room.Send("gone")
	c.room.Delete(other.ID)
	c.row(item.ID, "the text", says("type", false))
	c.restart()
	if len(c.rows) != 4 {
		t.Errorf("shows\n%s", c.transcript())
	}
	c.peer, _ = c.server.welcomedToChange("e", 4, true)
	m = c.peer.expect(shared.TypeChat)
	if m.Text != "type" || m.Edits != 0 {
		t.Errorf("sends %+v", m)
	}
	edit(item.ID, "types")
	c.room.React(item.ID, "🎉")
	c.row(item.ID, "the edit of what is on its way", says("types", true))
	c.send("next")
	c.until("the next", func() bool { return len(c.rows) == 5 })
	c.peer.send(echo(5, m))
	m = c.peer.expect(shared.TypeChat)
	if m.Edits != 5 || m.Of != item.ID || m.Text != "types" {
		t.Errorf("sends %+v", m)
	}
	c.peer.send(echo(6, m))
	m = c.peer.expect(shared.TypeReact)
	if m.Target != 5 || m.Of != item.ID {
		t.Errorf("sends %+v", m)
	}
	c.peer.send(echo(7, m))
	m = c.peer.expect(shared.TypeChat)
	if m.Text != "next" || m.Edits != 0 {
		t.Errorf("sends %+v", m)
	}

	// If it is refused, the edit is what can be sent again.
	edit(m.ID, "the next")
	c.row(m.ID, "the edit", says("the next", true))
	c.refuse(m, shared.CodeNotAllowed)
	failed := func(text string) func(session.Item) bool {
		return func(i session.Item) bool { return i.Delivery == session.Failed && i.Text == text && !i.Edited }
	}
	c.row(m.ID, "the refusal", failed("the next"))
	edit(m.ID, "the very next")
	c.row(m.ID, "another text", failed("the very next"))
	c.room.Delete(m.ID)
	c.until("it gone", func() bool { return len(c.rows) == 4 })

	// What is done to a message goes out after it, and before what was written later.
	c.offline()
	first, _ := c.room.Send("first")
	c.room.React(first.ID, "🎉")
	c.room.React("2", "🎉")
	second, _ := c.room.Send("second")
	c.until("the rows", func() bool { return len(c.rows) == 6 })
	c.online(7, true)
	for i, is := range []func(m shared.Message) bool{
		func(m shared.Message) bool { return m.ID == first.ID },
		func(m shared.Message) bool { return m.Target == 8 && m.Of == first.ID },
		func(m shared.Message) bool { return m.Target == 2 && m.Of == "2" },
		func(m shared.Message) bool { return m.ID == second.ID },
	} {
		m, ok := <-c.peer.frames
		if !ok || !is(m) {
			t.Fatalf("sends %+v as the %d.", m, i)
		}
		c.peer.send(echo(int64(8+i), m))
	}
	c.until("all", c.settled)
	c.room.Close()
	c.peer.gone()
}

// TestOthersEdit: edits of others change rows, move the position, and are not taken
// for messages.
func TestOthersEdit(t *testing.T) {
	c := startChanging(t, 3)
	edit := func(offset int64, text string) shared.Message {
		m := entryBy("them", offset, fmt.Sprint("e", offset), "Bob", text)
		m.Edits = 2
		return m
	}
	c.peer.send(edit(4, "new"), edit(5, "newer"), edit(5, "twice"), edit(4, "old"))
	c.row("2", "the edit", says("newer", true))
	// A copy may be ahead of the room.
	c.room.Around(77)
	c.peer.expect(shared.TypeHistory)
	c.peer.send(shared.Message{Type: shared.TypeHistory, Messages: []shared.Message{copyOf(2, 40, "ahead")}})
	c.row("2", "the copy", says("ahead", true))
	c.peer.send(edit(6, "behind"))
	unheld := edit(7, "of what is not here")
	unheld.Edits = 77
	c.peer.send(unheld)
	c.peer.send(entryBy("them", 8, "8", "Bob", "last"))
	c.until("the last", func() bool { return len(c.rows) == 4 })
	if c.rows[1].Text != "ahead" {
		t.Errorf("shows\n%s", c.transcript())
	}
	c.offline()
	c.restart()
	c.row("2", "the copy", says("ahead", true))
	p, hello := c.server.welcomedToChange("e", 8, true)
	if hello.After != 8 {
		t.Errorf("resumes after %d", hello.After)
	}
	c.room.Close()
	p.gone()
}

func TestDelete(t *testing.T) {
	c := startChanging(t, 3)
	reply := entryBy("them", 4, "4", "Bob", "an answer")
	reply.Reply, reply.Quote = 1, &shared.Quote{User: "Ann", Text: "text 1"}
	c.peer.send(reply)
	c.row("4", "the quote", func(i session.Item) bool {
		return i.Quote != nil && *i.Quote == session.Quote{Offset: 1, User: "Ann", Text: "text 1"}
	})
	c.room.React("1", "👍")
	m := c.peer.expect(shared.TypeReact)
	c.room.Edit("1", "will not go out")
	c.room.Delete("2") // of another
	c.room.Delete("1")
	c.row("1", "the deletion, at once", isDeleted)
	c.room.React("1", "🎉")
	c.peer.send(echo(5, m))
	m = c.peer.expect(shared.TypeDelete)
	if m.Target != 1 || m.Of != "1" {
		t.Errorf("sends %+v", m)
	}
	c.refuse(m, shared.CodeNotAllowed)
	if u := c.undone(); u.Did != session.DidDelete || u.ID != "1" {
		t.Errorf("undone: %+v", u)
	}
	c.row("1", "the message again", says("text 1", false))
	c.room.Delete("1")
	c.peer.send(echo(6, c.peer.expect(shared.TypeDelete)))
	c.row("1", "the deletion", isDeleted)
	c.row("4", "no quote", func(i session.Item) bool { return i.Quote != nil && *i.Quote == session.Quote{Offset: 1} })

	// Neither is one that is not here.
	reply.Offset, reply.ID, reply.Reply = 7, "7", 99
	c.peer.send(reply, shared.Message{Type: shared.TypeDelete, By: "them", User: "Bob", Offset: 8, Targets: []int64{99}})
	c.row("7", "no quote", func(i session.Item) bool { return i.Quote != nil && *i.Quote == session.Quote{Offset: 99} })

	// One that somebody else has deleted first is as the person wants it.
	c.room.Delete("3")
	m = c.peer.expect(shared.TypeDelete)
	c.peer.send(shared.Message{Type: shared.TypeDelete, ID: "first", By: "host", User: "Host", Offset: 9, Targets: []int64{3}})
	c.refuse(m, shared.CodeNotFound)
	c.row("3", "the deletion", isDeleted)

	// An edit that came too late is handed back.
	c.send("an own one")
	m = c.peer.expect(shared.TypeChat)
	c.peer.send(echo(10, m))
	c.until("the message", c.settled)
	c.room.Edit(m.ID, "an own one, better")
	late := c.peer.expect(shared.TypeChat)
	c.peer.send(shared.Message{Type: shared.TypeDelete, ID: "d", By: "host", User: "Host", Offset: 11, Targets: []int64{10, 2, 99}})
	c.row(m.ID, "the deletion", isDeleted)
	c.refuse(late, shared.CodeNotFound)
	if u := c.undone(); u.Text != "an own one, better" {
		t.Errorf("undone: %+v", u)
	}
	c.room.Close()
	c.peer.gone()
	if err := c.config.Store.(*store.Store).Close(); err != nil { // which erases what was put off
		t.Fatal(err)
	}
	for _, text := range []string{"text 1", "text 2", "text 3", "an own one", "will not go out"} {
		if data, err := os.ReadFile(c.path); err != nil || bytes.Contains(data, []byte(text)) {
			t.Errorf("%q is in the store, %v", text, err)
		}
	}
	c.restart()
	if len(c.rows) != 6 || !isDeleted(c.rows[0]) || c.rows[3].Quote.Text != "" || c.rows[3].Text != "an answer" {
		t.Errorf("shows %+v", c.rows)
	}
	c.room.Close()
}

// TestAmendmentGoesOutAfterItsMessage deletes the row that an amendment waits behind: it
// still waits for its own message, without whose offset an edit would be a message.
func TestAmendmentGoesOutAfterItsMessage(t *testing.T) {
	for did, amend := range map[session.Did]func(*session.Room, string){
		session.DidEdit:   func(r *session.Room, id string) { _ = r.Edit(id, "right") },
		session.DidDelete: (*session.Room).Delete,
		session.DidReact:  func(r *session.Room, id string) { r.React(id, "👍") },
	} {
		c := startChanging(t, 1)
		sent, _ := c.room.Send("wrong")
		c.peer.expect(shared.TypeChat) // its echo is lost
		c.offline()
		later, _ := c.room.Send("later")
		amend(c.room, sent.ID)
		c.room.Delete(later.ID)
		c.until("the amendment alone", func() bool { return len(c.rows) == 2 && c.rows[1].ID == sent.ID })
		c.online(1, true)
		if m := <-c.peer.frames; m.ID != sent.ID || m.Text != "wrong" {
			t.Fatalf("%s: %s goes out before its message", did, shared.Encode(m))
		}
		c.peer.send(shared.Message{Type: shared.TypeAck, ID: sent.ID, Offset: 2})
		if m := <-c.peer.frames; m.Edits+m.Target != 2 || m.Of != sent.ID {
			t.Errorf("%s: %s goes out for the message at 2", did, shared.Encode(m))
		}
		c.room.Close()
		c.peer.gone()
	}
}

// TestAmendmentKeepsItsTurn deletes one of the messages that an amendment waits behind.
func TestAmendmentKeepsItsTurn(t *testing.T) {
	c := startChanging(t, 1)
	c.offline()
	before, _ := c.room.Send("before")
	gone, _ := c.room.Send("gone")
	_ = c.room.Edit("1", "edited")
	c.room.Delete(gone.ID)
	c.until("the rows", func() bool { return len(c.rows) == 2 && c.rows[0].Text == "edited" })
	c.online(1, true)
	if m := <-c.peer.frames; m.ID != before.ID {
		t.Errorf("%s goes out first", shared.Encode(m))
	}
}

// TestDeleteInAnotherLog has a deletion wait while the room gets another name: the new room
// of the old name knows nothing of the message, which others still read.
func TestDeleteInAnotherLog(t *testing.T) {
	c := startChanging(t, 1)
	c.offline()
	c.room.Delete("1")
	c.row("1", "the deletion", isDeleted)
	c.online(1, true) // the new one has as many entries
	c.refuse(c.peer.expect(shared.TypeDelete), shared.CodeNotFound)
	if u := c.undone(); u.ID != "1" || u.Did != session.DidDelete || u.Code != shared.CodeNotFound {
		t.Errorf("undone is %+v", u)
	}
	c.row("1", "the text", says("text 1", false))
}

func TestReply(t *testing.T) {
	c := startChanging(t, 3)
	reply := func(text, to string) {
		t.Helper()
		if _, err := c.room.SendReply(text, to); err != nil {
			t.Fatal(err)
		}
	}
	quotes := func(text string, offset int64) func(session.Item) bool {
		return func(i session.Item) bool { return i.Quote != nil && i.Quote.Text == text && i.Quote.Offset == offset }
	}
	reply("why?", "2")
	m := c.peer.expect(shared.TypeChat)
	if m.Reply != 2 || m.Of != "2" || m.Text != "why?" {
		t.Errorf("sends %+v", m)
	}
	c.row(m.ID, "the quote, at once", quotes("text 2", 2))
	e := echo(4, m)
	e.Reply = 0 // it is gone meanwhile
	c.peer.send(e)
	c.row(m.ID, "the answer without a quote", func(i session.Item) bool { return i.Delivery == session.Sent && i.Quote == nil })

	// To what is itself pending, kept over a restart; of long ones, the beginning.
	c.offline()
	long, _ := c.room.Send(strings.Repeat("ä", 200))
	reply("to the long one", long.ID)
	reply("to nobody", "no such row")
	c.until("all", func() bool { return len(c.rows) == 7 })
	c.restart()
	if q := c.rows[5].Quote; q == nil || q.Text != strings.Repeat("ä", shared.MaxQuote) || c.rows[6].Quote != nil {
		t.Errorf("quotes %+v", q)
	}
	c.peer, _ = c.server.welcomedToChange("e", 4, true)
	c.peer.send(echo(5, c.peer.expect(shared.TypeChat)))
	m = c.peer.expect(shared.TypeChat)
	if m.Reply != 5 || m.Of != long.ID {
		t.Errorf("sends %+v", m)
	}

	// Refused, and sent again, it still answers.
	c.refuse(m, shared.CodeNotAllowed)
	c.row(m.ID, "the refusal", func(i session.Item) bool { return i.Delivery == session.Failed })
	m = c.peer.expect(shared.TypeChat)
	if m.Reply != 0 || m.Of != "" {
		t.Errorf("sends %+v", m)
	}
	c.peer.send(echo(6, m))
	c.room.Retry(c.rows[slices.IndexFunc(c.rows, func(i session.Item) bool { return i.Delivery == session.Failed })].ID)
	m = c.peer.expect(shared.TypeChat)
	if m.Reply != 5 || m.Of != long.ID {
		t.Errorf("sends %+v again", m)
	}
	// What answers a message that was refused goes out by itself.
	reply("to the answer", m.ID)
	c.until("the quote", func() bool { return c.rows[len(c.rows)-1].Quote != nil })
	c.refuse(m, shared.CodeNotAllowed)
	if m = c.peer.expect(shared.TypeChat); m.Text != "to the answer" || m.Reply != 0 {
		t.Errorf("sends %+v", m)
	}
	c.row(m.ID, "no quote", func(i session.Item) bool { return i.Quote == nil })
	c.room.Close()
	c.peer.gone()
}

// TestServerWithoutChanges is offered none: it would take an edit for a message.
func TestServerWithoutChanges(t *testing.T) {
	c := startChanging(t, 3)
	c.offline()
	c.room.Edit("1", "edited")
	c.room.SendReply("an answer", "2")
	c.row("1", "the edit", says("edited", true))
	c.room.Resume()
	p, _ := c.server.welcomedAs("us", "e", 3, true)
	if u := c.undone(); u.Text != "edited" || u.Code != shared.CodeUnknownType {
		t.Errorf("undone: %+v", u)
	}
	if m := p.expect(shared.TypeChat); m.Text != "an answer" || m.Reply != 0 || m.Edits != 0 {
		t.Errorf("sends %+v", m)
	}
	if c.status.CanChange || c.status.CanSearch {
		t.Errorf("the status is %+v", c.status)
	}
	c.room.React("2", "👍")
	c.room.Delete("1")
	c.room.Reactions("2")
	c.room.Search("x", 0)
	c.until("no answers", func() bool {
		refused := 0
		for _, x := range c.changes {
			if x.Kind == session.Found && x.Search.Err == session.ErrRefused || x.Kind == session.Reactors && x.Who.Err == session.ErrRefused {
				refused++
			}
		}
		return refused == 2
	})
	c.room.Close()
	p.gone()
}

// A folder that is put back twice has an epoch that is known, and rows lie behind the
// position while it is followed again: their changes are asked for, too.
func TestChangesBehindThePosition(t *testing.T) {
	t.Parallel()
	c := startChanging(t, 5)
	c.offline()
	c.room.Resume()
	c.peer, _ = c.server.welcomedToChange("other", 1, false)
	c.peer.send(entryBy("them", 1, "x", "Bob", "elsewhere"))
	c.until("the other log", func() bool { return slices.Contains(c.texts(), "elsewhere") })
	c.offline()
	c.online(5, false)
	c.peer.send(entryBy("them", 4, "4", "Bob", "text 4")) // and no more
	c.until("nothing new", func() bool { return c.status.State == session.Connected && len(c.rows) >= 6 })
	c.peer.send(shared.Message{Type: shared.TypeTyping, User: "Bob"})
	c.until("that it was taken", func() bool { return len(c.typing) == 1 })
	c.offline()
	c.online(5, false)
	if q := c.peer.expect(shared.TypeHistory); q.Changed != 4 || q.Before != 6 {
		t.Errorf("asked are changes after %d before %d", q.Changed, q.Before)
	}
}

// What is not in the timeline, but may be shown elsewhere, is told of as well.
func TestChangesElsewhere(t *testing.T) {
	c := startChanging(t, 2)
	edit := entryBy("them", 301, "e", "Bob", "newer")
	edit.Edits = 200
	c.peer.send(edit)
	c.peer.send(shared.Message{Type: shared.TypeDelete, ID: "d", By: "them", User: "Bob", Offset: 302, Targets: []int64{2, 201}})
	var told []session.Item
	c.until("two changes", func() bool {
		told = nil
		for _, x := range c.changes {
			if x.Kind == session.Elsewhere {
				told = append(told, x.Items...)
			}
		}
		return len(told) == 2
	})
	want := []session.Item{{Offset: 200, User: "Bob", Text: "newer", Edited: true}, {Offset: 201, Deleted: true}}
	if !reflect.DeepEqual(told, want) || !c.rows[1].Deleted {
		t.Errorf("told %+v", told)
	}
}

// What waits without a connection is told, with a mark in its row, and can be taken back
// until it has gone out; after a restart, too.
func TestTakingBack(t *testing.T) {
	c := startChanging(t, 4)
	c.offline()
	row := func(id string) session.Item { return c.viewer.row(id) }
	if err := c.room.Edit("1", "better"); err != nil {
		t.Fatal(err)
	}
	c.room.Delete("3")
	c.room.React("2", "👍")
	told := func(n int) {
		t.Helper()
		c.until(fmt.Sprint(n, " that wait"), func() bool { return len(c.waiting) == n })
	}
	told(3)
	c.restart()
	c.server.next() // which it does not hear of
	told(3)
	if w := c.waiting; w[0].Did != session.DidEdit || w[0].Text != "better" || w[1].Did != session.DidDelete || w[1].Text != "text 3" || w[2].Emoji != "👍" || w[2].Row != "2" || w[0].Out {
		t.Errorf("waiting are %+v", w)
	}
	if row("1").Waits != session.DidEdit || row("3").Waits != session.DidDelete || row("2").Waits != session.DidReact || row("4").Waits != "" {
		t.Errorf("the rows are\n%s", c.transcript())
	}
	for _, w := range c.waiting[:2] {
		c.room.TakeBack(w.ID)
	}
	told(1)
	if row("1").Text != "text 1" || row("1").Edited || row("1").Waits != "" || row("3").Deleted || row("3").Text != "text 3" {
		t.Errorf("taken back, the rows are\n%s", c.transcript())
	}
	c.restart()
	c.peer, _ = c.server.welcomedToChange("e", 4, true)
	m := c.peer.expect(shared.TypeReact)
	c.until("it to be on its way", func() bool { return len(c.waiting) == 1 && c.waiting[0].Out })
	c.room.TakeBack(c.waiting[0].ID)
	c.peer.send(echo(5, m))
	told(0)
	if row("2").Reacted != "👍" || row("2").Waits != "" {
		t.Errorf("the row is %+v", row("2"))
	}
}

// What the person answers, and what they did to messages, is known after the app has ended
// also if the message is older than all rows that are kept.
func TestTargetsOutliveTheirRows(t *testing.T) {
	c := startChanging(t, 510)
	c.offline()
	if _, err := c.room.SendReply("waits", "3"); err != nil {
		t.Fatal(err)
	}
	c.room.React("4", shared.Emojis[1])
	c.room.Delete("5")
	c.room.SetTask(session.Task{Row: "2"})
	c.restart()
	if slices.ContainsFunc(c.rows, func(i session.Item) bool { return i.Offset > 0 && i.Offset < 10 }) {
		t.Fatal("old rows are there")
	}
	task := c.room.Task()
	if want := (session.Task{Row: "2", Entry: "2", Quote: session.Quote{Offset: 2, User: "Bob", Text: "text 2"}}); task != want {
		t.Errorf("the task is %+v, not %+v", task, want)
	}
	if w := c.waiting; len(w) != 2 || w[0].About != "text 4" || w[1].Text != "text 5" {
		t.Errorf("what waits is %+v", w)
	}

	c.peer, _ = c.server.welcomedToChange("e", 510, true)
	first := c.peer.expect(shared.TypeChat)
	if first.Reply != 3 || first.Of != "3" {
		t.Errorf("what waited went out as %+v", first)
	}
	c.peer.send(echo(511, first))
	if m := c.peer.expect(shared.TypeReact); m.Target != 4 || m.Of != "4" {
		t.Errorf("the reaction went out as %+v", m)
	} else {
		c.peer.send(echo(512, m))
	}
	if m := c.peer.expect(shared.TypeDelete); m.Target != 5 || m.Of != "5" {
		t.Errorf("the deletion went out as %+v", m)
	} else {
		c.peer.send(echo(513, m))
	}
	c.peer.send(shared.Message{Type: shared.TypeChat, ID: "x", User: "Bob", By: "them", Offset: 514, Edits: 2, Text: "the secret"})
	c.elsewhere("the secret")
	item, err := c.room.SendReply("answers", "2")
	if err != nil {
		t.Fatal(err)
	}
	if m := c.peer.expect(shared.TypeChat); m.Reply != 2 || m.Of != "2" {
		t.Errorf("the answer went out as %+v", m)
	} else {
		c.peer.send(echo(515, m))
	}
	c.row(item.ID, "the answer", func(i session.Item) bool {
		return i.Delivery == session.Sent && i.Quote != nil && i.Quote.Offset == 2
	})
	c.room.Close()
	c.peer.gone()
}

// A begun edit of a message that is older than all rows that are kept goes on after the app
// has ended, and out to that message. One of a message that was deleted is handed back.
func TestEditOutlivesItsRow(t *testing.T) {
	c := startChanging(t, 510)
	c.room.SetTask(session.Task{Row: "3", Edit: true, Text: "bet"})
	c.room.SetTask(session.Task{Row: "3", Edit: true, Text: "better"})
	c.room.SetDraft("something else")
	c.offline()
	c.restart()
	task := c.room.Task()
	if want := (session.Task{Row: "3", Edit: true, Text: "better", Entry: "3", Quote: session.Quote{Offset: 3, User: "Ann", Text: "text 3"}}); task != want {
		t.Errorf("the task is %+v, not %+v", task, want)
	}
	if err := c.room.Edit("3", "best"); err != nil {
		t.Fatal(err)
	}
	c.until("the edit to wait", func() bool { return len(c.waiting) == 1 && c.waiting[0].Text == "best" })
	if c.room.Task() != (session.Task{}) || c.room.Draft() != "something else" {
		t.Errorf("the task is %+v, the draft %q", c.room.Task(), c.room.Draft())
	}
	c.peer, _ = c.server.welcomedToChange("e", 510, true)
	m := c.peer.expect(shared.TypeChat)
	if m.Edits != 3 || m.Of != "3" || m.Text != "best" {
		t.Errorf("the edit went out as %+v", m)
	}
	c.peer.send(echo(511, m))
	c.until("nothing to wait", func() bool { return len(c.waiting) == 0 })

	c.room.SetTask(session.Task{Row: "507", Edit: true, Text: "gone"})
	c.peer.send(shared.Message{Type: shared.TypeDelete, ID: "y", User: "Ann", By: "us", Offset: 512, Targets: []int64{507}})
	c.row("507", "a deleted message", isDeleted)
	if err := c.room.Edit("507", "gone"); err != nil {
		t.Fatal(err)
	}
	if u := c.undone(); u.Text != "gone" || u.Code != shared.CodeNotFound {
		t.Errorf("the edit came to %+v", u)
	}
	c.room.Close()
}

// elsewhere waits until a message that has no row has another text.
func (c *changing) elsewhere(text string) {
	c.t.Helper()
	c.until("another text", func() bool {
		return slices.ContainsFunc(c.changes, func(x session.Change) bool {
			return x.Kind == session.Elsewhere && x.Items[len(x.Items)-1].Text == text
		})
	})
}

// Of a message that was deleted nothing stays in what the person writes for.
func TestDeletedIsNoTarget(t *testing.T) {
	c := startChanging(t, 510)
	c.room.SetTask(session.Task{Row: "2"})
	c.offline()
	c.restart()
	c.peer, _ = c.server.welcomedToChange("e", 510, true)
	c.peer.send(shared.Message{Type: shared.TypeChat, ID: "x", User: "Bob", By: "them", Offset: 511, Edits: 2, Text: "the secret"})
	c.elsewhere("the secret")
	c.room.Pause()
	c.peer.gone()
	c.restart()
	if q := c.room.Task().Quote; q.Text != "the secret" {
		t.Errorf("the quote is %+v", q)
	}
	c.peer, _ = c.server.welcomedToChange("e", 511, true)
	c.peer.send(shared.Message{Type: shared.TypeDelete, ID: "y", User: "Bob", By: "them", Offset: 512, Targets: []int64{2}})
	c.elsewhere("")
	c.room.Pause()
	c.peer.gone()
	c.restart()
	if q := c.room.Task().Quote; q != (session.Quote{}) {
		t.Errorf("the quote is %+v", q)
	}
	if data, err := os.ReadFile(c.path); err != nil || bytes.Contains(data, []byte("the secret")) {
		t.Errorf("%v; the file has the secret", err)
	}
	if item, err := c.room.SendReply("answers", "2"); err != nil {
		t.Fatal(err)
	} else {
		c.row(item.ID, "a message by itself", func(i session.Item) bool { return i.Quote == nil })
	}
	c.room.Close()
}
