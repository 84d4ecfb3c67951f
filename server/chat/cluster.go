package chat

import (
	"context"
	"slices"
	"time"

	"parley/shared"
)

// Cluster is a Log that several servers share. Each is told who is in the rooms at the
// others, and what is said there that no log keeps.
type Cluster interface {
	// CatchUp returns when something was written durably after the call, one write for all
	// callers that wait, and a room's followers have been handed everything that was
	// acknowledged before the call at any server; of no room if it is "". The database may be
	// one that was cut off, and does not know it: what is read after the call is not read
	// there. Nobody is welcomed before, and the API answers nothing.
	CatchUp(ctx context.Context, room string) error

	// Gather is told that others are in a room now. It asks for them when it needs them,
	// once a second at most. It does not block.
	Gather(room string, who func() Gathering)

	// Gatherings returns the rooms with people at other servers.
	Gatherings() []Gathering

	// Share asks spent about once a second what was spent here since, tells the other
	// servers, and calls take with what they tell. If they could not be told, it calls
	// untold. Nothing is called after stop has returned, which must be called before the
	// log is closed.
	Share(spent func() []Spent, untold, take func([]Spent)) (stop func())

	// Mask returns what stands for a text at all servers, in a few letters. Without the
	// log's secret nobody can tell what the text is, nor whether a guess is right.
	Mask(text string) string

	// Pass sends a frame to whoever is in a room at other servers, if it can. It does not
	// block.
	Pass(room string, frame []byte)
}

// Gathering is who is in a room at one server, or at several.
type Gathering struct {
	Room           shared.Name
	Locked, Hidden bool
	Last           time.Time     // of the newest entry; zero if there is none
	People         []shared.Name // the first of them, as they are shown
	Count          int           // all of them
}

// MostGathered is how many people of a room a Gathering has by name. Beyond that,
// somebody at two servers counts as two.
const MostGathered = 1000

// cluster is the log, if several servers share it, or nil.
func (c *core) cluster() Cluster {
	cluster, _ := c.cfg.Log.(Cluster)
	return cluster
}

// prove is Cluster.CatchUp: what is read from the log after it has everything that was
// acknowledged before the call.
func (c *core) prove(ctx context.Context, room string) error {
	cluster := c.cluster()
	if cluster == nil {
		return nil
	}
	return cluster.CatchUp(ctx, room)
}

// catchUp is Cluster.CatchUp, up to the room's tails: a client that comes from another
// server has seen there what it has sent.
func (r *Room) catchUp() error {
	cluster := r.core.cluster()
	if cluster == nil {
		return nil
	}
	if err := cluster.CatchUp(background, r.name.Key); err != nil {
		return err
	}
	r.settle()
	return nil
}

// gathered has the other servers learn who is here. The caller holds mu.
func (r *Room) gathered() {
	if cluster := r.core.cluster(); cluster != nil {
		cluster.Gather(r.name.Key, r.gathering)
	}
}

// gathering is who is in the room at this server.
func (r *Room) gathering() Gathering {
	r.mu.Lock()
	defer r.mu.Unlock()
	g := Gathering{Room: r.name, Locked: r.lock.locks(), Hidden: r.lock.Hidden, Last: r.last}
	for _, p := range r.people {
		if !p.isHere() {
			continue
		}
		if g.Count++; g.Count <= MostGathered {
			g.People = append(g.People, p.name)
		}
	}
	return g
}

// isHere reports whether a person is, or was a moment ago, at this server.
func (p *person) isHere() bool { return p.conns > 0 || p.gone != nil }

// gather is told who is in the room at another server.
func (r *Room) gather(server string, g Gathering) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.uncounted == nil {
		r.uncounted = make(map[string]int)
	}
	if r.uncounted[server] = g.Count - len(g.People); r.uncounted[server] <= 0 {
		delete(r.uncounted, server)
	}
	there := make(map[string]bool)
	for _, name := range g.People {
		there[name.Key] = true
		p := r.people[name.Key]
		if p == nil {
			p = &person{name: name}
			r.people[name.Key] = p
			r.announce(&r.joined, &r.left, name.Text)
		}
		if p.elsewhere == nil {
			p.elsewhere = make(map[string]bool)
		}
		p.elsewhere[server] = true
	}
	for key, p := range r.people {
		if !p.elsewhere[server] || there[key] {
			continue
		}
		if delete(p.elsewhere, server); !p.isHere() && len(p.elsewhere) == 0 {
			r.fade(p)
		}
	}
}

// fade forgets a person who is at no server any more, some time later: most come back
// at once, at another one. The caller holds mu.
func (r *Room) fade(p *person) {
	var fading *time.Timer
	fading = time.AfterFunc(r.core.cfg.LeaveDelay, func() {
		r.mu.Lock()
		defer r.mu.Unlock()
		if p.fading == fading && !p.isHere() && len(p.elsewhere) == 0 {
			r.forget(p)
		}
	})
	p.fading = fading
}

// count is how many people are in the room. The caller holds mu.
func (r *Room) count() int {
	n := len(r.people)
	for _, more := range r.uncounted {
		n += more
	}
	return n
}

// tellAll is tell, at all servers.
func (r *Room) tellAll(m shared.Message) {
	r.tell(m)
	if cluster := r.core.cluster(); cluster != nil {
		cluster.Pass(r.name.Key, shared.Encode(m))
	}
}

// passed takes what another server says of the room.
func (r *Room) passed(frame []byte) {
	if m, err := shared.Decode(frame); err == nil && (m.Type == shared.TypeTyping || m.Type == shared.TypeNotice) {
		r.tell(m)
	}
}

// elsewhere adds the rooms that only other servers have in memory.
func (h *Hub) elsewhere(list []RoomInfo, keys map[string]bool) []RoomInfo {
	cluster := h.cluster()
	if cluster == nil {
		return list
	}
	for _, g := range cluster.Gatherings() {
		if !keys[g.Room.Key] && g.Count > 0 && !g.Hidden {
			keys[g.Room.Key] = true
			list = append(list, RoomInfo{Name: g.Room.Text, Count: g.Count, Last: g.Last, Locked: g.Locked, key: g.Room.Key})
		}
	}
	return slices.Clip(list)
}
