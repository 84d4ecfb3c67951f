//go:build linux && !android

package ui

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"parley/client/session"
	"parley/client/ui/lang"
	"parley/client/ui/uitest"
	"parley/shared/servertest"
)

// serve starts the server on a host, and returns once it is announced there.
func serve(t *testing.T, h *servertest.Host, flags ...string) (stop func()) {
	t.Helper()
	said := servertest.NewOutput()
	stop = h.Serve(said, append([]string{"--addr", ":8123", "--rate", "0", "--max-per-address", "0", "--max-upgrades", "0"}, flags...)...)
	said.Wait(t, `msg="announced on the network"`)
	return stop
}

// sender is a person who goes on sending.
type sender struct {
	*world
	name string
	said int
}

func (s *sender) text(n int) string { return fmt.Sprintf("%s %d", s.name, n) }

// sayMore sends a message, unless two wait already.
func (s *sender) sayMore(most int) {
	if s.said < most && s.said-s.arrived() < 2 {
		s.said++
		if !s.page().send(s.text(s.said)) {
			s.t.Fatalf("%q was not sent", s.text(s.said))
		}
	}
}

// arrived is how many of the person's messages the room has.
func (s *sender) arrived() (n int) {
	timeline := s.page().conv.Timeline
	for i := range timeline.Len() {
		if item := timeline.Item(i); item.Mine && item.Delivery == session.Sent {
			n++
		}
	}
	return n
}

// settleAll drains the queues of three apps until each of them is ready.
func settleAll(t *testing.T, what string, all []*sender, ready func(*sender) bool) {
	t.Helper()
	limit := time.After(uitest.Deadline)
	for {
		left := len(all)
		for _, s := range all {
			s.queue.Drain()
			if ready(s) {
				left--
			}
		}
		if left == 0 {
			return
		}
		select {
		case <-all[0].queue.Added:
		case <-all[1].queue.Added:
		case <-all[2].queue.Added:
		case <-limit:
			t.Fatalf("%s: %d of them are not so far", what, left)
		}
	}
}

// The server's host gets another address under three apps that go on sending. Known by its
// certificate it is followed by each of them; without TLS, after a yes of each person. Nothing
// is lost, and nothing is there twice.
func TestAddressMovesUnderSenders(t *testing.T) {
	if !servertest.InNamespace(t) {
		return
	}
	h := servertest.NewNeighbour(t)
	place := 2
	for _, scheme := range []string{"https", "http"} {
		flags, path := []string{"--data", t.TempDir(), "--tls", "auto"}, ""
		if scheme == "http" { // also known below a base path, which it needs at its own port no more
			flags, path = []string{"--data", t.TempDir(), "--base-path", "/parley"}, "/parley"
		}
		stop := serve(t, h, flags...)
		old := fmt.Sprintf("%s://10.7.0.%d:8123%s", scheme, place, path)
		var all []*sender
		for _, name := range []string{"Ann", "Bob", "Cleo"} {
			s := &sender{world: meetAs(t, name, old, "Hall"), name: name}
			s.client.net.search = searchNearby
			all = append(all, s)
		}
		settleAll(t, "what was said before", all, func(s *sender) bool {
			s.sayMore(30)
			return s.arrived() >= 5
		})

		// Over HTTP the host starts again; with TLS the server runs on.
		begun := time.Now()
		if scheme == "http" {
			stop()
		}
		h.Run(fmt.Sprintf("ip addr del 10.7.0.%d/24 dev eth7p", place))
		place += 10
		h.Run(fmt.Sprintf("ip addr add 10.7.0.%d/24 dev eth7p", place))
		base := fmt.Sprintf("%s://10.7.0.%d:8123", scheme, place)
		switch scheme {
		case "http":
			stop = serve(t, h, flags...)
			settleAll(t, "the question", all, func(s *sender) bool {
				s.sayMore(30)
				return s.client.lost.offer != nil
			})
			for _, s := range all {
				if at := s.client.prefs.server(); at != old {
					t.Errorf("%s went to %s without a yes", s.name, at)
				}
				if got := s.page().banner.text.Text; !strings.Contains(got, hostOf(base)) {
					t.Errorf("%s reads %q", s.name, got)
				}
				s.page().banner.tapped()
				tapAction(t, s.world, lang.T("moved.go"))
			}
		case "https":
			for _, s := range all {
				s.page().conv.Session.Reconnect() // it asks for a sign of life, as when the person looks at the app again
			}
		}
		settleAll(t, "the new address", all, func(s *sender) bool {
			if scheme == "https" && s.client.lost.offer != nil {
				t.Fatalf("%s is asked whether the server with the certificate is the server", s.name)
			}
			if s.client.prefs.server() == old && !s.client.lost.moving {
				s.sayMore(30)
			}
			return s.client.prefs.server() == base && len(s.connected()) == 1
		})
		t.Logf("%s: all three have followed after %v", scheme, time.Since(begun).Round(time.Millisecond))
		settleAll(t, "all that was said", all, func(s *sender) bool {
			s.sayMore(30)
			return s.arrived() == 30
		})

		log := map[string][]string{}
		for _, line := range logOf(t, base, "Hall") {
			user, text, _ := strings.Cut(line, ": ")
			log[user] = append(log[user], text)
		}
		for _, s := range all {
			var want []string
			for n := range 30 {
				want = append(want, s.text(n+1))
			}
			if !slices.Equal(log[s.name], want) {
				t.Errorf("%s: of %s there is %q", scheme, s.name, log[s.name])
			}
			s.end()
		}
		stop()
	}
}

// The search ends with the page and with the app's time in front: nothing is sent after that.
func TestNearbyEndsOnTheNetwork(t *testing.T) {
	if !servertest.InNamespace(t) {
		return
	}
	uitest.OnPhone(t, true)
	serve(t, servertest.NewNeighbour(t), "--data", t.TempDir(), "--name", "Class 4b")
	w := newWorld(t, uitest.Phone, nil)
	opened, goOn, over := make(chan struct{}), make(chan struct{}), make(chan session.Trace, 10)
	w.client.net.search = func(ctx context.Context, s session.Discovery, tell func(session.Nearby)) session.Trace {
		s.Known, s.Networks = nil, session.Networks()
		s.Networks[0].Bind = func(uintptr) { opened <- struct{}{}; <-goOn } // between the socket and the first question
		trace := s.Run(ctx, tell)
		over <- trace
		return trace
	}
	p := w.landing()
	for what, end := range map[string]func(){
		"hidden":  func() { w.client.setFocused(false) },
		"left":    func() { p.left() },
		"stopped": func() { p.nearby.end() },
	} {
		<-opened
		end()
		goOn <- struct{}{}
		if trace := <-over; trace.Networks[0].Packets != 0 || trace.Networks[0].Prefix.Addr().String() != "10.7.0.1" {
			t.Errorf("%s: %+v", what, trace)
		}
		if what == "hidden" {
			w.client.setFocused(true)
		} else {
			p.nearby.begin(false)
		}
	}
	<-opened
	goOn <- struct{}{}
	w.settle(func() bool { return len(p.nearby.found) == 1 && p.nearby.stop == nil })
	if trace := <-over; trace.Networks[0].Packets != 6 || !strings.Contains(w.texts(), "Class 4b 10.7.0.2:8123") {
		t.Errorf("at the end there is %+v\n%s", trace, w.texts())
	}
}
