package chat

import (
	"encoding/json"
	"errors"
	"strings"
	"time"

	"parley/shared"
)

// Kind says what an entry is. A log keeps the number.
type Kind uint8

// The kinds. Edits, deletes and reactions are changes of a message.
const (
	KindMessage Kind = iota
	KindEdit         // the message has another text
	KindDelete       // the message has no text any more, and no reactions
	KindReact        // a device has another reaction to the message
	KindNotice       // a host has done something: Act
)

// Entry is one message in a room's log, a change of one, or what a host did.
type Entry struct {
	Room   string    // the room's key
	Offset int64     // set by the log
	ID     string    // the sender's own id for the entry
	Device string    // the sender's device as the log knows it, never its secret
	User   string    // the sender's name as it is shown
	Text   string    // of a message or an edit
	Time   time.Time // kept to the millisecond

	Kind   Kind
	Target int64 // of a change: the offset of its message; of a notice: of the one that is pinned, or of whom it is about
	Reply  int64 // of a message: the offset of the one that it answers, 0 if it answers none

	// What the log adds when it reads an entry or hands it on.
	Changed int64 // of a message: the offset of its last change, 0 if there was none
	Edited  bool  // of a message
	Deleted bool  // of a message

	// Extra is nil for a plain message, so that the many do not carry what the few
	// have. Copies of an entry share it: it is read with Extras, and changed with Own.
	Extra *Extra
}

// Extra is what a change, a reply, a notice, and a message with reactions have
// besides.
type Extra struct {
	Emoji   string  // of a reaction; "" takes it back
	Targets []int64 // of a delete of more than one message: all of them, Target first; at most shared.MaxTargets
	Act     *Act    // of a notice; not to be changed
	File    *File   // of a message, or of an edit of one; on its way into the log only its ID counts; not to be changed

	// What a change or a reply needs on its way into the log, which does not keep it.
	Of    string    // the id that the message at Target or Reply must have
	Since time.Time // of an edit or a delete: a message that is older is not changed, but by a host; zero is no bound

	// What the log adds when it reads an entry or hands it on.
	Quote     *shared.Quote // of a reply, unless the message that it answers is deleted or gone
	Reactions []Reaction    // of a message or a reaction: all that the message has; not to be changed
}

var noExtra Extra

// Extras returns e.Extra, or an empty one if it is nil. It is not to be changed.
func (e *Entry) Extras() *Extra {
	if e.Extra == nil {
		return &noExtra
	}
	return e.Extra
}

// Own gives e an Extra that no copy of e shares, with the same in it, and returns it
// to be changed.
func (e *Entry) Own() *Extra {
	own := *e.Extras()
	e.Extra = &own
	return e.Extra
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
	return int64(len(e.Text)+len(e.User)+len(e.Extras().Emoji)+len(e.Packed())) + EntryOverhead
}

// Weight is what an entry counts for Most.Bytes: its text, and what its file holds of
// memory besides.
func (e *Entry) Weight() int {
	if f := e.Extras().File; f != nil {
		return len(e.Text) + len(f.Name) + fileHeld
	}
	return len(e.Text)
}

const fileHeld = 256

// Packed is what a log keeps of a notice, or of a delete of more than one message, in
// place of a text; "" for any other entry.
func (e Entry) Packed() string {
	var v any
	switch extra := e.Extras(); {
	case extra.Act != nil:
		v = extra.Act
	case len(extra.Targets) > 1:
		v = extra.Targets
	default:
		return ""
	}
	b, err := json.Marshal(v)
	if err != nil {
		panic(err) // there is nothing in it that has no JSON
	}
	return string(b)
}

// Unpack takes what Packed has made.
func (e *Entry) Unpack(packed string) error {
	switch {
	case e.Kind == KindNotice:
		return json.Unmarshal([]byte(packed), &e.Own().Act)
	case packed != "":
		return json.Unmarshal([]byte(packed), &e.Own().Targets)
	}
	return nil
}

// Gone returns the offsets of the messages that a delete takes away.
func (e Entry) Gone() []int64 {
	if targets := e.Extras().Targets; len(targets) > 0 {
		return targets
	}
	return []int64{e.Target}
}

// Act is what a host does.
type Act struct {
	Do       string           `json:"do"`                 // as shared.DoRemove
	Settings *shared.Settings `json:"settings,omitempty"` // of shared.DoSet: what is changed
	Device   string           `json:"device,omitempty"`   // whom it is about; it never leaves the server
	About    string           `json:"about,omitempty"`    // their name
	Operator bool             `json:"operator,omitempty"` // it comes with the key of the server's operator, or from the server's host
}

// EntryOverhead is the part of Entry.Size that every entry has.
const EntryOverhead = 160

// ErrRefused is what the error of an append wraps if the log will never take the
// entry.
var ErrRefused = errors.New("the log refuses the entry")

// Refusal is why an entry is refused, or something else that somebody wants to do. It
// wraps ErrRefused.
type Refusal struct {
	Code   shared.ErrorCode
	Reason string        // a sentence for whoever it was; "" if the code says it all
	Rule   string        // of the Rules that refuse it, as metrics name it: removed, silenced, write, files, slow, door, address, host; "" for whatever else
	Retry  time.Duration // of shared.CodeRateLimited: how long to wait
}

func (r *Refusal) Error() string {
	if r.Reason != "" {
		return ErrRefused.Error() + ": " + r.Reason
	}
	return ErrRefused.Error() + ": " + string(r.Code)
}

func (r *Refusal) Unwrap() error { return ErrRefused }

// Quoted is what a reply shows of an entry: how its text begins, or its file's name if
// it has no text.
func Quoted(e Entry) *shared.Quote {
	text := e.Text
	if f := e.Extras().File; f != nil && text == "" {
		text = f.Name
	}
	n := 0
	for i := range text {
		if n == shared.MaxQuote {
			return &shared.Quote{User: e.User, Text: strings.Clone(text[:i])} // it does not hold the rest
		}
		n++
	}
	return &shared.Quote{User: e.User, Text: text}
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
