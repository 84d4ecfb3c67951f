//go:build !android

package ui

import (
	"strings"
	"testing"

	"fyne.io/fyne/v2/canvas"
	"fyne.io/fyne/v2/test"

	"parley/client/session"
	"parley/client/ui/uitest"
	"parley/shared"
)

// clocks is how many marks of what waits are drawn in the list.
func clocks(p *roomPage) (n int) {
	uitest.Walk(p.list, func(v uitest.Seen) {
		if img, ok := v.Object.(*canvas.Image); ok && img.Resource != nil && strings.HasPrefix(img.Resource.Name(), "clock") {
			n++
		}
	})
	return n
}

// What is done to messages without a connection has a mark, is listed, and can be taken
// back; the rest is carried out.
func TestWaitingIsTakenBack(t *testing.T) {
	w := newWorld(t, uitest.Phone, nil)
	p := w.liveRoom(startServer(t))
	first, second := w.say(p, "first"), w.say(p, "second")
	message := func(id string) session.Item {
		item, _ := p.conv.Timeline.Message(id)
		return item
	}
	room := p.conv.Session
	room.Pause()
	w.settle(func() bool { return p.conv.Status.State != session.Connected })
	if p.waiting.Visible() || clocks(p) != 0 {
		t.Error("nothing waits, and yet there is a mark")
	}
	if err := room.Edit(first.ID, "fist"); err != nil {
		t.Fatal(err)
	}
	room.React(first.ID, shared.Emojis[0])
	room.Delete(second.ID)
	w.settle(func() bool { return len(p.conv.Waiting) == 3 })
	if s := uitest.Sentence(p.waiting.Tile); s != "3 changes wait for the connection." || !p.waiting.Visible() {
		t.Errorf("the line reads %q", s)
	}
	if n := clocks(p); n < 2 {
		t.Errorf("%d marks are in the list", n)
	}
	test.Tap(p.waiting.Tile)
	panel := w.window.Canvas().Overlays().Top()
	if s := uitest.Sentence(panel); !strings.Contains(s, "Edit fist Take back "+shared.Emojis[0]) || !strings.Contains(s, "Delete second Take back") {
		t.Errorf("the panel reads %q", s)
	}
	tapAction(t, w, "Take back") // the last: the deletion
	w.settle(func() bool { return len(p.conv.Waiting) == 2 && message(second.ID).Text == "second" })
	room.TakeBack(p.conv.Waiting[0].ID)
	w.settle(func() bool { return message(first.ID).Text == "first" })
	if s := uitest.Sentence(panel); strings.Contains(s, "fist") || strings.Contains(s, "second") {
		t.Errorf("afterwards the panel reads %q", s)
	}
	room.Resume()
	w.settle(func() bool { return p.conv.Status.State == session.Connected && len(p.conv.Waiting) == 0 })
	if s := uitest.Sentence(panel); !strings.Contains(s, "Nothing waits any more.") || p.waiting.Visible() || clocks(p) != 0 {
		t.Errorf("connected, the panel reads %q; the line shows: %v; %d marks", s, p.waiting.Visible(), clocks(p))
	}
	if item := message(first.ID); item.Reacted != shared.Emojis[0] || item.Edited || message(second.ID).Deleted {
		t.Errorf("the messages are %+v and %+v", item, message(second.ID))
	}
}

// Everything that can wait is described.
func TestWaitingIsDescribed(t *testing.T) {
	w := newWorld(t, uitest.Phone, nil)
	p := w.ableRoom(uitest.Said(1, "Bob", "hello"))
	for _, tc := range []struct {
		session.Waiting
		want string
	}{
		{session.Waiting{Did: session.DidReact, Row: "id1"}, "Reaction taken back|hello"},
		{session.Waiting{Did: session.DidHost, Do: shared.DoSilence, Row: "id1"}, "Silence|Bob"},
		{session.Waiting{Did: session.DidHost, Do: shared.DoUnsilence}, "Let write again|…"},
		{session.Waiting{Did: session.DidHost, Do: shared.DoRemove, User: "Cleo"}, "Remove from the room|Cleo"},
		{session.Waiting{Did: session.DidHost, Do: shared.DoAdmit, User: "Cleo"}, "Let in again|Cleo"},
		{session.Waiting{Did: session.DidHost, Do: shared.DoHost, User: "Cleo"}, "Make a host|Cleo"},
		{session.Waiting{Did: session.DidHost, Do: shared.DoUnhost, User: "Cleo"}, "No longer a host|Cleo"},
		{session.Waiting{Did: session.DidHost, Do: shared.DoDeleteAll, User: "Cleo"}, "Delete everything from Cleo|"},
		{session.Waiting{Did: session.DidHost, Do: shared.DoPin, Row: "id1"}, "Pin to the top|hello"},
		{session.Waiting{Did: session.DidHost, Do: shared.DoPin}, "Take down from the top|"},
		{session.Waiting{Did: session.DidHost, Do: shared.DoSet, Settings: &shared.Settings{Write: shared.WhoHosts}}, "Host the room|only hosts write"},
	} {
		if what, about := describe(p.conv, tc.Waiting); what+"|"+about != tc.want {
			t.Errorf("%+v is described as %q, %q", tc.Waiting, what, about)
		}
	}
}

func init() {
	scenes = append(scenes, scene{"waiting", func(w *world) {
		edited := uitest.Own(2, "At the west gate, at eight")
		edited.Edited, edited.Waits = true, session.DidEdit
		liked := uitest.Said(3, "Grace Hopper", "See you there!")
		liked.Reacted, liked.Reactions, liked.Waits = "👍", []session.Reaction{{Emoji: "👍", Count: 2}}, session.DidReact
		gone := deleted(uitest.Own(4, "x"))
		gone.Waits = session.DidDelete
		p := w.ableRoom(uitest.Said(1, "Bob", "Where do we meet?"), edited, liked, gone, uitest.Said(5, "Bob", "Fine."))
		p.conv.Apply([]session.Change{
			{Kind: session.StatusChanged, Status: session.Status{State: session.Disconnected, Cause: session.CauseLost, CanChange: true}},
			{Kind: session.WaitingChanged, Waiting: []session.Waiting{
				{ID: "1", Did: session.DidEdit, Row: "id2", Text: edited.Text}, {ID: "2", Did: session.DidReact, Row: "id3", Emoji: "👍"},
				{ID: "3", Did: session.DidDelete, Row: "id4", Text: "a message that was written by mistake", Out: true},
			}},
		})
	}}, scene{"waiting-list", func(w *world) {
		p := w.ableRoom(uitest.Own(2, "At the west gate, at eight"))
		p.conv.Apply([]session.Change{{Kind: session.WaitingChanged, Waiting: []session.Waiting{
			{ID: "1", Did: session.DidEdit, Row: "id2", Text: "At the east gate, at nine, and whoever comes later has to find us"},
			{ID: "3", Did: session.DidHost, Do: shared.DoRemove, User: "Grace Brewster Murray Hopper", Out: true},
		}}})
		p.waiting.show()
	}})
}
