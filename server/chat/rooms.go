package chat

import (
	"cmp"
	"context"
	"maps"
	"slices"
	"strings"
	"time"

	"parley/server/chat/lookalike"
	"parley/shared"
)

// RoomInfo is a room in the list of rooms.
type RoomInfo struct {
	Name  string    // as it was first written
	Count int       // people in it
	Last  time.Time // of its newest entry; zero if nothing was said

	Locked bool // it has a passphrase
	hidden bool
	key    string
}

// Rooms returns the listed rooms with people in them, the liveliest first. Its
// order is the same as long as nothing happens in them.
func (h *Hub) Rooms() []RoomInfo {
	list, _ := h.peopled()
	return list
}

// People returns how many people are in a room, hidden or not; of "", in all rooms
// that are listed, each of them once.
func (h *Hub) People(room string) (count int) {
	if room == "" {
		return h.online.count(h)
	}
	name, err := shared.RoomName(room)
	h.mu.Lock()
	r := h.rooms[name.Key]
	h.mu.Unlock()
	if err != nil || r == nil {
		return 0
	}
	select {
	case <-r.opened:
		if r.err == nil {
			count = r.info().Count
		}
	default: // still reading its log
	}
	return count
}

// peopled returns also the keys of the rooms in the list.
func (h *Hub) peopled() (list []RoomInfo, keys map[string]bool) {
	h.mu.Lock()
	rooms := slices.Collect(maps.Values(h.rooms))
	h.mu.Unlock()
	list, keys = make([]RoomInfo, 0, len(rooms)), make(map[string]bool)
	for _, r := range rooms {
		select {
		case <-r.opened:
			if info := r.info(); r.err == nil && info.Count > 0 && !info.hidden {
				list = append(list, info)
				keys[info.key] = true
			}
		default: // still reading its log
		}
	}
	list = h.elsewhere(list, keys)
	slices.SortFunc(list, func(a, b RoomInfo) int {
		return cmp.Or(b.Count-a.Count, b.Last.Compare(a.Last), strings.Compare(a.key, b.key))
	})
	return list, keys
}

const (
	maxQuiet  = 50  // rooms without people in the list
	maxListed = 500 // rooms that the log is asked for
)

// AllRooms returns what Rooms does, and behind it up to 50 listed rooms in which
// something was said and nobody is, the one with the newest message first. If
// the log can't be read, its error comes with the first part.
func (h *Hub) AllRooms(ctx context.Context) ([]RoomInfo, error) {
	err := h.prove(ctx, "")
	list, keys := h.peopled()
	var kept []Listed
	if err == nil {
		kept, err = h.cfg.Registry.Rooms(ctx, min(maxQuiet+len(list), maxListed))
	}
	quiet := 0
	for _, r := range kept {
		if quiet < maxQuiet && !keys[r.Key] {
			list = append(list, RoomInfo{Name: r.Name, Last: r.Last, Locked: r.Locked, key: r.Key})
			keys[r.Key] = true
			quiet++
		}
	}
	for _, r := range h.cfg.Rooms {
		if !keys[r.Key] {
			list = append(list, RoomInfo{Name: r.Text, key: r.Key})
		}
	}
	return list, err
}

// alikeRoom returns the name of a listed room, one of the newest, that a room's name can
// be taken for; "" if there is none, or nobody knows.
func (h *Hub) alikeRoom(name shared.Name) string {
	skeleton := lookalike.Of(name.Text).Skeleton
	list, _ := h.peopled()
	kept, _ := h.cfg.Registry.Rooms(background, maxListed)
	for _, r := range kept {
		list = append(list, RoomInfo{Name: r.Name, key: r.Key})
	}
	for _, r := range h.cfg.Rooms {
		list = append(list, RoomInfo{Name: r.Text, key: r.Key})
	}
	mixed := ""
	for _, r := range list {
		switch look := lookalike.Of(r.Name); {
		case r.key == name.Key || look.Skeleton != skeleton:
		case !look.Mixed:
			return r.Name
		case mixed == "": // which may itself be a copy of another one's
			mixed = r.Name
		}
	}
	return mixed
}

// someWho returns the names of a few people in rooms that anybody may see and
// enter, for the page that greets.
func (h *Hub) someWho(limit int) (names []string) {
	h.mu.Lock()
	rooms := slices.Collect(maps.Values(h.rooms))
	h.mu.Unlock()
	for _, r := range rooms {
		select {
		case <-r.opened:
		default: // still reading its log
			continue
		}
		if r.err != nil {
			continue
		}
		if info := r.info(); info.hidden || info.Locked {
			continue
		}
		here, _ := r.who()
		names = append(names, here...)
		if len(names) >= 4*limit {
			break
		}
	}
	slices.Sort(names)
	names = slices.Compact(names)
	return names[:min(limit, len(names))]
}
