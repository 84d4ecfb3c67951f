package ui

import (
	"image/color"
	"slices"
	"testing"

	"fyne.io/fyne/v2/canvas"
	"fyne.io/fyne/v2/test"

	"parley/client/session"
	"parley/client/ui/conversation"
	"parley/client/ui/kit"
	"parley/client/ui/uitest"
)

// A person has one colour in the conversation and in the list of people.
func TestPeopleHaveTheColourOfTheirMessages(t *testing.T) {
	w := newWorld(t, uitest.Phone, nil)
	conv := w.room("Lobby", "Ann", "Bob", "Cleo")
	conv.Apply(uitest.Appended(uitest.By("earlier", uitest.Said(1, "Bob", "a")), uitest.By("x", uitest.Said(2, "Bob", "b"))))
	var got []color.NRGBA
	for _, row := range peopleRows(conv, "Ann", "", nil) {
		uitest.Walk(row, func(v uitest.Seen) {
			if a, ok := v.Object.(*kit.Avatar); ok {
				got = append(got, discOf(a))
			}
		})
	}
	var want []color.NRGBA
	for _, author := range []string{"Ann", "x", "Cleo"} {
		want = append(want, discOf(kit.NewAvatar("", author, 36)))
	}
	if !slices.Equal(got, want) {
		t.Errorf("the colours are %v, want %v", got, want)
	}
}

// discOf is the colour that an avatar is drawn in.
func discOf(a *kit.Avatar) color.NRGBA {
	return test.WidgetRenderer(a).Objects()[0].(*canvas.Rectangle).FillColor.(color.NRGBA)
}

// A message that names the person by an earlier name is for them too.
func TestMentionsOfAnEarlierName(t *testing.T) {
	w := newWorld(t, uitest.Phone, nil)
	conv := w.room("Lobby", "Ann", "Bob")
	earlier := uitest.By("us", uitest.Own(1, "hi"))
	earlier.User = "Annabel"
	conv.Apply(uitest.Appended(earlier))
	if names := conv.Names("Ann"); !conversation.Mentions("ask annabel", names...) || !conversation.Mentions("ask Ann", names...) || conversation.Mentions("ask Bob", names...) {
		t.Errorf("the names are %q", names)
	}
}

// Whoever looks at a room is told of a new name.
func TestRenamedIsSaid(t *testing.T) {
	w := newWorld(t, uitest.Phone, nil)
	conv := w.room("Lobby", "Ann", "Bob")
	conv.Apply([]session.Change{{Kind: session.Renamed, By: "x", From: "Bob", To: "Rob\u202e\n"}})
	if toast := w.client.nav.toast; !toast.Visible() || uitest.Sentence(toast) != "Bob is now called Rob" {
		t.Errorf("said %q", uitest.Sentence(toast))
	}
}
