package session

import "time"

// State is the state of the connection to the room.
type State int

// The states.
const (
	Disconnected State = iota // the next try is at Status.RetryAt
	Connecting
	Connected
	Closed // stopped until the person acts: Rename, Reconnect, or another room
)

func (s State) String() string {
	switch s {
	case Disconnected:
		return "disconnected"
	case Connecting:
		return "connecting"
	case Connected:
		return "connected"
	}
	return "closed"
}

// Status is the one line on what is going on.
type Status struct {
	State      State
	Generation int       // of the connection: 1 for the first, one more for each try
	Cause      Cause     // why it is not connected; while Connecting, why the last try failed
	Detail     string    // the server's own words, the free name after CauseNameTaken, or the system's error: from the network, show it as text only
	RetryAt    time.Time // Disconnected: the next try; zero if there will be none
	Locked     bool      // the room is entered with a passphrase

	// What the server can, as it said last: offer nothing else.

	CanChange bool // answer, edit, delete, react
	CanSearch bool

	MaxFile int64 // bytes of a file; 0 if none can be sent
}

// AsksForKey reports whether the room waits for its passphrase.
func (s Status) AsksForKey() bool {
	return s.State == Closed && (s.Cause == CauseNeedsKey || s.Cause == CauseWrongKey)
}
