// Package shared is what the server and its clients agree on: the Message and
// its JSON codec, the rules for names, the limits and the close codes.
// It imports no other package of the project.
package shared

import (
	"strings"
	"time"
	"unicode"
)

// Protocol is the WebSocket subprotocol of a client that speaks all of this
// package. A connection without a subprotocol speaks the tutorial's dialect:
// chat_message and error frames, nothing else.
const Protocol = "parley.v1"

// Limits that both ends hold to. Text and names are counted in code points,
// frames in bytes.
const (
	MaxText        = 4096                       // a message's text
	MaxRoom        = 64                         // a room's name
	MaxName        = 32                         // a person's name
	MaxID          = 64                         // a message's id
	MinDevice      = 22                         // a device's secret: at least 128 random bits
	MaxDevice      = 128                        // a device's secret
	MinKey         = 8                          // a new room's passphrase
	MaxKey         = 128                        // a room's passphrase
	MaxHistory     = 100                        // messages in one history frame
	MaxMembers     = 100                        // names in a welcome, and in any other list
	MaxTargets     = 100                        // messages in one delete
	MaxQuote       = 120                        // what a reply shows of the text that it answers
	MaxSearch      = 64                         // what is searched for
	SearchHits     = 20                         // messages in one answer to a search
	MaxShown       = 256                        // a name as a server shows it, with a hint at what it looks like
	MaxSentence    = 1024                       // what an error says
	MaxCount       = 1 << 30                    // people in a room, and each of the Limits
	MaxClientFrame = 64 << 10                   // a frame from a client
	MaxServerFrame = 256 << 10                  // a frame from the server
	ReadLimit      = 1 << 20                    // what a client should be ready to read
	MaxOffset      = 1<<40 - 1                  // the largest offset of an entry
	MaxAsked       = 1<<53 - 1                  // the largest that a question may name; JavaScript counts exactly to it
	TimeFormat     = "2006-01-02T15:04:05.000Z" // RFC 3339 in UTC with milliseconds
)

// Type says what a frame is.
type Type string

// The frames, and who sends them.
const (
	TypeHello     Type = "hello"        // client: who I am and what I have seen; always first
	TypeWelcome   Type = "welcome"      // server: the answer to hello
	TypeChat      Type = "chat_message" // both: a client's new message, the room's next entry
	TypeAck       Type = "ack"          // server: a message that the room already has
	TypeTyping    Type = "typing"       // both: somebody is writing
	TypePresence  Type = "presence"     // server: somebody came or went
	TypeHistory   Type = "history"      // both: the question for older entries, and its answer
	TypeError     Type = "error"        // server: a frame was refused, and why
	TypeNotice    Type = "notice"       // server: somebody has another name now, or a host has done something
	TypeNotices   Type = "notices"      // both: the question for what hosts have done, and its answer
	TypeHost      Type = "host"         // client: a host does something
	TypeRoles     Type = "roles"        // both: a host's question who is a host, removed or silenced, and its answer
	TypeDelete    Type = "delete"       // both: a message is to go, messages are gone
	TypeReact     Type = "react"        // both: a device reacts to a message, or no longer does
	TypeReactions Type = "reactions"    // both: the question who reacted to a message, and its answer
	TypeSearch    Type = "search"       // both: the question for messages with a text, and its answer
	TypeUpload    Type = "upload"       // both: the question whether a file may come and where its upload stands, and its answer
	TypePing      Type = "ping"         // client: does this connection live?
	TypePong      Type = "pong"         // server: it does
)

// What a server or a client can beyond the first frames of parley.v1, as its
// Can lists it. Each offers only what it does; what the other does not know, it
// passes over.
const (
	CanBy     = "by"     // chat_message and welcome have By
	CanPing   = "ping"   // a ping is answered with a pong
	CanChange = "change" // messages can be answered, corrected, deleted and reacted to
	CanSearch = "search" // a search is answered
	CanHost   = "host"   // rooms have hosts: see Settings
	CanFiles  = "files"  // files can be sent: see Limits.File
)

// DidRename is the Did of a notice that User is called About from now on.
const DidRename = "rename"

// When a client finds out whether its connection lives.
const (
	PingAfter = 30 * time.Second // without a byte from the server, it sends a ping
	PongWait  = 5 * time.Second  // without one after that, the connection is dead
	PingEvery = 5 * time.Second  // it sends at most one ping in this time
)

// Event says what a presence frame tells.
type Event string

// The presence events.
const (
	Join  Event = "join"
	Leave Event = "leave"
)

// ErrorCode names the reason of an error frame.
type ErrorCode string

// The error codes. After the first two the message may have been kept: the
// client sends it again with the same id. The others are final.
const (
	CodeUnavailable ErrorCode = "unavailable"  // the log could not be written, or nobody knows
	CodeRateLimited ErrorCode = "rate_limited" // too fast; RetryMS says how long to wait
	CodeEmpty       ErrorCode = "empty"        // no visible character in the text
	CodeTooLong     ErrorCode = "too_long"     // a field is over its limit
	CodeBadFrame    ErrorCode = "bad_frame"    // not a frame of this protocol
	CodeUnknownType ErrorCode = "unknown_type" // a type that this version does not know
	CodeNotAllowed  ErrorCode = "not_allowed"  // the frame is fine, its sender may not send it
	CodeNotFound    ErrorCode = "not_found"    // the message that the frame is about is not there, or no longer
)

// ErrorCodes are all of them.
func ErrorCodes() []ErrorCode {
	return []ErrorCode{
		CodeUnavailable, CodeRateLimited, CodeEmpty, CodeTooLong, CodeBadFrame, CodeUnknownType, CodeNotAllowed, CodeNotFound,
	}
}

// Final reports whether sending the same message again can't help.
func (c ErrorCode) Final() bool { return c != CodeUnavailable && c != CodeRateLimited }

// Position is a place in a room's log. Offsets count from 1 and grow within
// one epoch; offset 0 is before the first entry. Positions of different epochs
// can't be compared.
type Position struct {
	Epoch  string `json:"epoch"`
	Offset int64  `json:"offset"`
}

// Limits are what a server tells its clients to hold to.
type Limits struct {
	Message int     `json:"message"` // code points in a text
	Rate    float64 `json:"rate"`    // messages a second, sustained; 0 is no limit
	Burst   int     `json:"burst"`   // messages at once
	Resume  int     `json:"resume"`  // entries that a resume may be behind

	File int64 `json:"file,omitempty"` // bytes of a file; 0 if none can be sent
}

// Server is a server's name and version.
type Server struct {
	Name    string `json:"name"`
	Version string `json:"version"`
}

// Message is every frame of the protocol. Type says which of the fields it has;
// Encode leaves the others out and Decode leaves them zero.
type Message struct {
	Type Type

	ID     string    // chat_message, delete, react, ack, error: the client's own id for it; upload: the file's
	Text   string    // chat_message, error: what was said ("message" in JSON); search: what is looked for ("text")
	User   string    // chat_message, delete, react, typing, hello, welcome, error; notice: who did it, of a rename the name before; host: whom it is about
	By     string    // chat_message, delete, react and notice from the server: who did it, see By; welcome: this client's own
	Time   time.Time // chat_message, delete, react and notice from the server
	Offset int64     // chat_message, delete, react, notice and ack from the server; welcome: the room's head

	Edits   int64   // chat_message: the message that it corrects
	Reply   int64   // chat_message: the message that it answers
	Target  int64   // delete from a client, react, reactions: the message that it is about; host: the message to pin, or of whom it is about
	Targets []int64 // delete from the server: the messages that are gone, 1 to MaxTargets
	Of      string  // chat_message with Edits or Reply, delete, react and host from a client: the id of that message
	Emoji   string  // react: one of Emojis, or empty to take it back
	Counts  []Count // react from the server: all reactions to the message, in the order of Emojis

	Quote     *Quote  // chat_message from the server with Reply; nil if that message is gone
	Edited    bool    // chat_message in an answer: its text was corrected
	Deleted   bool    // chat_message in an answer: its text is TextDeleted
	Changed   int64   // chat_message in an answer: the offset of its last change; a history question: only what changed after it; its answer with More: from where to ask on
	Reactions []Count // chat_message in an answer, in the order of Emojis
	Mine      string  // chat_message in an answer: what this client reacted with

	File *File // chat_message: what it has besides its text, which may be blank then

	// Of an upload. From a client: what is to come. From the server: Key and At.
	Name          string // the file's
	Size          int64  // in bytes
	Width, Height int    // of a picture, in pixels as it is shown
	At            int64  // how many bytes the server has

	Reactors []Reactors // reactions from the server, in the order of Emojis ("users" in JSON)

	Room string // welcome: the room's name as it is shown
	Like string // welcome to who opens a new room: the name of another one that this one's can be taken for

	Device string // hello: the installation's secret
	Key    string // hello: the room's passphrase; upload from the server: what its requests are authorized by
	Hidden bool   // hello: a room that this one locks is not listed ("listed":false in JSON)
	Epoch  string // hello: present means resume; welcome
	After  int64  // hello: the position up to which the client has shown the room; history from the server: nothing lies between it and the first message

	Can []string // hello, welcome: see CanBy

	Resumed bool     // welcome: exactly the entries after After follow
	Members []string // welcome: at most MaxMembers names
	Count   int      // welcome, presence: people in the room
	Limits  Limits   // welcome
	Server  Server   // welcome

	Event Event    // presence
	Users []string // presence; empty in a crowded room

	Did   string // notice: what happened: DidRename, or what a host did, as DoRemove
	About string // notice: to whom; of a rename the new name
	Whom  string // notice, host: the By of whom it is about; of a notice empty if it is about nobody

	Do       string    // host: what is to be done, as DoRemove
	Settings *Settings // host and notice: what is changed; welcome: all of them
	Pinned   int64     // notice of a pin, welcome: the message that is shown on top; 0 is none
	Host     bool      // hello: a room that this one opens is hosted by it; welcome: this client's device is a host
	HostKey  string    // hello: the key of the server's operator, which makes a host: see IsHostKey
	Silenced string    // welcome: the host who has silenced this client's device; empty if none has
	Notices  []Message // notices and roles from the server, oldest first

	Before   int64     // history, search, notices, roles: those before this offset; 0 is the newest; search from the server: how far back it read
	Limit    int       // history, notices, roles: how many, 1 to MaxHistory
	Messages []Message // history from the server, oldest first, of changes the earliest; search, newest first
	More     bool      // history, search, notices, roles from the server: there are more
	Skipped  int       // history, search, notices, roles from the server: frames in it that are none of these; not sent

	Code    ErrorCode // error
	RetryMS int       // error rate_limited: milliseconds to wait
}

// Blank reports whether a text has nothing to see: only white space, control
// and format characters, and the letters that are drawn as nothing.
func Blank(text string) bool {
	return strings.IndexFunc(text, func(r rune) bool {
		switch r {
		case '\u115f', '\u1160', '\u2800', '\u3164', '\uffa0':
			return false
		}
		return !unicode.In(r, unicode.White_Space, unicode.Cc, unicode.Cf)
	}) < 0
}
