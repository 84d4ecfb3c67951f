package ui

import (
	"fyne.io/fyne/v2"
	"fyne.io/fyne/v2/canvas"
	"fyne.io/fyne/v2/driver/desktop"
	"fyne.io/fyne/v2/widget"
	"image/color"

	"parley/client/ui/text"
)

// showSelect shows a message in a panel, to copy a part of it.
func (c *client) showSelect(message string) {
	body := newSelectText(message)
	var o *overlay
	button := newPrimary(tr("select.all"), func() {
		o.close()
		c.copy(body.selected())
	})
	body.changed = func() {
		label := tr("select.all")
		if body.from != body.to {
			label = tr("select.copy")
		}
		button.content.(*textBlock).setText(label)
	}
	head := newColumn(unit, newText(tr("select.title"), fontTitle, roleText), newText(tr("select.hint"), fontSmall, roleMuted))
	panel := newCard(newColumn(3*unit, head, body, button), around(4*unit))
	o = showOverlay(c.window.Canvas(), panel, func(size fyne.Size) (fyne.Position, fyne.Size) {
		w := min(size.Width-6*unit, 560*min(textScale(), largeText))
		inner := w - panel.inset.left - panel.inset.right
		// What the message may take of the window; more of it scrolls.
		rest := size.Height - 8*unit - head.fit(inner) - button.fit(inner) - 14*unit
		body.limit = max(rest, 3*body.font.lineHeight())
		h := panel.fit(w)
		return fyne.NewPos(float32(int((size.Width-w)/2)), max(float32(int((size.Height-h)/3)), 4*unit)), fyne.NewSize(w, h)
	})
	c.window.Canvas().Focus(body)
}

// copy puts a text on the clipboard and says so.
func (c *client) copy(s string) {
	c.app.Clipboard().SetContent(s)
	c.nav.say(tr("toast.copied"))
}

// selectText shows a text of which a finger, or a mouse, picks a part. Fyne clips
// whatever is Scrollable to its size.
type selectText struct {
	widget.BaseWidget
	text     string
	font     font
	limit    float32 // how high it gets at most
	offset   float32 // how far it is scrolled
	anchor   int     // where the finger came down
	from, to int     // what is picked; nothing when they are the same
	held     bool
	last     *fyne.DragEvent // after the finger has left, Fyne goes on with one and the same
	changed  func()

	lines []text.Line
	width float32
}

func newSelectText(message string) *selectText {
	s := &selectText{text: text.Clean(message), font: fontBody, limit: 1e6, changed: func() {}}
	s.ExtendBaseWidget(s)
	return s
}

// selected is what is picked, or all.
func (s *selectText) selected() string {
	if s.from == s.to {
		return s.text
	}
	return s.text[s.from:s.to]
}

func (s *selectText) lay(width float32) {
	if width != s.width || s.lines == nil {
		s.width, s.lines = width, s.font.wrapper().Lay(s.text, max(width-2*unit, 1))
	}
}

func (s *selectText) full() float32 { return float32(len(s.lines)) * s.font.lineHeight() }

func (s *selectText) fit(width float32) float32 {
	s.lay(width)
	return min(s.full(), s.limit)
}

// left is where a line begins.
func (s *selectText) left(l text.Line) float32 {
	if l.RTL {
		return s.width - unit - l.Width
	}
	return unit
}

// at is the byte of the text under a position.
func (s *selectText) at(p fyne.Position) int {
	if len(s.lines) == 0 {
		return 0
	}
	i := int((p.Y + s.offset) / s.font.lineHeight())
	if i < 0 || p.Y+s.offset < 0 {
		return 0
	}
	if i >= len(s.lines) {
		return len(s.text)
	}
	return s.font.wrapper().At(s.text, s.lines[i], p.X-s.left(s.lines[i]))
}

func (s *selectText) pick(from, to int) {
	s.from, s.to = min(from, to), max(from, to)
	s.Refresh()
	s.changed()
}

// grab begins to pick where a finger comes down.
func (s *selectText) grab(p fyne.Position) {
	s.anchor = s.at(p)
	s.held = true
}

// drag picks up to a position, and scrolls near the edges.
func (s *selectText) drag(p fyne.Position) {
	switch h := s.Size().Height; {
	case p.Y > h-unit:
		s.scrollBy(-s.font.lineHeight() / 2)
	case p.Y < unit:
		s.scrollBy(s.font.lineHeight() / 2)
	}
	s.pick(s.anchor, s.at(p))
}

func (s *selectText) scrollBy(dy float32) {
	s.offset = min(max(s.offset-dy, 0), max(s.full()-s.Size().Height, 0))
	s.Refresh()
}

func (s *selectText) Dragged(e *fyne.DragEvent) {
	if e == s.last {
		return
	}
	s.last = e
	if !s.held {
		s.grab(e.Position.SubtractXY(e.Dragged.DX, e.Dragged.DY))
	}
	s.drag(e.Position)
}

func (s *selectText) DragEnd()                     { s.held = false }
func (s *selectText) Scrolled(e *fyne.ScrollEvent) { s.scrollBy(e.Scrolled.DY) }
func (s *selectText) Cursor() desktop.Cursor       { return desktop.TextCursor }

// MouseDown begins to pick; with Shift it goes on from where it began before.
func (s *selectText) MouseDown(e *desktop.MouseEvent) {
	if e.Modifier&fyne.KeyModifierShift != 0 {
		s.pick(s.anchor, s.at(e.Position))
		return
	}
	s.grab(e.Position)
}

func (s *selectText) MouseUp(*desktop.MouseEvent) { s.held = false }

// Tapped picks a word; on nothing of it, nothing.
func (s *selectText) Tapped(e *fyne.PointEvent) {
	at := s.at(e.Position)
	if from, to := text.Word(s.text, at); s.from == s.to || at < s.from || at > s.to {
		s.anchor = from
		s.pick(from, to)
		return
	}
	s.anchor = at
	s.pick(at, at)
}

func (s *selectText) FocusGained()   {}
func (s *selectText) FocusLost()     {}
func (s *selectText) TypedRune(rune) {}

func (s *selectText) TypedKey(k *fyne.KeyEvent) { typedOnPage(s, k) }

func (s *selectText) TypedShortcut(sc fyne.Shortcut) {
	switch sc.(type) {
	case *fyne.ShortcutSelectAll:
		s.pick(0, len(s.text))
	case *fyne.ShortcutCopy:
		fyne.CurrentApp().Clipboard().SetContent(s.selected())
	}
}

func (s *selectText) CreateRenderer() fyne.WidgetRenderer {
	return laidOut(s, &selectRenderer{s: s})
}

type selectRenderer struct {
	s       *selectText
	objects []fyne.CanvasObject
	size    fyne.Size // of the last layout
}

// Layout draws for another size alone: Fyne lays out a widget again whose objects
// are new, which would draw frames for ever.
func (r *selectRenderer) Layout(size fyne.Size) {
	if size != r.size {
		r.draw(size)
	}
}

func (r *selectRenderer) draw(size fyne.Size) {
	s := r.s
	r.size = size
	s.lay(size.Width)
	s.offset = min(max(s.offset, 0), max(s.full()-size.Height, 0))
	r.objects = r.objects[:0]
	p, w, lh := colors(), s.font.wrapper(), s.font.lineHeight()
	ground := p.Accent
	ground.A = 0x44
	for i, l := range s.lines {
		y := float32(i)*lh - s.offset
		if y+lh < 0 || y > size.Height {
			continue
		}
		x := s.left(l)
		for _, span := range w.Spans(s.text, l, s.from, s.to) {
			rect := canvas.NewRectangle(ground)
			put(rect, x+span.X, y, span.Width, lh)
			r.objects = append(r.objects, rect)
		}
		r.objects = appendRuns(r.objects, l, s.font, color.Color(p.Text), x, y)
	}
}

func (r *selectRenderer) MinSize() fyne.Size { return fyne.NewSize(1, 1) }
func (r *selectRenderer) Refresh() {
	r.Layout(r.s.Size())
	repaint(r.s)
}
func (r *selectRenderer) Objects() []fyne.CanvasObject { return r.objects }
func (r *selectRenderer) Destroy()                     {}
