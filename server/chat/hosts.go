package chat

import (
	"context"
	"crypto/sha256"
	"crypto/subtle"
	"errors"

	"github.com/oklog/ulid/v2"

	"parley/shared"
)

// HashHostKey is what the registry keeps of the operator's key: its SHA-256. The key
// is random, so nobody finds it by trying.
func HashHostKey(key string) []byte {
	sum := sha256.Sum256([]byte(key))
	return sum[:]
}

// isHostKey compares a key with the hash of the operator's, in a time that tells
// nothing. A hash of nil is nobody's.
func isHostKey(hash []byte, key string) bool {
	return subtle.ConstantTimeCompare(hash, HashHostKey(key)) == 1
}

// ErrNoHost says that a room can't lose a host that it does not have.
var ErrNoHost = errors.New("the room has no host of that number: parley-server hosts --room NAME lists them")

// Unhost unmakes the host of a room whose Host.Offset is number, even the last one.
// Everyone in the room is told. It fails with ErrNoRoom and ErrNoHost.
func (h *Hub) Unhost(ctx context.Context, room shared.Name, number int64) error {
	h.managing.Lock() // so that the room is not renamed meanwhile
	defer h.managing.Unlock()
	if !h.appends.enter() {
		return errStopping
	}
	defer h.appends.leave()
	state, stop, err := h.cfg.Log.Open(ctx, room, Follower{Entries: func([]Entry) {}, Begin: func(int64) {}})
	if err != nil {
		return err
	}
	stop()
	if !state.Rules.Used {
		return ErrNoRoom
	}
	for device, host := range state.Rules.Hosts {
		if host.Offset != number {
			continue
		}
		added := make(chan error, 1)
		h.cfg.Log.Append(ctx, room, Entry{
			Kind: KindNotice, ID: ulid.Make().String(), Device: OperatorDevice, Time: h.cfg.Now(),
			Extra: &Extra{Act: &Act{Do: shared.DoUnhost, Device: device, About: host.Name, Operator: true}},
		}, func(_ Receipt, err error) { added <- err })
		return <-added
	}
	return ErrNoHost
}
