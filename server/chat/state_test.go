package chat_test

import (
	"context"
	"fmt"
	"math"
	"slices"
	"strconv"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/coder/websocket"
	"pgregory.net/rapid"

	"parley/server/chat"
	"parley/shared"
)

// state is what the simplest correct client makes of what it is sent.
type state struct {
	messages map[int64]shared.Message
	changes  int // frames
}

func newState() *state { return &state{messages: make(map[int64]shared.Message)} }

// apply takes what is newer than what the client has.
func (s *state) apply(m shared.Message, by string) {
	change := func(target int64, change func(*shared.Message)) {
		s.changes++
		if old, ok := s.messages[target]; ok && m.Offset > old.Changed {
			change(&old)
			old.Changed = m.Offset
			s.messages[target] = old
		}
	}
	switch m.Type {
	case shared.TypeChat:
		if m.Edits != 0 {
			change(m.Edits, func(old *shared.Message) { old.Text, old.Edited = m.Text, true })
			return
		}
		if old, ok := s.messages[m.Offset]; !ok || m.Changed >= old.Changed {
			s.messages[m.Offset] = m
		}
		if m.Deleted {
			s.unquote(m.Offset)
		}
	case shared.TypeDelete:
		for _, target := range m.Targets {
			change(target, func(old *shared.Message) {
				*old = shared.Message{Offset: old.Offset, ID: old.ID, Text: shared.TextDeleted, Deleted: true}
			})
			s.unquote(target)
		}
	case shared.TypeReact:
		change(m.Target, func(old *shared.Message) {
			old.Reactions = m.Counts
			if m.By == by {
				old.Mine = m.Emoji
			}
		})
	case shared.TypeHistory:
		for _, m := range m.Messages {
			s.apply(m, by)
		}
	}
}

// unquote empties the quotes of a message that is deleted.
func (s *state) unquote(target int64) {
	for offset, m := range s.messages {
		if m.Reply == target {
			m.Quote = nil
			s.messages[offset] = m
		}
	}
}

func (s *state) knows(id string) bool {
	for _, m := range s.messages {
		if m.ID == id {
			return true
		}
	}
	return false
}

// lines are the messages without the offsets of their changes.
func (s *state) lines() (all []string) {
	var offsets []int64
	for offset := range s.messages {
		offsets = append(offsets, offset)
	}
	slices.Sort(offsets)
	for _, offset := range offsets {
		m := s.messages[offset]
		m.Changed = 0
		all = append(all, line(m))
	}
	return all
}

// reader is the simplest correct client: what it has, and up to where.
type reader struct {
	*state
	rt     *rapid.T
	s      *server
	room   string
	device string
	conn   *client // nil while it is away
	by     string

	versions map[int64]int // of the messages' texts

	epoch string
	at    int64 // the position

	// What was missed of changes: those after since of messages before until; 0 is nothing.
	since, until int64
}

// come connects. What follows is still to be read.
func (r *reader) come() {
	h := hello("Reader", r.device)
	h.Epoch, h.After = r.epoch, r.at
	var welcome shared.Message
	r.conn, welcome = r.s.join(r.room, h)
	if !welcome.Resumed && r.at > 0 {
		if r.since == 0 || r.at < r.since { // a page may have told of changes behind the position
			r.since = r.at
		}
		r.until = r.at + 1
	}
	r.epoch, r.by = welcome.Epoch, welcome.By
}

func (r *reader) goAway() {
	if r.conn != nil {
		r.conn.conn.CloseNow()
		r.conn = nil
	}
}

// read takes one frame. It reports false if there is none, because the log has deleted
// what was to come: then the reader is away.
func (r *reader) read() (m shared.Message, ok bool) {
	m, err := r.conn.read()
	switch {
	case websocket.CloseStatus(err) == websocket.StatusCode(shared.CloseSlowConsumer):
		r.goAway()
		return m, false
	case err != nil:
		r.rt.Fatalf("the reader at %d: %v", r.at, err)
	case m.Type != shared.TypeHistory:
		r.apply(m, r.by)
		r.forward(m)
		r.at = max(r.at, m.Offset)
	}
	return m, true
}

// readTo reads up to a message, at most n frames. It reports whether it came so far.
func (r *reader) readTo(id string, n int) bool {
	for range n {
		if m, ok := r.read(); !ok || m.ID == id {
			return ok
		}
	}
	return false
}

// page asks for history and takes it.
func (r *reader) page(ask shared.Message) (answer shared.Message) {
	r.conn.send(ask)
	for answer.Type != shared.TypeHistory {
		var ok bool
		if answer, ok = r.read(); !ok {
			return answer
		}
	}
	r.apply(answer, r.by)
	r.forward(answer.Messages...)
	return answer
}

// forward checks that no message has gone back to an earlier text. Later ones have
// greater numbers at their ends, and after a deletion there is none.
func (r *reader) forward(frames ...shared.Message) {
	for _, f := range frames {
		for _, offset := range append(f.Targets, f.Offset, f.Edits, f.Target) {
			m, ok := r.messages[offset]
			if !ok {
				continue
			}
			version := math.MaxInt
			if !m.Deleted {
				_, number, _ := strings.Cut(m.Text, " ")
				version, _ = strconv.Atoi(number) // 0 if it has none
			}
			if version < r.versions[offset] {
				r.rt.Errorf("with %+v, %d goes back to %q", f, offset, m.Text)
			}
			r.versions[offset] = version
		}
	}
}

// catchUp asks for the next of the changes that were missed.
func (r *reader) catchUp() {
	answer := r.page(shared.Message{Type: shared.TypeHistory, Changed: r.since, Before: r.until, Limit: 3})
	switch {
	case answer.Type != shared.TypeHistory:
	case answer.More:
		r.since = answer.Changed
	default:
		r.since, r.until = 0, 0
	}
}

// overtaken has something happen between the moment at which a page is read and the
// one at which it is sent. While it holds, the log has what happens, and the room hears of
// it with the first entry after that: so pages overtake entries.
type overtaken struct {
	chat.Log
	by    *atomic.Pointer[func()]
	holds *atomic.Bool
	last  *atomic.Pointer[string] // the id of the newest entry
}

func (l overtaken) Open(ctx context.Context, room shared.Name, f chat.Follower) (chat.State, func(), error) {
	handOn := f.Entries
	var held []chat.Entry
	f.Entries = func(entries []chat.Entry) {
		if held = append(held, entries...); !l.holds.Load() {
			handOn(held)
			held = nil
		}
		l.last.Store(&entries[len(entries)-1].ID)
	}
	return l.Log.Open(ctx, room, f)
}

func (l overtaken) happen() {
	if f := l.by.Swap(nil); f != nil {
		(*f)()
	}
}

func (l overtaken) History(ctx context.Context, room string, before int64, most chat.Most) ([]chat.Entry, error) {
	defer l.happen()
	return l.Log.History(ctx, room, before, most)
}

func (l overtaken) Changes(ctx context.Context, room string, changed, before int64, most chat.Most, budget time.Duration) (chat.Changed, error) {
	defer l.happen()
	return l.Log.Changes(ctx, room, changed, before, most, budget)
}

// said is a message that somebody has sent.
type said struct {
	id     string
	offset int64
	who    int
}

// TestReaderEndsWithTheLogsState has people say, change and delete what they like,
// while a reader comes and goes, misses more than it may resume, reads pages of the
// history in any order, and the log deletes its oldest. What the reader has in the end
// is what the log has.
func TestReaderEndsWithTheLogsState(t *testing.T) {
	t.Parallel()
	const people = 3
	var overtakes atomic.Pointer[func()]
	var holds atomic.Bool
	var last atomic.Pointer[string]
	s := start(t)
	s.stop()
	open := func() {
		s.open(editFor(time.Hour), func(c *chat.Config) {
			c.ResumeLimit, c.TailBytes, c.Log = 30, 4096, overtaken{c.Log, &overtakes, &holds, &last}
		})
		s.log.Retain(chat.Retention{Bytes: 100 * textBytes, Every: time.Millisecond})
	}
	open()
	rooms := 0
	rapid.Check(t, func(rt *rapid.T) {
		rooms++
		room := fmt.Sprint("room", rooms)
		devices := []string{newDevice(), newDevice(), newDevice()}
		r := &reader{state: newState(), versions: make(map[int64]int), rt: rt, s: s, room: room, device: devices[0]}
		conns := make([]*client, people)
		gather := func() {
			for i := range conns {
				name := fmt.Sprint("P", i)
				if i == 0 {
					name = "Reader"
				}
				conns[i], _ = s.join(room, hello(name, devices[i]))
			}
		}
		gather()
		part := func() {
			for _, c := range conns {
				c.conn.CloseNow()
			}
		}
		defer func() {
			r.goAway()
			part()
		}()
		var all []said
		ids := 0
		head := int64(0)
		begin := func(who int, m shared.Message) string {
			ids++
			m.ID = fmt.Sprint(room, "-", ids)
			conns[who].send(m)
			return m.ID
		}
		send := func(who int, m shared.Message) int64 {
			m.ID = begin(who, m)
			for {
				got, err := conns[who].read()
				if err != nil {
					t.Fatal(err)
				}
				if got.ID == m.ID {
					head = max(head, got.Offset)
					return got.Offset // 0 if it was refused
				}
			}
		}
		say := func(who int, m shared.Message) string {
			offset := send(who, m)
			if offset == 0 {
				rt.Fatal("a message was refused")
			}
			id := fmt.Sprint(room, "-", ids)
			all = append(all, said{id, offset, who})
			return id
		}
		someone := rapid.IntRange(0, people-1)
		target := func() said { return all[rapid.IntRange(max(0, len(all)-40), len(all)-1).Draw(rt, "target")] }
		texts := 0
		text := func() string {
			texts++
			return fmt.Sprint(rapid.StringMatching("[a-z]{1,8}").Draw(rt, "text"), " ", texts)
		}
		say(0, shared.Message{Type: shared.TypeChat, Text: "first"})
		rt.Repeat(map[string]func(*rapid.T){
			"say": func(rt *rapid.T) {
				for range rapid.IntRange(1, 20).Draw(rt, "times") {
					say(someone.Draw(rt, "who"), shared.Message{Type: shared.TypeChat, Text: text()})
				}
			},
			"reply": func(rt *rapid.T) {
				m := target()
				say(someone.Draw(rt, "who"), reply("", m.offset, m.id, text()))
			},
			"edit": func(*rapid.T) {
				m := target()
				send(m.who, edit("", m.offset, m.id, text()))
			},
			"delete": func(*rapid.T) {
				m := target()
				send(m.who, del("", m.offset, m.id))
			},
			"react": func(rt *rapid.T) {
				for range rapid.IntRange(1, 20).Draw(rt, "times") {
					m := target()
					send(someone.Draw(rt, "who"), react("", m.offset, m.id, rapid.SampledFrom([]string{"", "👍", "🎉"}).Draw(rt, "emoji")))
				}
			},
			"come and read": func(rt *rapid.T) {
				if r.conn == nil {
					r.come()
				}
				id := say(1, shared.Message{Type: shared.TypeChat, Text: "marker"})
				if !r.readTo(id, rapid.IntRange(0, 40).Draw(rt, "frames")) {
					r.goAway()
				}
			},
			"go away": func(*rapid.T) { r.goAway() },
			"page": func(rt *rapid.T) {
				if r.conn != nil {
					m := target()
					change := rapid.SampledFrom([]shared.Message{
						edit("", m.offset, m.id, "overtaken"+text()), del("", m.offset, m.id), react("", m.offset, m.id, "🎉"),
					}).Draw(rt, "change")
					overtake := func() { send(m.who, change) }
					overtakes.Store(&overtake)
					r.page(shared.Message{Type: shared.TypeHistory, Before: m.offset + 2, Limit: rapid.IntRange(1, 10).Draw(rt, "limit")})
				}
			},
			"page before its entries": func(rt *rapid.T) {
				if r.conn == nil {
					return
				}
				holds.Store(true)
				m := target()
				begin(m.who, edit("", m.offset, m.id, text()))
				begin(m.who, edit("", m.offset, m.id, text()))
				if rapid.Bool().Draw(rt, "delete") {
					begin(m.who, del("", m.offset, m.id))
				}
				// What the log refused has no offset: then this one has another, and its edit is refused.
				id := begin(m.who, shared.Message{Type: shared.TypeChat, Text: text()})
				s.until("the log has it", func() bool { return *last.Load() == id })
				id = begin(m.who, edit("", head+int64(rapid.IntRange(1, 4).Draw(rt, "offset")), id, text()))
				id = begin(m.who, shared.Message{Type: shared.TypeChat, Text: text()})
				s.until("the log has it", func() bool { return *last.Load() == id })
				r.page(shared.Message{Type: shared.TypeHistory, Limit: rapid.IntRange(1, 10).Draw(rt, "limit")})
				if r.conn != nil {
					r.page(shared.Message{Type: shared.TypeHistory, Before: m.offset + 1, Limit: 1})
				}
				if rapid.IntRange(0, 3).Draw(rt, "and leave") == 0 {
					r.goAway()
				}
				holds.Store(false)
				say(1, shared.Message{Type: shared.TypeChat, Text: "released"})
			},
			"catch up": func(*rapid.T) {
				if r.conn != nil && r.since > 0 {
					m := target()
					overtake := func() { send(m.who, del("", m.offset, m.id)) }
					overtakes.Store(&overtake)
					r.catchUp()
				}
			},
			"restart": func(rt *rapid.T) {
				if rapid.IntRange(0, 4).Draw(rt, "really") > 0 {
					return // it takes a while
				}
				r.goAway()
				part()
				s.stop()
				open()
				gather()
			},
		})
		for arrived := false; !arrived || r.since > 0; {
			if r.conn == nil {
				r.come()
				arrived = false
			}
			if arrived {
				r.catchUp()
			} else {
				arrived = r.readTo(say(1, shared.Message{Type: shared.TypeChat, Text: "end"}), 1<<20)
			}
		}
		fresh := &reader{state: newState(), versions: make(map[int64]int), rt: rt, s: s, room: room, device: devices[0]}
		fresh.come()
		defer fresh.goAway()
		first := int64(0)
		for more := true; more; {
			answer := fresh.page(shared.Message{Type: shared.TypeHistory, Before: first, Limit: shared.MaxHistory})
			if more = answer.More && len(answer.Messages) > 0; more {
				first = answer.Messages[0].Offset
			}
		}
		for offset, want := range fresh.messages {
			got, ok := r.messages[offset]
			if !ok {
				continue
			}
			// What is quoted may have been deleted by the log, between two answers too, or corrected.
			if target, there := fresh.messages[want.Reply]; !there || got.Quote != nil && want.Quote != nil || want.Quote == nil && !target.Deleted {
				got.Quote, want.Quote = nil, nil
			}
			got.Changed, want.Changed = 0, 0
			if line(got) != line(want) {
				rt.Errorf("the reader has %q, the log %q; of what is quoted, %q and %q", line(got), line(want), line(r.messages[want.Reply]), line(fresh.messages[want.Reply]))
			}
		}
		if newest := slices.Max(offsets(fresh)); r.messages[newest].Text != "end" {
			rt.Errorf("the newest message, %d, is %+v", newest, r.messages[newest])
		}
	})
}

func offsets(r *reader) (all []int64) {
	for offset := range r.messages {
		all = append(all, offset)
	}
	return all
}
