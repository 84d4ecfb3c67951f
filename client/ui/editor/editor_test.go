package editor

import (
	"testing"

	"fyne.io/fyne/v2"
	"fyne.io/fyne/v2/canvas"
	"fyne.io/fyne/v2/driver/desktop"
	"fyne.io/fyne/v2/test"

	"parley/client/ui/kit"
	"parley/client/ui/uitest"
)

// testEditor is an editor as a widget.
type testEditor struct{ Editor }

func (e *testEditor) CreateRenderer() fyne.WidgetRenderer { return e.Renderer(e) }

// limit is how long a text may be in these tests.
const limit = 16384

// newTestEditor shows an editor of a width.
func newTestEditor(t *testing.T, width float32) *testEditor {
	t.Helper()
	a := uitest.NewApp()
	a.Settings().SetTheme(kit.NewTheme(kit.LookLight, 100))
	e := &testEditor{}
	e.Prepare(e, limit)
	w := test.NewWindow(e)
	t.Cleanup(w.Close)
	w.Canvas().Focus(e)
	e.Resize(fyne.NewSize(width, 200))
	return e
}

func keys(e *testEditor, names ...fyne.KeyName) {
	for _, n := range names {
		if n == desktop.KeyShiftLeft {
			e.KeyDown(&fyne.KeyEvent{Name: n})
			defer e.KeyUp(&fyne.KeyEvent{Name: n})
			continue
		}
		e.TypedKey(&fyne.KeyEvent{Name: n})
	}
}

func TestEditorMovesAndDeletes(t *testing.T) {
	control := func(k fyne.KeyName) fyne.Shortcut {
		return &desktop.CustomShortcut{KeyName: k, Modifier: fyne.KeyModifierShortcutDefault}
	}
	for _, tc := range []struct {
		name, text string
		do         func(e *testEditor)
		want       string // with | for the caret
	}{
		{"left over an emoji", "a👩‍🚀", func(e *testEditor) { keys(e, fyne.KeyLeft) }, "a|👩‍🚀"},
		{"right over an emoji", "👩‍🚀b", func(e *testEditor) { keys(e, fyne.KeyPageUp, fyne.KeyUp, fyne.KeyHome, fyne.KeyRight) }, "👩‍🚀|b"},
		{"delete an emoji", "👩‍🚀b", func(e *testEditor) { keys(e, fyne.KeyHome, fyne.KeyDelete) }, "|b"},
		{"up keeps the column", "three\n\nthree", func(e *testEditor) { keys(e, fyne.KeyLeft, fyne.KeyLeft, fyne.KeyUp, fyne.KeyUp) }, "thr|ee\n\nthree"},
		{"up above the first row", "one", func(e *testEditor) { keys(e, fyne.KeyUp) }, "|one"},
		{"down below the last row", "one", func(e *testEditor) { keys(e, fyne.KeyHome, fyne.KeyDown) }, "one|"},
		{"home and end of a line", "one\ntwo", func(e *testEditor) { keys(e, fyne.KeyHome) }, "one\n|two"},
		{"selection is replaced", "one two", func(e *testEditor) {
			keys(e, desktop.KeyShiftLeft, fyne.KeyLeft, fyne.KeyLeft, fyne.KeyLeft)
			e.TypedRune('x')
		}, "one x|"},
		{"an arrow ends a selection", "one", func(e *testEditor) {
			e.TypedShortcut(&fyne.ShortcutSelectAll{})
			keys(e, fyne.KeyLeft)
		}, "|one"},
		{"a word to the left", "one two", func(e *testEditor) { e.TypedShortcut(control(fyne.KeyLeft)) }, "one |two"},
		{"a word to the right", "one two", func(e *testEditor) { keys(e, fyne.KeyHome); e.TypedShortcut(control(fyne.KeyRight)) }, "one| two"},
		{"delete a word", "one two", func(e *testEditor) { e.TypedShortcut(control(fyne.KeyBackspace)) }, "one |"},
		{"cut and paste", "one", func(e *testEditor) {
			e.TypedShortcut(&fyne.ShortcutSelectAll{})
			e.TypedShortcut(&fyne.ShortcutCut{})
			e.TypedShortcut(&fyne.ShortcutPaste{})
			e.TypedShortcut(&fyne.ShortcutPaste{})
		}, "oneone|"},
		{"undo and redo", "", func(e *testEditor) {
			test.Type(e, "one two")
			e.TypedShortcut(&fyne.ShortcutUndo{})
			e.TypedShortcut(&fyne.ShortcutUndo{})
			e.TypedShortcut(&fyne.ShortcutRedo{})
		}, "one|"},
		{"a double click selects a word", "one two three", func(e *testEditor) {
			x := pad + e.lines.row(0).x(5, e.lines.frame.width)
			e.DoubleTapped(&fyne.PointEvent{Position: fyne.NewPos(x, 20)})
			keys(e, fyne.KeyDelete)
		}, "one | three"},
		{"a click puts the caret", "one two", func(e *testEditor) {
			x := pad + e.lines.row(0).x(4, e.lines.frame.width)
			e.MouseDown(&desktop.MouseEvent{PointEvent: fyne.PointEvent{Position: fyne.NewPos(x+1, 20)}, Button: desktop.MouseButtonPrimary})
		}, "one |two"},
		{"a drag selects", "one two", func(e *testEditor) {
			at := func(n int) fyne.Position { return fyne.NewPos(pad+e.lines.row(0).x(n, e.lines.frame.width), 20) }
			e.Dragged(&fyne.DragEvent{PointEvent: fyne.PointEvent{Position: at(4)}, Dragged: fyne.NewDelta(at(4).X-at(0).X, 0)})
			e.DragEnd()
			keys(e, fyne.KeyBackspace)
		}, "|two"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			e := newTestEditor(t, 400)
			e.SetText(tc.text)
			tc.do(e)
			at := e.CursorTextOffset()
			if got := string(e.draft.runes[:at]) + "|" + string(e.draft.runes[at:]); got != tc.want {
				t.Errorf("%q, want %q", got, tc.want)
			}
		})
	}
}

// What cannot be seen is not written, and what can be is kept.
func TestEditorTakesText(t *testing.T) {
	e := newTestEditor(t, 400)
	e.write("a\tb\r\nc\x00\u202ed")
	if e.Text != "a\tb\ncd" {
		t.Errorf("the entry has %q", e.Text)
	}
}

// However it is edited, a text is laid out as if it were new.
func TestEditorLaysOutWhatChanged(t *testing.T) {
	e := newTestEditor(t, 200)
	e.SetText("one\ntwo\nthree of them that need more than a row\n\nfour\nfour")
	f := e.lines.frame
	for i, edit := range []func(){
		func() { e.draft.move(5, false); e.write("x") },
		func() { e.write("\n") },
		func() { e.write("a long one that needs some rows\n\n") },
		func() { e.draft.move(0, false); e.write("\n\n") },
		func() { e.erase(len(e.draft.runes)) },
		func() { e.TypedShortcut(&fyne.ShortcutUndo{}) },
		func() { e.draft.move(len(e.draft.runes), false); e.write("\nfour\nfour") },
		func() { e.SetText("") },
	} {
		edit()
		var fresh lines
		fresh.lay(e.draft.runes, f)
		if got, want := e.lines.count(), fresh.count(); got != want {
			t.Fatalf("edit %d: %d rows, want %d", i, got, want)
		}
		for n := range fresh.count() {
			got, want := e.lines.row(n), fresh.row(n)
			if got.shown != want.shown || got.begin != want.begin || got.n != want.n || got.line().From != want.line().From {
				t.Errorf("edit %d: row %d is %q at %d, want %q at %d", i, n, got.shown, got.begin, want.shown, want.begin)
			}
		}
	}
}

// A key in a long text lays out one paragraph of it and draws the rows in sight.
func TestEditorDrawsWhatIsInSight(t *testing.T) {
	const rows = 5
	e := newTestEditor(t, 300)
	e.Resize(fyne.NewSize(300, e.HeightFor(300, rows)))
	for _, d := range uitest.Drafts {
		e.SetText(d.Text(limit - 1))
		e.Resize(fyne.NewSize(300, e.HeightFor(300, rows)))
		before := e.lines.paragraphs
		e.draft.move(limit/2, false)
		e.TypedRune('x')
		kept := make(map[*paragraph]bool)
		for _, p := range before {
			kept[p] = true
		}
		fresh := 0
		for _, p := range e.lines.paragraphs {
			if !kept[p] {
				fresh++
			}
		}
		if fresh != 1 {
			t.Errorf("%s: a letter lays out %d of %d paragraphs", d.Name, fresh, len(before))
		}
		texts := 0
		for _, o := range test.WidgetRenderer(e).Objects() {
			if _, ok := o.(*canvas.Text); ok {
				texts++
			}
		}
		if most := (rows + 2) * 40; texts > most {
			t.Errorf("%s: %d texts are drawn for %d rows", d.Name, texts, rows)
		}
		if caret := e.render.caret; caret.Position().Y < 0 || caret.Position().Y+caret.Size().Height > e.Size().Height {
			t.Errorf("%s: the caret is out of sight, at %v of %v", d.Name, caret.Position().Y, e.Size().Height)
		}
	}
}

func TestBackspaceOverEmoji(t *testing.T) {
	for _, tc := range []struct {
		name, text string
		halves     bool
		presses    int
		want       string
	}{
		{"phone: two deletions of one emoji", "a😀", true, 2, "a"},
		{"phone: two emoji", "a😀😀", true, 4, "a"},
		{"phone: then the letter", "a😀", true, 3, ""},
		{"phone: a letter is one", "ab", true, 1, "a"},
		{"phone: four units of a flag", "x🇵🇱", true, 4, "x"},
		{"desktop: one for a letter", "ab", false, 1, "a"},
		{"desktop: one for a whole sequence", "a👩‍🚀", false, 1, "a"},
		{"desktop: one for a flag", "a🇵🇱", false, 1, "a"},
		{"desktop: empty", "", false, 1, ""},
	} {
		t.Run(tc.name, func(t *testing.T) {
			e := newTestEditor(t, 400)
			e.Halves = tc.halves
			test.Type(e, tc.text)
			for range tc.presses {
				keys(e, fyne.KeyBackspace)
			}
			if e.Text != tc.want {
				t.Errorf("%q is left, want %q", e.Text, tc.want)
			}
		})
	}
	t.Run("phone: typing in between", func(t *testing.T) {
		e := newTestEditor(t, 400)
		e.Halves = true
		test.Type(e, "a😀")
		keys(e, fyne.KeyBackspace)
		test.Type(e, "b")
		keys(e, fyne.KeyBackspace)
		if e.Text != "a" {
			t.Errorf("%q is left", e.Text)
		}
	})
}
