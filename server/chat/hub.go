// Package chat hosts the rooms: it serves their WebSockets and the JSON API,
// and tells everyone in a room what its log says.
//
// A message goes one way: session → Log → Room → member. See ARCHITECTURE.md.
package chat

import (
	"context"
	"errors"
	"maps"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"golang.org/x/time/rate"

	"parley/server/chat/keyring"
	"parley/shared"
)

// Hub holds the rooms that somebody is in.
type Hub struct {
	core
	wheel     *wheel
	posts     *pace   // of the API
	unshare   func()  // tells the other servers nothing any more
	fanout    *meters // of rooms; nil if there is no limit per address
	readiness readiness
	online    online
	refused   rate.Sometimes // says who was refused
	untrusted rate.Sometimes // says who is no trusted proxy
	draining  atomic.Bool

	mu       sync.Mutex
	rooms    map[string]*Room // by key
	sessions map[*session]struct{}
	stopping bool
	retiring map[string]chan struct{} // keys of rooms that are being managed; closed when that is over

	connections int // in all
	knocking    int // of these, see knock

	managing sync.Mutex // held while a room is unlocked, renamed or deleted; taken before mu
}

// NewHub returns a hub that works until Shutdown.
func NewHub(cfg Config) *Hub {
	h := &Hub{
		core:     core{cfg: cfg.withDefaults()},
		rooms:    make(map[string]*Room),
		sessions: make(map[*session]struct{}),
		retiring: make(map[string]chan struct{}),
	}
	h.searches = make(chan struct{}, searchesAtOnce)
	h.metrics = newMetrics(h.cfg.Logger)
	h.metrics.gauge("parley_connections", "WebSocket connections.", func() int64 {
		h.mu.Lock()
		defer h.mu.Unlock()
		return int64(len(h.sessions))
	})
	h.metrics.gauge("parley_rooms", "Rooms in memory.", func() int64 {
		h.mu.Lock()
		defer h.mu.Unlock()
		return int64(len(h.rooms))
	})
	h.seat, h.alike = h.takeStrangersPlace, h.alikeRoom
	h.sources.make = h.newSource
	h.paces.make = h.newPace
	if h.cfg.MaxPerAddress > 0 {
		slowed := func() { h.metrics.limit("meter") }
		h.meters = newMeters(sourcesPart, h.cfg.Pause, slowed)
		h.fanout = newMeters(roomsPart, h.cfg.Pause, slowed)
	}
	if h.cluster() != nil {
		h.spending = &spending{}
	}
	h.posts = h.pace(ofDevice, APIDevice)
	h.memory = &memory{limit: h.cfg.MaxMemory, shed: h.shed}
	h.metrics.gauge("parley_held_bytes", "Memory held for clients: what they have not taken, or not sent whole, and the rooms' newest frames.", h.memory.held.Load)
	h.refused.Interval, h.untrusted.Interval = time.Minute, time.Hour
	h.keys = keyring.New(h.cfg.Now, func(account string) {
		h.metrics.limit("passphrase")
		h.spending.add(account)
	})
	h.wheel = newWheel(h.cfg.PingEvery, (*session).beat)
	h.work.Go(h.wheel.run)
	if cluster := h.cluster(); cluster != nil {
		h.unshare = cluster.Share(h.spending.take, h.spending.untold, h.spentElsewhere)
	}
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
	r = newRoom(&h.core, name)
	if h.fanout != nil {
		r.meter = h.fanout.newMeter()
	}
	h.rooms[name.Key] = r
	h.mu.Unlock()

	defer close(r.opened)
	if r.err = h.open(r); r.err != nil {
		h.mu.Lock()
		if h.rooms[name.Key] == r {
			delete(h.rooms, name.Key)
		}
		h.mu.Unlock()
	}
	return r, r.err
}

// open sets what a new room has from the log, and follows the log.
func (h *Hub) open(r *Room) error {
	lock, err := h.cfg.Registry.Lock(background, r.name.Key)
	if err != nil {
		return err
	}
	said, err := h.follow(r)
	if err != nil {
		return err
	}
	if !said {
		if lock, err = h.unlapsed(r.name.Key, lock); err != nil {
			r.end()
			return err
		}
	}
	r.lock = lock
	return nil
}

// follow begins to follow the log, and reports whether something was ever said in
// the room. What is delivered meanwhile waits until the head is known, and nobody who
// delivers waits with it.
func (h *Hub) follow(r *Room) (said bool, err error) {
	state, stop, err := h.cfg.Log.Open(background, r.name, Follower{Entries: r.deliver, Begin: r.expire, Over: func() { h.work.Go(func() { h.reopen(r) }) }, Others: r.gather, Passed: r.passed})
	if err != nil {
		return false, err
	}
	if state.Name != "" {
		r.name.Text, r.said = state.Name, true
	}
	r.epoch, r.head, r.last, r.stop = state.Epoch, state.Head, state.Last, stop
	r.ruling.begin(state.Rules)
	r.expire(max(state.First, r.first.Load()))
	if r.head > 0 {
		r.readRecent()
	}
	r.begun()
	return state.Name != "", nil
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

// reserve counts a session's connection. It fails if the server stops, the source
// has too many, or the server has and the source no right to another one's place;
// unless the session may knock.
func (h *Hub) reserve(s *session, upgrade bool) error {
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.stopping {
		return errStopping
	}
	if err := h.hasPlace(s.source, upgrade); err != nil && !(upgrade && h.knock(s, err)) {
		return err
	}
	h.connections++
	s.source.connections++
	h.work.Add(1)
	return nil
}

// hasPlace returns why there is no place for a connection of a source, which may free
// one. The caller holds mu.
func (h *Hub) hasPlace(src *source, upgrade bool) error {
	if limit := h.cfg.MaxPerAddress; limit > 0 && src.connections-len(src.knocking) >= limit {
		return errTooMany
	}
	if h.connections < h.cfg.MaxConnections {
		return nil
	}
	src.meter.charge(costShares)
	if !upgrade || !h.freePlace(src) {
		return errServerFull
	}
	return nil
}

// release undoes reserve.
func (h *Hub) release(s *session) {
	defer h.work.Done()
	h.mu.Lock()
	defer h.mu.Unlock()
	h.connections--
	s.source.connections--
	h.stopKnocking(s)
}

// admit has Shutdown attend to a session.
func (h *Hub) admit(s *session) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.sessions[s] = struct{}{}
	if h.stopping {
		s.close(shared.CloseRestart, shared.RestartReason(len(h.sessions)))
	}
	if f := s.room.farewell; f != nil {
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

// Name returns the server's name.
func (h *Hub) Name() string { return h.cfg.Name }

// Drain makes /readyz answer 503 from now on: whoever comes should go to another
// server. Those who come here nevertheless are let in until Shutdown.
func (h *Hub) Drain() { h.draining.Store(true) }

// Shutdown lets every accepted message be answered, then closes all sessions
// with 1012 and waits for them. If ctx ends first it cuts what is left. The
// caller has stopped accepting connections before, and closes the log after.
func (h *Hub) Shutdown(ctx context.Context) error {
	if h.unshare != nil {
		defer h.unshare()
	}
	h.mu.Lock()
	h.stopping = true
	h.appends.close()
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
		h.appends.wait()
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

// CountLimit counts what was refused at a limit outside the hub.
func (h *Hub) CountLimit(name string) { h.metrics.limit(name) }

// ObserveAppend counts a transaction of the log.
func (h *Hub) ObserveAppend(d time.Duration) { h.metrics.appends.Observe(d.Seconds()) }

// ObserveExpired counts messages that the log has deleted.
func (h *Hub) ObserveExpired(n int) { h.metrics.expired.Add(float64(n)) }
