package ui

import (
	"image/color"
	"unicode/utf16"

	"fyne.io/fyne/v2"
	"fyne.io/fyne/v2/canvas"
	"fyne.io/fyne/v2/driver/desktop"
	"fyne.io/fyne/v2/driver/mobile"
	"fyne.io/fyne/v2/widget"

	"parley/shared"
)

// maxRows is how far the composer grows before it scrolls, maxRowsDense is that
// in little height.
const (
	maxRows      = 5
	maxRowsDense = 2
)

// composer is where a message is written: an entry that grows, with the send
// button inside, and on a phone one that breaks the line.
type composer struct {
	widget.BaseWidget
	entry   *composerEntry
	send    *insideButton
	newline *insideButton
	grown   func() // the height has changed
	high    float32
	dense   bool // in little height
}

// newComposer makes a composer. send returns whether the text was taken; full is
// called when what is typed or pasted is refused for its length.
func newComposer(do shortcut, send func(text string) bool, changed func(text string), full func(limit int)) *composer {
	c := &composer{entry: &composerEntry{shortcut: do}}
	e := c.entry
	e.halves = isPhone()
	e.PlaceHolder = tr("room.send")
	e.onFull = full
	e.send = func() {
		if !send(e.Text) {
			return
		}
		e.SetText("")
		e.keepKeyboard()
	}
	c.send = newInsideButton("send", func() { e.send(); c.focus() })
	c.send.filled = true
	c.newline = newInsideButton("break", func() { e.TypedRune('\n'); c.focus() })
	c.newline.Hidden = !isPhone()
	e.aside = touch
	if c.newline.Visible() {
		e.aside += touch
	}
	e.inside = []*insideButton{c.send, c.newline}
	e.prepare(e, maxDraft)
	e.OnChanged = func(s string) {
		c.send.setActive(s != "")
		if c.grown != nil && c.fit(c.Size().Width) != c.high {
			c.grown()
		}
		changed(s)
	}
	e.onFocus = c.Refresh
	c.ExtendBaseWidget(c)
	return c
}

// maxDraft is how much can be written and not sent: room to shorten what was
// pasted.
const maxDraft = 4 * shared.MaxText

// focus gives the entry the focus back that a mouse has taken away.
func (c *composer) focus() {
	if canvas := canvasOf(c); canvas != nil {
		canvas.Focus(c.entry)
	}
}

// restore shows a draft. It is not a change of the text.
func (c *composer) restore(draft string) {
	changed := c.entry.OnChanged
	c.entry.OnChanged = nil
	c.entry.SetText(draft)
	c.entry.OnChanged = changed
	c.send.setActive(draft != "")
}

// pad is the room around the entry.
func (c *composer) pad() float32 {
	if c.dense {
		return unit
	}
	return 2 * unit
}

// rows is how far the composer grows before it scrolls.
func (c *composer) rows() int {
	if c.dense {
		return maxRowsDense
	}
	return maxRows
}

func (c *composer) fit(width float32) float32 {
	return c.entry.heightFor(width-2*c.pad(), c.rows()) + 2*c.pad()
}

func (c *composer) CreateRenderer() fyne.WidgetRenderer {
	return laidOut(c, &composerRenderer{c: c, ground: &canvas.Rectangle{}})
}

type composerRenderer struct {
	c      *composer
	ground *canvas.Rectangle
}

func (r *composerRenderer) Layout(size fyne.Size) {
	c := r.c
	c.high = size.Height
	styleField(r.ground, c.entry.focused)
	r.ground.FillColor = colors().Raised
	w, h := size.Width-2*c.pad(), size.Height-2*c.pad()
	r.ground.CornerRadius = touch / 2
	put(r.ground, c.pad(), c.pad(), w, h)
	put(c.entry, c.pad(), c.pad(), w, h)
	put(c.send, c.pad()+w-touch, c.pad(), touch, h)
	put(c.newline, c.pad()+w-2*touch, c.pad(), touch, h)
}

func (r *composerRenderer) MinSize() fyne.Size { return fyne.NewSize(1, touch+2*r.c.pad()) }
func (r *composerRenderer) Refresh() {
	r.Layout(r.c.Size())
	for _, o := range []fyne.CanvasObject{r.c.entry, r.c.send, r.c.newline} {
		o.Refresh()
	}
	repaint(r.c)
}
func (r *composerRenderer) Objects() []fyne.CanvasObject {
	return []fyne.CanvasObject{r.ground, r.c.entry, r.c.newline, r.c.send}
}
func (r *composerRenderer) Destroy() {}

// composerEntry is the composer's entry: Return sends, Shift and Return breaks
// the line.
type composerEntry struct {
	editor
	send     func()
	leaf     func(pages float32) // PageUp, PageDown: nil keeps them to the entry
	onFocus  func()
	inside   []*insideButton // from the right
	shortcut shortcut
	halves   bool // deletions come once per UTF-16 unit, as on Android
	half     bool // the first half of a character has been deleted
}

// Keyboard is one whose Return key ends the input; Fyne would show one that
// breaks lines, whose Return it does not tell from a line break.
func (e *composerEntry) Keyboard() mobile.KeyboardType { return mobile.SingleLineKeyboard }

func (e *composerEntry) TypedKey(k *fyne.KeyEvent) {
	half := e.half
	e.half = false
	switch {
	case goesBack(k):
		typedOnPage(e, k)
	case k.Name == fyne.KeyReturn, k.Name == fyne.KeyEnter:
		if e.shift {
			e.TypedRune('\n')
		} else {
			e.send()
		}
	case k.Name == fyne.KeyPageUp && e.leaf != nil:
		e.leaf(1)
	case k.Name == fyne.KeyPageDown && e.leaf != nil:
		e.leaf(-1)
	case k.Name == fyne.KeyBackspace && e.SelectedText() == "":
		e.backspace(k, half)
	default:
		e.editor.TypedKey(k)
	}
}

// backspace deletes what a person takes for one character: on a desktop a whole
// grapheme cluster. Android sends one deletion for each UTF-16 unit, so that an
// emoji's second one must not eat the character before it.
func (e *composerEntry) backspace(k *fyne.KeyEvent, half bool) {
	at := e.draft.caret
	switch {
	case half || at == 0:
	case e.halves:
		e.half = len(utf16.Encode(e.draft.runes[at-1:at])) == 2
		e.erase(at - 1)
	default:
		e.editor.TypedKey(k)
	}
}

func (e *composerEntry) TypedRune(r rune) {
	e.half = false
	e.editor.TypedRune(r)
}

func (e *composerEntry) TypedShortcut(s fyne.Shortcut) {
	if !e.shortcut(s) {
		e.editor.TypedShortcut(s)
	}
}

func (e *composerEntry) FocusGained() {
	e.editor.FocusGained()
	e.onFocus()
}

func (e *composerEntry) FocusLost() {
	e.editor.FocusLost()
	e.onFocus()
}

// keepKeyboard shows the phone's keyboard again after sending: its Return key
// closes it, and only showing it clears the text that it still holds.
func (e *composerEntry) keepKeyboard() {
	e.half = false
	if d, ok := fyne.CurrentDevice().(mobile.Device); ok && isPhone() {
		d.ShowVirtualKeyboardType(e.Keyboard())
	}
}

func (e *composerEntry) CreateRenderer() fyne.WidgetRenderer { return e.renderer(e) }

// insideButton lies inside the entry and is only Tappable: a button that takes
// the focus would close the keyboard and move away under the finger.
type insideButton struct {
	widget.BaseWidget
	icon   string
	tap    func()
	filled bool // while it is active it has a ground

	active, pressed bool
}

func newInsideButton(icon string, tap func()) *insideButton {
	b := &insideButton{icon: icon, tap: tap}
	b.ExtendBaseWidget(b)
	return b
}

func (b *insideButton) setActive(on bool) {
	if b.active != on {
		b.active = on
		b.Refresh()
	}
}

func (b *insideButton) Tapped(*fyne.PointEvent) { b.press(false); b.tap() }
func (b *insideButton) Cursor() desktop.Cursor  { return desktop.PointerCursor }
func (b *insideButton) MinSize() fyne.Size      { return fyne.NewSquareSize(touch) }
func (b *insideButton) CreateRenderer() fyne.WidgetRenderer {
	r := &insideRenderer{b: b, disc: &canvas.Rectangle{CornerRadius: insideSide / 2}, picture: canvas.NewImageFromResource(nil)}
	r.picture.FillMode = canvas.ImageFillContain
	r.Refresh()
	return r
}

const insideSide = 34

type insideRenderer struct {
	b       *insideButton
	disc    *canvas.Rectangle
	picture *canvas.Image
}

func (r *insideRenderer) Layout(size fyne.Size) {
	x, y := size.Width-insideSide-unit, size.Height-insideSide-unit
	put(r.disc, x, y, insideSide, insideSide)
	put(r.picture, x+7, y+7, insideSide-14, insideSide-14)
}

func (r *insideRenderer) MinSize() fyne.Size { return fyne.NewSquareSize(touch) }
func (r *insideRenderer) Refresh() {
	p := colors()
	r.disc.FillColor = color.Transparent
	r.picture.Resource = icon(r.b.icon, p.Muted)
	if r.b.active && r.b.filled {
		r.disc.FillColor = p.Fill
		r.picture.Resource = icon(r.b.icon, p.OnAccent)
	}
	if r.b.pressed {
		ground, _ := r.disc.FillColor.(color.NRGBA)
		r.disc.FillColor = blend(ground, p.Press)
	}
	r.picture.Refresh()
	r.Layout(r.b.Size())
	repaint(r.b)
}
func (r *insideRenderer) Objects() []fyne.CanvasObject { return []fyne.CanvasObject{r.disc, r.picture} }
func (r *insideRenderer) Destroy()                     {}
