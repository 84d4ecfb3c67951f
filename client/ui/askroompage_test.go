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
