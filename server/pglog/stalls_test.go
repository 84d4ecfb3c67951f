package pglog

import (
	"fmt"
	"testing"
	"time"
)

// TestCommitIsNotEnded has a commit that waits for its standby keep another server
// waiting: it is not taken for one of a server that sends no more.
func TestCommitIsNotEnded(t *testing.T) {
	t.Parallel()
	primary, standby, address := pair(t, true)
	open := func() *Log {
		l, err := Open(t.Context(), address, Options{patience: time.Minute, startFor: time.Minute})
		if err != nil {
			t.Fatal(err)
		}
		return l
	}
	a, b := open(), open()
	defer a.Close()
	defer b.Close()
	mustAppend(t, a, "of a")
	mustAppend(t, b, "of b") // both have their connections
	standby.Freeze()
	defer standby.Thaw()
	waits := func(l *Log, event string) {
		t.Helper()
		until(t, "the writer waits for "+event, func() bool {
			return primary.Query(t, fmt.Sprintf("SELECT count(*) > 0 FROM pg_stat_activity WHERE '%s' IN (wait_event_type, wait_event) AND pid = %d",
				event, l.writer(hall.Key).current.Load().conn.PgConn().PID())) == "t"
		})
	}
	one := appendTo(a, "one")
	waits(a, "SyncRep") // and not only its proof does
	two := appendTo(b, "two")
	waits(b, "Lock")
	if b.endStalled(t.Context()) {
		t.Error("a commit is taken for something that may be ended")
	}
	standby.Thaw()
	if x, y := <-one, <-two; x.err != nil || y.err != nil || x.Offset != 3 || y.Offset != 4 {
		t.Errorf("%+v and %+v", x, y)
	}
}
