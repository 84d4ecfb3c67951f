package conversation

import (
	"fmt"
	"testing"
	"time"

	"fyne.io/fyne/v2"
	"fyne.io/fyne/v2/canvas"
	"fyne.io/fyne/v2/driver/mobile"

	"parley/client/session"
	"parley/client/ui/uitest"
)

func ids(l *List) (out []string) {
	for _, r := range l.timeline.rows {
		out = append(out, r.item.ID)
	}
	return out
}

// isAtEnd reports whether the end is in sight to the pixel.
func isAtEnd(l *List) bool { return l.Offset == l.maxOffset() }

func TestListDrawsOnlyWhatIsInSight(t *testing.T) {
	l := newList(t, uitest.Many(0, 5000)...)
	if n := len(l.shown); n < 5 || n > 30 {
		t.Errorf("%d rows are drawn", n)
	}
	l.ScrollBy(20_000)
	views := 0
	for _, r := range l.timeline.rows {
		if r.view != nil {
			views++
		}
	}
	if views != len(l.shown) {
		t.Errorf("%d rows are kept, %d are in sight", views, len(l.shown))
	}
}

func TestListFollowsTheEnd(t *testing.T) {
	l := newList(t, uitest.Many(0, 50)...)
	for i := range 10 {
		l.Change(uitest.Appended(uitest.Said(100+i, "Bob", "and one more")))
		if !isAtEnd(l) || l.Unseen != 0 {
			t.Fatalf("after %d the list is at %v of %v", i, l.Offset, l.maxOffset())
		}
	}
	if last := l.shown[len(l.shown)-1]; last.item.ID != "id109" {
		t.Errorf("the last in sight is %s", last.item.ID)
	}
}

func TestListStaysWherePeopleRead(t *testing.T) {
	l := newList(t, uitest.Many(100, 200)...)
	l.ScrollBy(3000)
	for name, batch := range map[string][]session.Change{
		"append":  uitest.Appended(uitest.Said(500, "Bob", "new"), uitest.Own(501, "mine"), uitest.Said(502, "Bob", "newer")),
		"prepend": {{Kind: session.Prepend, Items: uitest.Many(0, 60), More: true}},
		"insert":  {{Kind: session.Insert, Index: 5, Items: []session.Item{uitest.Said(777, "Eve", "between")}}},
		"remove":  {{Kind: session.Remove, Index: 3}},
		"update":  {{Kind: session.Update, Index: 2, Items: []session.Item{uitest.Said(103, "Bob", "a very much longer text than the one that was here before, over several lines")}}},
	} {
		before := l.InSight()
		l.Change(batch)
		after := l.InSight()
		kept := 0
		for id, y := range before {
			if z, ok := after[id]; ok {
				kept++
				if d := z - y; d > 0.01 || d < -0.01 {
					t.Errorf("%s: row %s moved by %v", name, id, d)
				}
			}
		}
		if kept < 5 {
			t.Errorf("%s: %d rows are still in sight", name, kept)
		}
	}
	if l.Unseen != 2 {
		t.Errorf("%d new below", l.Unseen)
	}
	if !l.pill.visible {
		t.Fatal("no pill")
	}
	l.Tapped(&fyne.PointEvent{Position: l.pill.at.AddXY(10, 10)})
	if !isAtEnd(l) || l.Unseen != 0 || l.pill.visible {
		t.Error("the pill does not lead to the end")
	}
}

// Older messages come in over the first row, whose day line and name then go;
// and a gap at the upper edge is filled.
func TestListStaysAtItsBeginning(t *testing.T) {
	l := newList(t, append([]session.Item{{Kind: session.KindGap, ID: "gap"}}, uitest.Many(100, 100)...)...)
	stays := func(what string, batch []session.Change) {
		t.Helper()
		before := l.InSight()
		l.Change(batch)
		after := l.InSight()
		if len(after) < 5 {
			t.Errorf("%s: %d rows are in sight", what, len(after))
		}
		for id, y := range before {
			if z, ok := after[id]; id != "gap" && (!ok || z != y) {
				t.Errorf("%s: row %s moved from %v to %v", what, id, y, z)
			}
		}
	}
	l.ScrollBy(l.Offset)
	stays("the gap is filled", []session.Change{
		{Kind: session.Insert, Index: 1, Items: uitest.Many(60, 40)}, {Kind: session.Remove, Index: 0}})
	l.ScrollBy(l.Offset)
	stays("older ones", []session.Change{{Kind: session.Prepend, Items: uitest.Many(10, 50)}})
}

func TestListKeepsItsEndWhenTheKeyboardComes(t *testing.T) {
	l := newList(t, uitest.Many(0, 100)...)
	l.Resize(fyne.NewSize(412, 300))
	if !isAtEnd(l) {
		t.Error("at the end: the last message is hidden")
	}
	l.ScrollBy(1000)
	bottom := l.Offset + 300
	l.Resize(fyne.NewSize(412, 700))
	if got := l.Offset + 700; got != bottom {
		t.Errorf("while reading: the lower edge went from %v to %v", bottom, got)
	}
	l.Resize(fyne.NewSize(800, 700))
	if l.timeline.frame.width != 800 || l.timeline.total() <= 0 {
		t.Error("another width is not measured")
	}
}

func TestListAsksForOlderOnce(t *testing.T) {
	l := newList(t, uitest.Many(0, 100)...)
	asked := 0
	l.OnOlder = func() { asked++ }
	l.ScrollBy(1e6)
	l.ScrollBy(-10)
	l.ScrollBy(10)
	if asked != 1 {
		t.Fatalf("asked %d times", asked)
	}
	l.Change([]session.Change{{Kind: session.Prepend, Items: uitest.Many(1000, 5), More: true}})
	if asked != 2 {
		t.Errorf("asked %d times after an answer that left the beginning in sight", asked)
	}
	l.Change([]session.Change{{Kind: session.Prepend, More: false}})
	l.ScrollBy(1)
	if asked != 2 {
		t.Error("asked though there is nothing more")
	}
}

func TestListGroups(t *testing.T) {
	a, b, c := uitest.Said(1, "Bob", "one"), uitest.Said(1, "Bob", "two"), uitest.Said(2, "Bob", "later")
	b.ID, b.Time = "b", a.Time.Add(20*time.Second)
	d := uitest.Said(2, "Cleo", "hi")
	d.ID = "d"
	old := uitest.Said(0, "Bob", "last week")
	old.ID, old.Time = "old", uitest.Noon.AddDate(0, 0, -7)
	l := newList(t, old, a, b, c, d)
	got := ""
	for _, r := range l.timeline.rows {
		got += fmt.Sprintf("%s day=%v first=%v last=%v %s\n", r.item.ID, r.day, r.first, r.last, r.meta())
	}
	want := `old day=true first=true last=true 12:00
id1 day=true first=true last=false 
b day=false first=false last=true 10:01
id2 day=false first=true last=true 10:02
d day=false first=true last=true 10:02
`
	if got != want {
		t.Errorf("groups:\n%swant:\n%s", got, want)
	}
	l.timeline.SetFresh("b")
	if r := l.timeline.rows[2]; !r.fresh || !r.first || !l.timeline.rows[1].last {
		t.Error("the line of what is new does not part a group")
	}
}

func TestListAppliesChanges(t *testing.T) {
	l := newList(t, uitest.Said(1, "Bob", "one"), uitest.Said(3, "Bob", "three"))
	l.Change([]session.Change{
		{Kind: session.Insert, Index: 1, Items: []session.Item{uitest.Said(2, "Bob", "two")}},
		{Kind: session.Append, Items: []session.Item{uitest.Said(4, "Bob", "four")}},
		{Kind: session.Remove, Index: 0},
		{Kind: session.Prepend, Items: []session.Item{uitest.Said(0, "Bob", "zero")}},
		{Kind: session.Update, Index: 3, Items: []session.Item{uitest.Said(4, "Bob", "FOUR")}},
		{Kind: session.Remove, Index: 99},
		{Kind: session.Update, Index: -1},
	})
	if got := fmt.Sprint(ids(l)); got != "[id0 id2 id3 id4]" {
		t.Errorf("rows are %s", got)
	}
	if got := l.timeline.rows[3].text; got != "FOUR" {
		t.Errorf("the updated row says %q", got)
	}
	sum := float32(0)
	for i, r := range l.timeline.rows {
		if l.timeline.tops[i] != sum {
			t.Errorf("row %d begins at %v, want %v", i, l.timeline.tops[i], sum)
		}
		sum += r.height
	}
}

// middle is the middle of the first hit of a kind in the list's coordinates.
func middle(t *testing.T, l *List, kind HitKind) fyne.Position {
	t.Helper()
	for _, r := range l.shown {
		for _, h := range r.view.areas {
			if h.Kind == kind {
				return r.view.root.Position().Add(h.at).AddXY(h.size.Width/2, h.size.Height/2)
			}
		}
	}
	t.Fatalf("no hit of kind %d", kind)
	return fyne.Position{}
}

func TestListFindsWhatIsTapped(t *testing.T) {
	failed := uitest.Own(3, "nope")
	failed.Delivery, failed.Reason = session.Failed, "The room is full."
	l := newList(t, uitest.Said(1, "Bob", "look at https://example.org/x now"),
		session.Item{Kind: session.KindGap, ID: "gap", Time: uitest.Noon}, failed)
	var got Hit
	l.OnHit = func(h Hit) { got = h }
	l.Tapped(&fyne.PointEvent{Position: middle(t, l, HitLink)})
	if got.Kind != HitLink || got.Link != "https://example.org/x" || got.row.item.ID != "id1" {
		t.Errorf("the link: %+v", got)
	}
	l.Tapped(&fyne.PointEvent{Position: middle(t, l, HitGap)})
	if got.Kind != HitGap || got.row.item.ID != "gap" {
		t.Errorf("the gap: %+v", got)
	}
	l.Tapped(&fyne.PointEvent{Position: middle(t, l, HitFailed)})
	if got.Kind != HitFailed || got.row.item.ID != "id3" {
		t.Errorf("the failed message: %+v", got)
	}
	got = Hit{}
	l.Tapped(&fyne.PointEvent{Position: fyne.NewPos(2, 2)})
	if got.Kind != hitNothing {
		t.Errorf("beside everything: %+v", got)
	}
	menu := Hit{}
	l.OnMenu = func(h Hit, _ fyne.Position) { menu = h }
	l.TappedSecondary(&fyne.PointEvent{Position: middle(t, l, HitLink)})
	if menu.Link != "https://example.org/x" {
		t.Errorf("the link's menu: %+v", menu)
	}

	// A finger that comes down closes the keyboard, and the rows move before it
	// is lifted: what counts is what it came down on.
	got = Hit{}
	at := middle(t, l, HitLink)
	l.TouchDown(&mobile.TouchEvent{PointEvent: fyne.PointEvent{Position: at}})
	l.Resize(fyne.NewSize(412, 400))
	l.Tapped(&fyne.PointEvent{Position: at})
	if got.Kind != HitLink {
		t.Errorf("after the keyboard has left: %+v", got)
	}
}

func TestTouchStopsAFling(t *testing.T) {
	l := newList(t, uitest.Many(0, 500)...)
	uitest.OnPhone(t, true)
	drag := func(e *fyne.DragEvent) float32 {
		before := l.Offset
		l.Dragged(e)
		return before - l.Offset
	}
	if d := drag(&fyne.DragEvent{Dragged: fyne.Delta{DY: 30}}); d != 30 {
		t.Fatalf("a drag moved %v", d)
	}
	fling := &fyne.DragEvent{Dragged: fyne.Delta{DY: 20}}
	for range 2 {
		if drag(fling) != 20 {
			t.Fatal("a fling does not move")
		}
	}
	l.TouchDown(&mobile.TouchEvent{PointEvent: fyne.PointEvent{Position: fyne.NewPos(100, 100)}})
	if d := drag(fling); d != 0 {
		t.Errorf("after a touch the fling moved %v", d)
	}
	if d := drag(&fyne.DragEvent{Dragged: fyne.Delta{DY: 7}}); d != 7 {
		t.Errorf("the next drag moved %v", d)
	}
}

func TestMouseDragsOnlyTheScrollBar(t *testing.T) {
	l := newList(t, uitest.Many(0, 500)...)
	before := l.Offset
	l.Dragged(&fyne.DragEvent{PointEvent: fyne.PointEvent{Position: fyne.NewPos(100, 300)}, Dragged: fyne.Delta{DY: -50}})
	if l.Offset != before {
		t.Error("a mouse drags the conversation")
	}
	l.Dragged(&fyne.DragEvent{PointEvent: fyne.PointEvent{Position: fyne.NewPos(410, 300)}, Dragged: fyne.Delta{DY: -50}})
	if l.Offset >= before {
		t.Error("the scroll bar does not move")
	}
}

// Bubbles hug their text, stay inside the list, and hold what is in them.
func TestBubbleGeometry(t *testing.T) {
	items := append(uitest.Many(0, 12),
		uitest.Said(50, "נועה", "שלום (Parley 2) עולם"), uitest.Said(51, "Zed", "z\u0301\u0301\u0301\u0301\u0301\u0301"),
		uitest.Own(52, "https://example.org/"+fmt.Sprintf("%0200d", 1)), uitest.Said(53, "Bob", "🎉"), uitest.Own(54, "ok"))
	for _, width := range []float32{320, 412, 780} {
		l := newList(t, items...)
		l.Resize(fyne.NewSize(width, 6000))
		for _, r := range l.shown {
			bubble := r.view.areas[0]
			if bubble.at.X < 0 || bubble.at.X+bubble.size.Width > width {
				t.Errorf("%v: bubble %s lies at %v, %v wide", width, r.item.ID, bubble.at.X, bubble.size.Width)
			}
			if r.item.Mine != (bubble.at.X+bubble.size.Width > width-2*rowMargin) && width < 860 && r.text == "ok" {
				t.Errorf("%v: %s is on the wrong side", width, r.item.ID)
			}
			right := float32(0)
			for _, o := range r.view.root.Objects {
				text, ok := o.(*canvas.Text)
				if !ok || text.Position().Y < bubble.at.Y {
					continue
				}
				right = max(right, text.Position().X+text.MinSize().Width)
				if text.Position().X < bubble.at.X || text.Position().X+text.MinSize().Width > bubble.at.X+bubble.size.Width+1 {
					t.Errorf("%v: %q sticks out of its bubble", width, text.Text)
				}
			}
			if slack := bubble.at.X + bubble.size.Width - right; slack > 3*bubbleInset+markSide && r.last == false {
				t.Errorf("%v: bubble %s has %v beside its text", width, r.item.ID, slack)
			}
		}
	}
}
