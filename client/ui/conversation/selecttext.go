package conversation

import (
	"image/color"

	"fyne.io/fyne/v2"
	"fyne.io/fyne/v2/canvas"
	"fyne.io/fyne/v2/driver/desktop"
	"fyne.io/fyne/v2/widget"

	"parley/client/ui/kit"
	"parley/client/ui/text"
)

// SelectText shows a text of which a finger, or a mouse, picks a part. Fyne clips
// whatever is Scrollable to its size.
type SelectText struct {
	widget.BaseWidget
	text     string
	font     kit.Font
	limit    float32 // how high it gets at most
	offset   float32 // how far it is scrolled
	anchor   int     // the byte that the finger came down on
	from, to int     // what is picked; nothing when they are the same
	held     bool
	last     *fyne.DragEvent // after the finger has left, Fyne goes on with one and the same
	Changed  func()

	lines []text.Line
	width float32
}

// NewSelectText shows a message, of which nothing is picked yet.
func NewSelectText(message string) *SelectText {
	s := &SelectText{text: text.Clean(message), font: kit.FontBody, limit: 1e6, Changed: func() {}}
	s.ExtendBaseWidget(s)
	return s
}

// SetLimit bounds the height; three lines always fit.
func (s *SelectText) SetLimit(height float32) { s.limit = max(height, 3*s.font.LineHeight()) }

// Partly reports whether a part is picked.
func (s *SelectText) Partly() bool { return s.from != s.to }

// Selected is what is picked, or all.
func (s *SelectText) Selected() string {
	if s.from == s.to {
		return s.text
	}
	return s.text[s.from:s.to]
}

func (s *SelectText) lay(width float32) {
	if width != s.width || s.lines == nil {
		s.width, s.lines = width, s.font.Wrapper().Lay(s.text, max(width-2*kit.Unit, 1))
	}
}

func (s *SelectText) full() float32 { return float32(len(s.lines)) * s.font.LineHeight() }

func (s *SelectText) Fit(width float32) float32 {
	s.lay(width)
	return min(s.full(), s.limit)
}

// left is the x of a line.
func (s *SelectText) left(l text.Line) float32 {
	if l.RTL {
		return s.width - kit.Unit - l.Width
	}
	return kit.Unit
}

// at is the byte of the text under a position.
func (s *SelectText) at(p fyne.Position) int {
	if len(s.lines) == 0 {
		return 0
	}
	i := int((p.Y + s.offset) / s.font.LineHeight())
	if i < 0 || p.Y+s.offset < 0 {
		return 0
	}
	if i >= len(s.lines) {
		return len(s.text)
	}
	return s.font.Wrapper().At(s.text, s.lines[i], p.X-s.left(s.lines[i]))
}

func (s *SelectText) pick(from, to int) {
	s.from, s.to = min(from, to), max(from, to)
	s.Refresh()
	s.Changed()
}

// grab begins to pick at a position.
func (s *SelectText) grab(p fyne.Position) {
	s.anchor = s.at(p)
	s.held = true
}

// drag picks up to a position, and scrolls near the edges.
func (s *SelectText) drag(p fyne.Position) {
	switch h := s.Size().Height; {
	case p.Y > h-kit.Unit:
		s.scrollBy(-s.font.LineHeight() / 2)
	case p.Y < kit.Unit:
		s.scrollBy(s.font.LineHeight() / 2)
	}
	s.pick(s.anchor, s.at(p))
}

func (s *SelectText) scrollBy(dy float32) {
	s.offset = min(max(s.offset-dy, 0), max(s.full()-s.Size().Height, 0))
	s.Refresh()
}

func (s *SelectText) Dragged(e *fyne.DragEvent) {
	if e == s.last {
		return
	}
	s.last = e
	if !s.held {
		s.grab(e.Position.SubtractXY(e.Dragged.DX, e.Dragged.DY))
	}
	s.drag(e.Position)
}

func (s *SelectText) DragEnd()                     { s.held = false }
func (s *SelectText) Scrolled(e *fyne.ScrollEvent) { s.scrollBy(e.Scrolled.DY) }
func (s *SelectText) Cursor() desktop.Cursor       { return desktop.TextCursor }

// MouseDown begins to pick; with Shift it goes on from the last beginning.
func (s *SelectText) MouseDown(e *desktop.MouseEvent) {
	if e.Modifier&fyne.KeyModifierShift != 0 {
		s.pick(s.anchor, s.at(e.Position))
		return
	}
	s.grab(e.Position)
}

func (s *SelectText) MouseUp(*desktop.MouseEvent) { s.held = false }

// Tapped picks a word; on nothing of it, nothing.
func (s *SelectText) Tapped(e *fyne.PointEvent) {
	at := s.at(e.Position)
	if from, to := text.Word(s.text, at); s.from == s.to || at < s.from || at > s.to {
		s.anchor = from
		s.pick(from, to)
		return
	}
	s.anchor = at
	s.pick(at, at)
}

func (s *SelectText) FocusGained()   {}
func (s *SelectText) FocusLost()     {}
func (s *SelectText) TypedRune(rune) {}

func (s *SelectText) TypedKey(k *fyne.KeyEvent) { kit.TypedOnPage(s, k) }

func (s *SelectText) TypedShortcut(sc fyne.Shortcut) {
	switch sc.(type) {
	case *fyne.ShortcutSelectAll:
		s.pick(0, len(s.text))
	case *fyne.ShortcutCopy:
		fyne.CurrentApp().Clipboard().SetContent(s.Selected())
	}
}

func (s *SelectText) CreateRenderer() fyne.WidgetRenderer {
	return kit.LaidOut(s, &selectRenderer{s: s})
}

type selectRenderer struct {
	s       *SelectText
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
	p, w, lh := kit.Colors(), s.font.Wrapper(), s.font.LineHeight()
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
			kit.Put(rect, x+span.X, y, span.Width, lh)
			r.objects = append(r.objects, rect)
		}
		r.objects = kit.AppendRuns(r.objects, l, s.font, color.Color(p.Text), x, y)
	}
}

func (r *selectRenderer) MinSize() fyne.Size { return fyne.NewSize(1, 1) }
func (r *selectRenderer) Refresh() {
	r.Layout(r.s.Size())
	kit.Repaint(r.s)
}
func (r *selectRenderer) Objects() []fyne.CanvasObject { return r.objects }
func (r *selectRenderer) Destroy()                     {}
