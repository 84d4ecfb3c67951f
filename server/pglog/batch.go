package pglog

import (
	"context"
	"errors"
	"slices"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
	"github.com/jackc/pgx/v5/pgtype"

	"parley/server/chat"
	"parley/shared"
)

// room is a room's row, as a transaction has locked it.
type roomState struct {
	at                              pgtype.TID // where the row was when it was locked
	id, version                     int64
	key, name                       string
	used                            bool
	head, first, last, bytes, ruled int64
	tail                            int64 // what the entry at head was when it was locked; 0 if that is not known
	rules                           chat.Rules

	saved   ruling       // of the rules that the row has
	asked   int          // how many entries this transaction is to add
	fresh   []chat.Entry // added by this transaction
	about   bool         // something in fresh is about another entry
	changed bool         // who is in it here does not know what it is now
	rows    map[int64]*row
}

// row returns a message's row, if it was read or is fresh. Most entries never need one.
func (r *roomState) row(offset int64) *row {
	if v := r.rows[offset]; v != nil {
		return v
	}
	before := r.head - int64(len(r.fresh))
	if offset <= before || offset > r.head {
		return nil
	}
	e := &r.fresh[offset-before-1]
	v := &row{room: r, off: offset, id: e.ID, device: e.Device, user: e.User, text: []byte(e.RowText()), time: e.Time,
		kind: e.Kind, reply: e.Reply, fresh: true}
	v.size = int64(len(v.text))
	r.keep(v)
	return v
}

func (r *roomState) keep(v *row) {
	if r.rows == nil {
		r.rows = make(map[int64]*row)
	}
	r.rows[v.off] = v
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
	epoch    string       // when it began
	looks    bool         // ids are looked up
	rooms    []*roomState // in order of their first entry here
	roomOf   []*roomState // of each entry
	byKey    map[string]*roomState
	ids      map[idKey]int64 // of what is there, if they are looked up
	files    map[string]*chat.FileRow
	took     []*chat.FileRow // files that messages have from now on
	outcomes []outcome

	filesGone []string
	left      []statement // delete rows from before their room's beginning that are in the way
}

// maxOffset is what every codec can say.
const maxOffset = shared.MaxOffset

var errEntries = errors.New("the room has all the messages that it can have")

// commit adds entries in one transaction, of two trips to the database where nothing is
// out of the ordinary.
func (w *writer) commit(ctx context.Context) (*batch, error) {
	if err := w.connect(ctx); err != nil {
		return nil, err
	}
	for range 3 {
		b, err := w.try(ctx)
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

func (w *writer) try(ctx context.Context) (*batch, error) {
	appends := w.appends
	b := &batch{w: w, conn: w.conn.conn, epoch: *w.log.epoch.Load(), roomOf: make([]*roomState, len(appends)), byKey: make(map[string]*roomState),
		ids: make(map[idKey]int64), files: make(map[string]*chat.FileRow), outcomes: make([]outcome, len(appends))}
	if b.looks = w.looks > 0; b.looks {
		w.looks--
	}
	var keys []string
	for i, a := range appends {
		r := b.byKey[a.room.Key]
		if r == nil {
			r = &roomState{key: a.room.Key}
			b.byKey[r.key], b.rooms, keys = r, append(b.rooms, r), append(keys, r.key)
		}
		r.asked++
		b.roomOf[i] = r
		if a.entry.Kind != chat.KindMessage || a.entry.Extras().File != nil {
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
	if !b.looks { // what has come while the rooms were locked by another server goes with the rest
		appends = w.takePlain(b)
	}
	for i, a := range appends {
		receipt, err := b.append(ctx, b.roomOf[i], a)
		var on goesOn
		if err != nil && err != errEntries && err != errChanged && !errors.As(err, &on) && !errors.Is(err, chat.ErrRefused) {
			return nil, err
		}
		if err != nil && err != errChanged && !b.looks {
			return nil, errAgain
		}
		b.outcomes[i] = outcome{receipt, err}
	}
	if err := b.flush(ctx); err != nil {
		return nil, err
	}
	w.log.marks.committed(w.number, n, b.rooms)
	return b, nil
}

// takePlain adds to the entries of a transaction what has come meanwhile, as far as
// nothing has to be read for it, and returns all. What it leaves is carried out later, in
// its order.
func (w *writer) takePlain(b *batch) []*request {
	left := make(map[string]bool)
	for _, a := range w.later {
		left[a.room.Key] = true
	}
	for len(w.appends)+len(w.later) < maxBatch && w.texts < maxTexts {
		select {
		case a, ok := <-w.requests:
			if !ok {
				return w.appends
			}
			w.texts += len(a.entry.Text)
			e, r := &a.entry, b.byKey[a.room.Key]
			if r == nil || a.done == nil || left[r.key] || e.Kind != chat.KindMessage || e.Target != 0 || e.Reply != 0 || e.Extras().File != nil {
				left[a.room.Key] = true
				w.later = append(w.later, a)
				continue
			}
			r.asked++
			w.appends, b.roomOf, b.outcomes = append(w.appends, a), append(b.roomOf, r), append(b.outcomes, outcome{})
		default:
			return w.appends
		}
	}
	return w.appends
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
