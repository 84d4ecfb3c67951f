package kit

import (
	"image/color"
	"strings"

	"fyne.io/fyne/v2"
	"fyne.io/fyne/v2/canvas"
	"fyne.io/fyne/v2/widget"

	"parley/client/ui/text"
)

// Text shows a text that wraps and reads in its own direction. Its height
// follows from its width.
type Text struct {
	widget.BaseWidget
	Text     string
	font     Font
	Role     Role
	align    fyne.TextAlign
	maxLines int      // 0 is no limit; the last line ends with an ellipsis
	room     []string // has the height for any of these
	marks    [][2]int // bytes of Text that have a ground
}

// NewText shows a text in a font and in the colour of a role.
func NewText(s string, f Font, r Role) *Text {
	t := &Text{font: f, Role: r}
	t.Text = text.CleanSentence(s)
	t.ExtendBaseWidget(t)
	return t
}

// Centered centers the lines.
func (t *Text) Centered() *Text { t.align = fyne.TextAlignCenter; return t }

// Lines bounds the number of lines.
func (t *Text) Lines(n int) *Text         { t.maxLines = n; return t }
func (t *Text) Fit(width float32) float32 { return t.font.LineHeight() * float32(t.count(width)) }

// roomFor keeps the text as high as the highest of what it may say, so that it
// moves nothing when it says that.
func (t *Text) roomFor(sentences ...string) *Text { t.room = sentences; return t }

// Mark puts a ground under parts of the text: the first byte of each, and that after it.
func (t *Text) Mark(spans [][2]int) { t.marks = spans }

// SetText shows another text.
func (t *Text) SetText(s string) {
	if s = text.CleanSentence(s); s != t.Text {
		t.Text = s
		t.Refresh()
	}
}

func (t *Text) count(width float32) int {
	n := 1
	for _, s := range append(t.room, t.Text) {
		n = max(n, t.font.Wrapper().Measure(s, max(width, 1)).Lines)
	}
	if t.maxLines > 0 {
		n = min(n, t.maxLines)
	}
	return n
}

// Natural is the width of the widest line when nothing has to wrap.
func (t *Text) Natural() float32 {
	w := t.font.Wrapper()
	widest := float32(0)
	for _, l := range w.Lay(t.Text, 1e6) {
		widest = max(widest, l.Width)
	}
	return float32(int(widest + 1))
}

// laid are the lines, and how many bytes of the text they show.
func (t *Text) laid(width float32) (lines []text.Line, n int) {
	lines = t.font.Wrapper().Lay(t.Text, width)
	if t.maxLines == 0 || len(lines) <= t.maxLines {
		return lines, len(t.Text)
	}
	return t.shortened(width)
}

// shortened cuts the text so that an ellipsis fits at the end of the last line.
func (t *Text) shortened(width float32) ([]text.Line, int) {
	g := text.Graphemes(t.Text)
	cut := func(n int) string { return strings.TrimRight(strings.Join(g[:n], ""), " \n") }
	fits := func(n int) []text.Line { return t.font.Wrapper().Lay(cut(n)+"…", width) }
	low, high := 0, len(g)
	for low+1 < high {
		if mid := (low + high) / 2; len(fits(mid)) <= t.maxLines {
			low = mid
		} else {
			high = mid
		}
	}
	return fits(low), len(cut(low))
}

func (t *Text) CreateRenderer() fyne.WidgetRenderer {
	return LaidOut(t, &textRenderer{block: t})
}

type textRenderer struct {
	block   *Text
	objects []fyne.CanvasObject
	width   float32
}

func (r *textRenderer) Layout(size fyne.Size) {
	if size.Width != r.width {
		r.width = size.Width
		r.build()
	}
}

func (r *textRenderer) build() {
	b := r.block
	r.objects = r.objects[:0]
	if b.Text == "" || r.width <= 0 {
		return
	}
	c := b.Role(Colors())
	lines, shown := b.laid(r.width)
	for i, line := range lines {
		x := float32(0)
		switch {
		case b.align == fyne.TextAlignCenter:
			x = (r.width - line.Width) / 2
		case line.RTL:
			x = r.width - line.Width
		}
		for _, mark := range b.marks {
			for _, span := range b.font.Wrapper().Spans(b.Text, line, mark[0], min(mark[1], shown)) {
				ground := canvas.NewRectangle(Colors().Mark)
				ground.CornerRadius = 2
				Put(ground, x+span.X, float32(i)*b.font.LineHeight(), span.Width, b.font.LineHeight())
				r.objects = append(r.objects, ground)
			}
		}
		r.objects = AppendRuns(r.objects, line, b.font, c, x, float32(i)*b.font.LineHeight())
	}
}

// AppendRuns adds the drawn runs of a line whose top left corner is at x, y.
func AppendRuns(to []fyne.CanvasObject, line text.Line, f Font, c color.Color, x, y float32) []fyne.CanvasObject {
	for _, run := range line.Runs {
		to = AppendRun(to, run, f, c, x, y)
	}
	return to
}

// AppendRun adds a run of a line whose top left corner is at x, y.
func AppendRun(to []fyne.CanvasObject, run text.Run, f Font, c color.Color, x, y float32) []fyne.CanvasObject {
	if strings.TrimSpace(run.Text) == "" {
		return to
	}
	o := canvas.NewText(run.Text, c)
	o.TextSize = f.points()
	o.TextStyle = f.style()
	if o.FontSource = fontOf(text.OnlyEmoji(run.Text)); o.FontSource == nil {
		o.Text = onBaseline(run.Text)
	}
	o.Move(fyne.NewPos(x+run.X, y+f.rise(run.Text, o.FontSource)))
	o.Resize(o.MinSize())
	return append(to, o)
}

func (r *textRenderer) MinSize() fyne.Size {
	width := r.block.Size().Width
	if width == 0 {
		width = r.block.Natural()
	}
	return fyne.NewSize(1, r.block.Fit(width))
}

func (r *textRenderer) Refresh() {
	r.width = r.block.Size().Width
	r.build()
	Repaint(r.block)
}

func (r *textRenderer) Objects() []fyne.CanvasObject { return r.objects }
func (r *textRenderer) Destroy()                     {}
