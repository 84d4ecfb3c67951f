package session

import "time"

// Clock tells a Room the time. A test can bring its own.
type Clock interface {
	Now() time.Time
	// AfterFunc calls f in d from now, in a goroutine of its own, unless stop
	// is called first.
	AfterFunc(d time.Duration, f func()) (stop func() bool)
}

type systemClock struct{}

func (systemClock) Now() time.Time { return time.Now() }

func (systemClock) AfterFunc(d time.Duration, f func()) func() bool {
	return time.AfterFunc(d, f).Stop
}

// now is a time as messages carry it, in UTC and milliseconds.
func now(c Clock) time.Time { return c.Now().UTC().Truncate(time.Millisecond) }
