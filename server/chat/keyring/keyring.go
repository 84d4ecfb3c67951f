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
	missed func() // is told of each wrong one

	mu    sync.Mutex
	turns map[string]*turn // of guessers
	wrong map[wrongKeys]*backOff
}

type turn struct {
	taken   sync.Mutex
	waiting int
}

type wrongKeys struct{ guesser, room string }

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
)

// New returns a Keyring. It tells the time by now, and calls missed for each
// wrong passphrase.
func New(now func() time.Time, missed func()) *Keyring {
	k := &Keyring{slots: make(chan struct{}, hashesAtOnce), now: now, missed: missed,
		turns: make(map[string]*turn), wrong: make(map[wrongKeys]*backOff)}
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
// the guesser has to wait. Try reports whether the passphrase was wrong.
func (k *Keyring) InTurn(guesser, room string, try func() (wrong bool)) (wait bool) {
	defer k.turn(guesser)()
	id := wrongKeys{guesser, room}
	if k.backsOff(id) {
		return true
	}
	if try() {
		k.miss(id)
	}
	return false
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

func (k *Keyring) backsOff(id wrongKeys) bool {
	k.mu.Lock()
	defer k.mu.Unlock()
	b := k.wrong[id]
	return b != nil && k.now().Before(b.until)
}

func (k *Keyring) miss(id wrongKeys) {
	k.missed()
	k.mu.Lock()
	defer k.mu.Unlock()
	now := k.now()
	b := k.wrong[id]
	if b == nil || now.Sub(b.until) > forgetWrong {
		k.makePlace(now)
		b = &backOff{}
		k.wrong[id] = b
	}
	b.until = now.Add(min(firstBackOff<<min(b.tries, 10), maxBackOff))
	b.tries++
}

// makePlace forgets back-offs that are over, and if those are too few, any. The
// caller holds mu.
func (k *Keyring) makePlace(now time.Time) {
	if len(k.wrong) < maxWrong {
		return
	}
	maps.DeleteFunc(k.wrong, func(_ wrongKeys, b *backOff) bool { return now.Sub(b.until) > forgetWrong })
	for id := range k.wrong {
		if len(k.wrong) < maxWrong {
			return
		}
		delete(k.wrong, id)
	}
}
