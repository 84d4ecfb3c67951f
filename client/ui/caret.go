package ui

import (
	"time"

	"fyne.io/fyne/v2"
	"fyne.io/fyne/v2/canvas"
	"fyne.io/fyne/v2/container"
	"fyne.io/fyne/v2/driver/desktop"
	"fyne.io/fyne/v2/driver/mobile"
	"fyne.io/fyne/v2/theme"
)

// caretWidth is that of the line where one types.
const caretWidth = 2

// restTime is how long after the last key an entry comes to rest.
const restTime = 5 * time.Second

// caret is the line where one types in one of Fyne's entries. Fyne's own is as
// wide as the entry's border, which is none here, and blinks for ever: a focused
// entry would draw twelve frames a second. So the entry believes, after a while
// without a key, that the focus is gone.
type caret struct {
	line    *canvas.Rectangle
	scroll  *container.Scroll // what the entry's text lies in
	keys    int               // how often something was done
	waiting bool              // to come to rest
	resting bool
}

// wake says that something is being done with the entry.
func (e *entry) wake() {
	e.caret.keys++
	if !e.focused {
		return
	}
	if e.scroller != nil {
		e.scroller.show(e)
	}
	if e.caret.resting {
		e.caret.resting = false
		e.Entry.FocusGained()
	}
	if m := motionOf(e); m != nil && !e.caret.waiting {
		e.caret.waiting = true
		e.awaitRest(m)
	}
}

func (e *entry) awaitRest(m *motion) {
	keys := e.caret.keys
	m.after(restTime, func() {
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

func (e *entry) MouseDown(m *desktop.MouseEvent)     { e.wake(); e.Entry.MouseDown(m) }
func (e *entry) TouchDown(t *mobile.TouchEvent)      { e.wake(); e.Entry.TouchDown(t) }
func (e *entry) DoubleTapped(p *fyne.PointEvent)     { e.wake(); e.Entry.DoubleTapped(p) }
func (e *entry) TappedSecondary(p *fyne.PointEvent)  { e.wake(); e.Entry.TappedSecondary(p) }
func (e *entry) KeyDown(k *fyne.KeyEvent)            { e.wake(); e.Entry.KeyDown(k) }
func (e *entry) CreateRenderer() fyne.WidgetRenderer { return laidOut(e, newCaretRenderer(e)) }

func (e *entry) TypedRune(r rune) {
	e.wake()
	if e.hasRoom(string(r)) {
		e.Entry.TypedRune(r)
	}
}

// caretRenderer draws an entry, and its caret over it.
type caretRenderer struct {
	fyne.WidgetRenderer
	entry *entry
}

func newCaretRenderer(e *entry) *caretRenderer {
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
	repaint(r.entry)
}

func (r *caretRenderer) Objects() []fyne.CanvasObject {
	return append(r.WidgetRenderer.Objects(), r.entry.caret.line)
}

// place puts the caret where one types, if that is in sight.
func (r *caretRenderer) place() {
	e, c := r.entry, &r.entry.caret
	at, frame := e.CursorPosition(), e.Size()
	if c.scroll != nil {
		at = at.Add(c.scroll.Position()).SubtractXY(c.scroll.Offset.X, c.scroll.Offset.Y)
	}
	height := fyne.MeasureText("M", theme.TextSize(), e.TextStyle).Height
	c.line.FillColor = colors().Accent
	c.line.Hidden = !e.focused || at.X < 0 || at.X > frame.Width
	put(c.line, at.X-caretWidth/2, at.Y, caretWidth, height)
}
