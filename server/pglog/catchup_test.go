package pglog

import (
	"fmt"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"

	"parley/server/chat"
)

// TestAcknowledgedElsewhere has somebody come from another server, where they have just
// sent something, and no notification of it comes: it is there before they are let in.
func TestAcknowledgedElsewhere(t *testing.T) {
	t.Parallel()
	name := server.Create(t)
	conn, err := pgx.Connect(t.Context(), pgAddress("postgres", name))
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close(t.Context())
	run(t, conn, "CREATE ROLE whisperer LOGIN", "GRANT ALL ON DATABASE "+name+" TO whisperer")
	open := func() *Log {
		l, err := Open(t.Context(), pgAddress("whisperer", name), Options{patience: time.Minute, startFor: time.Minute})
		if err != nil {
			t.Fatal(err)
		}
		return l
	}
	a, b := open(), open()
	defer a.Close()
	defer b.Close()
	run(t, conn, "REVOKE EXECUTE ON FUNCTION pg_notify FROM PUBLIC")
	f := followed(t, b, hall)
	defer f.stop()
	for n := range 30 {
		sent := mustAppend(t, a, fmt.Sprint("a", n))
		if err := b.CatchUp(t.Context(), hall.Key); err != nil {
			t.Fatal(err)
		}
		f.mu.Lock()
		if len(f.entries) == 0 || f.entries[len(f.entries)-1].Offset != sent.Offset {
			t.Errorf("of %d entries, %d are there", sent.Offset, len(f.entries))
		}
		f.mu.Unlock()
	}
	empty := followed(t, b, room(1))
	defer empty.stop()
	if set, err := a.SetLock(t.Context(), room(1).Key, chat.Lock{Hash: "hash", Made: time.Unix(1, 0)}); !set || err != nil {
		t.Fatal(set, err)
	}
	if err := b.CatchUp(t.Context(), room(1).Key); err != nil {
		t.Fatal(err)
	}
	empty.mu.Lock()
	defer empty.mu.Unlock()
	if empty.over < 0 {
		t.Error("a room that was locked is not over")
	}
}
