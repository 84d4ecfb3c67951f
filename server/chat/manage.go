package chat

import (
	"context"
	"errors"
	"fmt"

	"parley/shared"
)

// Why a room can't be managed as it was asked for.
var (
	ErrNoRoom    = errors.New("there is no such room: parley-server rooms lists all")
	ErrNotLocked = errors.New("no room of that name has a passphrase")
	ErrRoomTaken = errors.New("there is a room of that name, or was one: choose another name")
)

// farewell is what those learn who are in a room that is retired.
type farewell struct {
	code   shared.CloseCode
	reason string
}

// Unlock takes a room's passphrase away. Those who are in it believe that only those
// who know it read along, so they learn before they write anything else. It fails with
// ErrNotLocked if the room has no passphrase.
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
	r, err := h.retire(room.Key)
	if err != nil {
		return err
	}
	err = h.cfg.Registry.Unlock(ctx, room.Key)
	r.end(err, farewell{shared.CloseOpenRoom, "The host has opened this room to everyone, with what was said in it. Enter it without a passphrase."})
	return err
}

// Rename gives a room another name. Those who are in it learn the new one. It fails as
// Registry.Rename does.
func (h *Hub) Rename(ctx context.Context, from, to shared.Name) error {
	h.managing.Lock()
	defer h.managing.Unlock()
	f := farewell{shared.CloseRemoved, fmt.Sprintf("This room is now called %q.", to.Text)}
	var into []string
	if from.Key == to.Key {
		f.code = shared.CloseRestart // another spelling: they come back at once
	} else {
		into = append(into, to.Key)
	}
	r, err := h.retire(from.Key, into...)
	if err != nil {
		return err
	}
	err = h.cfg.Registry.Rename(ctx, from.Key, to)
	r.end(err, f)
	return err
}

// Delete deletes a room and everything that was said in it. Those who are in it are
// told. It fails with ErrNoRoom if there is no such room, in the log or in memory.
func (h *Hub) Delete(ctx context.Context, room shared.Name) error {
	h.managing.Lock()
	defer h.managing.Unlock()
	r, err := h.retire(room.Key)
	if err != nil {
		return err
	}
	err = h.cfg.Registry.Delete(ctx, room.Key)
	if errors.Is(err, ErrNoRoom) && r.room != nil {
		err = nil // people were in it, and had said nothing
	}
	r.end(err, farewell{shared.CloseRemoved, "This room was deleted."})
	return err
}

// reopen closes the sessions of a room that the log says is another one now, so that
// everybody comes back and learns at its door what it has become.
func (h *Hub) reopen(room *Room) {
	h.managing.Lock()
	defer h.managing.Unlock()
	h.mu.Lock()
	there := h.rooms[room.name.Key] == room
	h.mu.Unlock()
	if !there {
		return // it was retired here, and is out of memory
	}
	if r, err := h.retire(room.name.Key); err == nil {
		r.end(nil, farewell{shared.CloseRestart, "This room was changed at another server."})
	}
}

// retirement is a room that is out of memory while the registry changes it.
type retirement struct {
	hub  *Hub
	room *Room // nil if nobody was in it
	keys []string
	over chan struct{}
}

// retire takes a room out of memory. Whoever enters it, or one of the free names,
// waits until the retirement ends. Those who are in it stay connected, but what they
// say is not taken any more. When it returns, everything that was said is in the log.
// It fails with ErrRoomTaken if somebody is in a room of a free name.
func (h *Hub) retire(key string, free ...string) (*retirement, error) {
	r := &retirement{hub: h, keys: append(free, key), over: make(chan struct{})}
	h.mu.Lock()
	for _, key := range free {
		if h.rooms[key] != nil {
			h.mu.Unlock()
			return nil, ErrRoomTaken
		}
	}
	for _, key := range r.keys {
		h.retiring[key] = r.over
	}
	r.room = h.rooms[key]
	delete(h.rooms, key)
	h.mu.Unlock()
	if r.room != nil {
		r.room.retired.Store(true)
		r.room.appends.close()
		r.room.appends.wait()
	}
	return r, nil
}

// end closes those who were in the room, then lets others enter. The farewell is true
// only if the change succeeded; after an error, they come back at once.
func (r *retirement) end(err error, f farewell) {
	if err != nil {
		f = farewell{shared.CloseRestart, "The host could not change this room. It stays as it was."}
	}
	if r.room != nil {
		<-r.room.opened
		if r.room.err == nil {
			r.room.stop() // what is said in the room that follows is for others
		}
	}
	h := r.hub
	h.mu.Lock()
	defer h.mu.Unlock()
	if r.room != nil {
		r.room.farewell = &f
		for s := range h.sessions {
			if s.room == r.room {
				s.close(f.code, f.reason)
			}
		}
	}
	for _, key := range r.keys {
		delete(h.retiring, key)
	}
	close(r.over)
}
