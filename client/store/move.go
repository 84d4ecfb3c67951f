package store

import (
	"bytes"
	"cmp"
	"encoding/json"
	"errors"
	"slices"
	"strings"

	"go.etcd.io/bbolt"

	"parley/client/session"
)

// ErrBothWait is what Move refuses: messages wait for the same server at both of its
// addresses, and it knows this installation by another secret at each. Sent under one of
// them, what it has already would be there twice.
var ErrBothWait = errors.New("messages wait for the server at both of its addresses")

var idsBucket = []byte("ids")

// ID is the session.ServerInfo.ID by which a server can be found again, "" if it is not
// known.
func (s *Store) ID(server string) (id string) {
	err := s.guard(func() error {
		return s.db.View(func(tx *bbolt.Tx) error {
			if b := tx.Bucket(appBucket).Bucket(idsBucket); b != nil {
				id = string(b.Get([]byte(server)))
			}
			return nil
		})
	})
	if err != nil {
		return ""
	}
	return id
}

// SetID keeps the id of a server. The error is the file's.
func (s *Store) SetID(server, id string) error {
	return s.guard(func() error {
		return s.db.Update(func(tx *bbolt.Tx) error {
			b, err := tx.Bucket(appBucket).CreateBucketIfNotExists(idsBucket)
			if err != nil {
				return err
			}
			return b.Put([]byte(server), []byte(id))
		})
	})
}

// Move makes what is kept of the server at from that of the server at to: its rooms with
// their outboxes and drafts, its certificate, its id, the secret that it knows this
// installation by, and the address of SetProfile. Close the Rooms of both first. All of
// it happens in one transaction. If another server was at to, what is kept of it goes to
// from: there it is not either, but it can be found again by its id. If the same server
// was, by its id, the two become one. The error is ErrBothWait or the file's; then nothing
// has changed.
func (s *Store) Move(from, to string) (err error) {
	if from == to {
		return nil
	}
	defer func() {
		if err == nil {
			s.files.forgetServer(from)
			s.files.forgetServer(to)
		}
	}()
	return s.guard(func() error {
		return s.db.Update(func(tx *bbolt.Tx) error {
			m := move{tx.Bucket(appBucket), tx.Bucket(roomsBucket)}
			if err := m.server(from, to); err != nil {
				return err
			}
			if string(m.app.Get(serverKey)) == from {
				return m.app.Put(serverKey, []byte(to))
			}
			return nil
		})
	})
}

// move is a transaction that moves servers.
type move struct{ app, rooms *bbolt.Bucket }

// aside is an address that no server has.
const aside = "aside"

func (m move) server(from, to string) error {
	id := m.get(idsBucket, from)
	if id == "" || id != m.get(idsBucket, to) {
		return errors.Join(m.rename(to, aside), m.rename(from, to), m.rename(aside, from))
	}
	fromWaits, err1 := m.waits(from)
	toWaits, err2 := m.waits(to)
	switch {
	case err1 != nil || err2 != nil:
		return errors.Join(err1, err2)
	case fromWaits && toWaits:
		return ErrBothWait
	case toWaits:
		return m.join(from, to)
	}
	return errors.Join(m.join(to, from), m.rename(from, to))
}

// waits reports whether anything in a server's rooms has not been sent.
func (m move) waits(server string) (waits bool, err error) {
	for _, name := range m.names(server) {
		var saved session.Saved
		if err := (&room{}).read(m.rooms.Bucket(roomOf(server, name)), &saved); err != nil {
			return false, err
		}
		waits = waits || len(saved.Outbox)+len(saved.Amendments) > 0
	}
	return waits, nil
}

// join adds what is kept of a server at one address, where nothing waits, to what is kept
// of it at another, whose certificate and secret stay.
func (m move) join(other, stays string) error {
	for _, name := range m.names(other) {
		from, to := roomOf(other, name), roomOf(stays, name)
		if m.rooms.Bucket(to) != nil {
			if err := errors.Join(m.joinRoom(from, to), m.rooms.DeleteBucket(from)); err != nil {
				return err
			}
			continue
		}
		if err := m.renameRoom(from, to, stays); err != nil {
			return err
		}
	}
	identity := session.Identity(other, m.get(pinsBucket, other))
	if identity == session.Identity(stays, m.get(pinsBucket, stays)) {
		identity = "" // the same certificate, and the same secret
	}
	return errors.Join(m.put(devices, identity, ""), m.put(pinsBucket, other, ""), m.put(pinsBucket, linkOf(other), ""), m.put(idsBucket, other, ""))
}

// joinRoom adds to a room what nobody but this device has of the same room at another
// address, where nothing waits: the draft, chosen files, the messages that were refused, and the
// passphrase, if the room has none.
func (m move) joinRoom(from, to []byte) error {
	b := m.rooms.Bucket(to)
	var other, stays session.Saved
	r := &room{}
	if err := errors.Join((&room{}).read(m.rooms.Bucket(from), &other), r.read(b, &stays)); err != nil {
		return err
	}
	refused := slices.DeleteFunc(other.Log, func(row *session.Row) bool { return row.Delivery != session.Failed })
	stays.State.Key = cmp.Or(stays.State.Key, other.State.Key)
	draft := stays.Draft + "\n" + other.Draft
	if stays.State.Task == (session.Task{}) {
		stays.State.Task = other.State.Task
	} else {
		draft += "\n" + other.State.Task.Text
	}
	if files := &stays.State.Files; len(files.Files) == 0 {
		*files = other.State.Files
	} else {
		files.Files = append(files.Files, other.State.Files.Files...)
		draft += "\n" + other.State.Files.Caption
	}
	return errors.Join(
		b.Put(draftKey, []byte(strings.TrimSpace(draft))),
		putJSON(b, stateKey, stays.State),
		r.log.write(b, slices.Concat(stays.Log, refused), nil),
	)
}

// rename changes a server's address. Nothing is kept of the new one.
func (m move) rename(from, to string) error {
	for _, name := range m.names(from) {
		if err := m.renameRoom(roomOf(from, name), roomOf(to, name), to); err != nil {
			return err
		}
	}
	pin := m.get(pinsBucket, from)
	return errors.Join(
		m.renameKey(devices, session.Identity(from, pin), session.Identity(to, pin)),
		m.renameKey(pinsBucket, from, to),
		m.renameKey(pinsBucket, linkOf(from), linkOf(to)),
		m.renameKey(idsBucket, from, to),
	)
}

// names are the keys of a server's rooms, without the server.
func (m move) names(server string) (names []string) {
	prefix := roomOf(server, "")
	c := m.rooms.Cursor()
	for key, _ := c.Seek(prefix); bytes.HasPrefix(key, prefix); key, _ = c.Next() {
		names = append(names, string(key[len(prefix):]))
	}
	return names
}

// roomOf is the key of a room in the form that names returns.
func roomOf(server, name string) []byte { return []byte(server + "\x00" + name) }

// linkOf is where the words of a link to a server are kept: see session.Pins.
func linkOf(server string) string { return "link " + server }

func (m move) renameRoom(from, to []byte, server string) error {
	b, err := m.rooms.CreateBucket(to)
	if err != nil {
		return err
	}
	if err := copyBucket(b, m.rooms.Bucket(from)); err != nil {
		return err
	}
	var state session.RoomState
	if data := b.Get(stateKey); data != nil {
		if err := json.Unmarshal(data, &state); err != nil {
			return err
		}
		state.Server = server
		if err := putJSON(b, stateKey, state); err != nil {
			return err
		}
	}
	return m.rooms.DeleteBucket(from)
}

func copyBucket(to, from *bbolt.Bucket) error {
	return from.ForEach(func(key, value []byte) error {
		inner := from.Bucket(key)
		if inner == nil { // value may be nil, too, if it is empty and was put in this transaction
			return to.Put(key, bytes.Clone(value))
		}
		b, err := to.CreateBucket(key)
		if err != nil {
			return err
		}
		return copyBucket(b, inner)
	})
}

// get is a value of one of the app's buckets, "" if it has none.
func (m move) get(bucket []byte, key string) string {
	if b := m.app.Bucket(bucket); b != nil {
		return string(b.Get([]byte(key)))
	}
	return ""
}

// put sets one, or removes it.
func (m move) put(bucket []byte, key, value string) error {
	b, err := m.app.CreateBucketIfNotExists(bucket)
	switch {
	case err != nil || key == "":
		return err
	case value == "":
		return b.Delete([]byte(key))
	}
	return b.Put([]byte(key), []byte(value))
}

func (m move) renameKey(bucket []byte, from, to string) error {
	value := m.get(bucket, from)
	if value == "" || from == to {
		return nil
	}
	return errors.Join(m.put(bucket, from, ""), m.put(bucket, to, value))
}
