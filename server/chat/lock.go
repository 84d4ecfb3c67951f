package chat

import (
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"crypto/subtle"
	"encoding/base64"
	"errors"
	"fmt"
	"maps"
	"strings"
	"sync"
	"time"

	"golang.org/x/crypto/argon2"

	"parley/shared"
)

// Lock is what a room's passphrase is checked against. The zero Lock is that of
// an open room.
type Lock struct {
	Hash   string // of the passphrase, by Argon2id, as a PHC string
	Hidden bool   // the room is not in the list of rooms
}

func (l Lock) locks() bool { return l.Hash != "" }

// What a hash costs: the second choice of RFC 9106 with less memory, so that a
// small computer hashes in some 30 ms, and 19 MiB.
const (
	argonTime    = 2
	argonMemory  = 19 << 10 // KiB
	argonThreads = 1
	argonLength  = 32
)

// hashKey makes the hash of a passphrase in the form of shared.NormalKey.
func hashKey(key string) string {
	salt := make([]byte, 16)
	rand.Read(salt)
	hash := argon2.IDKey([]byte(key), salt, argonTime, argonMemory, argonThreads, argonLength)
	return fmt.Sprintf("$argon2id$v=%d$m=%d,t=%d,p=%d$%s$%s", argon2.Version, argonMemory, argonTime, argonThreads,
		base64.RawStdEncoding.EncodeToString(salt), base64.RawStdEncoding.EncodeToString(hash))
}

// opens reports whether a passphrase in the form of shared.NormalKey opens the
// lock. A hash that is not one of ours is opened by nothing.
func (l Lock) opens(key string) bool {
	var version int
	var memory, time uint32
	var threads uint8
	parts := strings.Split(l.Hash, "$")
	if len(parts) != 6 || parts[1] != "argon2id" {
		return false
	}
	_, err1 := fmt.Sscanf(parts[2]+" "+parts[3], "v=%d m=%d,t=%d,p=%d", &version, &memory, &time, &threads)
	salt, err2 := base64.RawStdEncoding.DecodeString(parts[4])
	want, err3 := base64.RawStdEncoding.DecodeString(parts[5])
	if errors.Join(err1, err2, err3) != nil || version != argon2.Version || time < 1 || threads < 1 || len(want) < 16 {
		return false
	}
	got := argon2.IDKey([]byte(key), salt, time, memory, threads, uint32(len(want)))
	return subtle.ConstantTimeCompare(got, want) == 1
}

// What a hello is refused with at a room's lock.
const (
	saysLocked    = "This room has a passphrase."
	saysWrongKey  = "This is not the room's passphrase."
	saysOpen      = "This room is open to everyone, and stays so. Enter it without a passphrase."
	saysTooMany   = "Too many wrong passphrases came from this address. Wait a moment."
	saysTutorial  = "This room has a passphrase: open it in Parley's page or app."
	saysNoPost    = "This room has a passphrase: only those who are in it write to it."
	saysNoHistory = "This room has a passphrase: its messages are shown in Parley's page and app only."
)

// unlock decides whether a hello's passphrase lets its session in: it opens the
// room's lock, or becomes it where the room is new. The code is 0 where it does.
func (s *session) unlock(hello shared.Message) (code shared.CloseCode, reason string) {
	lock := s.room.settledLock()
	switch {
	case !lock.locks() && hello.Key == "":
		return 0, "" // Room.add finds out where it was locked since
	case hello.Key == "":
		return shared.CloseWrongKey, saysLocked
	}
	return s.hub.keys.inTurn(s.address, s.room.name.Key, func() (shared.CloseCode, string) {
		if !lock.locks() {
			if lock, code, reason = s.lock(hello); code != 0 {
				return code, reason
			}
		}
		if !s.room.opens(lock, hello.Key) {
			return shared.CloseWrongKey, saysWrongKey
		}
		s.member.unlocked = true
		return 0, ""
	})
}

// lock locks a new room and returns the lock that it has then, which is another
// one where somebody was faster.
func (s *session) lock(hello shared.Message) (Lock, shared.CloseCode, string) {
	r := s.room
	key, err := shared.CheckKey(hello.Key)
	if err != nil {
		return Lock{}, shared.CloseWrongKey, err.Error()
	}
	if !r.isNew() {
		return Lock{}, shared.CloseOpenRoom, saysOpen
	}
	lock, err := r.setLock(Lock{Hash: s.hub.keys.hash(key), Hidden: hello.Hidden})
	switch {
	case err != nil:
		return Lock{}, shared.CloseTryLater, "The server can't write its log right now."
	case !lock.locks():
		return Lock{}, shared.CloseOpenRoom, saysOpen
	}
	return lock, 0, ""
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
	return len(r.members) == 0 && r.head == 0 && !r.lock.locks()
}

// setLock locks a new room and returns the lock that it has then: another one
// where somebody was faster, none where the room is not new any more.
func (r *Room) setLock(l Lock) (Lock, error) {
	r.locking.Lock()
	defer r.locking.Unlock()
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.lock.locks() || len(r.members) > 0 || r.head > 0 {
		return r.lock, nil
	}
	r.lock = l // from here on, nobody comes in without it
	r.mu.Unlock()
	ok, err := r.hub.cfg.Registry.SetLock(background, r.name.Key, l)
	r.mu.Lock()
	if err != nil || !ok {
		// A commit that failed may have been kept. Where nobody knows, it is locked.
		if kept, readErr := r.hub.cfg.Registry.Lock(background, r.name.Key); readErr == nil {
			r.lock = kept
		}
	}
	return r.lock, err
}

// opens reports whether a passphrase opens the room's lock. Once one has, the
// next are compared with it, so that a full room comes back quickly.
func (r *Room) opens(l Lock, key string) bool {
	key, ok := shared.NormalKey(key)
	if !ok {
		return false
	}
	sum := r.hub.keys.sum(key)
	r.mu.Lock()
	proof := r.proof
	r.mu.Unlock()
	if proof != nil {
		return hmac.Equal(sum, proof)
	}
	if !r.hub.keys.opens(l, key) {
		return false
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	r.proof = sum
	return true
}

// keyring has passphrases hashed: a few at a time, as each takes much memory;
// one of each address at a time, so that no address can hold up the others; and
// after a wrong one none of its address in this room for a while.
type keyring struct {
	secret [32]byte // of this process
	slots  chan struct{}
	now    func() time.Time
	missed func() // is told of each wrong one

	mu    sync.Mutex
	turns map[string]*turn // of addresses
	wrong map[wrongKeys]*backOff
}

type turn struct {
	taken   sync.Mutex
	waiting int
}

type wrongKeys struct{ address, room string }

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

func newKeyring(now func() time.Time, missed func()) *keyring {
	k := &keyring{slots: make(chan struct{}, hashesAtOnce), now: now, missed: missed,
		turns: make(map[string]*turn), wrong: make(map[wrongKeys]*backOff)}
	rand.Read(k.secret[:])
	return k
}

func (k *keyring) hash(key string) string {
	k.slots <- struct{}{}
	defer func() { <-k.slots }()
	return hashKey(key)
}

func (k *keyring) opens(l Lock, key string) bool {
	k.slots <- struct{}{}
	defer func() { <-k.slots }()
	return l.opens(key)
}

// sum is what stands for a passphrase in memory.
func (k *keyring) sum(key string) []byte {
	mac := hmac.New(sha256.New, k.secret[:])
	mac.Write([]byte(key))
	return mac.Sum(nil)
}

// inTurn calls try when no other of the address's is under way, unless a wrong
// passphrase from there was too short a time ago.
func (k *keyring) inTurn(address, room string, try func() (shared.CloseCode, string)) (shared.CloseCode, string) {
	k.mu.Lock()
	t := k.turns[address]
	if t == nil {
		t = &turn{}
		k.turns[address] = t
	}
	t.waiting++
	k.mu.Unlock()
	t.taken.Lock()
	defer func() {
		t.taken.Unlock()
		k.mu.Lock()
		defer k.mu.Unlock()
		if t.waiting--; t.waiting == 0 {
			delete(k.turns, address)
		}
	}()
	id := wrongKeys{address, room}
	if k.backsOff(id) {
		return shared.CloseTryLater, saysTooMany
	}
	code, reason := try()
	if code == shared.CloseWrongKey && reason == saysWrongKey {
		k.miss(id)
	}
	return code, reason
}

func (k *keyring) backsOff(id wrongKeys) bool {
	k.mu.Lock()
	defer k.mu.Unlock()
	b := k.wrong[id]
	return b != nil && k.now().Before(b.until)
}

func (k *keyring) miss(id wrongKeys) {
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

// makePlace forgets back-offs that are over, and where those are too few, any.
// The caller holds mu.
func (k *keyring) makePlace(now time.Time) {
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
