package ui

import (
	"strings"
	"testing"
	"time"

	"parley/client/session"
)

func TestRoomsAreListed(t *testing.T) {
	w := newWorld(t, phone, nil)
	w.active = []session.RoomInfo{
		{Name: "Lobby", Count: 3, LastActivity: noon.Add(-5 * time.Minute)},
		{Name: "team pizza", Count: 2},
	}
	w.client.start()
	conv := w.room("Team Pizza", "Ann", "Bob")
	conv.apply(appended(said(1, "Bob", "is anybody\nhungry?")))
	w.client.back(false)
	p := w.client.nav.top().(*askRoomPage)
	w.settle(func() bool { return len(p.active) == 2 })
	got := texts(p.object())
	for _, want := range []string{"Your rooms", "Team Pizza", "Bob: is anybody hungry?", "10:01", "Active now", "Lobby", "3 people here · 5 minutes ago"} {
		if !strings.Contains(got, want) {
			t.Errorf("%q is not on the page:\n%s", want, got)
		}
	}
	if strings.Contains(got, "team pizza") {
		t.Error("an open room is listed again")
	}

	conv.apply(appended(said(2, "Bob", "hello?"), said(3, "Cleo", "me!")))
	if got = texts(p.object()); !strings.Contains(got, "Cleo: me!") || !strings.Contains(got, "2\n") {
		t.Errorf("what came in is not on the page:\n%s", got)
	}
	if w.window.Title() != "(2) Rooms – Parley" {
		t.Errorf("the title is %q", w.window.Title())
	}

	for _, problem := range []string{"in_use", "closed", "damaged"} {
		w.client.storeProblem = problem
		p.list()
		if got := texts(p.object()); !strings.Contains(strings.ReplaceAll(got, "\n", " "), tr("store."+problem)) {
			t.Errorf("%s: the person is not told:\n%s", problem, got)
		}
	}

	w.fault = &session.Problem{Cause: session.CauseRefused}
	p.ask(w.client.bridge.ctx)
	w.settle(func() bool { return strings.Contains(texts(p.object()), "no server runs") })

	p.room.SetText("a/b")
	p.join()
	if p.problem.text != "A name can't have a slash." {
		t.Errorf("a bad room: %q", p.problem.text)
	}
	p.room.SetText("LOBBY")
	p.join()
	if w.client.find("lobby") == nil || w.page().conv.name != "LOBBY" {
		t.Error("the room was not entered")
	}
}

// One's own rooms come by their newest message, with what is written and not
// sent; then rooms with people, then those in which something was said.
func TestOrderOfRooms(t *testing.T) {
	w := newWorld(t, phone, nil)
	w.active = []session.RoomInfo{
		{Name: "Busy", Count: 2},
		{Name: "Garden", LastActivity: noon.Add(-2*time.Hour + 10*time.Minute)},
		{Name: "Attic", LastActivity: noon.AddDate(0, 0, -1), Locked: true},
		{Name: "Cellar", LastActivity: noon.AddDate(0, 0, -9)},
	}
	w.client.start()
	for i, room := range []string{"First", "Second", "Third"} {
		w.room(room, "Ann", "Bob").apply(appended(said(i, "Bob", "in "+room)))
	}
	w.client.find("Second").room.SetDraft("not\nsent")
	w.client.back(false)
	p := w.client.nav.top().(*askRoomPage)
	w.settle(func() bool { return len(p.active) == 4 })
	check := func(want ...string) {
		t.Helper()
		got := texts(p.object())
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
	w.client.find("First").apply(appended(said(9, "Bob", "news")))
	check("First", "Bob: news", "1", "Third", "Second", "Draft: not sent")
	w.client.enter("Second")
	w.page().typed("")
	w.client.back(false)
	p = w.client.nav.top().(*askRoomPage)
	check("First", "Third", "Second", "Bob: in Second")
}

// From one answer of the server to the next, rooms stay where they are; what is
// new comes last. Whoever comes back finds the server's order.
func TestRoomsStayWhereTheyAre(t *testing.T) {
	w := newWorld(t, phone, nil)
	w.active = []session.RoomInfo{{Name: "a", Count: 3}, {Name: "b", Count: 2}, {Name: "c", Count: 1}}
	w.client.start()
	p := w.client.nav.top().(*askRoomPage)
	names := func() string {
		_, lively, _ := p.gather()
		var s string
		for _, l := range lively {
			s += l.name
		}
		return s
	}
	w.settle(func() bool { return names() == "abc" })
	w.active = []session.RoomInfo{{Name: "new", Count: 9}, {Name: "C", Count: 5}, {Name: "b", Count: 4}, {Name: "a", Count: 1}}
	p.ask(w.client.bridge.ctx)
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
	w := newWorld(t, phone, nil)
	w.client.start()
	p := w.client.nav.top().(*askRoomPage)
	w.settle(func() bool { return p.asked })
	tapText(t, p.object(), "Open “Lobby”")
	if name := w.page().conv.name; name != "Lobby" {
		t.Errorf("the first room is %q", name)
	}
}
