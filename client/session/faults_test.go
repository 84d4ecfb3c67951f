package session_test

import (
	"context"
	"encoding/json"
	"fmt"
	"net"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"slices"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"parley/client/session"
	"parley/client/store"
)

// everyByte makes TestEveryByte fail in each way at each byte, which takes a
// few minutes, instead of in one way at each, by turns.
const everyByte = "PARLEY_EVERY_BYTE"

// TestEveryByte holds a short conversation through a proxy that fails at each
// byte of each direction. Every time both transcripts and the server's log are
// the same, with each message once.
func TestEveryByte(t *testing.T) {
	t.Parallel()
	s := startServer(t, "--rate", "0", "--sync", "normal")
	store := openStore(t, filepath.Join(t.TempDir(), "store"))
	defer store.Close()
	store.NoSync() // nothing is killed here

	// How many bytes go each way, when nothing fails. A few more follow, for
	// what depends on timing.
	plain := startTalk(t, s, store, "plain")
	plain.hold(fault{kind: none})
	passed := plain.hold(fault{kind: trickle})
	plain.end()
	var faults []fault
	counts := map[faultKind]int{trickle: 1}
	for _, d := range []direction{up, down} {
		for at := range passed[d] + 8 {
			for i, kind := range []faultKind{cut, halfClose, stall, delay} {
				if os.Getenv(everyByte) == "" && at%4 != i {
					continue
				}
				faults = append(faults, fault{kind, d, at})
				counts[kind]++
			}
		}
	}
	var next, reconnects atomic.Int64
	var workers sync.WaitGroup
	const inOneRoom = 20
	for range 8 {
		workers.Go(func() {
			for !t.Failed() {
				end := int(next.Add(inOneRoom))
				from := end - inOneRoom
				if from >= len(faults) {
					return
				}
				talk := startTalk(t, s, store, fmt.Sprint("from ", from))
				for _, f := range faults[from:min(end, len(faults))] {
					talk.hold(f)
				}
				talk.end()
				reconnects.Add(int64(talk.reconnects))
			}
		})
	}
	workers.Wait()
	t.Logf("%d bytes up, %d down; %d conversations (%v), %d reconnections: all transcripts exact",
		passed[up], passed[down], len(faults)+1, counts, reconnects.Load())
}

// talk is what Ann, through a proxy, and Bob, straight, say in a room, over and
// over again. Ann comes and goes each time.
type talk struct {
	t          *testing.T
	server     *server
	store      *store.Store
	room       string
	bob        *viewer
	said       []string // by each, in any order
	reconnects int
}

func startTalk(t *testing.T, s *server, store *store.Store, room string) *talk {
	return &talk{
		t: t, server: s, store: store, room: room,
		bob: enter(t, session.Config{Server: s.base, Room: room, User: "Bob"}),
	}
}

// hold has one conversation, and returns how many bytes went each way.
func (c *talk) hold(f fault) (passed [2]int) {
	t, bob := c.t, c.bob
	p := startProxy(t, c.server.Addr(), f)
	defer p.stop()
	// The port is another each time, which the store must not notice.
	config := session.Config{
		Server: c.server.base, Room: c.room, User: "Ann", Store: c.store,
		Dial: func(ctx context.Context, network, _ string) (net.Conn, error) {
			return new(net.Dialer).DialContext(ctx, network, p.listener.Addr().String())
		},
	}
	if f.kind == stall {
		clock := newClock()
		config.Clock = clock
		done := make(chan struct{})
		var watch sync.WaitGroup
		defer watch.Wait()
		defer close(done)
		watch.Go(func() { passTime(p, clock, done) })
	}
	name := fmt.Sprintf("%s %s %d", f.kind, f.direction, f.at)
	text := func(s string) string { return s + " in " + name }
	ann := enter(t, config)
	defer ann.room.Close()

	ann.send(text("a1"), text("a2"))
	bob.until(name, func() bool { return slices.Contains(bob.texts(), text("a1")) })
	bob.send(text("b1"))
	ann.until(name, func() bool { return slices.Contains(ann.texts(), text("b1")) })
	ann.send(text("a3"))
	all := len(c.said) + 4
	bob.until(name, func() bool { return len(bob.rows) >= all && bob.settled() })
	ann.until(name, func() bool { return len(ann.rows) >= all && ann.settled() })

	shown := ann.texts()
	if !slices.Equal(shown, bob.texts()) {
		t.Errorf("%s: Ann sees %q, Bob sees %q", name, shown, bob.texts())
	}
	fresh := slices.Clone(shown[min(len(c.said), len(shown)):])
	c.said = shown
	own := slices.DeleteFunc(fresh, func(s string) bool { return s == text("b1") })
	if !slices.Equal(own, []string{text("a1"), text("a2"), text("a3")}) || len(shown) != all {
		t.Errorf("%s: Ann sees %q", name, shown)
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	c.reconnects += p.count - 1
	return p.passed
}

// end compares what was seen with the server's log.
func (c *talk) end() {
	c.bob.room.Close()
	if log := c.server.log(c.t, c.room); !slices.Equal(log, c.said) {
		c.t.Errorf("%s: the log is %q, shown was %q", c.room, log, c.said)
	}
}

// passTime moves the clock on while the proxy's silent connection is not given
// up.
func passTime(p *proxy, clock *testClock, done <-chan struct{}) {
	select {
	case <-p.stalled:
	case <-done:
		return
	}
	tick := time.NewTicker(time.Millisecond)
	defer tick.Stop()
	for {
		select {
		case <-tick.C:
			clock.advance(61 * time.Second)
		case <-p.over:
			return
		case <-done:
			return
		}
	}
}

// log is what the server has of a room, from its HTTP API.
func (s *server) log(t testing.TB, room string) (texts []string) {
	t.Helper()
	before := int64(1) << 50
	for more := true; more; {
		var answer struct {
			Messages []struct {
				Message string
				Offset  int64
			}
			More bool
		}
		resp, err := http.Get(fmt.Sprintf("%s/api/rooms/%s/messages?before=%d&limit=100", s.base, url.PathEscape(room), before))
		if err != nil {
			t.Fatal(err)
		}
		err = json.NewDecoder(resp.Body).Decode(&answer)
		resp.Body.Close()
		if err != nil {
			t.Fatal(err)
		}
		var page []string
		for _, m := range answer.Messages {
			page = append(page, m.Message)
		}
		texts = append(page, texts...)
		if more = answer.More; more {
			before = answer.Messages[0].Offset
		}
	}
	return texts
}
