package ui

import (
	"slices"
	"strings"
	"testing"

	"fyne.io/fyne/v2"
	"fyne.io/fyne/v2/driver/desktop"
	"fyne.io/fyne/v2/test"

	"parley/client/session"
	"parley/client/ui/conversation"
	"parley/client/ui/uitest"
	"parley/shared"
	"parley/shared/find"
)

// able is a server that knows of changes and searches.
var able = session.Status{State: session.Connected, CanChange: true, CanSearch: true}

// ableRoom enters a room on such a server.
func (w *world) ableRoom(items ...session.Item) *roomPage {
	w.t.Helper()
	w.client.start()
	conv := w.room("Team Pizza", "Ann", "Bob", "Bobby Tables", "Grace Hopper")
	conv.Apply(append([]session.Change{{Kind: session.StatusChanged, Status: able}}, uitest.Appended(items...)...))
	return w.page()
}

func deleted(item session.Item) session.Item {
	item.Text, item.Deleted = "", true
	return item
}

// changedItems are messages with all that can be done to them.
func changedItems() []session.Item {
	edited := uitest.Own(3, "At the west gate, at eight")
	edited.Edited = true
	edited.Reactions = []session.Reaction{{Emoji: "👍", Count: 3}, {Emoji: "❤️", Count: 1}, {Emoji: "🎉", Count: 12}}
	answer := uitest.Said(4, "Bob", "See you there, Ann!")
	answer.Quote = &session.Quote{Offset: 3, User: "Ann", Text: "At the west gate, at eight, and whoever comes late finds us at the table near the oven"}
	answer.Reactions, answer.Reacted = []session.Reaction{{Emoji: "😂", Count: 2}}, "😂"
	code := uitest.Said(8, "Grace Hopper", "The oven wants:\n```\nfunc bake(at int) {\n    heat(at, \"a line that is much longer than any phone is wide\")\n}\n```\nand nothing else")
	gone := uitest.Own(9, "And what did it say?")
	gone.Quote = &session.Quote{Offset: 5, User: "Bob"}
	return []session.Item{uitest.Said(1, "Grace Hopper", "Where do we meet?"), edited, answer, deleted(uitest.Said(5, "Bob", "x")),
		deleted(uitest.Said(6, "Bob", "x")), deleted(uitest.Own(7, "x")), code, gone}
}

func init() {
	scenes = append(scenes, []scene{
		{"changed", func(w *world) { w.ableRoom(changedItems()...) }},
		{"message-menu", func(w *world) {
			l := w.ableRoom(uitest.Said(1, "Bob", "Who?"), uitest.Own(2, "I noticed.")).list
			l.TappedSecondary(&fyne.PointEvent{Position: uitest.Where(w.t, l, "noticed")})
		}},
		{"reply", func(w *world) {
			p := w.ableRoom(changedItems()...)
			item, _ := p.conv.Timeline.Message("id8")
			p.begin(&conversation.Task{Of: item})
			test.Type(p.composer.Entry, "Yes, @Bo")
		}},
		{"find", func(w *world) {
			p := w.ableRoom(changedItems()...)
			p.showFind()
			p.search.entry.SetText("gate")
			p.search.begin()
			p.found(session.Search{Text: "gate", More: true, Next: 1, Hits: []session.Item{uitest.Own(3, "At the west gate, at eight"),
				uitest.Said(2, "Grace Brewster Murray Hopper", strings.Repeat("Nobody knows the way. ", 9)+"The gate is open.")}})
		}},
		{"excerpt", func(w *world) {
			p := w.ableRoom()
			p.reached(session.Excerpt{Offset: 12, Items: uitest.Many(1, 30)})
		}},
		{"delete", func(w *world) {
			p := w.ableRoom()
			askToDelete(p.client, p.conv, uitest.Own(1, "I noticed."))
		}},
		{"who", func(w *world) {
			p := w.ableRoom(changedItems()...)
			p.who = "id3"
			p.tellWho(session.Who{ID: "id3", Names: []session.Names{{Emoji: "👍", Users: []string{"Bob", "Grace Brewster Murray Hopper", "Łukasz"}}, {Emoji: "❤️", Users: []string{"Bobby Tables"}}}})
		}},
	}...)
}

func (w *world) menuOf(p *roomPage, part string) {
	w.t.Helper()
	p.list.TappedSecondary(&fyne.PointEvent{Position: uitest.Where(w.t, p.list, part)})
}

// What is offered depends on the message, and on what the server can.
func TestMenuOffersWhatCanBeDone(t *testing.T) {
	w := newWorld(t, uitest.Phone, nil)
	failed := uitest.Own(4, "failed")
	failed.Delivery = session.Failed
	p := w.ableRoom(uitest.Said(1, "Bob", "theirs"), uitest.Own(2, "mine"), failed)
	offered := func(item session.Item) string {
		var labels []string
		for _, a := range p.actions(item, "") {
			labels = append(labels, a.Label)
		}
		return strings.Join(labels, ", ")
	}
	for _, tc := range []struct {
		what   string
		item   session.Item
		status session.Status
		want   string
	}{
		{"another's", uitest.Said(1, "Bob", "theirs"), able, "Reply, Copy, Select text"},
		{"one's own", uitest.Own(2, "mine"), able, "Reply, Edit, Copy, Select text, Delete"},
		{"one that was refused", failed, able, "Send again, Edit, Copy, Select text, Discard"},
		{"one's own on an older server", uitest.Own(2, "mine"), session.Status{State: session.Connected}, "Copy, Select text"},
	} {
		p.conv.Status = tc.status
		if got := offered(tc.item); got != tc.want {
			t.Errorf("of %s: %s, want %s", tc.what, got, tc.want)
		}
	}
	reactions := func() (n int) {
		w.menuOf(p, "theirs")
		for _, e := range shared.Emojis {
			if strings.Contains(uitest.Texts(w.window.Canvas().Overlays().Top()), e) {
				n++
			}
		}
		w.client.back(false)
		return n
	}
	if n := reactions(); n != 0 {
		t.Errorf("an older server is offered %d reactions", n)
	}
	p.conv.Status = able
	if n := reactions(); n != len(shared.Emojis) {
		t.Errorf("%d reactions are offered", n)
	}
}

// The text of an edit that came to nothing is not lost.
func TestRefusedEdit(t *testing.T) {
	w := newWorld(t, uitest.Phone, nil)
	p := w.ableRoom(uitest.Own(1, "mine"))
	undo := []session.Change{{Kind: session.Undone, Undo: &session.Undo{ID: "id1", Did: session.DidEdit, Text: "my text", Code: shared.CodeNotAllowed, Reason: "No."}}}
	p.conv.Apply(undo)
	if s := uitest.Texts(w.client.nav); !strings.Contains(s, "You can't change this message any more.") {
		t.Errorf("nothing says why:\n%s", s)
	}
	if p.composer.Entry.Text != "my text" {
		t.Errorf("the composer has %q", p.composer.Entry.Text)
	}
	p.composer.Entry.SetText("something else")
	p.conv.Apply(undo)
	if o := w.window.Canvas().Overlays().Top(); o == nil || !strings.Contains(uitest.Texts(o), "my text") || p.composer.Entry.Text != "something else" {
		t.Error("the text is lost, or what was being written")
	}
	w.client.back(false)
	// A message that goes while it is edited.
	item, _ := p.conv.Timeline.Message("id1")
	p.beginEdit(item)
	p.composer.Entry.SetText("better")
	p.conv.Apply([]session.Change{{Kind: session.Update, Index: 0, Items: []session.Item{deleted(item)}}})
	press(p.composer.Entry, fyne.KeyReturn)
	if o := w.window.Canvas().Overlays().Top(); o == nil || !strings.Contains(uitest.Texts(o), "better") {
		t.Error("the text of the edit is lost")
	}
	if p.composer.Entry.Text != "something else" || p.composer.Task() != nil || uitest.Sentence(p.typing) != "The message is not there any more." {
		t.Errorf("%q: %q", p.composer.Entry.Text, uitest.Sentence(p.typing))
	}
}

// Ctrl+F finds messages, goes on from there, and leads to a hit.
func TestFind(t *testing.T) {
	w := newWorld(t, uitest.Phone, nil)
	p := w.ableRoom(uitest.Many(1, 60)...)
	p.composer.Entry.TypedShortcut(&desktop.CustomShortcut{KeyName: fyne.KeyF, Modifier: fyne.KeyModifierControl})
	panel := w.window.Canvas().Overlays().Top()
	if panel == nil || w.window.Canvas().Focused() != fyne.Focusable(p.search.entry) {
		t.Fatal("Ctrl+F does not open the search")
	}
	says := func(want string) {
		t.Helper()
		if s := uitest.Texts(panel); !strings.Contains(s, want) {
			t.Errorf("it does not say %q:\n%s", want, s)
		}
	}
	search := func(s string) {
		p.search.entry.SetText(s)
		press(p.search.entry, fyne.KeyReturn)
	}
	search(strings.Repeat("x", shared.MaxSearch+1))
	says("Search for 64 characters at most.")
	search("gate")
	says("Searching…")
	p.conv.Apply([]session.Change{{Kind: session.Found, Search: &session.Search{Text: "an older question", Hits: uitest.Many(1, 1)}}})
	says("Searching…")
	p.conv.Apply([]session.Change{{Kind: session.Found, Search: &session.Search{Text: "gate", More: true, Next: 30, Hits: []session.Item{uitest.Said(40, "Bob", "the gate")}}}})
	says("the gate")
	tapAction(t, w, "Search further back")
	p.conv.Apply([]session.Change{{Kind: session.Found, Search: &session.Search{Text: "gate", Hits: []session.Item{uitest.Said(41, "Bob", "a late gate")}}}})
	if strings.Contains(uitest.Texts(panel), "late") {
		t.Error("another question's answer is shown")
	}
	p.conv.Apply([]session.Change{{Kind: session.Found, Search: &session.Search{Text: "gate", From: 30, Hits: []session.Item{uitest.Said(5, "Bob", "another gate")}}}})
	says("the gate")
	says("another gate")
	if strings.Contains(uitest.Texts(panel), "further back") {
		t.Error("there is nothing further back")
	}
	search("nothing")
	p.conv.Apply([]session.Change{{Kind: session.Found, Search: &session.Search{Text: "nothing"}}})
	says("Nothing found.")
	search("gate")
	p.conv.Apply([]session.Change{{Kind: session.Found, Search: &session.Search{Text: "gate", Hits: []session.Item{uitest.Said(5, "Bob", "another gate")}}}})
	tapAction(t, w, "another gate")
	if _, ok := p.list.InSight()["id5"]; !ok || w.window.Canvas().Overlays().Top() != nil {
		t.Errorf("in sight are %v", p.list.InSight())
	}
	p.reached(session.Excerpt{Offset: 500, Items: uitest.Many(480, 40)})
	if o := w.window.Canvas().Overlays().Top(); o == nil || !strings.Contains(uitest.Texts(o), "dashboard") {
		t.Error("what was said around a message far away is not shown")
	}
	w.client.back(false)
	p.reached(session.Excerpt{Offset: 500, Err: session.ErrGone})
	if s := uitest.Texts(w.client.nav); !strings.Contains(s, "The message is not there any more.") {
		t.Error("nothing says that the message is gone")
	}
	p.conv.Status = session.Status{State: session.Connected}
	p.showFind()
	if w.window.Canvas().Overlays().Top() != nil {
		t.Error("an older server is searched")
	}
}

// A search begins while one types. What was found stays until the answer comes, the field
// keeps its place, and the last text has the last word. The panel opens again as it was.
func TestFindWhileTyping(t *testing.T) {
	w := newWorld(t, uitest.Phone, nil)
	p := w.ableRoom()
	p.showFind()
	panel, entry := p.search.overlay, p.search.entry
	at := func() fyne.Position { return fyne.CurrentApp().Driver().AbsolutePositionForObject(entry) }
	place := at()
	answer := func(s string, hits ...session.Item) {
		p.conv.Apply([]session.Change{{Kind: session.Found, Search: &session.Search{Text: s, Hits: hits}}})
	}
	searched := func(s string) { w.settle(func() bool { return p.search.asked == s }) }
	test.Type(entry, "ga")
	searched("ga")
	answer("ga", uitest.Said(1, "Bob", "a gate"), uitest.Said(2, "Bob", "at the gallery"))
	test.Type(entry, "t")
	if s := uitest.Texts(panel); !strings.Contains(s, "a gate") || !strings.Contains(s, "gallery") {
		t.Errorf("while one types, it shows\n%s", s)
	}
	searched("gat")
	answer("ga", uitest.Said(3, "Bob", "a garden"))
	if s := uitest.Texts(panel); strings.Contains(s, "garden") || !strings.Contains(s, "gallery") || strings.Contains(s, "Searching") {
		t.Errorf("before the answer, it shows\n%s", s)
	}
	answer("gat", uitest.Said(1, "Bob", "a gate"))
	if s := uitest.Texts(panel); !strings.Contains(s, "a gate") || strings.Contains(s, "gallery") {
		t.Errorf("after the answer, it shows\n%s", s)
	}
	if at() != place {
		t.Errorf("the field was at %v and is at %v", place, at())
	}
	w.client.back(false)
	p.conv.Apply([]session.Change{{Kind: session.Elsewhere, Items: []session.Item{{Offset: 1, Text: "a gateway", Edited: true}}}})
	p.showFind()
	if s := uitest.Texts(p.search.overlay); !strings.Contains(s, "a gateway") || entry.SelectedText() != "gat" {
		t.Errorf("opened again it has selected %q and shows\n%s", entry.SelectedText(), s)
	}
	entry.SetText("plan.P")
	searched("plan.P")
	with := func(offset int, caption, file string) session.Item {
		item := uitest.Said(offset, "Bob", caption)
		item.File = &session.File{Name: file}
		return item
	}
	answer("plan.P", with(3, "as agreed", "plan.pdf"), with(4, "plan.pages is better", "other.txt"), with(5, "", "plan.png"))
	if s := uitest.Texts(p.search.overlay); !strings.Contains(s, "as agreed · plan.pdf") || !strings.Contains(s, "better · other.txt") || !strings.Contains(s, "plan.png") {
		t.Errorf("what is found by the name of its file is shown as\n%s", s)
	}
	entry.SetText("gatx")
	searched("gatx")
	answer("gatx")
	if s := uitest.Texts(p.search.overlay); !strings.Contains(s, "Nothing found.") || strings.Contains(s, "gate") {
		t.Errorf("when nothing is found, it shows\n%s", s)
	}
	p.found(session.Search{Text: "gatx", Hits: []session.Item{uitest.Said(1, "Bob", "gatx ray")}})
	p.search.begin()
	p.found(session.Search{Text: "gatx", Err: session.ErrRefused})
	if s := uitest.Texts(p.search.overlay); strings.Contains(s, "ray") || !strings.Contains(s, "does not answer this") {
		t.Errorf("refused, it shows\n%s", s)
	}
	entry.SetText("")
	searched("")
	if s := uitest.Texts(p.search.overlay); strings.Contains(s, "Nothing found.") {
		t.Errorf("without a text, it shows\n%s", s)
	}
}

// Hits and excerpts follow edits and deletions of messages that are not in the timeline.
func TestFoundElsewhere(t *testing.T) {
	w := newWorld(t, uitest.Phone, nil)
	p := w.ableRoom(uitest.Said(9, "Bob", "new"))
	p.showFind()
	p.search.entry.SetText("secret")
	p.search.begin()
	p.found(session.Search{Text: "secret", Hits: []session.Item{uitest.Said(2, "Bob", "the secret"), uitest.Said(1, "Bob", "no secret")}})
	elsewhere := func(items ...session.Item) {
		p.conv.Apply([]session.Change{{Kind: session.Elsewhere, Items: items}})
	}
	elsewhere(session.Item{Offset: 2, Text: "the open secret", Edited: true}, session.Item{Offset: 7, Text: "another secret"})
	if s := uitest.Texts(p.search.overlay); !strings.Contains(s, "the open secret") || !strings.Contains(s, "no secret") || strings.Contains(s, "another") {
		t.Errorf("edited, it shows\n%s", s)
	}
	elsewhere(session.Item{Offset: 2, Deleted: true})
	if s := uitest.Texts(p.search.overlay); strings.Contains(s, "open") || !strings.Contains(s, "no secret") {
		t.Errorf("deleted, it shows\n%s", s)
	}
	w.client.back(false)
	p.reached(session.Excerpt{Offset: 2, Items: []session.Item{uitest.Said(1, "Bob", "the secret"), uitest.Said(2, "Bob", "a word")}})
	o := w.window.Canvas().Overlays().Top()
	elsewhere(session.Item{Offset: 1, Deleted: true}, session.Item{Offset: 2, Text: "another word", Edited: true})
	if s := uitest.Texts(o); strings.Contains(s, "secret") || !strings.Contains(s, "another word") {
		t.Errorf("the excerpt shows\n%s", s)
	}
}

func TestExcerptOfAHit(t *testing.T) {
	long := strings.Repeat("word ", 30)
	for _, tc := range []struct{ message, sought, want string }{
		{"short", "short", "short"}, {long + "GATE here", "gate", "…"}, {"a\nb", "zz", "a b"}, {long + "Café", "cafe", "…word"},
		{"See " + strings.Repeat("אב ", 30) + "zz", "zz", "…\u200eאב"}, // it reads from the left, as the whole does
	} {
		got := excerptOf(tc.message, find.New(tc.sought))
		if !strings.HasPrefix(got, tc.want) || strings.EqualFold(tc.sought, "gate") && !strings.Contains(got[:min(len(got), 70)], "GATE") {
			t.Errorf("excerptOf(%q, %q) = %q", tc.message, tc.sought, got)
		}
	}
}

// Offered are the others in the room, and those who have written.
func TestOthersNames(t *testing.T) {
	w := newWorld(t, uitest.Phone, nil)
	p := w.ableRoom(uitest.Said(1, "Cleo", "a"), uitest.Said(2, "BOB", "b"), uitest.Own(3, "c"))
	p.conv.People = []string{"Ann", "Bob"}
	if got := p.othersNames(); !slices.Equal(got, []string{"Bob", "Cleo"}) {
		t.Errorf("offered are %q", got)
	}
}

// Messages are chosen, and what can be done with them, from the keyboard.
func TestMessagesByKeyboard(t *testing.T) {
	w := newWorld(t, uitest.Phone, nil)
	p := w.ableRoom(append(uitest.Many(1, 60), uitest.Said(70, "Bob", "answer me"), deleted(uitest.Said(71, "Bob", "x")), uitest.Own(72, "mine"))...)
	canvas, entry := w.window.Canvas(), p.composer.Entry
	arrow := func(name fyne.KeyName, times int) {
		for range times {
			entry.TypedShortcut(&desktop.CustomShortcut{KeyName: name, Modifier: fyne.KeyModifierShortcutDefault})
		}
	}
	typed := func(names ...fyne.KeyName) {
		for _, n := range names {
			press(canvas.Focused(), n)
		}
	}
	arrow(fyne.KeyUp, 2)
	typed(fyne.KeyReturn)
	if canvas.Overlays().Top() == nil {
		t.Fatal("Return opens no menu")
	}
	for range len(shared.Emojis) {
		typed(fyne.KeyDown)
	}
	typed(fyne.KeyReturn)
	if s := uitest.Sentence(p.composer); !strings.Contains(s, "Reply to Bob answer me") || canvas.Focused() != fyne.Focusable(entry) {
		t.Errorf("the composer says %q, the focus is on %T", s, canvas.Focused())
	}
	typed(fyne.KeyEscape)
	arrow(fyne.KeyUp, 40)
	if p.list.AtEnd() {
		t.Error("an earlier message is not scrolled to")
	}
	typed(fyne.KeyEscape)
	if p.list.Unchoose() || len(w.client.nav.stack) != 3 {
		t.Error("Escape does not just end the choice")
	}
	arrow(fyne.KeyUp, 1)
	arrow(fyne.KeyDown, 1)
	if p.list.Unchoose() || !p.list.AtEnd() {
		t.Error("after the last message one is chosen")
	}
	arrow(fyne.KeyUp, 1)
	entry.TypedRune('x')
	if p.list.Unchoose() {
		t.Error("whoever types goes on choosing")
	}
}

// A message that was deleted before it came is no news, and not a preview.
func TestDeletedIsNoNews(t *testing.T) {
	w := newWorld(t, uitest.Phone, nil)
	p := w.ableRoom(uitest.Said(1, "Bob", "hello"))
	w.client.back(false)
	p.conv.Apply(uitest.Appended(deleted(uitest.Said(2, "Bob", "x"))))
	if p.conv.Unread != 0 {
		t.Errorf("%d unread", p.conv.Unread)
	}
	if item, _ := p.conv.Last(); preview(item) != "1 message deleted" {
		t.Errorf("the preview is %q", preview(item))
	}
}

// What is deleted is in sight nowhere: not over the composer, and not among the hits of a
// search. What was written to it stays, as a message by itself.
func TestDeletedGoesEverywhere(t *testing.T) {
	w := newWorld(t, uitest.Phone, nil)
	p := w.ableRoom(uitest.Said(1, "Bob", "the secret"), uitest.Own(2, "mine"))
	item, _ := p.conv.Timeline.Message("id1")
	change := func(item session.Item) {
		p.conv.Apply([]session.Change{{Kind: session.Update, Index: 0, Items: []session.Item{item}}})
	}
	shows := func(part string) bool {
		return strings.Contains(test.RenderObjectToMarkup(w.window.Content())+test.RenderToMarkup(w.window.Canvas()), part)
	}
	p.begin(&conversation.Task{Of: item})
	test.Type(p.composer.Entry, "really?")
	edited := item
	edited.Text = "another secret"
	if change(edited); p.composer.Task() == nil || !shows("another secret") || shows("the secret") {
		t.Error("the answer is not to the text that was edited")
	}
	if change(deleted(item)); shows("secret") || p.composer.Task() != nil || p.conv.Task != nil || p.composer.Entry.Text != "really?" {
		t.Errorf("an answer to what is deleted: %+v, %q", p.composer.Task(), p.composer.Entry.Text)
	}
	change(item)
	p.showFind()
	p.search.entry.SetText("secret")
	p.search.begin()
	p.found(session.Search{Text: "secret", Hits: []session.Item{item, uitest.Said(9, "Bob", "no secret")}})
	if change(deleted(item)); shows("the secret") || !shows("no secret") {
		t.Error("the deleted text is among the hits")
	}
}

// An edit of the person's own message stays one while the message is deleted: at the
// latest when it is sent, the person learns of it, and keeps the text.
func TestEditOfWhatIsDeleted(t *testing.T) {
	w := newWorld(t, uitest.Phone, nil)
	p := w.ableRoom(uitest.Own(1, "the secret"))
	item, _ := p.conv.Timeline.Message("id1")
	p.beginEdit(item)
	p.composer.Entry.SetText("better")
	p.conv.Apply([]session.Change{{Kind: session.Update, Index: 0, Items: []session.Item{deleted(item)}}})
	if markup := test.RenderToMarkup(w.window.Canvas()); strings.Contains(markup, "the secret") {
		t.Error("the deleted text stands over the composer")
	}
	if p.send("better"); p.composer.Task() != nil || p.composer.Entry.Text != "better" {
		t.Errorf("the text is %q", p.composer.Entry.Text)
	}
}

// The text of an edit that was refused is not lost in a room that has a draft and is not on
// the screen.
func TestRefusedEditJoinsTheDraft(t *testing.T) {
	w := newWorld(t, uitest.Phone, nil)
	conv := w.ableRoom(uitest.Own(2, "mine")).conv
	conv.Session.SetDraft("half a sentence")
	conv.Page = nil
	for _, text := range []string{"one edit", "another"} {
		conv.Apply([]session.Change{{Kind: session.Undone, Undo: &session.Undo{ID: "id2", Did: session.DidEdit, Text: text, Code: shared.CodeNotAllowed}}})
	}
	if got := conv.Session.Draft(); got != "half a sentence\none edit\nanother" {
		t.Errorf("the draft is %q", got)
	}
}
