package ui

import (
	"fmt"
	"unicode/utf8"

	"fyne.io/fyne/v2"
	"fyne.io/fyne/v2/canvas"
	"fyne.io/fyne/v2/driver/mobile"
	"fyne.io/fyne/v2/widget"
)

// entry is Fyne's text entry that hands on the keys which a focused entry
// swallows otherwise: Android's Back, Escape, and the app's shortcuts.
type entry struct {
	widget.Entry
	onFocus  func(bool)
	shortcut shortcut
	focused  bool
	caret    caret

	scroller   *scroller         // what it is scrolled in, if it is
	box, frame fyne.CanvasObject // its ground, and that with its label
}

// shortcut does what one of the app's shortcuts asks for. It reports whether it
// was one.
type shortcut func(fyne.Shortcut) bool

func newEntry(placeholder string, do shortcut) *entry {
	e := &entry{shortcut: do}
	e.ExtendBaseWidget(e)
	e.SetPlaceHolder(placeholder)
	return e
}

func (e *entry) TypedKey(k *fyne.KeyEvent) {
	e.wake()
	if goesBack(k) {
		typedOnPage(e, k)
		return
	}
	e.Entry.TypedKey(k)
}

func (e *entry) TypedShortcut(s fyne.Shortcut) {
	e.wake()
	if _, paste := s.(*fyne.ShortcutPaste); paste && !e.hasRoom(fyne.CurrentApp().Clipboard().Content()) {
		return
	}
	if !e.shortcut(s) {
		e.Entry.TypedShortcut(s)
	}
}

// maxLine is how many code points a line to write in has at most: more than any
// name, passphrase or address. Fyne's entry is slow to lay out much more.
const maxLine = 1000

// hasRoom reports whether what is typed or pasted fits in; if not, it says so.
func (e *entry) hasRoom(s string) bool {
	n := utf8.RuneCountInString(e.Text) - utf8.RuneCountInString(e.SelectedText()) + utf8.RuneCountInString(s)
	if n <= maxLine {
		return true
	}
	if c := canvasOf(e); c != nil {
		if nav, ok := c.Content().(*navigator); ok {
			nav.say(tr("text.full", "limit", fmt.Sprint(maxLine)))
		}
	}
	return false
}

func (e *entry) FocusGained() {
	e.focused, e.caret.resting = true, false
	e.Entry.FocusGained()
	e.wake()
	if e.onFocus != nil {
		e.onFocus(true)
	}
}

func (e *entry) FocusLost() {
	e.focused, e.caret.resting = false, false
	e.Entry.FocusLost()
	if e.onFocus != nil {
		e.onFocus(false)
	}
}

func goesBack(k *fyne.KeyEvent) bool { return k.Name == mobile.KeyBack || k.Name == fyne.KeyEscape }

// field is a one-line entry on a rounded ground, with a label above it.
type field struct {
	widget.BaseWidget
	label   *textBlock
	entry   *entry
	content *column
}

func newField(label, placeholder string, do shortcut) *field {
	f := &field{label: newText(label, fontLabel, roleMuted), entry: newEntry(placeholder, do)}
	f.content = newColumn(unit, f.label, newEntryBox(f.entry))
	f.entry.frame = f
	if label == "" {
		f.label.Hide()
	}
	f.ExtendBaseWidget(f)
	return f
}

func (f *field) fit(width float32) float32           { return f.content.fit(width) }
func (f *field) CreateRenderer() fyne.WidgetRenderer { return holding(f, f.content) }

// entryBox is the ground of an entry; its border shows the focus.
type entryBox struct {
	widget.BaseWidget
	entry   *entry
	focused bool
}

func newEntryBox(e *entry) *entryBox {
	b := &entryBox{entry: e}
	e.onFocus = func(on bool) { b.focused = on; b.Refresh() }
	e.box, e.frame = b, b
	b.ExtendBaseWidget(b)
	return b
}

func (b *entryBox) fit(float32) float32 {
	return max(48, b.entry.MinSize().Height+2*unit)
}

func (b *entryBox) CreateRenderer() fyne.WidgetRenderer {
	return laidOut(b, &entryBoxRenderer{box: b, ground: &canvas.Rectangle{}})
}

type entryBoxRenderer struct {
	box    *entryBox
	ground *canvas.Rectangle
}

func (r *entryBoxRenderer) Layout(size fyne.Size) {
	styleField(r.ground, r.box.focused)
	r.ground.CornerRadius = 3 * unit
	r.ground.Resize(size)
	h := r.box.entry.MinSize().Height
	put(r.box.entry, unit, float32(int((size.Height-h)/2)), size.Width-2*unit, h)
}

// styleField paints the ground of something to type into.
func styleField(r *canvas.Rectangle, focused bool) {
	p := colors()
	r.FillColor = p.Surface
	r.StrokeColor = p.Line
	r.StrokeWidth = 1
	if focused {
		r.StrokeColor = p.Accent
		r.StrokeWidth = 2
	}
}

func (r *entryBoxRenderer) Refresh() {
	r.Layout(r.box.Size())
	r.box.entry.Refresh()
	repaint(r.box)
}
func (r *entryBoxRenderer) MinSize() fyne.Size { return fyne.NewSize(1, r.box.fit(0)) }
func (r *entryBoxRenderer) Objects() []fyne.CanvasObject {
	return []fyne.CanvasObject{r.ground, r.box.entry}
}
func (r *entryBoxRenderer) Destroy() {}
