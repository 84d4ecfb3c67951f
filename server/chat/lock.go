package chat

import (
	"crypto/hmac"
	"time"

	"parley/shared"
)

// Lock is what a room's passphrase is checked against. The zero Lock is that of
// an open room.
type Lock struct {
	Hash   string // of the passphrase, by Argon2id, as a PHC string
	Hidden bool   // the room is not in the list of rooms

	Made time.Time // kept to the millisecond
}

// lockLapses is how long a room keeps its lock in which nothing was ever said: a
// name that people use can't be locked away for good.
const lockLapses = 24 * time.Hour

func (l Lock) locks() bool { return l.Hash != "" }

// What a hello is refused with at a room's lock.
const (
	saysLocked    = "This room has a passphrase."
	saysWrongKey  = "This is not the room's passphrase."
	saysOpen      = "This room is open to everyone, and stays so. Enter it without a passphrase."
	saysTutorial  = "This room has a passphrase: open it in Parley's page or app."
	saysNoPost    = "This room has a passphrase: only those who are in it write to it."
	saysNoHistory = "This room has a passphrase: its messages are shown in Parley's page and app only."
)

// unlapsed returns the lock of a room in which nothing was said, unless it has
// lapsed.
func (c *core) unlapsed(room string, lock Lock) (Lock, error) {
	if !lock.locks() || c.cfg.Now().Sub(lock.Made) < lockLapses {
		return lock, nil
	}
	return Lock{}, c.cfg.Registry.Unlock(background, room)
}

// settledLock returns the room's lock, once it is in the log.
func (r *Room) settledLock() Lock {
	r.locking.Lock()
	defer r.locking.Unlock()
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.lock
}

// isNew reports whether nobody is in the room and nothing was said in it.
func (r *Room) isNew() bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	return len(r.members) == 0 && !r.said && !r.lock.locks()
}

// setLock locks a new room and returns the lock that it has then: another one
// if somebody was faster, none if the room is not new any more.
func (r *Room) setLock(l Lock) (Lock, error) {
	r.locking.Lock()
	defer r.locking.Unlock()
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.lock.locks() || len(r.members) > 0 || r.said {
		return r.lock, nil
	}
	r.lock = l // from here on, nobody comes in without it
	r.mu.Unlock()
	ok, err := r.core.cfg.Registry.SetLock(background, r.name.Key, l)
	r.mu.Lock()
	if err != nil || !ok {
		// A commit that failed may have been kept. If nobody knows, it is locked.
		if kept, readErr := r.core.cfg.Registry.Lock(background, r.name.Key); readErr == nil {
			r.lock = kept
		}
	}
	return r.lock, err
}

// opens reports whether a passphrase opens the room's lock. Once one has, the
// next are compared with it, so that a full room comes back quickly.
func (r *Room) opens(l Lock, key string, payer *meter) bool {
	key, ok := shared.NormalKey(key)
	if !ok {
		return false
	}
	sum := r.core.keys.Sum(key)
	r.mu.Lock()
	proof := r.proof
	r.mu.Unlock()
	if proof != nil {
		return hmac.Equal(sum, proof)
	}
	payer.charge(costHash)
	if !r.core.keys.Opens(l.Hash, key) {
		return false
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	r.proof = sum
	return true
}
