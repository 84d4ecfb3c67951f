package session

import (
	"errors"
	"time"
)

// What OpenStore refuses.
var (
	ErrStoreInUse = errors.New("another copy of the app is open and uses the same files")
	ErrStoreNewer = errors.New("the saved messages were written by a newer version of the app")
)

// Store keeps outboxes, drafts and the end of each room's timeline in one file,
// for one app at a time. It may be used from any goroutine.
type Store struct{}

// RecentRoom is a room that this device has been in.
type RecentRoom struct {
	Room     string // as it is written to the server
	Name     string // as the server shows it
	Server   string // as ParseServer gives it
	LastSeen time.Time
	Unread   int // messages of others that came in and were not marked read
}
