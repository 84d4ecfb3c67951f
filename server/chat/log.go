package chat

import (
	"context"
	"errors"
	"time"

	"parley/shared"
)

// Receipt is a log's answer to Append.
type Receipt struct {
	Offset    int64
	Duplicate bool // the log had the message already; Offset is where
	Reactions int  // of a reaction, also one that is refused: how many its message had
}

// State is what a log knows of a room when it is opened.
type State struct {
	Name  string // as the room was first written; empty in a room without entries
	Epoch string // the incarnation of this log
	Head  int64  // the offset of the newest entry, 0 if there never was one
	First int64  // the offset of the oldest that is kept, Head+1 if none is
	Last  time.Time
	Rules Rules // as the entries up to Head have made them
}

// Follower is told what happens to a room's log. Its functions must not block.
type Follower struct {
	// Entries is called with entries, oldest first.
	Entries func([]Entry)

	// Begin is called with the offset of the oldest entry that will be left,
	// before those in front of it are deleted.
	Begin func(first int64)

	// Over is called when the room has to be opened anew, before anything is handed on
	// that was added since: another server has locked, unlocked, renamed or deleted it, or
	// the log has another epoch. It may be nil.
	Over func()

	// Others is called with who is in the room at another server, each time that it
	// changes; and Passed with what Cluster.Pass was given there. They may be nil, and a
	// log that is no Cluster calls neither.
	Others func(server string, g Gathering)
	Passed func(frame []byte)
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

	// Total is the same for all rooms together. The largest rooms are cut to one size, so
	// that whoever fills a room, or a thousand, deletes nothing of a small one.
	Total int64

	Every   time.Duration     // how often the log looks, 1 min by default
	Now     func() time.Time  // what Age is measured by, time.Now by default
	Expired func(entries int) // is told how many were deleted; may be nil
}

// Most bounds what is read at once.
type Most struct {
	Entries int
	Bytes   int // of texts, and of what files are called: the entry that passes it is the last one; 0 is no bound
}

// Hits are what a search has found so far.
type Hits struct {
	Messages []Entry // newest first
	At       int64   // everything from this offset on was looked at
	More     bool    // there is something before
}

// Changed is what a question for changes has found so far.
type Changed struct {
	Messages []Entry // in the order of Entry.Changed
	At       int64   // every change up to this offset was looked at
	More     bool    // there may be some after it
}

// Reacted is somebody's reaction to a message.
type Reacted struct {
	User  string // as the name was when they reacted
	Emoji string
}

// Log keeps the entries of every room. Its methods may be called from several
// goroutines.
//
// What it reads and hands on is made from what it keeps at that moment: a message
// with the text that it has now, a reply with its Quote. An entry of a change has
// nothing of its own to show, so an edit has the present text of its message, and is
// left out once that is deleted or gone. Offsets therefore have holes.
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
	// Entries of one caller keep their order. Append waits for a place in the queue, and
	// with a shared.DoDeleteAll for what is to be deleted to be found; done is called once,
	// after the entry is durable or with an error that wraps ErrUnavailable, and must not
	// block. Such an error does not say that the
	// entry was not kept: whoever appends it again with the same id will learn.
	//
	// A change is carried out together with being added, or it is refused and nothing
	// is added: done then gets an error that wraps ErrRefused, a *Refusal. Its code is
	// shared.CodeNotFound if its target is not a message with the id e.Of, or is
	// deleted. It is shared.CodeNotAllowed for an edit or a delete if another device
	// wrote the target, or if that is older than e.Since; and for a reaction if
	// MaxReactions devices have one. A reply whose target is not such a message is
	// kept as a message without Reply.
	//
	// The room's Rules, as the entries before e have made them, Carry e or refuse it. A
	// notice with a Target is about the message there, with the id e.Of: of an act
	// about somebody the log sets Act.Device and Act.About, from whoever wrote it. A
	// host may delete every message, whoever wrote it and whenever. With a
	// shared.DoDeleteAll, all messages of the device are deleted: by deletes with up to
	// shared.MaxTargets targets each, which are e's device's. DeletesAtOnce go in the same
	// transaction at most, with the room's next entries. If there are more, the others
	// go before it in transactions of their own, between which other entries may come. So
	// when the notice is there, all of them are deleted; and whoever appends it again,
	// because the server was killed before that, goes on.
	Append(ctx context.Context, room shared.Name, e Entry, done func(Receipt, error))

	// Read returns entries of every kind with after < offset <= upTo, oldest first:
	// as many as most allows. It returns none only if none is left.
	Read(ctx context.Context, room string, after, upTo int64, most Most) ([]Entry, error)

	// History returns the newest messages with offset < before, as many as most
	// allows, oldest first. Before 0 means from the end.
	History(ctx context.Context, room string, before int64, most Most) ([]Entry, error)

	// Notices returns the newest notices with offset < before, as History does.
	Notices(ctx context.Context, room string, before int64, most Most) ([]Entry, error)

	// Changes returns the messages with offset < before that were changed after the
	// offset changed, in the order of Entry.Changed. It ends with as many as most
	// allows, or after budget, but has looked at one change at least; 0 is no bound.
	// What one entry has changed is in one answer, even if most or budget allows less.
	Changes(ctx context.Context, room string, changed, before int64, most Most, budget time.Duration) (Changed, error)

	// Search looks for text in the messages with offset < before, and in the names of
	// their files, newest first, as find.Text does. Before 0 means from the end. It ends with as many as most
	// allows, or after budget, but has looked at one message at least; 0 is no bound.
	Search(ctx context.Context, room, text string, before int64, most Most, budget time.Duration) (Hits, error)

	// Reactions returns who reacted to a message and how, in the order in which they
	// did, with at most shared.MaxMembers names for each emoji. A message that is
	// deleted or not there has none.
	Reactions(ctx context.Context, room string, target int64) ([]Reacted, error)

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
