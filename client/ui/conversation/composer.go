package conversation

import (
	"fyne.io/fyne/v2"
	"fyne.io/fyne/v2/canvas"
	"fyne.io/fyne/v2/widget"

	"parley/client/ui/kit"
	"parley/client/ui/lang"
	"parley/shared"
)

// maxRows is how far the composer grows before it scrolls, maxRowsDense is that
// in little height.
const (
	maxRows      = 5
	maxRowsDense = 2
)

// Composer is the place to write a message: an entry that grows, with the send
// button inside, and on a phone a button that breaks the line.
type Composer struct {
	widget.BaseWidget
	Entry   *Entry
	send    *insideButton
	newline *insideButton
	Grown   func() // the height has changed
	high    float32
	Dense   bool // in little height
}

// NewComposer makes a composer. send returns whether the text was taken; full is
// called when what is typed or pasted is refused for its length.
func NewComposer(do kit.Shortcut, send func(text string) bool, changed func(text string), full func(limit int)) *Composer {
	c := &Composer{Entry: &Entry{shortcut: do}}
	e := c.Entry
	e.Halves = kit.IsPhone()
	e.PlaceHolder = lang.T("room.send")
	e.OnFull = full
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
	c.newline.Hidden = !kit.IsPhone()
	e.Aside = kit.Touch
	if c.newline.Visible() {
		e.Aside += kit.Touch
	}
	e.inside = []*insideButton{c.send, c.newline}
	e.Prepare(e, MaxDraft)
	e.OnChanged = func(s string) {
		c.send.setActive(s != "")
		if c.Grown != nil && c.Fit(c.Size().Width) != c.high {
			c.Grown()
		}
		changed(s)
	}
	e.onFocus = c.Refresh
	c.ExtendBaseWidget(c)
	return c
}

// MaxDraft is how much can be written and not sent: room to shorten what was
// pasted.
const MaxDraft = 4 * shared.MaxText

// focus gives the entry the focus back that a mouse has taken away.
func (c *Composer) focus() {
	if canvas := kit.CanvasOf(c); canvas != nil {
		canvas.Focus(c.Entry)
	}
}

// Restore shows a draft. It is not a change of the text.
func (c *Composer) Restore(draft string) {
	changed := c.Entry.OnChanged
	c.Entry.OnChanged = nil
	c.Entry.SetText(draft)
	c.Entry.OnChanged = changed
	c.send.setActive(draft != "")
}

// pad is the room around the entry.
func (c *Composer) pad() float32 {
	if c.Dense {
		return kit.Unit
	}
	return 2 * kit.Unit
}

// rows is how far the composer grows before it scrolls.
func (c *Composer) rows() int {
	if c.Dense {
		return maxRowsDense
	}
	return maxRows
}

func (c *Composer) Fit(width float32) float32 {
	return c.Entry.HeightFor(width-2*c.pad(), c.rows()) + 2*c.pad()
}

func (c *Composer) CreateRenderer() fyne.WidgetRenderer {
	return kit.LaidOut(c, &composerRenderer{c: c, ground: &canvas.Rectangle{}})
}

type composerRenderer struct {
	c      *Composer
	ground *canvas.Rectangle
}

func (r *composerRenderer) Layout(size fyne.Size) {
	c := r.c
	c.high = size.Height
	kit.StyleField(r.ground, c.Entry.Focused)
	r.ground.FillColor = kit.Colors().Raised
	w, h := size.Width-2*c.pad(), size.Height-2*c.pad()
	r.ground.CornerRadius = kit.Touch / 2
	kit.Put(r.ground, c.pad(), c.pad(), w, h)
	kit.Put(c.Entry, c.pad(), c.pad(), w, h)
	kit.Put(c.send, c.pad()+w-kit.Touch, c.pad(), kit.Touch, h)
	kit.Put(c.newline, c.pad()+w-2*kit.Touch, c.pad(), kit.Touch, h)
}

func (r *composerRenderer) MinSize() fyne.Size { return fyne.NewSize(1, kit.Touch+2*r.c.pad()) }
func (r *composerRenderer) Refresh() {
	r.Layout(r.c.Size())
	for _, o := range []fyne.CanvasObject{r.c.Entry, r.c.send, r.c.newline} {
		o.Refresh()
	}
	kit.Repaint(r.c)
}
func (r *composerRenderer) Objects() []fyne.CanvasObject {
	return []fyne.CanvasObject{r.ground, r.c.Entry, r.c.newline, r.c.send}
}
func (r *composerRenderer) Destroy() {}
