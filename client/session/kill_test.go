package session_test

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"maps"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"parley/client/session"
	"parley/client/store"
	"parley/shared"
	"parley/shared/servertest"
)

// A child is this test program over again, as an app without a window: childRole
// in its environment holds an order.
const childRole = "PARLEY_SESSION_TEST_CHILD"

type order struct {
	Server, Store, Room string
	Send                bool // go on sending "a 1", "a 2", … until killed
	Texts               []string
	React               string // tap once, on the first row
	Slow                int    // host the room, and set slow mode to it once
	Attach              int    // send the file of this number once; 0 sends none
}

// sight is a line that a child prints for each change of rows.
type sight struct {
	First bool // the Reset that it began with
	Rows  []session.Item
	Slow  int // what slow mode is set to, with what waits
}

// child runs until it is killed or, with nothing to send, until its standard
// input ends.
func child(role string) int {
	var o order
	if err := json.Unmarshal([]byte(role), &o); err != nil {
		panic(err)
	}
	store, err := store.Open(o.Store)
	if err != nil {
		panic(err)
	}
	if store.SetAside() != "" {
		panic("the store was damaged")
	}
	wake := make(chan struct{}, 1)
	room := session.Open(session.Config{
		Server: o.Server, Room: o.Room, User: "Ann", Store: store, Backoff: atOnce, Host: o.Slow > 0,
		OnWake: func() {
			select {
			case wake <- struct{}{}:
			default:
			}
		},
	})
	for _, text := range o.Texts {
		if _, err := room.Send(text); err != nil {
			panic(err)
		}
	}
	stop := make(chan struct{})
	go func() {
		bufio.NewScanner(os.Stdin).Scan()
		close(stop)
	}()
	out := json.NewEncoder(os.Stdout)
	last, pending := -1, map[string]bool{}
	tapped, set, attached := o.React == "", o.Slow == 0, o.Attach == 0
	for {
		for _, c := range room.Take() {
			if !tapped && len(c.Items) > 0 {
				room.React(c.Items[0].ID, o.React)
				tapped = true
			}
			if c.Kind == session.HostingChanged && o.Slow > 0 && c.Hosting.Host {
				if !set {
					room.Host(session.Act{Do: shared.DoSet, Settings: &shared.Settings{Slow: &o.Slow}})
					set = true
				}
				_ = out.Encode(sight{Slow: *c.Hosting.Settings.Slow})
			}
			if len(c.Items) > 0 {
				_ = out.Encode(sight{First: c.Kind == session.Reset, Rows: c.Items}) // a reader that has gone kills, too
			}
			for _, i := range c.Items {
				delete(pending, i.Text)
				var n int
				if _, err := fmt.Sscanf(i.Text, "a %d", &n); err == nil {
					last = max(last, n)
					if i.Delivery == session.Pending {
						pending[i.Text] = true
					}
				}
			}
			if !attached && c.Kind == session.StatusChanged && c.Status.MaxFile > 0 {
				attached = true
				file := session.Attachment{Name: fmt.Sprint(o.Attach), From: bytes.NewReader(killedContent(o.Attach))}
				if _, err := room.SendFile(context.Background(), file, "", ""); err != nil {
					panic(err)
				}
			}
			if c.Kind == session.StatusChanged && c.Status.State == session.Closed {
				panic(c.Status)
			}
			if c.Kind == session.StoreFailed {
				panic(c.Err)
			}
		}
		for o.Send && last >= 0 && len(pending) < 3 {
			last++
			text := fmt.Sprintf("a %d", last)
			pending[text] = true
			if _, err := room.Send(text); err != nil {
				panic(err)
			}
		}
		select {
		case <-wake:
		case <-stop:
			room.Close()
			if err := store.Close(); err != nil {
				panic(err)
			}
			return 0
		}
	}
}

// app is a running child.
type app struct {
	t     testing.TB
	cmd   *exec.Cmd
	lines chan sight
	stop  func() error
	err   *servertest.Output
}

func startApp(t testing.TB, o order) *app {
	t.Helper()
	role, err := json.Marshal(o)
	if err != nil {
		t.Fatal(err)
	}
	a := &app{t: t, cmd: exec.Command(os.Args[0]), lines: make(chan sight), err: servertest.NewOutput()}
	a.cmd.Env = append(os.Environ(), childRole+"="+string(role))
	a.cmd.Stderr = a.err
	stdin, err := a.cmd.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	a.stop = stdin.Close
	stdout, err := a.cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := a.cmd.Start(); err != nil {
		t.Fatal(err)
	}
	go func() {
		defer close(a.lines)
		decoder := json.NewDecoder(stdout)
		for {
			var s sight
			if decoder.Decode(&s) != nil {
				return // the end, or half a line before it
			}
			a.lines <- s
		}
	}()
	return a
}

// kill ends it at once and returns what it had still shown.
func (a *app) kill() (rest []sight) {
	_ = a.cmd.Process.Kill()
	return a.rest()
}

func (a *app) rest() (rest []sight) {
	for s := range a.lines {
		rest = append(rest, s)
	}
	_ = a.cmd.Wait() // killed, or it says why on stderr
	if message := a.err.String(); message != "" {
		a.t.Errorf("the app said: %s", message)
	}
	return rest
}

// TestKilledAtAnyMoment kills an app 200 times at random points of sending and
// receiving. After each start it shows what it showed, and at the end the log
// has each of its messages once, in order, and none of what it ever showed is
// missing.
func TestKilledAtAnyMoment(t *testing.T) {
	const chains, kills = 4, 50
	s := startServer(t, "--rate", "0")
	var messages, shown atomic.Int64
	var group sync.WaitGroup
	for i := range chains {
		group.Go(func() {
			c := &killChain{
				t: t, server: s, random: rand.New(rand.NewPCG(uint64(i), 7)),
				order: order{Server: s.base, Store: filepath.Join(t.TempDir(), "store"), Room: fmt.Sprint("room ", i), Send: true},
			}
			c.run(kills)
			messages.Add(int64(len(s.log(t, c.order.Room))))
			shown.Add(int64(len(c.seen)))
		})
	}
	group.Wait()
	t.Logf("%d kills, %d messages in the logs, %d shown by the apps: none lost, none doubled, all in order",
		chains*kills, messages.Load(), shown.Load())
}

type killChain struct {
	t      *testing.T
	server *server
	random *rand.Rand
	order  order
	seen   map[string]bool // texts that were shown, ever
	before []string        // texts that the last app showed, in the order of first sight
}

func (c *killChain) run(kills int) {
	t := c.t
	c.seen = map[string]bool{}
	bob := enter(t, session.Config{Server: c.server.base, Room: c.order.Room, User: "Bob"})
	defer bob.room.Close()
	bob.send("a 0", "b 0") // something to count on from
	bob.shows("a 0", "b 0")
	for i := range kills {
		bob.send(fmt.Sprintf("b %d", i+1))
		c.check(c.session())
	}
	bob.until("its own messages", bob.settled)

	// The last app sends nothing new, and ends in good order.
	c.order.Send = false
	a := startApp(t, c.order)
	waiting := map[string]bool{fmt.Sprint("b ", kills): true}
	var lines []sight
	for len(lines) == 0 || len(waiting) > 0 {
		line, ok := <-a.lines
		if !ok {
			break
		}
		lines = append(lines, line)
		for _, row := range line.Rows {
			if row.Delivery == session.Pending {
				waiting[row.Text] = true
			} else {
				delete(waiting, row.Text)
			}
		}
	}
	if err := a.stop(); err != nil {
		t.Error(err)
	}
	c.check(append(lines, a.rest()...))

	log := c.server.log(t, c.order.Room)
	count := map[string]int{}
	last := -1
	for _, text := range log {
		count[text]++
		var n int
		if _, err := fmt.Sscanf(text, "a %d", &n); err == nil {
			if n != last+1 {
				t.Errorf("%s: a %d follows a %d", c.order.Room, n, last)
			}
			last = n
		}
	}
	for text, n := range count {
		if n != 1 {
			t.Errorf("%s: %q is in the log %d times", c.order.Room, text, n)
		}
	}
	for text := range c.seen {
		if count[text] != 1 {
			t.Errorf("%s: %q was shown and is in the log %d times", c.order.Room, text, count[text])
		}
	}
	if last == 0 {
		t.Errorf("%s: the app has sent nothing", c.order.Room)
	}

	// What a new start shows is the end of the log.
	c.order.Send = false
	a = startApp(t, c.order)
	var end []string
	for _, row := range (<-a.lines).Rows {
		end = append(end, row.Text)
	}
	a.kill()
	if !slices.Equal(end, log[len(log)-len(end):]) || len(end) < min(len(log), 500) {
		t.Errorf("%s: a new start shows %d rows that are not the end of the log", c.order.Room, len(end))
	}
}

// session runs an app up to a random moment and returns what it has shown.
func (c *killChain) session() (seen []sight) {
	a := startApp(c.t, c.order)
	var moment <-chan time.Time
	lines := -1
	if c.random.IntN(2) == 0 {
		moment = time.After(time.Duration(c.random.IntN(150)) * time.Millisecond)
	} else {
		lines = 1 + c.random.IntN(40)
	}
	for {
		select {
		case <-moment:
			return append(seen, a.kill()...)
		case line, ok := <-a.lines:
			if !ok {
				c.t.Errorf("%s: an app ended by itself", c.order.Room)
				return append(seen, a.rest()...)
			}
			seen = append(seen, line)
			if len(seen) == lines {
				return append(seen, a.kill()...)
			}
		}
	}
}

// check compares what an app has shown with what the one before had.
func (c *killChain) check(lines []sight) {
	if len(lines) == 0 {
		return // killed before it showed anything
	}
	ids := map[string]string{} // by text
	for _, line := range lines {
		for _, row := range line.Rows {
			if id, ok := ids[row.Text]; ok && id != row.ID {
				c.t.Errorf("%s: %q was shown under the ids %s and %s", c.order.Room, row.Text, id, row.ID)
			}
			ids[row.Text] = row.ID
			c.seen[row.Text] = true
		}
	}
	first := lines[0]
	if !first.First {
		first.Rows = nil // there was nothing to show yet
	}
	again := map[string]bool{}
	for _, row := range first.Rows {
		again[row.Text] = true
	}
	for _, text := range c.before {
		if !again[text] && len(first.Rows) < 500 {
			c.t.Errorf("%s: %q was shown before the kill and not after", c.order.Room, text)
		}
	}
	c.before = slices.Collect(maps.Keys(ids))
}

// TestKilledBetweenTapAndEcho kills an app 200 times after it has shown a reaction, most
// of them before the server's answer. After each start it shows that reaction, and in the
// end the message has the last one, once, and the log no more entries than there were
// taps.
func TestKilledBetweenTapAndEcho(t *testing.T) {
	const chains, kills = 4, 50
	s := startServer(t, "--rate", "0")
	var entries atomic.Int64
	var group sync.WaitGroup
	for i := range chains {
		group.Go(func() {
			random := rand.New(rand.NewPCG(uint64(i), 8))
			o := order{Server: s.base, Store: filepath.Join(t.TempDir(), "store"), Room: fmt.Sprint("room ", i), Texts: []string{"hello"}}
			bob := enter(t, session.Config{Server: s.base, Room: o.Room, User: "Bob"})
			a := startApp(t, o)
			for line := range a.lines { // it knows from then on that the server knows reactions
				if line.Rows[0].Delivery == session.Sent {
					break
				}
			}
			a.kill()
			o.Texts = nil
			want := ""
			for tap := range kills {
				a := startApp(t, o.reacting(shared.Emojis[tap%len(shared.Emojis)]))
				for line := range a.lines {
					if line.First && line.Rows[0].Reacted != want {
						t.Errorf("%s: starts with %q, was killed with %q", o.Room, line.Rows[0].Reacted, want)
					}
					if line.Rows[0].Reacted == shared.Emojis[tap%len(shared.Emojis)] {
						break
					}
				}
				time.Sleep(time.Duration(random.IntN(40_000)) * time.Microsecond) // the moment of the kill
				want = shared.Emojis[tap%len(shared.Emojis)]
				a.kill()
			}
			a = startApp(t, o)
			go func() {
				for range a.lines {
				}
			}()
			bob.until("the last reaction alone", func() bool {
				return len(bob.rows) == 1 && slices.Equal(bob.rows[0].Reactions, []session.Reaction{{Emoji: want, Count: 1}})
			})
			a.kill()
			bob.send("done")
			bob.shows("hello", "done")
			between := bob.rows[1].Offset - bob.rows[0].Offset - 1
			if between > kills || between < 1 {
				t.Errorf("%s: %d entries of %d taps", o.Room, between, kills)
			}
			entries.Add(between)
			bob.room.Close()
		})
	}
	group.Wait()
	t.Logf("%d taps and kills, %d entries, one reaction in each room", chains*kills, entries.Load())
}

// reacting is the order to tap, too.
func (o order) reacting(emoji string) order {
	o.React = emoji
	return o
}

// TestKilledBetweenActAndNotice kills a host's app at a random moment after each act: the
// log has each act once, in order.
func TestKilledBetweenActAndNotice(t *testing.T) {
	t.Parallel()
	const kills = 8
	s := startServer(t, "--rate", "0")
	random := rand.New(rand.NewPCG(3, 8))
	o := order{Server: s.base, Store: filepath.Join(t.TempDir(), "store"), Room: "r"}
	for o.Slow = 1; o.Slow <= kills; o.Slow++ {
		a := startApp(t, o)
		for line := range a.lines {
			if line.Slow == o.Slow {
				break
			}
		}
		time.Sleep(time.Duration(random.IntN(10_000)) * time.Microsecond) // the moment of the kill
		a.kill()
	}
	o.Slow = 0
	a := startApp(t, o)
	go func() {
		for range a.lines {
		}
	}()
	bob := enter(t, session.Config{Server: s.base, Room: o.Room, User: "Bob"})
	bob.until("the last act", func() bool { s := bob.hosting.Settings.Slow; return s != nil && *s == kills })
	bob.send("done")
	var got, want []int
	for n := range kills {
		want = append(want, n+1)
	}
	bob.until("the acts", func() bool {
		if bob.more {
			bob.room.LoadOlder()
		}
		got = nil
		for _, r := range bob.rows {
			if r.Kind == session.KindNotice && r.Notice.Do == shared.DoSet {
				got = append(got, *r.Notice.Settings.Slow)
			}
		}
		return len(got) >= kills
	})
	if !slices.Equal(got, want) {
		t.Errorf("the log has %v", got)
	}
	a.kill()
}

// TestJourney is the journey of somebody who writes three messages while the
// server is down: the app is killed, both start again, and the messages are
// there once each, in order.
func TestJourney(t *testing.T) {
	s := startServer(t)
	o := order{Server: s.base, Store: filepath.Join(t.TempDir(), "store"), Room: "r", Texts: []string{"one", "two", "three"}}
	bob := enter(t, session.Config{Server: s.base, Room: "r", User: "Bob"})
	bob.send("hello")
	bob.shows("hello")
	s.Kill()

	a := startApp(t, o)
	for shown := 0; shown < len(o.Texts); {
		line, ok := <-a.lines
		if !ok {
			t.Fatal("the app ended by itself")
		}
		for _, row := range line.Rows {
			if row.Delivery != session.Pending {
				t.Errorf("shows %+v", row)
			}
		}
		shown += len(line.Rows)
	}
	a.kill()
	s.MustStart()
	o.Texts = nil
	a = startApp(t, o)
	go func() { // what it shows does not matter here
		for range a.lines {
		}
	}()
	bob.shows("hello", "one", "two", "three")
	a.kill()
	if got, want := s.log(t, "r"), []string{"hello", "one", "two", "three"}; !slices.Equal(got, want) {
		t.Errorf("the log is %q", got)
	}
	bob.room.Close()
}
