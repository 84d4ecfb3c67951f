package cluster

import (
	"net/http"
	"strings"
	"testing"

	"parley/server/pglog/pgtest"
	"parley/shared/servertest"
)

// TestCutOff has a server stay at a primary whose place its standby has taken: it tells
// nobody over the API what it reads there, until it has found the new one.
func TestCutOff(t *testing.T) {
	t.Parallel()
	primary := pgtest.New(t)
	standby := primary.Standby(t)
	primary.Synchronous(t)
	a := servertest.Start(t, "--log", pgtest.Address("postgres", primary, standby))
	say := func(s *servertest.Server, room, text string) {
		m := s.Join(room, "Who says "+text)
		m.Say(text)
		m.Hear(text)
	}
	say(a, "Quiet", "before")
	a.Stop()
	a.MustStart() // nobody is in the room any more
	say(a, "Hall", "before")
	lists := func(room string) bool {
		_, list := a.Get("/api/rooms")
		return strings.Contains(list, room)
	}
	if !lists("Hall") || !lists("Quiet") {
		t.Fatal("it does not list both rooms")
	}

	standby.Promote(t)
	standby.SQL(t, "ALTER SYSTEM SET synchronous_standby_names = ''", "SELECT pg_reload_conf()")
	b := servertest.Start(t, "--log", pgtest.Address("postgres", standby))
	say(b, "Hall", "after")
	for _, room := range []string{"Hall", "Quiet"} {
		if status, answer := a.Get("/api/rooms/" + room + "/messages"); status != http.StatusServiceUnavailable {
			t.Errorf("of %s, the server that is cut off tells %d %s", room, status, answer)
		}
	}
	if !lists("Hall") || lists("Quiet") {
		t.Error("it lists more than the rooms with people in them")
	}

	primary.Kill()
	until(t, "it reads the new primary", func() bool {
		status, answer := a.Get("/api/rooms/Hall/messages")
		if status == http.StatusOK && !strings.Contains(answer, "after") {
			t.Error("it tells less than was acknowledged at the other server")
		}
		return status == http.StatusOK
	})
	until(t, "it lists all rooms", func() bool { return lists("Quiet") })
}
