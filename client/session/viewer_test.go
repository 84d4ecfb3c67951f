package session_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"parley/client/session"
	"parley/client/store"
)

// stuckAfter ends a test that waits for what does not come.
const stuckAfter = 3 * time.Minute

// viewer is a screen: it shows what a Room tells it, and fails the test when a
// change makes no sense.
type viewer struct {
	t        testing.TB
	room     *session.Room
	user     string
	roomName string
	wake     chan struct{}
	rows     []session.Item
	more     bool
	status   session.Status
	people   []string
	count    int
	typing   []string
	failure  error
	changes  []session.Change // all that came
	started  bool
	hosting  session.Hosting
	waiting  []session.Waiting
	undone   *session.Undo
	roles    *session.Roles
}

// deadServer refuses connections: what is sent stays in the outbox.
const deadServer = "http://127.0.0.1:1"

// atOnce is a Backoff for tests.
func atOnce(int) time.Duration { return 0 }

// enter opens a room and leaves it when the test ends.
func enter(t testing.TB, config session.Config) *viewer {
	t.Helper()
	v := &viewer{t: t, user: config.User, roomName: config.Room, wake: make(chan struct{}, 1)}
	config.OnWake = func() {
		select {
		case v.wake <- struct{}{}:
		default:
		}
	}
	if config.Backoff == nil {
		config.Backoff = atOnce
	}
	v.room = session.Open(config)
	t.Cleanup(v.room.Close)
	return v
}

// until takes changes until the condition holds.
func (v *viewer) until(what string, condition func() bool) {
	v.t.Helper()
	stuck := time.After(stuckAfter)
	for {
		v.take()
		if condition() {
			return
		}
		select {
		case <-v.wake:
		case <-stuck:
			v.t.Fatalf("%s in %q: %s did not come; status %+v, rows\n%s", v.user, v.roomName, what, v.status, v.transcript())
		}
	}
}

func (v *viewer) take() {
	v.t.Helper()
	for _, c := range v.room.Take() {
		v.changes = append(v.changes, c)
		v.apply(c)
	}
}

func (v *viewer) apply(c session.Change) {
	v.t.Helper()
	if !v.started && c.Kind != session.Reset {
		v.t.Fatalf("the first change is %+v", c)
	}
	v.started = true
	switch c.Kind {
	case session.Reset:
		v.rows, v.more = slices.Clone(c.Items), c.More
	case session.Append:
		v.rows = append(v.rows, c.Items...)
	case session.Prepend:
		v.rows, v.more = slices.Concat(c.Items, v.rows), c.More
	case session.Update:
		if v.rows[c.Index].ID != c.Items[0].ID {
			v.t.Fatalf("an update of %q has the id %q", v.rows[c.Index].ID, c.Items[0].ID)
		}
		v.rows[c.Index] = c.Items[0]
	case session.Insert:
		v.rows = slices.Insert(v.rows, c.Index, c.Items...)
	case session.Remove:
		v.rows = slices.Delete(v.rows, c.Index, c.Index+1)
	case session.StatusChanged:
		v.status = c.Status
	case session.PeopleChanged:
		v.people, v.count = c.People, c.Count
	case session.TypingChanged:
		v.typing = c.Typing
	case session.HostingChanged:
		v.hosting = c.Hosting
	case session.WaitingChanged:
		v.waiting = c.Waiting
	case session.Undone:
		v.undone = c.Undo
	case session.RolesTold:
		v.roles = c.Roles
	case session.StoreFailed:
		v.failure = c.Err
	}
	seen := map[string]bool{}
	for _, r := range v.rows {
		if seen[r.ID] {
			v.t.Fatalf("two rows have the id %q:\n%s", r.ID, v.transcript())
		}
		seen[r.ID] = true
	}
}

// transcript is the rows as text, one a line.
func (v *viewer) transcript() string {
	var b strings.Builder
	for _, r := range v.rows {
		if r.Kind == session.KindGap {
			b.WriteString("----\n")
			continue
		}
		mark := [...]string{"", " (pending)", " (failed)"}[r.Delivery]
		fmt.Fprintf(&b, "%s: %s%s\n", r.User, r.Text, mark)
	}
	return b.String()
}

// texts are the rows' texts, "-" for a gap.
func (v *viewer) texts() []string {
	var texts []string
	for _, r := range v.rows {
		if r.Kind == session.KindGap {
			texts = append(texts, "-")
		} else {
			texts = append(texts, r.Text)
		}
	}
	return texts
}

func (v *viewer) connected() {
	v.t.Helper()
	v.until("a connection", func() bool { return v.status.State == session.Connected })
}

func (v *viewer) send(texts ...string) {
	v.t.Helper()
	for _, text := range texts {
		if _, err := v.room.Send(text); err != nil {
			v.t.Fatal(err)
		}
	}
}

// shows waits until the rows are these, all of them sent.
func (v *viewer) shows(want ...string) {
	v.t.Helper()
	v.until(fmt.Sprintf("%q", want), func() bool {
		return slices.Equal(v.texts(), want) && v.settled()
	})
}

func (v *viewer) settled() bool {
	return !slices.ContainsFunc(v.rows, func(i session.Item) bool {
		return i.Delivery != session.Sent || i.Kind == session.KindMessage && i.Offset == 0
	})
}

func (v *viewer) cause(c session.Cause) {
	v.t.Helper()
	v.until(string(c), func() bool { return v.status.Cause == c })
}

func openStore(t testing.TB, path string) *store.Store {
	t.Helper()
	s, err := store.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	if s.SetAside() != "" {
		t.Fatalf("%s was set aside", s.SetAside())
	}
	return s
}

// enumerate gives the texts of a numbered conversation.
func enumerate(format string, from, to int) []string {
	var texts []string
	for i := from; i <= to; i++ {
		texts = append(texts, fmt.Sprintf(format, i))
	}
	return texts
}
