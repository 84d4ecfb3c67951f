package session

import (
	"context"
	"net"
	"syscall"
	"testing"
	"time"

	"parley/shared"
)

// What a connection reports after it was let go changes nothing, whatever it is.
func TestLateReport(t *testing.T) {
	nowhere := func(context.Context, string, string) (net.Conn, error) { return nil, syscall.ENETUNREACH }
	r := Open(Config{Server: "http://127.0.0.1", Room: "r", User: "Ann", Dial: nowhere})
	r.Close()
	l := newLoop(r)
	l.load()
	l.connection = &connection{begun: time.Now(), welcomed: time.Now(), released: make(chan struct{})}
	l.status = Status{State: Connected, Generation: 2}
	l.timeline.changes = nil
	entry := shared.Message{Type: shared.TypeChat, ID: "1", User: "Bob", Text: "hi", Offset: 1}
	late := &connection{}
	for _, report := range []report{
		{connection: late, frame: entry},
		{connection: late, frame: shared.Message{Type: shared.TypeWelcome, Epoch: "other", User: "Eve"}},
		{connection: late, end: &Problem{Cause: CauseLost}},
	} {
		l.take(report)
	}
	if len(l.timeline.changes) != 0 || len(l.timeline.rows) != 0 || l.connection == nil || l.status.Generation != 2 {
		t.Errorf("changes %+v, status %+v", l.timeline.changes, l.status)
	}
	l.take(report{connection: l.connection, frame: entry})
	if len(l.timeline.rows) != 1 {
		t.Error("the present connection's entry is not shown")
	}
}
