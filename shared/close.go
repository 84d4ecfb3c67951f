package shared

import (
	"fmt"
	"regexp"
	"strconv"
	"time"
	"unicode/utf8"
)

// CloseCode is a WebSocket close code. Its range says what a client does: after
// 4500 to 4999 it stops and tells the person why; after any other code it
// connects again, with a jittered backoff, and resumes.
type CloseCode int

// The codes that a server closes with.
const (
	CloseNormal       CloseCode = 1000
	CloseGoingAway    CloseCode = 1001
	CloseUnsupported  CloseCode = 1003 // a binary frame
	CloseTooBig       CloseCode = 1009 // a frame over MaxClientFrame
	CloseRestart      CloseCode = 1012 // the server stops or starts again
	CloseTryLater     CloseCode = 1013 // the server or the room is full
	CloseSlowConsumer CloseCode = 4000 // took no byte for too long, or fell too far behind
	CloseFlooding     CloseCode = 4001 // kept sending far over the rate

	CloseBadHello  CloseCode = 4500 // no valid hello, first and in time
	CloseNameTaken CloseCode = 4501 // the reason is a free name
	CloseWrongKey  CloseCode = 4502 // the room's passphrase is missing or wrong
	CloseRemoved   CloseCode = 4503 // removed from the room; the reason says why
	CloseOpenRoom  CloseCode = 4504 // a passphrase for a room that is open to everyone
)

// The reasons of a CloseTryLater that clients tell apart. They show any other as a
// full server.
const (
	ReasonRoomFull = "The room is full."
	ReasonTooMany  = "Too many wrong passphrases came from this address. Wait a moment."
	ReasonCrowded  = "Too many connections from this address."
)

// Reconnect reports whether a client should connect again by itself.
func (c CloseCode) Reconnect() bool { return c < 4500 || c > 4999 }

// comeBack is how many members a second a server that starts again is ready for.
const comeBack = 200

// RestartReason returns the reason of the CloseRestart that members get. If there are
// many of them, it says within how many seconds to come back.
func RestartReason(members int) string {
	const reason = "The server is restarting."
	if s := members / comeBack; s > 0 {
		return fmt.Sprintf("%s Come back within %d s.", reason, min(s, maxSpread))
	}
	return reason
}

// maxSpread bounds a RestartReason, in seconds, and what is believed of one.
const maxSpread = 60

var spread = regexp.MustCompile(`\b([0-9]{1,4}) s\b`)

// RestartSpread returns the time over which a RestartReason spreads its members:
// each comes back at a random moment of it. It is 0 if the reason has none.
func RestartSpread(reason string) time.Duration {
	m := spread.FindStringSubmatch(reason)
	if m == nil {
		return 0
	}
	seconds, _ := strconv.Atoi(m[1]) // the pattern has digits only
	return time.Duration(min(seconds, maxSpread)) * time.Second
}

// maxReason is what a close frame has room for (RFC 6455, 5.5).
const maxReason = 123

// CloseReason cuts a reason to what a close frame holds, between code points.
func CloseReason(reason string) string {
	if len(reason) <= maxReason {
		return reason
	}
	n := maxReason
	for !utf8.RuneStart(reason[n]) {
		n--
	}
	return reason[:n]
}
