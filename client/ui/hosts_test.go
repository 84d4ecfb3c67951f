package ui

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"fyne.io/fyne/v2"
	"fyne.io/fyne/v2/driver/desktop"
	"fyne.io/fyne/v2/test"

	"parley/client/session"
	"parley/client/ui/conversation"
	"parley/client/ui/lang"
	"parley/client/ui/uitest"
	"parley/shared"
)

// noticed makes a notice of what Grace Hopper, a host, did.
func noticed(n int, do, about string) session.Item {
	item := uitest.Said(n, "Grace Hopper", "")
	item.Kind, item.By = session.KindNotice, "grace"
	item.Notice = &session.Notice{Do: do, About: about}
	if about != "" {
		item.Notice.Whom = "by " + about
	}
	return item
}

func hasSet(n int, s shared.Settings) session.Item {
	item := noticed(n, shared.DoSet, "")
	item.Notice.Settings = s
	return item
}

// hostedRoom enters a room in which these rules hold.
func (w *world) hostedRoom(change func(*session.Hosting), items ...session.Item) *roomPage {
	w.t.Helper()
	p := w.ableRoom(items...)
	h := session.Hosting{Rules: session.Rules{Can: true, Settings: shared.OpenSettings()}}
	change(&h)
	p.conv.Apply([]session.Change{{Kind: session.HostingChanged, Hosting: h}})
	return p
}

func isHost(h *session.Hosting) { h.Host = true }

func onlyHosts(h *session.Hosting) { h.Settings.Write = shared.WhoHosts }

// aClass is what a class reads after its host had to do something.
func aClass() []session.Item {
	return []session.Item{
		noticed(1, shared.DoOpen, ""), uitest.Said(2, "Grace Hopper", "Good morning! Please read the first page of the hand-out."),
		uitest.By("bob", uitest.Said(3, "Bob", "BOO")), deleted(uitest.Said(4, "Bob", "x")), deleted(uitest.Said(5, "Bob", "x")),
		noticed(6, shared.DoDeleteAll, "Bob"), noticed(7, shared.DoRemove, "Bob"), noticed(8, shared.DoRemove, "Bobby Tables"),
		noticed(9, shared.DoRemove, "Somebody With A Very Long Name"), hasSet(10, shared.Settings{Write: shared.WhoHosts, Door: shared.DoorKnown}),
		uitest.By("lu", uitest.Said(11, "Łukasz", "Which page?")), uitest.Own(12, "The first one."),
	}
}

func (w *world) roles(list ...session.Role) {
	w.page().conv.Apply([]session.Change{{Kind: session.RolesTold, Roles: &session.Roles{List: list}}})
}

func someRoles() []session.Role {
	at := uitest.Noon.Add(-time.Hour)
	return []session.Role{
		{Do: shared.DoRemove, Name: "Bob", Whom: "bob", By: "Grace Hopper", Since: at},
		{Do: shared.DoSilence, Name: "Somebody With A Very Long Name", Whom: "some", Since: at.Add(-time.Hour)},
		{Do: shared.DoHost, Name: "Grace Hopper", Whom: "grace"}, {Do: shared.DoHost, Name: "Ann", Whom: "ann"},
	}
}

func pinnedItem() *session.Item {
	item := uitest.Said(2, "Grace Hopper", "Good morning! Please read the first page of the hand-out, and then the second one.")
	return &item
}

func init() {
	scenes = append(scenes, []scene{
		{"notices", func(w *world) {
			w.hostedRoom(func(h *session.Hosting) { h.Pin, h.Pinned = pinnedItem(), 2 }, aClass()...)
		}},
		{"quiet", func(w *world) {
			w.hostedRoom(func(h *session.Hosting) { onlyHosts(h); h.Pin, h.Pinned = pinnedItem(), 2 }, aClass()...)
		}},
		{"host-menu", func(w *world) { w.menuOf(w.hostedRoom(isHost, aClass()...), "Which page") }},
		{"host-person", func(w *world) { showPerson(w.hostedRoom(isHost, aClass()...), person{"Łukasz", "id11", "lu"}) }},
		{"host-remove", func(w *world) {
			askToAct(w.hostedRoom(isHost, aClass()...), lang.T("act.remove.ask", "name", "Łukasz"), lang.T("act.remove"), session.Act{})
		}},
		{"host-sheet", func(w *world) {
			showHostSheet(w.hostedRoom(func(h *session.Hosting) { isHost(h); onlyHosts(h); h.Settings.Door = shared.DoorKnown }, aClass()...))
			w.roles(someRoles()...)
		}},
		{"host-sheet-barred", func(w *world) {
			showHostSheet(w.hostedRoom(isHost, aClass()...))
			w.roles(someRoles()...)
			uitest.Walk(w.window.Canvas().Overlays().Top(), func(v uitest.Seen) {
				if s, ok := v.Object.(fyne.Scrollable); ok {
					s.Scrolled(&fyne.ScrollEvent{Scrolled: fyne.NewDelta(0, -5000)})
				}
			})
		}},
		{"removed", func(w *world) {
			p := w.hostedRoom(func(*session.Hosting) {}, aClass()...)
			p.conv.Apply([]session.Change{{Kind: session.StatusChanged, Status: session.Status{State: session.Closed, Cause: session.CauseRemoved,
				Detail: "Grace Hopper has removed you from this room."}}})
		}},
	}...)
}

// What is offered depends on who is host, and on what one may.
func TestMenuOfAHost(t *testing.T) {
	w := newWorld(t, uitest.Phone, nil)
	p := w.ableRoom()
	theirs, mine := uitest.Said(1, "Bob", "theirs"), uitest.Own(2, "mine")
	pending := uitest.Own(3, "on its way")
	pending.Delivery = session.Pending
	for _, tc := range []struct {
		what  string
		item  session.Item
		rules func(*session.Hosting)
		want  string
	}{
		{"another's, as a host", theirs, isHost, "Reply, Copy, Select text, Pin to the top, Bob…, Delete"},
		{"the pinned one, as a host", theirs, func(h *session.Hosting) { isHost(h); h.Pinned = 1 }, "Reply, Copy, Select text, Take down from the top, Bob…, Delete"},
		{"one's own, as a host", mine, isHost, "Reply, Edit, Copy, Select text, Delete, Pin to the top"},
		{"one on its way, as a host", pending, isHost, "Reply, Edit, Copy, Select text, Delete"},
		{"as a host of a quiet room", theirs, func(h *session.Hosting) { isHost(h); onlyHosts(h) }, "Reply, Copy, Select text, Pin to the top, Bob…, Delete"},
		{"in a quiet room", theirs, onlyHosts, "Copy, Select text"},
		{"one's own, in a quiet room", mine, onlyHosts, "Copy, Select text, Delete"},
		{"silenced", theirs, func(h *session.Hosting) { h.Silenced = "Grace" }, "Copy, Select text"},
	} {
		p.conv.Hosting = session.Hosting{Rules: session.Rules{Can: true, Settings: shared.OpenSettings()}}
		tc.rules(&p.conv.Hosting)
		var labels []string
		for _, a := range p.actions(tc.item, "") {
			labels = append(labels, a.Label)
		}
		if got := strings.Join(labels, ", "); got != tc.want {
			t.Errorf("%s: %s, want %s", tc.what, got, tc.want)
		}
	}
}

// While one may not write, the place of the composer says why; what was written comes
// back with it, and messages are chosen from the keyboard as before.
func TestQuietComposer(t *testing.T) {
	w := newWorld(t, uitest.Phone, nil)
	p := w.hostedRoom(func(*session.Hosting) {}, uitest.Said(1, "Bob", "one"), uitest.Said(2, "Bob", "two"))
	rule := func(change func(*session.Hosting)) {
		h := session.Hosting{Rules: session.Rules{Can: true, Settings: shared.OpenSettings()}}
		change(&h)
		p.conv.Apply([]session.Change{{Kind: session.HostingChanged, Hosting: h}})
	}
	canvas := w.window.Canvas()
	test.Type(p.composer.Entry, "half a sen")
	rule(onlyHosts)
	footer := func() string { return uitest.Sentence(p.root) }
	if s := footer(); !strings.Contains(s, "Only hosts write here now.") || strings.Contains(s, "half a sen") {
		t.Errorf("a quiet room reads %q", s)
	}
	if canvas.Focused() == fyne.Focusable(p.composer.Entry) {
		t.Error("what is typed goes into what is not in sight")
	}
	canvas.OnTypedRune()('x')
	press(p.quiet, fyne.KeyReturn)
	p.quiet.TypedShortcut(&desktop.CustomShortcut{KeyName: fyne.KeyUp, Modifier: fyne.KeyModifierShortcutDefault})
	press(p.quiet, fyne.KeyReturn)
	if top := canvas.Overlays().Top(); top == nil || !strings.Contains(uitest.Sentence(top), "Copy") {
		t.Error("no message's menu opens from the keyboard")
	}
	w.client.back(false)
	p.composer.Begin(&conversation.Task{Edit: true, Of: uitest.Own(9, "mine"), Written: "mime"})
	rule(func(h *session.Hosting) { h.Silenced = "Grace" })
	if task := p.composer.Task(); task == nil || task.Written != "mime" {
		t.Errorf("a begun edit is %+v", task)
	}
	p.composer.End()
	if s := footer(); !strings.Contains(s, "Grace has silenced you. You can read, but not write.") {
		t.Errorf("who is silenced reads %q", s)
	}
	rule(func(h *session.Hosting) { slow := 90; h.Settings.Slow = &slow })
	if p.composer.Entry.Text != "half a sen" || p.quiet.Visible() || !p.composer.Visible() {
		t.Errorf("afterwards the composer has %q", p.composer.Entry.Text)
	}
	if hint := p.composer.Entry.PlaceHolder; hint != "Slow mode: 90 s between two messages." {
		t.Errorf("the hint is %q", hint)
	}
	if draft := p.conv.Session.Draft(); draft != "half a sen" {
		t.Errorf("the draft is %q", draft)
	}
}

// The pinned message is a line that leads to it, and goes with it.
func TestPinnedLine(t *testing.T) {
	w := newWorld(t, uitest.Phone, nil)
	p := w.hostedRoom(func(h *session.Hosting) { h.Pin, h.Pinned = pinnedItem(), 2 }, append([]session.Item{*pinnedItem()}, uitest.Many(10, 60)...)...)
	if s := uitest.Sentence(p.pinned); !strings.Contains(s, "Grace Hopper: Good morning!") {
		t.Fatalf("the line reads %q", s)
	}
	test.Tap(p.pinned.Tile)
	if _, seen := p.list.InSight()["id2"]; !seen {
		t.Errorf("the tap leads to %v", p.list.InSight())
	}
	p.conv.Apply([]session.Change{{Kind: session.HostingChanged, Hosting: session.Hosting{Rules: session.Rules{Can: true}}}})
	if p.pinned.Visible() {
		t.Error("the line stays")
	}
}

// A host's sheet lists more at a tap, and keeps the focus while it is drawn again.
func TestHostSheet(t *testing.T) {
	w := newWorld(t, uitest.Phone, nil)
	p := w.hostedRoom(isHost)
	showHostSheet(p)
	var roles []session.Role
	for i := range 30 {
		roles = append(roles, session.Role{Do: shared.DoRemove, Name: fmt.Sprint("Pupil ", i), Whom: fmt.Sprint(i)})
	}
	w.roles(roles...)
	listed := func() int { return strings.Count(uitest.Texts(p.hosts.body), "Let in again") }
	if listed() != listedRoles {
		t.Errorf("%d are listed", listed())
	}
	tapAction(t, w, lang.T("host.more"))
	if listed() != len(roles) {
		t.Errorf("%d are listed", listed())
	}
	canvas := w.window.Canvas()
	canvas.FocusNext()
	canvas.FocusNext()
	if canvas.Focused() == nil {
		t.Fatal("nothing has the focus")
	}
	before := uitest.Sentence(canvas.Focused().(fyne.CanvasObject))
	w.roles(roles[:3]...)
	if focused, ok := canvas.Focused().(fyne.CanvasObject); !ok || uitest.Sentence(focused) != before || listed() != 3 {
		t.Errorf("the focus went from %q to %T", before, canvas.Focused())
	}
}

// A link with the operator's key asks, also if its room is open, and no secret stays in
// the field.
func TestLinkOfAHost(t *testing.T) {
	w := newWorld(t, uitest.Phone, nil)
	w.client.start()
	w.room("Lobby", "Ann")
	w.client.handed("http://192.0.2.1:8000/r/Lobby#host=" + strings.Repeat("A", 26))
	if !strings.Contains(w.question(), "Go to “Lobby”?") {
		t.Fatalf("asked is %q", w.question())
	}
	var opened []session.Config
	open := w.client.net.open
	w.client.net.open = func(c session.Config) *session.Room { opened = append(opened, c); return open(c) }
	w.client.leaveAll()
	tapAction(t, w, lang.T("moved.go"))
	w.settle(func() bool { return len(opened) > 0 })
	if opened[0].HostKey != strings.Repeat("A", 26) {
		t.Errorf("the room is opened with %+v", opened[0])
	}
	for _, s := range w.client.nav.stack {
		if l, ok := s.page.(*landingPage); ok && strings.Contains(l.server.Entry.Text, "AAAA") {
			t.Errorf("the field keeps %q", l.server.Entry.Text)
		}
	}
}

// TestRoomThatLooksAlike says that there is another room whose name looks the same.
func TestRoomThatLooksAlike(t *testing.T) {
	w := newWorld(t, uitest.Phone, nil)
	w.hostedRoom(func(h *session.Hosting) { h.Like = "Lobby" })
	if toast := w.client.nav.toast; !toast.Visible() || w.said() != "There is also a room Lobby, which looks like this one. This one is new." {
		t.Errorf("said %q", w.said())
	}
}

// A room with a host needs no passphrase, unless it is to be hidden; who is too late to
// host it is told.
func TestOpeningAsHost(t *testing.T) {
	w := newWorld(t, uitest.Phone, nil)
	w.client.start()
	var opened session.Config
	open := w.client.net.open
	w.client.net.open = func(c session.Config) *session.Room { opened = c; return open(c) }
	showLock(w.client.client, "Class")
	tapAction(t, w, lang.T("host.ask"))
	tapAction(t, w, lang.T("lock.hidden"))
	tapAction(t, w, lang.T("key.enter"))
	if !strings.Contains(w.question(), "8 to 128 characters") {
		t.Errorf("a hidden room without a passphrase: %q", w.question())
	}
	tapAction(t, w, lang.T("lock.hidden"))
	tapAction(t, w, lang.T("key.enter"))
	if w.question() != "" || !opened.Host || opened.Key != "" || opened.Room != "Class" {
		t.Fatalf("opened is %+v; %q", opened, w.question())
	}
	w.page().conv.Apply([]session.Change{{Kind: session.HostingChanged, Hosting: session.Hosting{Late: true}}})
	if s := uitest.Sentence(w.client.nav); !strings.Contains(s, "The room was open already, so you are not its host.") {
		t.Errorf("who is too late reads %q", s)
	}
}
