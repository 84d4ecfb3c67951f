package kit

import (
	"strings"
	"testing"

	"fyne.io/fyne/v2"
	"fyne.io/fyne/v2/canvas"
	"fyne.io/fyne/v2/test"

	"parley/client/ui/lang"
)

// What is marked has a ground under it: as wide as it is in each of its lines, and none
// behind the ellipsis.
func TestMarkedText(t *testing.T) {
	test.NewApp()
	marks := func(text *Text, width float32) (grounds []fyne.CanvasObject) {
		text.Resize(fyne.NewSize(width, text.Fit(width)))
		for _, o := range test.WidgetRenderer(text).Objects() {
			if r, ok := o.(*canvas.Rectangle); ok && r.FillColor == Colors().Mark {
				grounds = append(grounds, r)
			}
		}
		return grounds
	}
	wide := func(s string) float32 { return FontBody.Wrapper().Measure(s, 1e6).Widest }
	s := "At the gate, at eight"
	text := NewText(s, FontBody, RoleText)
	if got := marks(text, 1000); len(got) != 0 {
		t.Errorf("%d grounds without a mark", len(got))
	}
	text = NewText(s, FontBody, RoleText)
	text.Mark([][2]int{{7, 11}})
	got := marks(text, 1000)
	if len(got) != 1 || got[0].Size().Width != wide("gate") || max(got[0].Position().X-wide("At the"), 0) == 0 || got[0].Position().X > wide("At the g") {
		t.Errorf("%d grounds for one word", len(got))
	}
	text = NewText(s, FontBody, RoleText)
	text.Mark([][2]int{{0, len(s)}})
	if got := marks(text, wide("At the gate,")); len(got) != 2 || got[1].Position().Y != FontBody.LineHeight() {
		t.Errorf("%d grounds in two lines", len(got))
	}
	long := strings.Repeat("word ", 40) + "end"
	text = NewText(long, FontBody, RoleText).Lines(1)
	text.Mark([][2]int{{len(long) - 3, len(long)}})
	if got := marks(text, 200); len(got) != 0 {
		t.Errorf("%d grounds of what is not shown", len(got))
	}
}

// A sentence that begins with a name in Hebrew is drawn from the left.
func TestNameInASentence(t *testing.T) {
	test.NewApp()
	if err := lang.Use("en"); err != nil {
		t.Fatal(err)
	}
	text := NewText(lang.T("room.typing.two", "name", "אבג", "other", "Bob"), FontBody, RoleText)
	text.Resize(fyne.NewSize(1000, text.Fit(1000)))
	var drawn []string
	x := float32(-1)
	for _, o := range test.WidgetRenderer(text).Objects() {
		if run, ok := o.(*canvas.Text); ok {
			if run.Position().X <= x {
				t.Errorf("%q is not behind what is before it", run.Text)
			}
			x = run.Position().X
			drawn = append(drawn, strings.Trim(run.Text, strut+" "))
		}
	}
	if got := strings.Join(drawn, "|"); got != "אבג|and Bob are typing…" {
		t.Errorf("the sentence is drawn as %q", got)
	}
}
