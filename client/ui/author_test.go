package ui

import (
	"image/color"
	"testing"

	"fyne.io/fyne/v2"

	"parley/client/session"
)

func by(author string, item session.Item) session.Item {
	item.By = author
	return item
}

// Messages are one group, and one colour, if one person wrote them: not if
// somebody else has taken the name.
func TestGroupsGoByAuthor(t *testing.T) {
	at := func(item session.Item) session.Item {
		item.Time = noon
		return item
	}
	for _, tc := range []struct {
		what               string
		a, b               session.Item
		grouped, sameColor bool
	}{
		{"one person", by("x", said(1, "Bob", "a")), by("x", said(2, "Bob", "b")), true, true},
		{"another of the same name", by("x", said(1, "Bob", "a")), by("y", said(2, "Bob", "b")), false, false},
		{"one person under a new name", by("x", said(1, "Bob", "a")), by("x", said(2, "Rob", "b")), false, true},
		{"before and after the server told", said(1, "Bob", "a"), by("x", said(2, "Bob", "b")), true, false},
		{"a server that does not tell", said(1, "Bob", "a"), said(2, "Bob", "b"), true, true},
		{"two people there", said(1, "Bob", "a"), said(2, "Cleo", "b"), false, false},
		{"own and a stranger's", by("x", own(1, "a")), by("y", said(2, "Ann", "b")), false, false},
	} {
		l := newList(t, at(tc.a), at(tc.b))
		if got := !l.timeline.rows[1].first; got != tc.grouped {
			t.Errorf("%s: grouped is %v", tc.what, got)
		}
		if got := hueOf(authorOf(tc.a)) == hueOf(authorOf(tc.b)); got != tc.sameColor {
			t.Errorf("%s: the same colour is %v", tc.what, got)
		}
	}
}

// A person has one colour in the conversation and in the list of people.
func TestPeopleHaveTheColourOfTheirMessages(t *testing.T) {
	w := newWorld(t, phone, nil)
	conv := w.room("Lobby", "Ann", "Bob", "Cleo")
	conv.apply(appended(by("earlier", said(1, "Bob", "a")), by("x", said(2, "Bob", "b"))))
	var got []color.NRGBA
	var walk func(fyne.CanvasObject)
	walk = func(o fyne.CanvasObject) {
		switch o := o.(type) {
		case *avatar:
			got = append(got, hueOf(o.author).avatar)
		case *hrow:
			for _, o := range o.objects {
				walk(o)
			}
		case *filled:
			for _, o := range o.objects {
				walk(o)
			}
		case *column:
			for _, o := range o.objects {
				walk(o)
			}
		}
	}
	for _, row := range conv.peopleRows("") {
		walk(row)
	}
	want := []color.NRGBA{hueOf("Ann").avatar, hueOf("x").avatar, hueOf("Cleo").avatar}
	if len(got) != 3 || got[0] != want[0] || got[1] != want[1] || got[2] != want[2] {
		t.Errorf("the colours are %v, want %v", got, want)
	}
}

// A message that names the person by an earlier name is for them too.
func TestMentionsOfAnEarlierName(t *testing.T) {
	w := newWorld(t, phone, nil)
	conv := w.room("Lobby", "Ann", "Bob")
	earlier := by("us", own(1, "hi"))
	earlier.User = "Annabel"
	conv.apply(appended(earlier))
	if names := conv.names(); !mentions("ask annabel", names...) || !mentions("ask Ann", names...) || mentions("ask Bob", names...) {
		t.Errorf("the names are %q", names)
	}
}

// Who looks at a room is told of a new name.
func TestRenamedIsSaid(t *testing.T) {
	w := newWorld(t, phone, nil)
	conv := w.room("Lobby", "Ann", "Bob")
	conv.apply([]session.Change{{Kind: session.Renamed, By: "x", From: "Bob", To: "Rob\u202e\n"}})
	if toast := w.client.nav.toast; !toast.Visible() || toast.text.text != "Bob is now called Rob" {
		t.Errorf("said %q", toast.text.text)
	}
}
