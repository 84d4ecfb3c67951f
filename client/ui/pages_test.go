package ui

import (
	"errors"
	"strings"
	"testing"
	"time"

	"fyne.io/fyne/v2"
	"fyne.io/fyne/v2/driver/desktop"
	"fyne.io/fyne/v2/driver/mobile"
	"fyne.io/fyne/v2/test"

	"parley/client/session"
	"parley/shared"
)

func TestLandingSaysWhatTheServerIs(t *testing.T) {
	w := newWorld(t, phone, func(p prefs) { p.setName(""); p.setServer("") })
	w.client.start()
	p := w.client.nav.top().(*landingPage)
	if p.server.entry.Text != "localhost:8000" {
		t.Errorf("a desktop begins with %q", p.server.entry.Text)
	}
	w.settle(func() bool { return p.state.text.text == "Kitchen answers · version 1.2.3 · 3 people online" })

	for cause := range causeKeys {
		w.fault = &session.Problem{Cause: cause}
		p.ask(0)
		want := tr("cause." + string(cause))
		w.settle(func() bool { return p.state.text.text == want })
	}
	w.fault = &session.Problem{Cause: session.CauseNoSuchHost}
	p.server.entry.SetText("kitchn:8000")
	w.settle(func() bool { return p.state.text.text == tr("cause.no_such_host") })
	p.server.entry.SetText("http://")
	if p.state.text.text != tr("cause.bad_address") {
		t.Errorf("no address: %q", p.state.text.text)
	}
	p.server.entry.SetText("")
	if p.state.Visible() {
		t.Error("nothing typed, and still a state")
	}
}

func TestLandingFillsInTheEmulatorsHost(t *testing.T) {
	onPhone(t, true)
	w := newWorld(t, phone, func(p prefs) { p.setServer("") })
	w.fault = &session.Problem{Cause: session.CauseTimeout}
	w.client.nav.reset(func() page { return newLandingPage(w.client) })
	w.client.bridge.work.Wait()
	w.queue.drain()
	p := w.client.nav.top().(*landingPage)
	if p.server.entry.Text != "" {
		t.Errorf("nobody answers, and the field says %q", p.server.entry.Text)
	}
	w.fault = nil
	w.client.nav.reset(func() page { return newLandingPage(w.client) })
	p = w.client.nav.top().(*landingPage)
	w.settle(func() bool { return p.server.entry.Text == emulatorHost })
}

func TestLandingGoesOn(t *testing.T) {
	w := newWorld(t, phone, func(p prefs) { p.setName(""); p.setServer("") })
	w.client.start()
	p := w.client.nav.top().(*landingPage)
	for name, want := range map[string]string{
		"": "Please type a name.", "  ": "Please type a name.", "a/b": "A name can't have a slash.",
		strings.Repeat("x", 33): "A name has at most 32 characters.", "a\u202eb": "The name has a character that names can't have.",
	} {
		p.name.entry.SetText(name)
		p.submit()
		if p.problem.text != want || w.client.nav.top() != page(p) {
			t.Errorf("%q: %q", name, p.problem.text)
		}
	}
	p.name.entry.SetText(" Ann ")
	p.server.entry.SetText("http://192.0.2.7:8000/chat/Team%20Pizza/")
	p.submit()
	if w.client.prefs.name() != "Ann" || w.client.prefs.server() != "http://192.0.2.7:8000" {
		t.Errorf("kept %q and %q", w.client.prefs.name(), w.client.prefs.server())
	}
	if w.window.Title() != "Team Pizza – Parley" {
		t.Errorf("the link of a room leads to %q", w.window.Title())
	}
	w.client.back(false)
	if _, ok := w.client.nav.top().(*askRoomPage); !ok {
		t.Errorf("back from the room is a %T", w.client.nav.top())
	}
}

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
	if p.typing.text.text != "The message is too long." || p.composer.entry.Text == "" {
		t.Errorf("too long: %q", p.typing.text.text)
	}
	p.composer.entry.SetText("shorter")
	if p.typing.Visible() {
		t.Errorf("the complaint stays: %q", p.typing.text.text)
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
		t.Fatalf("%q is not in the menu:\n%s", label, texts(o))
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

// Back and Escape go back from everywhere, with an entry focused as well.
func TestBack(t *testing.T) {
	w := newWorld(t, phone, nil)
	w.client.start()
	w.room("Lobby", "Ann")
	canvas := w.window.Canvas()
	back := func(k fyne.KeyName) {
		if f := canvas.Focused(); f != nil {
			f.TypedKey(&fyne.KeyEvent{Name: k})
		} else {
			canvas.OnTypedKey()(&fyne.KeyEvent{Name: k})
		}
	}
	w.page().showPeople()
	back(fyne.KeyEscape)
	if canvas.Overlays().Top() != nil || len(w.client.nav.stack) != 3 {
		t.Fatal("Escape does not close just the panel")
	}
	canvas.Focus(w.page().composer.entry)
	back(mobile.KeyBack)
	p, ok := w.client.nav.top().(*askRoomPage)
	if !ok {
		t.Fatalf("back from the room is a %T", w.client.nav.top())
	}
	canvas.Focus(p.room)
	back(fyne.KeyEscape)
	if _, ok := w.client.nav.top().(*landingPage); !ok {
		t.Fatalf("back from the rooms is a %T", w.client.nav.top())
	}
	back(fyne.KeyEscape)
	if len(w.client.nav.stack) != 1 {
		t.Error("the first page is gone")
	}
}

func TestSwitcher(t *testing.T) {
	w := newWorld(t, phone, nil)
	w.client.start()
	w.room("Lobby", "Ann")
	w.room("Kitchen", "Ann")
	entry := w.page().composer.entry
	w.window.Canvas().Focus(entry)
	entry.TypedShortcut(&desktop.CustomShortcut{KeyName: fyne.KeyK, Modifier: fyne.KeyModifierControl})
	e, ok := w.window.Canvas().Focused().(interface {
		fyne.Focusable
		fyne.Shortcutable
	})
	if !ok {
		t.Fatalf("the focus is on %T", w.window.Canvas().Focused())
	}
	test.Type(e, "lob")
	if got := texts(w.window.Canvas().Overlays().Top()); !strings.Contains(got, "Lobby") || strings.Contains(got, "Kitchen") {
		t.Errorf("the switcher lists:\n%s", got)
	}
	e.TypedKey(&fyne.KeyEvent{Name: fyne.KeyReturn})
	if w.page().conv.name != "Lobby" || w.window.Canvas().Overlays().Top() != nil {
		t.Errorf("went to %q", w.page().conv.name)
	}
	w.client.showSwitcher()
	if f, ok := w.window.Canvas().Focused().(interface{ TypedKey(*fyne.KeyEvent) }); ok {
		f.TypedKey(&fyne.KeyEvent{Name: fyne.KeyReturn})
	}
	if w.page().conv.name != "Kitchen" {
		t.Errorf("Ctrl+K and Return lead to %q, not to the room before", w.page().conv.name)
	}
}

func TestWideWindowShowsTwoPanes(t *testing.T) {
	w := newWorld(t, fyne.NewSize(1100, 760), nil)
	w.client.start()
	w.room("Lobby", "Ann")
	if n := len(w.client.nav.shown); n != 2 {
		t.Fatalf("%d pages are shown", n)
	}
	if w.page().back.Visible() {
		t.Error("a room beside its list has a way back")
	}
	list, room := w.client.nav.shown[0].object(), w.page().object()
	if list.Size().Width != paneWidth || room.Position().X != paneWidth+1 || room.Size().Width != 1100-paneWidth-1 {
		t.Errorf("the list is %v wide, the room begins at %v", list.Size().Width, room.Position().X)
	}
	w.window.Resize(phone)
	if n := len(w.client.nav.shown); n != 1 || !w.page().back.Visible() && w.client.nav.wide {
		t.Errorf("in a narrow window %d pages are shown", n)
	}
}

func TestNotifications(t *testing.T) {
	w := newWorld(t, phone, nil)
	w.client.start()
	conv := w.room("Lobby", "Ann", "Bob")
	n := 100
	say := func(text string) []session.Change { n++; return appended(said(n, "Bob", text)) }

	conv.apply(say("seen by ann"))
	test.AssertNotificationSent(t, nil, func() {})
	w.client.back(false)
	test.AssertNotificationSent(t, nil, func() { conv.apply(say("not for the annual report")) })
	test.AssertNotificationSent(t, fyne.NewNotification("Bob in Lobby", "hey ANN, look"), func() { conv.apply(say("hey ANN,\nlook")) })
	w.client.setFocused(false)
	test.AssertNotificationSent(t, fyne.NewNotification("Bob in Lobby", "anybody?"), func() { conv.apply(say("anybody?")) })
	w.client.enter("Lobby")
	test.AssertNotificationSent(t, fyne.NewNotification("Bob in Lobby", "still away"), func() { conv.apply(say("still away")) })
	w.client.setFocused(true)
	if conv.unread != 0 {
		t.Errorf("%d unread after looking", conv.unread)
	}
	test.AssertNotificationSent(t, nil, func() { conv.apply(say("here again")) })
}

func TestMentions(t *testing.T) {
	for _, tc := range []struct {
		text, name string
		want       bool
	}{
		{"hi ann!", "Ann", true}, {"@Ann", "Ann", true}, {"annual", "Ann", false}, {"Joann", "Ann", false}, {"annual ann", "Ann", true},
		{"田中さん", "田中", true}, {"x", "", false}, {"łukaszu", "Łukasz", false}, {"ŁUKASZ", "Łukasz", true},
	} {
		if got := mentions(tc.text, tc.name); got != tc.want {
			t.Errorf("%q names %q: %v", tc.text, tc.name, got)
		}
	}
}

func TestSettings(t *testing.T) {
	w := newWorld(t, phone, nil)
	w.client.start()
	w.room("Lobby", "Ann")
	w.client.nav.push(func() page { return newSettingsPage(w.client) })
	p := func() *settingsPage { return w.client.nav.top().(*settingsPage) }
	p().setSize(200)
	if textScale() != 2 || w.client.prefs.percent() != 200 {
		t.Errorf("the text's factor is %v", textScale())
	}
	p().setLook(lookDark)
	if !isDark() {
		t.Error("the look is light")
	}
	p().setLanguage("de")
	if got := texts(p().object()); !strings.Contains(got, "Einstellungen") || !strings.Contains(got, "Sprache") {
		t.Errorf("the page is not in German:\n%s", got)
	}
	p().name.entry.SetText("a/b")
	if p().problem.text == "" {
		t.Error("a bad name is not told")
	}
	p().name.entry.SetText("Anna")
	w.client.back(false)
	if w.client.prefs.name() != "Anna" {
		t.Errorf("the name is %q", w.client.prefs.name())
	}
	w.client.nav.push(func() page { return newSettingsPage(w.client) })
	p().changeServer()
	if _, ok := w.client.nav.top().(*landingPage); !ok || len(w.client.open) != 0 {
		t.Error("changing the server does not lead to the first page without rooms")
	}
	if err := useLanguage("en"); err != nil {
		t.Fatal(err)
	}
}

func TestWindowSizeIsRemembered(t *testing.T) {
	w := newWorld(t, fyne.NewSize(900, 700), nil)
	w.client.start()
	w.client.close()
	if got := w.client.prefs.size(); got != fyne.NewSize(900, 700) {
		t.Errorf("the size is %v", got)
	}
}

func TestDays(t *testing.T) {
	newWorld(t, phone, nil)
	for want, at := range map[string]time.Time{
		"Today": noon.Add(-12 * time.Hour), "Yesterday": noon.Add(-13 * time.Hour),
		"Monday, March 10": noon.AddDate(0, 0, -2), "December 31, 2024": time.Date(2024, 12, 31, 8, 0, 0, 0, time.UTC),
	} {
		if got := dayName(at); got != want {
			t.Errorf("%v is %q, want %q", at, got, want)
		}
	}
	for want, d := range map[string]time.Duration{"just now": 10 * time.Second, "1 minute ago": time.Minute, "3 hours ago": 3*time.Hour + time.Minute, "2 days ago": 50 * time.Hour} {
		if got := ago(noon.Add(-d)); got != want {
			t.Errorf("%v ago is %q, want %q", d, got, want)
		}
	}
}
