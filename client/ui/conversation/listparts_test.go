package conversation

import (
	"fmt"
	"image/color"
	"slices"
	"strings"
	"testing"

	"fyne.io/fyne/v2"
	"fyne.io/fyne/v2/canvas"
	"fyne.io/fyne/v2/driver/mobile"
	"fyne.io/fyne/v2/test"

	"parley/client/session"
	"parley/client/ui/kit"
	"parley/client/ui/uitest"
)

func TestSentBubbleRises(t *testing.T) {
	l, r := newListOnReel(t, uitest.Many(0, 60)...)
	pending := uitest.Own(100, "I rise")
	pending.Delivery = session.Pending
	l.Change(uitest.Appended(pending))
	row := l.timeline.rows[len(l.timeline.rows)-1]
	y := func() float32 { return row.view.root.Position().Y }
	r.Frame(0)
	below := y()
	r.Frame(0.5)
	half := y()
	r.Frame(1)
	if rest := y(); below-rest < row.height-1 || half <= rest || half >= below {
		t.Errorf("it goes from %v by %v to %v", below, half, rest)
	}
	l.Change(uitest.Appended(uitest.Said(101, "Bob", "and I don't")))
	if l.lift != 0 || len(r.Live) != 0 || l.risen != nil {
		t.Error("what others say moves")
	}
}

func TestFloatingDate(t *testing.T) {
	items := uitest.Many(0, 120)
	for i := range items[:60] {
		items[i].Time = items[i].Time.AddDate(0, 0, -1)
	}
	l, r := newListOnReel(t, items...)
	floats := func() string {
		return l.floating()
	}
	l.ScrollBy(1000)
	if floats() != "" {
		t.Error("a date floats before anybody scrolls")
	}
	l.Scrolled(&fyne.ScrollEvent{Scrolled: fyne.NewDelta(0, 300)})
	if floats() != "Today" {
		t.Errorf("the date is %q", floats())
	}
	l.ScrollBy(l.Offset - l.timeline.tops[30])
	if floats() != "Yesterday" || !slices.Contains(test.WidgetRenderer(l).Objects(), l.date.drawn[0]) {
		t.Errorf("the date is %q", floats())
	}
	l.scrolled(1)
	r.Wait() // it was scrolled meanwhile
	if floats() == "" {
		t.Error("the date goes while one scrolls")
	}
	r.Wait()
	if floats() != "" || len(r.Due) != 0 {
		t.Error("the date stays")
	}
	l.scrolled(l.Offset) // to the beginning, whose own line says it
	if floats() != "" {
		t.Errorf("%q stands over its own line", floats())
	}
}

func TestLongMessagesFold(t *testing.T) {
	l := newList(t)
	lines := func(n int) string {
		var b strings.Builder
		for i := range n {
			fmt.Fprintf(&b, "line %d\n", i)
		}
		return strings.TrimSuffix(b.String(), "\n")
	}
	l.Change(uitest.Appended(uitest.Said(1, "Bob", lines(20))))
	if s := uitest.Texts(l); strings.Contains(s, "Show more") || !strings.Contains(s, "line 19") {
		t.Errorf("20 lines are folded:\n%s", s)
	}
	l.Change(uitest.Appended(uitest.Many(10, 40)...))
	long := uitest.Own(100, lines(60))
	l.Change(uitest.Appended(long))
	if s := uitest.Texts(l); !strings.Contains(s, "Show more") || strings.Contains(s, "line 15\n") || !strings.Contains(s, "line 14\n") {
		t.Errorf("60 lines are not folded:\n%s", s)
	}
	tap := func() { l.Tapped(&fyne.PointEvent{Position: middle(t, l, hitFold)}) }
	before := l.InSight()["id100"]
	tap()
	if s := uitest.Texts(l); !strings.Contains(s, "line 15\n") || l.stick {
		t.Error("it is not shown whole")
	}
	if now := l.InSight()["id100"]; now != before {
		t.Errorf("its beginning goes from %v to %v", before, now)
	}
	// It stays so when its state changes.
	long.Delivery = session.Pending
	l.Change([]session.Change{{Kind: session.Update, Index: len(l.timeline.rows) - 1, Items: []session.Item{long}}})
	l.toBottom()
	if s := uitest.Texts(l); !strings.Contains(s, "line 59") || !strings.Contains(s, "Show less") {
		t.Errorf("it is folded by itself:\n%s", s)
	}
	tap()
	if s := uitest.Texts(l); !strings.Contains(s, "Show more") || !strings.Contains(s, "line 0\n") {
		t.Errorf("it is not folded again, or its beginning is out of sight:\n%s", s)
	}
	var menu Hit
	l.OnMenu = func(h Hit, _ fyne.Position) { menu = h }
	l.TappedSecondary(&fyne.PointEvent{Position: middle(t, l, hitFold)})
	if menu.row == nil || menu.row.item.Text != lines(60) {
		t.Error("a folded message's menu is not about all of it")
	}
}

// A place that lies in front of what the device keeps is found in the history.
func TestPlaceInTheHistory(t *testing.T) {
	list := newList(t)
	asked := 0
	list.OnOlder = func() { asked++ }
	want := session.Place{ID: "id130", Offset: 130, Below: 3}
	list.Seek(want)
	list.Change([]session.Change{{Kind: session.Reset, Items: uitest.Many(200, 60), More: true}})
	if asked != 1 {
		t.Fatalf("asked %d times", asked)
	}
	list.Change([]session.Change{{Kind: session.Prepend, Items: uitest.Many(150, 50), More: true}})
	if asked != 2 || !list.stick {
		t.Fatalf("asked %d times", asked)
	}
	list.Change([]session.Change{{Kind: session.Prepend, Items: uitest.Many(100, 50), More: true}})
	if at := list.timeline.anchorAt(list.Offset); at != (anchor{"id130", 3}) || list.stick {
		t.Errorf("the list is at %+v", at)
	}
	list.Seek(session.Place{ID: "deleted", Offset: 120})
	list.find()
	if list.sought.ID != "" {
		t.Error("a row that is gone is sought on")
	}
	list.Seek(want)
	list.ScrollBy(10)
	if list.sought.ID != "" {
		t.Error("whoever scrolls is taken away")
	}
}

// Messages are one group, and one colour, if one person wrote them: not if
// somebody else has taken the name.
func TestGroupsGoByAuthor(t *testing.T) {
	at := func(item session.Item) session.Item {
		item.Time = uitest.Noon
		return item
	}
	for _, tc := range []struct {
		what               string
		a, b               session.Item
		grouped, sameColor bool
	}{
		{"one person", uitest.By("x", uitest.Said(1, "Bob", "a")), uitest.By("x", uitest.Said(2, "Bob", "b")), true, true},
		{"another of the same name", uitest.By("x", uitest.Said(1, "Bob", "a")), uitest.By("y", uitest.Said(2, "Bob", "b")), false, false},
		{"one person under a new name", uitest.By("x", uitest.Said(1, "Bob", "a")), uitest.By("x", uitest.Said(2, "Rob", "b")), false, true},
		{"before and after the server told", uitest.Said(1, "Bob", "a"), uitest.By("x", uitest.Said(2, "Bob", "b")), true, false},
		{"a server that does not tell", uitest.Said(1, "Bob", "a"), uitest.Said(2, "Bob", "b"), true, true},
		{"two people there", uitest.Said(1, "Bob", "a"), uitest.Said(2, "Cleo", "b"), false, false},
		{"own and a stranger's", uitest.By("x", uitest.Own(1, "a")), uitest.By("y", uitest.Said(2, "Ann", "b")), false, false},
	} {
		l := newList(t, at(tc.a), at(tc.b))
		if got := !l.timeline.rows[1].first; got != tc.grouped {
			t.Errorf("%s: grouped is %v", tc.what, got)
		}
		if got := kit.NameColor(authorOf(tc.a)) == kit.NameColor(authorOf(tc.b)); got != tc.sameColor {
			t.Errorf("%s: the same colour is %v", tc.what, got)
		}
	}
}

// What is under a finger looks so, as long as it is there.
func TestPressedRows(t *testing.T) {
	l := newList(t, uitest.Many(0, 60)...)
	uitest.OnPhone(t, true)
	lit := func() bool {
		for _, o := range test.WidgetRenderer(l).Objects() {
			if rect, ok := o.(*canvas.Rectangle); ok && rect.FillColor == color.Color(kit.Colors().Press) {
				return true
			}
		}
		return false
	}
	l.ScrollBy(1000)
	bubble := middle(t, l, hitBubble)
	down := func(p fyne.Position) {
		l.TouchDown(&mobile.TouchEvent{PointEvent: fyne.PointEvent{Position: p}})
		if !lit() {
			t.Errorf("what is at %v looks the same under a finger", p)
		}
	}
	down(bubble)
	l.Tapped(&fyne.PointEvent{Position: bubble})
	if lit() {
		t.Error("a bubble stays pressed")
	}
	down(l.pill.at.AddXY(5, 5))
	l.TouchCancel(&mobile.TouchEvent{})
	if lit() {
		t.Error("the pill stays pressed")
	}
	down(bubble)
	l.Dragged(&fyne.DragEvent{Dragged: fyne.NewDelta(0, 30)})
	if lit() {
		t.Error("a bubble stays pressed while the list scrolls")
	}
}
