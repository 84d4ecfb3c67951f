package pglog

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/jackc/pgx/v5"

	"parley/server/chat"
	"parley/shared"
)

// room is a room's row, as a transaction has locked it.
type roomState struct {
	id, version                     int64
	key, name                       string
	used                            bool
	head, first, last, bytes, ruled int64
	rules                           chat.Rules

	saved   chat.Rules   // what the row has
	fresh   []chat.Entry // added by this transaction
	about   bool         // something in fresh is about another entry
	changed bool         // who is in it here does not know what it is now
	rows    map[int64]*row
}

// row is an entry's row that a transaction adds, or may change.
type row struct {
	room      *roomState
	off       int64
	id        string
	device    string
	user      string
	text      []byte // nil if it is what the database has
	size      int64  // of the text
	time      time.Time
	kind      chat.Kind
	target    int64
	reply     int64
	state     int16
	changed   int64
	reactions []reaction
	file      string
	fresh     bool // the database has it not yet
	dirty     bool
}

const (
	stateEdited  = 1
	stateDeleted = 2
)

// reaction is a device's reaction as a message's row has it, in JSON.
type reaction struct {
	Offset int64  `json:"o"` // of the entry that it came with
	Emoji  string `json:"e"`
	Device string `json:"d"`
}

func (r *row) kept() bool { return r != nil && r.kind == chat.KindMessage && r.state&stateDeleted == 0 }

type outcome struct {
	chat.Receipt
	err error
}

type idKey struct {
	room       int64
	device, id string
}

// batch is a transaction under way. What the entries are about is read at its
// beginning; what they do is worked out here, and written at its end.
type batch struct {
	w        *writer
	tx       pgx.Tx
	rooms    []*roomState // in order of their first entry here
	byKey    map[string]*roomState
	ids      map[idKey]int64
	files    map[string]*chat.FileRow
	took     []*chat.FileRow // files that messages have from now on
	outcomes []outcome

	filesGone []string
	left      []statement // delete rows from before their room's beginning that are in the way
}

const roomColumns = "id, version, key, name, used, head, first, last, bytes, ruled, rules"

func scanRoom(from pgx.Row, r *roomState) error {
	var rules *string
	if err := from.Scan(&r.id, &r.version, &r.key, &r.name, &r.used, &r.head, &r.first, &r.last, &r.bytes, &r.ruled, &rules); err != nil {
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

// maxOffset is what every codec can say.
const maxOffset = shared.MaxOffset

var errEntries = errors.New("the room has all the messages that it can have")

// commit adds entries in one transaction.
func (w *writer) commit(ctx context.Context, appends []*request) (*batch, error) {
	if w.conn == nil {
		conn, err := w.log.connect(ctx)
		if err != nil {
			return nil, err
		}
		w.conn = conn
		w.current.Store(conn)
	}
	b := &batch{w: w, byKey: make(map[string]*roomState), ids: make(map[idKey]int64), files: make(map[string]*chat.FileRow)}
	var keys []string
	for _, r := range appends {
		if b.byKey[r.room.Key] == nil {
			b.byKey[r.room.Key] = &roomState{key: r.room.Key, rows: make(map[int64]*row)}
			keys = append(keys, r.room.Key)
		}
	}
	slices.Sort(keys)
	if err := makeRooms(ctx, w.conn.conn, keys); err != nil {
		return nil, err
	}
	var err error
	if b.tx, err = w.conn.conn.Begin(ctx); err != nil {
		return nil, err
	}
	if err := b.load(ctx, keys, appends); err != nil {
		return nil, err
	}
	for _, r := range appends {
		receipt, err := b.append(ctx, r.room, r.entry)
		if err != nil && err != errEntries && err != errChanged && !errors.Is(err, chat.ErrRefused) {
			return nil, err
		}
		b.outcomes = append(b.outcomes, outcome{receipt, err})
	}
	if err := b.flush(ctx); err != nil {
		return nil, err
	}
	// Also a transaction that adds nothing is one that has to be durable: its entries may
	// be there already, but not on the standby.
	var n int64
	if err := b.tx.QueryRow(ctx, "INSERT INTO marks (server, writer, n) VALUES ($1, $2, 1) ON CONFLICT (server, writer) DO UPDATE SET n = marks.n + 1 RETURNING n",
		w.log.server, w.number).Scan(&n); err != nil {
		return nil, err
	}
	if n <= w.n {
		w.n = 0 // the proof's next connection looks what is missing, and says so
		w.log.proof.doubt()
		return nil, errLost
	}
	if err := w.conn.commit(ctx, b.tx); err != nil {
		return nil, err
	}
	w.n = n
	w.log.marks.committed(w.number, n)
	return b, nil
}

var errLost = errors.New("the database has lost something that this server has written")

// executor is a connection, a pool or a transaction.
type executor interface {
	Query(ctx context.Context, query string, args ...any) (pgx.Rows, error)
	QueryRow(ctx context.Context, query string, args ...any) pgx.Row
}

// makeRooms makes the rows of rooms that have none, in an order that all keep.
func makeRooms(ctx context.Context, db executor, keys []string) error {
	rows, err := db.Query(ctx, "INSERT INTO rooms (key, name, head, first) "+
		"SELECT k, '', COALESCE(ends.head, 0), COALESCE(ends.head, 0) + 1 FROM unnest($1::text[]) AS k LEFT JOIN ends ON ends.key = k "+
		"WHERE NOT EXISTS (SELECT 1 FROM rooms WHERE rooms.key = k) ORDER BY k ON CONFLICT (key) DO NOTHING", keys)
	if err != nil {
		return err
	}
	rows.Close()
	return rows.Err()
}

// load locks the rooms, and then reads what the entries may repeat or be about: a
// statement's snapshot is older than the locks that it waited for.
func (b *batch) load(ctx context.Context, keys []string, appends []*request) error {
	rows, err := b.tx.Query(ctx, "SELECT "+roomColumns+" FROM rooms WHERE key = ANY ($1) ORDER BY id FOR NO KEY UPDATE", keys)
	if err != nil {
		return err
	}
	found := 0
	for rows.Next() {
		var r roomState
		if err := scanRoom(rows, &r); err != nil {
			rows.Close()
			return err
		}
		r.saved, r.rows = r.rules.Clone(), make(map[int64]*row)
		*b.byKey[r.key] = r
		found++
	}
	if err := rows.Err(); err != nil {
		return err
	}
	if found < len(keys) {
		return errChanged
	}
	for _, r := range b.byKey {
		for _, f := range b.w.following(r.key) {
			if !f.is(r.id, r.version) { // who is in it here has to learn first
				f.end()
				r.changed = true
			}
		}
	}
	var roomIDs, offsets []int64
	var ofRoom []int64
	var devices, ids, files []string
	seen := make(map[*roomState]bool)
	about := func(r *roomState, offset int64) {
		if offset > 0 && offset <= r.head {
			roomIDs, offsets = append(roomIDs, r.id), append(offsets, offset)
		}
	}
	for _, a := range appends {
		r, e := b.byKey[a.room.Key], &a.entry
		if !seen[r] {
			seen[r] = true
			b.rooms = append(b.rooms, r)
			about(r, r.rules.Pinned)
		}
		ofRoom, devices, ids = append(ofRoom, r.id), append(devices, e.Device), append(ids, e.ID)
		about(r, e.Target)
		about(r, e.Reply)
		if e.Kind == chat.KindMessage && e.Extras().File != nil {
			files = append(files, e.Extra.File.ID)
		}
	}
	if err := b.loadIDs(ctx, ofRoom, devices, ids); err != nil {
		return err
	}
	if err := b.loadRows(ctx, roomIDs, offsets); err != nil {
		return err
	}
	for _, r := range b.rooms {
		if r.rules.Pinned != 0 && !r.rows[r.rules.Pinned].kept() {
			r.rules.Pinned, r.saved.Pinned = 0, 0
		}
	}
	return b.loadFiles(ctx, files)
}

func (b *batch) loadIDs(ctx context.Context, room []int64, devices, ids []string) error {
	rows, err := b.tx.Query(ctx, "SELECT e.room, e.device, e.id, e.off, e.off >= rooms.first FROM unnest($1::bigint[], $2::text[], $3::text[]) AS v (room, device, id) "+
		"JOIN entries e ON e.room = v.room AND e.device = v.device AND e.id = v.id JOIN rooms ON rooms.id = e.room", room, devices, ids)
	if err != nil {
		return err
	}
	defer rows.Close()
	for rows.Next() {
		var k idKey
		var offset int64
		var there bool
		if err := rows.Scan(&k.room, &k.device, &k.id, &offset, &there); err != nil {
			return err
		}
		if there {
			b.ids[k] = offset
		} else {
			b.left = append(b.left, statement{"DELETE FROM entries WHERE room = $1 AND off = $2", []any{k.room, offset}})
		}
	}
	return rows.Err()
}

const rowColumns = "e.room, e.off, e.id, e.device, e.usr, octet_length(e.text), e.time, e.kind, e.state, e.reply, e.changed, e.reactions, COALESCE(e.file, '')"

func (b *batch) loadRows(ctx context.Context, room, offsets []int64) error {
	if len(room) == 0 {
		return nil
	}
	return b.scanRows(b.tx.Query(ctx, "SELECT DISTINCT ON (e.room, e.off) "+rowColumns+" FROM unnest($1::bigint[], $2::bigint[]) AS v (room, off) "+
		"JOIN entries e ON e.room = v.room AND e.off = v.off JOIN rooms ON rooms.id = e.room AND e.off >= rooms.first", room, offsets))
}

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
		if v.room.rows[v.off] == nil { // what the transaction has made of it is newer
			v.room.rows[v.off] = &v
		}
	}
	return rows.Err()
}

func (b *batch) loadFiles(ctx context.Context, ids []string) error {
	if len(ids) == 0 {
		return nil
	}
	all, err := scanFiles(b.tx.Query(ctx, "SELECT "+fileColumns+" FROM files WHERE id = ANY ($1) ORDER BY id FOR UPDATE", ids))
	for i := range all {
		b.files[all[i].ID] = &all[i]
	}
	return err
}

// append works out what an entry does.
func (b *batch) append(ctx context.Context, name shared.Name, e chat.Entry) (receipt chat.Receipt, err error) {
	r := b.byKey[name.Key]
	if r.changed {
		return chat.Receipt{}, errChanged
	}
	if offset, ok := b.ids[idKey{r.id, e.Device, e.ID}]; ok {
		return chat.Receipt{Offset: offset, Duplicate: true}, nil
	}
	about, reactions, err := r.refer(&e)
	if err != nil {
		return chat.Receipt{Reactions: reactions}, err
	}
	if e.Offset = r.head + 1; e.Offset > maxOffset {
		return chat.Receipt{}, errEntries
	}
	rules := r.rules
	if e.Kind == chat.KindNotice {
		r.rules = rules.Clone()
	}
	if refused := r.rules.Carry(e); refused != nil {
		r.rules = rules
		return chat.Receipt{Reactions: reactions}, refused
	}
	var file *chat.FileRow
	if e.Kind == chat.KindMessage && e.Extras().File != nil {
		if file = b.files[e.Extra.File.ID]; true {
			if err := e.MayTake(file); err != nil {
				r.rules = rules
				return chat.Receipt{}, err
			}
		}
		file.Offset = e.Offset
		b.took = append(b.took, file)
		e.Own().File = new(file.File)
	} else if e.Extras().File != nil {
		e.Own().File = nil
	}
	if !r.used {
		r.used, r.name = true, name.Text
	}
	v := b.add(r, e)
	if file != nil {
		v.file = file.ID
	}
	if e.Kind == chat.KindNotice {
		r.ruled = e.Offset
	}
	if about != nil && e.Kind != chat.KindMessage && e.Kind != chat.KindNotice {
		b.change(e, about)
	}
	if e.Kind == chat.KindNotice && e.Extra.Act.Do == shared.DoDeleteAll {
		if err := b.deleteAll(ctx, r, e); err != nil {
			return chat.Receipt{}, err
		}
	}
	return chat.Receipt{Offset: e.Offset, Reactions: reactions}, nil
}

// add adds an entry to its room.
func (b *batch) add(r *roomState, e chat.Entry) *row {
	v := &row{room: r, off: e.Offset, id: e.ID, device: e.Device, user: e.User, text: []byte(e.RowText()), time: e.Time,
		kind: e.Kind, target: e.Target, reply: e.Reply, fresh: true}
	v.size = int64(len(v.text))
	r.rows[e.Offset] = v
	b.ids[idKey{r.id, e.Device, e.ID}] = e.Offset
	r.head, r.last = e.Offset, max(e.Time.UnixMilli(), 1)
	r.bytes += v.size + int64(len(e.User)) + chat.EntryOverhead
	r.about = r.about || e.Kind != chat.KindMessage || e.Reply != 0
	if e.Extra != nil {
		own := e.Own()
		own.Of, own.Since = "", time.Time{}
	}
	r.fresh = append(r.fresh, e)
	return v
}

// refer finds the message that an entry is about, unless it may not be; nil for none.
func (r *roomState) refer(e *chat.Entry) (t *row, reactions int, err error) {
	var target *chat.Target
	if t = r.rows[e.About()]; t.kept() && t.id == e.Extras().Of {
		target = &chat.Target{Device: t.device, User: t.user, Time: t.time, HasFile: t.file != "", Reactions: len(t.reactions),
			Reacted: slices.ContainsFunc(t.reactions, func(v reaction) bool { return v.Device == e.Device })}
	}
	about, err := r.rules.Refer(e, target)
	if e.Kind == chat.KindReact && target != nil {
		reactions = target.Reactions
	}
	if !about {
		t = nil
	}
	return t, reactions, err
}

// change carries out on its message what a change says.
func (b *batch) change(e chat.Entry, t *row) {
	t.changed, t.dirty = e.Offset, true
	switch e.Kind {
	case chat.KindEdit:
		t.room.bytes += int64(len(e.Text)) - t.size
		t.text, t.size, t.state = []byte(e.Text), int64(len(e.Text)), t.state|stateEdited
	case chat.KindDelete:
		b.erase(t, e.Offset)
	case chat.KindReact:
		t.reactions = slices.DeleteFunc(slices.Clone(t.reactions), func(v reaction) bool { return v.Device == e.Device })
		if e.Extras().Emoji != "" {
			t.reactions = append(t.reactions, reaction{e.Offset, e.Extras().Emoji, e.Device})
		}
	}
}

// erase takes away what a message has.
func (b *batch) erase(t *row, by int64) {
	t.room.bytes -= t.size
	if t.file != "" {
		b.filesGone = append(b.filesGone, t.file)
	}
	t.text, t.size, t.state, t.reply, t.reactions, t.file = []byte{}, 0, stateDeleted, 0, nil, ""
	t.changed, t.dirty = by, true
}

// deleteAll adds the deletes that a notice brings with it, and carries them out.
func (b *batch) deleteAll(ctx context.Context, r *roomState, notice chat.Entry) error {
	device := notice.Extras().Act.Device
	if err := b.scanRows(b.tx.Query(ctx, "SELECT "+rowColumns+" FROM entries e WHERE e.room = $1 AND e.off >= $2 AND e.device = $3 AND e.kind = 0 AND e.state & 2 = 0",
		r.id, r.first, device)); err != nil {
		return err
	}
	var offsets []int64
	for _, v := range r.rows {
		if v.kept() && v.device == device {
			offsets = append(offsets, v.off)
		}
	}
	slices.Sort(offsets)
	for _, e := range chat.Deletes(notice, offsets, r.head) {
		if e.Offset > maxOffset {
			return errors.New("the room has no place for the deletes of a notice")
		}
		if err := r.rules.Carry(e); err != nil {
			return err
		}
		b.add(r, e)
		for _, target := range e.Gone() {
			b.erase(r.rows[target], e.Offset)
		}
	}
	return nil
}

// flush writes what the transaction has worked out.
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
	for _, r := range b.rooms {
		if len(r.fresh) == 0 {
			continue
		}
		var rules *string
		if len(r.rules.Hosts) > 0 || len(r.rules.Barred) > 0 || r.ruled > 0 {
			text, err := json.Marshal(r.rules)
			if err != nil {
				return err
			}
			rules = new(string(text))
		}
		q.Queue("UPDATE rooms SET name = $2, used = true, head = $3, last = $4, bytes = $5, ruled = $6, rules = $7 WHERE id = $1",
			r.id, r.name, r.head, r.last, r.bytes, r.ruled, rules)
	}
	if q.Len() == 0 {
		return nil
	}
	return b.tx.SendBatch(ctx, &q).Close()
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

func (b *batch) queueEntries(q *pgx.Batch) {
	var room, off, ms, target, reply, changed []int64
	var id, device, user []string
	var text [][]byte
	var kind, state []int16
	var reactions, file []*string
	for _, r := range b.rooms {
		for _, e := range r.fresh {
			v := r.rows[e.Offset]
			room, off, ms = append(room, r.id), append(off, v.off), append(ms, v.time.UnixMilli())
			id, device, user, text = append(id, v.id), append(device, v.device), append(user, v.user), append(text, v.text)
			kind, state, target, reply = append(kind, int16(v.kind)), append(state, v.state), append(target, v.target), append(reply, v.reply)
			changed, reactions = append(changed, v.changed), append(reactions, packReactions(v.reactions))
			if v.file == "" {
				file = append(file, nil)
			} else {
				file = append(file, &v.file)
			}
		}
	}
	if len(room) > 0 {
		q.Queue("INSERT INTO entries (room, off, id, device, usr, text, time, kind, target, reply, state, changed, reactions, file) "+
			"SELECT * FROM unnest($1::bigint[], $2::bigint[], $3::text[], $4::text[], $5::text[], $6::bytea[], $7::bigint[], $8::smallint[], "+
			"$9::bigint[], $10::bigint[], $11::smallint[], $12::bigint[], $13::text[], $14::text[])",
			room, off, id, device, user, text, ms, kind, target, reply, state, changed, reactions, file)
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
