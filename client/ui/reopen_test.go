//go:build !android

package ui

import (
	"fmt"
	"maps"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"fyne.io/fyne/v2"

	"parley/client/session"
	"parley/client/store"
	"parley/client/ui/conversation"
	"parley/client/ui/uitest"
)

// life is a start of the app with what the one before it kept.
func life(t *testing.T, dir, address string) *world {
	t.Helper()
	store, err := store.Open(filepath.Join(dir, "rooms.db"))
	if err != nil {
		t.Fatal(err)
	}
	w := newWorld(t, uitest.Phone, func(p prefs) { p.setServer("http://" + address) })
	w.client.store, w.client.net.open = store, session.Open
	w.client.pins = session.NewPins(store)
	t.Cleanup(w.end)
	w.client.start()
	return w
}

// end ends the app without leaving a room.
func (w *world) end() {
	if !w.ended {
		w.ended = true
		w.client.close()
		if err := w.client.store.Close(); err != nil {
			w.t.Error(err)
		}
	}
}

func (w *world) connected() (rooms []string) {
	for _, conv := range w.client.open {
		if conv.Status.State == session.Connected {
			rooms = append(rooms, conv.Name)
		}
	}
	return rooms
}

// The room that was on the screen comes back at the place that was read, and all
// others connect after it, with what came meanwhile.
func TestRoomsReopen(t *testing.T) {
	dir := t.TempDir()
	ctx := t.Context()
	address := startServer(t, "--rate", "0")
	bob := map[string]*member{}
	for _, room := range []string{"One", "Two", "Three"} {
		bob[room] = join(t, ctx, address, room, "Bob")
	}
	for i := range 40 {
		bob["Two"].Say(ctx, fmt.Sprint("line ", i))
	}
	bob["One"].Say(ctx, "seen")

	w := life(t, dir, address)
	for _, room := range []string{"Two", "One", "Three", "Two"} {
		w.client.enter(room)
		w.settle(func() bool { return slices.Contains(w.connected(), room) })
		if conv := w.client.find(room); room == "Two" { // else what comes when one has left it counts as new
			w.settle(func() bool { return conv.Timeline.Len() == 40 })
		}
	}
	w.page().list.ScrollBy(500)
	at := w.page().list.InSight()
	if w.page().list.AtEnd() {
		t.Fatal("the list does not scroll")
	}
	w.end()
	bob["One"].Say(ctx, "missed 1")
	bob["One"].Say(ctx, "missed 2")
	bob["Two"].Say(ctx, "below")

	w = life(t, dir, address)
	if conv := w.page().conv; conv.Name != "Two" || conv.Waits {
		t.Fatalf("the page is that of %s, which waits: %v", conv.Name, conv.Waits)
	}
	var order []string
	for _, conv := range w.client.open {
		order = append(order, conv.Name)
		if conv.Waits != (conv.Name != "Two") {
			t.Errorf("%s waits: %v", conv.Name, conv.Waits)
		}
	}
	if want := []string{"Two", "Three", "One"}; !slices.Equal(order, want) {
		t.Errorf("the rooms are opened in the order %q, not %q", order, want)
	}
	w.settle(func() bool { return len(w.connected()) == 3 })
	one := w.client.find("One")
	w.settle(func() bool { return one.Unread == 2 && w.page().conv.Timeline.Len() == 41 })
	if list := w.page().list; list.AtEnd() || !maps.Equal(list.InSight(), at) || list.Unseen != 1 {
		t.Errorf("in sight is %v, not %v; at its end: %v; %d unseen", list.InSight(), at, list.AtEnd(), list.Unseen)
	}
	w.client.back(false)
	rooms := w.client.nav.top().(*askRoomPage)
	if got := uitest.Texts(rooms.object()); !strings.Contains(got, "Bob: missed 2") || !strings.Contains(got, "2\n") || !strings.Contains(got, "Bob: below") {
		t.Errorf("the list of rooms is\n%s", got)
	}
	if one.Fresh != one.Timeline.Item(1).ID {
		t.Errorf("what is new begins at %q", one.Fresh)
	}
	w.end()

	// What is on the screen is the list of rooms now, and what is unread stays so.
	w = life(t, dir, address)
	if _, ok := w.client.nav.top().(*askRoomPage); !ok || len(w.client.open) != 3 {
		t.Errorf("on top is a %T, %d rooms are open", w.client.nav.top(), len(w.client.open))
	}
	one = w.client.find("One")
	w.settle(func() bool { return len(w.connected()) == 3 && one.Timeline.Len() == 3 })
	if one.Unread != 2 || one.Fresh != one.Timeline.Item(1).ID {
		t.Errorf("%d are unread, from %q on", one.Unread, one.Fresh)
	}
	w.client.enter("One")
	w.client.nav.push(func() page { return newSettingsPage(w.client.client) })
	w.end()
	w = life(t, dir, address)
	if conv := w.page().conv; conv.Name != "One" {
		t.Errorf("from Settings over One the way leads to %s", conv.Name)
	}
	if w.client.unread() != 0 {
		t.Errorf("%d are unread", w.client.unread())
	}
}

// A begun answer and a begun edit go on after the app has ended, also if the row of their
// message is not kept, and neither takes the draft.
func TestTasksOutliveTheApp(t *testing.T) {
	dir := t.TempDir()
	address := startServer(t)
	w := life(t, dir, address)
	w.client.enter("Lobby")
	p := w.page()
	w.settle(func() bool { return p.conv.Status.State == session.Connected })
	item := w.say(p, "first")
	reopen := func(edits bool, text, draft string) {
		t.Helper()
		w.end()
		w = life(t, dir, address)
		p = w.page()
		w.settle(func() bool { return p.conv.Timeline.Len() > 0 && p.conv.Status.State == session.Connected })
		task := p.composer.Task()
		if task == nil || task.Edit != edits || task.Of.Text != "first" || p.composer.Entry.Text != text || p.conv.Session.Draft() != draft {
			t.Fatalf("the composer is for %+v and has %q; the draft is %q", task, p.composer.Entry.Text, p.conv.Session.Draft())
		}
	}
	p.begin(&conversation.Task{Of: item})
	p.composer.Entry.SetText("because")
	reopen(false, "because", "because")
	if s := uitest.Sentence(p.composer); !strings.Contains(s, "Reply to Ann first") {
		t.Errorf("replying reads %q", s)
	}
	p.beginEdit(item)
	p.composer.Entry.SetText("fist")
	reopen(true, "fist", "because")
	press(p.composer.Entry, fyne.KeyEscape)
	if p.composer.Entry.Text != "because" {
		t.Errorf("after the edit the composer has %q", p.composer.Entry.Text)
	}
	p.begin(&conversation.Task{Of: item})
	reopen(false, "because", "because")
	if answer := w.say(p, "so"); answer.Quote == nil || answer.Quote.Text != "first" || p.conv.Session.Task() != (session.Task{}) {
		t.Errorf("the answer is %+v; what is written is for %+v", answer, p.conv.Session.Task())
	}

	// The row of what is answered is not kept any more.
	p.conv.Session.SetTask(session.Task{Row: "old", Entry: item.ID, Quote: session.Quote{Offset: item.Offset, User: "Ann", Text: "first"}})
	p.composer.Entry.SetText("then")
	reopen(false, "then", "then")
	if s := uitest.Sentence(p.composer); !strings.Contains(s, "Reply to Ann first") {
		t.Errorf("replying reads %q", s)
	}
	p.conv.Apply([]session.Change{{Kind: session.Elsewhere, Items: []session.Item{{Offset: item.Offset, Text: "1st", Edited: true}}}})
	if s := uitest.Sentence(p.composer); !strings.Contains(s, "Reply to Ann 1st") {
		t.Errorf("after the edit, replying reads %q", s)
	}
	if answer := w.say(p, "now"); answer.Quote == nil || answer.Quote.Offset != item.Offset {
		t.Errorf("the answer is %+v", answer)
	}
	p.begin(&conversation.Task{Of: session.Item{ID: "old", Offset: item.Offset, Text: "first"}})
	p.conv.Apply([]session.Change{{Kind: session.Elsewhere, Items: []session.Item{{Offset: item.Offset, Deleted: true}}}})
	if p.composer.Task() != nil {
		t.Errorf("an answer to what is deleted: %+v", p.composer.Task())
	}

	p.conv.Session.SetDraft("and")
	p.conv.Session.SetTask(session.Task{Row: "old", Edit: true, Text: "thirst", Entry: item.ID, Quote: session.Quote{Offset: item.Offset, User: "Ann", Text: "first"}})
	reopen(true, "thirst", "and")
	if s := uitest.Sentence(p.composer); !strings.Contains(s, "first") {
		t.Errorf("editing reads %q", s)
	}
	p.composer.Entry.SetText("1st")
	press(p.composer.Entry, fyne.KeyReturn)
	w.settle(func() bool {
		now, _ := p.conv.Timeline.Message(item.ID)
		return now.Text == "1st" && now.Edited && now.Waits == ""
	})
	if p.composer.Task() != nil || p.conv.Session.Task() != (session.Task{}) || p.composer.Entry.Text != "and" {
		t.Errorf("after the edit the composer is for %+v and has %q", p.composer.Task(), p.composer.Entry.Text)
	}

	// Nothing was kept of the message: it was deleted.
	p.conv.Session.SetTask(session.Task{Row: "gone", Edit: true, Text: "lost?"})
	w.end()
	w = life(t, dir, address)
	p = w.page()
	w.settle(func() bool { return p.conv.Status.State == session.Connected })
	if task := p.composer.Task(); task == nil || !task.Edit || p.composer.Entry.Text != "lost?" || p.conv.Session.Draft() != "and" {
		t.Errorf("the composer is for %+v and has %q; the draft is %q", task, p.composer.Entry.Text, p.conv.Session.Draft())
	}
	press(p.composer.Entry, fyne.KeyReturn)
	if o := w.window.Canvas().Overlays().Top(); o == nil || !strings.Contains(uitest.Texts(o), "lost?") {
		t.Error("the text of the edit is lost")
	}
	if p.composer.Task() != nil || p.conv.Session.Task() != (session.Task{}) || p.composer.Entry.Text != "and" || uitest.Sentence(p.typing) != "The message is not there any more." {
		t.Errorf("the composer is for %+v and has %q; it says %q", p.composer.Task(), p.composer.Entry.Text, uitest.Sentence(p.typing))
	}
}

// Sixteen rooms open at most, those used last.
func TestNoMoreThanSixteenReopen(t *testing.T) {
	dir := t.TempDir()
	w := life(t, dir, "127.0.0.1:1")
	for i := range 20 {
		w.client.enter(fmt.Sprint("room ", i))
	}
	for range 3 { // to the list of rooms
		w.client.back(false)
	}
	w.end()
	w = life(t, dir, "127.0.0.1:1")
	if len(w.client.open) != 16 || w.client.find("room 19") == nil || w.client.find("room 3") != nil {
		t.Errorf("%d rooms are open", len(w.client.open))
	}
	w.end()
	w = life(t, dir, "127.0.0.1:2")
	if len(w.client.open) != 0 {
		t.Error("rooms of another server are open")
	}
}

// A room that the server refuses is tried again, and nobody is told of it.
func TestRefusedRoomsTryAgain(t *testing.T) {
	dir := t.TempDir()
	address := startServer(t, "--max-per-address", "3")
	w := life(t, dir, address)
	for i := range 5 {
		w.client.enter(fmt.Sprint("room ", i))
	}
	w.settle(func() bool { return len(w.connected()) == 3 })
	w.end()
	w = life(t, dir, address)
	shown := w.page()
	refused := func() (n int) {
		for _, conv := range w.client.open {
			if conv.Status.State == session.Disconnected && conv.Status.Cause == session.CauseTooMany {
				n++
			}
		}
		return n
	}
	w.settle(func() bool { return len(w.connected()) == 3 && refused() == 2 })
	if w.page() != shown || shown.conv.Status.State != session.Connected || w.window.Canvas().Overlays().Top() != nil {
		t.Errorf("the room on the screen is %+v", shown.conv.Status)
	}
	for _, conv := range slices.Clone(w.client.open) {
		if conv != shown.conv && conv.Status.State == session.Connected {
			w.client.leave(conv)
		}
	}
	w.settle(func() bool { return len(w.connected()) == 3 && refused() == 0 })
}
