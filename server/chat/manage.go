package chat

import (
	"context"
	"errors"
	"fmt"

	"parley/shared"
)

// Why a room can't be managed as it was asked for.
var (
	ErrNoRoom    = errors.New("there is no such room")
	ErrNotLocked = errors.New("the room has no passphrase")
	ErrRoomTaken = errors.New("there is a room of that name, or was one: choose another name")
)

// farewell is what those learn who are in a room that is retired.
type farewell struct {
	code   shared.CloseCode
	reason string
}

// Unlock takes a room's passphrase away. Those who are in it believe that only those
// who know it read along, so they learn before they write anything else.
func (h *Hub) Unlock(ctx context.Context, room shared.Name) error {
	h.managing.Lock()
	defer h.managing.Unlock()
	lock, err := h.cfg.Registry.Lock(ctx, room.Key)
	if err != nil {
		return err
	}
	if !lock.locks() {
		return ErrNotLocked
	}
	_, done := h.retire(farewell{shared.CloseOpenRoom, "The host has opened this room to everyone, with what was said in it. Enter it without a passphrase."}, room.Key)
	defer done()
	return h.cfg.Registry.Unlock(ctx, room.Key)
}

// Rename gives a room another name.
func (h *Hub) Rename(ctx context.Context, from, to shared.Name) error {
	h.managing.Lock()
	defer h.managing.Unlock()
	if from.Key == to.Key { // another spelling: they come back at once
		_, done := h.retire(farewell{shared.CloseRestart, fmt.Sprintf("This room is now called %q.", to.Text)}, from.Key)
		defer done()
		return h.cfg.Registry.Rename(ctx, from.Key, to)
	}
	h.mu.Lock()
	taken := h.rooms[to.Key] != nil
	h.mu.Unlock()
	if taken {
		return ErrRoomTaken
	}
	_, done := h.retire(farewell{shared.CloseRemoved, fmt.Sprintf("This room is now called %q.", to.Text)}, from.Key, to.Key)
	defer done()
	return h.cfg.Registry.Rename(ctx, from.Key, to)
}

// Delete deletes a room and everything that was said in it.
func (h *Hub) Delete(ctx context.Context, room shared.Name) error {
	h.managing.Lock()
	defer h.managing.Unlock()
	peopled, done := h.retire(farewell{shared.CloseRemoved, "This room was deleted."}, room.Key)
	defer done()
	err := h.cfg.Registry.Delete(ctx, room.Key)
	if errors.Is(err, ErrNoRoom) && peopled {
		return nil // people were in it, and had said nothing
	}
	return err
}

// retire takes rooms out of memory: whoever is in the first one is closed, and
// whoever enters one of them waits until done is called. When it returns, everything
// that was said in them is in the log.
func (h *Hub) retire(f farewell, keys ...string) (peopled bool, done func()) {
	over := make(chan struct{})
	h.mu.Lock()
	for _, key := range keys {
		h.retiring[key] = over
	}
	r := h.rooms[keys[0]]
	var sessions []*session
	if r != nil {
		r.farewell.Store(&f)
		r.appends.close()
		delete(h.rooms, keys[0])
		for s := range h.sessions {
			if s.room == r {
				sessions = append(sessions, s)
			}
		}
	}
	h.mu.Unlock()
	for _, s := range sessions {
		s.close(f.code, f.reason)
	}
	if r != nil {
		r.appends.wait()
	}
	return r != nil, func() {
		h.mu.Lock()
		defer h.mu.Unlock()
		for _, key := range keys {
			delete(h.retiring, key)
		}
		close(over)
	}
}
