package conversation

import (
	"fmt"
	"time"

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
// button inside, and on a phone a button that breaks the line. Over the text, also
// inside the entry, stand what it is for and names that complete it.
type Composer struct {
	widget.BaseWidget
	Entry    *Entry
	Grown    func()          // the height has changed
	Names    func() []string // that are offered after an @
	Draft    func() string   // what was written besides the text of an edit
	EditLast func()          // Up in an empty composer
	OnTask   func(*Task)     // what the text is for has changed
	List     Chooser         // of which messages are chosen from the keyboard; may be nil
	Attach   func()          // asks for a file to send; nil: none can be sent, see SetAttach
	Dense    bool            // in little height

	send    *insideButton
	newline *insideButton
	attach  *insideButton
	high    float32
	task    *Task
	bar     *taskBar
	names   *completion
}

// Chooser is a list of messages, one of which can be chosen from the keyboard.
type Chooser interface {
	Choose(by int)
	Unchoose() bool   // reports whether one was chosen
	OpenChosen() bool // opens its menu; reports whether one was chosen
}

// NewComposer makes a composer. send returns whether the text was taken; full is
// called when what is typed or pasted is refused for its length.
func NewComposer(do kit.Shortcut, send func(text string) bool, changed func(text string), full func(limit int)) *Composer {
	c := &Composer{Entry: &Entry{shortcut: do}, Names: func() []string { return nil }, Draft: func() string { return "" }, EditLast: func() {}, OnTask: func(*Task) {}}
	c.bar = newTaskBar(func() { c.End(); c.focus() })
	c.names = newCompletion(c.complete)
	e := c.Entry
	e.composer = c
	e.Halves = kit.IsPhone()
	e.PlaceHolder = lang.T("room.send")
	e.OnFull = full
	e.send = func() {
		if !send(e.Text) {
			return
		}
		c.done()
		e.keepKeyboard()
	}
	c.send = newInsideButton("send", func() { e.send(); c.focus() })
	c.send.filled = true
	c.newline = newInsideButton("break", func() { e.TypedRune('\n'); c.focus() })
	c.attach = newInsideButton("attach", func() { c.Attach() })
	c.arrange()
	e.Prepare(e, MaxDraft)
	e.OnChanged = func(s string) {
		c.send.setActive(s != "")
		c.arrange()
		if c.task != nil && c.task.Edit {
			c.task.Written = s
		}
		if c.List != nil {
			c.List.Unchoose()
		}
		c.offerNames()
		c.resize()
		changed(s)
	}
	e.onFocus = c.Refresh
	c.ExtendBaseWidget(c)
	return c
}

// Wait shows on the send button how long what is sent now waits; 0 does not.
func (c *Composer) Wait(d time.Duration) { c.send.setLabel(countdown(d)) }

// countdown is a time to wait as clocks show it, rounded up to whole seconds; "" if there
// is none.
func countdown(d time.Duration) string {
	n := int((d + time.Second - 1) / time.Second)
	if n <= 0 {
		return ""
	}
	return fmt.Sprintf("%d:%02d", n/60, n%60)
}

// SetAttach offers to attach files, or with nil does not.
func (c *Composer) SetAttach(attach func()) {
	if (c.Attach == nil) != (attach == nil) {
		c.Attach = attach
		c.arrange()
		c.Refresh()
	}
	c.Attach = attach
}

// arrange shows the button next to that which sends: to attach a file or, on a phone as
// soon as something is written, to break the line.
func (c *Composer) arrange() {
	e, was := c.Entry, c.attach.Hidden
	attaches := c.Attach != nil && (c.task == nil || !c.task.Edit) && (!kit.IsPhone() || e.Text == "")
	c.attach.Hidden, c.newline.Hidden = !attaches, attaches || !kit.IsPhone()
	e.inside = []*insideButton{c.send}
	if attaches {
		e.inside = append(e.inside, c.attach)
	} else if c.newline.Visible() {
		e.inside = append(e.inside, c.newline)
	}
	e.Aside = float32(len(e.inside)) * kit.Touch
	if was != c.attach.Hidden {
		c.Refresh()
	}
}

// fieldLine is the width of the line around the entry while it has the focus.
const fieldLine = 2

// MaxDraft is how much can be written and not sent: room to shorten what was
// pasted.
const MaxDraft = 4 * shared.MaxText

// focus gives the entry the focus back that a mouse has taken away.
func (c *Composer) focus() {
	if canvas := kit.CanvasOf(c); canvas != nil {
		canvas.Focus(c.Entry)
	}
}

// Task is what the text is for; nil if it is a message by itself.
func (c *Composer) Task() *Task { return c.task }

// Begin makes the text one for a task, or with nil, a message by itself. The text of
// an edit takes the place of the draft, which comes back at the end.
func (c *Composer) Begin(t *Task) {
	if c.task != nil && c.task.Edit {
		c.Restore(c.Draft())
	}
	if t != nil && t.Edit {
		c.Restore(t.Written)
	}
	c.setTask(t)
}

// End makes the text a message by itself again. It reports whether it was none.
func (c *Composer) End() bool {
	if c.task == nil {
		return false
	}
	c.Begin(nil)
	return true
}

// Keep ends the task and keeps the text, as a message by itself.
func (c *Composer) Keep() { c.setTask(nil) }

// Renew shows what the task is about as that is now, or ends it and keeps the text.
func (c *Composer) Renew() {
	switch {
	case c.task == nil:
	case c.task.void():
		c.Keep()
	default:
		c.bar.say(c.task)
		c.bar.Refresh()
	}
}

func (c *Composer) setTask(t *Task) {
	c.task = t
	c.arrange()
	c.bar.say(t)
	c.OnTask(t)
	c.resize()
}

// done empties the composer after the text was taken.
func (c *Composer) done() {
	edit := c.task != nil && c.task.Edit
	if c.End(); !edit {
		c.Entry.SetText("")
	}
}

// offerNames offers the names that complete what is before the caret.
func (c *Composer) offerNames() {
	most := maxCompletions
	if c.Dense {
		most = maxCompletionsDense
	}
	typed, _, ok := begunName([]rune(c.Entry.Text), c.Entry.CursorTextOffset())
	if !ok {
		c.names.offer(nil)
		return
	}
	c.names.offer(completionsOf(typed, c.Names(), most))
}

// complete writes the rest of a name.
func (c *Composer) complete(name string) {
	caret := c.Entry.CursorTextOffset()
	if _, at, ok := begunName([]rune(c.Entry.Text), caret); ok {
		c.Entry.Replace(at, caret, name+" ")
	}
	c.hideNames()
	c.focus()
}

// hideNames reports whether names were offered.
func (c *Composer) hideNames() bool {
	if c.names.Hidden {
		return false
	}
	c.names.offer(nil)
	c.resize()
	return true
}

// typedKey does what a key means for names that are offered and for the task. It
// reports whether it was such a key.
func (c *Composer) typedKey(k *fyne.KeyEvent) bool {
	back := kit.GoesBack(k)
	if !c.names.Hidden {
		switch {
		case back:
			return c.hideNames()
		case k.Name == fyne.KeyUp:
			c.names.move(-1)
			return true
		case k.Name == fyne.KeyDown:
			c.names.move(1)
			return true
		case k.Name == fyne.KeyTab, (k.Name == fyne.KeyReturn || k.Name == fyne.KeyEnter) && !c.Entry.Shift:
			c.complete(c.names.names[c.names.chosen])
			return true
		}
	}
	enter := k.Name == fyne.KeyReturn || k.Name == fyne.KeyEnter
	switch {
	case c.List != nil && (enter && c.List.OpenChosen() || back && c.List.Unchoose()):
		return true
	case back:
		return c.End()
	case k.Name == fyne.KeyUp && c.Entry.Text == "" && c.task == nil:
		c.EditLast()
		return true
	}
	return false
}

// head is the height of what stands over the text.
func (c *Composer) head(width float32) float32 {
	return c.names.height() + c.bar.height(width)
}

// resize makes room for what is written, and for what stands over it.
func (c *Composer) resize() {
	width := c.Size().Width
	if head := c.head(width - 2*c.pad()); head != c.Entry.Head {
		c.Entry.Head = head
		c.Refresh()
	}
	if c.Grown != nil && c.Fit(width) != c.high {
		c.Grown()
	}
}

// Restore shows a draft. It is not a change of the text.
func (c *Composer) Restore(draft string) {
	changed := c.Entry.OnChanged
	c.Entry.OnChanged = nil
	c.Entry.SetText(draft)
	c.Entry.OnChanged = changed
	c.send.setActive(draft != "")
	c.arrange()
	c.names.offer(nil)
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
	inner := width - 2*c.pad()
	c.Entry.Head = c.head(inner)
	return c.Entry.HeightFor(inner, c.rows()) + 2*c.pad()
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
	names, bar := c.names.height(), c.bar.height(w)
	c.Entry.Head = names + bar
	kit.Put(c.Entry, c.pad(), c.pad(), w, h)
	kit.Put(c.names, c.pad(), c.pad(), w, names)
	kit.Put(c.bar, c.pad()+fieldLine, c.pad()+names+fieldLine, w-2*fieldLine, bar-fieldLine)
	top, rest := c.pad()+names+bar, h-names-bar
	kit.Put(c.send, c.pad()+w-kit.Touch, top, kit.Touch, rest)
	kit.Put(c.newline, c.pad()+w-2*kit.Touch, top, kit.Touch, rest)
	kit.Put(c.attach, c.pad()+w-2*kit.Touch, top, kit.Touch, rest)
}

func (r *composerRenderer) MinSize() fyne.Size { return fyne.NewSize(1, kit.Touch+2*r.c.pad()) }
func (r *composerRenderer) Refresh() {
	r.Layout(r.c.Size())
	for _, o := range r.Objects()[1:] {
		o.Refresh()
	}
	kit.Repaint(r.c)
}
func (r *composerRenderer) Objects() []fyne.CanvasObject {
	return []fyne.CanvasObject{r.ground, r.c.Entry, r.c.names, r.c.bar, r.c.newline, r.c.attach, r.c.send}
}
func (r *composerRenderer) Destroy() {}
