package cluster

import (
	"context"
	"encoding/json"
	"fmt"
	"net"
	"net/http"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	"parley/server/pglog/pgtest"
	"parley/shared"
	"parley/shared/servertest"
)

// dialFor is how long a machine may take to take a connection.
const dialFor = 3 * time.Second

// toMachines is how the proxy asks the servers.
var toMachines = &http.Client{Transport: &http.Transport{DisableKeepAlives: true, DialContext: (&net.Dialer{Timeout: dialFor}).DialContext}}

// count is how many people a server counts in a room, -1 while it does not say.
func count(s *servertest.Server, name string) int {
	ctx, cancel := context.WithTimeout(context.Background(), tooLong)
	defer cancel()
	req, _ := http.NewRequestWithContext(ctx, http.MethodGet, s.URL("/api/rooms"), nil)
	resp, err := toMachines.Do(req)
	if err != nil {
		return -1
	}
	defer resp.Body.Close()
	var list struct {
		Rooms []struct {
			Name  string
			Count int
		}
	}
	if resp.StatusCode != http.StatusOK || json.NewDecoder(resp.Body).Decode(&list) != nil {
		return -1
	}
	for _, r := range list.Rooms {
		if r.Name == name {
			return r.Count
		}
	}
	return 0
}

// TestOneRoom is a room at two servers: what is said at one is heard at the other, in one
// order, and everyone sees the same people.
func TestOneRoom(t *testing.T) {
	t.Parallel()
	s, _ := start(t, 2)
	annDevice := servertest.NewDevice()
	ann := s[0].Hello("Hall", shared.Message{User: "Ann", Device: annDevice})
	bob := s[1].Join("Hall", "Bob")
	told := ann.Next(shared.TypePresence)
	if told.Count == 1 { // of herself
		told = ann.Next(shared.TypePresence)
	}
	if told.Event != shared.Join || !slices.Contains(told.Users, "Bob") || told.Count != 2 {
		t.Errorf("Ann is told %+v", told)
	}
	ann.Say("one")
	first := bob.Hear("one")
	bob.Say("two")
	second := ann.Hear("two")
	if first.User != "Ann" || second.User != "Bob" || second.Offset != first.Offset+1 {
		t.Errorf("heard %+v and %+v", first, second)
	}
	bob.Send(shared.Message{Type: shared.TypeTyping})
	if f := ann.Next(shared.TypeTyping); f.User != "Bob" {
		t.Errorf("typing: %+v", f)
	}
	for i := range s {
		until(t, "two people are counted everywhere", func() bool { return count(s[i], "Hall") == 2 })
	}
	cy := s[1].Join("Hall", "Cy")
	if !slices.Equal(cy.Welcome.Members, []string{"Ann", "Bob", "Cy"}) || cy.Welcome.Count != 3 || cy.Welcome.Epoch != ann.Welcome.Epoch {
		t.Errorf("Cy is welcomed with %+v", cy.Welcome)
	}
	cy.Hear("one")
	if two := cy.Hear("two"); two.Offset != second.Offset {
		t.Errorf("Cy reads %+v", two)
	}

	// Ann is in the room with another tab at the other server, and leaves with the first.
	tab := s[1].Hello("Hall", shared.Message{User: "Ann", Device: annDevice, Epoch: ann.Welcome.Epoch, After: first.Offset})
	if tab.Welcome.Count != 3 || !tab.Welcome.Resumed {
		t.Errorf("the second tab is welcomed with %+v", tab.Welcome)
	}
	tab.Hear("two")
	ann.Conn.CloseNow()
	bob.Say("three")
	tab.Hear("three")
	until(t, "three people are counted", func() bool { return count(s[0], "Hall") == 3 })

	// Whoever is in two rooms is one of those who are online.
	s[1].Hello("Yard", shared.Message{User: "Ann", Device: annDevice})
	s[1].Join("Yard", "Dan")
	until(t, "the yard is known", func() bool { return count(s[0], "Yard") == 2 })
	for i := range s {
		var about struct{ People int }
		if s[i].JSON("/api/server", &about); about.People != 4 {
			t.Errorf("%d people are online at server %d, want 4", about.People, i)
		}
	}

	// A name is one person's everywhere.
	eve := s[0].Dial("/ws/chat/Hall", shared.Protocol)
	eve.Send(shared.Message{Type: shared.TypeHello, User: "Bob", Device: servertest.NewDevice()})
	eve.Closed(shared.CloseNameTaken, "Bob (2)")

	// Those who were at a server that dies are not there any more. Nobody else leaves.
	fay := s[0].Join("Hall", "Fay")
	fay.Next(shared.TypeChat)
	for p := bob.Next(shared.TypePresence); !slices.Contains(p.Users, "Fay"); p = bob.Next(shared.TypePresence) {
	}
	s[0].Signal(syscall.SIGKILL)
	for {
		p := bob.Next(shared.TypePresence)
		if p.Event == shared.Leave {
			if !slices.Equal(p.Users, []string{"Fay"}) || p.Count != 3 {
				t.Errorf("after a server's end: %+v", p)
			}
			break
		}
	}
}

// TestMove has somebody come from another server, right after what they sent there was
// acknowledged, while no notification reaches anyone: they are welcomed with all of it.
func TestMove(t *testing.T) {
	t.Parallel()
	name := database.Create(t)
	mute := "mute_" + name
	database.SQL(t, "CREATE ROLE "+mute+" LOGIN", "GRANT ALL ON DATABASE "+name+" TO "+mute)
	log := strings.Replace(pgtest.Address(name, database), "postgres@", mute+"@", 1)
	here, there := servertest.Start(t, "--log", log), servertest.Start(t, "--log", log)
	database.SQLAt(t, pgtest.Address(name, database), "REVOKE EXECUTE ON FUNCTION pg_notify FROM PUBLIC")
	there.Join("Hall", "Cy") // so that the room is open
	ann := shared.Message{User: "Ann", Device: servertest.NewDevice()}
	sender := here.Hello("Hall", ann)
	for n := range 10 {
		text := fmt.Sprint("message ", n)
		sender.Say(text)
		acknowledged := sender.Hear(text)
		moved := there.Hello("Hall", ann)
		if moved.Welcome.Offset < acknowledged.Offset {
			t.Errorf("the welcome is at %d, and %d was acknowledged", moved.Welcome.Offset, acknowledged.Offset)
		}
		moved.Conn.CloseNow()
	}
}

// TestChangedElsewhere locks, and deletes, a room in which somebody is at the other server.
func TestChangedElsewhere(t *testing.T) {
	t.Parallel()
	s, log := start(t, 2)
	const key = "correct horse"
	early := s[1].Join("Vault", "Early") // in an open room, in which nothing was said
	ann := s[0].Hello("Vault", shared.Message{User: "Ann", Key: key})
	early.Closed(shared.CloseRestart, "changed at another server")
	ann.Say("secret")
	late := s[1].Dial("/ws/chat/Vault", shared.Protocol)
	late.Send(shared.Message{Type: shared.TypeHello, User: "Late", Device: servertest.NewDevice()})
	late.Closed(shared.CloseWrongKey, "passphrase")
	s[1].Hello("Vault", shared.Message{User: "Bob", Key: key}).Hear("secret")

	cy := s[1].Join("Hall", "Cy")
	cy.Say("hello")
	cy.Hear("hello")
	dan := s[0].Join("Hall", "Dan")
	dan.Hear("hello")
	s[0].Run("delete", "--room", "Hall", "--yes", "--log", log)
	cy.Closed(shared.CloseRestart, "changed at another server")
	if again := s[1].Join("Hall", "Cy"); again.Welcome.Offset != 1 {
		t.Errorf("the deleted room has %+v", again.Welcome)
	}
}

// TestHostsElsewhere has what a host does at one server hold at the other.
func TestHostsElsewhere(t *testing.T) {
	t.Parallel()
	s, _ := start(t, 2)
	ann := s[0].Hello("Class", shared.Message{User: "Ann", Host: true})
	device := servertest.NewDevice()
	bob := s[1].Hello("Class", shared.Message{User: "Bob", Device: device})
	bob.Say("spoilt")
	spoilt := ann.Hear("spoilt")
	ann.Send(shared.Message{Type: shared.TypeHost, ID: "1", Do: shared.DoRemove, Target: spoilt.Offset, Of: spoilt.ID})
	bob.Closed(shared.CloseRemoved, "Ann has removed you")
	back := s[1].Dial("/ws/chat/Class", shared.Protocol)
	back.Send(shared.Message{Type: shared.TypeHello, User: "Bob", Device: device})
	back.Closed(shared.CloseRemoved, "Ann has removed you")
}

// set has a host change the settings of a room.
func set(host *servertest.Member, settings shared.Settings) {
	host.Send(shared.Message{Type: shared.TypeHost, ID: "set", Do: shared.DoSet, Settings: &settings})
	for host.Next(shared.TypeNotice).Did != shared.DoSet {
	}
}

// TestSlowElsewhere has somebody write at one server in slow mode, who then has to wait at
// the other one: where the room was, and where it only comes into memory.
func TestSlowElsewhere(t *testing.T) {
	t.Parallel()
	s, _ := start(t, 3)
	ann := s[0].Hello("Class", shared.Message{User: "Ann", Host: true})
	bob := shared.Message{User: "Bob", Device: servertest.NewDevice()}
	second := s[1].Hello("Class", bob)
	set(ann, shared.Settings{Slow: new(3600)})
	first := s[0].Hello("Class", bob)
	first.Say("one")
	first.Hear("one")
	second.Hear("one")
	for where, m := range map[string]*servertest.Member{"first": first, "second": second, "third": s[2].Hello("Class", bob)} {
		m.Say("two")
		if f := m.Next(shared.TypeError); f.Code != shared.CodeRateLimited {
			t.Errorf("at the %s server, Bob is told %+v", where, f)
		}
	}
}

// TestKilledAndBack kills a server with people, and starts it again at once: they are not
// there any more, though the server is.
func TestKilledAndBack(t *testing.T) {
	t.Parallel()
	s, _ := start(t, 2)
	s[0].Join("Hall", "Ann")
	bob := s[1].Join("Hall", "Bob")
	until(t, "two people are counted", func() bool { return count(s[1], "Hall") == 2 })
	s[0].Kill()
	s[0].MustStart()
	for {
		p := bob.Next(shared.TypePresence)
		if p.Event == shared.Leave {
			if !slices.Equal(p.Users, []string{"Ann"}) || p.Count != 1 {
				t.Errorf("after a server's end: %+v", p)
			}
			break
		}
	}
}
