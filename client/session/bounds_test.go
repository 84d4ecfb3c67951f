package session

import (
	"context"
	"fmt"
	"net"
	"syscall"
	"testing"

	"parley/shared"
)

func entryOf(offset int64) shared.Message {
	return shared.Message{Type: shared.TypeChat, ID: fmt.Sprint(offset), Offset: offset, User: "Bob", Text: "x"}
}

// A screen that has not taken for long gets everything at once, and no end of
// steps is kept for it.
func TestSlowScreen(t *testing.T) {
	nowhere := func(context.Context, string, string) (net.Conn, error) { return nil, syscall.ENETUNREACH }
	r := Open(Config{Server: "http://127.0.0.1", Room: "r", User: "Ann", Dial: nowhere, Paused: true})
	r.Close()
	r.Take()
	l := newLoop(r)
	l.load()
	l.timeline.welcome(shared.Message{Epoch: "e", Offset: 3})
	l.crowd.welcome(shared.Message{Members: []string{"Ann", "Bob"}, Count: 2})
	l.status = Status{State: Connected, Generation: 7}
	for i := range int64(3) {
		l.timeline.live(entryOf(i + 1))
	}
	l.commit()
	for range maxRows {
		l.timeline.update(1)
		l.timeline.update(2)
		l.room.publish(l.timeline.changes, l.everything)
		l.timeline.changes = nil
	}
	changes := r.Take()
	if len(changes) > maxRows {
		t.Fatalf("%d changes were kept", len(changes))
	}
	// The first says all, so that what was before it is not missed.
	if c := changes[0]; c.Kind != Reset || len(c.Items) != 3 {
		t.Fatalf("the first is %+v", c)
	}
	var status, people, typing bool
	for _, c := range changes[:6] {
		status = status || c.Kind == StatusChanged && c.Status == l.status
		people = people || c.Kind == PeopleChanged && len(c.People) == 2 && c.Count == 2
		typing = typing || c.Kind == TypingChanged
	}
	if !status || !people || !typing {
		t.Errorf("the first are %+v", changes[:6])
	}
}

// A timeline holds a bounded number of rows, and no gap above the oldest. Rows that
// it dropped can be loaded again.
func TestLongTimeline(t *testing.T) {
	tl := newTimeline()
	tl.load(Saved{})
	tl.welcome(shared.Message{Epoch: "e", Offset: 1})
	tl.live(entryOf(1))
	tl.welcome(shared.Message{Epoch: "e", Offset: 10})
	tl.live(entryOf(10))
	if tl.rows[1].Kind != KindGap {
		t.Fatal("no gap")
	}
	for i := range int64(maxRows) {
		tl.live(entryOf(11 + i))
	}
	if len(tl.rows) > maxRows || tl.rows[0].Kind == KindGap || tl.rows[len(tl.rows)-1].Offset != maxRows+10 {
		t.Errorf("%d rows, from %+v on", len(tl.rows), tl.rows[0].Item)
	}
	if len(tl.ids) != len(tl.rows) || len(tl.byOffset) != len(tl.rows) || len(tl.entries) != len(tl.rows) {
		t.Errorf("%d rows, and %d, %d and %d of them found", len(tl.rows), len(tl.ids), len(tl.byOffset), len(tl.entries))
	}
	before, ok := tl.beforeOldest()
	if !ok || !tl.more() || before != tl.rows[0].Offset {
		t.Errorf("asks before %d, %v", before, ok)
	}
}
