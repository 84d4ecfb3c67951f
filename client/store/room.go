package store

import (
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"time"

	"go.etcd.io/bbolt"

	"parley/client/session"
	"parley/shared"
)

// room keeps one room: see session.RoomStore.
type room struct {
	store       *Store
	key         string
	log, outbox rows
}

// rows are those of a bucket, by the keys that they have there.
type rows struct {
	name []byte
	keys map[*session.Row]uint64 // nil while it is not known what the bucket has
}

// savedRow is a row in the file.
type savedRow struct {
	Kind     session.Kind     `json:"kind,omitempty"`
	ID       string           `json:"id"`
	Entry    string           `json:"entry,omitempty"` // if it differs from ID
	Epoch    string           `json:"epoch,omitempty"`
	Offset   int64            `json:"offset,omitempty"`
	User     string           `json:"user,omitempty"`
	By       string           `json:"by,omitempty"` // since layout 2
	Text     string           `json:"text,omitempty"`
	Time     time.Time        `json:"time,omitzero"`
	Mine     bool             `json:"mine,omitempty"`
	Delivery session.Delivery `json:"delivery,omitempty"`
	Reason   string           `json:"reason,omitempty"`
	Code     shared.ErrorCode `json:"code,omitempty"`

	// Since layout 4, as Content and the rest of a session.Row.

	Edited    bool               `json:"edited,omitempty"`
	Deleted   bool               `json:"deleted,omitempty"`
	Quote     *session.Quote     `json:"quote,omitempty"`
	Reactions []session.Reaction `json:"reactions,omitempty"`
	Reacted   string             `json:"reacted,omitempty"`
	Changed   int64              `json:"changed,omitempty"`
	Answers   string             `json:"answers,omitempty"`
	Held      bool               `json:"held,omitempty"`

	// Since layout 5, as Content.File and Copy of a session.Row.

	File *session.File `json:"file,omitempty"`
	Copy string        `json:"copy,omitempty"`

	Notice *session.Notice `json:"notice,omitempty"` // since layout 5
}

// roomKey names a room of a server; the name's spelling makes no difference.
func roomKey(server, room string) string {
	if name, err := shared.RoomName(room); err == nil {
		room = name.Key
	}
	return server + "\x00" + room
}

// Load returns what is kept of the room.
func (r *room) Load() (saved session.Saved, err error) {
	err = r.store.guard(func() error {
		return r.store.db.View(func(tx *bbolt.Tx) error {
			return r.read(tx.Bucket(roomsBucket).Bucket([]byte(r.key)), &saved)
		})
	})
	return saved, err
}

func (r *room) read(b *bbolt.Bucket, saved *session.Saved) error {
	r.log, r.outbox = newRows(logBucket), newRows(outboxBucket)
	if b == nil {
		return nil
	}
	err := b.ForEach(func(key, value []byte) error {
		switch string(key) {
		case string(stateKey), string(draftKey), string(amendmentsKey):
			if value != nil {
				return nil
			}
		case string(logBucket), string(outboxBucket):
			if value == nil {
				return nil
			}
		}
		return fmt.Errorf("a room has an odd key %q", key)
	})
	if err != nil {
		return err
	}
	if state := b.Get(stateKey); state != nil {
		err = json.Unmarshal(state, &saved.State)
	}
	saved.Draft = string(b.Get(draftKey))
	var err1, err2, err3 error
	saved.Amendments, err3 = readAmendments(b)
	saved.Log, err1 = r.log.read(b)
	saved.Outbox, err2 = r.outbox.read(b)
	for _, o := range saved.Outbox {
		o.Delivery, o.Offset = session.Pending, 0 // an acknowledgement alone is not kept
	}
	for _, row := range slices.Concat(saved.Log, saved.Outbox) {
		row.Show(saved.Amendments)
	}
	return errors.Join(err, err1, err2, err3)
}

// copiesOf are the copies of files that a room's rows have, and its draft.
func copiesOf(saved session.Saved) (names []string) {
	for _, row := range slices.Concat(saved.Log, saved.Outbox) {
		if row.Copy != "" {
			names = append(names, row.Copy)
		}
	}
	for _, f := range saved.State.Files.Files {
		names = append(names, f.ID)
	}
	return names
}

// readAmendments returns what waits in a room's bucket to be done to its messages.
func readAmendments(b *bbolt.Bucket) (list []*session.Amendment, err error) {
	if data := b.Get(amendmentsKey); data != nil {
		err = json.Unmarshal(data, &list)
	}
	if slices.Contains(list, nil) {
		err = errors.New("an amendment is null")
	}
	return list, err
}

// writeAmendments keeps them. There are few, so they are one value.
func writeAmendments(b *bbolt.Bucket, list []*session.Amendment) error {
	if len(list) == 0 {
		return b.Delete(amendmentsKey)
	}
	return putJSON(b, amendmentsKey, list)
}

// Save writes what has changed in the room, in one transaction.
func (r *room) Save(s session.Saving) error {
	err := r.store.guard(func() error {
		return r.store.db.Update(func(tx *bbolt.Tx) error {
			b, err := tx.Bucket(roomsBucket).CreateBucketIfNotExists([]byte(r.key))
			if err != nil {
				return err
			}
			return errors.Join(
				putJSON(b, stateKey, s.State),
				b.Put(draftKey, []byte(s.Draft)),
				r.outbox.write(b, s.Outbox, s.Changed),
				r.log.write(b, s.Log, s.Changed),
				writeAmendments(b, s.Amendments),
			)
		})
	})
	if err != nil {
		r.log.keys, r.outbox.keys = nil, nil // the next Save writes everything
		return spaceError(err)
	}
	if s.Erase {
		return r.store.eraseSoon()
	}
	return nil
}

// Leave lets the next one enter.
func (r *room) Leave() { <-r.store.token(r.key) }

func newRows(bucket []byte) rows { return rows{bucket, make(map[*session.Row]uint64)} }

func (r *rows) read(room *bbolt.Bucket) (list []*session.Row, err error) {
	b := room.Bucket(r.name)
	if b == nil {
		return nil, nil
	}
	err = b.ForEach(func(key, value []byte) error {
		var s savedRow
		if len(key) != 8 {
			return fmt.Errorf("a row has a key of %d bytes", len(key))
		}
		if err := json.Unmarshal(value, &s); err != nil {
			return err
		}
		row := s.row()
		r.keys[row] = binary.BigEndian.Uint64(key)
		list = append(list, row)
		return nil
	})
	return list, err
}

// write makes the bucket hold these rows. Keys only grow, so a row that goes in
// before others has all of them written again.
func (r *rows) write(room *bbolt.Bucket, list []*session.Row, changed map[*session.Row]bool) error {
	stay := r.staying(list)
	if stay < 0 {
		stay, r.keys = 0, make(map[*session.Row]uint64)
		if room.Bucket(r.name) != nil {
			if err := room.DeleteBucket(r.name); err != nil {
				return err
			}
		}
	}
	b, err := room.CreateBucketIfNotExists(r.name)
	if err != nil {
		return err
	}
	if err := r.deleteOthers(b, list[:stay]); err != nil {
		return err
	}
	for _, row := range list[:stay] {
		if changed[row] {
			err = errors.Join(err, putJSON(b, number(r.keys[row]), saved(row)))
		}
	}
	next := uint64(0)
	if last, _ := b.Cursor().Last(); last != nil {
		next = binary.BigEndian.Uint64(last)
	}
	for _, row := range list[stay:] {
		next++
		r.keys[row] = next
		err = errors.Join(err, putJSON(b, number(next), saved(row)))
	}
	return err
}

// staying returns how many rows of a list, from the first on, have keys already, in
// order. It returns -1 if a row after those has a key too.
func (r *rows) staying(list []*session.Row) (n int) {
	if r.keys == nil {
		return -1
	}
	last := uint64(0)
	for n < len(list) && r.keys[list[n]] > last {
		last = r.keys[list[n]]
		n++
	}
	for _, row := range list[n:] {
		if r.keys[row] != 0 {
			return -1
		}
	}
	return n
}

// deleteOthers deletes the rows that are not in a list.
func (r *rows) deleteOthers(b *bbolt.Bucket, list []*session.Row) (err error) {
	if len(list) == len(r.keys) {
		return nil
	}
	keys := make(map[*session.Row]uint64, len(list))
	for _, row := range list {
		keys[row] = r.keys[row]
	}
	for row, key := range r.keys {
		if keys[row] == 0 {
			err = errors.Join(err, b.Delete(number(key)))
		}
	}
	r.keys = keys
	return err
}

func (s savedRow) row() *session.Row {
	r := &session.Row{
		Item: session.Item{
			Kind: s.Kind, ID: s.ID, Offset: s.Offset, User: s.User, By: s.By,
			Time: s.Time, Mine: s.Mine, Delivery: s.Delivery, Reason: s.Reason, Code: s.Code, Notice: s.Notice,
		},
		Entry: s.Entry, Epoch: s.Epoch,
		Content: session.Content{
			Text: s.Text, File: s.File, Edited: s.Edited, Deleted: s.Deleted, Quote: s.Quote, Reactions: s.Reactions, Reacted: s.Reacted,
		},
		Changed: s.Changed, Answers: s.Answers, Held: s.Held, Copy: s.Copy,
	}
	if r.Entry == "" && r.Kind == session.KindMessage {
		r.Entry = r.ID
	}
	return r
}

func saved(r *session.Row) savedRow {
	s := savedRow{
		Kind: r.Kind, ID: r.ID, Entry: r.Entry, Epoch: r.Epoch, Offset: r.Offset,
		User: r.User, By: r.By, Text: r.Content.Text, Time: r.Time, Mine: r.Mine, Delivery: r.Delivery,
		Reason: r.Reason, Code: r.Code,
		Edited: r.Content.Edited, Deleted: r.Content.Deleted, Quote: r.Content.Quote,
		Reactions: r.Content.Reactions, Reacted: r.Content.Reacted,
		Changed: r.Changed, Answers: r.Answers, Held: r.Held, Notice: r.Notice,
		File: r.Content.File, Copy: r.Copy,
	}
	if s.Entry == s.ID {
		s.Entry = ""
	}
	return s
}

func putJSON(b *bbolt.Bucket, key []byte, v any) error {
	data, err := json.Marshal(v)
	if err != nil {
		return err
	}
	return b.Put(key, data)
}

func number(n uint64) []byte { return binary.BigEndian.AppendUint64(nil, n) }
