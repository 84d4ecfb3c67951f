// Package chat hosts the rooms: it serves their WebSockets and the JSON API,
// and tells everyone in a room what its log says.
//
// A message goes one way: session → Log → Room → member. See ARCHITECTURE.md.
package chat

import (
	"cmp"
	"context"
	"errors"
	"maps"
	"slices"
	"strings"
	"sync"
	"time"

	"golang.org/x/time/rate"

	"parley/server/chat/keyring"
	"parley/shared"
)

// Hub holds the rooms that somebody is in.
type Hub struct {
	cfg       Config
	metrics   *metrics
	wheel     *wheel
	keys      *keyring.Keyring
	posts     *rate.Limiter // of the API
	memory    *memory
	meters    *meters // of sources; nil if there is no limit per address
	sources   kept[*source]
	devices   kept[pace] // how fast each may send
	readiness readiness
	refused   rate.Sometimes // says who was refused
	untrusted rate.Sometimes // says who is no trusted proxy
	fanout    *meters        // of rooms; nil if there is no limit per address
	work      sync.WaitGroup // connections, and every goroutine that the hub has started

	mu       sync.Mutex
	rooms    map[string]*Room // by key
	sessions map[*session]struct{}
	stopping bool
	retiring map[string]chan struct{} // keys of rooms that are being managed; closed when that is over

	connections int // in all

	appends sync.WaitGroup // under way; grows only under mu and before stopping

	managing sync.Mutex // held while a room is unlocked, renamed or deleted; taken before mu
}

// NewHub returns a hub that works until Shutdown.
func NewHub(cfg Config) *Hub {
	h := &Hub{
		cfg:      cfg.withDefaults(),
		rooms:    make(map[string]*Room),
		sessions: make(map[*session]struct{}),
		retiring: make(map[string]chan struct{}),
	}
	h.metrics = newMetrics(h)
	h.sources.make = h.newSource
	h.devices.make = func(string) pace { return h.newPace(1) }
	if h.cfg.MaxPerAddress > 0 {
		slowed := func() { h.metrics.limit("meter") }
		h.meters = newMeters(sourcesPart, h.cfg.Pause, slowed)
		h.fanout = newMeters(roomsPart, h.cfg.Pause, slowed)
	}
	h.posts = h.newPace(1).Limiter
	h.memory = &memory{limit: h.cfg.MaxMemory, shed: h.shed}
	h.refused.Interval, h.untrusted.Interval = time.Minute, time.Hour
	h.keys = keyring.New(h.cfg.Now, func() { h.metrics.limit("passphrase") })
	h.wheel = newWheel(h.cfg.PingEvery, (*session).beat)
	h.work.Go(h.wheel.run)
	return h
}

// enter returns the room of a name, opened, with one session more in it, which comes
// from the source by.
func (h *Hub) enter(name shared.Name, by *source) (*Room, error) {
	h.mu.Lock()
	for over := h.retiring[name.Key]; over != nil; over = h.retiring[name.Key] {
		h.mu.Unlock()
		<-over
		h.mu.Lock()
	}
	r := h.rooms[name.Key]
	if r != nil {
		r.sessions++
		h.mu.Unlock()
		<-r.opened
		return r, r.err
	}
	if len(h.rooms) >= h.cfg.MaxRooms {
		h.metrics.limit("rooms")
		by.meter.charge(costShares)
		if !h.freeRoom(by) {
			h.mu.Unlock()
			return nil, errRooms
		}
	}
	r = &Room{hub: h, name: name, sessions: 1, opened: make(chan struct{})}
	r.settled.L = &r.incomingMu
	if h.fanout != nil {
		r.meter = h.fanout.newMeter()
	}
	r.people = make(map[string]*person)
	r.looks = make(map[string][]*person)
	r.authors = make(map[string]*author)
	h.rooms[name.Key] = r
	h.mu.Unlock()

	defer close(r.opened)
	// What is delivered from here on waits until the head is known.
	r.incomingMu.Lock()
	defer r.incomingMu.Unlock()
	lock, err := h.cfg.Registry.Lock(background, name.Key)
	var state State
	var stop func()
	if err == nil {
		state, stop, err = h.cfg.Log.Open(background, name, Follower{Entries: r.deliver, Begin: r.expire})
	}
	if err == nil && state.Name == "" {
		lock, err = h.unlapsed(name.Key, lock)
	}
	if err != nil {
		r.err = err
		h.mu.Lock()
		if h.rooms[name.Key] == r {
			delete(h.rooms, name.Key)
		}
		h.mu.Unlock()
		if stop != nil {
			stop()
		}
		return r, err
	}
	if state.Name != "" {
		r.name.Text, r.said = state.Name, true
	}
	r.lock = lock
	r.epoch, r.head, r.last, r.stop = state.Epoch, state.Head, state.Last, stop
	r.expire(state.First)
	if r.head > 0 {
		// If this fails, whoever comes reads the log for itself.
		r.recent, _ = h.cfg.Log.History(background, name.Key, r.head+1, Most{Entries: recent, Bytes: h.cfg.TailBytes / 2})
		for _, e := range r.recent {
			r.author(e)
		}
	}
	return r, nil
}

// mayEnter returns the error of enter that the number of rooms causes.
func (h *Hub) mayEnter(name shared.Name, _ *source) (*Room, error) {
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.rooms[name.Key] == nil && len(h.rooms) >= h.cfg.MaxRooms {
		return nil, errRooms
	}
	return nil, nil
}

// recent is how many entries of a room's log are read when it is opened, so that
// those who come back at once need not each read them.
const recent = 256

// leave undoes enter. A room that nobody is in leaves memory; its log stays.
func (h *Hub) leave(r *Room) {
	h.mu.Lock()
	r.sessions--
	last := r.sessions == 0
	if last && h.rooms[r.name.Key] == r { // unless it is retired
		delete(h.rooms, r.name.Key)
	}
	h.mu.Unlock()
	if last {
		r.end()
	}
}

// reserved reports whether a room is one that nobody may lock.
func (h *Hub) reserved(key string) bool {
	return slices.ContainsFunc(h.cfg.Rooms, func(n shared.Name) bool { return n.Key == key })
}

// begin counts an append to a room that is under way, unless the hub is stopping or
// the room is retired.
func (h *Hub) begin(r *Room) bool {
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.stopping || r.farewell.Load() != nil {
		return false
	}
	h.appends.Add(1)
	r.appends.Add(1)
	return true
}

// appended undoes begin.
func (h *Hub) appended(r *Room) {
	r.appends.Done()
	h.appends.Done()
}

// reserve counts a connection of a source. It fails if the server stops, the source
// has too many, or the server has and the source no right to another one's place.
func (h *Hub) reserve(src *source, upgrade bool) error {
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.stopping {
		return errStopping
	}
	if limit := h.cfg.MaxPerAddress; limit > 0 && src.connections >= limit {
		return errTooMany
	}
	if h.connections >= h.cfg.MaxConnections {
		src.meter.charge(costShares)
		if !upgrade || !h.freePlace(src) {
			return errServerFull
		}
	}
	h.connections++
	src.connections++
	h.work.Add(1)
	return nil
}

// release undoes reserve.
func (h *Hub) release(src *source) {
	defer h.work.Done()
	h.mu.Lock()
	defer h.mu.Unlock()
	h.connections--
	src.connections--
}

// admit has Shutdown attend to a session.
func (h *Hub) admit(s *session) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.sessions[s] = struct{}{}
	if h.stopping {
		s.close(shared.CloseRestart, shared.RestartReason(len(h.sessions)))
	}
	if f := s.room.farewell.Load(); f != nil {
		s.close(f.code, f.reason)
	}
}

func (h *Hub) dismiss(s *session) {
	h.mu.Lock()
	defer h.mu.Unlock()
	delete(h.sessions, s)
}

var (
	errStopping   = errors.New("the server is stopping")
	errTooMany    = errors.New("too many connections from one address")
	errServerFull = errors.New("too many connections")
	errRooms      = errors.New("too many rooms")
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
// that are listed.
func (h *Hub) People(room string) (count int) {
	if room == "" {
		return people(h.Rooms())
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

func people(rooms []RoomInfo) (count int) {
	for _, r := range rooms {
		count += r.Count
	}
	return count
}

// Name returns the server's name.
func (h *Hub) Name() string { return h.cfg.Name }

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
	list, keys := h.peopled()
	kept, err := h.cfg.Registry.Rooms(ctx, min(maxQuiet+len(list), maxListed))
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

// Shutdown lets every accepted message be answered, then closes all sessions
// with 1012 and waits for them. If ctx ends first it cuts what is left. The
// caller has stopped accepting connections before, and closes the log after.
func (h *Hub) Shutdown(ctx context.Context) error {
	h.mu.Lock()
	h.stopping = true
	sessions := slices.Collect(maps.Keys(h.sessions))
	rooms := slices.Collect(maps.Values(h.rooms))
	h.mu.Unlock()
	if h.fanout != nil {
		h.fanout.over.Store(true)
		h.meters.over.Store(true)
	}

	answered := make(chan struct{})
	go func() {
		defer close(answered)
		h.appends.Wait()
		for _, r := range rooms {
			r.settle()
		}
	}()
	select {
	case <-answered:
	case <-ctx.Done():
	}
	h.wheel.stop()
	for _, s := range sessions {
		s.close(shared.CloseRestart, shared.RestartReason(len(sessions)))
	}

	done := make(chan struct{})
	go func() { defer close(done); h.work.Wait() }()
	select {
	case <-done:
		return nil
	case <-ctx.Done():
	}
	for _, s := range sessions {
		s.cut()
	}
	<-done
	return ctx.Err()
}
