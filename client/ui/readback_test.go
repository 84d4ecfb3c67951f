//go:build !android

package ui

import (
	"context"
	"fmt"
	"testing"
	"time"

	"github.com/coder/websocket"

	"parley/client/session"
	"parley/shared"
)

// A person on a phone reads 1,000 messages back while 20 come in a second, puts
// the app away until it has let go of the server, and comes back: whatever
// happens, the messages in sight stay where they are.
func TestNothingJumps(t *testing.T) {
	onPhone(t, true)
	grace := backgroundGrace
	backgroundGrace = 0
	t.Cleanup(func() { backgroundGrace = grace })
	ctx, cancel := context.WithTimeout(t.Context(), 5*deadline)
	defer cancel()
	address := startServer(t, "--rate", "0", "--sync", "normal")
	bob := join(t, ctx, address, "Lobby", "Bob")
	for range 1100 {
		bob.say(ctx, many(bob.n, 1)[0].Text)
	}
	w := newWorld(t, phone, func(p prefs) { p.setServer("http://" + address) })
	w.client.net.open = session.Open
	w.client.start()
	w.client.enter("Lobby")
	conv := w.client.find("Lobby")
	p := w.page()
	rows := func() int { return len(p.list.timeline.rows) }
	w.settle(func() bool { return conv.status.State == session.Connected && rows() == 50 })

	// The list grows and shrinks under a banner; what counts is the screen.
	sight := func() map[string]float32 {
		m := places(p.list)
		top := w.app.Driver().AbsolutePositionForObject(p.list).Y
		for id := range m {
			m[id] += top
		}
		return m
	}
	// hold drains until cond, and looks at every step whether something moved.
	moved, looks := 0, 0
	hold := func(what string, cond func() bool) {
		t.Helper()
		limit := time.After(deadline)
		for !cond() {
			select {
			case <-w.queue.added:
			case <-limit:
				t.Fatalf("%s did not come", what)
			}
			before := sight()
			w.queue.drain()
			kept := 0
			for id, y := range sight() {
				if was, ok := before[id]; ok {
					kept++
					if d := y - was; d > 0.01 || d < -0.01 {
						moved++
					}
				}
			}
			if looks++; kept == 0 {
				t.Fatalf("%s: nothing of what was in sight is still there", what)
			}
		}
	}

	p.list.scrollBy(200)
	written := make(chan int)
	stop := make(chan struct{})
	go func() {
		tick := time.NewTicker(time.Second / 20)
		defer tick.Stop()
		n := 0
		for {
			select {
			case <-stop:
				written <- n
				return
			case <-tick.C:
			}
			n++
			f := shared.Message{Type: shared.TypeChat, ID: fmt.Sprint("later", n), Text: many(n, 1)[0].Text}
			if err := bob.conn.Write(ctx, websocket.MessageText, shared.Encode(f)); err != nil {
				t.Error(err)
				n--
			}
		}
	}()
	for rows() < 1050 {
		was := rows()
		p.list.scrollBy(p.list.offset) // to the beginning, which asks for more
		hold("what is older", func() bool { return rows() >= was+50 })
		p.list.scrollBy(-p.list.Size().Height / 2)
	}
	unseen := p.list.unseen
	before := sight()
	w.client.setFocused(false)
	hold("the pause", func() bool { return conv.status.Cause == session.CausePaused })
	was := rows()
	w.client.setFocused(true)
	hold("what came meanwhile", func() bool { return conv.status.State == session.Connected && rows() >= was+20 })
	close(stop)
	n := <-written
	hold("the last", func() bool {
		last, _ := conv.last()
		return last.Offset == int64(1100+n)
	})
	for id, y := range sight() {
		if was, ok := before[id]; !ok || y != was {
			t.Errorf("row %s is at %v after the return, and was at %v", id, y, was)
		}
	}
	if moved > 0 {
		t.Errorf("in %d looks, %d rows had moved", looks, moved)
	}
	if p.list.unseen < unseen+20 || p.list.unseen > n || !p.list.render.pill.visible {
		t.Errorf("%d are counted as new, %d were before the pause and %d came", p.list.unseen, unseen, n)
	}
	for i, r := range p.list.timeline.rows {
		if first := p.list.timeline.rows[0].item.Offset; r.item.Offset != first+int64(i) {
			t.Fatalf("row %d is number %d, and the first is %d", i, r.item.Offset, first)
		}
	}
	t.Logf("%d looks at a room of %d messages, of which %d came while it was read: nothing moved", looks, rows(), n)
}
