package ui

import (
	"image/color"
	"strings"

	"fyne.io/fyne/v2"
	"fyne.io/fyne/v2/canvas"
	"fyne.io/fyne/v2/widget"

	"parley/client/ui/text"
)

// role picks a colour of the palette, so that a text follows the theme.
type role func(*palette) color.NRGBA

func roleText(p *palette) color.NRGBA    { return p.Text }
func roleMuted(p *palette) color.NRGBA   { return p.Muted }
func roleAccent(p *palette) color.NRGBA  { return p.Accent }
func roleError(p *palette) color.NRGBA   { return p.Error }
func roleWarning(p *palette) color.NRGBA { return p.Warning }
func roleYes(p *palette) color.NRGBA     { return p.Yes }

// textBlock shows a text that wraps and reads in its own direction. Its height
// follows from its width.
type textBlock struct {
	widget.BaseWidget
	text     string
	font     font
	role     role
	align    fyne.TextAlign
	maxLines int      // 0 is no limit; the last line ends with an ellipsis
	room     []string // has the height for any of these
}

func newText(s string, f font, r role) *textBlock {
	t := &textBlock{font: f, role: r}
	t.text = text.Clean(s)
	t.ExtendBaseWidget(t)
	return t
}

func (t *textBlock) centered() *textBlock      { t.align = fyne.TextAlignCenter; return t }
func (t *textBlock) lines(n int) *textBlock    { t.maxLines = n; return t }
func (t *textBlock) fit(width float32) float32 { return t.font.lineHeight() * float32(t.count(width)) }

// roomFor keeps the text as high as the highest of what it may say, so that it
// moves nothing when it says that.
func (t *textBlock) roomFor(sentences ...string) *textBlock { t.room = sentences; return t }

func (t *textBlock) setText(s string) {
	if s = text.Clean(s); s != t.text {
		t.text = s
		t.Refresh()
	}
}

func (t *textBlock) count(width float32) int {
	n := 1
	for _, s := range append(t.room, t.text) {
		n = max(n, t.font.wrapper().Measure(s, max(width, 1)).Lines)
	}
	if t.maxLines > 0 {
		n = min(n, t.maxLines)
	}
	return n
}

// natural is the width of the widest line when nothing has to wrap.
func (t *textBlock) natural() float32 {
	w := t.font.wrapper()
	widest := float32(0)
	for _, l := range w.Lay(t.text, 1e6) {
		widest = max(widest, l.Width)
	}
	return float32(int(widest + 1))
}

func (t *textBlock) laid(width float32) []text.Line {
	lines := t.font.wrapper().Lay(t.text, width)
	if t.maxLines == 0 || len(lines) <= t.maxLines {
		return lines
	}
	return t.shortened(width)
}

// shortened cuts the text so that an ellipsis fits at the end of the last line.
func (t *textBlock) shortened(width float32) []text.Line {
	g := text.Graphemes(t.text)
	fits := func(n int) []text.Line {
		return t.font.wrapper().Lay(strings.TrimRight(strings.Join(g[:n], ""), " \n")+"…", width)
	}
	low, high := 0, len(g)
	for low+1 < high {
		if mid := (low + high) / 2; len(fits(mid)) <= t.maxLines {
			low = mid
		} else {
			high = mid
		}
	}
	return fits(low)
}

func (t *textBlock) CreateRenderer() fyne.WidgetRenderer {
	return laidOut(t, &textRenderer{block: t})
}

type textRenderer struct {
	block   *textBlock
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
	if b.text == "" || r.width <= 0 {
		return
	}
	c := b.role(colors())
	for i, line := range b.laid(r.width) {
		x := float32(0)
		switch {
		case b.align == fyne.TextAlignCenter:
			x = (r.width - line.Width) / 2
		case line.RTL:
			x = r.width - line.Width
		}
		r.objects = appendRuns(r.objects, line, b.font, c, x, float32(i)*b.font.lineHeight())
	}
}

// appendRuns adds the drawn runs of a line whose top left corner is at x, y.
func appendRuns(to []fyne.CanvasObject, line text.Line, f font, c color.Color, x, y float32) []fyne.CanvasObject {
	for _, run := range line.Runs {
		to = appendRun(to, run, f, c, x, y)
	}
	return to
}

func appendRun(to []fyne.CanvasObject, run text.Run, f font, c color.Color, x, y float32) []fyne.CanvasObject {
	if strings.TrimSpace(run.Text) == "" {
		return to
	}
	o := canvas.NewText(onBaseline(run.Text), c)
	o.TextSize = f.points()
	o.TextStyle = f.style()
	o.Move(fyne.NewPos(x+run.X, y+f.rise(run.Text)))
	o.Resize(o.MinSize())
	return append(to, o)
}

func (r *textRenderer) MinSize() fyne.Size {
	width := r.block.Size().Width
	if width == 0 {
		width = r.block.natural()
	}
	return fyne.NewSize(1, r.block.fit(width))
}

func (r *textRenderer) Refresh() {
	r.width = r.block.Size().Width
	r.build()
	repaint(r.block)
}

func (r *textRenderer) Objects() []fyne.CanvasObject { return r.objects }
func (r *textRenderer) Destroy()                     {}
