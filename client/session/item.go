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
)

// Delivery says how far a message came.
type Delivery int

// The deliveries.
const (
	Sent    Delivery = iota // in the room's log
	Pending                 // in the outbox
	Failed                  // refused for good; Reason says why
)

// Item is a row of the timeline: a message, or a gap between two of them. Text,
// User and Reason come from the network: show them as text only.
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
}

// ChangeKind says what a Change does.
type ChangeKind int

// The changes. Indexes count from the oldest row, and each change applies to
// the timeline that the one before it left.
const (
	Reset         ChangeKind = iota // Items is the whole timeline; More
	Append                          // Items follow the last row
	Prepend                         // Items, oldest first, go before the first row; More. Every LoadOlder ends with one; it may be empty, as when only More changed; Err
	Update                          // Items[0] replaces the row at Index; its ID stays; Err, if it is a gap that can't be filled
	Insert                          // Items go in, in order, so that the first is at Index
	Remove                          // the row at Index goes. A row that moves is removed and inserted again under the same ID
	StatusChanged                   // Status
	PeopleChanged                   // People, at most 100 of the first comers' names in a crowded room; Count, all
	TypingChanged                   // Typing: who is writing now
	Renamed                         // somebody who has written here, By, is called To and no longer From
	StoreFailed                     // Err: the device can't save just now; the room goes on in memory and tries again
)

// Change is one step from what is shown to what is so.
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
}

// ErrUnreadable is why a question for history has no answer: a server of a
// later version sent what this one can't read.
var ErrUnreadable = errors.New("the answer is of a later version of the protocol")
