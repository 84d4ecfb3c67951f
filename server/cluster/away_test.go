package cluster

import (
	"fmt"
	"net/http"
	"sync"
	"testing"

	"parley/server/pglog/pgtest"
	"parley/shared"
	"parley/shared/servertest"
)

// TestDatabaseAway stops the database, and then kills it, while members are in a room:
// they stay and learn why nothing is stored or read, nobody comes in, and all goes on by itself.
func TestDatabaseAway(t *testing.T) {
	t.Parallel()
	db := pgtest.New(t)
	s := servertest.Start(t, "--max-per-address", "0", "--log", pgtest.Address("postgres", db))
	ann, bob := s.Join("Hall", "Ann"), s.Join("Hall", "Bob")
	ann.Say("before")
	bob.Hear("before")
	questions := []shared.Message{
		{Type: shared.TypeHistory}, {Type: shared.TypeHistory, Changed: 1, Before: 100},
		{Type: shared.TypeSearch, Text: "before"}, {Type: shared.TypeReactions, Target: 1},
	}
	var asking []*servertest.Member
	for i := range questions {
		asking = append(asking, s.Join("Hall", fmt.Sprint("Asks ", i)))
	}
	for _, away := range []struct {
		name        string
		goes, comes func()
	}{
		{"asleep", func() { db.Freeze() }, func() { db.Thaw() }},
		{"dead", db.Kill, func() { db.Restart(t) }},
	} {
		away.goes()
		ann.Send(shared.Message{Type: shared.TypeChat, ID: away.name, Text: away.name})
		for i, question := range questions {
			asking[i].Send(question)
		}
		var reads sync.WaitGroup
		for path, want := range map[string]int{"/api/rooms": http.StatusOK, "/api/rooms/Hall/messages": http.StatusServiceUnavailable} {
			reads.Go(func() {
				if status, _ := s.Get(path); status != want {
					t.Errorf("%s: %s has status %d", away.name, path, status)
				}
			})
		}
		cy := s.Dial("/ws/chat/Hall", shared.Protocol)
		cy.Send(shared.Message{Type: shared.TypeHello, User: "Cy", Device: servertest.NewDevice()})
		told := ann.Next(shared.TypeError)
		for told.ID != away.name { // of what took long when the database was back
			told = ann.Next(shared.TypeError)
		}
		if told.Code != shared.CodeUnavailable {
			t.Errorf("%s: Ann is told %+v", away.name, told)
		}
		for i, question := range questions {
			if f := asking[i].Next(question.Type, shared.TypeError); f.Code != shared.CodeUnavailable {
				t.Errorf("%s: who asks for %s is told %+v", away.name, question.Type, f)
			}
		}
		cy.Closed(shared.CloseTryLater, "")
		reads.Wait()
		until(t, "the server is not ready", func() bool { status, _ := s.Get("/readyz"); return status == http.StatusServiceUnavailable })

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
