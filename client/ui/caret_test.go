package ui

import (
	"strings"
	"testing"

	"fyne.io/fyne/v2"
	"fyne.io/fyne/v2/canvas"
	"fyne.io/fyne/v2/test"
)

// One sees where one types, and an entry that nobody types into rests: Fyne's own
// caret draws frames for ever.
func TestCaret(t *testing.T) {
	w := newWorld(t, phone, nil)
	r := w.reel()
	w.client.start()
	e := w.client.nav.top().(*askRoomPage).room
	c := w.window.Canvas()
	c.Unfocus()
	caret := func() (shown bool, x float32) {
		test.WidgetRenderer(e).Refresh()
		return e.caret.line.Visible() && e.caret.line.Size() != (fyne.Size{}), e.caret.line.Position().X
	}
	// Fyne's own caret, of no width, blinks as long as it is shown.
	blinks := func() (shown bool) {
		walk(e, fyne.Position{}, func(v seen) {
			if size := v.object.Size(); v.object != fyne.CanvasObject(e.caret.line) && size.Width == 0 && size.Height > 0 {
				if _, ok := v.object.(*canvas.Rectangle); ok {
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
	r.wait() // something was typed meanwhile
	if e.caret.resting {
		t.Error("it rests while one types")
	}
	r.wait()
	if !e.caret.resting || len(r.later) != 0 || blinks() {
		t.Error("it does not come to rest")
	}
	if shown, _ := caret(); !shown {
		t.Error("there is no caret while the entry rests")
	}
	test.Type(e, "o")
	if e.caret.resting || e.Text != "iiio" || len(r.later) == 0 || !blinks() {
		t.Errorf("it goes on resting with %q", e.Text)
	}
	// What is selected stays in sight.
	e.TypedShortcut(&fyne.ShortcutSelectAll{})
	r.wait()
	r.wait()
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
		r.wait()
	}
	if shown, _ := caret(); shown || len(r.later) != 0 {
		t.Error("the caret stays, or something waits")
	}
}
