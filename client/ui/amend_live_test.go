//go:build !android

package ui

import (
	"fmt"
	"strings"
	"testing"

	"fyne.io/fyne/v2"

	"parley/client/session"
	"parley/client/ui/uitest"
)

// liveRoom enters a room of a server.
func (w *world) liveRoom(address string) *roomPage {
	w.t.Helper()
	w.client.net.open = session.Open
	w.client.prefs.setServer("http://" + address)
	w.client.start()
	w.client.enter("Lobby")
	p := w.page()
	w.settle(func() bool { return p.conv.Status.State == session.Connected && p.conv.Status.CanChange })
	return p
}

// say sends a text and waits for its row.
func (w *world) say(p *roomPage, s string) (item session.Item) {
	w.t.Helper()
	p.composer.Entry.SetText(s)
	press(p.composer.Entry, fyne.KeyReturn)
	w.settle(func() bool {
		item, _ = p.conv.Last()
		return item.Text == s && item.Delivery == session.Sent
	})
	return item
}

// What a person does to messages comes to the server, and back.
func TestAmending(t *testing.T) {
	w := newWorld(t, uitest.Phone, nil)
	p := w.liveRoom(startServer(t))
	entry := p.composer.Entry
	first := w.say(p, "first")
	now := func() session.Item {
		item, _ := p.conv.Timeline.Message(first.ID)
		return item
	}

	entry.SetText("a draft")
	w.menuOf(p, "first")
	tapAction(t, w, "Reply")
	if s := uitest.Sentence(p.composer); !strings.Contains(s, "Reply to Ann first") || entry.Text != "a draft" || w.window.Canvas().Focused() != fyne.Focusable(entry) {
		t.Errorf("replying reads %q, with the focus on %T", s, w.window.Canvas().Focused())
	}
	answer := w.say(p, "an answer")
	if answer.Quote == nil || answer.Quote.Text != "first" || p.composer.Task() != nil || entry.Text != "" {
		t.Errorf("the answer is %+v, the composer has %q", answer, entry.Text)
	}

	press(entry, fyne.KeyUp)
	if entry.Text != "an answer" {
		t.Fatalf("Up edits %q", entry.Text)
	}
	press(entry, fyne.KeyEscape)
	entry.SetText("a draft")
	w.menuOf(p, "first")
	tapAction(t, w, "Edit")
	if entry.Text != "first" {
		t.Errorf("to be edited is %q", entry.Text)
	}
	entry.SetText("fist")
	w.client.back(false)
	w.client.enter("Lobby")
	if p = w.page(); p.composer.Entry.Text != "fist" || p.conv.Session.Draft() != "a draft" {
		t.Errorf("back in the room the text is %q, and the draft %q", p.composer.Entry.Text, p.conv.Session.Draft())
	}
	p.composer.Entry.SetText("1st")
	press(p.composer.Entry, fyne.KeyReturn)
	w.settle(func() bool { return now().Text == "1st" })
	if p.composer.Entry.Text != "a draft" {
		t.Errorf("after the edit the composer has %q", p.composer.Entry.Text)
	}

	w.menuOf(p, "1st")
	tapAction(t, w, "👍")
	w.settle(func() bool { return now().Reacted == "👍" })
	p.list.TappedSecondary(&fyne.PointEvent{Position: uitest.Where(t, p.list, "👍")})
	w.settle(func() bool { return w.window.Canvas().Overlays().Top() != nil })
	if s := uitest.Sentence(w.window.Canvas().Overlays().Top()); !strings.Contains(s, "Who reacted 👍 Ann") {
		t.Errorf("a long press on the reaction says %q", s)
	}
	w.client.back(false)
	p.list.Tapped(&fyne.PointEvent{Position: uitest.Where(t, p.list, "👍")})
	w.settle(func() bool { return now().Reacted == "" })

	w.menuOf(p, "an answer")
	tapAction(t, w, "Delete")
	if _, ok := p.conv.Timeline.Message(answer.ID); !ok {
		t.Error("it is deleted before one was asked")
	}
	tapAction(t, w, "Delete")
	w.settle(func() bool { item, _ := p.conv.Timeline.Message(answer.ID); return item.Deleted })
}

// A quote, and what is found, is gone to: near ones in the list, after loading, and
// far ones in an excerpt.
func TestGoingToMessages(t *testing.T) {
	address := startServer(t, "--rate", "0", "--burst", "0")
	ctx := t.Context()
	bob := join(t, ctx, address, "Lobby", "Bob")
	for i := range 200 {
		bob.Say(ctx, fmt.Sprint("needle ", i))
	}
	w := newWorld(t, uitest.Phone, nil)
	p := w.liveRoom(address)
	w.settle(func() bool { return p.conv.Timeline.Len() >= 50 })
	if p.conv.Timeline.OfOffset(20) != "" {
		t.Fatal("everything is loaded")
	}
	p.lead(20)
	w.settle(func() bool { return p.conv.Timeline.OfOffset(20) != "" })
	id := p.conv.Timeline.OfOffset(20)
	w.settle(func() bool { _, ok := p.list.InSight()[id]; return ok })

	p.showFind()
	p.search.entry.SetText("NEEDLE 7")
	p.search.begin()
	w.settle(func() bool { return strings.Contains(uitest.Texts(p.search.hits), "needle 79") })
	tapAction(t, w, "needle 79")
	item, _ := p.conv.Last()
	if id = p.conv.Timeline.OfOffset(item.Offset - 120); p.list.InSight()[id] == 0 {
		t.Errorf("needle 79 is not in sight, but %v", p.list.InSight())
	}
}
