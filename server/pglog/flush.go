package pglog

import (
	"context"
	"encoding/binary"
	"encoding/json"
	"math"
	"slices"

	"github.com/jackc/pgx/v5/pgtype"

	"parley/server/chat"
)

// flush writes what the transaction has worked out, and commits it.
func (b *batch) flush(ctx context.Context) error {
	c := &b.w.commands
	c.begin(b.conn)
	for _, s := range slices.Concat(b.left, b.changes()) {
		if err := c.exec(ctx, s.query, s.args...); err != nil {
			return err
		}
	}
	if len(b.filesGone) > 0 {
		if err := c.exec(ctx, "DELETE FROM files WHERE id = ANY ($1)", b.filesGone); err != nil {
			return err
		}
	}
	for _, f := range b.took {
		if err := c.exec(ctx, "UPDATE files SET off = $2 WHERE id = $1", f.ID, f.Offset); err != nil {
			return err
		}
	}
	if err := b.writeRooms(ctx, c); err != nil {
		return err
	}
	if err := b.writeEntries(c); err != nil {
		return err
	}
	return b.w.conn.commitAll(ctx, c)
}

// ruling tells rules apart: notices change them, and the deletion of what is pinned.
type ruling struct{ by, pinned int64 }

func (r *roomState) ruling() ruling { return ruling{r.ruled, r.rules.Pinned} }

// writeRooms finds the rooms' rows where they were locked: nobody else can move them.
func (b *batch) writeRooms(ctx context.Context, c *commands) error {
	var at []pgtype.TID
	var head, last, bytes, ruled, tail []int64
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
		at, name, head, last = append(at, r.at), append(name, r.name), append(head, r.head), append(last, r.last)
		bytes, ruled, rules = append(bytes, r.bytes), append(ruled, r.ruled), append(rules, packed)
		tail = append(tail, tailOf(r.fresh[len(r.fresh)-1].ID))
	}
	if len(at) == 0 {
		return nil
	}
	return c.exec(ctx, "UPDATE rooms SET name = v.name, used = true, head = v.head, last = v.last, bytes = v.bytes, ruled = v.ruled, rules = COALESCE(v.rules, rooms.rules), tail = v.tail "+
		"FROM unnest($1::tid[], $2::text[], $3::bigint[], $4::bigint[], $5::bigint[], $6::bigint[], $7::text[], $8::bigint[]) "+
		"AS v (at, name, head, last, bytes, ruled, rules, tail) WHERE rooms.ctid = v.at", at, name, head, last, bytes, ruled, rules, tail)
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

// writeEntries adds the entries by COPY: that has the database write a record of its log
// for each page, and not for each row.
func (b *batch) writeEntries(c *commands) error {
	if !slices.ContainsFunc(b.rooms, func(r *roomState) bool { return len(r.fresh) > 0 }) {
		return nil
	}
	return c.copyIn("COPY entries (room, off, id, device, usr, text, time, kind, target, reply, state, changed, reactions, file) FROM STDIN (FORMAT binary)",
		func(out []byte) []byte {
			for _, r := range b.rooms {
				for i := range r.fresh {
					out = appendRow(out, r, &r.fresh[i])
				}
			}
			return out
		})
}

// appendRow appends an entry's row as COPY takes it in binary.
func appendRow(out []byte, r *roomState, e *chat.Entry) []byte {
	v := r.rows[e.Offset]
	if v == nil {
		v = &row{reply: e.Reply}
	}
	out = binary.BigEndian.AppendUint16(out, 14) // columns
	out = appendInt64(out, r.id)
	out = appendInt64(out, e.Offset)
	out = appendText(out, e.ID)
	out = appendText(out, e.Device)
	out = appendText(out, e.User)
	if v.fresh {
		out = appendText(out, v.text) // may have been changed since
	} else {
		out = appendText(out, e.RowText())
	}
	out = appendInt64(out, e.Time.UnixMilli())
	out = appendInt16(out, int16(e.Kind))
	out = appendInt64(out, e.Target)
	out = appendInt64(out, v.reply)
	out = appendInt16(out, v.state)
	out = appendInt64(out, v.changed)
	out = appendOptional(out, packReactions(v.reactions))
	return appendOptional(out, optional(v.file))
}

func appendInt16(out []byte, v int16) []byte {
	return binary.BigEndian.AppendUint16(binary.BigEndian.AppendUint32(out, 2), uint16(v))
}

func appendInt64(out []byte, v int64) []byte {
	return binary.BigEndian.AppendUint64(binary.BigEndian.AppendUint32(out, 8), uint64(v))
}

func appendText[T string | []byte](out []byte, v T) []byte {
	return append(binary.BigEndian.AppendUint32(out, uint32(len(v))), v...)
}

// appendOptional appends a text, or NULL.
func appendOptional(out []byte, v *string) []byte {
	if v == nil {
		return binary.BigEndian.AppendUint32(out, math.MaxUint32)
	}
	return appendText(out, *v)
}

// changes are the statements that change rows that were there before.
func (b *batch) changes() (all []statement) {
	for _, r := range b.rooms {
		for _, v := range r.rows {
			if !v.dirty || v.fresh {
				continue
			}
			var text *[]byte
			if v.text != nil {
				text = &v.text
			}
			all = append(all, statement{"UPDATE entries SET text = COALESCE($3, text), state = $4, reply = $5, changed = $6, reactions = $7, file = $8 WHERE room = $1 AND off = $2",
				[]any{r.id, v.off, text, v.state, v.reply, v.changed, packReactions(v.reactions), optional(v.file)}})
		}
	}
	return all
}

// optional is NULL for "".
func optional(v string) *string {
	if v == "" {
		return nil
	}
	return &v
}
