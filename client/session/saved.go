package session

import (
	"bytes"
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"go.etcd.io/bbolt"

	"parley/shared"
)

// savedState is what is kept once for a room.
type savedState struct {
	Server   string          `json:"server"`
	Room     string          `json:"room"`
	Name     string          `json:"name"`
	Position shared.Position `json:"position"`
	Begun    bool            `json:"begun,omitempty"` // the oldest kept row is the log's first
	Unread   int             `json:"unread,omitempty"`
	Key      string          `json:"key,omitempty"` // the passphrase that let in last
	Seen     time.Time       `json:"seen"`
	Used     time.Time       `json:"used,omitzero"` // when its page was last opened
	Shown    bool            `json:"shown,omitempty"`
	Place    Place           `json:"place,omitzero"`
}

// savedRow is a row in the file.
type savedRow struct {
	Kind     Kind             `json:"kind,omitempty"`
	ID       string           `json:"id"`
	Entry    string           `json:"entry,omitempty"` // where it differs from ID
	Epoch    string           `json:"epoch,omitempty"`
	Offset   int64            `json:"offset,omitempty"`
	User     string           `json:"user,omitempty"`
	By       string           `json:"by,omitempty"` // since version 2
	Text     string           `json:"text,omitempty"`
	Time     time.Time        `json:"time,omitzero"`
	Mine     bool             `json:"mine,omitempty"`
	Delivery Delivery         `json:"delivery,omitempty"`
	Reason   string           `json:"reason,omitempty"`
	Code     shared.ErrorCode `json:"code,omitempty"`
}

// savedRoom is a room as the file has it.
type savedRoom struct {
	savedState
	rows, outbox []*row
	draft        string
}

// roomKey names a room of a server; the name's spelling makes no difference.
func roomKey(server, room string) string {
	if name, err := shared.RoomName(room); err == nil {
		room = name.Key
	}
	return server + "\x00" + room
}

func readRoom(b *bbolt.Bucket) (saved savedRoom, err error) {
	if b == nil {
		return saved, nil
	}
	err = b.ForEach(func(key, value []byte) error {
		switch string(key) {
		case string(stateKey), string(draftKey):
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
		return saved, err
	}
	if state := b.Get(stateKey); state != nil {
		err = json.Unmarshal(state, &saved.savedState)
	}
	saved.draft = string(b.Get(draftKey))
	rows, err1 := readRows(b.Bucket(logBucket))
	outbox, err2 := readRows(b.Bucket(outboxBucket))
	for _, r := range outbox {
		r.Delivery, r.Offset = Pending, 0 // an acknowledgement alone is not kept
	}
	saved.rows, saved.outbox = rows, outbox
	return saved, errors.Join(err, err1, err2)
}

func readRows(b *bbolt.Bucket) (rows []*row, err error) {
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
		r := &row{Item: s.item(), entry: s.Entry, epoch: s.Epoch, key: binary.BigEndian.Uint64(key)}
		if r.entry == "" && r.Kind == KindMessage {
			r.entry = r.ID
		}
		rows = append(rows, r)
		return nil
	})
	return rows, err
}

func (s savedRow) item() Item {
	return Item{
		Kind: s.Kind, ID: s.ID, Offset: s.Offset, User: s.User, By: s.By, Text: s.Text,
		Time: s.Time, Mine: s.Mine, Delivery: s.Delivery, Reason: s.Reason, Code: s.Code,
	}
}

// loadRoom reads what is kept of a room.
func (s *Store) loadRoom(key string) (saved savedRoom, err error) {
	err = s.guard(func() error {
		return s.db.View(func(tx *bbolt.Tx) (err error) {
			saved, err = readRoom(tx.Bucket(roomsBucket).Bucket([]byte(key)))
			return err
		})
	})
	return saved, err
}

// saveRoom writes what has changed in a room, in one transaction.
func (s *Store) saveRoom(key string, state savedState, draft string, t *timeline) error {
	return s.guard(func() error {
		return s.db.Update(func(tx *bbolt.Tx) error {
			b, err := tx.Bucket(roomsBucket).CreateBucketIfNotExists([]byte(key))
			if err != nil {
				return err
			}
			return errors.Join(
				putJSON(b, stateKey, state),
				b.Put(draftKey, []byte(draft)),
				saveOutbox(b, t),
				saveLog(b, t),
			)
		})
	})
}

func saveOutbox(b *bbolt.Bucket, t *timeline) error {
	d := &t.delta
	rows := d.written
	if d.outbox {
		rows = t.rows[t.fixed:]
	}
	out, err := subBucket(b, outboxBucket, d.outbox)
	if err != nil {
		return err
	}
	for _, key := range d.left {
		err = errors.Join(err, out.Delete(number(key)))
	}
	return errors.Join(err, appendRows(out, rows))
}

func saveLog(b *bbolt.Bucket, t *timeline) error {
	d := &t.delta
	first := max(0, t.fixed-t.kept)
	for _, r := range t.rows[:first] {
		r.key = 0 // no longer kept
	}
	kept := t.rows[first:t.fixed]
	n := len(kept)
	for n > 0 && kept[n-1].key == 0 {
		n--
	}
	fresh := kept[n:]
	// Rows without a key before others: the keys between are used up.
	anew := d.rewrite || n > 0 && kept[0].key == 0
	log, err := subBucket(b, logBucket, anew)
	if err != nil {
		return err
	}
	if anew {
		fresh = kept
	} else {
		for _, key := range d.gone {
			err = errors.Join(err, log.Delete(number(key)))
		}
		for r := range d.touched {
			if r.key != 0 {
				err = errors.Join(err, putJSON(log, number(r.key), r.saved()))
			}
		}
	}
	err = errors.Join(err, appendRows(log, fresh))
	if len(kept) == 0 {
		return err
	}
	oldest := number(kept[0].key)
	c := log.Cursor()
	for key, _ := c.First(); key != nil && bytes.Compare(key, oldest) < 0; key, _ = c.First() {
		err = errors.Join(err, c.Delete())
	}
	return err
}

// subBucket returns a bucket inside b, emptied first where it is to be written
// anew.
func subBucket(b *bbolt.Bucket, name []byte, anew bool) (*bbolt.Bucket, error) {
	if anew && b.Bucket(name) != nil {
		if err := b.DeleteBucket(name); err != nil {
			return nil, err
		}
	}
	return b.CreateBucketIfNotExists(name)
}

// appendRows gives rows the next keys of b.
func appendRows(b *bbolt.Bucket, rows []*row) error {
	var next uint64
	if last, _ := b.Cursor().Last(); last != nil {
		next = binary.BigEndian.Uint64(last)
	}
	for _, r := range rows {
		next++
		r.key = next
		if err := putJSON(b, number(next), r.saved()); err != nil {
			return err
		}
	}
	return nil
}

func (r *row) saved() savedRow {
	s := savedRow{
		Kind: r.Kind, ID: r.ID, Entry: r.entry, Epoch: r.epoch, Offset: r.Offset,
		User: r.User, By: r.By, Text: r.Text, Time: r.Time, Mine: r.Mine, Delivery: r.Delivery,
		Reason: r.Reason, Code: r.Code,
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
