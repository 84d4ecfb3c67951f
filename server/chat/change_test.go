package chat_test

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/coder/websocket"

	"parley/server/chat"
	"parley/shared"
	"parley/shared/testdata/frozen/codec1"
	"parley/shared/testdata/frozen/codec2"
	"parley/shared/testdata/frozen/codec3"
)

// editFor lets whoever wrote a message change it.
func editFor(d time.Duration) func(*chat.Config) {
	return func(c *chat.Config) { c.EditFor = d }
}

func edit(id string, target int64, of, text string) shared.Message {
	return shared.Message{Type: shared.TypeChat, ID: id, Edits: target, Of: of, Text: text}
}

func reply(id string, target int64, of, text string) shared.Message {
	return shared.Message{Type: shared.TypeChat, ID: id, Reply: target, Of: of, Text: text}
}

func del(id string, target int64, of string) shared.Message {
	return shared.Message{Type: shared.TypeDelete, ID: id, Target: target, Of: of}
}

func react(id string, target int64, of, emoji string) shared.Message {
	return shared.Message{Type: shared.TypeReact, ID: id, Target: target, Of: of, Emoji: emoji}
}

// ask sends a question and returns the answer.
func (c *client) ask(m shared.Message) shared.Message {
	c.t.Helper()
	c.send(m)
	return c.next(m.Type)
}

// line is a message with what has become of it, in a line.
func line(m shared.Message) string {
	s := fmt.Sprintf("%d %s", m.Offset, m.Text)
	for name, set := range map[string]bool{" deleted": m.Deleted, " edited": m.Edited} {
		if set {
			s += name
		}
	}
	if m.Reply != 0 {
		s += fmt.Sprintf(" re %d", m.Reply)
	}
	if m.Quote != nil {
		s += fmt.Sprintf(" (%s: %s)", m.Quote.User, m.Quote.Text)
	}
	for _, c := range m.Reactions {
		s += fmt.Sprintf(" %s%d", c.Emoji, c.N)
	}
	if m.Mine != "" {
		s += " mine " + m.Mine
	}
	if m.Changed != 0 {
		s += fmt.Sprintf(" @%d", m.Changed)
	}
	return s
}

func lines(messages []shared.Message) (lines []string) {
	for _, m := range messages {
		lines = append(lines, line(m))
	}
	return lines
}

// What members do to messages reaches those who understand it, and is what whoever
// comes later finds.
func TestChanges(t *testing.T) {
	s := start(t, editFor(time.Hour))
	ann, welcome := s.join("r", hello("Ann", newDevice()))
	bob, bobs := s.join("r", hello("Bob", newDevice()))
	tim := s.tutorial("r/Tim")
	everyone := []*client{ann, bob}
	ann.say("a", "Gate 3")
	for _, c := range append(everyone, tim) {
		c.next(shared.TypeChat)
	}
	bob.send(react("b", 1, "a", "👍"))
	for _, c := range everyone {
		m := c.next(shared.TypeReact)
		if m.ID != "b" || m.Offset != 2 || m.Target != 1 || m.Emoji != "👍" || !slices.Equal(m.Counts, []shared.Count{{Emoji: "👍", N: 1}}) ||
			m.User != "Bob" || m.By != bobs.By || m.Time.IsZero() || m.Of != "" {
			t.Errorf("the reaction is %+v", m)
		}
	}
	ann.send(edit("c", 1, "a", "Gate 4"))
	for _, c := range append(everyone, tim) {
		if m := c.next(shared.TypeChat); m.ID != "c" || m.Offset != 3 || m.Edits != 1 || m.Text != "Gate 4" || m.User != "Ann" || m.By != welcome.By {
			t.Errorf("the edit is %+v", m)
		}
	}
	bob.send(reply("d", 1, "a", "Thanks"))
	for _, c := range append(everyone, tim) {
		if m := c.next(shared.TypeChat); m.Reply != 1 || m.Quote == nil || *m.Quote != (shared.Quote{User: "Ann", Text: "Gate 4"}) || m.Text != "Thanks" {
			t.Errorf("the reply is %+v", m)
		}
	}
	ann.send(edit("c", 1, "a", "Gate 5"))
	if m := ann.next(shared.TypeAck); m.ID != "c" || m.Offset != 3 {
		t.Errorf("the answer to a repeated edit is %+v", m)
	}
	history := shared.Message{Type: shared.TypeHistory, Limit: 10}
	equal(t, "Ann's history", lines(ann.ask(history).Messages), "1 Gate 4 edited 👍1 @3", "4 Thanks re 1 (Ann: Gate 4)")
	equal(t, "Bob's history", lines(bob.ask(history).Messages), "1 Gate 4 edited 👍1 mine 👍 @3", "4 Thanks re 1 (Ann: Gate 4)")
	if m := ann.ask(shared.Message{Type: shared.TypeReactions, Target: 1}); m.Target != 1 || fmt.Sprint(m.Reactors) != "[{👍 [Bob]}]" {
		t.Errorf("who reacted: %+v", m)
	}
	bob.send(react("e", 1, "a", ""))
	for _, c := range everyone {
		if m := c.next(shared.TypeReact); m.Emoji != "" || m.Counts != nil {
			t.Errorf("the reaction that is taken back is %+v", m)
		}
	}
	ann.send(del("f", 1, "a"))
	for _, c := range everyone {
		if m := c.next(shared.TypeDelete); m.ID != "f" || m.Offset != 6 || !slices.Equal(m.Targets, []int64{1}) || m.User != "Ann" || m.By != welcome.By || m.Text != "" {
			t.Errorf("the deletion is %+v", m)
		}
	}
	ann.send(del("f", 1, "a"))
	if m := ann.next(shared.TypeAck); m.ID != "f" || m.Offset != 6 {
		t.Errorf("the answer to a repeated deletion is %+v", m)
	}
	bob.say("g", "Bye")
	for _, c := range append(everyone, tim) { // to the tutorial's dialect, neither reactions nor the deletion
		c.next(shared.TypeChat)
	}
	want := []string{"1 (deleted) deleted @6", "4 Thanks re 1", "7 Bye"}
	equal(t, "the history in the end", lines(bob.ask(history).Messages), want...)
	status, body, _ := s.get("/api/rooms/r/messages")
	answer, err := shared.Decode([]byte(body))
	if status != http.StatusOK || err != nil {
		t.Fatalf("the API answers %d, %v", status, err)
	}
	equal(t, "over the API", lines(answer.Messages), want...)
	if m := ann.ask(shared.Message{Type: shared.TypeReactions, Target: 1}); m.Reactors != nil {
		t.Errorf("who reacted to a deleted message: %+v", m)
	}
	equal(t, "the changes after the edit", lines(ann.ask(shared.Message{Type: shared.TypeHistory, Changed: 3, Before: 4, Limit: 10}).Messages), want[0])
	equal(t, "all changes after the edit", lines(ann.ask(shared.Message{Type: shared.TypeHistory, Changed: 3, Limit: 10}).Messages), want[0])
}

func TestRefusedChanges(t *testing.T) {
	var hour atomic.Int64
	s := start(t, editFor(time.Hour), func(c *chat.Config) {
		c.MaxText = 100
		c.Now = func() time.Time {
			return time.Date(2026, 1, 2, 3, 0, 0, 0, time.UTC).Add(time.Duration(hour.Load()) * time.Hour)
		}
	})
	ann, _ := s.join("r", hello("Ann", newDevice()))
	bob, _ := s.join("r", hello("Bob", newDevice()))
	ann.say("a", "one")
	ann.say("b", "two")
	ann.say("c", "old")
	ann.send(del("d", 2, "b"))
	ann.texts(3)
	ann.next(shared.TypeDelete)
	bob.texts(3)
	bob.next(shared.TypeDelete)
	id := 0
	refused := func(who *client, want shared.ErrorCode, what string, m shared.Message) {
		t.Helper()
		id++
		m.ID = fmt.Sprint("r", id)
		who.send(m)
		if m := who.next(shared.TypeError); m.Code != want || m.ID != fmt.Sprint("r", id) || !m.Code.Final() || !strings.HasSuffix(m.Text, ".") {
			t.Errorf("%s: got %+v, want %s", what, m, want)
		}
	}
	for what, m := range map[string]func(target int64, of string) shared.Message{
		"edit":   func(target int64, of string) shared.Message { return edit("", target, of, "x") },
		"delete": func(target int64, of string) shared.Message { return del("", target, of) },
		"react":  func(target int64, of string) shared.Message { return react("", target, of, "👍") },
	} {
		refused(ann, shared.CodeNotFound, what+" of what is not there", m(99, "a"))
		refused(ann, shared.CodeNotFound, what+" with another id", m(1, "b"))
		refused(ann, shared.CodeNotFound, what+" of what is deleted", m(2, "b"))
		refused(ann, shared.CodeNotFound, what+" of a change", m(4, "d"))
		refused(ann, shared.CodeBadFrame, what+" without an id", m(1, ""))
	}
	refused(bob, shared.CodeNotAllowed, "edit of another's", edit("", 1, "a", "x"))
	refused(bob, shared.CodeNotAllowed, "delete of another's", del("", 1, "a"))
	refused(ann, shared.CodeEmpty, "edit to nothing", edit("", 1, "a", " "))
	refused(ann, shared.CodeTooLong, "edit to too much", edit("", 1, "a", strings.Repeat("x", 101)))
	both := edit("", 1, "a", "x")
	both.Reply = 3
	refused(ann, shared.CodeBadFrame, "edit and reply", both)
	refused(ann, shared.CodeBadFrame, "another emoji", react("", 1, "a", "🦄"))
	refused(ann, shared.CodeBadFrame, "no target", del("", 0, "a"))
	ann.sendRaw(`{"type":"react","id":"e","target":1,"of":"a"}`)
	if m := ann.next(shared.TypeError); m.Code != shared.CodeBadFrame || m.ID != "e" {
		t.Errorf("a reaction without an emoji: %+v", m)
	}
	hour.Add(2)
	refused(ann, shared.CodeNotAllowed, "edit of what is old", edit("", 1, "a", "x"))
	refused(ann, shared.CodeNotAllowed, "delete of what is old", del("", 1, "a"))
	ann.send(react("f", 1, "a", "✅")) // is not bound by age
	ann.next(shared.TypeReact)
	for code, want := range map[string]string{"not_found": "12", "not_allowed": "4", "bad_frame": "7", "empty": "1", "too_long": "1"} {
		if got := s.metric(`parley_frames_refused_total{code="` + code + `"}`); got != want {
			t.Errorf("%s refusals with %s were counted, want %s", got, code, want)
		}
	}
	ann.send(reply("g", 2, "b", "what did you say?")) // to what is gone
	if m := ann.next(shared.TypeChat); m.ID != "g" || m.Text != "what did you say?" || m.Reply != 0 || m.Quote != nil {
		t.Errorf("the reply to what is gone is %+v", m)
	}
	equal(t, "the history", lines(ann.ask(shared.Message{Type: shared.TypeHistory, Limit: 10}).Messages),
		"1 one ✅1 mine ✅ @5", "2 (deleted) deleted @4", "3 old", "6 what did you say?")

	tim := s.tutorial("r/Tim")
	for frame, code := range map[string]shared.ErrorCode{
		`{"message":"hi","edits":1,"of":"a"}`:              shared.CodeNotAllowed,
		`{"type":"delete","target":1,"of":"a"}`:            shared.CodeNotAllowed,
		`{"type":"react","target":1,"of":"a","emoji":"👍"}`: shared.CodeNotAllowed,
		`{"type":"search","text":"one"}`:                   shared.CodeNotAllowed,
		`{"type":"reactions","target":1}`:                  shared.CodeNotAllowed,
	} {
		tim.sendRaw(frame)
		if m := tim.next(shared.TypeError); m.Code != code || m.Text == "" {
			t.Errorf("%s in the tutorial's dialect: %+v", frame, m)
		}
	}
	tim.sendRaw(`{"message":"hi","reply":1,"of":"a"}`) // as ever, what the dialect does not know is passed over
	if m := tim.next(shared.TypeChat); m.Text != "hi" || m.Reply != 0 {
		t.Errorf("got %+v", m)
	}
}

// An edit that comes out of the log together with the deletion of its message has no
// echo: it is acknowledged all the same.
func TestEditRightBeforeDeletion(t *testing.T) {
	s := start(t, editFor(time.Hour))
	ann, _ := s.join("r", hello("Ann", newDevice()))
	answered := func(ids ...string) {
		for len(ids) > 0 {
			m, err := ann.read()
			if err != nil {
				t.Fatalf("waiting for %q: %v", ids, err)
			}
			ids = slices.DeleteFunc(ids, func(id string) bool { return id == m.ID })
		}
	}
	for i := range 50 {
		a, b, c := fmt.Sprint("a", i), fmt.Sprint("b", i), fmt.Sprint("c", i)
		ann.say(a, "x")
		offset := int64(0)
		for offset == 0 {
			if m, err := ann.read(); err != nil {
				t.Fatal(err)
			} else if m.ID == a {
				offset = m.Offset
			}
		}
		ann.send(edit(b, offset, a, "y"))
		ann.send(del(c, offset, a))
		answered(b, c)
	}
}

// With --edit-for 0, nobody corrects or deletes, and everyone reacts and replies.
func TestNobodyEdits(t *testing.T) {
	s := start(t)
	ann, _ := s.join("r", hello("Ann", newDevice()))
	ann.say("a", "one")
	ann.texts(1)
	for _, m := range []shared.Message{edit("b", 1, "a", "x"), del("c", 1, "a")} {
		ann.send(m)
		if m := ann.next(shared.TypeError); m.Code != shared.CodeNotAllowed || !strings.Contains(m.Text, "nobody") {
			t.Errorf("got %+v", m)
		}
	}
	ann.send(react("d", 1, "a", "🎉"))
	ann.next(shared.TypeReact)
	ann.send(reply("e", 1, "a", "two"))
	if m := ann.next(shared.TypeChat); m.Quote == nil {
		t.Errorf("got %+v", m)
	}
}

// Changes count as messages do: who sends them too fast is told to wait, and who
// goes on is closed.
func TestChangesCountAgainstTheRate(t *testing.T) {
	s := start(t, editFor(time.Hour), func(c *chat.Config) { c.Rate, c.Burst = 0.001, 3 })
	ann, _ := s.join("r", hello("Ann", newDevice()))
	ann.say("a", "one")
	ann.next(shared.TypeChat)
	ann.send(react("b", 1, "a", "👍"))
	ann.next(shared.TypeReact)
	ann.send(edit("c", 1, "a", "two"))
	ann.next(shared.TypeChat)
	ann.send(react("d", 1, "a", "👎"))
	if m := ann.next(shared.TypeError); m.Code != shared.CodeRateLimited || m.RetryMS == 0 || m.ID != "d" {
		t.Errorf("the fourth is answered with %+v", m)
	}
	for i := range 1000 {
		data := shared.Encode(react(fmt.Sprint(i), 1, "a", "👎"))
		if ann.write(websocket.MessageText, data) != nil {
			break
		}
	}
	if ce := ann.closed(); ce.Code != websocket.StatusCode(shared.CloseFlooding) {
		t.Errorf("closed with %v", ce)
	}
}

// Whoever comes for the first time gets the newest messages, however many changes
// there are among them and after them.
func TestFirstVisitCountsMessages(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name        string
		reactions   int
		fromTheTail bool
		restart     bool
		resumeLimit int
		tail        int
	}{
		{"few reactions", 30, true, false, 0, 0},
		{"few reactions, after a restart", 30, true, true, 0, 0},
		{"900 reactions", 900, false, false, 0, 0},
		{"900 reactions, after a restart", 900, false, true, 0, 0},
		{"more than a member may be behind", 5000, false, false, 1000, 0},
		{"a small tail", 30, false, false, 0, 4096},
	} {
		t.Run(c.name, func(t *testing.T) {
			config := func(cfg *chat.Config) {
				cfg.EditFor, cfg.ResumeLimit, cfg.TailBytes = time.Hour, c.resumeLimit, c.tail
			}
			s := start(t, config)
			device := newDevice()
			ann, before := s.join("r", hello("Ann", device))
			for i := range 60 {
				ann.say(fmt.Sprint("m", i+1), fmt.Sprint(i+1))
			}
			ann.texts(60)
			for i := range c.reactions {
				ann.send(react(fmt.Sprint("r", i), 60, "m60", shared.Emojis[i%2]))
				if i%100 == 99 {
					for range 100 {
						ann.next(shared.TypeReact)
					}
				}
			}
			for range c.reactions % 100 {
				ann.next(shared.TypeReact)
			}
			ann.send(edit("e", 59, "m59", "fifty-nine"))
			ann.next(shared.TypeChat)
			ann.send(react("x", 58, "m58", "🎉"))
			head := ann.next(shared.TypeReact).Offset
			if c.restart {
				s.stop()
				s.open(config)
			}
			again, welcome := s.join("r", hello("Ann", device))
			if welcome.Resumed || welcome.Offset != head || welcome.Epoch != before.Epoch {
				t.Errorf("the welcome is %+v", welcome)
			}
			again.say("end", "end")
			state := newState()
			for !state.knows("end") {
				m, err := again.read()
				if err != nil {
					t.Fatal(err)
				}
				state.apply(m, welcome.By)
			}
			var want []string
			for i := 11; i <= 57; i++ {
				want = append(want, fmt.Sprintf("%d %d", i, i))
			}
			want = append(want, "58 58 🎉1 mine 🎉", "59 fifty-nine edited", fmt.Sprintf("60 60 %s1 mine %[1]s", shared.Emojis[(c.reactions-1)%2]), fmt.Sprintf("%d end", head+1))
			equal(t, "the first visit", state.lines(), want...)
			if fromTheTail := state.changes > 0; fromTheTail != c.fromTheTail {
				t.Errorf("%d changes were sent", state.changes)
			}
		})
	}
}

// countingLog counts what is read.
type countingLog struct {
	chat.Log
	reads *atomic.Int64
}

func (l countingLog) Read(ctx context.Context, room string, after, upTo int64, most chat.Most) ([]chat.Entry, error) {
	l.reads.Add(1)
	return l.Log.Read(ctx, room, after, upTo, most)
}

func (l countingLog) History(ctx context.Context, room string, before int64, most chat.Most) ([]chat.Entry, error) {
	l.reads.Add(1)
	return l.Log.History(ctx, room, before, most)
}

// A thousand members who have everything go on without the log when a message is
// deleted, although the tail forgets what lies before.
func TestDeletionReadsNothingForThoseUpToDate(t *testing.T) {
	const members = 1000
	var reads atomic.Int64
	s := start(t, editFor(time.Hour), func(c *chat.Config) { c.Log = countingLog{c.Log, &reads} })
	ann, welcome := s.join("r", hello("Ann", newDevice()))
	people := make([]*client, members)
	var all sync.WaitGroup
	for i := range people {
		all.Go(func() {
			protocol := shared.Protocol
			if i%10 == 0 {
				protocol = ""
			}
			conn, _, err := s.tryDial("/ws/chat/r", protocol, nil)
			if err != nil {
				t.Error(err)
				return
			}
			if protocol != "" {
				conn.send(hello(fmt.Sprint("P", i), newDevice()))
			}
			people[i] = conn
		})
	}
	all.Wait()
	if t.Failed() {
		return
	}
	s.until("all are there", func() bool {
		_, connections := s.hub.Places()
		return connections == members+1
	})
	ann.say("a", "a secret")
	ann.next(shared.TypeChat)
	got := func(text string) {
		t.Helper()
		for _, p := range people {
			all.Go(func() {
				for {
					m, err := p.read()
					if err != nil {
						t.Error(err)
						return
					}
					if m.Text == text {
						return
					}
				}
			})
		}
		all.Wait()
	}
	got("a secret")
	before := reads.Load()
	ann.send(del("b", 1, "a"))
	ann.next(shared.TypeDelete)
	ann.say("c", "something else")
	got("something else")
	if n := reads.Load() - before; n != 0 {
		t.Errorf("the log was read %d times", n)
	}
	for _, tail := range s.hub.Tails("r") {
		if strings.Contains(tail, "a secret") {
			t.Error("the tail still has what was deleted")
		}
	}
	h := hello("Eve", newDevice()) // she was there before, and missed it
	h.Epoch, h.After = welcome.Epoch, 0
	eve, _ := s.join("r", h)
	if m := eve.next(shared.TypeChat); !m.Deleted || m.Text != shared.TextDeleted {
		t.Errorf("Eve gets %+v", m)
	}
	if reads.Load() == before {
		t.Error("the reads are not counted")
	}
}

// What came just before a deletion is written to the members first, also if it comes
// out of the log together with it.
func TestDeletionBehindManyMessages(t *testing.T) {
	const members, rounds, messages = 50, 20, 40
	var reads atomic.Int64
	s := start(t, editFor(time.Hour), func(c *chat.Config) { c.Log = countingLog{c.Log, &reads} })
	ann, _ := s.join("r", hello("Ann", newDevice()))
	people := make([]*client, members)
	for i := range people {
		people[i], _ = s.join("r", hello(fmt.Sprint("P", i), newDevice()))
	}
	before := reads.Load()
	var all sync.WaitGroup
	offset := int64(0)
	for range rounds {
		for range messages {
			offset++
			ann.say(fmt.Sprint(offset), "x")
		}
		ann.send(del(fmt.Sprint("d", offset), offset, fmt.Sprint(offset)))
		offset++
		for _, p := range append(people, ann) {
			all.Go(func() {
				for {
					m, err := p.read()
					if err != nil {
						t.Error(err)
						return
					}
					if m.Type == shared.TypeDelete {
						return
					}
				}
			})
		}
		all.Wait()
	}
	if n := reads.Load() - before; n != 0 {
		t.Errorf("the log was read %d times", n)
	}
}

// After a deletion, the text is in nothing that the server sends or keeps to send.
func TestDeletedTextIsGone(t *testing.T) {
	t.Parallel()
	const secret = "the code is 4711"
	for _, tail := range []int{0, 4096} {
		s := start(t, editFor(time.Hour), func(c *chat.Config) { c.TailBytes = tail })
		ann, welcome := s.join("r", hello("Ann", newDevice()))
		bob, _ := s.join("r", hello("Bob", newDevice()))
		s.tutorial("r/Tim")
		ann.say("a", secret+strings.Repeat("x", 3000))
		ann.texts(1)
		bob.send(reply("b", 1, "a", "Thanks"))
		ann.texts(1)
		ann.send(edit("c", 1, "a", secret+", still"))
		ann.texts(1)
		if !strings.Contains(strings.Join(s.hub.Tails("r"), ""), secret) {
			t.Error("the tail never had it")
		}
		ann.send(del("d", 1, "a"))
		ann.next(shared.TypeDelete)
		if strings.Contains(strings.Join(s.hub.Tails("r"), ""), secret) {
			t.Error("the tail has it")
		}
		for _, after := range []int64{-1, 0, 1, 2, 3} {
			h := hello(fmt.Sprint("Eve", after), newDevice())
			if after >= 0 {
				h.Epoch, h.After = welcome.Epoch, after
			}
			eve := s.raw("r")
			eve.send(h)
			eve.send(shared.Message{Type: shared.TypeHistory, Limit: 10})
			eve.send(shared.Message{Type: shared.TypeHistory, Limit: 10, Changed: 1, Before: 99})
			eve.send(shared.Message{Type: shared.TypeSearch, Text: "code"})
			eve.say(fmt.Sprint("e", after), "end")
			var ended bool
			for answers := 0; answers < 3 || !ended; {
				data, err := eve.readRaw()
				if err != nil {
					t.Fatal(err)
				}
				if strings.Contains(string(data), secret) {
					t.Errorf("a newcomer after %d is sent %s", after, data)
				}
				m, err := shared.Decode(data)
				if err != nil {
					t.Fatalf("%s: %v", data, err)
				}
				ended = ended || m.ID == fmt.Sprint("e", after)
				if m.Type == shared.TypeHistory || m.Type == shared.TypeSearch {
					answers++
				}
			}
		}
		if _, body, _ := s.get("/api/rooms/r/messages"); strings.Contains(body, secret) || !strings.Contains(body, shared.TextDeleted) {
			t.Errorf("the API answers %s", body)
		}
		s.stop()
	}
}

// A member that stalls while a message is deleted gets all the same what it missed,
// the deleted text left out.
func TestDeletionWhileOneIsBehind(t *testing.T) {
	s := start(t, editFor(time.Hour), func(c *chat.Config) { c.TailBytes = 8192 })
	bob := s.joinNarrow("r", hello("Bob", newDevice()))
	ann, _ := s.join("r", hello("Ann", newDevice()))
	const messages = 1500 // more than the sockets hold
	for i := range messages {
		ann.say(fmt.Sprint(i), strings.Repeat("x", 4000))
		ann.next(shared.TypeChat)
	}
	ann.send(del("d", messages, fmt.Sprint(messages-1)))
	ann.next(shared.TypeDelete)
	for offset := int64(1); offset <= messages; offset++ {
		m := bob.next(shared.TypeChat)
		if m.Offset != offset || m.Deleted != (offset == messages) {
			t.Fatalf("in the place of %d came %d, deleted %v", offset, m.Offset, m.Deleted)
		}
	}
	if m := bob.next(shared.TypeDelete); !slices.Equal(m.Targets, []int64{messages}) {
		t.Errorf("got %+v", m)
	}
}

// gatheringLog hands entries on as many at a time as it is told, as a busy log does.
type gatheringLog struct {
	chat.Log
	least, has *atomic.Int64
}

func (l gatheringLog) Open(ctx context.Context, room shared.Name, f chat.Follower) (chat.State, func(), error) {
	handOn := f.Entries
	var gathered []chat.Entry
	f.Entries = func(entries []chat.Entry) {
		if gathered = append(gathered, entries...); int64(len(gathered)) >= l.least.Load() {
			handOn(gathered)
			gathered = nil
		}
		l.has.Store(int64(len(gathered)))
	}
	return l.Log.Open(ctx, room, f)
}

// Deletions in the midst of what comes out of the log together: the members are sent
// what was said before each of them without the log, and the tails forget it.
func TestDeletionAmongOthers(t *testing.T) {
	const secret = "the code is 4711"
	var reads, least, has atomic.Int64
	s := start(t, editFor(time.Hour), func(c *chat.Config) { c.Log = gatheringLog{countingLog{c.Log, &reads}, &least, &has} })
	ann, welcome := s.join("r", hello("Ann", newDevice()))
	bob, _ := s.join("r", hello("Bob", newDevice()))
	tim := s.tutorial("r/Tim")
	ann.say("a", secret+" 1")
	for _, c := range []*client{ann, bob, tim} {
		c.texts(1)
	}
	before := reads.Load()
	frames := []shared.Message{
		{Type: shared.TypeChat, ID: "b", Text: secret + " 2"}, del("c", 1, "a"), {Type: shared.TypeChat, ID: "d", Text: secret + " 3"},
		del("e", 4, "d"), del("f", 2, "b"), {Type: shared.TypeChat, ID: "g", Text: "behind"},
	}
	least.Store(int64(len(frames)))
	for i, f := range frames {
		ann.send(f)
		s.until("the log has it", func() bool { return has.Load() == int64(i+1)%least.Load() })
	}
	for _, c := range []*client{ann, bob} {
		got := []string{c.next(shared.TypeChat).Text}
		for _, typ := range []shared.Type{shared.TypeDelete, shared.TypeChat, shared.TypeDelete, shared.TypeDelete, shared.TypeChat} {
			m := c.next(typ)
			got = append(got, fmt.Sprintln(m.Offset, m.Targets, m.Text))
		}
		equal(t, "what those who are there are sent", got, secret+" 2", "3 [1] \n", "4 [] "+secret+" 3\n", "5 [4] \n", "6 [2] \n", "7 [] behind\n")
	}
	equal(t, "what the tutorial's are sent", tim.texts(3), secret+" 2", secret+" 3", "behind")
	if n := reads.Load() - before; n != 0 {
		t.Errorf("the log was read %d times for them", n)
	}
	if strings.Contains(strings.Join(s.hub.Tails("r"), ""), secret) {
		t.Error("the tails have what was deleted")
	}
	h := hello("Eve", newDevice())
	h.Epoch = welcome.Epoch
	eve, _ := s.join("r", h)
	var got []string
	for range 7 {
		m, err := eve.read()
		if err != nil {
			t.Fatal(err)
		}
		if m.Offset > 0 {
			got = append(got, fmt.Sprintln(m.Offset, m.Targets, m.Text))
		}
	}
	equal(t, "what who resumes is sent", got[:6],
		"1 [] (deleted)\n", "2 [] (deleted)\n", "3 [1] \n", "4 [] (deleted)\n", "5 [4] \n", "6 [2] \n")
}

// A page of changes ends before a deletion of many messages if it has no place for all
// of them: the next one begins with it.
func TestChangesOfOneDeletionAreTogether(t *testing.T) {
	const messages = 60
	s := start(t, editFor(time.Hour))
	ann, _ := s.join("r", hello("Ann", newDevice()))
	bob, _ := s.join("r", hello("Bob", newDevice()))
	var reactions []shared.Message
	for i := range messages {
		ann.say(fmt.Sprint("a", i), "x")
		m := ann.next(shared.TypeChat)
		bob.say(fmt.Sprint("b", i), "y")
		ann.next(shared.TypeChat)
		reactions = append(reactions, react(fmt.Sprint("r", i), m.Offset, m.ID, "👍"))
	}
	for _, r := range reactions {
		ann.send(r)
		ann.next(shared.TypeReact)
	}
	added := make(chan error, 1)
	s.log.Append(t.Context(), shared.Name{Text: "r", Key: "r"}, chat.Entry{
		Kind: chat.KindNotice, ID: "n", Device: chat.OperatorDevice, Time: time.Now(), Target: 2,
		Extra: &chat.Extra{Of: "b0", Act: &chat.Act{Do: shared.DoDeleteAll, Operator: true}},
	}, func(_ chat.Receipt, err error) { added <- err })
	if err := <-added; err != nil {
		t.Fatal(err)
	}
	ann.next(shared.TypeNotice)
	if n := len(ann.next(shared.TypeDelete).Targets); n != messages {
		t.Fatalf("%d messages were deleted", n)
	}
	got := make(map[string]int)
	position := int64(2 * messages)
	var pages []int
	for more := true; more; {
		answer := ann.ask(shared.Message{Type: shared.TypeHistory, Changed: position, Before: 2*messages + 1, Limit: shared.MaxHistory})
		for _, m := range answer.Messages {
			got[m.ID]++
			position = max(position, m.Changed)
		}
		pages = append(pages, len(answer.Messages))
		more = answer.More
	}
	if len(got) != 2*messages || !slices.Equal(pages, []int{messages, messages}) {
		t.Errorf("pages of %v have %d messages", pages, len(got))
	}
}

// A delete takes nothing from a member that is behind but what it deletes: it hears who
// has come, too.
func TestPresenceOverADeletion(t *testing.T) {
	s := start(t, editFor(time.Hour), func(c *chat.Config) { c.TailBytes = 64 << 20 })
	ann, _ := s.join("r", hello("Ann", newDevice()))
	slow := s.joinNarrow("r", hello("Sid", newDevice()))
	const messages = 700
	for i := range messages {
		ann.say(fmt.Sprint("m", i+1), strings.Repeat("語", 4000))
		ann.next(shared.TypeChat)
	}
	s.join("r", hello("Dora", newDevice()))
	for !slices.Contains(ann.next(shared.TypePresence).Users, "Dora") {
	}
	ann.send(del("d", messages, fmt.Sprint("m", messages)))
	ann.next(shared.TypeDelete)
	ann.say("last", "last")
	for read, heard := 0, false; read <= messages || !heard; {
		m, err := slow.read()
		if err != nil {
			t.Fatalf("with %d messages, of Dora %v: %v", read, heard, err)
		}
		heard = heard || m.Type == shared.TypePresence && slices.Contains(m.Users, "Dora")
		if m.Type == shared.TypeChat {
			read++
		}
	}
}

// Whoever was away too long asks for what changed of what they have.
func TestChangesQuestion(t *testing.T) {
	s := start(t, editFor(time.Hour))
	ann, _ := s.join("r", hello("Ann", newDevice()))
	const messages = 30
	for i := range messages {
		ann.say(fmt.Sprint("m", i+1), strings.Repeat("\x01", shared.MaxText-1)+"x") // six times as long on the wire
	}
	for range messages {
		ann.next(shared.TypeChat)
	}
	for i := range messages {
		ann.send(react(fmt.Sprint("r", i), int64(messages-i), fmt.Sprint("m", messages-i), "👍"))
		ann.next(shared.TypeReact)
	}
	ann.send(del("d", 1, "m1"))
	head := ann.next(shared.TypeDelete).Offset
	for _, limit := range []int{1, 7, 100} {
		var got []int64
		position, pages := int64(messages), 0
		for more := true; more; pages++ {
			answer := ann.ask(shared.Message{Type: shared.TypeHistory, Changed: position, Before: messages - 9, Limit: limit})
			for _, m := range answer.Messages {
				if m.Changed <= position {
					t.Fatalf("%d follows %d", m.Changed, position)
				}
				position = m.Changed
				got = append(got, m.Offset)
			}
			if more = answer.More; more && answer.Changed != position {
				t.Fatalf("a page with changes up to %d says %d", position, answer.Changed)
			}
		}
		var want []int64 // those of the oldest 20, in the order in which they were changed
		for offset := int64(messages - 10); offset >= 1; offset-- {
			want = append(want, offset)
		}
		if !slices.Equal(got, want) || position != head || pages < 2 {
			t.Errorf("with limit %d, %d pages have %v up to %d", limit, pages, got, position)
		}
	}
}

func TestSearch(t *testing.T) {
	s := start(t, editFor(time.Hour))
	ann, _ := s.join("r", hello("Ann", newDevice()))
	const messages = 50
	for i := range messages {
		text := fmt.Sprint("Where is Gäte ", i+1)
		if i%2 == 1 {
			text = strings.Repeat("\x01", shared.MaxText-4) + "GATE" // six times as long on the wire
		}
		ann.say(fmt.Sprint("m", i+1), text)
	}
	ann.texts(messages)
	ann.send(del("d", 3, "m3"))
	ann.next(shared.TypeDelete)
	ann.send(edit("e", 5, "m5", "nothing"))
	ann.next(shared.TypeChat)
	ann.send(react("f", 1, "m1", "👍"))
	ann.next(shared.TypeReact)
	var got []int64
	before, pages := int64(0), 0
	for more := true; more; pages++ {
		answer := ann.ask(shared.Message{Type: shared.TypeSearch, Text: " gate ", Before: before})
		if len(answer.Messages) > shared.SearchHits {
			t.Fatalf("%d in one answer", len(answer.Messages))
		}
		for _, m := range answer.Messages {
			got = append(got, m.Offset)
			if m.Offset == 1 && line(m) != fmt.Sprintf("1 Where is Gäte 1 👍1 mine 👍 @%d", messages+3) {
				t.Errorf("the first is %s", line(m))
			}
		}
		before, more = answer.Before, answer.More
	}
	var want []int64
	for offset := int64(messages); offset >= 1; offset-- {
		if offset != 3 && offset != 5 {
			want = append(want, offset)
		}
	}
	if !slices.Equal(got, want) || pages < 3 {
		t.Errorf("%d pages have %v", pages, got)
	}
	for text, code := range map[string]shared.ErrorCode{"": shared.CodeEmpty, " \u200b": shared.CodeEmpty, "\u0301": shared.CodeEmpty, strings.Repeat("x", 65): shared.CodeTooLong} {
		frame, _ := json.Marshal(map[string]string{"type": "search", "text": text})
		ann.sendRaw(string(frame))
		if m := ann.next(shared.TypeError); m.Code != code {
			t.Errorf("the search for %q is answered with %+v", text, m)
		}
	}
	ann.send(shared.Message{Type: shared.TypeSearch, Text: "Gäte 1"})
	ann.send(shared.Message{Type: shared.TypeSearch, Text: "nowhere"}) // waits
	if m := ann.next(shared.TypeSearch); len(m.Messages) == 0 {
		t.Errorf("the first answer is %+v", m)
	}
	if m := ann.next(shared.TypeSearch); len(m.Messages) != 0 || m.More {
		t.Errorf("the second answer is %+v", m)
	}
}

// Over the API, programs only add messages.
func TestPostChangesNothing(t *testing.T) {
	s := start(t, editFor(time.Hour), func(c *chat.Config) { c.Token = token })
	for body, want := range map[string]int{
		`{"message":"hi"}`:                                 http.StatusCreated,
		`{"message":"ho","edits":1,"of":"a"}`:              http.StatusBadRequest,
		`{"message":"ho","reply":1,"of":"a"}`:              http.StatusBadRequest,
		`{"type":"delete","target":1,"of":"a"}`:            http.StatusBadRequest,
		`{"type":"react","target":1,"of":"a","emoji":"👍"}`: http.StatusBadRequest,
	} {
		if status, answer := s.do("POST", "/api/rooms/r/messages", body, "Authorization", "Bearer "+token, "Idempotency-Key", "a"); status != want {
			t.Errorf("%s: %d %s", body, status, answer)
		}
	}
}

// Earlier clients read every page of a room in which everything has happened, and
// see an edit as a message.
func TestFrozenClientsReadChangedRooms(t *testing.T) {
	s := start(t, editFor(time.Hour))
	ann, _ := s.join("r", hello("Ann", newDevice()))
	for i := range 8 {
		ann.say(fmt.Sprint("m", i+1), fmt.Sprint("text ", i+1))
	}
	ann.texts(8)
	ann.send(edit("e", 2, "m2", "edited"))
	ann.next(shared.TypeChat)
	ann.send(del("d", 3, "m3"))
	ann.next(shared.TypeDelete)
	ann.send(reply("r", 2, "m2", "answer"))
	ann.next(shared.TypeChat)
	ann.send(react("x", 2, "m2", "👍"))
	ann.next(shared.TypeReact)
	want := []string{"text 1", "edited", shared.TextDeleted, "text 4", "text 5", "text 6", "text 7", "text 8", "answer"}
	old := s.raw("r")
	old.send(hello("Old", newDevice()))
	old.send(shared.Message{Type: shared.TypeHistory, Limit: 100})
	old.send(shared.Message{Type: shared.TypeHistory, Limit: 3})
	old.send(shared.Message{Type: shared.TypeHistory, Limit: 3, Before: 4})
	seen := [3]map[string]bool{{}, {}, {}}
	for answers := 0; answers < 3; {
		data, err := old.readRaw()
		if err != nil {
			t.Fatal(err)
		}
		m, err := shared.Decode(data)
		if err != nil {
			t.Fatal(err)
		}
		var texts [3][]string
		m1, err1 := codec1.Decode(data)
		for _, m := range m1.Messages {
			texts[0] = append(texts[0], m.Text)
		}
		m2, err2 := codec2.Decode(data)
		for _, m := range m2.Messages {
			texts[1] = append(texts[1], m.Text)
		}
		m3, err3 := codec3.Decode(data)
		for _, m := range m3.Messages {
			texts[2] = append(texts[2], m.Text)
		}
		for i, err := range []error{err1, err2, err3} {
			if m.Type == shared.TypeDelete || m.Type == shared.TypeReact {
				if err == nil {
					t.Errorf("codec %d takes %s for something that it knows", i+1, data)
				}
				continue
			}
			if err != nil {
				t.Errorf("codec %d refuses %s: %v", i+1, data, err)
			}
			if m.Type == shared.TypeHistory && len(texts[i]) != len(m.Messages) {
				t.Errorf("codec %d reads %q in %s", i+1, texts[i], data)
			}
			for _, text := range texts[i] {
				seen[i][text] = true
			}
		}
		if m.Type == shared.TypeHistory {
			answers++
		}
	}
	for i := range seen {
		for _, text := range want {
			if !seen[i][text] {
				t.Errorf("codec %d never saw %q", i+1, text)
			}
		}
	}
}
