// Package keyring hashes passphrases and checks them, slowly for whoever guesses.
package keyring

import (
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"maps"
	"sync"
	"time"
)

// Keyring hashes passphrases: two at a time, because each hash takes much memory;
// one per guesser at a time, so that none holds up the others; and after a wrong
// one, none of that guesser's in that room for a while. A guesser is an address, or
// a device that has been in the room before.
type Keyring struct {
	secret [32]byte // of this process
	slots  chan struct{}
	now    func() time.Time
	missed func(account string) // is told of each wrong one

	mu    sync.Mutex
	turns map[string]*turn    // of guessers
	wrong map[string]*backOff // by account
}

type turn struct {
	taken   sync.Mutex
	waiting int
}

type backOff struct {
	tries int
	until time.Time
}

const (
	hashesAtOnce = 2
	firstBackOff = time.Second // doubled by each further wrong one
	maxBackOff   = time.Minute
	forgetWrong  = 10 * time.Minute // after the last one
	maxWrong     = 4096             // back-offs in memory
	mostMissed   = 64               // after fewer than these, the wait is the longest
)

// New returns a Keyring. It tells the time by now, and calls missed for each
// wrong passphrase.
func New(now func() time.Time, missed func(account string)) *Keyring {
	k := &Keyring{slots: make(chan struct{}, hashesAtOnce), now: now, missed: missed,
		turns: make(map[string]*turn), wrong: make(map[string]*backOff)}
	rand.Read(k.secret[:])
	return k
}

// Hash returns the hash of a passphrase in the form of shared.NormalKey.
func (k *Keyring) Hash(key string) string {
	k.slots <- struct{}{}
	defer func() { <-k.slots }()
	return hash(key)
}

// Opens reports whether a passphrase in the form of shared.NormalKey has the hash.
func (k *Keyring) Opens(hash, key string) bool {
	k.slots <- struct{}{}
	defer func() { <-k.slots }()
	return matches(hash, key)
}

// Sum returns what stands for a passphrase in memory.
func (k *Keyring) Sum(key string) []byte {
	mac := hmac.New(sha256.New, k.secret[:])
	mac.Write([]byte(key))
	return mac.Sum(nil)
}

// InTurn calls try when no other call for the guesser is under way, unless a wrong
// passphrase came from it too short a time ago for this room: then it reports that
// the guesser has to wait. Try reports whether the passphrase was wrong. The account
// is that of the guesser's wrong ones in the room.
func (k *Keyring) InTurn(guesser, account string, try func() (wrong bool)) (wait bool) {
	defer k.turn(guesser)()
	if k.backsOff(account) {
		return true
	}
	if try() {
		k.missed(account)
		k.miss(account)
	}
	return false
}

// Missed counts wrong passphrases that were tried at other servers, as if they had been
// tried here one after the other. The wait that they cause is 10 minutes at most.
func (k *Keyring) Missed(account string, n int) {
	for range min(n, mostMissed) {
		k.miss(account)
	}
}

// turn waits for the guesser's turn and returns a function that ends it.
func (k *Keyring) turn(guesser string) (end func()) {
	k.mu.Lock()
	t := k.turns[guesser]
	if t == nil {
		t = &turn{}
		k.turns[guesser] = t
	}
	t.waiting++
	k.mu.Unlock()
	t.taken.Lock()
	return func() {
		t.taken.Unlock()
		k.mu.Lock()
		defer k.mu.Unlock()
		if t.waiting--; t.waiting == 0 {
			delete(k.turns, guesser)
		}
	}
}

func (k *Keyring) backsOff(account string) bool {
	k.mu.Lock()
	defer k.mu.Unlock()
	b := k.wrong[account]
	return b != nil && k.now().Before(b.until)
}

func (k *Keyring) miss(account string) {
	k.mu.Lock()
	defer k.mu.Unlock()
	now := k.now()
	b := k.wrong[account]
	if b == nil || now.Sub(b.until) > forgetWrong {
		k.makePlace(now)
		b = &backOff{}
		k.wrong[account] = b
	}
	if b.until.Before(now) { // else one was tried at another server meanwhile
		b.until = now
	}
	b.until = b.until.Add(min(firstBackOff<<min(b.tries, 10), maxBackOff))
	if longest := now.Add(forgetWrong); b.until.After(longest) {
		b.until = longest
	}
	b.tries++
}

// makePlace forgets back-offs that are over, and if those are too few, any. The
// caller holds mu.
func (k *Keyring) makePlace(now time.Time) {
	if len(k.wrong) < maxWrong {
		return
	}
	maps.DeleteFunc(k.wrong, func(_ string, b *backOff) bool { return now.Sub(b.until) > forgetWrong })
	for account := range k.wrong {
		if len(k.wrong) < maxWrong {
			return
		}
		delete(k.wrong, account)
	}
}
