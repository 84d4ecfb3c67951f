package store

import (
	"cmp"
	"encoding/json"
	"errors"
	"slices"
	"time"

	"go.etcd.io/bbolt"
	bbolterrors "go.etcd.io/bbolt/errors"

	"parley/client/session"
)

// Recent is a room that this device has been in.
type Recent struct {
	Room   string // as it was entered
	Name   string // as the server shows it: show it as text only
	Server string // as ParseServer gives it
	Used   time.Time
	Shown  bool // its page was on the screen at the end
	Place  session.Place
	Unread int          // messages of others that came in and were not marked read
	Draft  string       // what was written and not sent
	Locked bool         // a passphrase opened it last
	Last   session.Item // the newest message that is kept; the zero Item if none is
}

// Recent lists the rooms, the last used first; none when the file can't be
// read.
func (s *Store) Recent() (recent []Recent) {
	err := s.guard(func() error {
		return s.db.View(func(tx *bbolt.Tx) error {
			rooms := tx.Bucket(roomsBucket)
			return rooms.ForEachBucket(func(key []byte) error {
				b := rooms.Bucket(key)
				var state session.RoomState
				if err := json.Unmarshal(b.Get(stateKey), &state); err != nil {
					return err
				}
				last, err := lastMessage(b)
				recent = append(recent, Recent{
					Room: state.Room, Name: state.Name, Server: state.Server,
					Used:  cmp.Or(state.Used, state.Seen), // Seen is all that older versions kept
					Shown: state.Shown, Place: state.Place, Unread: state.Unread,
					Draft: string(b.Get(draftKey)), Locked: state.Key != "", Last: last,
				})
				return err
			})
		})
	})
	if err != nil {
		return nil
	}
	slices.SortStableFunc(recent, func(a, b Recent) int { return b.Used.Compare(a.Used) })
	return recent
}

// lastMessage is the newest message of a room's bucket: one that waits, or else
// one of the log.
func lastMessage(b *bbolt.Bucket) (session.Item, error) {
	amendments, err := readAmendments(b)
	if err != nil {
		return session.Item{}, err
	}
	for _, name := range [][]byte{outboxBucket, logBucket} {
		rows := b.Bucket(name)
		if rows == nil {
			continue
		}
		c := rows.Cursor()
		for key, value := c.Last(); key != nil; key, value = c.Prev() {
			var r savedRow
			if err := json.Unmarshal(value, &r); err != nil {
				return session.Item{}, err
			}
			if r.Kind == session.KindMessage {
				row := r.row()
				row.Show(amendments)
				return row.Item, nil
			}
		}
	}
	return session.Item{}, nil
}

// Forget removes all that is kept of a room, its outbox and its files too. Close the
// Room first. The error is the file's.
func (s *Store) Forget(forgotten, name string) error {
	var saved session.Saved
	err := s.guard(func() error {
		return s.db.Update(func(tx *bbolt.Tx) error {
			rooms, key := tx.Bucket(roomsBucket), []byte(roomKey(forgotten, name))
			_ = (&room{}).read(rooms.Bucket(key), &saved) // what can't be read goes, too
			err := rooms.DeleteBucket(key)
			if errors.Is(err, bbolterrors.ErrBucketNotFound) {
				return nil
			}
			return err
		})
	})
	if err != nil {
		return err
	}
	for _, copied := range copiesOf(saved) {
		s.files.Drop(copied)
		s.files.Drop(copied + session.ThumbSuffix)
	}
	s.files.forgetRoom(forgotten, name)
	return s.erase()
}

// Draft is what was written and not sent in a room.
func (s *Store) Draft(server, room string) string {
	var draft string
	err := s.guard(func() error {
		return s.db.View(func(tx *bbolt.Tx) error {
			if b := tx.Bucket(roomsBucket).Bucket([]byte(roomKey(server, room))); b != nil {
				draft = string(b.Get(draftKey))
			}
			return nil
		})
	})
	if err != nil {
		return ""
	}
	return draft
}
