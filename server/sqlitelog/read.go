package sqlitelog

import (
	"bytes"
	"context"
	"database/sql"
	"encoding/binary"
	"encoding/json"
	"errors"
	"slices"
	"strconv"
	"time"

	"parley/server/chat"
	"parley/shared"
	"parley/shared/find"
)

// What the bits of a row's state mean.
const (
	stateEdited  = 1
	stateDeleted = 2
)

// targetRow is the key of the message that a change is about.
const targetRow = "entries.at - entries.offset + entries.target"

// columns are those of an entry, as scanned has them. The text of an edit is the
// one that its message has now. What a plain message does not have is in one column,
// which is NULL for it: each column takes a tenth of the time that a row takes.
const columns = columnsBegin + ", iif(kind | reply | changed OR file IS NOT NULL, " + columnsMore + " || " + fileColumn + ", NULL), reactions"

const (
	columnsBegin = "at, id, device, user, iif(kind = 1, (SELECT t.text FROM entries AS t WHERE t.at = " + targetRow + "), text), time"
	columnsMore  = "kind || ' ' || target || ' ' || reply || ' ' || state || ' ' || changed"
)

// fileColumn is the file of a message, or of the one that an edit is about, as the
// JSON of a chat.File with a space in front; ” if there is none. One without a row is
// gone, as a message without a text must have something to show.
const fileColumn = "COALESCE(' ' || (SELECT json_object('ID', files.id, 'Name', files.name, 'Type', files.type, 'Size', files.size, 'Width', files.width, " +
	"'Height', files.height, 'Thumb', json(iif(files.thumb, 'true', 'false')), 'Gone', json(iif(files.state = 2, 'true', 'false'))) " +
	"FROM files WHERE files.id = " + fileOf + "), ' {\"ID\":\"' || " + fileOf + " || '\",\"Gone\":true}', '')"

const fileOf = "iif(kind = 1, (SELECT t.file FROM entries AS t WHERE t.at = " + targetRow + "), entries.file)"

// columnsBefore are the same in the schemas from base on that had no files.
const columnsBefore = columnsBegin + ", iif(kind | reply | changed, " + columnsMore + ", NULL), reactions"

// oldColumns are the same in the schemas before base.
const oldColumns = "offset, id, device, user, text, time, NULL, NULL"

// shown holds for a row unless it is an edit of a message that is deleted or gone.
const shown = "(kind <> 1 OR EXISTS (SELECT 1 FROM entries AS t WHERE t.at = " + targetRow + " AND t.kind = 0 AND t.state & 2 = 0))"

// kept holds for a row that is a message and not deleted.
const kept = "kind = 0 AND state & 2 = 0"

const (
	rowQuery       = "SELECT " + columns + " FROM entries WHERE at = ?"
	rowQueryBefore = "SELECT " + columnsBefore + " FROM entries WHERE at = ?"
)

// changesQuery goes along the index of changed messages, and reads only the rows that
// it returns. Without "changed > 0", SQLite may go through the
// whole room. changedQuery reads nothing but the index.
const (
	changesOf    = " FROM entries WHERE room = (SELECT id FROM rooms WHERE key = ?1) AND changed > 0 AND changed > ?2 "
	changesQuery = "SELECT " + columns + changesOf + "AND changed <= ?4 AND at & 0xffffffffff < ?3 ORDER BY changed, at"
	changedQuery = "SELECT changed, at & 0xffffffffff < ?3" + changesOf + "ORDER BY changed, at"
)

// Read implements chat.Log.
func (l *Log) Read(ctx context.Context, room string, after, upTo int64, most chat.Most) ([]chat.Entry, error) {
	return scan(ctx, room, most.Bytes, l.readRow, func() (*sql.Rows, error) {
		return l.readEntries.QueryContext(ctx, room, rowOf(0, after), rowOf(0, upTo), most.Entries)
	})
}

// History implements chat.Log.
func (l *Log) History(ctx context.Context, room string, before int64, most chat.Most) ([]chat.Entry, error) {
	entries, err := scan(ctx, room, most.Bytes, l.readRow, func() (*sql.Rows, error) {
		return l.readHistory.QueryContext(ctx, room, rowBefore(before), most.Entries)
	})
	slices.Reverse(entries)
	return entries, err
}

// noticesQuery goes along the index of notices alone.
const noticesQuery = "SELECT " + columns + " FROM entries INDEXED BY entries_notices WHERE room = (SELECT id FROM rooms WHERE key = ?1) " +
	"AND kind = 4 AND at < " + roomRow + " | ?2 ORDER BY at DESC LIMIT ?3"

// Notices implements chat.Log.
func (l *Log) Notices(ctx context.Context, room string, before int64, most chat.Most) ([]chat.Entry, error) {
	entries, err := scan(ctx, room, most.Bytes, nil, func() (*sql.Rows, error) {
		return l.readNotices.QueryContext(ctx, room, rowBefore(before), most.Entries)
	})
	slices.Reverse(entries)
	return entries, err
}

// rowBefore is rowOf an offset before which something is read; 0 is the end.
func rowBefore(before int64) int64 {
	if before == 0 {
		before = maxOffset
	}
	return rowOf(0, before)
}

// Changes implements chat.Log.
func (l *Log) Changes(ctx context.Context, room string, changed, before int64, most chat.Most, budget time.Duration) (c chat.Changed, err error) {
	l.looking.RLock()
	defer l.looking.RUnlock()
	// What changes meanwhile is after c.At, and so in a later answer.
	if c.At, c.More, err = l.changesUpTo(ctx, room, changed, before, most.Entries, budget); err != nil {
		return c, unavailable(err)
	}
	size := 0
	query := func() (*sql.Rows, error) { return l.readChanges.QueryContext(ctx, room, changed, before, c.At) }
	c.Messages, err = scanUntil(ctx, room, l.readRow, query, func(page []chat.Entry, next *chat.Entry) bool {
		n := len(page)
		full := n > 0 && most.Bytes > 0 && size >= most.Bytes && next.Changed != page[n-1].Changed
		if full {
			c.At, c.More = page[n-1].Changed, true
		}
		size += next.Weight()
		return full
	})
	return c, err
}

// changesUpTo returns how far a page of changes goes that has most messages or takes
// budget, and whether there may be more.
func (l *Log) changesUpTo(ctx context.Context, room string, changed, before int64, most int, budget time.Duration) (upTo int64, more bool, err error) {
	started := time.Now()
	rows, err := l.readChanged.QueryContext(ctx, room, changed, before)
	if err != nil {
		return 0, false, err
	}
	defer rows.Close()
	found := 0
	for upTo = changed; rows.Next(); {
		var next int64
		var wanted bool
		if err := rows.Scan(&next, &wanted); err != nil {
			return 0, false, err
		}
		if next != upTo && upTo != changed && (wanted && found >= most || budget > 0 && time.Since(started) >= budget) {
			return upTo, true, nil
		}
		if upTo = next; wanted {
			found++
		}
	}
	return upTo, false, rows.Err()
}

// Search implements chat.Log.
func (l *Log) Search(ctx context.Context, room, text string, before int64, most chat.Most, budget time.Duration) (chat.Hits, error) {
	l.looking.RLock()
	defer l.looking.RUnlock()
	started := time.Now()
	found, hits, err := l.search(ctx, room, find.New(text), rowBefore(before), func(found, bytes int) bool {
		return found >= most.Entries || most.Bytes > 0 && bytes >= most.Bytes || budget > 0 && time.Since(started) >= budget
	})
	if err != nil {
		return chat.Hits{}, unavailable(err)
	}
	for _, at := range found {
		e, err := scan(ctx, room, 0, l.readRow, func() (*sql.Rows, error) { return l.readRow.QueryContext(ctx, at) })
		if err != nil {
			return chat.Hits{}, err
		}
		if len(e) > 0 && !e[0].Deleted { // since it was found
			hits.Messages = append(hits.Messages, e[0])
		}
	}
	return hits, nil
}

// search returns the rows with a text, and how far it has read.
func (l *Log) search(ctx context.Context, room string, text *find.Text, before int64, enough func(found, bytes int) bool) (found []int64, hits chat.Hits, err error) {
	rows, err := l.readTexts.QueryContext(ctx, room, before)
	if err != nil {
		return nil, hits, err
	}
	defer rows.Close()
	size := 0
	for rows.Next() {
		var at int64
		var in, file sql.NullString // of a message that is there
		if err := rows.Scan(&at, &in, &file); err != nil {
			return nil, hits, err
		}
		if in.Valid && (text.In(in.String) || file.String != "" && text.In(file.String)) {
			found = append(found, at)
			size += len(in.String) + len(file.String)
		}
		if hits.At = at & maxOffset; enough(len(found), size) {
			hits.More = rows.Next()
			break
		}
	}
	return found, hits, rows.Err()
}

// Reactions implements chat.Log.
func (l *Log) Reactions(ctx context.Context, room string, target int64) (all []chat.Reacted, err error) {
	var packed []byte
	switch err := l.readReactions.QueryRowContext(ctx, room, rowOf(0, target)).Scan(&packed); {
	case errors.Is(err, sql.ErrNoRows):
		return nil, nil
	case err != nil:
		return nil, unavailable(err)
	}
	reactions, err := unpackReactions(packed)
	if err != nil {
		return nil, unavailable(err)
	}
	named := make(map[string]int)
	for _, r := range reactions {
		if named[r.Emoji]++; named[r.Emoji] > shared.MaxMembers {
			continue
		}
		reacted := chat.Reacted{Emoji: r.Emoji}
		switch err := l.readUser.QueryRowContext(ctx, room, rowOf(0, r.offset)).Scan(&reacted.User); {
		case errors.Is(err, sql.ErrNoRows): // it was deleted, and its message before
		case err != nil:
			return nil, unavailable(err)
		default:
			all = append(all, reacted)
		}
	}
	return all, nil
}

// scan reads entries until their texts have most bytes; 0 is no bound. With the
// statement target, it also reads what they refer to.
func scan(ctx context.Context, room string, most int, target *sql.Stmt, query func() (*sql.Rows, error)) ([]chat.Entry, error) {
	size := 0
	return scanUntil(ctx, room, target, query, func(_ []chat.Entry, next *chat.Entry) bool {
		over := most > 0 && size >= most
		size += next.Weight()
		return over
	})
}

// scanUntil reads entries until full says that the next one is too much.
func scanUntil(ctx context.Context, room string, target *sql.Stmt, query func() (*sql.Rows, error), full func(page []chat.Entry, next *chat.Entry) bool) (entries []chat.Entry, err error) {
	rows, err := query()
	if err != nil {
		return nil, unavailable(err)
	}
	defer rows.Close()
	refer := false
	var id int64
	var row scanned
	for rows.Next() {
		if err := row.scan(rows, room); err != nil {
			return nil, unavailable(err)
		}
		if full(entries, &row.entry) {
			break
		}
		id = row.at >> offsetBits
		refer = refer || row.entry.Reply != 0 || row.entry.Kind == chat.KindReact
		entries = append(entries, row.entry)
	}
	// The connection is given back before another is asked for.
	if err := errors.Join(rows.Err(), rows.Close()); err != nil {
		return nil, unavailable(err)
	}
	if refer && target != nil {
		if err := addTargets(ctx, entries, room, id, target); err != nil {
			return nil, unavailable(err)
		}
	}
	return entries, nil
}

// addTargets adds to replies and reactions what they take from the messages that
// they are about. It looks at each message once.
func addTargets(ctx context.Context, entries []chat.Entry, room string, id int64, row *sql.Stmt) error {
	seen := make(map[int64]*chat.Extra) // without the texts, which may be long
	for i := range entries {
		e := &entries[i]
		offset := e.Reply
		if e.Kind == chat.KindReact {
			offset = e.Target
		}
		if offset == 0 {
			continue
		}
		target, ok := seen[offset]
		if !ok {
			found, err := scan(ctx, room, 0, nil, func() (*sql.Rows, error) { return row.QueryContext(ctx, rowOf(id, offset)) })
			if err != nil {
				return err
			}
			if len(found) > 0 && found[0].Kind == chat.KindMessage && !found[0].Deleted {
				target = &chat.Extra{Quote: chat.Quoted(found[0]), Reactions: found[0].Extras().Reactions}
			}
			seen[offset] = target
		}
		switch {
		case target == nil:
		case e.Kind == chat.KindReact:
			e.Own().Reactions = target.Reactions
		default:
			e.Own().Quote = target.Quote
		}
	}
	return nil
}

// scanned is what a row of columns is read into, again and again.
type scanned struct {
	at           int64 // the row's key
	entry        chat.Entry
	ms           int64
	more, packed sql.RawBytes
}

// scan reads a row of a room.
func (s *scanned) scan(rows *sql.Rows, room string) error {
	s.entry = chat.Entry{Room: room}
	e := &s.entry
	if err := rows.Scan(&s.at, (*messageID)(&e.ID), (*deviceID)(&e.Device), &e.User, &e.Text, &s.ms, &s.more, &s.packed); err != nil {
		return err
	}
	e.Offset = s.at & maxOffset
	e.Time = time.UnixMilli(s.ms).UTC()
	if len(s.more) > 0 {
		var kind, state int64
		for _, into := range []*int64{&kind, &e.Target, &e.Reply, &state, &e.Changed} {
			var number []byte
			var err error
			number, s.more, _ = bytes.Cut(s.more, []byte(" "))
			if *into, err = strconv.ParseInt(string(number), 10, 64); err != nil {
				return err
			}
		}
		e.Kind = chat.Kind(kind)
		e.Edited, e.Deleted = state&stateEdited != 0, state&stateDeleted != 0
		if len(s.more) > 0 {
			if err := json.Unmarshal(s.more, &e.Own().File); err != nil {
				return err
			}
		}
	}
	switch e.Kind {
	case chat.KindReact:
		e.Own().Emoji, e.Text = e.Text, ""
	case chat.KindDelete, chat.KindNotice:
		if err := e.Unpack(e.Text); err != nil {
			return err
		}
		e.Text = ""
	}
	reactions, err := unpackReactions(s.packed)
	if len(reactions) > 0 {
		all := make([]chat.Reaction, len(reactions))
		for i, r := range reactions {
			all[i] = r.Reaction
		}
		e.Own().Reactions = all
	}
	return err
}

// reaction is a device's reaction as a message's row has it.
type reaction struct {
	chat.Reaction
	offset int64 // of the entry that it came with
}

var errReactions = errors.New("a message's reactions can't be read")

// packReactions makes the column of them: for each, the offset, the emoji and the
// device. The device, as deviceID packs it, has twice its length in front, and one
// more if it is text.
func packReactions(all []reaction) []byte {
	var b []byte
	for _, r := range all {
		b = binary.AppendUvarint(b, uint64(r.offset))
		b = binary.AppendUvarint(b, uint64(len(r.Emoji)))
		b = append(b, r.Emoji...)
		switch device := deviceID(r.Device).pack().(type) {
		case []byte:
			b = binary.AppendUvarint(b, uint64(len(device))<<1)
			b = append(b, device...)
		case string:
			b = binary.AppendUvarint(b, uint64(len(device))<<1|1)
			b = append(b, device...)
		}
	}
	return b
}

func unpackReactions(b []byte) (all []reaction, err error) {
	number := func() uint64 {
		v, n := binary.Uvarint(b)
		if n <= 0 {
			err, b = errReactions, nil
			return 0
		}
		b = b[n:]
		return v
	}
	take := func(n uint64) []byte {
		if n > uint64(len(b)) {
			err, b = errReactions, nil
			return nil
		}
		v := b[:n]
		b = b[n:]
		return v
	}
	for len(b) > 0 {
		var r reaction
		r.offset = int64(number())
		r.Emoji = string(take(number()))
		length := number()
		var device any = take(length >> 1)
		if length&1 != 0 {
			device = string(device.([]byte))
		}
		if err == nil {
			err = (*deviceID)(&r.Device).Scan(device)
		}
		if err != nil {
			return nil, err
		}
		all = append(all, r)
	}
	return all, nil
}
