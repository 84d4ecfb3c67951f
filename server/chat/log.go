package chat

import (
	"context"
	"errors"
	"time"

	"parley/shared"
)

// Entry is one message in a room's log.
type Entry struct {
	Room   string // the room's key
	Offset int64  // set by the log
	ID     string // the sender's own id for the message
	Device string // the sender's device as the log knows it, never its secret
	User   string // the sender's name as it is shown
	Text   string
	Time   time.Time // kept to the millisecond
}

// Receipt is a log's answer to Append.
type Receipt struct {
	Offset    int64
	Duplicate bool // the log had the message already; Offset is where
}

// State is what a log knows of a room when it is opened.
type State struct {
	Name  string // as the room was first written; empty in a room without entries
	Epoch string // the incarnation of this log
	Head  int64  // the offset of the newest entry, 0 where there never was one
	First int64  // the offset of the oldest that is kept, Head+1 where none is
	Last  time.Time
}

// Claim is a name in a room that belongs to a device.
type Claim struct {
	Room   string // the room's key
	Name   string // the name's key
	Device string
	Seen   time.Time // when the device was last there under this name
}

// Log keeps the entries of every room. Its methods may be called from several
// goroutines.
//
// The order of a room's entries is the order of their offsets, which count from
// 1, never repeat within one epoch and never depend on what was deleted. An
// entry is durable before anyone is told of it: before its receipt, before it
// is handed to a follower, before it can be read.
type Log interface {
	// Open tells a room's state and has follow called with every entry after
	// State.Head, each once and in order, in batches, until stop is called. The
	// calls for one room come one at a time; follow must not block. A call that
	// is under way may still end after stop returned.
	Open(ctx context.Context, room shared.Name, follow func([]Entry)) (s State, stop func(), err error)

	// Append adds e to its room, whose first entry names it room. A second entry
	// with the same room, device and id is not added, as long as the first is kept. Entries of one caller keep
	// their order. Append waits only for a place in the queue; done is called
	// once, after the entry is durable or with an error that wraps
	// ErrUnavailable, and must not block. An error does not say that the entry
	// was not kept: whoever appends it again with the same id will learn.
	Append(ctx context.Context, room shared.Name, e Entry, done func(Receipt, error))

	// Read returns up to limit entries with after < offset <= upTo, oldest first.
	Read(ctx context.Context, room string, after, upTo int64, limit int) ([]Entry, error)

	// History returns the newest entries, up to limit, with offset < before,
	// oldest first. Before 0 means from the end.
	History(ctx context.Context, room string, before int64, limit int) ([]Entry, error)

	// Claim gives c.Name to c.Device, unless another device owns it and was seen
	// less than hold before c.Seen. It reports whether the device owns the name now.
	Claim(ctx context.Context, c Claim, hold time.Duration) (bool, error)

	// Owner returns who owns a name in a room; the zero Claim if nobody does.
	Owner(ctx context.Context, room, name string) (Claim, error)

	// Names returns the keys of up to limit names that have owners in a room, the
	// last seen first.
	Names(ctx context.Context, room string, limit int) ([]string, error)

	// SetLock gives a room its lock, where it has none and nothing was ever said
	// in it. It reports whether it did; a lock stays.
	SetLock(ctx context.Context, room string, l Lock) (bool, error)

	// Lock returns a room's lock, the zero Lock where it has none.
	Lock(ctx context.Context, room string) (Lock, error)

	// Ready reports why the log can't take an entry now, or nil.
	Ready(ctx context.Context) error

	// Close waits for the entries in its queue and closes the log. Nothing may be
	// called after it.
	Close() error
}

// ErrUnavailable is what a log's errors wrap.
var ErrUnavailable = errors.New("the log is unavailable")
