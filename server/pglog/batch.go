package pglog

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"

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
	conn     *pgx.Conn
	looks    bool         // ids are looked up
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

// commit adds entries in one transaction, of two trips to the database where nothing is
// out of the ordinary.
func (w *writer) commit(ctx context.Context, appends []*request) (*batch, error) {
	if err := w.connect(ctx); err != nil {
		return nil, err
	}
	for range 3 {
		b, err := w.try(ctx, appends)
		var pg *pgconn.PgError
		switch {
		case errors.As(err, &pg) && pg.Code == "23505" && pg.ConstraintName == "entries_id":
		case err != errAgain:
			return b, err
		}
		w.looks = looksFor
		if _, err := w.conn.conn.Exec(ctx, "ROLLBACK"); err != nil {
			return nil, err
		}
	}
	return nil, errChanged
}

// looksFor is for how many transactions a writer looks ids up after one that was there
// already. Otherwise it has the index find that out: an id that comes twice is rare.
const looksFor = 64

// errAgain says that a transaction has to be done once more, with all ids looked up and
// all rooms made.
var errAgain = errors.New("once more")

func (w *writer) try(ctx context.Context, appends []*request) (*batch, error) {
	b := &batch{w: w, conn: w.conn.conn, byKey: make(map[string]*roomState), ids: make(map[idKey]int64), files: make(map[string]*chat.FileRow)}
	if b.looks = w.looks > 0; b.looks {
		w.looks--
	}
	var keys []string
	for _, r := range appends {
		if b.byKey[r.room.Key] == nil {
			b.byKey[r.room.Key] = &roomState{key: r.room.Key}
			keys = append(keys, r.room.Key)
		}
		if r.entry.Kind != chat.KindMessage || r.entry.Extras().File != nil {
			b.looks = true // what was refused or not may be otherwise by now
		}
	}
	slices.Sort(keys)
	n, err := b.load(ctx, keys, appends)
	if err != nil {
		return nil, err
	}
	if w.log.marks.hasMore(w.number, n) {
		w.log.proof.doubt() // until there is a new epoch, nothing is written
		return nil, errLost
	}
	for _, r := range appends {
		receipt, err := b.append(ctx, r.room, r.entry)
		if err != nil && err != errEntries && err != errChanged && !errors.Is(err, chat.ErrRefused) {
			return nil, err
		}
		if err != nil && err != errChanged && !b.looks {
			return nil, errAgain
		}
		b.outcomes = append(b.outcomes, outcome{receipt, err})
	}
	if err := b.flush(ctx); err != nil {
		return nil, err
	}
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

// lookup works out what has to be read for entries, if rooms have these ids.
func (b *batch) lookup(appends []*request, ids map[string]known) *lookup {
	q := &lookup{asked: make(map[place]bool)}
	seen := make(map[string]bool)
	for _, a := range appends {
		key, e := a.room.Key, &a.entry
		room := ids[key]
		if !seen[key] {
			seen[key] = true
			q.about(room.id, room.pinned)
		}
		if b.looks {
			q.idRooms, q.devices, q.ids = append(q.idRooms, room.id), append(q.devices, e.Device), append(q.ids, e.ID)
		}
		q.about(room.id, e.Target)
		q.about(room.id, e.Reply)
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
	q.Queue("SELECT "+roomColumns+" FROM rooms WHERE key = ANY ($1) ORDER BY id FOR NO KEY UPDATE", keys)
	var asked *lookup
	if all {
		asked = b.lookup(appends, b.w.known)
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
	seen := make(map[*roomState]bool)
	for _, a := range appends {
		if r := b.byKey[a.room.Key]; !seen[r] {
			seen[r] = true
			b.rooms = append(b.rooms, r)
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
		asked = b.lookup(appends, b.w.known)
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
			r.rules.Pinned, r.saved.Pinned = 0, 0
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
		var r roomState
		if err := scanRoom(rows, &r); err != nil {
			return false, err
		}
		r.saved, r.rows = r.rules.Clone(), make(map[int64]*row)
		*b.byKey[r.key] = r
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
			v.room.rows[v.off] = &v
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
		t.reactions = slices.DeleteFunc(t.reactions, func(v reaction) bool { return v.Device == e.Device })
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
	if err := b.scanRows(b.conn.Query(ctx, "SELECT "+rowColumns+" FROM entries e WHERE e.room = $1 AND e.off >= $2 AND e.device = $3 AND e.kind = 0 AND e.state & 2 = 0",
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

func (b *batch) queueRooms(q *pgx.Batch) error {
	var id, head, last, bytes, ruled []int64
	var name []string
	var rules []*string
	for _, r := range b.rooms {
		if len(r.fresh) == 0 {
			continue
		}
		var packed *string
		if len(r.rules.Hosts) > 0 || len(r.rules.Barred) > 0 || r.ruled > 0 {
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
		q.Queue("UPDATE rooms SET name = v.name, used = true, head = v.head, last = v.last, bytes = v.bytes, ruled = v.ruled, rules = v.rules "+
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
