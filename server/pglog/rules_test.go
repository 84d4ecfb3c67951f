package pglog

import (
	"context"
	"crypto/rand"
	"fmt"
	"testing"
	"time"

	"parley/server/chat"
	"parley/shared"
)

// TestRulesAreKept says something in a room that bars many devices: its rules, which are
// long, are not written again.
func TestRulesAreKept(t *testing.T) {
	t.Parallel()
	l := at(t, t.Name())
	defer l.Close()
	add := func(e chat.Entry) {
		t.Helper()
		got := make(chan error, 1)
		l.Append(context.Background(), hall, e, func(_ chat.Receipt, err error) { got <- err })
		if err := <-got; err != nil {
			t.Fatal(err)
		}
	}
	act := func(id string, target int64, a chat.Act) {
		t.Helper()
		e := chat.Entry{ID: id, Device: "ann", User: "Ann", Kind: chat.KindNotice, Target: target, Time: time.Unix(1, 0)}
		if e.Own().Act = &a; target != 0 {
			e.Own().Of = "pinned"
		}
		add(e)
	}
	conn := tablesOf(t, l)
	var table string
	if err := conn.QueryRow(t.Context(), "SELECT reltoastrelid::regclass::text FROM pg_class WHERE oid = 'rooms'::regclass").Scan(&table); err != nil {
		t.Fatal(err)
	}
	written := func() (last int64) { // the newest long value
		t.Helper()
		if err := conn.QueryRow(t.Context(), "SELECT max(chunk_id::bigint) FROM "+table).Scan(&last); err != nil {
			t.Fatal(err)
		}
		return last
	}
	act("open", 0, chat.Act{Do: shared.DoOpen})
	for i := range 100 {
		act(fmt.Sprint("bar ", i), 0, chat.Act{Do: shared.DoRemove, Device: rand.Text(), About: "Eve"})
	}
	add(chat.Entry{ID: "pinned", Device: "ann", User: "Ann", Text: "this", Time: time.Unix(1, 0)})
	act("pin", 102, chat.Act{Do: shared.DoPin})
	before := written()
	for _, id := range []string{"a", "b"} {
		mustAppend(t, l, id)
	}
	if written() != before {
		t.Error("a message writes the rules again")
	}
	gone := chat.Entry{ID: "gone", Device: "ann", User: "Ann", Kind: chat.KindDelete, Target: 102, Time: time.Unix(1, 0)}
	gone.Own().Of = "pinned"
	add(gone)
	if written() == before {
		t.Error("what is pinned was deleted, and the rules are the same")
	}
	state, stop, err := l.Open(t.Context(), hall, chat.Follower{Entries: func([]chat.Entry) {}, Begin: func(int64) {}})
	if err != nil {
		t.Fatal(err)
	}
	stop()
	if len(state.Rules.Barred) != 100 || len(state.Rules.Hosts) != 1 || state.Rules.Pinned != 0 {
		t.Errorf("%d are barred, %d hosts, %d is pinned", len(state.Rules.Barred), len(state.Rules.Hosts), state.Rules.Pinned)
	}
}
