package session_test

import (
	"encoding/json"
	"fmt"
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
)

// everyByte makes TestEveryByte fail in each way at each byte, which takes a
// few minutes, instead of in one way at each, by turns.
const everyByte = "PARLEY_EVERY_BYTE"

// TestEveryByte holds a short conversation through a proxy that fails at each
// byte of each direction. Every time both transcripts and the server's log are
// the same, with each message once.
func TestEveryByte(t *testing.T) {
	s := startServer(t, "--rate", "0", "--sync", "normal")
	store := openStore(t, filepath.Join(t.TempDir(), "store"))
	defer store.Close()

	// How many bytes go each way, when nothing fails. A few more follow, for
	// what depends on timing.
	plain := &conversation{server: s, store: store, fault: fault{kind: trickle}, name: "trickle"}
	plain.hold(t)
	var faults []fault
	counts := map[faultKind]int{trickle: 1}
	for _, d := range []direction{up, down} {
		for at := range plain.passed[d] + 8 {
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
	for range 8 {
		workers.Go(func() {
			for !t.Failed() {
				i := int(next.Add(1)) - 1
				if i >= len(faults) {
					return
				}
				f := faults[i]
				c := &conversation{server: s, store: store, fault: f, name: fmt.Sprintf("%s %s %d", f.kind, f.direction, f.at)}
				c.hold(t)
				reconnects.Add(int64(c.connections - 1))
			}
		})
	}
	workers.Wait()
	t.Logf("%d bytes up, %d down; %d conversations (%v), %d reconnections: all transcripts exact",
		plain.passed[up], plain.passed[down], len(faults)+1, counts, reconnects.Load())
}

// conversation is what Ann, through a proxy, and Bob, straight, say in a room.
type conversation struct {
	server *server
	store  *session.Store
	fault  fault
	name   string // of the room

	passed      [2]int
	connections int
}

func (c *conversation) hold(t *testing.T) {
	p := startProxy(t, c.server.addr, c.fault)
	defer p.stop()
	config := session.Config{Server: p.base(), Room: c.name, User: "Ann", Store: c.store}
	if c.fault.kind == stall {
		clock := newClock()
		config.Clock = clock
		done := make(chan struct{})
		var watch sync.WaitGroup
		defer watch.Wait()
		defer close(done)
		watch.Go(func() { passTime(p, clock, done) })
	}
	ann := enter(t, config)
	bob := enter(t, session.Config{Server: c.server.base, Room: c.name, User: "Bob"})
	defer bob.room.Close()
	defer ann.room.Close()

	ann.send("a1", "a2")
	bob.until("a1", func() bool { return slices.Contains(bob.texts(), "a1") })
	bob.send("b1")
	ann.until("b1", func() bool { return slices.Contains(ann.texts(), "b1") })
	ann.send("a3")
	bob.until("all", func() bool { return len(bob.rows) >= 4 && bob.settled() && slices.Contains(bob.texts(), "a3") })
	ann.until("all", func() bool { return len(ann.rows) >= 4 && ann.settled() })

	want := c.server.log(t, c.name)
	for _, v := range []*viewer{ann, bob} {
		if got := v.texts(); !slices.Equal(got, want) {
			t.Errorf("%s: shows %q, the log is %q", c.name, got, want)
		}
	}
	own := slices.DeleteFunc(slices.Clone(want), func(s string) bool { return s == "b1" })
	if !slices.Equal(own, []string{"a1", "a2", "a3"}) || len(want) != 4 {
		t.Errorf("%s: the log is %q", c.name, want)
	}
	p.mu.Lock()
	c.passed, c.connections = p.passed, p.count
	p.mu.Unlock()
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
