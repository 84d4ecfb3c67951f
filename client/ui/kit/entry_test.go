package kit

import (
	"slices"
	"strings"
	"testing"

	"fyne.io/fyne/v2"
	"fyne.io/fyne/v2/canvas"
	"fyne.io/fyne/v2/test"

	"parley/client/ui/lang"
	"parley/client/ui/uitest"
)

// The caret is visible, and an entry that nobody types into rests: Fyne's own caret
// draws frames for ever.
func TestCaret(t *testing.T) {
	e := NewEntry("", func(fyne.Shortcut) bool { return false })
	stage, r := show(t, NewColumn(0, NewEntryBox(e)), uitest.Phone)
	c := stage.Canvas()
	c.Unfocus()
	caret := func() (shown bool, x float32) {
		test.WidgetRenderer(e).Refresh()
		return e.caret.line.Visible() && e.caret.line.Size() != (fyne.Size{}), e.caret.line.Position().X
	}
	// Fyne's own caret, of no width, blinks as long as it is shown.
	blinks := func() (shown bool) {
		uitest.Walk(e, func(v uitest.Seen) {
			if size := v.Object.Size(); v.Object != fyne.CanvasObject(e.caret.line) && size.Width == 0 && size.Height > 0 {
				if _, ok := v.Object.(*canvas.Rectangle); ok {
					shown = true
				}
			}
		})
		return shown
	}
	if shown, _ := caret(); shown {
		t.Error("there is a caret without the focus")
	}
	c.Focus(e)
	shown, begin := caret()
	test.Type(e, "iii")
	if after, x := caret(); !shown || !after || x <= begin {
		t.Errorf("the caret goes from %v to %v", begin, x)
	}
	r.Wait() // something was typed meanwhile
	if e.caret.resting {
		t.Error("it rests while one types")
	}
	r.Wait()
	if !e.caret.resting || len(r.Due) != 0 || blinks() {
		t.Error("it does not come to rest")
	}
	if shown, _ := caret(); !shown {
		t.Error("there is no caret while the entry rests")
	}
	test.Type(e, "o")
	if e.caret.resting || e.Text != "iiio" || len(r.Due) == 0 || !blinks() {
		t.Errorf("it goes on resting with %q", e.Text)
	}
	// What is selected stays in sight.
	e.TypedShortcut(&fyne.ShortcutSelectAll{})
	r.Wait()
	r.Wait()
	if e.caret.resting {
		t.Error("it rests with a selection")
	}
	e.TypedKey(&fyne.KeyEvent{Name: fyne.KeyRight})
	test.Type(e, strings.Repeat("w", 200))
	if shown, x := caret(); !shown || x > e.Size().Width {
		t.Errorf("the caret of a long text is at %v of %v", x, e.Size().Width)
	}
	c.Unfocus()
	for range 3 {
		r.Wait()
	}
	if shown, _ := caret(); shown || len(r.Due) != 0 {
		t.Error("the caret stays, or something waits")
	}
}

// A line takes more than any name or address, and not more than is laid out at
// once.
func TestLineIsBounded(t *testing.T) {
	e := NewEntry("", func(fyne.Shortcut) bool { return false })
	stage, _ := show(t, NewColumn(0, NewEntryBox(e)), uitest.Phone)
	paste := func(n int) {
		clipboard := fyne.CurrentApp().Clipboard()
		clipboard.SetContent(strings.Repeat("x", n))
		e.TypedShortcut(&fyne.ShortcutPaste{Clipboard: clipboard})
	}
	paste(50_000)
	if want := []string{lang.T("text.full", "limit", "1000")}; e.Text != "" || !slices.Equal(stage.Said, want) {
		t.Errorf("%d characters are in the line, and what is said is %q", len(e.Text), stage.Said)
	}
	paste(maxLine)
	test.Type(e, "y")
	if len(e.Text) != maxLine {
		t.Errorf("%d characters are in the line", len(e.Text))
	}
	e.TypedShortcut(&fyne.ShortcutSelectAll{})
	if paste(maxLine); len(e.Text) != maxLine {
		t.Errorf("what is selected is not replaced: %d characters", len(e.Text))
	}
}
