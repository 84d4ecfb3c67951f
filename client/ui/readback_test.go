//go:build !android

package ui

import (
	"context"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/coder/websocket"

	"parley/client/session"
	"parley/client/ui/lang"
	"parley/client/ui/uitest"
	"parley/shared"
)

// A person on a phone reads 1,000 messages back while 20 come in a second, puts
// the app away until it has let go of the server, and comes back. Whatever happens,
// the messages in sight stay in their places.
func TestNothingJumps(t *testing.T) {
	uitest.OnPhone(t, true)
	ctx, cancel := context.WithTimeout(t.Context(), 5*uitest.Deadline)
	defer cancel()
	address := startServer(t, "--rate", "0", "--sync", "normal")
	bob := join(t, ctx, address, "Lobby", "Bob")
	for range 1100 {
		bob.Say(ctx, uitest.Many(bob.n, 1)[0].Text)
	}
	w := newWorld(t, uitest.Phone, func(p prefs) { p.setServer("http://" + address) })
	w.client.net.open, w.client.grace = session.Open, 0
	w.client.start()
	w.client.enter("Lobby")
	conv := w.client.find("Lobby")
	p := w.page()
	rows := func() int { return conv.Timeline.Len() }
	w.settle(func() bool { return conv.Status.State == session.Connected && rows() == 50 })

	// The list grows and shrinks under a banner; what counts is the screen.
	sight := func() map[string]float32 {
		m := p.list.InSight()
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
		limit := time.After(uitest.Deadline)
		for !cond() {
			select {
			case <-w.queue.Added:
			case <-limit:
				t.Fatalf("%s did not come", what)
			}
			before := sight()
			w.queue.Drain()
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

	p.list.ScrollBy(200)
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
			f := shared.Message{Type: shared.TypeChat, ID: fmt.Sprint("later", n), Text: uitest.Many(n, 1)[0].Text}
			if err := bob.conn.Write(ctx, websocket.MessageText, shared.Encode(f)); err != nil {
				t.Error(err)
				n--
			}
		}
	}()
	for rows() < 1050 {
		was := rows()
		p.list.ScrollBy(p.list.Offset) // to the beginning, which asks for more
		hold("what is older", func() bool { return rows() >= was+50 })
		p.list.ScrollBy(-p.list.Size().Height / 2)
	}
	unseen := p.list.Unseen
	before := sight()
	w.client.setFocused(false)
	hold("the pause", func() bool { return conv.Status.Cause == session.CausePaused })
	was := rows()
	w.client.setFocused(true)
	hold("what came meanwhile", func() bool { return conv.Status.State == session.Connected && rows() >= was+20 })
	close(stop)
	n := <-written
	hold("the last", func() bool {
		last, _ := conv.Last()
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
	if p.list.Unseen < unseen+20 || p.list.Unseen > n || !strings.Contains(uitest.Texts(p.list), lang.Plural("room.new", p.list.Unseen)) {
		t.Errorf("%d are counted as new, %d were before the pause and %d came", p.list.Unseen, unseen, n)
	}
	first := conv.Timeline.Item(0).Offset
	for i := range rows() {
		if at := conv.Timeline.Item(i).Offset; at != first+int64(i) {
			t.Fatalf("row %d is number %d, and the first is %d", i, at, first)
		}
	}
	t.Logf("%d looks at a room of %d messages, of which %d came while it was read: nothing moved", looks, rows(), n)
}
