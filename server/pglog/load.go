package pglog

import (
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"time"

	"github.com/jackc/pgx/v5"

	"parley/server/chat"
)

// known is what a writer remembers of a room's row, so that it can ask for the room's
// entries before it has the row. It may be out of date.
type known struct{ id, pinned int64 }

const mostKnown = 10_000

// lookup is which entries a transaction asks for.
type lookup struct {
	idRooms      []int64
	devices, ids []string
	rooms, offs  []int64
	asked        map[place]bool // what is in rooms and offs
}

// place is where an entry is.
type place struct{ room, offset int64 }

func (q *lookup) about(room, offset int64) {
	if at := (place{room, offset}); offset > 0 && !q.asked[at] {
		q.asked[at] = true
		q.rooms, q.offs = append(q.rooms, room), append(q.offs, offset)
	}
}

func (q *lookup) queue(to *pgx.Batch) {
	if len(q.idRooms) > 0 {
		to.Queue("SELECT e.room, e.device, e.id, e.off FROM unnest($1::bigint[], $2::text[], $3::text[]) AS v (room, device, id) "+
			"JOIN entries e ON e.room = v.room AND e.device = v.device AND e.id = v.id", q.idRooms, q.devices, q.ids)
	}
	if len(q.rooms) > 0 {
		to.Queue("SELECT "+rowColumns+" FROM unnest($1::bigint[], $2::bigint[]) AS v (room, off) JOIN entries e ON e.room = v.room AND e.off = v.off",
			q.rooms, q.offs)
	}
}

// lookup works out what has to be read for entries, by what the writer knows of the rooms.
func (b *batch) lookup(appends []*request) *lookup {
	q := &lookup{asked: make(map[place]bool)}
	for _, r := range b.rooms {
		room := b.w.known[r.key]
		q.about(room.id, room.pinned)
	}
	for i, a := range appends {
		e := &a.entry
		if !b.looks && e.Target <= 0 && e.Reply <= 0 {
			continue
		}
		room := b.w.known[b.roomOf[i].key].id
		if b.looks {
			q.idRooms, q.devices, q.ids = append(q.idRooms, room), append(q.devices, e.Device), append(q.ids, e.ID)
		}
		q.about(room, e.Target)
		q.about(room, e.Reply)
	}
	return q
}

// load begins the transaction, locks the rooms, and then reads what the entries may
// repeat or be about: a statement's snapshot is older than the locks that it waited for.
// Where the writer knows the rooms, all goes out at once. It returns the number of the
// transaction.
func (b *batch) load(ctx context.Context, keys []string, appends []*request) (n int64, err error) {
	all := !slices.ContainsFunc(keys, func(key string) bool { _, ok := b.w.known[key]; return !ok })
	if !all {
		if err := makeRooms(ctx, b.conn, keys); err != nil {
			return 0, err
		}
	}
	var q pgx.Batch
	q.Queue("BEGIN ISOLATION LEVEL READ COMMITTED")
	q.Queue("INSERT INTO marks (server, writer, n) VALUES ($1, $2, 1) ON CONFLICT (server, writer) DO UPDATE SET n = marks.n + 1 RETURNING n",
		b.w.log.server, b.w.number)
	if all { // numbers are found faster than names
		var ids []int64
		for _, key := range keys {
			ids = append(ids, b.w.known[key].id)
		}
		q.Queue("SELECT "+roomColumns+" FROM rooms WHERE id = ANY ($1) ORDER BY id FOR NO KEY UPDATE", ids)
	} else {
		q.Queue("SELECT "+roomColumns+" FROM rooms WHERE key = ANY ($1) ORDER BY id FOR NO KEY UPDATE", keys)
	}
	var asked *lookup
	if all {
		asked = b.lookup(appends)
		asked.queue(&q)
	}
	results := b.conn.SendBatch(ctx, &q)
	defer results.Close()
	if _, err := results.Exec(); err != nil {
		return 0, err
	}
	if err := results.QueryRow().Scan(&n); err != nil {
		return 0, err
	}
	same, err := b.scanRooms(results.Query())
	if err != nil {
		return 0, err
	}
	for _, key := range keys {
		if b.byKey[key].id == 0 { // it is not there any more
			delete(b.w.known, key)
			return 0, errAgain
		}
	}
	if all && same {
		if err := b.scan(results, asked); err != nil {
			return 0, err
		}
	}
	if err := results.Close(); err != nil {
		return 0, err
	}
	if !all || !same {
		q = pgx.Batch{}
		asked = b.lookup(appends)
		if asked.queue(&q); q.Len() > 0 {
			results = b.conn.SendBatch(ctx, &q)
			defer results.Close()
			if err := b.scan(results, asked); err != nil {
				return 0, err
			}
			if err := results.Close(); err != nil {
				return 0, err
			}
		}
	}
	for _, r := range b.rooms {
		for _, f := range b.w.following(r.key) {
			if !f.is(r.id, r.version) { // who is in it here has to learn first
				f.end()
				r.changed = true
			}
		}
		if r.rules.Pinned != 0 && !r.rows[r.rules.Pinned].kept() {
			r.rules.Pinned, r.saved.pinned = 0, 0
		}
	}
	var files []string
	for _, a := range appends {
		if a.entry.Kind == chat.KindMessage && a.entry.Extras().File != nil {
			files = append(files, a.entry.Extra.File.ID)
		}
	}
	return n, b.loadFiles(ctx, files)
}

const roomColumns = "ctid, id, version, key, name, used, head, first, last, bytes, ruled, rules, tail"

func scanRoom(from pgx.Row, r *roomState) error {
	var rules *string
	if err := from.Scan(&r.at, &r.id, &r.version, &r.key, &r.name, &r.used, &r.head, &r.first, &r.last, &r.bytes, &r.ruled, &rules, &r.tail); err != nil {
		return err
	}
	r.rules = chat.Rules{}
	if rules != nil {
		if err := json.Unmarshal([]byte(*rules), &r.rules); err != nil {
			return fmt.Errorf("the rules of the room %q can't be read: %w", r.key, err)
		}
	}
	r.rules.Used = r.used
	return nil
}

// scanRooms reads the rows of rooms. It reports whether they are what the writer knew.
func (b *batch) scanRooms(rows pgx.Rows, err error) (same bool, _ error) {
	if err != nil {
		return false, err
	}
	defer rows.Close()
	if len(b.w.known) > mostKnown {
		clear(b.w.known)
	}
	same = true
	for rows.Next() {
		var v roomState
		if err := scanRoom(rows, &v); err != nil {
			return false, err
		}
		r := b.byKey[v.key]
		if r == nil {
			continue // it has another name by now
		}
		v.saved, v.asked = v.ruling(), r.asked
		*r = v
		now := known{r.id, r.rules.Pinned}
		same = same && b.w.known[r.key] == now
		b.w.known[r.key] = now
	}
	return same, rows.Err()
}

// scan reads what a lookup asked for.
func (b *batch) scan(results pgx.BatchResults, asked *lookup) error {
	byID := make(map[int64]*roomState)
	for _, r := range b.rooms {
		byID[r.id] = r
	}
	if len(asked.idRooms) > 0 {
		if err := b.scanIDs(byID, results); err != nil {
			return err
		}
	}
	if len(asked.rooms) > 0 {
		return b.scanRows(results.Query())
	}
	return nil
}

func (b *batch) scanIDs(byID map[int64]*roomState, results pgx.BatchResults) error {
	rows, err := results.Query()
	if err != nil {
		return err
	}
	defer rows.Close()
	for rows.Next() {
		var k idKey
		var offset int64
		if err := rows.Scan(&k.room, &k.device, &k.id, &offset); err != nil {
			return err
		}
		if offset >= byID[k.room].first {
			b.ids[k] = offset
		} else {
			b.left = append(b.left, statement{"DELETE FROM entries WHERE room = $1 AND off = $2", []any{k.room, offset}})
		}
	}
	return rows.Err()
}

const rowColumns = "e.room, e.off, e.id, e.device, e.usr, octet_length(e.text), e.time, e.kind, e.state, e.reply, e.changed, e.reactions, COALESCE(e.file, '')"

func (b *batch) scanRows(rows pgx.Rows, err error) error {
	if err != nil {
		return err
	}
	defer rows.Close()
	byID := make(map[int64]*roomState)
	for _, r := range b.rooms {
		byID[r.id] = r
	}
	for rows.Next() {
		var v row
		var id, ms int64
		var reactions *string
		if err := rows.Scan(&id, &v.off, &v.id, &v.device, &v.user, &v.size, &ms, &v.kind, &v.state, &v.reply, &v.changed, &reactions, &v.file); err != nil {
			return err
		}
		if reactions != nil {
			if err := json.Unmarshal([]byte(*reactions), &v.reactions); err != nil {
				return err
			}
		}
		v.time, v.room = time.UnixMilli(ms).UTC(), byID[id]
		if v.off >= v.room.first && v.room.rows[v.off] == nil { // what the transaction has made of it is newer
			v.room.keep(&v)
		}
	}
	return rows.Err()
}

func (b *batch) loadFiles(ctx context.Context, ids []string) error {
	if len(ids) == 0 {
		return nil
	}
	all, err := scanFiles(b.conn.Query(ctx, "SELECT "+fileColumns+" FROM files WHERE id = ANY ($1) ORDER BY id FOR UPDATE", ids))
	for i := range all {
		b.files[all[i].ID] = &all[i]
	}
	return err
}
