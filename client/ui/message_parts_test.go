package ui

import (
	"slices"
	"strings"
	"testing"

	"fyne.io/fyne/v2"

	"parley/client/ui/conversation"
	"parley/client/ui/kit"
	"parley/client/ui/uitest"
)

// The panel of a message's menu copies what is selected, or all.
func TestPartOfAMessageIsCopied(t *testing.T) {
	w := newWorld(t, uitest.Phone, nil)
	w.client.start()
	conv := w.room("Lobby", "Ann", "Bob")
	conv.Apply(uitest.Appended(uitest.Said(1, "Bob", "the gate is open")))
	open := func() *conversation.SelectText {
		l := w.page().list
		l.TappedSecondary(&fyne.PointEvent{Position: uitest.Where(t, l, "gate")})
		tapAction(t, w, "Select text")
		return w.window.Canvas().Focused().(*conversation.SelectText)
	}
	open().Tapped(&fyne.PointEvent{Position: fyne.NewPos(10, 10)})
	tapAction(t, w, "Copy the selection")
	if got := w.app.Clipboard().Content(); got != "the" {
		t.Errorf("of a tapped word %q is copied", got)
	}
	open()
	tapAction(t, w, "Copy all")
	if got := w.app.Clipboard().Content(); got != "the gate is open" {
		t.Errorf("of all %q is copied", got)
	}
}

func TestPeopleAreSearched(t *testing.T) {
	w := newWorld(t, uitest.Phone, nil)
	w.client.start()
	w.room("Lobby", "ANN", "Bob", "Bobby Tables", "Łukasz")
	w.people()
	o := w.window.Canvas().Overlays().Top()
	lines := strings.Split(uitest.Texts(o), "\n")
	for i, line := range lines {
		if marked := i+1 < len(lines) && lines[i+1] == "you"; marked != (line == "ANN") {
			t.Errorf("%q is marked as oneself: %v", line, marked)
		}
	}
	var search *kit.Entry
	uitest.Walk(o, func(v uitest.Seen) {
		if e, ok := v.Object.(*kit.Entry); ok {
			search = e
		}
	})
	search.SetText(" bOb")
	if s := uitest.Sentence(o); !strings.Contains(s, "Bob") || !strings.Contains(s, "Tables") || strings.Contains(s, "ANN") || strings.Contains(s, "ukasz") {
		t.Errorf("the search for Bob finds %q", s)
	}
	search.SetText("zzz")
	if !strings.Contains(uitest.Texts(o), "Nobody here has such a name.") {
		t.Errorf("the search for nobody finds:\n%s", uitest.Texts(o))
	}
	search.SetText("")
	if !strings.Contains(uitest.Texts(o), "ukasz") {
		t.Error("an empty search does not find all")
	}
}

// With the keyboard up and the phone on its side, three messages of three people
// can be read over the line that one writes.
func TestLandscapeWithTheKeyboard(t *testing.T) {
	uitest.OnPhone(t, true)
	w := newWorld(t, fyne.NewSize(800, 360), nil)
	w.client.start()
	conv := w.room("Lobby", "Ann", "Bob", "Cleo", "Dan")
	conv.Apply(uitest.Appended(append(uitest.Many(0, 20), uitest.Said(30, "Bob", "first"), uitest.Said(31, "Cleo", "second"), uitest.Own(32, "third"), uitest.Said(33, "Dan", "fourth"))...))
	visible := func() int {
		w.page().root.Refresh()
		n := 0
		uitest.Walk(w.page().list, func(v uitest.Seen) {
			if v.Text != nil && slices.Contains([]string{"first", "second", "third", "fourth"}, v.Text.Text) &&
				v.At.Y >= v.Clip.Top && v.At.Y+v.Text.Size().Height <= v.Clip.Bottom {
				n++
			}
		})
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
	if visible(); !w.page().header.Visible() || w.page().list.Dense {
		t.Error("when the keyboard goes the header does not come back")
	}
	uitest.OnPhone(t, false)
	w.window.Resize(fyne.NewSize(800, 200))
	if visible(); !w.page().header.Visible() {
		t.Error("a low window of a desktop has no header")
	}
}
