package chat

import (
	"net/netip"
	"time"
	"unsafe"

	"parley/shared"
)

// What the tests and the fuzzer call by itself.
var (
	Forwarded = forwarded
	Segments  = segments
)

// ServesHost reports whether a hub of this configuration serves a Host.
func (c Config) ServesHost(host string) bool { return (&Hub{core: core{cfg: c}}).servesHost(host) }

// Trusted are the networks of s.
func Trusted(s ...string) (p []netip.Prefix) {
	for _, s := range s {
		p = append(p, netip.MustParsePrefix(s))
	}
	return p
}

// MaxAuthors is how many authors a room remembers.
const MaxAuthors = maxAuthors

// Authors returns how many authors a room remembers now.
func (h *Hub) Authors(room string) int {
	h.mu.Lock()
	r := h.rooms[room]
	h.mu.Unlock()
	r.mu.Lock()
	defer r.mu.Unlock()
	return len(r.authors)
}

// Held returns the bytes that are held for peers, tails left out.
func (h *Hub) Held() int64 { return h.memory.held.Load() - h.memory.tails.Load() }

// ReplayHeld is what a member has in hand at most while it reads the log.
const ReplayHeld, HeldBySession = replayHeld, heldBySession

// InHand is what a member has in hand at most by the sizes of what it reads and writes:
// entries, their texts, a piece with the frame that passes its size, and that frame.
const InHand = replayEntries*unsafe.Sizeof(Entry{}) + (replayRead + 4*shared.MaxText) + (replayPiece + mostFrame) + mostFrame

const mostFrame = 26 << 10

// MaxKnocking is how many of one address may knock.
const MaxKnocking = maxKnocking

// CostPong is what a pong costs that the library reads.
const CostPong = costPong

// CostSync is what it costs to wait for the disk once.
const CostSync = costSync

// SlowMachine gives all addresses together a five hundredth of a processor. It is
// called before anybody connects.
func (h *Hub) SlowMachine() { h.meters.part = 0.002 }

// StopMeters stops the meters' clock, on a machine of four processors: what is used
// from now on is never paid for, and nobody waits for the first 100 ms of it. It is
// called before anybody connects.
func (h *Hub) StopMeters() {
	h.meters.part = 1
	h.meters.now = func() int64 { return 0 }
}

// Used returns what an address has used since StopMeters.
func (h *Hub) Used(address string) time.Duration {
	src := h.source(address)
	defer h.sources.release(src.name)
	return time.Duration(src.meter.paid.Load() + int64(meterCredit))
}

// Waited returns how often an address had to wait.
func (h *Hub) Waited(address string) int64 {
	src := h.source(address)
	defer h.sources.release(src.name)
	return src.meter.waits.Load()
}

// Places returns the rooms in memory and the connections that count.
func (h *Hub) Places() (rooms, connections int) {
	h.mu.Lock()
	defer h.mu.Unlock()
	return len(h.rooms), h.connections
}

// Tails returns what the tails of a room hold.
func (h *Hub) Tails(room string) (held []string) {
	h.mu.Lock()
	r := h.rooms[room]
	h.mu.Unlock()
	r.mu.Lock()
	defer r.mu.Unlock()
	for _, t := range r.tails {
		if t == nil {
			continue
		}
		v := t.View()
		text := ""
		for p, end, _ := v.Next(v.Begin(), ""); end != nil; p, end, _ = v.Next(end.End, "") {
			text += string(p)
		}
		held = append(held, text)
	}
	return held
}

// Hold holds the hub's lock until release. After inOrder it goes to those who wait in
// the order in which they came, and nobody overtakes them.
func (h *Hub) Hold() (inOrder, release func()) {
	h.mu.Lock()
	return func() {
		// So does a sync.Mutex once a goroutine that has waited for 1 ms wakes in vain.
		for range 2 {
			for began := time.Now(); time.Since(began) < 5*time.Millisecond; {
				continue
			}
			h.mu.Unlock()
			h.mu.Lock()
		}
	}, h.mu.Unlock
}

// Enter has somebody come into a room, who says nothing until they leave.
func (h *Hub) Enter(room shared.Name) (leave func()) {
	src := h.source("192.0.2.1")
	r, err := h.enter(room, src)
	if err != nil {
		panic(err)
	}
	return func() {
		h.leave(r)
		h.sources.release(src.name)
	}
}
