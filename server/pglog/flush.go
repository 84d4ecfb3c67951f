package pglog

import (
	"context"
	"encoding/json"

	"github.com/jackc/pgx/v5"

	"parley/server/chat"
)

// flush writes what the transaction has worked out, and commits it.
func (b *batch) flush(ctx context.Context) error {
	var q pgx.Batch
	for _, s := range b.left {
		q.Queue(s.query, s.args...)
	}
	b.queueEntries(&q)
	b.queueChanges(&q)
	if len(b.filesGone) > 0 {
		q.Queue("DELETE FROM files WHERE id = ANY ($1)", b.filesGone)
	}
	for _, f := range b.took {
		q.Queue("UPDATE files SET off = $2 WHERE id = $1", f.ID, f.Offset)
	}
	if err := b.queueRooms(&q); err != nil {
		return err
	}
	return b.w.conn.commitBatch(ctx, &q)
}

// ruling tells rules apart: notices change them, and the deletion of what is pinned.
type ruling struct{ by, pinned int64 }

func (r *roomState) ruling() ruling { return ruling{r.ruled, r.rules.Pinned} }

func (b *batch) queueRooms(q *pgx.Batch) error {
	var id, head, last, bytes, ruled []int64
	var name []string
	var rules []*string
	for _, r := range b.rooms {
		if len(r.fresh) == 0 {
			continue
		}
		var packed *string // nil for those that the row has: they may be 100 KB
		if r.ruling() != r.saved {
			text, err := json.Marshal(r.rules)
			if err != nil {
				return err
			}
			packed = new(string(text))
		}
		id, name, head, last = append(id, r.id), append(name, r.name), append(head, r.head), append(last, r.last)
		bytes, ruled, rules = append(bytes, r.bytes), append(ruled, r.ruled), append(rules, packed)
	}
	if len(id) > 0 {
		q.Queue("UPDATE rooms SET name = v.name, used = true, head = v.head, last = v.last, bytes = v.bytes, ruled = v.ruled, rules = COALESCE(v.rules, rooms.rules) "+
			"FROM unnest($1::bigint[], $2::text[], $3::bigint[], $4::bigint[], $5::bigint[], $6::bigint[], $7::text[]) "+
			"AS v (id, name, head, last, bytes, ruled, rules) WHERE rooms.id = v.id", id, name, head, last, bytes, ruled, rules)
	}
	return nil
}

func packReactions(all []reaction) *string {
	if len(all) == 0 {
		return nil
	}
	text, err := json.Marshal(all)
	if err != nil {
		panic(err) // there is nothing in it that has no JSON
	}
	return new(string(text))
}

// table are entries by column, as unnest takes them.
type table struct {
	room, off, ms, target, reply, changed []int64
	id, device, user                      []string
	text                                  [][]byte
	kind, state                           []int16
	reactions, file                       []*string
}

func (t *table) addPlain(v *row) {
	t.room, t.off, t.ms = append(t.room, v.room.id), append(t.off, v.off), append(t.ms, v.time.UnixMilli())
	t.id, t.device, t.user, t.text = append(t.id, v.id), append(t.device, v.device), append(t.user, v.user), append(t.text, v.text)
}

func (t *table) add(v *row) {
	t.addPlain(v)
	t.kind, t.state, t.target, t.reply = append(t.kind, int16(v.kind)), append(t.state, v.state), append(t.target, v.target), append(t.reply, v.reply)
	t.changed, t.reactions = append(t.changed, v.changed), append(t.reactions, packReactions(v.reactions))
	if v.file == "" {
		t.file = append(t.file, nil)
	} else {
		t.file = append(t.file, &v.file)
	}
}

// plain reports whether a row is a message and no more.
func (r *row) plain() bool {
	return r.kind == chat.KindMessage && r.target == 0 && r.reply == 0 && r.state == 0 && r.changed == 0 && len(r.reactions) == 0 && r.file == ""
}

func (b *batch) queueEntries(q *pgx.Batch) {
	var plain, other table
	for _, r := range b.rooms {
		for _, e := range r.fresh {
			if v := r.rows[e.Offset]; v.plain() {
				plain.addPlain(v)
			} else {
				other.add(v)
			}
		}
	}
	if t := &plain; len(t.room) > 0 {
		q.Queue("INSERT INTO entries (room, off, id, device, usr, text, time, kind, target, reply, state, changed) SELECT *, 0, 0, 0, 0, 0 "+
			"FROM unnest($1::bigint[], $2::bigint[], $3::text[], $4::text[], $5::text[], $6::bytea[], $7::bigint[])",
			t.room, t.off, t.id, t.device, t.user, t.text, t.ms)
	}
	if t := &other; len(t.room) > 0 {
		q.Queue("INSERT INTO entries (room, off, id, device, usr, text, time, kind, target, reply, state, changed, reactions, file) "+
			"SELECT * FROM unnest($1::bigint[], $2::bigint[], $3::text[], $4::text[], $5::text[], $6::bytea[], $7::bigint[], $8::smallint[], "+
			"$9::bigint[], $10::bigint[], $11::smallint[], $12::bigint[], $13::text[], $14::text[])",
			t.room, t.off, t.id, t.device, t.user, t.text, t.ms, t.kind, t.target, t.reply, t.state, t.changed, t.reactions, t.file)
	}
}

func (b *batch) queueChanges(q *pgx.Batch) {
	for _, r := range b.rooms {
		for _, v := range r.rows {
			if !v.dirty || v.fresh {
				continue
			}
			var text *[]byte
			if v.text != nil {
				text = &v.text
			}
			var file *string
			if v.file != "" {
				file = &v.file
			}
			q.Queue("UPDATE entries SET text = COALESCE($3, text), state = $4, reply = $5, changed = $6, reactions = $7, file = $8 WHERE room = $1 AND off = $2",
				r.id, v.off, text, v.state, v.reply, v.changed, packReactions(v.reactions), file)
		}
	}
}
