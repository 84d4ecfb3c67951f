package chat

import (
	"errors"
	"time"

	"parley/shared"
)

// Kind says what an entry is. A log keeps the number.
type Kind uint8

// The kinds. All but a message are changes of one.
const (
	KindMessage Kind = iota
	KindEdit         // the message has another text
	KindDelete       // the message has no text any more, and no reactions
	KindReact        // a device has another reaction to the message
)

// Entry is one message in a room's log, or a change of one.
type Entry struct {
	Room   string    // the room's key
	Offset int64     // set by the log
	ID     string    // the sender's own id for the entry
	Device string    // the sender's device as the log knows it, never its secret
	User   string    // the sender's name as it is shown
	Text   string    // of a message or an edit
	Time   time.Time // kept to the millisecond

	Kind   Kind
	Target int64  // of a change: the offset of its message
	Emoji  string // of a reaction; "" takes it back
	Reply  int64  // of a message: the offset of the one that it answers, 0 if it answers none

	// What a change or a reply needs on its way into the log, which does not keep it.
	Of    string    // the id that the message at Target or Reply must have
	Since time.Time // of an edit or a delete: a message that is older is not changed; zero is no bound

	// What the log adds when it reads an entry or hands it on.
	Quote     *shared.Quote // of a reply, unless the message that it answers is deleted or gone
	Edited    bool          // of a message
	Deleted   bool          // of a message
	Changed   int64         // of a message: the offset of its last change, 0 if there was none
	Reactions []Reaction    // of a message or a reaction: all that the message has; not to be changed
}

// Reaction is a device's reaction to a message. It has one at most.
type Reaction struct {
	Device string
	Emoji  string
}

// MaxReactions is how many devices may react to one message. Each reaction writes
// the message's row again, with all of them.
const MaxReactions = 2000

// Size is about what an entry takes on the disk, in bytes: its text, its user's
// name, and the rest of its row and its place in the index. The text of an edit is
// in its message's row.
func (e Entry) Size() int64 {
	return int64(len(e.Text)+len(e.User)+len(e.Emoji)) + EntryOverhead
}

// EntryOverhead is the part of Entry.Size that every entry has.
const EntryOverhead = 160

// ErrRefused is what the error of an append wraps if the log will never take the
// entry.
var ErrRefused = errors.New("the log refuses the entry")

// Refusal is why a log refuses an entry. It wraps ErrRefused.
type Refusal struct{ Code shared.ErrorCode }

func (r *Refusal) Error() string { return ErrRefused.Error() + ": " + string(r.Code) }

func (r *Refusal) Unwrap() error { return ErrRefused }

// Quoted is what a reply shows of an entry.
func Quoted(e Entry) *shared.Quote {
	n := 0
	for i := range e.Text {
		if n == shared.MaxQuote {
			return &shared.Quote{User: e.User, Text: e.Text[:i]}
		}
		n++
	}
	return &shared.Quote{User: e.User, Text: e.Text}
}

// Counts counts reactions, in the order of shared.Emojis. What is none of them is
// left out.
func Counts(reactions []Reaction) (counts []shared.Count) {
	for _, emoji := range shared.Emojis {
		n := 0
		for _, r := range reactions {
			if r.Emoji == emoji {
				n++
			}
		}
		if n > 0 {
			counts = append(counts, shared.Count{Emoji: emoji, N: n})
		}
	}
	return counts
}
