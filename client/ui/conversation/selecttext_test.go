package conversation

import (
	"strings"
	"testing"

	"fyne.io/fyne/v2"

	"parley/client/ui/uitest"
)

func TestPartOfAMessageIsSelected(t *testing.T) {
	open := func() *SelectText {
		newLightApp()
		s := NewSelectText("the gate is open\nuntil שלום ten")
		show(t, s, uitest.Phone)
		return s
	}
	// place is the position that a byte of the text is drawn at.
	place := func(s *SelectText, at int) fyne.Position {
		for i, l := range s.lines {
			if at < l.To || i == len(s.lines)-1 {
				spans := s.font.Wrapper().Spans(s.text, l, at, at+1)
				return fyne.NewPos(s.left(l)+spans[0].X, (float32(i)+0.5)*s.font.LineHeight())
			}
		}
		return fyne.Position{}
	}
	drag := func(s *SelectText, from, to fyne.Position) {
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
		if got := s.Selected(); got != v.want {
			t.Errorf("from %q to %q: %q is selected", v.from, v.to, got)
		}
	}
	// A tap takes a word, a tap on it lets it go.
	s := open()
	s.Tapped(&fyne.PointEvent{Position: place(s, strings.Index(s.text, "gate")+2)})
	if s.Selected() != "gate" {
		t.Errorf("a tap takes %q", s.Selected())
	}
	s.Tapped(&fyne.PointEvent{Position: place(s, strings.Index(s.text, "gate")+2)})
	if s.Selected() != s.text {
		t.Errorf("a second tap leaves %q", s.Selected())
	}
}
