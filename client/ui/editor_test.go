package ui

import (
	"strings"
	"testing"

	"fyne.io/fyne/v2"
	"fyne.io/fyne/v2/canvas"
	"fyne.io/fyne/v2/driver/desktop"
	"fyne.io/fyne/v2/test"
)

// longDraft is a text of any length that is hard to lay out.
type longDraft struct{ name, part string }

var longDrafts = []longDraft{
	{"prose", "The dashboard went red for about forty seconds, and my phone buzzed. "},
	{"word", "x"},
	{"lines", "a\n"},
	{"empty lines", "\n"},
	{"Arabic", "ذهبت إلى السوق واشتريت 3 تفاحات "},
	{"Japanese", "日本語の文章には空白がありません。"},
	{"emoji", "👩‍🚀🎉 "},
}

// text is n code points of it.
func (d longDraft) text(n int) string {
	part := []rune(d.part)
	return string([]rune(strings.Repeat(d.part, n/len(part)+1))[:n])
}

// newTestEditor shows an entry of a width, as it is in a room.
func newTestEditor(t *testing.T, width float32) *composerEntry {
	c, _ := newTestComposer(t)
	c.entry.Resize(fyne.NewSize(width, 200))
	return c.entry
}

func keys(e *composerEntry, names ...fyne.KeyName) {
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
		do         func(e *composerEntry)
		want       string // with | for the caret
	}{
		{"left over an emoji", "a👩‍🚀", func(e *composerEntry) { keys(e, fyne.KeyLeft) }, "a|👩‍🚀"},
		{"right over an emoji", "👩‍🚀b", func(e *composerEntry) { keys(e, fyne.KeyPageUp, fyne.KeyUp, fyne.KeyHome, fyne.KeyRight) }, "👩‍🚀|b"},
		{"delete an emoji", "👩‍🚀b", func(e *composerEntry) { keys(e, fyne.KeyHome, fyne.KeyDelete) }, "|b"},
		{"up keeps the column", "three\n\nthree", func(e *composerEntry) { keys(e, fyne.KeyLeft, fyne.KeyLeft, fyne.KeyUp, fyne.KeyUp) }, "thr|ee\n\nthree"},
		{"up above the first row", "one", func(e *composerEntry) { keys(e, fyne.KeyUp) }, "|one"},
		{"down below the last row", "one", func(e *composerEntry) { keys(e, fyne.KeyHome, fyne.KeyDown) }, "one|"},
		{"home and end of a line", "one\ntwo", func(e *composerEntry) { keys(e, fyne.KeyHome) }, "one\n|two"},
		{"selection is replaced", "one two", func(e *composerEntry) {
			keys(e, desktop.KeyShiftLeft, fyne.KeyLeft, fyne.KeyLeft, fyne.KeyLeft)
			e.TypedRune('x')
		}, "one x|"},
		{"an arrow ends a selection", "one", func(e *composerEntry) {
			e.TypedShortcut(&fyne.ShortcutSelectAll{})
			keys(e, fyne.KeyLeft)
		}, "|one"},
		{"a word to the left", "one two", func(e *composerEntry) { e.TypedShortcut(control(fyne.KeyLeft)) }, "one |two"},
		{"a word to the right", "one two", func(e *composerEntry) { keys(e, fyne.KeyHome); e.TypedShortcut(control(fyne.KeyRight)) }, "one| two"},
		{"delete a word", "one two", func(e *composerEntry) { e.TypedShortcut(control(fyne.KeyBackspace)) }, "one |"},
		{"cut and paste", "one", func(e *composerEntry) {
			e.TypedShortcut(&fyne.ShortcutSelectAll{})
			e.TypedShortcut(&fyne.ShortcutCut{})
			e.TypedShortcut(&fyne.ShortcutPaste{})
			e.TypedShortcut(&fyne.ShortcutPaste{})
		}, "oneone|"},
		{"undo and redo", "", func(e *composerEntry) {
			test.Type(e, "one two")
			e.TypedShortcut(&fyne.ShortcutUndo{})
			e.TypedShortcut(&fyne.ShortcutUndo{})
			e.TypedShortcut(&fyne.ShortcutRedo{})
		}, "one|"},
		{"a double click selects a word", "one two three", func(e *composerEntry) {
			x := editorPad + e.lines.row(0).x(5, e.lines.frame.width)
			e.DoubleTapped(&fyne.PointEvent{Position: fyne.NewPos(x, 20)})
			keys(e, fyne.KeyDelete)
		}, "one | three"},
		{"a click puts the caret", "one two", func(e *composerEntry) {
			x := editorPad + e.lines.row(0).x(4, e.lines.frame.width)
			e.MouseDown(&desktop.MouseEvent{PointEvent: fyne.PointEvent{Position: fyne.NewPos(x+1, 20)}, Button: desktop.MouseButtonPrimary})
		}, "one |two"},
		{"a drag selects", "one two", func(e *composerEntry) {
			at := func(n int) fyne.Position { return fyne.NewPos(editorPad+e.lines.row(0).x(n, e.lines.frame.width), 20) }
			e.Dragged(&fyne.DragEvent{PointEvent: fyne.PointEvent{Position: at(4)}, Dragged: fyne.NewDelta(at(4).X-at(0).X, 0)})
			e.DragEnd()
			keys(e, fyne.KeyBackspace)
		}, "|two"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			e := newTestEditor(t, 400)
			e.SetText(tc.text)
			e.leaf = nil
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
		var fresh editorLines
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
	w := newWorld(t, phone, nil)
	w.client.start()
	w.room("Lobby", "Ann")
	e := w.page().composer.entry
	for _, d := range longDrafts {
		e.SetText(d.text(maxDraft - 1))
		before := e.lines.paragraphs
		e.draft.move(maxDraft/2, false)
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
			t.Errorf("%s: a letter lays out %d of %d paragraphs", d.name, fresh, len(before))
		}
		texts := 0
		for _, o := range test.WidgetRenderer(e).Objects() {
			if _, ok := o.(*canvas.Text); ok {
				texts++
			}
		}
		if most := (maxRows + 2) * 40; texts > most {
			t.Errorf("%s: %d texts are drawn for %d rows", d.name, texts, maxRows)
		}
		if caret := e.render.caret; caret.Position().Y < 0 || caret.Position().Y+caret.Size().Height > e.Size().Height {
			t.Errorf("%s: the caret is out of sight, at %v of %v", d.name, caret.Position().Y, e.Size().Height)
		}
	}
}

// Up to four times the limit there is room to shorten a text; what is more is
// refused whole, at once and with a sentence.
func TestTooLongIsRefused(t *testing.T) {
	w := newWorld(t, phone, nil)
	w.client.start()
	conv := w.room("Lobby", "Ann")
	p := w.page()
	e := p.composer.entry
	paste := func(s string) {
		w.app.Clipboard().SetContent(s)
		e.TypedShortcut(&fyne.ShortcutPaste{Clipboard: w.app.Clipboard()})
	}
	full := tr("text.full", "limit", "16384")
	e.SetText("begun ")
	paste(strings.Repeat("x", maxDraft))
	if e.Text != "begun " || p.typing.text.text != full || !p.typing.Visible() {
		t.Errorf("after pasting too much the entry has %.20q, the page says %q", e.Text, p.typing.text.text)
	}
	test.Type(e, "a")
	if p.typing.Visible() {
		t.Errorf("the complaint stays: %q", p.typing.text.text)
	}
	e.SetText("")
	paste(strings.Repeat("x", maxDraft))
	if len(e.Text) != maxDraft || p.typing.text.text != plural("room.excess", maxDraft-conv.room.Limit()) {
		t.Errorf("%d characters are in the entry, and the page says %q", len(e.Text), p.typing.text.text)
	}
	test.Type(e, "y")
	if len(e.Text) != maxDraft || p.typing.text.text != full {
		t.Errorf("a letter too many: %d characters, and the page says %q", len(e.Text), p.typing.text.text)
	}
	press(e, fyne.KeyReturn)
	if e.Text == "" {
		t.Fatal("a text over the limit was sent")
	}
	e.draft.move(conv.room.Limit(), false)
	e.erase(len(e.draft.runes))
	if p.typing.Visible() {
		t.Errorf("it fits now, and the page says %q", p.typing.text.text)
	}
	press(e, fyne.KeyReturn)
	if e.Text != "" {
		t.Error("a text of the limit was not sent")
	}
}

// A line takes more than any name or address, and not more than is laid out at
// once.
func TestLineIsBounded(t *testing.T) {
	w := newWorld(t, phone, nil)
	p := w.landing()
	e := p.server.entry
	e.SetText("")
	paste := func(n int) {
		w.app.Clipboard().SetContent(strings.Repeat("x", n))
		e.TypedShortcut(&fyne.ShortcutPaste{Clipboard: w.app.Clipboard()})
	}
	paste(50_000)
	if e.Text != "" || w.client.nav.toast.text.text != tr("text.full", "limit", "1000") {
		t.Errorf("%d characters are in the line, and the toast says %q", len(e.Text), w.client.nav.toast.text.text)
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
