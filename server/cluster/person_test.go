//go:build linux

package cluster

import (
	"context"
	"fmt"
	"math/rand/v2"
	"net/http"
	"net/url"
	"slices"
	"sync"
	"time"

	"github.com/coder/websocket"

	"parley/shared"
)

// person says something again and again, and changes the server now and then, and whenever
// the connection ends or is silent for too long. Sometimes it keeps away until it has
// missed more than it is sent when it is back, and then reads that in the history.
type person struct {
	w                  *world
	room, name, device string
	address            string // as the proxy tells it
	random             *rand.Rand

	// Guarded by w.mu.
	outbox []draft
	said   int
	last   int64 // the newest that it has seen
	jumps  bool  // the next one need not be the one after that
	gaps   []gap // what it has not seen before that
	asked  bool  // for a page of history, on this connection
	until  int64 // it keeps away until the room's log is that long
	epoch  string
	where  string    // "" while it is in the room at no server
	heard  time.Time // from the server
	pinged bool      // since then
	knew   int64     // what a welcome has to know of
	tries  int       // since the last welcome
}

type draft struct {
	id   string
	sent time.Time // on this connection
	on   *websocket.Conn
}

// gap is the messages between two that were seen.
type gap struct{ after, before int64 }

const (
	window    = 4 // messages of a person that are under way
	pause     = 500 * time.Millisecond
	saysIn    = 8               // pauses, on average, it says something
	movesIn   = 60              // pauses, on average, it goes elsewhere
	keepsAway = 20              // times that it goes elsewhere, on average, it keeps away
	pingAfter = 3 * time.Second // of silence: sooner than people's clients
	waits     = 5 * time.Second // for the answer to that

	// The wait between two tries doubles. It is half of that of people's clients.
	firstWait   = 250 * time.Millisecond
	longestWait = 15 * time.Second / 2
)

func (p *person) run(ctx context.Context) {
	for ctx.Err() == nil {
		if !p.isAway() {
			p.connect(ctx)
			p.tries++
		}
		wait := min(firstWait<<min(p.tries, 5), longestWait)
		select {
		case <-time.After(wait/2 + time.Duration(p.random.Int64N(int64(wait)))):
		case <-ctx.Done():
		}
	}
}

// isAway reports whether the person keeps away.
func (p *person) isAway() bool {
	p.w.mu.Lock()
	defer p.w.mu.Unlock()
	return !p.w.quiet && int64(len(p.w.ids[p.room])) < p.until
}

// connect is one connection, at any of the servers.
func (p *person) connect(ctx context.Context) {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	dialing, dialed := context.WithTimeout(ctx, dialFor)
	defer dialed()
	where := p.w.machines[p.random.IntN(len(p.w.machines))].address
	c, _, err := websocket.Dial(dialing, "ws://"+where+":8000/ws/chat/"+url.PathEscape(p.room), &websocket.DialOptions{
		Subprotocols: []string{shared.Protocol}, HTTPClient: toMachines, Host: "chat.example.org",
		HTTPHeader: http.Header{"X-Forwarded-For": {p.address}, "X-Forwarded-Proto": {"https"}},
	})
	if err != nil {
		return
	}
	defer c.CloseNow()
	defer p.w.update(func() { p.where = "" })
	c.SetReadLimit(shared.ReadLimit)
	var hello shared.Message
	p.w.update(func() {
		p.heard, p.pinged, p.asked, p.knew = time.Now(), false, false, p.w.settled(p.room, where)
		hello = shared.Message{Type: shared.TypeHello, User: p.name, Device: p.device, Epoch: p.epoch, After: p.last, Can: []string{shared.CanPing}}
	})
	if p.write(ctx, c, hello) != nil {
		return
	}
	var work sync.WaitGroup
	defer work.Wait()
	defer cancel()
	work.Go(func() {
		defer c.CloseNow()
		p.talk(ctx, c)
	})
	for {
		_, data, err := c.Read(ctx)
		if err != nil {
			return
		}
		f, err := shared.Decode(data)
		if err != nil {
			p.w.update(func() { p.w.problem("%s is sent %q: %v", p.name, data, err) })
			return
		}
		p.w.update(func() {
			p.heard, p.pinged = time.Now(), false
			if f.Type == shared.TypeWelcome {
				p.where, p.tries = where, 0
			}
			p.take(f)
		})
	}
}

func (p *person) write(ctx context.Context, c *websocket.Conn, f shared.Message) error {
	ctx, cancel := context.WithTimeout(ctx, waits)
	defer cancel()
	return c.Write(ctx, websocket.MessageText, shared.Encode(f))
}

// talk sends what is new, and what was not acknowledged on an earlier connection, until
// the connection ends or is silent, or the person goes elsewhere.
func (p *person) talk(ctx context.Context, c *websocket.Conn) {
	ticker := time.NewTicker(pause)
	defer ticker.Stop()
	for {
		var out []shared.Message
		over := false
		p.w.update(func() {
			silent := time.Since(p.heard)
			switch {
			case silent > pingAfter+waits:
				over = true
			case p.where == "":
				return // it is not welcomed yet
			case !p.w.quiet && p.random.IntN(movesIn) == 0:
				over = true
				if p.random.IntN(keepsAway) == 0 {
					p.until = p.last + maxResume + 1
				}
			case silent > pingAfter && !p.pinged:
				p.pinged = true
				out = append(out, shared.Message{Type: shared.TypePing})
			}
			if !p.w.quiet && len(p.outbox) < window && p.random.IntN(saysIn) == 0 {
				p.said++
				p.outbox = append(p.outbox, draft{id: fmt.Sprint(p.name[len("Person "):], "-", p.said)})
			}
			if len(p.gaps) > 0 && !p.asked {
				p.asked = true
				out = append(out, shared.Message{Type: shared.TypeHistory, Before: p.gaps[0].before, Limit: shared.MaxHistory})
			}
			for i := range p.outbox {
				d := &p.outbox[i]
				if d.on != c {
					d.on, d.sent = c, time.Now()
					out = append(out, shared.Message{Type: shared.TypeChat, ID: d.id, Text: "I say " + d.id})
				}
				if time.Since(d.sent) > pingAfter+waits {
					over = true
				}
			}
		})
		if over {
			return
		}
		for _, f := range out {
			if p.write(ctx, c, f) != nil {
				return
			}
		}
		select {
		case <-ticker.C:
		case <-ctx.Done():
			return
		}
	}
}

// take applies a frame. The caller holds w.mu.
func (p *person) take(f shared.Message) {
	w := p.w
	switch f.Type {
	case shared.TypeWelcome:
		switch mayResume := p.epoch != "" && f.Offset-p.last <= maxResume; {
		case f.Offset < p.knew:
			w.problem("%s is welcomed at %d, and %d was acknowledged long before", p.name, f.Offset, p.knew)
		case p.epoch != "" && f.Epoch != p.epoch:
			w.problem("%s finds another epoch", p.name)
		case f.Resumed != mayResume:
			w.problem("%s has seen %d, the head is %d, and resumed is %v", p.name, p.last, f.Offset, f.Resumed)
		case f.Resumed:
			w.counts.resumes++
		case p.epoch != "":
			w.counts.gaps++
		}
		p.epoch, p.jumps = f.Epoch, !f.Resumed
	case shared.TypeChat:
		w.counts.deliveries++
		w.note(p.room, f)
		switch {
		case f.Offset <= p.last:
			w.counts.doubled++
			w.problem("%s sees %d after %d", p.name, f.Offset, p.last)
		case f.Offset > p.last+1 && p.jumps:
			p.gaps = append(p.gaps, gap{p.last, f.Offset})
		case f.Offset > p.last+1:
			w.counts.lost++
			w.problem("%s sees %d after %d", p.name, f.Offset, p.last)
		}
		p.last, p.jumps = f.Offset, false
		p.acknowledged(f)
	case shared.TypeHistory:
		p.asked = false
		p.fill(f)
	case shared.TypeAck:
		w.note(p.room, f)
		p.acknowledged(f)
	case shared.TypeError:
		if f.Code.Final() {
			w.problem("%s: %q was refused as %s", p.name, f.ID, f.Code)
		}
		if f.ID == "" {
			p.asked = false // and asks again
		}
		for i := range p.outbox { // sent again, as clients do
			if p.outbox[i].id == f.ID {
				p.outbox[i].on = nil
			}
		}
	}
}

// fill puts a page of history into the first gap. The caller holds w.mu.
func (p *person) fill(page shared.Message) {
	w, g := p.w, &p.gaps[0]
	for _, f := range slices.Backward(page.Messages) {
		if f.Offset <= g.after {
			break
		}
		if f.Offset != g.before-1 {
			w.counts.lost++
			w.problem("%s is told that %d comes before %d", p.name, f.Offset, g.before)
		}
		g.before = f.Offset
		w.counts.filled++
		w.note(p.room, f)
	}
	switch {
	case g.before == g.after+1:
		p.gaps = p.gaps[1:]
	case !page.More:
		w.counts.lost++
		w.problem("%s is told that there is nothing before %d", p.name, g.before)
	}
}

func (p *person) acknowledged(f shared.Message) {
	i := slices.IndexFunc(p.outbox, func(d draft) bool { return d.id == f.ID })
	if i < 0 {
		return
	}
	p.outbox = slices.Delete(p.outbox, i, i+1)
	w := p.w
	w.counts.acknowledged++
	w.acked[f.ID] = f.Offset
	now := time.Now()
	w.longest = max(w.longest, now.Sub(w.last))
	w.flowed += min(now.Sub(w.last), time.Second)
	w.last = now
}
