package chat

import (
	"context"
	"time"
)

// Claim is a name in a room that belongs to a device.
type Claim struct {
	Room   string // the room's key
	Name   string // the name's key
	Device string
	Seen   time.Time // when the device was last there under this name
}

// Listed is what a registry tells of a room that it lists.
type Listed struct {
	Key    string
	Name   string    // as the room was first written
	Last   time.Time // of its newest entry
	Locked bool      // it has a passphrase
}

// Registry keeps what rooms remember next to their log: who owns which name, and
// the locks. It knows which rooms the log has, so as to list them. Its methods may be called from several goroutines; their errors wrap
// ErrUnavailable. What it has answered is durable.
type Registry interface {
	// Claim gives c.Name to c.Device, unless another device owns it and was seen
	// less than hold before c.Seen. It reports whether the device owns the name now.
	Claim(ctx context.Context, c Claim, hold time.Duration) (bool, error)

	// Owner returns who owns a name in a room; the zero Claim if nobody does.
	Owner(ctx context.Context, room, name string) (Claim, error)

	// Names returns the keys of up to limit names that have owners in a room, the
	// last seen first.
	Names(ctx context.Context, room string, limit int) ([]string, error)

	// SetLock gives a room its lock, unless it has one or something was ever said
	// in it. It reports whether it did; a lock stays.
	SetLock(ctx context.Context, room string, l Lock) (bool, error)

	// Lock returns a room's lock; the zero Lock if it has none.
	Lock(ctx context.Context, room string) (Lock, error)

	// Rooms lists up to limit rooms, the one with the newest entry first. Rooms
	// without entries, or with a lock that hides them, are left out.
	Rooms(ctx context.Context, limit int) ([]Listed, error)
}
