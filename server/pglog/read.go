package pglog

import (
	"context"
	"encoding/json"
	"slices"
	"time"

	"github.com/jackc/pgx/v5"

	"parley/server/chat"
	"parley/shared"
	"parley/shared/find"
)

// columns are those of an entry, as scanEntry has them; from is where they come from,
// for the room whose key is the first parameter. The text and the file of an edit are
// those that its message has now.
const (
	columns = "e.off, e.id, e.device, e.usr, CASE WHEN e.kind = 1 THEN t.text ELSE e.text END, e.time, e.kind, e.target, e.reply, e.state, e.changed, e.reactions, " +
		"COALESCE(CASE WHEN e.kind = 1 THEN t.file ELSE e.file END, ''), f.name, f.type, f.size, f.width, f.height, f.thumb, f.state"
	from     = " FROM rooms r JOIN entries e ON e.room = r.id AND e.off >= r.first " + alsoRead + " WHERE r.key = $1 AND " + readable + " "
	alsoRead = "LEFT JOIN entries t ON e.kind = 1 AND t.room = e.room AND t.off = e.target AND t.off >= r.first AND t.kind = 0 AND t.state & 2 = 0 " +
		"LEFT JOIN files f ON f.id = CASE WHEN e.kind = 1 THEN t.file ELSE e.file END"
	readable = "(e.kind <> 1 OR t.off IS NOT NULL)"
)

const kept = "e.kind = 0 AND e.state & 2 = 0"

// scanEntry reads columns, and what comes after them into more.
func scanEntry(rows pgx.Rows, room string, more ...any) (e chat.Entry, err error) {
	e.Room = room
	var text []byte
	var ms int64
	var state int16
	var reactions, name, kind *string
	var file string
	var size *int64
	var width, height *int
	var thumb *bool
	var fileState *chat.FileState
	if err := rows.Scan(append([]any{&e.Offset, &e.ID, &e.Device, &e.User, &text, &ms, &e.Kind, &e.Target, &e.Reply, &state, &e.Changed, &reactions,
		&file, &name, &kind, &size, &width, &height, &thumb, &fileState}, more...)...); err != nil {
		return e, err
	}
	e.Text, e.Time = string(text), time.UnixMilli(ms).UTC()
	e.Edited, e.Deleted = state&stateEdited != 0, state&stateDeleted != 0
	if file != "" {
		f := &chat.File{ID: file, Gone: true}
		if name != nil {
			*f = chat.File{ID: file, Name: *name, Type: *kind, Size: *size, Width: *width, Height: *height, Thumb: *thumb, Gone: *fileState == chat.FileGone}
		}
		e.Own().File = f
	}
	switch e.Kind {
	case chat.KindReact:
		e.Own().Emoji, e.Text = e.Text, ""
	case chat.KindDelete, chat.KindNotice:
		if err := e.Unpack(e.Text); err != nil {
			return e, err
		}
		e.Text = ""
	}
	if reactions != nil {
		var all []reaction
		if err := json.Unmarshal([]byte(*reactions), &all); err != nil {
			return e, err
		}
		own := e.Own()
		for _, r := range all {
			own.Reactions = append(own.Reactions, chat.Reaction{Device: r.Device, Emoji: r.Emoji})
		}
	}
	return e, nil
}

// entries reads a room's entries until their texts have most bytes, 0 is no bound, and
// then what they take from the messages that they are about.
func (l *Log) entries(ctx context.Context, room string, bytes int, where string, args ...any) ([]chat.Entry, error) {
	var entries []chat.Entry
	err := l.snapshot(ctx, func(ctx context.Context, tx pgx.Tx) (err error) {
		entries, err = readEntries(ctx, tx, room, bytes, where, args...)
		return err
	})
	return entries, wrap(err)
}

func readEntries(ctx context.Context, tx pgx.Tx, room string, bytes int, where string, args ...any) ([]chat.Entry, error) {
	entries, err := scanEntries(ctx, tx, room, bytes, where, args...)
	if err == nil {
		err = addTargets(ctx, tx, room, entries)
	}
	return entries, err
}

func scanEntries(ctx context.Context, db executor, room string, bytes int, where string, args ...any) (entries []chat.Entry, err error) {
	rows, err := db.Query(ctx, "SELECT "+columns+from+where, append([]any{room}, args...)...)
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	size := 0
	for rows.Next() {
		e, err := scanEntry(rows, room)
		if err != nil {
			return nil, err
		}
		if bytes > 0 && size >= bytes {
			break
		}
		size += e.Weight()
		entries = append(entries, e)
	}
	rows.Close()
	return entries, rows.Err()
}

// aboutOf is the offset of the message that an entry takes something from, or 0.
func aboutOf(e *chat.Entry) int64 {
	if e.Kind == chat.KindReact {
		return e.Target
	}
	return e.Reply
}

// addTargets adds to replies and reactions what they take from the messages that they
// are about.
func addTargets(ctx context.Context, db executor, room string, entries []chat.Entry) error {
	var offsets []int64
	for i := range entries {
		if offset := aboutOf(&entries[i]); offset != 0 {
			offsets = append(offsets, offset)
		}
	}
	if len(offsets) == 0 {
		return nil
	}
	slices.Sort(offsets)
	targets, err := scanEntries(ctx, db, room, 0, "AND e.off = ANY ($2) AND "+kept, slices.Compact(offsets))
	if err != nil {
		return err
	}
	byOffset := make(map[int64]*chat.Entry)
	for i := range targets {
		byOffset[targets[i].Offset] = &targets[i]
	}
	for i := range entries {
		e := &entries[i]
		target := byOffset[aboutOf(e)]
		switch {
		case target == nil:
		case e.Kind == chat.KindReact:
			e.Own().Reactions = target.Extras().Reactions
		default:
			e.Own().Quote = chat.Quoted(*target)
		}
	}
	return nil
}

// missed reads everything after an offset up to another.
func (w *writer) missed(ctx context.Context, room string, after, upTo int64) (entries []chat.Entry, err error) {
	err = w.snapshot(ctx, func(ctx context.Context, tx pgx.Tx) (err error) {
		entries, err = readEntries(ctx, tx, room, 0, "AND e.off > $2 AND e.off <= $3 ORDER BY e.off", after, upTo)
		return err
	})
	return entries, wrap(err)
}

// Read implements chat.Log. If what is to come first is not there, another server may
// have deleted it, and whoever follows the room here is told where it begins before they
// take the rest for all.
func (l *Log) Read(ctx context.Context, room string, after, upTo int64, most chat.Most) ([]chat.Entry, error) {
	entries, err := l.entries(ctx, room, most.Bytes, "AND e.off > $2 AND e.off <= $3 ORDER BY e.off LIMIT $4", after, upTo, most.Entries)
	if err == nil && after < upTo && (len(entries) == 0 || entries[0].Offset > after+1) && len(l.writer(room).following(room)) > 0 {
		var h heads
		if h, err = l.headsOf(ctx, room); err == nil {
			err = l.catchUp(ctx, room, h)
		}
		err = wrap(err)
	}
	return entries, err
}

// before is an offset before which something is read; 0 is the end.
func before(offset int64) int64 {
	if offset == 0 {
		return maxOffset + 1
	}
	return offset
}

// History implements chat.Log.
func (l *Log) History(ctx context.Context, room string, upTo int64, most chat.Most) ([]chat.Entry, error) {
	entries, err := l.entries(ctx, room, most.Bytes, "AND e.off < $2 AND e.kind = 0 ORDER BY e.off DESC LIMIT $3", before(upTo), most.Entries)
	slices.Reverse(entries)
	return entries, err
}

// Notices implements chat.Log.
func (l *Log) Notices(ctx context.Context, room string, upTo int64, most chat.Most) ([]chat.Entry, error) {
	entries, err := l.entries(ctx, room, most.Bytes, "AND e.off < $2 AND e.kind = 4 ORDER BY e.off DESC LIMIT $3", before(upTo), most.Entries)
	slices.Reverse(entries)
	return entries, err
}

// lookAtOnce is how many rows are looked at with one statement, so that none is long.
const lookAtOnce = 1000

// Changes implements chat.Log.
func (l *Log) Changes(ctx context.Context, room string, changed, before int64, most chat.Most, budget time.Duration) (c chat.Changed, err error) {
	if c.At, c.More, err = l.changesUpTo(ctx, room, changed, before, most.Entries, budget); err != nil {
		return c, wrap(err)
	}
	all, err := l.entries(ctx, room, 0, "AND e.changed > 0 AND e.changed > $2 AND e.changed <= $3 AND e.off < $4 ORDER BY e.changed, e.off", changed, c.At, before)
	if err != nil {
		return c, err
	}
	size := 0
	for i := range all {
		if i > 0 && most.Bytes > 0 && size >= most.Bytes && all[i].Changed != all[i-1].Changed {
			all, c.At, c.More = all[:i], all[i-1].Changed, true
			break
		}
		size += all[i].Weight()
	}
	c.Messages = all
	return c, nil
}

// changesUpTo returns how far a page of changes goes that has most messages or takes
// budget, and whether there may be more. What one entry changed is never parted.
func (l *Log) changesUpTo(ctx context.Context, room string, changed, before int64, most int, budget time.Duration) (upTo int64, more bool, err error) {
	started := time.Now()
	found := 0
	upTo = changed
	for from := changed; ; {
		type change struct {
			changed int64
			wanted  bool
		}
		var some []change
		if err := l.reading(ctx, func(ctx context.Context) error {
			rows, err := l.pool.Query(ctx, "SELECT e.changed, e.off < $3 FROM rooms r JOIN entries e ON e.room = r.id AND e.off >= r.first "+
				"WHERE r.key = $1 AND e.changed > 0 AND e.changed > $2 ORDER BY e.changed, e.off LIMIT $4", room, from, before, lookAtOnce)
			if err != nil {
				return err
			}
			some, err = pgx.CollectRows(rows, func(row pgx.CollectableRow) (c change, err error) {
				err = row.Scan(&c.changed, &c.wanted)
				return c, err
			})
			return err
		}); err != nil {
			return 0, false, err
		}
		full := len(some) == lookAtOnce
		for i, c := range some {
			if full && c.changed == some[len(some)-1].changed && i > 0 {
				break // it may go on in the next part
			}
			if c.changed != upTo && upTo != changed && (c.wanted && found >= most || budget > 0 && time.Since(started) >= budget) {
				return upTo, true, nil
			}
			if upTo = c.changed; c.wanted {
				found++
			}
		}
		if !full {
			return upTo, false, nil
		}
		from = upTo
	}
}

// Search implements chat.Log.
func (l *Log) Search(ctx context.Context, room, text string, upTo int64, most chat.Most, budget time.Duration) (hits chat.Hits, err error) {
	started := time.Now()
	wanted := find.New(text)
	var found []int64
	size := 0
	enough := func() bool {
		return len(found) >= most.Entries || most.Bytes > 0 && size >= most.Bytes || budget > 0 && time.Since(started) >= budget
	}
	type line struct {
		off  int64
		text []byte // nil if there is nothing to find in it
		file string // its file's name
	}
	over := false
	for at := before(upTo); !over; {
		var some []line
		if err := l.reading(ctx, func(ctx context.Context) error {
			rows, err := l.pool.Query(ctx, "SELECT e.off, CASE WHEN "+kept+" THEN e.text END, "+
				"COALESCE(CASE WHEN e.file IS NOT NULL THEN (SELECT f.name FROM files f WHERE f.id = e.file) END, '') FROM rooms r JOIN entries e ON e.room = r.id AND e.off >= r.first "+
				"WHERE r.key = $1 AND e.off < $2 ORDER BY e.off DESC LIMIT $3", room, at, lookAtOnce)
			if err != nil {
				return err
			}
			some, err = pgx.CollectRows(rows, func(row pgx.CollectableRow) (v line, err error) {
				err = row.Scan(&v.off, &v.text, &v.file)
				return v, err
			})
			return err
		}); err != nil {
			return hits, wrap(err)
		}
		for i, v := range some {
			if v.text != nil && (wanted.In(string(v.text)) || v.file != "" && wanted.In(v.file)) {
				found = append(found, v.off)
				size += len(v.text) + len(v.file)
			}
			if hits.At = v.off; enough() {
				hits.More, over = i+1 < len(some) || len(some) == lookAtOnce, true
				break
			}
		}
		at, over = hits.At, over || len(some) < lookAtOnce
	}
	if len(found) > 0 {
		hits.Messages, err = l.entries(ctx, room, 0, "AND e.off = ANY ($2) AND "+kept+" ORDER BY e.off DESC", found)
	}
	return hits, err
}

// Reactions implements chat.Log.
func (l *Log) Reactions(ctx context.Context, room string, target int64) (all []chat.Reacted, err error) {
	err = l.reading(ctx, func(ctx context.Context) error {
		all = nil
		var packed *string
		err := ignoreNone(l.pool.QueryRow(ctx, "SELECT e.reactions FROM rooms r JOIN entries e ON e.room = r.id AND e.off >= r.first WHERE r.key = $1 AND e.off = $2",
			room, target).Scan(&packed))
		if err != nil || packed == nil {
			return err
		}
		var reactions []reaction
		if err := json.Unmarshal([]byte(*packed), &reactions); err != nil {
			return err
		}
		var offsets []int64
		named := make(map[string]int)
		for _, r := range reactions {
			if named[r.Emoji]++; named[r.Emoji] <= shared.MaxMembers {
				offsets = append(offsets, r.Offset)
			}
		}
		rows, err := l.pool.Query(ctx, "SELECT e.usr, e.text FROM rooms r JOIN unnest($2::bigint[]) WITH ORDINALITY AS v (off, n) ON true "+
			"JOIN entries e ON e.room = r.id AND e.off = v.off AND e.off >= r.first AND e.kind = 3 WHERE r.key = $1 ORDER BY v.n", room, offsets)
		if err != nil {
			return err
		}
		all, err = pgx.CollectRows(rows, func(row pgx.CollectableRow) (r chat.Reacted, err error) {
			var emoji []byte
			err = row.Scan(&r.User, &emoji)
			r.Emoji = string(emoji)
			return r, err
		})
		return err
	})
	return all, wrap(err)
}

// Held implements chat.Log.
func (l *Log) Held(ctx context.Context, room string) (map[string]int64, error) {
	held := make(map[string]int64)
	err := l.reading(ctx, func(ctx context.Context) error {
		clear(held)
		rows, err := l.pool.Query(ctx, "SELECT e.device, SUM("+entryBytes+")::bigint FROM rooms r JOIN entries e ON e.room = r.id AND e.off >= r.first WHERE r.key = $1 GROUP BY e.device", room)
		if err != nil {
			return err
		}
		var device string
		var bytes int64
		_, err = pgx.ForEachRow(rows, []any{&device, &bytes}, func() error {
			held[device] = bytes
			return nil
		})
		return err
	})
	return held, wrap(err)
}

// entryBytes is chat.Entry.Size.
const entryBytes = "octet_length(e.text) + octet_length(e.usr) + 160"
