package conversation

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"fyne.io/fyne/v2"
	"fyne.io/fyne/v2/driver/mobile"
	"pgregory.net/rapid"

	"parley/client/session"
	"parley/client/ui/kit"
	"parley/client/ui/uitest"
	"parley/shared"
)

func gone(item session.Item) session.Item {
	item.Text, item.Deleted = "", true
	return item
}

func reacted(item session.Item, own string, reactions ...session.Reaction) session.Item {
	item.Reactions, item.Reacted = reactions, own
	return item
}

func replaced(index int, item session.Item) []session.Change {
	return []session.Change{{Kind: session.Update, Index: index, Items: []session.Item{item}}}
}

// Neighbours that were deleted are one line.
func TestDeletedMessagesFold(t *testing.T) {
	l := newList(t, uitest.Said(1, "Bob", "one"), uitest.Said(2, "Bob", "two"), uitest.Own(3, "three"), uitest.Said(4, "Bob", "four"))
	l.Change(replaced(1, gone(uitest.Said(2, "Bob", "two"))))
	if s := uitest.Texts(l); !strings.Contains(s, "1 message deleted") || strings.Contains(s, "two") {
		t.Errorf("one that was deleted:\n%s", s)
	}
	one := l.timeline.total()
	l.Change(replaced(2, gone(uitest.Own(3, "three"))))
	if s := uitest.Texts(l); !strings.Contains(s, "2 messages deleted") || strings.Contains(s, "1 message deleted") {
		t.Errorf("two that were deleted:\n%s", s)
	}
	if two := l.timeline.total(); two >= one {
		t.Errorf("two deleted messages take %v, one took %v", two, one)
	}
	l.Change([]session.Change{{Kind: session.Insert, Index: 2, Items: []session.Item{uitest.Said(9, "Cleo", "between")}}})
	if s := uitest.Texts(l); strings.Count(s, "1 message deleted") != 2 {
		t.Errorf("with one between:\n%s", s)
	}
	if h := l.hitAt(uitest.Where(t, l, "1 message")); h.Kind != hitNothing {
		t.Errorf("a deleted message can be tapped: %+v", h)
	}
	if !strings.Contains(uitest.Texts(l), "Bob\n") {
		t.Error("the next message of a deleted one's author has no name")
	}
}

// A list that changed step by step is the list that one opens with the same messages.
func TestChangedListIsLikeANewOne(t *testing.T) {
	newLightApp()
	f := frame{width: 412, scale: 1}
	rapid.Check(t, func(t *rapid.T) {
		timeline := newTimeline(noon)
		timeline.setFrame(f)
		var items []session.Item
		n := 0
		message := func() session.Item {
			n++
			item := uitest.Said(n, rapid.SampledFrom([]string{"Bob", "Cleo"}).Draw(t, "user"), "text")
			if item.Time = uitest.Noon; rapid.Bool().Draw(t, "yesterday") {
				item.Time = item.Time.AddDate(0, 0, -1)
			}
			switch rapid.IntRange(0, 4).Draw(t, "kind") {
			case 0, 1:
				return gone(item)
			case 2, 3:
				item.Kind, item.Text = session.KindNotice, ""
				item.Notice = &session.Notice{Do: rapid.SampledFrom([]string{shared.DoRemove, shared.DoSilence, "later"}).Draw(t, "do"), About: fmt.Sprint(n)}
				return item
			}
			return reacted(item, "", session.Reaction{Emoji: "👍", Count: 1})
		}
		for range rapid.IntRange(1, 20).Draw(t, "steps") {
			at := rapid.IntRange(0, len(items)).Draw(t, "at")
			switch what := rapid.IntRange(0, 2).Draw(t, "what"); {
			case what == 0 || at == len(items):
				item := message()
				items = slices.Insert(items, at, item)
				timeline.apply(session.Change{Kind: session.Insert, Index: at, Items: []session.Item{item}})
			case what == 1:
				item := message()
				item.ID = items[at].ID
				items[at] = item
				timeline.apply(session.Change{Kind: session.Update, Index: at, Items: []session.Item{item}})
			default:
				items = slices.Delete(items, at, at+1)
				timeline.apply(session.Change{Kind: session.Remove, Index: at})
			}
		}
		fresh := newTimeline(noon)
		fresh.setFrame(f)
		fresh.apply(session.Change{Kind: session.Reset, Items: items})
		for i, want := range fresh.rows {
			got := timeline.rows[i]
			if got.deleted != want.deleted || got.notice != want.notice || got.first != want.first || got.last != want.last || got.day != want.day || got.height != want.height {
				t.Fatalf("row %d of %d: %+v, and newly opened %+v", i, len(items), got, want)
			}
		}
		if !slices.Equal(timeline.tops, fresh.tops) {
			t.Fatalf("the rows begin at %v, newly opened at %v", timeline.tops, fresh.tops)
		}
	})
}

// Code is not wrapped: what is wider is cut off, and its button copies all of it.
func TestCode(t *testing.T) {
	long := "x := \"" + strings.Repeat("wide ", 40) + "\""
	l := newList(t, uitest.Said(1, "Bob", "Try\n```\nif a {\n    "+long+"\n}\n```\nand https://example.org"))
	s := uitest.Texts(l)
	if !strings.Contains(s, "Try\nif a {\n    x := \"wide") || !strings.Contains(s, "…\n}\n") || strings.Contains(s, "`") {
		t.Errorf("it reads:\n%s", s)
	}
	r := l.timeline.rows[0]
	if want := 3; r.shape(l.timeline.frame, nil).pieces[1].shown != want {
		t.Errorf("the code has %d lines, want %d", r.shape(l.timeline.frame, nil).pieces[1].shown, want)
	}
	var hit Hit
	l.OnHit = func(h Hit) { hit = h }
	l.Tapped(&fyne.PointEvent{Position: middle(t, l, HitCode)})
	if hit.Text != "if a {\n    "+long+"\n}" {
		t.Errorf("copied is %q", hit.Text)
	}
	middle(t, l, HitLink)
	l = newList(t, uitest.Said(1, "Bob", "```\n"+strings.Repeat("line\n", 40)+"```"))
	if s := uitest.Texts(l); strings.Count(s, "line\n") != foldTo || !strings.Contains(s, "Show more") {
		t.Errorf("long code is not folded:\n%s", s)
	}
}

// Reactions stand under the bubble, in lines that fit, and each can be hit.
func TestReactions(t *testing.T) {
	var all []session.Reaction
	for i, e := range []string{"👍", "👎", "❤️", "😂", "😮", "✅", "❓", "🎉"} {
		all = append(all, session.Reaction{Emoji: e, Count: 100 + i})
	}
	l := newList(t, uitest.Said(1, "Bob", "plain"), uitest.Own(2, "loved"), uitest.Said(3, "Bob", "after"))
	before := l.timeline.total()
	l.Change(replaced(1, reacted(uitest.Own(2, "loved"), "😂", all...)))
	if l.timeline.total() <= before {
		t.Error("reactions take no room")
	}
	row := l.timeline.rows[1]
	lines := make(map[float32]bool)
	hits := make(map[string]bool)
	for _, a := range row.view.areas {
		if a.Kind != HitReaction {
			continue
		}
		lines[a.at.Y] = true
		if a.at.X < 0 || a.at.X+a.size.Width > listSize.Width {
			t.Errorf("%s lies at %v", a.Text, a.at.X)
		}
		at := row.view.root.Position().Add(a.at).AddXY(a.size.Width/2, a.size.Height/2)
		hits[l.hitAt(at).Text] = true
	}
	if len(hits) != len(all) || len(lines) < 2 {
		t.Errorf("hit are %v in %d lines", hits, len(lines))
	}
	for _, c := range row.shape(l.timeline.frame, nil).chips {
		if c.mine != (c.emoji == "😂") {
			t.Errorf("%s is the person's own: %v", c.emoji, c.mine)
		}
	}
}

// A quote leads to its message, unless that was deleted.
func TestQuote(t *testing.T) {
	answer := uitest.Said(2, "Bob", "yes")
	answer.Quote = &session.Quote{Offset: 7, User: "Ann", Text: "Are you\nthere?"}
	l := newList(t, answer)
	if s := uitest.Texts(l); !strings.Contains(s, "Ann\nAre you there?\nyes") {
		t.Errorf("it reads:\n%s", s)
	}
	if h := l.hitAt(middle(t, l, HitQuote)); h.Offset != 7 {
		t.Errorf("it leads to %d", h.Offset)
	}
	answer.Quote = &session.Quote{Offset: 7, User: "Ann"}
	l.Change(replaced(0, answer))
	if h := l.hitAt(uitest.Where(t, l, "message deleted")); h.Kind == HitQuote {
		t.Error("a deleted message can be gone to")
	}
}

// A message that was edited says so, also in the middle of a group.
func TestEdited(t *testing.T) {
	a, b := uitest.Said(1, "Bob", "a"), uitest.Said(2, "Bob", "b")
	b.Time = a.Time
	l := newList(t, a, b)
	if s := uitest.Texts(l); strings.Contains(s, "edited") {
		t.Errorf("it reads:\n%s", s)
	}
	a.Edited = true
	l.Change(replaced(0, a))
	if s := uitest.Texts(l); !strings.Contains(s, "a\nedited 10:01\nb\n") {
		t.Errorf("it reads:\n%s", s)
	}
}

// What names the person is marked, and for a while the message that one was led to.
func TestMarkedRows(t *testing.T) {
	l, reel := newListOnReel(t, append(uitest.Many(0, 60), uitest.Said(70, "Bob", "Hello ann!"), uitest.Said(71, "Bob", "Annual"), uitest.Own(72, "I, Ann"))...)
	l.timeline.SetNames([]string{"Ann"})
	marked := func() (ids []string) {
		for _, r := range l.timeline.rows {
			if l.timeline.marks(r) {
				ids = append(ids, r.item.ID)
			}
		}
		return ids
	}
	if got := fmt.Sprint(marked()); got != "[id70]" {
		t.Errorf("marked are %v", got)
	}
	l.Lead(l.timeline.OfOffset(20))
	if got := fmt.Sprint(marked()); got != "[id20 id70]" {
		t.Errorf("marked are %v", got)
	}
	if y, ok := l.InSight()["id20"]; !ok || y < 0 || y > listSize.Height/2 {
		t.Errorf("the message is at %v", y)
	}
	reel.Wait()
	if got := fmt.Sprint(marked()); got != "[id70]" {
		t.Errorf("later marked are %v", got)
	}
}

func TestExcerptBeginsAtItsMessage(t *testing.T) {
	newLightApp()
	l := NewExcerpt(noon, uitest.Many(1, 60), "id30")
	show(t, l, listSize)
	if y, ok := l.InSight()["id30"]; !ok || y < 0 || y > listSize.Height/2 {
		t.Errorf("the message is at %v", y)
	}
	if !l.timeline.marks(l.timeline.rows[29]) {
		t.Error("it is not marked")
	}
}

func TestBegunName(t *testing.T) {
	for _, tc := range []struct {
		before, name string
		ok           bool
	}{
		{"@", "", true}, {"@bo", "bo", true}, {"hi @Grace Ho", "Grace Ho", true}, {"(@bo", "bo", true}, {"日本@bo", "bo", true},
		{"", "", false}, {"bo", "", false}, {"ann@example", "", false}, {"@bo\nthen", "", false}, {"@" + strings.Repeat("x", 80), "", false},
	} {
		runes := []rune(tc.before + "rest")
		name, at, ok := begunName(runes, len(runes)-4)
		if name != tc.name || ok != tc.ok || ok && string(runes[at:len(runes)-4]) != name {
			t.Errorf("begunName(%q) = %q at %d, %v", tc.before, name, at, ok)
		}
	}
}

func TestCompletionsOf(t *testing.T) {
	names := []string{"Bob", "Bobby Tables", "Grace Hopper", "Ébo", "Al", "Alo", "Alp", "Alq", "Alr"}
	for typed, want := range map[string]string{
		"bo": "Bob,Bobby Tables", "BOBB": "Bobby Tables", "bob": "", "hop": "Grace Hopper", "grace h": "Grace Hopper",
		"é": "Ébo", "zz": "", "al": "", "a": "Al,Alo,Alp,Alq", "": "Bob,Bobby Tables,Grace Hopper,Ébo", "opper": "",
	} {
		if got := strings.Join(completionsOf(typed, names, 4), ","); got != want {
			t.Errorf("completions of %q are %q, want %q", typed, got, want)
		}
	}
}

func TestNamesAreCompleted(t *testing.T) {
	c, sent := newTestComposer(t)
	c.Names = func() []string { return []string{"Bob", "Bobby Tables"} }
	typed := func(s string) {
		for _, r := range s {
			c.Entry.TypedRune(r)
		}
	}
	typed("hi @b")
	if s := uitest.Texts(c.names); !strings.Contains(s, "Bob\n") || !strings.Contains(s, "Bobby Tables") || !c.Entry.AcceptsTab() {
		t.Errorf("offered is:\n%s", s)
	}
	if c.Entry.Head == 0 || c.Fit(400) <= kit.Touch*2 {
		t.Error("the names have no room")
	}
	typeKeys(c.Entry, fyne.KeyDown, fyne.KeyReturn)
	if c.Entry.Text != "hi @Bobby Tables " || len(*sent) != 0 || !c.names.Hidden || c.Entry.Head != 0 {
		t.Errorf("written is %q, sent %q", c.Entry.Text, *sent)
	}
	typed("@bo")
	typeKeys(c.Entry, fyne.KeyEscape)
	if !c.names.Hidden || c.Entry.AcceptsTab() {
		t.Error("Escape does not hide the names")
	}
	typeKeys(c.Entry, fyne.KeyReturn)
	if len(*sent) != 1 || (*sent)[0] != "hi @Bobby Tables @bo" {
		t.Errorf("sent %q", *sent)
	}
	typed("@B")
	typeKeys(c.Entry, fyne.KeyTab)
	if c.Entry.Text != "@Bob " {
		t.Errorf("Tab writes %q", c.Entry.Text)
	}
	c.Entry.SetText("@")
	c.names.rows[1].(*completionRow).Tapped(nil)
	if c.Entry.Text != "@Bobby Tables " {
		t.Errorf("a tap writes %q", c.Entry.Text)
	}
}

// What the text is for stands over it, and there is a way out. An edit leaves the
// draft alone.
func TestTasks(t *testing.T) {
	c, sent := newTestComposer(t)
	draft := "half a sen"
	c.Draft = func() string { return draft }
	c.Entry.SetText(draft)
	c.Begin(&Task{Of: uitest.Said(1, "Bob", "Where?")})
	if s := uitest.Sentence(c.bar); s != "Reply to Bob Where?" || c.Entry.Text != draft {
		t.Errorf("over %q stands %q", c.Entry.Text, s)
	}
	edit := &Task{Edit: true, Of: uitest.Own(2, "tpyo"), Written: "tpyo"}
	c.Begin(edit)
	if s := uitest.Sentence(c.bar); s != "Edit message tpyo" || c.Entry.Text != "tpyo" {
		t.Errorf("over %q stands %q", c.Entry.Text, s)
	}
	c.Entry.SetText("typo")
	if edit.Written != "typo" {
		t.Errorf("the task has %q", edit.Written)
	}
	typeKeys(c.Entry, fyne.KeyEscape)
	if c.Task() != nil || !c.bar.Hidden || c.Entry.Text != draft || c.Entry.Head != 0 {
		t.Errorf("after Escape the text is %q", c.Entry.Text)
	}
	c.Begin(edit)
	typeKeys(c.Entry, fyne.KeyReturn)
	if c.Task() != nil || c.Entry.Text != draft || len(*sent) != 1 || (*sent)[0] != "typo" {
		t.Errorf("sent %q, left %q", *sent, c.Entry.Text)
	}
	c.Begin(&Task{Of: uitest.Said(1, "Bob", "Where?")})
	c.bar.end.Tapped(nil)
	if c.Task() != nil || c.Entry.Text != draft {
		t.Error("the button does not end it, or takes the draft with it")
	}
	asked := 0
	c.EditLast = func() { asked++ }
	typeKeys(c.Entry, fyne.KeyUp)
	c.Entry.SetText("")
	typeKeys(c.Entry, fyne.KeyUp)
	if asked != 1 {
		t.Errorf("Up edits the last message %d times", asked)
	}
}

// The button that ends a task is inside the entry, which keeps the focus and a
// phone's keyboard, and the text is under it.
func TestTaskIsInsideTheEntry(t *testing.T) {
	c, _ := newTestComposer(t)
	c.Begin(&Task{Of: uitest.Said(1, "Bob", "Where?")})
	e := c.Entry
	if at := c.bar.Position(); at.Y < e.Position().Y || at.Y+c.bar.Size().Height > e.Position().Y+e.Head+1 {
		t.Errorf("it lies at %v, %v high, of %v", at, c.bar.Size().Height, e.Head)
	}
	e.SetText("here")
	uitest.Walk(c, func(v uitest.Seen) {
		if v.Text != nil && v.Text.Text == "here" && v.At.Y < e.Position().Y+e.Head {
			t.Errorf("the text lies at %v, under what it is for", v.At.Y)
		}
	})
	e.MoveCaret(2)
	e.Editor.TouchDown(&mobile.TouchEvent{PointEvent: fyne.PointEvent{Position: fyne.NewPos(20, 5)}})
	if e.CursorTextOffset() != 2 {
		t.Error("a touch over the text moves the caret")
	}
}
