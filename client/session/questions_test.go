package session_test

import (
	"fmt"
	"reflect"
	"slices"
	"strings"
	"testing"

	"parley/client/session"
	"parley/shared"
)

// copyOf is an entry of "them" as an answer has it.
func copyOf(offset, changed int64, text string) shared.Message {
	m := entryBy("them", offset, fmt.Sprint(offset), "Bob", text)
	m.Changed, m.Edited = changed, changed > 0
	return m
}

// answer waits for an answer of a kind, and takes it.
func (c *changing) answer(kind session.ChangeKind) (answer session.Change) {
	c.t.Helper()
	c.until(fmt.Sprint("an answer of kind ", kind), func() bool {
		i := slices.IndexFunc(c.changes, func(x session.Change) bool { return x.Kind == kind })
		if i < 0 {
			return false
		}
		answer = c.changes[i]
		c.changes = slices.Delete(c.changes, i, i+1)
		return true
	})
	return answer
}

// heard waits until the client has taken the commands of before.
func (c *changing) heard() {
	c.t.Helper()
	c.room.React("1", "👍")
	m := c.peer.expect(shared.TypeReact)
	c.refuse(m, shared.CodeNotAllowed)
	c.undone()
}

// TestChangesOfAnAbsence: what was changed while the client could not follow is asked
// for, page by page, until it has all, also over a restart.
func TestChangesOfAnAbsence(t *testing.T) {
	c := startChanging(t, 4)
	c.offline()
	c.online(200, false)
	ask := func(changed int64) {
		t.Helper()
		if m := c.peer.expect(shared.TypeHistory); m.Changed != changed || m.Before != 5 || m.Limit != shared.MaxHistory {
			t.Fatalf("asks %+v", m)
		}
	}
	ask(4)
	// The newest message, and meanwhile an edit of an old one that the answer does not know.
	edit := entryBy("them", 201, "e", "Bob", "newest")
	edit.Edits = 2
	c.peer.send(entryBy("them", 200, "200", "Bob", "text 200"), edit)
	c.row("2", "the edit", says("newest", true))
	older := shared.Message{Type: shared.TypeHistory, More: true, After: 1, Messages: []shared.Message{copyOf(2, 100, "older")}}
	c.peer.send(older)
	ask(4)
	// The server has looked at many changes, of which none was asked for.
	c.peer.send(shared.Message{Type: shared.TypeHistory, More: true, Changed: 90})
	ask(90)
	mine := copyOf(4, 120, "reacted to")
	mine.Edited, mine.Mine, mine.Reactions = false, "🎉", []shared.Count{{Emoji: "🎉", N: 2}}
	c.peer.send(shared.Message{Type: shared.TypeHistory, More: true, Changed: 125, Messages: []shared.Message{copyOf(77, 110, "not here"), mine}})
	ask(125)
	c.row("4", "the reaction", reacted("🎉", session.Reaction{Emoji: "🎉", Count: 2}))

	// It goes on after a restart, although the room is resumed.
	c.offline()
	c.restart()
	var hello shared.Message
	c.peer, hello = c.server.welcomedToChange("e", 201, true)
	if hello.After != 201 {
		t.Errorf("resumes after %d", hello.After)
	}
	ask(125)
	gone := copyOf(1, 130, shared.TextDeleted)
	gone.Edited, gone.Deleted = false, true
	c.peer.send(shared.Message{Type: shared.TypeHistory, Messages: []shared.Message{gone}})
	c.row("1", "the deletion", isDeleted)
	c.row("2", "the newest", says("newest", true))
	if c.rows[4].Kind != session.KindGap || len(c.rows) != 6 {
		t.Errorf("shows\n%s", c.transcript())
	}

	// A second absence, before the first was caught up with, is one with it.
	c.offline()
	c.online(300, false)
	if m := c.peer.expect(shared.TypeHistory); m.Changed != 201 || m.Before != 202 {
		t.Errorf("asks %+v", m)
	}
	c.peer.send(entryBy("them", 300, "300", "Bob", "text 300"))
	c.until("it", func() bool { return len(c.rows) == 8 })
	c.offline()
	c.online(400, false)
	if m := c.peer.expect(shared.TypeHistory); m.Changed != 201 || m.Before != 301 {
		t.Errorf("asks %+v", m)
	}
	// Another log knows nothing of it.
	c.offline()
	c.room.Resume()
	p, _ := c.server.welcomedToChange("f", 2, false)
	copied := copyOf(1, 0, "text 4, as it was first")
	copied.ID = "4"
	p.send(copied)
	c.row("4", "the other log's", func(i session.Item) bool {
		return i.Text == "text 4, as it was first" && i.Reactions == nil && !i.Edited && i.Offset == 1
	})
	c.room.Close()
	p.gone()
}

// TestLearnsOfChanges: who has followed a room without changes, with a server or an app
// of before them, asks for all.
func TestLearnsOfChanges(t *testing.T) {
	s := startOddServer(t)
	v := enter(t, session.Config{Server: s.base, Room: "r", User: "Ann"})
	p, _ := s.welcomedAs("us", "e", 1, false)
	p.send(entryBy("them", 7, "7", "Bob", "old"))
	v.shows("old")
	_ = p.ws.CloseNow()
	p, _ = s.welcomedToChange("e", 7, true)
	if m := p.expect(shared.TypeHistory); m.Changed != 1 || m.Before != 8 {
		t.Errorf("asks %+v", m)
	}
	p.send(shared.Message{Type: shared.TypeHistory, Messages: []shared.Message{copyOf(7, 9, "new")}})
	v.shows("new")
	v.room.Close()
	p.gone()
}

// TestAnswerOlderThanAChange is asked for again: of a message that is not held, the
// change alone says nothing.
func TestAnswerOlderThanAChange(t *testing.T) {
	s := startOddServer(t)
	v := enter(t, session.Config{Server: s.base, Room: "r", User: "Ann"})
	p, _ := s.welcomedToChange("e", 9, false)
	p.send(entryBy("them", 9, "9", "Bob", "text 9"))
	v.shows("text 9")
	v.room.LoadOlder()
	p.expect(shared.TypeHistory)
	edit := entryBy("them", 10, "e", "Bob", "new")
	edit.Edits = 8
	reply := entryBy("them", 7, "7", "Bob", "an answer")
	reply.Reply, reply.Quote = 3, &shared.Quote{User: "Bob", Text: "secret"}
	p.send(edit,
		shared.Message{Type: shared.TypeDelete, Offset: 11, By: "them", User: "Bob", Targets: []int64{3}},
		shared.Message{Type: shared.TypeHistory, Messages: []shared.Message{copyOf(8, 0, "old")}})
	p.expect(shared.TypeHistory)
	p.send(shared.Message{Type: shared.TypeDelete, Offset: 12, By: "them", User: "Bob", Targets: []int64{3}},
		shared.Message{Type: shared.TypeHistory, Messages: []shared.Message{reply, copyOf(8, 10, "new")}})
	p.expect(shared.TypeHistory)
	reply.Quote = nil
	p.send(shared.Message{Type: shared.TypeHistory, Messages: []shared.Message{reply, copyOf(8, 10, "new")}})
	v.shows("an answer", "new", "text 9")
	if q := v.rows[0].Quote; q == nil || q.Text != "" {
		t.Errorf("quotes %+v", q)
	}
	v.room.Close()
	p.gone()
}

func TestSearchTheLog(t *testing.T) {
	c := startChanging(t, 3)
	if err := c.room.Search("\u200b", 0); err != session.ErrEmpty {
		t.Errorf("for nothing to see: %v", err)
	}
	if err := c.room.Search(strings.Repeat("ä", shared.MaxSearch+1), 0); err != session.ErrTooLong {
		t.Errorf("for something long: %v", err)
	}
	if err := c.room.Search("gate", 0); err != nil {
		t.Fatal(err)
	}
	ask := func(text string, before int64) {
		t.Helper()
		if m := c.peer.expect(shared.TypeSearch); m.Text != text || m.Before != before {
			t.Fatalf("asks %+v", m)
		}
	}
	ask("gate", 0)
	// Another one waits, and takes the place of the first.
	c.room.Search("ga", 0)
	c.room.Search("Gate 4", 0)
	c.heard()
	c.peer.send(shared.Message{Type: shared.TypeSearch, Messages: []shared.Message{copyOf(80, 0, "gate")}, Before: 80, More: true})
	ask("Gate 4", 0)
	// The server has read for a while and found nothing yet.
	c.peer.send(shared.Message{Type: shared.TypeSearch, Before: 50, More: true})
	ask("Gate 4", 50)
	c.peer.send(shared.Message{Type: shared.TypeSearch, Messages: []shared.Message{copyOf(40, 41, "gate 4"), copyOf(2, 0, "text 2")}, Before: 2, More: true})
	a := c.answer(session.Found).Search
	if a.Text != "Gate 4" || a.From != 0 || len(a.Hits) != 2 || a.Hits[0].Text != "gate 4" || !a.Hits[0].Edited ||
		!reflect.DeepEqual(a.Hits[1], c.rows[1]) || a.Next != 2 || !a.More || a.Err != nil {
		t.Errorf("found %+v", a)
	}
	c.room.Search("Gate 4", a.Next)
	ask("Gate 4", 2)
	c.offline() // it is asked again
	c.online(3, true)
	ask("Gate 4", 2)
	c.peer.send(shared.Message{Type: shared.TypeError, Code: shared.CodeRateLimited, RetryMS: 1, Text: "Wait."})
	ask("Gate 4", 2)
	c.peer.send(shared.Message{Type: shared.TypeSearch})
	if a := c.answer(session.Found).Search; a.From != 2 || len(a.Hits) != 0 || a.More || a.Err != nil {
		t.Errorf("found %+v", a)
	}
	// Given up.
	c.room.Search("never", 0)
	ask("never", 0)
	c.room.Search("", 0)
	c.heard()
	c.peer.send(shared.Message{Type: shared.TypeSearch, Messages: []shared.Message{copyOf(40, 41, "never")}})
	// A server that leads in a circle, one that refuses, and one that can't be read.
	c.room.Search("circle", 0)
	ask("circle", 0)
	c.peer.send(shared.Message{Type: shared.TypeSearch, Before: 9, More: true})
	ask("circle", 9)
	c.peer.send(shared.Message{Type: shared.TypeSearch, Before: 9, More: true})
	if a := c.answer(session.Found).Search; a.Text != "circle" || a.More || a.Err != session.ErrUnreadable {
		t.Errorf("found %+v", a)
	}
	c.room.Search("refused", 0)
	ask("refused", 0)
	c.peer.send(shared.Message{Type: shared.TypeError, Code: shared.CodeEmpty, Text: "No."})
	if a := c.answer(session.Found).Search; a.Err != session.ErrRefused {
		t.Errorf("found %+v", a)
	}
	c.room.Search("odd", 0)
	ask("odd", 0)
	c.peer.sendRaw(`{"type":"search","messages":7}`)
	if a := c.answer(session.Found).Search; a.Err != session.ErrUnreadable {
		t.Errorf("found %+v", a)
	}
	c.room.Close()
	c.peer.gone()
}

func TestReactors(t *testing.T) {
	c := startChanging(t, 3)
	c.room.Reactions("no such row")
	if w := c.answer(session.Reactors).Who; w.Err != session.ErrGone || w.ID != "no such row" {
		t.Errorf("told %+v", w)
	}
	c.room.Reactions("2")
	if m := c.peer.expect(shared.TypeReactions); m.Target != 2 {
		t.Errorf("asks %+v", m)
	}
	c.peer.send(shared.Message{Type: shared.TypeReactions, Target: 2, Reactors: []shared.Reactors{{Emoji: "👍", Names: []string{"Ann", "Bob"}}, {Emoji: "🎉", Names: []string{"Bob"}}}})
	w := c.answer(session.Reactors).Who
	if w.ID != "2" || w.Err != nil || !reflect.DeepEqual(w.Names, []session.Names{{Emoji: "👍", Users: []string{"Ann", "Bob"}}, {Emoji: "🎉", Users: []string{"Bob"}}}) {
		t.Errorf("told %+v", w)
	}
	c.room.Close()
	c.peer.gone()
}

func TestAround(t *testing.T) {
	s := startOddServer(t)
	v := enter(t, session.Config{Server: s.base, Room: "r", User: "Ann"})
	c := &changing{viewer: v, server: s}
	c.peer, _ = s.welcomedToChange("e", 5000, false)
	c.peer.send(copyOf(5000, 0, "newest"))
	v.shows("newest")
	v.room.Around(5000)
	if e := c.answer(session.Reached).Excerpt; e.ID != "5000" || e.Items != nil || e.Err != nil {
		t.Errorf("reached %+v", e)
	}
	ask := func(before int64, limit int) {
		t.Helper()
		if m := c.peer.expect(shared.TypeHistory); m.Before != before || m.Limit != limit || m.Changed != 0 {
			t.Fatalf("asks %+v", m)
		}
	}
	// Not far: what lies between is loaded.
	v.room.Around(4500)
	ask(5000, 100)
	c.peer.send(shared.Message{Type: shared.TypeHistory, More: true, After: 4699, Messages: []shared.Message{copyOf(4700, 0, "a"), copyOf(4999, 0, "b")}})
	ask(4700, 100)
	c.peer.send(shared.Message{Type: shared.TypeHistory, More: true, After: 4499, Messages: []shared.Message{copyOf(4500, 0, "there")}})
	if e := c.answer(session.Reached).Excerpt; e.ID != "4500" || e.Offset != 4500 || e.Items != nil || e.Err != nil {
		t.Errorf("reached %+v", e)
	}
	v.shows("there", "a", "b", "newest")
	// One that is not there any more.
	v.room.Around(4600)
	ask(4625, 50)
	c.peer.send(shared.Message{Type: shared.TypeHistory, More: true, After: 4499, Messages: []shared.Message{copyOf(4500, 0, "there")}})
	if e := c.answer(session.Reached).Excerpt; e.ID != "" || len(e.Items) != 1 || e.Err != session.ErrGone {
		t.Errorf("reached %+v", e)
	}
	// Far away: an excerpt, which is not in the timeline.
	v.room.Around(7)
	ask(32, 50)
	c.peer.send(shared.Message{Type: shared.TypeHistory, Messages: []shared.Message{copyOf(1, 0, "first"), copyOf(7, 9, "seventh"), copyOf(30, 0, "30th")}})
	e := c.answer(session.Reached).Excerpt
	if e.Offset != 7 || e.ID != "" || e.Err != nil || len(e.Items) != 3 || e.Items[1].Text != "seventh" || !e.Items[1].Edited {
		t.Errorf("reached %+v", e)
	}
	v.shows("there", "a", "b", "newest")
	v.room.Around(8)
	ask(33, 50)
	c.peer.send(shared.Message{Type: shared.TypeError, Code: shared.CodeBadFrame, Text: "No."})
	if e := c.answer(session.Reached).Excerpt; e.Err != session.ErrRefused {
		t.Errorf("reached %+v", e)
	}
	v.room.Close()
	c.peer.gone()
}

// TestHostileChanges: a server that says more than it may, or what makes no sense.
func TestHostileChanges(t *testing.T) {
	c := startChanging(t, 3)
	names := strings.Repeat(`"x",`, 101)
	for _, frame := range []string{
		`{"type":"react","offset":4,"target":2,"emoji":"👍","counts":{"👍":-3}}`,
		`{"type":"react","offset":4,"target":2,"emoji":"👍","counts":{"👍":1e300}}`,
		`{"type":"delete","offset":4,"targets":[` + strings.Repeat("2,", 101) + `2]}`,
		`{"type":"chat_message","offset":4,"id":"q","message":"x","reply":2,"quote":{"user":"Bob","text":"` + strings.Repeat("x", 121) + `"}}`,
		`{"type":"reactions","target":2,"users":{"👍":[` + names + `"x"]}}`,
		`{"type":"search","messages":[` + strings.Repeat(`{"type":"chat_message","message":"x"},`, 21) + `{}],"before":1}`,
		`{"type":"search","messages":[],"before":1}`, `{"type":"reactions","target":2}`, // nobody has asked
	} {
		c.peer.sendRaw(frame)
	}
	for _, frame := range []string{
		`{"type":"react","offset":4,"by":"them","target":2,"emoji":"🦄","counts":{"🦄":3,"👍":0,"🎉":2}}`,
		`{"type":"react","offset":5,"by":"us","target":1,"emoji":"🦄","counts":{}}`,
		`{"type":"delete","offset":6,"by":"them","targets":[]}`,
		`{"type":"delete","offset":7,"by":"them","targets":[7,0,1099511627775]}`,
		`{"type":"chat_message","offset":8,"by":"them","user":"Bob","id":"8","message":"itself","reply":8,"quote":{"user":"Bob","text":"itself"}}`,
		`{"type":"chat_message","offset":9,"by":"them","user":"Bob","id":"9","message":"x","edits":9}`,
		`{"type":"chat_message","offset":10,"by":"them","user":"Bob","id":"10","message":"x","edits":8,"reply":2}`,
	} {
		c.peer.sendRaw(frame)
	}
	c.row("8", "the last", says("x", true))
	c.row("2", "those that are known", reacted("", session.Reaction{Emoji: "🎉", Count: 2}))
	c.row("1", "none", func(i session.Item) bool { return i.Reactions == nil })
	c.room.React("1", "👍")
	c.row("1", "the own", reacted("👍", session.Reaction{Emoji: "👍", Count: 1}))
	if len(c.rows) != 4 {
		t.Errorf("shows\n%s", c.transcript())
	}
	c.peer.expect(shared.TypeReact)
	c.offline()
	c.restart()
	c.row("8", "the last", says("x", true))
	c.room.Close()
}
