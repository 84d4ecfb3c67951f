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

// Size is about what an entry takes on the disk, in bytes: its text, its user's
// name, and the rest of its row and its place in the index.
func (e Entry) Size() int64 { return int64(len(e.Text)+len(e.User)) + EntryOverhead }

// EntryOverhead is the part of Entry.Size that every entry has.
const EntryOverhead = 160

// Receipt is a log's answer to Append.
type Receipt struct {
	Offset    int64
	Duplicate bool // the log had the message already; Offset is where
}

// State is what a log knows of a room when it is opened.
type State struct {
	Name  string // as the room was first written; empty in a room without entries
	Epoch string // the incarnation of this log
	Head  int64  // the offset of the newest entry, 0 if there never was one
	First int64  // the offset of the oldest that is kept, Head+1 if none is
	Last  time.Time
}

// Follower is told what happens to a room's log. Its functions must not block.
type Follower struct {
	// Entries is called with entries, oldest first.
	Entries func([]Entry)

	// Begin is called with the offset of the oldest entry that will be left,
	// before those in front of it are deleted.
	Begin func(first int64)
}

// Retention says how much of the log is kept; zero is no bound. What goes is
// always a room's oldest.
type Retention struct {
	// Age is how old an entry may become. An entry is not deleted before those in
	// front of it, so one with a time in the future, from a clock that was wrong,
	// holds up what follows.
	Age time.Duration

	// Bytes is about how much of the disk a room's entries may take: the sum of
	// their sizes.
	Bytes int64

	// Total is the same for all rooms together. The largest rooms are cut to one
	// size, so that who fills a room, or a thousand, deletes nothing of a small one.
	Total int64

	Every   time.Duration     // how often the log looks, 1 min by default
	Now     func() time.Time  // what Age is measured by, time.Now by default
	Expired func(entries int) // is told how many were deleted; may be nil
}

// Most bounds what is read at once.
type Most struct {
	Entries int
	Bytes   int // of texts: the entry that passes it is the last one; 0 is no bound
}

// Log keeps the entries of every room. Its methods may be called from several
// goroutines.
//
// The order of a room's entries is the order of their offsets, which count from
// 1, never repeat within one epoch and never depend on what was deleted. An
// entry is durable before anyone is told of it: before its receipt, before it
// is handed to a follower, before it can be read.
//
// What an entry does to a log is a function of what the log keeps and of the
// entry alone. No clock, setting or chance has a part in it, so a log that is
// replayed into another one comes to the same.
type Log interface {
	// Open returns a room's state, and until stop is called, follower is told what
	// happens to the room's log: every entry after State.Head, each once and in
	// order, in batches, and from where on the log is kept, if that is not
	// State.First any more. The calls for one room come one at a time. A call that
	// is under way may still end after stop returned.
	Open(ctx context.Context, room shared.Name, follower Follower) (s State, stop func(), err error)

	// Append adds e to its room, whose first entry names it room. A second entry
	// with the same room, device and id is not added, as long as the first is kept.
	// Entries of one caller keep their order. Append waits only for a place in the
	// queue; done is called once, after the entry is durable or with an error that
	// wraps ErrUnavailable, and must not block. An error does not say that the
	// entry was not kept: whoever appends it again with the same id will learn.
	Append(ctx context.Context, room shared.Name, e Entry, done func(Receipt, error))

	// Read returns entries with after < offset <= upTo, oldest first: as many as
	// most allows.
	Read(ctx context.Context, room string, after, upTo int64, most Most) ([]Entry, error)

	// History returns the newest entries with offset < before, as many as most
	// allows, oldest first. Before 0 means from the end.
	History(ctx context.Context, room string, before int64, most Most) ([]Entry, error)

	// Held returns the sum of the sizes of each device's entries in a room.
	Held(ctx context.Context, room string) (bytes map[string]int64, err error)

	// Retain bounds the log from now on, until it is closed. It is called once at
	// most.
	Retain(r Retention)

	// Ready reports why the log can't take an entry now, or nil.
	Ready(ctx context.Context) error

	// Close waits for the entries in its queue and closes the log. Nothing may be
	// called after it.
	Close() error
}

// ErrUnavailable is what the errors of a Log and a Registry wrap.
var ErrUnavailable = errors.New("the log is unavailable")

// Errors that are no accident of one write: the log itself tells its logger when
// such a state begins and when it ends.
var (
	ErrMoved   = errors.New("the log is not where it was opened")
	ErrNoSpace = errors.New("the disk is full, up to what is kept free")
)
