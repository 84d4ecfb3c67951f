package cluster

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"

	"parley/shared"
	"parley/shared/servertest"
)

// TestStoppedWhileItSends stops a server's process while it sends the database more than
// its sockets hold, with a room locked: the other server can soon write to the room again,
// and nothing is lost or doubled once the first one goes on.
func TestStoppedWhileItSends(t *testing.T) {
	t.Parallel()
	s, log := start(t, 2, "--rate", "0", "--burst", "0")
	ann, bob := s[0].Join("Hall", "Ann"), s[1].Join("Hall", "Bob")
	ann.Say("first")
	ann.Hear("first")

	hold := func(statement string) (letGo func()) {
		conn, err := pgx.Connect(t.Context(), log)
		if err != nil {
			t.Fatal(err)
		}
		for _, s := range []string{"BEGIN", statement} {
			if _, err := conn.Exec(t.Context(), s); err != nil {
				t.Fatal(err)
			}
		}
		return func() { conn.Close(t.Context()) }
	}
	waits := func(query, event string) {
		t.Helper()
		until(t, query+" waits for "+event, func() bool {
			return database.QueryAt(t, log, "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND state = 'active' AND query LIKE '"+query+
				"%' AND '"+event+"' IN (wait_event_type, wait_event)") == "1"
		})
	}
	room := hold("SELECT FROM parley.rooms FOR UPDATE")
	const many = 100
	text := func(n int) string { return fmt.Sprint(n, " ", strings.Repeat("x", 4000)) }
	for n := range many {
		ann.Send(shared.Message{Type: shared.TypeChat, ID: fmt.Sprint("id", n), Text: text(n)})
	}
	ann.Send(shared.Message{Type: shared.TypeHistory})
	ann.Next(shared.TypeHistory) // after all before it have gone to the log
	table := hold("LOCK TABLE parley.entries")
	room()
	waits("COPY entries", "Lock")
	s[0].Freeze()
	defer s[0].Thaw()
	table()

	again := func(m *servertest.Member, id, text string) {
		t.Helper()
		for deadline := time.Now().Add(tooLong); time.Now().Before(deadline); {
			m.Send(shared.Message{Type: shared.TypeChat, ID: id, Text: text})
			f := m.Next(shared.TypeChat, shared.TypeAck, shared.TypeError)
			for f.ID != id {
				f = m.Next(shared.TypeChat, shared.TypeAck, shared.TypeError)
			}
			if f.Type != shared.TypeError {
				return
			}
		}
		t.Fatalf("%s is never acknowledged", id)
	}
	began := time.Now()
	again(bob, "bob", "second")
	t.Logf("the other server wrote after %v", time.Since(began).Round(time.Millisecond))
	s[1].Output.Wait(t, "kept rooms locked")
	s[0].Thaw()
	for n := range many {
		again(ann, fmt.Sprint("id", n), text(n))
	}
	all := s[1].Messages("Hall", 0)
	if len(all) != many+2 || all[0].Text != "first" || all[1].Text != "second" {
		t.Errorf("there are %d messages, and not %d", len(all), many+2)
	}
}
