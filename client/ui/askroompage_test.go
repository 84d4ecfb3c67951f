package ui

import (
	"strings"
	"testing"
	"time"

	"parley/client/session"
	"parley/client/ui/lang"
	"parley/client/ui/uitest"
)

func TestRoomsAreListed(t *testing.T) {
	w := newWorld(t, uitest.Phone, nil)
	w.active = []session.RoomInfo{
		{Name: "Lobby", Count: 3, LastActivity: uitest.Noon.Add(-5 * time.Minute)},
		{Name: "team pizza", Count: 2},
	}
	w.client.start()
	conv := w.room("Team Pizza", "Ann", "Bob")
	conv.Apply(uitest.Appended(uitest.Said(1, "Bob", "is anybody\nhungry?")))
	w.client.back(false)
	p := w.client.nav.top().(*askRoomPage)
	w.settle(func() bool { return len(p.active) == 2 })
	got := uitest.Texts(p.object())
	for _, want := range []string{"Your rooms", "Team Pizza", "Bob: is anybody hungry?", "10:01", "Active now", "Lobby", "3 people here · 5 minutes ago"} {
		if !strings.Contains(got, want) {
			t.Errorf("%q is not on the page:\n%s", want, got)
		}
	}
	if strings.Contains(got, "team pizza") {
		t.Error("an open room is listed again")
	}

	conv.Apply(uitest.Appended(uitest.Said(2, "Bob", "hello?"), uitest.Said(3, "Cleo", "me!")))
	if got = uitest.Texts(p.object()); !strings.Contains(got, "Cleo: me!") || !strings.Contains(got, "2\n") {
		t.Errorf("what came in is not on the page:\n%s", got)
	}
	if w.window.Title() != "(2) Rooms – Parley" {
		t.Errorf("the title is %q", w.window.Title())
	}

	for _, problem := range []string{"in_use", "closed", "damaged"} {
		w.client.storeProblem = problem
		p.list()
		if got := uitest.Texts(p.object()); !strings.Contains(strings.ReplaceAll(got, "\n", " "), lang.T("store."+problem)) {
			t.Errorf("%s: the person is not told:\n%s", problem, got)
		}
	}

	w.set(func() { w.fault = &session.Problem{Cause: session.CauseRefused} })
	p.ask(w.client.bridge.Context)
	w.settle(func() bool { return strings.Contains(uitest.Texts(p.object()), "no server runs") })

	p.room.SetText("a/b")
	p.join()
	if p.problem.Text != "A name can't have a slash." {
		t.Errorf("a bad room: %q", p.problem.Text)
	}
	p.room.SetText("LOBBY")
	p.join()
	if w.client.find("lobby") == nil || w.page().conv.Name != "LOBBY" {
		t.Error("the room was not entered")
	}
}

// One's own rooms come by their newest message, with what is written and not
// sent; then rooms with people, then those in which something was said.
func TestOrderOfRooms(t *testing.T) {
	w := newWorld(t, uitest.Phone, nil)
	w.active = []session.RoomInfo{
		{Name: "Busy", Count: 2},
		{Name: "Garden", LastActivity: uitest.Noon.Add(-2*time.Hour + 10*time.Minute)},
		{Name: "Attic", LastActivity: uitest.Noon.AddDate(0, 0, -1), Locked: true},
		{Name: "Cellar", LastActivity: uitest.Noon.AddDate(0, 0, -9)},
	}
	w.client.start()
	for i, room := range []string{"First", "Second", "Third"} {
		w.room(room, "Ann", "Bob").Apply(uitest.Appended(uitest.Said(i, "Bob", "in "+room)))
	}
	w.client.find("Second").Session.SetDraft("not\nsent")
	w.client.back(false)
	p := w.client.nav.top().(*askRoomPage)
	w.settle(func() bool { return len(p.active) == 4 })
	check := func(want ...string) {
		t.Helper()
		got := uitest.Texts(p.object())
		at := 0
		for _, s := range want {
			i := strings.Index(got[at:], s)
			if i < 0 {
				t.Fatalf("%q is not where it should be:\n%s", s, got)
			}
			at += i + len(s)
		}
	}
	check("Your rooms", "Third", "Bob: in Third", "Second", "Draft: not sent", "First", "Bob: in First",
		"Active now", "Busy", "2 people here", "Nobody there now", "Garden", "today, 10:10", "Attic", "yesterday, 12:00", "Cellar", "Monday, March 3, 12:00")
	w.client.find("First").Apply(uitest.Appended(uitest.Said(9, "Bob", "news")))
	check("First", "Bob: news", "1", "Third", "Second", "Draft: not sent")
	w.client.enter("Second")
	w.page().typed("")
	w.client.back(false)
	p = w.client.nav.top().(*askRoomPage)
	check("First", "Third", "Second", "Bob: in Second")
}

// From one answer of the server to the next, rooms stay in their places; new ones
// come last. Whoever comes back finds the server's order.
func TestRoomsStayWhereTheyAre(t *testing.T) {
	w := newWorld(t, uitest.Phone, nil)
	w.active = []session.RoomInfo{{Name: "a", Count: 3}, {Name: "b", Count: 2}, {Name: "c", Count: 1}}
	w.client.start()
	p := w.client.nav.top().(*askRoomPage)
	names := func() string {
		_, lively, _ := gather(p.client, p.active, p.recent)
		var s string
		for _, l := range lively {
			s += l.name
		}
		return s
	}
	w.settle(func() bool { return names() == "abc" })
	w.set(func() {
		w.active = []session.RoomInfo{{Name: "new", Count: 9}, {Name: "C", Count: 5}, {Name: "b", Count: 4}, {Name: "a", Count: 1}}
	})
	p.ask(w.client.bridge.Context)
	w.settle(func() bool { return len(p.active) == 4 })
	if got := names(); got != "abCnew" {
		t.Errorf("the rooms are %q", got)
	}
	w.client.enter("z")
	w.client.back(false)
	w.settle(func() bool { return names() == "newCba" })
}

// On an empty server one tap opens the first room.
func TestFirstRoom(t *testing.T) {
	w := newWorld(t, uitest.Phone, nil)
	w.client.start()
	p := w.client.nav.top().(*askRoomPage)
	w.settle(func() bool { return p.asked })
	tapText(t, p.object(), "Open “Lobby”")
	if name := w.page().conv.Name; name != "Lobby" {
		t.Errorf("the first room is %q", name)
	}
}
