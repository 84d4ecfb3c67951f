package ui

import (
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"fyne.io/fyne/v2"
	"fyne.io/fyne/v2/test"

	"parley/client/session"
	"parley/client/ui/kit"
	"parley/client/ui/lang"
	"parley/client/ui/uitest"
	"parley/shared"
)

func TestNothingIsSaidYet(t *testing.T) {
	w := newWorld(t, uitest.Phone, nil)
	w.client.start()
	conv := w.room("Lobby", "Ann")
	p := w.page()
	if !p.silence.Visible() || !strings.Contains(uitest.Texts(p.silence), "Nobody has said anything yet...\nBreak the silence!") {
		t.Error("an empty room does not say that it is empty")
	}
	if p.composer.Entry.PlaceHolder != "Send a message..." {
		t.Errorf("the entry says %q", p.composer.Entry.PlaceHolder)
	}
	if w.window.Canvas().Focused() != fyne.Focusable(p.composer.Entry) {
		t.Error("one can't type at once")
	}
	conv.Apply(uitest.Appended(uitest.Said(1, "Bob", "boo")))
	if p.silence.Visible() {
		t.Error("the silence is broken, and still on the page")
	}
}

func TestSend(t *testing.T) {
	w := newWorld(t, uitest.Phone, nil)
	w.client.start()
	conv := w.room("Lobby", "Ann")
	conv.Apply(uitest.Appended(uitest.Many(0, 60)...))
	p := w.page()
	p.list.ScrollBy(500)
	test.Type(p.composer.Entry, "hello")
	press(p.composer.Entry, fyne.KeyReturn)
	if p.composer.Entry.Text != "" || !p.list.AtEnd() {
		t.Error("the entry is not empty, or the list not at its end")
	}
	press(p.composer.Entry, fyne.KeyReturn)
	p.composer.Entry.SetText(" \n ")
	press(p.composer.Entry, fyne.KeyReturn)
	if p.composer.Entry.Text == "" {
		t.Error("a blank text was sent")
	}
	p.composer.Entry.SetText(strings.Repeat("x", shared.MaxText+1))
	press(p.composer.Entry, fyne.KeyReturn)
	if uitest.Sentence(p.typing) != "The message is 1 character too long." || p.composer.Entry.Text == "" {
		t.Errorf("too long: %q", uitest.Sentence(p.typing))
	}
	p.composer.Entry.SetText("shorter")
	if p.typing.Visible() {
		t.Errorf("the complaint stays: %q", uitest.Sentence(p.typing))
	}
}

// The conversation scrolls from the keyboard while one can type.
func TestPageKeysScroll(t *testing.T) {
	w := newWorld(t, uitest.Phone, nil)
	w.client.start()
	conv := w.room("Lobby", "Ann")
	conv.Apply(uitest.Appended(uitest.Many(0, 100)...))
	p := w.page()
	end := p.list.Offset
	press(p.composer.Entry, fyne.KeyPageUp)
	if moved := end - p.list.Offset; moved < p.list.Size().Height/2 || moved > p.list.Size().Height {
		t.Errorf("PageUp moved %v of %v", moved, p.list.Size().Height)
	}
	press(p.composer.Entry, fyne.KeyPageDown)
	if p.list.Offset != end {
		t.Errorf("PageDown leads to %v, not to %v", p.list.Offset, end)
	}
}

func TestDraftIsKeptPerRoom(t *testing.T) {
	w := newWorld(t, uitest.Phone, nil)
	w.client.start()
	w.room("Lobby", "Ann")
	test.Type(w.page().composer.Entry, "half a sen")
	w.room("Kitchen", "Ann")
	if got := w.page().composer.Entry.Text; got != "" {
		t.Errorf("another room's draft: %q", got)
	}
	w.client.enter("lobby")
	if got := w.page().composer.Entry.Text; got != "half a sen" {
		t.Errorf("the draft is %q", got)
	}
}

func TestNewSinceYouLeft(t *testing.T) {
	w := newWorld(t, uitest.Phone, nil)
	w.client.start()
	conv := w.room("Lobby", "Ann", "Bob")
	conv.Apply(uitest.Appended(uitest.Many(0, 5)...))
	if conv.Unread != 0 || conv.Timeline.Fresh != "" {
		t.Error("what was seen counts as unread")
	}
	w.client.back(false)
	conv.Apply(uitest.Appended(uitest.Own(10, "from the page"), uitest.Said(11, "Bob", "one"), uitest.Said(12, "Bob", "two")))
	if conv.Unread != 2 {
		t.Errorf("%d unread", conv.Unread)
	}
	w.client.enter("Lobby")
	if conv.Unread != 0 || conv.Timeline.Fresh != "id11" {
		t.Errorf("unread %d, the line is above %q", conv.Unread, conv.Timeline.Fresh)
	}
	if !strings.Contains(uitest.Texts(w.page().object()), "New since you left") {
		t.Error("the line is not on the page")
	}
	w.client.setFocused(false)
	w.client.setFocused(true)
	if conv.Timeline.Fresh != "id11" {
		t.Error("the line goes when the window is left and comes back")
	}
	w.client.back(false)
	w.client.enter("Lobby")
	if conv.Timeline.Fresh != "" || strings.Contains(uitest.Texts(w.page().object()), "New since you left") {
		t.Error("the line stays after everything was seen")
	}
}

// What came while the app was away stands below the line, too.
func TestNewSinceTheLastVisit(t *testing.T) {
	w := newWorld(t, uitest.Phone, nil)
	w.client.start()
	w.client.enter("Lobby")
	conv := w.client.find("Lobby")
	conv.Apply([]session.Change{{Kind: session.Reset, Items: uitest.Many(0, 3)}})
	conv.Apply(uitest.Appended(uitest.Said(10, "Bob", "while you were away")))
	if conv.Timeline.Fresh != "id10" {
		t.Errorf("the line is above %q", conv.Timeline.Fresh)
	}
	first := w.room("First visit", "Ann")
	first.Apply(uitest.Appended(uitest.Many(20, 5)...))
	if first.Timeline.Fresh != "" {
		t.Error("a first visit has a line")
	}
}

// What was kept of an earlier run and not seen then stands below the line.
func TestNewSinceTheLastRun(t *testing.T) {
	w := newWorld(t, uitest.Phone, nil)
	w.client.start()
	w.client.enter("Lobby")
	conv := w.client.find("Lobby")
	conv.Stored = 2
	conv.Apply([]session.Change{{Kind: session.Reset, Items: []session.Item{uitest.Said(1, "Bob", "a"), uitest.Said(2, "Bob", "b"), uitest.Own(3, "c"), uitest.Said(4, "Bob", "d")}}})
	if conv.Timeline.Fresh != "id2" || !strings.Contains(uitest.Texts(w.page().object()), "New since you left") {
		t.Errorf("the line is above %q", conv.Timeline.Fresh)
	}
}

func TestBanner(t *testing.T) {
	w := newWorld(t, uitest.Phone, nil)
	w.client.start()
	conv := w.room("Lobby", "Ann")
	p := w.page()
	status := func(s session.Status) string {
		conv.Apply([]session.Change{{Kind: session.StatusChanged, Status: s}})
		if !p.banner.Visible() {
			return ""
		}
		return p.banner.text.Text
	}
	for _, tc := range []struct {
		status session.Status
		want   string
		sub    string
	}{
		{session.Status{State: session.Connected}, "", "1 person here"},
		{session.Status{State: session.Connecting}, "", "Connecting…"},
		{session.Status{State: session.Disconnected, Cause: session.CauseLost, RetryAt: uitest.Noon.Add(4200 * time.Millisecond)},
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
		if p.sub.Text != tc.sub {
			t.Errorf("%+v: the header says %q, want %q", tc.status, p.sub.Text, tc.sub)
		}
	}
}

// A device that can't save says so, and what to do, until it can: with and without a
// connection. The window does not close meanwhile without a question.
func TestStoreFails(t *testing.T) {
	w := newWorld(t, uitest.Phone, nil)
	w.client.start()
	conv := w.room("Lobby", "Ann")
	p := w.page()
	full := fmt.Errorf("%w: in a test", session.ErrNoSpace)
	for _, tc := range []struct {
		status session.Status
		err    error
		want   string
	}{
		{session.Status{State: session.Connected}, errors.New("blocked"), lang.T("banner.save")},
		{session.Status{State: session.Connected}, full, lang.T("banner.full")},
		{session.Status{State: session.Disconnected, Cause: session.CauseLost}, full, lang.T("banner.full")},
		{session.Status{State: session.Closed, Cause: session.CauseRemoved}, full, "You were removed from the room. Tap to try again.\n" + lang.T("banner.full")},
	} {
		conv.Apply([]session.Change{{Kind: session.StoreFailed, Err: tc.err}, {Kind: session.StatusChanged, Status: tc.status}})
		if p.banner.text.Text != tc.want || p.banner.Hidden {
			t.Errorf("the banner says %q, not %q", p.banner.text.Text, tc.want)
		}
	}
	window := &openWindow{Window: w.window}
	w.client.window = window
	w.client.quit()
	w.client.quit() // again
	if len(w.window.Canvas().Overlays().List()) != 1 || window.closed {
		t.Fatal("the window closes without a question")
	}
	tapAction(t, w, lang.T("composer.cancel"))
	conv.Apply([]session.Change{{Kind: session.StoreFailed}, {Kind: session.StatusChanged, Status: session.Status{State: session.Connected}}})
	if !p.banner.Hidden {
		t.Errorf("the banner says %q", p.banner.text.Text)
	}
	if w.client.quit(); !window.closed {
		t.Error("the window asks although all is saved")
	}
}

// openWindow stays open, and notes that it was to close.
type openWindow struct {
	fyne.Window
	closed bool
}

func (w *openWindow) Close() { w.closed = true }

// In large letters the banner says only why, so that the room stays in sight.
func TestBannerInLargeLetters(t *testing.T) {
	w := newWorld(t, fyne.NewSize(320, 560), func(p prefs) { p.setPercent(200) })
	w.client.start()
	conv := w.room("Lobby", "Ann")
	conv.Apply([]session.Change{{Kind: session.StatusChanged,
		Status: session.Status{State: session.Disconnected, Cause: session.CauseRefused, RetryAt: uitest.Noon.Add(3 * time.Second)}}})
	if b := w.page().banner; b.text.Text != lang.T("cause.refused") || b.Fit(320) > 560/3 {
		t.Errorf("the banner is %v high and says %q", b.Fit(320), b.text.Text)
	}
}

// The countdown goes on by itself.
func TestBannerCountsDown(t *testing.T) {
	w := newWorld(t, uitest.Phone, nil)
	w.client.start()
	conv := w.room("Lobby", "Ann")
	conv.Apply([]session.Change{{Kind: session.StatusChanged,
		Status: session.Status{State: session.Disconnected, Cause: session.CauseLost, RetryAt: uitest.Noon.Add(3 * time.Second)}}})
	w.set(func() { w.now = uitest.Noon.Add(2 * time.Second) })
	w.settle(func() bool { return strings.Contains(w.page().banner.text.Text, "in 1 s") })
}

func TestTypingLine(t *testing.T) {
	w := newWorld(t, uitest.Phone, nil)
	w.client.start()
	conv := w.room("Lobby", "Ann", "Bob")
	for want, names := range map[string][]string{
		"": nil, "Bob is typing…": {"Bob"}, "Bob and Cleo are typing…": {"Bob", "Cleo"}, "Several people are typing…": {"Bob", "Cleo", "Dan"},
	} {
		conv.Apply([]session.Change{{Kind: session.TypingChanged, Typing: names}})
		if got := uitest.Sentence(w.page().typing); got != want {
			t.Errorf("%v: %q", names, got)
		}
	}
}

// press types keys.
func press(e fyne.Focusable, names ...fyne.KeyName) {
	for _, n := range names {
		e.TypedKey(&fyne.KeyEvent{Name: n})
	}
}

// tapAction taps a line of the menu that is open.
func tapAction(t *testing.T, w *world, label string) {
	t.Helper()
	o := w.window.Canvas().Overlays().Top()
	if o == nil {
		t.Fatalf("no menu for %q", label)
	}
	tapText(t, o, label)
}

// tapText taps the tile with a text.
func tapText(t *testing.T, o fyne.CanvasObject, label string) {
	t.Helper()
	var found *kit.Tile
	var last *kit.Tile
	uitest.Walk(o, func(v uitest.Seen) {
		if tile, ok := v.Object.(*kit.Tile); ok {
			last = tile
		}
		if v.Text != nil && strings.TrimPrefix(v.Text.Text, uitest.Strut) == label {
			found = last
		}
	})
	if found == nil {
		t.Fatalf("%q is not there:\n%s", label, uitest.Texts(o))
	}
	test.Tap(found)
}

func TestMessageMenu(t *testing.T) {
	w := newWorld(t, uitest.Phone, nil)
	w.client.start()
	conv := w.room("Lobby", "Ann", "Bob")
	refused := uitest.Own(2, "too bold")
	refused.Delivery, refused.Code, refused.Reason = session.Failed, shared.CodeNotAllowed, "Only moderators may write here."
	conv.Apply(uitest.Appended(uitest.Said(1, "Bob", "see https://example.org/x \x1b[31m"), refused))
	p := w.page()
	if !strings.Contains(strings.ReplaceAll(uitest.Texts(p.object()), "\n", " "), "Only moderators may write here. Tap to retry.") {
		t.Errorf("the reason is not on the page:\n%s", uitest.Texts(p.object()))
	}

	p.list.TappedSecondary(&fyne.PointEvent{Position: uitest.Where(t, p.list, "https:")})
	tapAction(t, w, "Copy")
	if got := w.app.Clipboard().Content(); got != "see https://example.org/x \x1b[31m" {
		t.Errorf("copied %q", got)
	}
	p.list.TappedSecondary(&fyne.PointEvent{Position: uitest.Where(t, p.list, "https:")})
	tapAction(t, w, "Copy the link")
	if got := w.app.Clipboard().Content(); got != "https://example.org/x" {
		t.Errorf("copied %q", got)
	}
	if w.window.Canvas().Overlays().Top() != nil {
		t.Error("the menu stays")
	}

	p.list.Tapped(&fyne.PointEvent{Position: uitest.Where(t, p.list, "retry")})
	for _, want := range []string{"Send again", "Edit", "Copy", "Discard"} {
		if got := uitest.Texts(w.window.Canvas().Overlays().Top()); !strings.Contains(got, want) {
			t.Errorf("%q is not in the menu:\n%s", want, got)
		}
	}
	tapAction(t, w, "Edit")
	if p.composer.Entry.Text != "too bold" {
		t.Errorf("to edit: %q", p.composer.Entry.Text)
	}
}

func TestPeople(t *testing.T) {
	w := newWorld(t, uitest.Phone, nil)
	w.client.start()
	conv := w.room("Lobby", "Ann", "Bob", "Łukasz")
	conv.Apply([]session.Change{{Kind: session.PeopleChanged, People: []string{"Ann", "Bob"}, Count: 250}})
	w.people()
	got := uitest.Texts(w.window.Canvas().Overlays().Top())
	for _, want := range []string{"250 people here", "Ann", "Bob", "and 248 more"} {
		if !strings.Contains(got, want) {
			t.Errorf("%q is not in the list:\n%s", want, got)
		}
	}
}

func TestLeaveClosesTheRoom(t *testing.T) {
	w := newWorld(t, uitest.Phone, nil)
	w.client.start()
	conv := w.room("Lobby", "Ann")
	w.page().menu(fyne.NewPos(400, 20))
	tapAction(t, w, "Leave the room")
	tapAction(t, w, "Leave")
	w.settle(func() bool {
		_, err := conv.Session.Send("x")
		return errors.Is(err, session.ErrClosed)
	})
	if w.client.find("Lobby") != nil {
		t.Error("the room is still listed")
	}
	if _, ok := w.client.nav.top().(*askRoomPage); !ok {
		t.Errorf("the page is a %T", w.client.nav.top())
	}
}
