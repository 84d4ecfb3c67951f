package ui

import (
	"errors"
	"strings"
	"testing"
	"time"

	"fyne.io/fyne/v2"
	"fyne.io/fyne/v2/test"

	"parley/client/session"
	"parley/shared"
)

// texts are what a person can read of an object.
func texts(o fyne.CanvasObject) string {
	var b strings.Builder
	walk(o, fyne.Position{}, func(v seen) {
		if v.text != nil {
			b.WriteString(v.text.Text + "\n")
		}
	})
	return b.String()
}

func TestNothingIsSaidYet(t *testing.T) {
	w := newWorld(t, phone, nil)
	w.client.start()
	conv := w.room("Lobby", "Ann")
	p := w.page()
	if !p.silence.Visible() || !strings.Contains(texts(p.silence), "Nobody has said anything yet...\nBreak the silence!") {
		t.Error("an empty room does not say that it is empty")
	}
	if p.composer.entry.PlaceHolder != "Send a message..." {
		t.Errorf("the entry says %q", p.composer.entry.PlaceHolder)
	}
	if w.window.Canvas().Focused() != fyne.Focusable(p.composer.entry) {
		t.Error("one can't type at once")
	}
	conv.apply(appended(said(1, "Bob", "boo")))
	if p.silence.Visible() {
		t.Error("the silence is broken, and still on the page")
	}
}

func TestSend(t *testing.T) {
	w := newWorld(t, phone, nil)
	w.client.start()
	conv := w.room("Lobby", "Ann")
	conv.apply(appended(many(0, 60)...))
	p := w.page()
	p.list.scrollBy(500)
	test.Type(p.composer.entry, "hello")
	press(p.composer.entry, fyne.KeyReturn)
	if p.composer.entry.Text != "" || !p.list.stick {
		t.Error("the entry is not empty, or the list not at its end")
	}
	press(p.composer.entry, fyne.KeyReturn)
	p.composer.entry.SetText(" \n ")
	press(p.composer.entry, fyne.KeyReturn)
	if p.composer.entry.Text == "" {
		t.Error("a blank text was sent")
	}
	p.composer.entry.SetText(strings.Repeat("x", shared.MaxText+1))
	press(p.composer.entry, fyne.KeyReturn)
	if p.typing.text.text != "The message is 1 character too long." || p.composer.entry.Text == "" {
		t.Errorf("too long: %q", p.typing.text.text)
	}
	p.composer.entry.SetText("shorter")
	if p.typing.Visible() {
		t.Errorf("the complaint stays: %q", p.typing.text.text)
	}
}

// The conversation scrolls from the keyboard while one can type.
func TestPageKeysScroll(t *testing.T) {
	w := newWorld(t, phone, nil)
	w.client.start()
	conv := w.room("Lobby", "Ann")
	conv.apply(appended(many(0, 100)...))
	p := w.page()
	end := p.list.offset
	press(p.composer.entry, fyne.KeyPageUp)
	if moved := end - p.list.offset; moved < p.list.Size().Height/2 || moved > p.list.Size().Height {
		t.Errorf("PageUp moved %v of %v", moved, p.list.Size().Height)
	}
	press(p.composer.entry, fyne.KeyPageDown)
	if p.list.offset != end {
		t.Errorf("PageDown leads to %v, not to %v", p.list.offset, end)
	}
}

func TestDraftIsKeptPerRoom(t *testing.T) {
	w := newWorld(t, phone, nil)
	w.client.start()
	w.room("Lobby", "Ann")
	test.Type(w.page().composer.entry, "half a sen")
	w.room("Kitchen", "Ann")
	if got := w.page().composer.entry.Text; got != "" {
		t.Errorf("another room's draft: %q", got)
	}
	w.client.enter("lobby")
	if got := w.page().composer.entry.Text; got != "half a sen" {
		t.Errorf("the draft is %q", got)
	}
}

func TestNewSinceYouLeft(t *testing.T) {
	w := newWorld(t, phone, nil)
	w.client.start()
	conv := w.room("Lobby", "Ann", "Bob")
	conv.apply(appended(many(0, 5)...))
	if conv.unread != 0 || conv.timeline.fresh != "" {
		t.Error("what was seen counts as unread")
	}
	w.client.back(false)
	conv.apply(appended(own(10, "from the page"), said(11, "Bob", "one"), said(12, "Bob", "two")))
	if conv.unread != 2 {
		t.Errorf("%d unread", conv.unread)
	}
	w.client.enter("Lobby")
	if conv.unread != 0 || conv.timeline.fresh != "id11" {
		t.Errorf("unread %d, the line is above %q", conv.unread, conv.timeline.fresh)
	}
	if !strings.Contains(texts(w.page().object()), "New since you left") {
		t.Error("the line is not on the page")
	}
	w.client.setFocused(false)
	w.client.setFocused(true)
	if conv.timeline.fresh != "id11" {
		t.Error("the line goes when the window is left and comes back")
	}
	w.client.back(false)
	w.client.enter("Lobby")
	if conv.timeline.fresh != "" || strings.Contains(texts(w.page().object()), "New since you left") {
		t.Error("the line stays after everything was seen")
	}
}

// What came while the app was away stands below the line, too.
func TestNewSinceTheLastVisit(t *testing.T) {
	w := newWorld(t, phone, nil)
	w.client.start()
	w.client.enter("Lobby")
	conv := w.client.find("Lobby")
	conv.apply([]session.Change{{Kind: session.Reset, Items: many(0, 3)}})
	conv.apply(appended(said(10, "Bob", "while you were away")))
	if conv.timeline.fresh != "id10" {
		t.Errorf("the line is above %q", conv.timeline.fresh)
	}
	first := w.room("First visit", "Ann")
	first.apply(appended(many(20, 5)...))
	if first.timeline.fresh != "" {
		t.Error("a first visit has a line")
	}
}

// What was kept of an earlier run and not seen then stands below the line.
func TestNewSinceTheLastRun(t *testing.T) {
	w := newWorld(t, phone, nil)
	w.client.start()
	w.client.enter("Lobby")
	conv := w.client.find("Lobby")
	conv.stored = 2
	conv.apply([]session.Change{{Kind: session.Reset, Items: []session.Item{said(1, "Bob", "a"), said(2, "Bob", "b"), own(3, "c"), said(4, "Bob", "d")}}})
	if conv.timeline.fresh != "id2" || !strings.Contains(texts(w.page().object()), "New since you left") {
		t.Errorf("the line is above %q", conv.timeline.fresh)
	}
}

func TestBanner(t *testing.T) {
	w := newWorld(t, phone, nil)
	w.client.start()
	conv := w.room("Lobby", "Ann")
	p := w.page()
	status := func(s session.Status) string {
		conv.apply([]session.Change{{Kind: session.StatusChanged, Status: s}})
		if !p.banner.Visible() {
			return ""
		}
		return p.banner.text.text
	}
	for _, tc := range []struct {
		status session.Status
		want   string
		sub    string
	}{
		{session.Status{State: session.Connected}, "", "1 person here"},
		{session.Status{State: session.Connecting}, "", "Connecting…"},
		{session.Status{State: session.Disconnected, Cause: session.CauseLost, RetryAt: noon.Add(4200 * time.Millisecond)},
			"The connection was lost. Next try in 5 s. Tap to try now.", "Not connected"},
		{session.Status{State: session.Connecting, Cause: session.CauseLost}, "The connection was lost. Trying again…", "Connecting…"},
		{session.Status{State: session.Closed, Cause: session.CauseNameTaken, Detail: "Ann (2)"},
			"Somebody else has your name here. Tap to go on as Ann (2).", "Not connected"},
		{session.Status{State: session.Closed, Cause: session.CauseRemoved, Detail: "spam"}, "You were removed from the room. spam", "Not connected"},
		{session.Status{State: session.Closed, Cause: session.CauseVersion},
			"This server speaks another version of the protocol. Update the app. Tap to try again.", "Not connected"},
		{session.Status{State: session.Disconnected, Cause: "of a later version"}, "The connection was lost.", "Not connected"},
		{session.Status{State: session.Connected}, "", "1 person here"},
	} {
		if got := status(tc.status); got != tc.want {
			t.Errorf("%+v: the banner says %q, want %q", tc.status, got, tc.want)
		}
		if p.sub.text != tc.sub {
			t.Errorf("%+v: the header says %q, want %q", tc.status, p.sub.text, tc.sub)
		}
	}
	conv.apply([]session.Change{{Kind: session.StoreFailed, Err: errors.New("full")}})
	if p.banner.text.text != tr("banner.save") {
		t.Errorf("the store failed: %q", p.banner.text.text)
	}
}

// The countdown goes on by itself.
func TestBannerCountsDown(t *testing.T) {
	w := newWorld(t, phone, nil)
	w.client.start()
	conv := w.room("Lobby", "Ann")
	conv.apply([]session.Change{{Kind: session.StatusChanged,
		Status: session.Status{State: session.Disconnected, Cause: session.CauseLost, RetryAt: noon.Add(3 * time.Second)}}})
	at := noon
	now = func() time.Time { return at }
	t.Cleanup(func() { now = func() time.Time { return noon } })
	at = noon.Add(2 * time.Second)
	w.settle(func() bool { return strings.Contains(w.page().banner.text.text, "in 1 s") })
}

func TestTypingLine(t *testing.T) {
	w := newWorld(t, phone, nil)
	w.client.start()
	conv := w.room("Lobby", "Ann", "Bob")
	for want, names := range map[string][]string{
		"": nil, "Bob is typing…": {"Bob"}, "Bob and Cleo are typing…": {"Bob", "Cleo"}, "Several people are typing…": {"Bob", "Cleo", "Dan"},
	} {
		conv.apply([]session.Change{{Kind: session.TypingChanged, Typing: names}})
		if got := w.page().typing.text.text; got != want {
			t.Errorf("%v: %q", names, got)
		}
	}
}

// tapAction taps a line of the menu that is open.
func tapAction(t *testing.T, w *world, label string) {
	t.Helper()
	o, ok := w.window.Canvas().Overlays().Top().(*overlay)
	if !ok {
		t.Fatalf("no menu for %q", label)
	}
	tapText(t, o, label)
}

// tapText taps the tile with a text.
func tapText(t *testing.T, o fyne.CanvasObject, label string) {
	t.Helper()
	var found *tile
	var last *tile
	walk(o, fyne.Position{}, func(v seen) {
		if tile, ok := v.object.(*tile); ok {
			last = tile
		}
		if v.text != nil && v.text.Text == label {
			found = last
		}
	})
	if found == nil {
		t.Fatalf("%q is not there:\n%s", label, texts(o))
	}
	test.Tap(found)
}

func TestMessageMenu(t *testing.T) {
	w := newWorld(t, phone, nil)
	w.client.start()
	conv := w.room("Lobby", "Ann", "Bob")
	refused := own(2, "too bold")
	refused.Delivery, refused.Code, refused.Reason = session.Failed, shared.CodeNotAllowed, "Only moderators may write here."
	conv.apply(appended(said(1, "Bob", "see https://example.org/x \x1b[31m"), refused))
	p := w.page()
	if !strings.Contains(strings.ReplaceAll(texts(p.object()), "\n", " "), "Only moderators may write here. Tap to retry.") {
		t.Errorf("the reason is not on the page:\n%s", texts(p.object()))
	}

	p.list.TappedSecondary(&fyne.PointEvent{Position: middle(t, p.list, hitLink)})
	tapAction(t, w, "Copy")
	if got := w.app.Clipboard().Content(); got != "see https://example.org/x \x1b[31m" {
		t.Errorf("copied %q", got)
	}
	p.list.TappedSecondary(&fyne.PointEvent{Position: middle(t, p.list, hitLink)})
	tapAction(t, w, "Copy the link")
	if got := w.app.Clipboard().Content(); got != "https://example.org/x" {
		t.Errorf("copied %q", got)
	}
	if w.window.Canvas().Overlays().Top() != nil {
		t.Error("the menu stays")
	}

	p.list.Tapped(&fyne.PointEvent{Position: middle(t, p.list, hitFailed)})
	for _, want := range []string{"Send again", "Edit", "Copy", "Discard"} {
		if got := texts(w.window.Canvas().Overlays().Top()); !strings.Contains(got, want) {
			t.Errorf("%q is not in the menu:\n%s", want, got)
		}
	}
	tapAction(t, w, "Edit")
	if p.composer.entry.Text != "too bold" {
		t.Errorf("to edit: %q", p.composer.entry.Text)
	}
}

func TestPeople(t *testing.T) {
	w := newWorld(t, phone, nil)
	w.client.start()
	conv := w.room("Lobby", "Ann", "Bob", "Łukasz")
	conv.apply([]session.Change{{Kind: session.PeopleChanged, People: []string{"Ann", "Bob"}, Count: 250}})
	w.page().showPeople()
	got := texts(w.window.Canvas().Overlays().Top())
	for _, want := range []string{"250 people here", "Ann", "Bob", "and 248 more"} {
		if !strings.Contains(got, want) {
			t.Errorf("%q is not in the list:\n%s", want, got)
		}
	}
}

func TestLeaveClosesTheRoom(t *testing.T) {
	w := newWorld(t, phone, nil)
	w.client.start()
	conv := w.room("Lobby", "Ann")
	w.page().menu(fyne.NewPos(400, 20))
	tapAction(t, w, "Leave the room")
	tapAction(t, w, "Leave")
	w.settle(func() bool {
		_, err := conv.room.Send("x")
		return errors.Is(err, session.ErrClosed)
	})
	if w.client.find("Lobby") != nil {
		t.Error("the room is still listed")
	}
	if _, ok := w.client.nav.top().(*askRoomPage); !ok {
		t.Errorf("the page is a %T", w.client.nav.top())
	}
}
