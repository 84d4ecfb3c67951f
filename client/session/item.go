package session

import (
	"errors"
	"time"

	"parley/shared"
)

// Kind says what a row of the timeline is.
type Kind int

// The kinds of rows.
const (
	KindMessage Kind = iota
	KindGap          // entries may be missing here; LoadGap asks for them
	KindNotice       // what a host did: Item.Notice
)

// Delivery says how far a message came.
type Delivery int

// The deliveries.
const (
	Sent    Delivery = iota // in the room's log
	Pending                 // in the outbox
	Failed                  // refused for good; Reason says why
)

// Item is a row of the timeline: a message, a gap between two of them, or a notice. Text,
// User, Quote and Reason come from the network: show them as text only.
//
// Text, Edited, Deleted, Reactions and Reacted are as the person wants them: what
// they have edited, deleted or reacted to shows at once, and goes back if the
// server refuses it (see Undone).
type Item struct {
	Kind     Kind
	ID       string // unique within the timeline
	Offset   int64  // in the room's log; 0 while pending or failed
	User     string
	By       string // tells who wrote it apart from others of the same name; "" if the server does not tell. See shared.By
	Text     string
	Time     time.Time // the server's, or when it was written while not yet Sent
	Mine     bool      // written by this device; if the server does not tell who wrote: under the name that it calls us
	Delivery Delivery
	Reason   string           // Failed: the server's sentence
	Code     shared.ErrorCode // Failed: the server's code for it

	File *File // what the message has besides Text, its caption, which may be ""; nil if it has none. It never changes: a row gets another one

	Edited    bool       // the text is not the first one
	Deleted   bool       // Text is empty, and so are File, Quote and Reactions
	Quote     *Quote     // what the message answers; nil if it answers none. It never changes: a row gets another one
	Reactions []Reaction // in the order of shared.Emojis, without those that nobody has. It never changes, either
	Reacted   string     // the person's own reaction; "" without

	Waits Did // what the person did to the message last, and the room has not yet; "" if nothing: see Waiting

	Notice *Notice // of a KindNotice

	copy string // Row.Copy
}

// Quote is the beginning of the message that another one answers.
type Quote struct {
	Offset int64  // of that message; 0 while it is pending
	User   string // who wrote it
	Text   string // at most shared.MaxQuote code points; of a file without a caption its name; "" if it was deleted, or is gone
}

// Reaction is how often a message got one emoji, this device's included.
type Reaction struct {
	Emoji string
	Count int // at least 1
}

// Addressable reports whether the message can be answered and reacted to: it is no
// gap, and neither refused nor deleted. One that is pending can be, too. The server
// has to know of changes: see Status.CanChange.
func (i Item) Addressable() bool {
	return i.Kind == KindMessage && i.Delivery != Failed && !i.Deleted
}

// Changeable reports whether the person can edit and delete the message: it is
// Addressable, and their own. The server may still say that it is too late.
func (i Item) Changeable() bool { return i.Addressable() && i.Mine }

// ChangeKind says what a Change does.
type ChangeKind int

// The changes. Indexes count from the oldest row, and each change applies to
// the timeline that the one before it left.
const (
	Reset          ChangeKind = iota // Items is the whole timeline; More
	Append                           // Items follow the last row
	Prepend                          // Items, oldest first, go before the first row; More. Every LoadOlder ends with one; it may be empty, as when only More changed; Err
	Update                           // Items[0] replaces the row at Index; its ID stays; Err, if it is a gap that can't be filled
	Insert                           // Items go in, in order, so that the first is at Index
	Remove                           // the row at Index goes. A row that moves is removed and inserted again under the same ID
	StatusChanged                    // Status
	PeopleChanged                    // People, at most 100 of the first comers' names in a crowded room; Count, all
	TypingChanged                    // Typing: who is writing now
	Renamed                          // somebody who has written here, By, is called To and no longer From
	StoreFailed                      // Err: the device can't save just now; the room goes on in memory and tries again. nil: it has saved all
	Undone                           // Undo: the server refused what the person changed, and the rows show again what is so
	Elsewhere                        // Items were edited or deleted and are not in the timeline: they have Offset, User, Text, Edited and Deleted alone. For what else shows messages, such as hits
	Found                            // Search answers Room.Search
	Reached                          // Excerpt answers Room.Around
	Reactors                         // Who answers Room.Reactions
	RolesTold                        // Roles answers Room.Roles
	HostingChanged                   // Hosting
	WaitingChanged                   // Waiting
)

// answer reports whether a change is said once and shows in nothing else.
func (k ChangeKind) answer() bool { return k >= Undone && k <= RolesTold }

// Change is one step from what is shown to what has to be shown.
type Change struct {
	Kind   ChangeKind
	Index  int
	Items  []Item
	More   bool // there is older history
	Status Status
	People []string
	Count  int
	Typing []string
	By     string
	From   string
	To     string
	Err    error // ErrUnreadable, or why the device can't save

	Undo    *Undo
	Search  *Search
	Excerpt *Excerpt
	Who     *Who
	Roles   *Roles
	Hosting Hosting
	Waiting []Waiting
}

// Did says what a person did to a message.
type Did string

// What can be done to a message. The values are stable: the store has them.
const (
	DidEdit   Did = "edit"
	DidDelete Did = "delete"
	DidReact  Did = "react"
	DidHost   Did = "host" // not to a message: see Act
)

// Waiting is what the person did, to a message or as a host, and the room has not yet.
type Waiting struct {
	ID  string // for Room.TakeBack
	Did Did
	Row string // Item.ID of the message; "" of an Act that is about none
	Out bool   // it has been sent, so it may be done already, and can't be taken back

	Text  string // of an edit: the new text; of a deletion: the beginning of the message
	About string // the beginning of the message, if its row has left the timeline
	Emoji string // of a reaction; "" takes it back

	Do       string // of an Act, as the others
	User     string
	Settings *shared.Settings
}

// Undo is a change of the person's own that came to nothing.
type Undo struct {
	ID     string           // of the row; it may have left the timeline. "" of an Act that is about none
	Did    Did              //
	Text   string           // of an edit: what was written, so that it is not lost
	Emoji  string           // of a reaction
	Do     string           // of an Act
	Code   shared.ErrorCode // the server's: not_allowed, not_found, empty, too_long…
	Reason string           // the server's sentence: from the network, show it as text only
}

// Search is an answer to Room.Search.
type Search struct {
	Text string // as it was searched for
	From int64  // where the question began: 0 for the newest hits, otherwise those follow that came before
	Hits []Item // newest first; they are not in the timeline, but have the IDs of their rows there
	Next int64  // where the next question goes on, if there is More
	More bool   // there may be older hits
	Err  error  // ErrUnreadable, ErrRefused, or nil
}

// Excerpt is an answer to Room.Around.
type Excerpt struct {
	Offset int64  // as it was asked for
	ID     string // the message's row, if the timeline has it: Items is empty then
	Items  []Item // otherwise what was said around it, oldest first; they are not in the timeline
	Err    error  // ErrGone, ErrUnreadable, ErrRefused, or nil
}

// Who says who reacted to a message.
type Who struct {
	ID    string // of the row
	Names []Names
	Err   error // ErrGone, ErrUnreadable, ErrRefused, or nil
}

// Names are the people who reacted with one emoji, in order; of very many, the
// first.
type Names struct {
	Emoji string
	Users []string // from the network: show them as text only
}

// What a question can end with.
var (
	ErrRefused = errors.New("the server does not answer this")
	ErrGone    = errors.New("the message is gone")
)

// ErrUnreadable is why a question for history has no answer: a server of a
// later version sent what this one can't read.
var ErrUnreadable = errors.New("the answer is of a later version of the protocol")
