package chat

import (
	"context"
	"time"

	"parley/shared"
)

// APIDevice owns the names that the API speaks under. They never lapse, and no
// limit counts them.
const APIDevice = "api"

// Claim is a name in a room that belongs to a device.
type Claim struct {
	Room    string // the room's key
	Name    string // the name's key
	Device  string
	Address string    // where the device is, as NameRules.PerAddress counts it; "" is not counted
	Seen    time.Time // when the device was last there under this name
	Spoken  bool      // something was said under it

	// Look is the skeleton of the name as it is shown. "" leaves a look that the name
	// has, and takes none.
	Look string

	// Shy says that the name takes no look that it does not have yet.
	Shy bool
}

// Standing is a registry's answer to a Claim. Without Taken and Owned, the device may
// use the name while nobody else is there under it.
type Standing struct {
	Taken  bool   // the name belongs to another device
	Owned  bool   // the name belongs to the device now
	Spoken bool   // something was said under it since
	First  bool   // the look is this name's
	Like   string // the key of the name that has the look, if it is another one
}

// NameRules say how long a name belongs to a device that is not there, and how many.
type NameRules struct {
	Hold       time.Duration // of a name under which nothing was said
	HoldSpoken time.Duration // of the others, if it is longer
	PerDevice  int           // names in one room; 0 is no limit
	PerAddress int           // names in all rooms; 0 is no limit
}

// Held reports whether a name still belongs to its device at a time.
func (r NameRules) Held(c Claim, at time.Time) bool {
	return c.Device != "" && (c.Device == APIDevice || at.Sub(c.Seen) < r.HoldOf(c.Spoken))
}

// HoldOf is how long a name belongs to a device that is not there.
func (r NameRules) HoldOf(spoken bool) time.Duration {
	if spoken {
		return max(r.Hold, r.HoldSpoken)
	}
	return r.Hold
}

// Listed is what a registry tells of a room that it lists.
type Listed struct {
	Key    string
	Name   string    // as the room was first written
	Last   time.Time // of its newest entry
	Locked bool      // it has a passphrase
}

// RoomTotals is a room in an operator's list of all rooms.
type RoomTotals struct {
	Name     string    // its key, if it is locked and nothing was ever said in it
	Messages int64     // without deleted ones
	Bytes    int64     // the sum of Entry.Size
	Last     time.Time // when somebody was last in it, said something or locked it
	Locked   bool
	Hidden   bool
}

// Registry keeps what rooms remember next to their log: who owns which name, and
// the locks; and the hash of the operator's key. It knows which rooms the log has, so as to list them. Its methods may
// be called from several goroutines; their errors wrap ErrUnavailable. What it has answered is durable.
type Registry interface {
	// Claim gives c.Name to c.Device, unless it belongs to another device, or the
	// device or c.Address have as many names as the rules allow. A name that the device
	// owns stays spoken. Together with the name it gets c.Look, unless that belongs to
	// another name: whoever comes later goes without. A name that is not owned any more
	// has no look. What it costs does not depend on how many names there are.
	Claim(ctx context.Context, c Claim, rules NameRules) (Standing, error)

	// Owner returns who owned a name in a room last; the zero Claim if nobody did.
	// NameRules.Held tells whether it still does.
	Owner(ctx context.Context, room, name string) (Claim, error)

	// Knows reports whether a device owns a name in a room, or did and nobody took it
	// since.
	Knows(ctx context.Context, room, device string) (bool, error)

	// RemovedFrom reports whether a device has a name in a room and was last under it at
	// an address, and was removed from the room after a time and not let in since.
	RemovedFrom(ctx context.Context, room, address string, after time.Time) (bool, error)

	// LookOwner returns the name that has a look in a room, as Owner does.
	LookOwner(ctx context.Context, room, look string) (Claim, error)

	// SetLock gives a room its lock, unless it has one or something was ever said
	// in it. It reports whether it did; a lock stays.
	SetLock(ctx context.Context, room string, l Lock) (bool, error)

	// Lock returns a room's lock; the zero Lock if it has none.
	Lock(ctx context.Context, room string) (Lock, error)

	// Unlock takes a room's lock away, if it has one.
	Unlock(ctx context.Context, room string) error

	// Rename gives a room another name, and with it its entries, its lock, its rules and
	// its owners of names. It fails with ErrNoRoom if the log knows no such room, and with
	// ErrRoomTaken if there is one of the other name, or was one whose offsets clients
	// may remember. Nothing may be following the room, or be on its way into it.
	Rename(ctx context.Context, room string, to shared.Name) error

	// Delete deletes a room with everything that belongs to it. Another one of the
	// same name begins after its last offset. It fails with ErrNoRoom if the log knows
	// no such room. Nothing may be on its way into it.
	Delete(ctx context.Context, room string) error

	// SetHostKey keeps the hash of the operator's key, in place of another.
	SetHostKey(ctx context.Context, hash []byte) error

	// HostKey returns the hash of the operator's key; nil if there never was one.
	HostKey(ctx context.Context) ([]byte, error)

	// Rooms lists up to limit rooms, the one with the newest entry first. Rooms
	// without entries, or with a lock that hides them, are left out.
	Rooms(ctx context.Context, limit int) ([]Listed, error)
}
