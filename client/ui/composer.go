package ui

import (
	"image/color"
	"unicode/utf16"

	"fyne.io/fyne/v2"
	"fyne.io/fyne/v2/canvas"
	"fyne.io/fyne/v2/driver/desktop"
	"fyne.io/fyne/v2/driver/mobile"
	"fyne.io/fyne/v2/widget"

	"parley/client/ui/text"
)

// maxRows is how far the composer grows before it scrolls, maxRowsDense is that
// in little height.
const (
	maxRows      = 5
	maxRowsDense = 2
)

// composer is where a message is written: an entry that grows, with the send
// button inside.
type composer struct {
	widget.BaseWidget
	entry *composerEntry
	send  *sendButton
	ruler *widget.Label // wraps as the entry does, and tells its height
	grown func()        // the height has changed
	high  float32
	dense bool // in little height
}

// newComposer makes a composer. send returns whether the text was taken.
func newComposer(do shortcut, send func(text string) bool, changed func(text string)) *composer {
	c := &composer{entry: &composerEntry{shortcut: do}, ruler: widget.NewLabel("")}
	c.ruler.Wrapping = fyne.TextWrapWord
	e := c.entry
	e.MultiLine = true
	e.Wrapping = fyne.TextWrapWord
	e.halves = isPhone()
	e.send = func() {
		if !send(e.Text) {
			return
		}
		e.SetText("")
		e.keepKeyboard()
	}
	c.send = newSendButton(func() {
		e.send()
		if canvas := fyne.CurrentApp().Driver().CanvasForObject(c); canvas != nil {
			canvas.Focus(e) // a mouse has taken it away
		}
	})
	e.ActionItem = c.send
	e.ExtendBaseWidget(e)
	e.SetPlaceHolder(tr("room.send"))
	e.OnChanged = func(s string) {
		c.send.setActive(s != "")
		if c.grown != nil && c.fit(c.Size().Width) != c.high {
			c.grown()
		}
		changed(s)
	}
	e.onFocus = func(bool) { c.Refresh() }
	c.ExtendBaseWidget(c)
	return c
}

// restore shows a draft. It is not a change of the text.
func (c *composer) restore(draft string) {
	changed := c.entry.OnChanged
	c.entry.OnChanged = nil
	c.entry.SetText(draft)
	c.entry.OnChanged = changed
	c.send.setActive(draft != "")
}

// entryHeight is the height of the entry for its text, one to maxRows rows.
func (c *composer) entryHeight(width float32) float32 {
	width -= c.send.MinSize().Width + 2*c.pad() + 2*unit
	measure := func(s string) float32 {
		c.ruler.SetText(s)
		c.ruler.Resize(fyne.NewSize(max(width, 1), 1))
		return c.ruler.MinSize().Height
	}
	one := measure("x")
	row := measure("x\nx") - one
	shown := c.entry.Text + "\u200b" // a last, empty line counts
	if c.entry.Text == "" {
		shown = c.entry.PlaceHolder
	}
	return max(min(measure(shown), one+(c.rows()-1)*row)+2, touch)
}

// pad is the room around the entry.
func (c *composer) pad() float32 {
	if c.dense {
		return unit
	}
	return 2 * unit
}

// rows is how far the composer grows before it scrolls.
func (c *composer) rows() float32 {
	if c.dense {
		return maxRowsDense
	}
	return maxRows
}

func (c *composer) fit(width float32) float32 { return c.entryHeight(width) + 2*c.pad() }

func (c *composer) CreateRenderer() fyne.WidgetRenderer {
	return &composerRenderer{c: c, ground: &canvas.Rectangle{}}
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
	h := size.Height - 2*c.pad()
	r.ground.CornerRadius = touch / 2
	put(r.ground, c.pad(), c.pad(), size.Width-2*c.pad(), h)
	put(c.entry, c.pad()+2*unit, c.pad(), size.Width-2*c.pad()-2*unit, h)
}

func (r *composerRenderer) MinSize() fyne.Size { return fyne.NewSize(1, touch+2*r.c.pad()) }
func (r *composerRenderer) Refresh() {
	r.Layout(r.c.Size())
	r.c.entry.Refresh()
	repaint(r.c)
}
func (r *composerRenderer) Objects() []fyne.CanvasObject {
	return []fyne.CanvasObject{r.ground, r.c.entry}
}
func (r *composerRenderer) Destroy() {}

// composerEntry is the composer's entry: Return sends, Shift and Return breaks
// the line.
type composerEntry struct {
	widget.Entry
	send     func()
	leaf     func(pages float32) // PageUp, PageDown: nil keeps them to the entry
	onFocus  func(bool)
	shortcut shortcut
	focused  bool
	shift    bool
	halves   bool // deletions come once per UTF-16 unit, as on Android
	half     bool // the first half of a character has been deleted
}

// Keyboard is one whose Return key ends the input; Fyne would show one that
// breaks lines, whose Return it does not tell from a line break.
func (e *composerEntry) Keyboard() mobile.KeyboardType { return mobile.SingleLineKeyboard }

// AcceptsTab is false: Tab goes to the next widget.
func (e *composerEntry) AcceptsTab() bool { return false }

func (e *composerEntry) KeyDown(k *fyne.KeyEvent) {
	if k.Name == desktop.KeyShiftLeft || k.Name == desktop.KeyShiftRight {
		e.shift = true
	}
	e.Entry.KeyDown(k)
}

func (e *composerEntry) KeyUp(k *fyne.KeyEvent) {
	if k.Name == desktop.KeyShiftLeft || k.Name == desktop.KeyShiftRight {
		e.shift = false
	}
	e.Entry.KeyUp(k)
}

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
		e.Entry.TypedKey(k)
	}
}

// backspace deletes what a person takes for one character: on a desktop a whole
// grapheme cluster. Android sends one deletion for each UTF-16 unit, so that an
// emoji's second one must not eat the character before it.
func (e *composerEntry) backspace(k *fyne.KeyEvent, half bool) {
	if half {
		return
	}
	before := []rune(e.Text)[:e.CursorTextOffset()]
	if len(before) == 0 {
		return
	}
	if e.halves {
		e.half = len(utf16.Encode(before[len(before)-1:])) == 2
		e.Entry.TypedKey(k)
		return
	}
	clusters := text.Graphemes(string(before))
	for range []rune(clusters[len(clusters)-1]) {
		e.Entry.TypedKey(k)
	}
}

func (e *composerEntry) TypedRune(r rune) {
	e.half = false
	e.Entry.TypedRune(r)
}

func (e *composerEntry) TypedShortcut(s fyne.Shortcut) {
	if !e.shortcut(s) {
		e.Entry.TypedShortcut(s)
	}
}

func (e *composerEntry) FocusGained() {
	e.focused = true
	e.Entry.FocusGained()
	e.onFocus(true)
}

func (e *composerEntry) FocusLost() {
	e.focused, e.shift = false, false
	e.Entry.FocusLost()
	e.onFocus(false)
}

// keepKeyboard shows the phone's keyboard again after sending: its Return key
// closes it, and only showing it clears the text that it still holds.
func (e *composerEntry) keepKeyboard() {
	e.half = false
	if d, ok := fyne.CurrentDevice().(mobile.Device); ok && isPhone() {
		d.ShowVirtualKeyboardType(e.Keyboard())
	}
}

// sendButton lies inside the entry and is only Tappable: a button that takes
// the focus would close the keyboard and move away under the finger.
type sendButton struct {
	widget.BaseWidget
	tap     func()
	active  bool
	pressed bool
}

func newSendButton(tap func()) *sendButton {
	b := &sendButton{tap: tap}
	b.ExtendBaseWidget(b)
	return b
}

func (b *sendButton) setActive(on bool) {
	if b.active != on {
		b.active = on
		b.Refresh()
	}
}

func (b *sendButton) Tapped(*fyne.PointEvent) { b.press(false); b.tap() }
func (b *sendButton) Cursor() desktop.Cursor  { return desktop.PointerCursor }
func (b *sendButton) MinSize() fyne.Size      { return fyne.NewSquareSize(touch) }
func (b *sendButton) CreateRenderer() fyne.WidgetRenderer {
	r := &sendRenderer{b: b, disc: &canvas.Rectangle{CornerRadius: sendSide / 2}, arrow: canvas.NewImageFromResource(nil)}
	r.arrow.FillMode = canvas.ImageFillContain
	r.Refresh()
	return r
}

const sendSide = 34

type sendRenderer struct {
	b     *sendButton
	disc  *canvas.Rectangle
	arrow *canvas.Image
}

func (r *sendRenderer) Layout(size fyne.Size) {
	x, y := size.Width-sendSide-unit, size.Height-sendSide-unit
	put(r.disc, x, y, sendSide, sendSide)
	put(r.arrow, x+7, y+7, sendSide-14, sendSide-14)
}

func (r *sendRenderer) MinSize() fyne.Size { return fyne.NewSquareSize(touch) }
func (r *sendRenderer) Refresh() {
	p := colors()
	if r.b.active {
		r.disc.FillColor = p.Fill
		r.arrow.Resource = icon("send", p.OnAccent)
	} else {
		r.disc.FillColor = color.Transparent
		r.arrow.Resource = icon("send", p.Muted)
	}
	if r.b.pressed {
		ground, _ := r.disc.FillColor.(color.NRGBA)
		r.disc.FillColor = blend(ground, p.Press)
	}
	r.arrow.Refresh()
	r.Layout(r.b.Size())
	repaint(r.b)
}
func (r *sendRenderer) Objects() []fyne.CanvasObject { return []fyne.CanvasObject{r.disc, r.arrow} }
func (r *sendRenderer) Destroy()                     {}
