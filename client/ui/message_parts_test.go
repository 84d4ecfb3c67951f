package ui

import (
	"fmt"
	"strings"
	"testing"

	"fyne.io/fyne/v2"

	"parley/client/session"
)

func TestPartOfAMessageIsCopied(t *testing.T) {
	w := newWorld(t, phone, nil)
	w.client.start()
	conv := w.room("Lobby", "Ann", "Bob")
	conv.apply(appended(said(1, "Bob", "the gate is open\nuntil שלום ten")))
	open := func() *selectText {
		l := w.page().list
		l.TappedSecondary(&fyne.PointEvent{Position: middle(t, l, hitBubble)})
		tapLine(t, w, "Select text")
		o := w.window.Canvas().Overlays().Top().(*overlay)
		return find(o.panel, func(o fyne.CanvasObject) bool { _, ok := o.(*selectText); return ok }).(*selectText)
	}
	// place is where a byte of the text is drawn.
	place := func(s *selectText, at int) fyne.Position {
		for i, l := range s.lines {
			if at < l.To || i == len(s.lines)-1 {
				spans := s.font.wrapper().Spans(s.text, l, at, at+1)
				return fyne.NewPos(s.left(l)+spans[0].X, (float32(i)+0.5)*s.font.lineHeight())
			}
		}
		return fyne.Position{}
	}
	drag := func(s *selectText, from, to fyne.Position) {
		first := fyne.NewDelta(to.X-from.X, to.Y-from.Y)
		s.Dragged(&fyne.DragEvent{PointEvent: fyne.PointEvent{Position: to}, Dragged: first})
		s.DragEnd()
	}
	for _, v := range []struct{ from, to, want string }{
		{"gate", " is", "gate"},
		{"open", "ten", "open\nuntil שלום "},
		{" open", "the", "the gate is"}, // backwards
	} {
		s := open()
		drag(s, place(s, strings.Index(s.text, v.from)), place(s, strings.Index(s.text, v.to)))
		tapLine(t, w, "Copy the selection")
		if got := w.app.Clipboard().Content(); got != v.want {
			t.Errorf("from %q to %q: %q is copied", v.from, v.to, got)
		}
	}
	// A tap takes a word, a tap on it lets it go.
	s := open()
	s.Tapped(&fyne.PointEvent{Position: place(s, strings.Index(s.text, "gate")+2)})
	if s.selected() != "gate" {
		t.Errorf("a tap takes %q", s.selected())
	}
	s.Tapped(&fyne.PointEvent{Position: place(s, strings.Index(s.text, "gate")+2)})
	tapLine(t, w, "Copy all")
	if got := w.app.Clipboard().Content(); got != "the gate is open\nuntil שלום ten" {
		t.Errorf("%q is copied", got)
	}
}

func TestLongMessagesFold(t *testing.T) {
	w := newWorld(t, phone, nil)
	w.client.start()
	conv := w.room("Lobby", "Ann", "Bob")
	lines := func(n int) string {
		var b strings.Builder
		for i := range n {
			fmt.Fprintf(&b, "line %d\n", i)
		}
		return strings.TrimSuffix(b.String(), "\n")
	}
	conv.apply(appended(said(1, "Bob", lines(20))))
	l := w.page().list
	if s := texts(l); strings.Contains(s, "Show more") || !strings.Contains(s, "line 19") {
		t.Errorf("20 lines are folded:\n%s", s)
	}
	conv.apply(appended(many(10, 40)...))
	long := own(100, lines(60))
	conv.apply(appended(long))
	if s := texts(l); !strings.Contains(s, "Show more") || strings.Contains(s, "line 15\n") || !strings.Contains(s, "line 14\n") {
		t.Errorf("60 lines are not folded:\n%s", s)
	}
	tap := func() { l.Tapped(&fyne.PointEvent{Position: middle(t, l, hitFold)}) }
	before := places(l)["id100"]
	tap()
	if s := texts(l); !strings.Contains(s, "line 15\n") || l.stick {
		t.Error("it is not shown whole")
	}
	if now := places(l)["id100"]; now != before {
		t.Errorf("its beginning goes from %v to %v", before, now)
	}
	// It stays so when its state changes.
	long.Delivery = session.Pending
	conv.apply([]session.Change{{Kind: session.Update, Index: len(l.timeline.rows) - 1, Items: []session.Item{long}}})
	l.toBottom()
	if s := texts(l); !strings.Contains(s, "line 59") || !strings.Contains(s, "Show less") {
		t.Errorf("it is folded by itself:\n%s", s)
	}
	tap()
	if s := texts(l); !strings.Contains(s, "Show more") || !strings.Contains(s, "line 0\n") {
		t.Errorf("it is not folded again, or its beginning is out of sight:\n%s", s)
	}
	l.TappedSecondary(&fyne.PointEvent{Position: middle(t, l, hitFold)})
	tapLine(t, w, "Copy")
	if w.app.Clipboard().Content() != lines(60) {
		t.Error("a folded message is not copied whole")
	}
}

func TestPeopleAreSearched(t *testing.T) {
	w := newWorld(t, phone, nil)
	w.client.start()
	w.room("Lobby", "ANN", "Bob", "Bobby Tables", "Łukasz")
	w.page().showPeople()
	o := w.window.Canvas().Overlays().Top().(*overlay)
	says := func() []string { return strings.Fields(strings.ReplaceAll(texts(o.panel), strut, "")) }
	lines := strings.Split(texts(o.panel), "\n")
	for i, line := range lines {
		if marked := i+1 < len(lines) && lines[i+1] == "you"; marked != (line == "ANN") {
			t.Errorf("%q is marked as oneself: %v", line, marked)
		}
	}
	box := find(o.panel, func(o fyne.CanvasObject) bool { _, ok := o.(*entryBox); return ok }).(*entryBox)
	box.entry.SetText(" bOb")
	if s := strings.Join(says(), " "); !strings.Contains(s, "Bob") || !strings.Contains(s, "Tables") || strings.Contains(s, "ANN") || strings.Contains(s, "ukasz") {
		t.Errorf("the search for Bob finds %q", s)
	}
	box.entry.SetText("zzz")
	if !strings.Contains(texts(o.panel), "Nobody here has such a name.") {
		t.Errorf("the search for nobody finds:\n%s", texts(o.panel))
	}
	box.entry.SetText("")
	if !strings.Contains(texts(o.panel), "ukasz") {
		t.Error("an empty search does not find all")
	}
}

// With the keyboard up and the phone on its side, three messages of three people
// can be read over the line that one writes.
func TestLandscapeWithTheKeyboard(t *testing.T) {
	onPhone(t, true)
	w := newWorld(t, fyne.NewSize(800, 360), nil)
	w.client.start()
	conv := w.room("Lobby", "Ann", "Bob", "Cleo", "Dan")
	conv.apply(appended(append(many(0, 20), said(30, "Bob", "first"), said(31, "Cleo", "second"), own(32, "third"), said(33, "Dan", "fourth"))...))
	visible := func() int {
		w.page().root.Refresh()
		list := w.page().list
		n := 0
		for _, r := range list.shown {
			b := r.view.hits[0]
			if y := r.view.root.Position().Y + b.at.Y; y >= 0 && y+b.size.Height <= list.Size().Height {
				n++
			}
		}
		return n
	}
	if !w.page().header.Visible() {
		t.Error("without the keyboard the header is missing")
	}
	w.window.Resize(fyne.NewSize(800, 360-24-180)) // what the status bar and the keyboard leave
	if n := visible(); n < 3 {
		t.Errorf("%d messages can be read", n)
	}
	checkLayout(t, "landscape", w.window.Content(), fyne.NewSize(800, 156))
	w.window.Resize(fyne.NewSize(800, 360))
	if visible(); !w.page().header.Visible() || w.page().list.dense {
		t.Error("when the keyboard goes the header does not come back")
	}
	onPhone(t, false)
	w.window.Resize(fyne.NewSize(800, 200))
	if visible(); !w.page().header.Visible() {
		t.Error("a low window of a desktop has no header")
	}
}
