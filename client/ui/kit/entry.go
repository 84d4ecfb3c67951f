package kit

import (
	"fmt"
	"time"
	"unicode/utf8"

	"fyne.io/fyne/v2"
	"fyne.io/fyne/v2/canvas"
	"fyne.io/fyne/v2/container"
	"fyne.io/fyne/v2/driver/desktop"
	"fyne.io/fyne/v2/driver/mobile"
	"fyne.io/fyne/v2/theme"
	"fyne.io/fyne/v2/widget"

	"parley/client/ui/lang"
)

// Entry is Fyne's text entry that hands on the keys which a focused entry
// swallows otherwise: Android's Back, Escape, and the app's shortcuts.
type Entry struct {
	widget.Entry
	onFocus  func(bool)
	shortcut Shortcut
	focused  bool
	caret    caret

	inSight    func()            // scrolls it into sight; nil if nothing scrolls it
	box, frame fyne.CanvasObject // its ground, and that with its label
}

// Shortcut does what one of the app's shortcuts asks for. It reports whether it
// was one.
type Shortcut func(fyne.Shortcut) bool

// NewEntry makes an entry. do handles the app's shortcuts while it has the focus.
func NewEntry(placeholder string, do Shortcut) *Entry {
	e := &Entry{shortcut: do}
	e.ExtendBaseWidget(e)
	e.SetPlaceHolder(placeholder)
	return e
}

func (e *Entry) TypedKey(k *fyne.KeyEvent) {
	e.wake()
	if GoesBack(k) {
		TypedOnPage(e, k)
		return
	}
	e.Entry.TypedKey(k)
}

func (e *Entry) TypedShortcut(s fyne.Shortcut) {
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
func (e *Entry) hasRoom(s string) bool {
	n := utf8.RuneCountInString(e.Text) - utf8.RuneCountInString(e.SelectedText()) + utf8.RuneCountInString(s)
	if n <= maxLine {
		return true
	}
	if s := stageOf(e); s != nil {
		s.Say(lang.T("text.full", "limit", fmt.Sprint(maxLine)))
	}
	return false
}

func (e *Entry) FocusGained() {
	e.focused, e.caret.resting = true, false
	e.Entry.FocusGained()
	e.wake()
	if e.onFocus != nil {
		e.onFocus(true)
	}
}

func (e *Entry) FocusLost() {
	e.focused, e.caret.resting = false, false
	e.Entry.FocusLost()
	if e.onFocus != nil {
		e.onFocus(false)
	}
}

// caretWidth is the width of the caret.
const caretWidth = 2

// restTime is how long after the last key an entry comes to rest.
const restTime = 5 * time.Second

// caret is the caret of one of Fyne's entries. Fyne's own is as wide as the entry's
// border, which is 0 here, and blinks for ever: a focused entry would draw twelve
// frames a second. So after a while without a key, the entry is told that the focus
// is gone.
type caret struct {
	line    *canvas.Rectangle
	scroll  *container.Scroll // what the entry's text lies in
	keys    int               // number of things done with the entry
	waiting bool              // to come to rest
	resting bool
}

// wake says that something is being done with the entry.
func (e *Entry) wake() {
	e.caret.keys++
	if !e.focused {
		return
	}
	if e.inSight != nil {
		e.inSight()
	}
	if e.caret.resting {
		e.caret.resting = false
		e.Entry.FocusGained()
	}
	if m := MotionOf(e); m != nil && !e.caret.waiting {
		e.caret.waiting = true
		e.awaitRest(m)
	}
}

func (e *Entry) awaitRest(m *Motion) {
	keys := e.caret.keys
	m.After(restTime, func() {
		switch {
		case !e.focused:
			e.caret.waiting = false
		case e.caret.keys != keys, e.SelectedText() != "": // Fyne hides what is selected without the focus
			e.awaitRest(m)
		default:
			e.caret.waiting, e.caret.resting = false, true
			e.Entry.FocusLost()
		}
	})
}

func (e *Entry) MouseDown(m *desktop.MouseEvent)     { e.wake(); e.Entry.MouseDown(m) }
func (e *Entry) TouchDown(t *mobile.TouchEvent)      { e.wake(); e.Entry.TouchDown(t) }
func (e *Entry) DoubleTapped(p *fyne.PointEvent)     { e.wake(); e.Entry.DoubleTapped(p) }
func (e *Entry) TappedSecondary(p *fyne.PointEvent)  { e.wake(); e.Entry.TappedSecondary(p) }
func (e *Entry) KeyDown(k *fyne.KeyEvent)            { e.wake(); e.Entry.KeyDown(k) }
func (e *Entry) CreateRenderer() fyne.WidgetRenderer { return LaidOut(e, newCaretRenderer(e)) }

func (e *Entry) TypedRune(r rune) {
	e.wake()
	if e.hasRoom(string(r)) {
		e.Entry.TypedRune(r)
	}
}

// caretRenderer draws an entry, and its caret over it.
type caretRenderer struct {
	fyne.WidgetRenderer
	entry *Entry
}

func newCaretRenderer(e *Entry) *caretRenderer {
	r := &caretRenderer{e.Entry.CreateRenderer(), e}
	e.caret.line = &canvas.Rectangle{}
	for _, o := range r.WidgetRenderer.Objects() {
		if s, ok := o.(*container.Scroll); ok {
			e.caret.scroll = s
		}
	}
	e.OnCursorChanged = r.place
	r.place()
	return r
}

func (r *caretRenderer) Layout(size fyne.Size) {
	r.WidgetRenderer.Layout(size)
	r.place()
}

func (r *caretRenderer) Refresh() {
	r.WidgetRenderer.Refresh()
	r.place()
	Repaint(r.entry)
}

func (r *caretRenderer) Objects() []fyne.CanvasObject {
	return append(r.WidgetRenderer.Objects(), r.entry.caret.line)
}

// place puts the caret into its place, if that is in sight.
func (r *caretRenderer) place() {
	e, c := r.entry, &r.entry.caret
	at, frame := e.CursorPosition(), e.Size()
	if c.scroll != nil {
		at = at.Add(c.scroll.Position()).SubtractXY(c.scroll.Offset.X, c.scroll.Offset.Y)
	}
	height := fyne.MeasureText("M", theme.TextSize(), e.TextStyle).Height
	c.line.FillColor = Colors().Accent
	c.line.Hidden = !e.focused || at.X < 0 || at.X > frame.Width
	Put(c.line, at.X-caretWidth/2, at.Y, caretWidth, height)
}
