package session

import (
	"math/rand/v2"
	"time"

	"parley/shared"
)

// The wait between two tries doubles from the first to the longest.
const (
	firstWait   = 500 * time.Millisecond
	longestWait = 15 * time.Second
)

// backoff returns the wait after a number of failed tries, from 0 on. Half of it is
// random, so that a server that comes back does not meet all its clients at once.
func backoff(tries int) time.Duration {
	wait := longestWait
	if tries < 5 { // 500 ms << 5 is over 15 s
		wait = firstWait << tries
	}
	return wait/2 + rand.N(wait/2)
}

// spread is a random part of the time within which a server that restarts wants
// its members back.
func spread(reason string) time.Duration {
	within := shared.RestartSpread(reason)
	if within == 0 {
		return 0
	}
	return rand.N(within)
}
