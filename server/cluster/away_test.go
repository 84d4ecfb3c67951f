package cluster

import (
	"net/http"
	"syscall"
	"testing"

	"parley/server/pglog/pgtest"
	"parley/shared"
	"parley/shared/servertest"
)

// TestDatabaseAway stops the database, and then kills it, while members are in a room:
// they stay and learn why nothing is stored, nobody comes in, and all goes on by itself.
func TestDatabaseAway(t *testing.T) {
	t.Parallel()
	db, err := pgtest.Start()
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(db.Stop)
	s := servertest.Start(t, "--log", pgtest.Address("postgres", db))
	ann, bob := s.Join("Hall", "Ann"), s.Join("Hall", "Bob")
	ann.Say("before")
	bob.Hear("before")
	for _, away := range []struct {
		name        string
		goes, comes func()
	}{
		{"asleep", func() { db.Signal(syscall.SIGSTOP) }, func() { db.Signal(syscall.SIGCONT) }},
		{"dead", db.Kill, func() { db.Restart(t) }},
	} {
		away.goes()
		ann.Send(shared.Message{Type: shared.TypeChat, ID: away.name, Text: away.name})
		if f := ann.Next(shared.TypeError); f.Code != shared.CodeUnavailable || f.ID != away.name {
			t.Errorf("%s: Ann is told %+v", away.name, f)
		}
		until(t, "the server is not ready", func() bool { status, _ := s.Get("/readyz"); return status == http.StatusServiceUnavailable })
		cy := s.Dial("/ws/chat/Hall", shared.Protocol)
		cy.Send(shared.Message{Type: shared.TypeHello, User: "Cy", Device: servertest.NewDevice()})
		cy.Closed(shared.CloseTryLater, "")

		away.comes()
		until(t, "the server is ready again", func() bool { status, _ := s.Get("/readyz"); return status == http.StatusOK })
		// The same message again, as clients do: it is there once.
		ann.Send(shared.Message{Type: shared.TypeChat, ID: away.name, Text: away.name})
		bob.Hear(away.name)
		ann.Say("after " + away.name)
		bob.Hear("after " + away.name)
	}
	seen := make(map[string]int)
	for _, m := range s.Messages("Hall", 0) {
		seen[m.Text]++
	}
	for _, text := range []string{"before", "asleep", "after asleep", "dead", "after dead"} {
		if seen[text] != 1 {
			t.Errorf("%q is there %d times", text, seen[text])
		}
	}
}
