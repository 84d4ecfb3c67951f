//go:build linux

package chaos

import (
	"fmt"
	"maps"
	"slices"
	"time"

	"parley/shared"
)

// draft is a message, or a change of one, on its way.
type draft struct {
	name   string // also its id, in parley.v1
	by     string
	kind   shared.Type
	text   string // of a message or an edit
	emoji  string // of a reaction
	target sight  // of a change or a reply
	at     time.Time
	sent   bool // on this connection
	gone   bool // refused, because its target was deleted
}

// The kinds of drafts. A reply is a message.
const (
	says    = shared.TypeChat
	edits   = shared.Type("edit")
	deletes = shared.TypeDelete
	reacts  = shared.TypeReact
)

// frame is what is sent.
func (d *draft) frame(parley bool) shared.Message {
	if !parley {
		return shared.Message{Type: shared.TypeChat, Text: d.text}
	}
	f := shared.Message{Type: d.kind, ID: d.name, Text: d.text, Of: d.target.id, Emoji: d.emoji}
	switch d.kind {
	case says:
		f.Reply = d.target.offset
	case edits:
		f.Type, f.Edits = shared.TypeChat, d.target.offset
	default:
		f.Target = d.target.offset
	}
	return f
}

// sight is an entry as a member saw it.
type sight struct {
	offset int64
	name   string // what it was said as
	id     string // as the log has it
}

// sightOf names an entry. The server makes the ids of the tutorial's dialect, in which
// nobody changes anything: there, the text is the name. The caller holds w.mu.
func (w *world) sightOf(room string, f shared.Message) sight {
	if w.drafts[room][f.ID] != nil {
		return sight{f.Offset, f.ID, f.ID}
	}
	return sight{f.Offset, f.Text, f.ID}
}

// mostKept bounds the messages that a member, or a room, still changes.
const mostKept = 30

func keep(all []sight, s sight) []sight {
	if n := len(all); n > 0 && s.offset <= all[n-1].offset {
		return all
	}
	return append(all[max(0, len(all)-mostKept+1):len(all):len(all)], s)
}

// next is what a member says next: mostly a message. The caller holds w.mu.
func (m *member) next() *draft {
	m.said++
	d := &draft{name: fmt.Sprintf("%s-%d", m.name, m.said), by: m.name, kind: says}
	d.text = d.name
	if !m.parley {
		return d
	}
	m.w.drafts[m.room][d.name] = d
	heard, n := m.w.heard[m.room], m.w.jitters.IntN(20)
	switch {
	case n < 3 && len(m.own) > 0:
		i := m.w.jitters.IntN(len(m.own))
		d.kind, d.target = edits, m.own[i]
		d.text = d.target.name + " as " + d.name
		if n == 0 {
			d.kind, d.text = deletes, ""
			m.w.deleted[m.room][d.target.name] = true
			m.own = slices.Delete(slices.Clone(m.own), i, i+1)
		}
	case n < 8 && len(heard) > 0:
		d.target = heard[m.w.jitters.IntN(len(heard))]
		if n < 6 {
			d.kind, d.text, d.emoji = reacts, "", append(shared.Emojis[:3:3], "")[m.w.jitters.IntN(4)]
		}
	}
	return d
}

// row is what a message is.
type row struct {
	name      string
	text      string
	reply     int64
	edited    bool
	deleted   bool
	reactions string
	changed   int64 // the offset of its last change
}

func (w *world) rowOf(room string, f shared.Message) row {
	return row{w.sightOf(room, f).name, f.Text, f.Reply, f.Edited, f.Deleted, fmt.Sprint(f.Reactions), f.Changed}
}

func (r row) erase(offset int64) row {
	return row{name: r.name, text: shared.TextDeleted, deleted: true, reactions: fmt.Sprint([]shared.Count(nil)), changed: offset}
}

// apply carries out on what a member has what a frame says. The caller holds w.mu.
func (m *member) apply(f shared.Message) {
	target := f.Target
	switch {
	case f.Type == shared.TypeDelete:
		target = f.Targets[0]
	case f.Edits != 0:
		target = f.Edits
	case f.Type == shared.TypeChat:
		m.rows[f.Offset] = m.w.rowOf(m.room, f)
		return
	}
	r, ok := m.rows[target]
	if !ok || f.Offset < r.changed {
		return
	}
	r.changed = f.Offset
	switch f.Type {
	case shared.TypeDelete:
		r = r.erase(f.Offset)
	case shared.TypeReact:
		r.reactions = fmt.Sprint(f.Counts)
	default:
		r.text, r.edited = f.Text, true
	}
	m.rows[target] = r
}

// expected is what a room's messages are after all of its entries, each carried out
// once, in their order. The caller holds w.mu.
func (w *world) expected(room string) map[int64]row {
	rows := make(map[int64]row)
	reactions := make(map[int64]map[string]string) // by target and member
	for _, offset := range slices.Sorted(maps.Keys(w.entries[room])) {
		name := w.entries[room][offset]
		d := w.drafts[room][name]
		if d == nil { // the tutorial's
			d = &draft{name: name, kind: says, text: name}
		}
		target := rows[d.target.offset]
		switch d.kind {
		case says:
			r := row{name: name, text: d.text, reply: d.target.offset, reactions: countsOf(nil)}
			if target.deleted {
				r.reply = 0
			}
			rows[offset] = r
			continue
		case edits:
			target.text, target.edited, target.changed = d.text, true, offset
		case deletes:
			target = target.erase(offset)
		case reacts:
			if reactions[d.target.offset] == nil {
				reactions[d.target.offset] = make(map[string]string)
			}
			reactions[d.target.offset][d.by] = d.emoji
			target.reactions, target.changed = countsOf(reactions[d.target.offset]), offset
		}
		rows[d.target.offset] = target
	}
	return rows
}

func countsOf(reactions map[string]string) string {
	var counts []shared.Count
	for _, emoji := range shared.Emojis {
		n := 0
		for _, e := range reactions {
			if e == emoji {
				n++
			}
		}
		if n > 0 {
			counts = append(counts, shared.Count{Emoji: emoji, N: n})
		}
	}
	return fmt.Sprint(counts)
}

// leap is what lies between two entries that a member saw one after the other.
type leap struct{ after, before int64 }

// explain looks for what a member leapt over and should have seen: everything but
// edits of messages that were deleted, and in the tutorial's dialect changes. The
// caller holds w.mu.
func (m *member) explain(rows map[int64]row) {
	for _, l := range m.leaps {
		for offset := l.after + 1; offset < l.before; offset++ {
			d := m.w.drafts[m.room][m.w.entries[m.room][offset]]
			if d == nil || d.kind == says || m.parley && (d.kind != edits || !rows[d.target.offset].deleted) {
				m.w.counts.disordered++
				m.w.problem("%s sees %d after %d, without %q", m.name, l.before, l.after, m.w.entries[m.room][offset])
			}
		}
	}
}
