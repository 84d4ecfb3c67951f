// Package transfer has the rows of a log in the form in which one store hands them to
// another, so that the other log is the same in all that clients can see: each entry has
// its offset, each name its owner.
package transfer

import (
	"time"

	"parley/server/chat"
)

// Put takes a row, which is one of the types of this package or a chat.FileRow. First
// comes the Log, then all rooms, then the rest, with the entries of each room in order.
type Put func(row any) error

// Log is what a log has besides its rows.
type Log struct {
	ID      string // see chat.Config.ID
	HostKey []byte // see chat.Registry.HostKey
	Bounded bool   // it began with a bound to its size
}

// Room is a room that has entries, or had some. Rooms are numbered from 1 on in the order
// in which they come.
type Room struct {
	Key, Name   string
	Head, First int64       // see chat.State
	Last        int64       // milliseconds since 1970; 0 if no entry is left
	Bytes       int64       // the sum of chat.Entry.Size
	Rules       *chat.Rules // nil if no host ever was there
}

// End is where a room ended that is not there any more.
type End struct {
	Key  string
	Room int64 // the number of what it was renamed to; 0 if it was deleted
	Head int64 // after which another room with this key begins
}

// Entry is an entry as its row has it: see chat.Entry.RowText.
type Entry struct {
	Room, Offset                        int64
	ID, Device, User, Text              string
	Time                                int64 // milliseconds since 1970
	Kind, State, Target, Reply, Changed int64
	Reactions                           []Reaction
	File                                string // its id, or ""
}

// Reaction is a device's reaction to a message, and the offset of the entry with which it
// came.
type Reaction struct {
	chat.Reaction
	Offset int64
}

// Name is whose a name is.
type Name struct {
	Room, Name, Device string
	Seen               int64 // milliseconds since 1970
	Spoken             bool
	Address            *int64 // stands for where the device was
	Look               string // "" if it is another name's
}

// Lock is the lock of a room.
type Lock struct {
	Room string
	chat.Lock
}

// Both stores have the same columns for names and locks.
const (
	NamesQuery = "SELECT room, name, device, seen, spoken, address, COALESCE(look, '') FROM names ORDER BY room, name" // for ScanName
	LocksQuery = "SELECT room, hash, hidden, made FROM locks ORDER BY room"                                            // for ScanLock
)

// Row is a row of a query's answer.
type Row interface{ Scan(into ...any) error }

// ScanName reads a row of NamesQuery.
func ScanName(row Row) (n Name, err error) {
	err = row.Scan(&n.Room, &n.Name, &n.Device, &n.Seen, &n.Spoken, &n.Address, &n.Look)
	return n, err
}

// ScanLock reads a row of LocksQuery.
func ScanLock(row Row) (l Lock, err error) {
	var made int64
	err = row.Scan(&l.Room, &l.Hash, &l.Hidden, &made)
	l.Made = time.UnixMilli(made).UTC()
	return l, err
}
