package ui

import (
	"image/color"

	"fyne.io/fyne/v2"
	"fyne.io/fyne/v2/canvas"
	"fyne.io/fyne/v2/container"

	"parley/client/session"
	"parley/client/ui/text"
)

// hitKind says what lies under a finger.
type hitKind int

const (
	hitNothing hitKind = iota
	hitBubble
	hitLink
	hitFailed // a message that was refused: retry, discard
	hitGap
	hitFold // shows a long text whole, or folds it
	hitPill
)

// hit is an area of a row that can be tapped, in the row's own coordinates.
type hit struct {
	kind hitKind
	at   fyne.Position
	size fyne.Size
	row  *row
	link string
}

func (h hit) contains(p fyne.Position) bool {
	return p.X >= h.at.X && p.Y >= h.at.Y && p.X < h.at.X+h.size.Width && p.Y < h.at.Y+h.size.Height
}

// rowView is a row as it is drawn. It is made when the row comes into sight and
// dropped when it leaves.
type rowView struct {
	root *fyne.Container
	hits []hit // later ones lie above earlier ones
}

func (v *rowView) add(o fyne.CanvasObject, x, y, w, h float32) {
	o.Move(fyne.NewPos(x, y))
	o.Resize(fyne.NewSize(w, h))
	v.root.Objects = append(v.root.Objects, o)
}

func (v *rowView) hit(p fyne.Position) hit {
	for i := len(v.hits) - 1; i >= 0; i-- {
		if v.hits[i].contains(p) {
			return v.hits[i]
		}
	}
	return hit{}
}

// draw makes the view of a row that was measured in f.
func (r *row) draw(f frame) *rowView {
	v := &rowView{root: container.NewWithoutLayout()}
	left, width := f.column()
	y := float32(rowGap)
	if r.first {
		y = f.groupGap()
	}
	p := colors()
	if r.day {
		v.day(dayName(r.item.Time), left, y, width)
		y += dividerHeight()
	}
	if r.fresh {
		v.fresh(left, y, width)
		y += dividerHeight()
	}
	if r.item.Kind == session.KindGap {
		v.gap(r, left, y, width)
	} else {
		v.message(r, f, p, left, y, width)
	}
	v.root.Resize(fyne.NewSize(f.width, r.height))
	return v
}

// pill draws a short centered text on a rounded ground.
func (v *rowView) pill(s string, ground, on color.Color, left, y, width float32) (x, w, h float32) {
	e := fontLabel.wrapper().Measure(s, 1e6)
	w = min(e.Widest+6*unit, width-2*rowMargin)
	h = fontLabel.lineHeight() + 2*unit
	x = left + float32(int((width-w)/2))
	rect := canvas.NewRectangle(ground)
	rect.CornerRadius = h / 2
	v.add(rect, x, y, w, h)
	for _, line := range fontLabel.wrapper().Lay(s, w-2*unit)[:1] {
		v.root.Objects = appendRuns(v.root.Objects, line, fontLabel, on, x+(w-line.Width)/2, y+unit)
	}
	return x, w, h
}

func (v *rowView) day(s string, left, y, width float32) {
	p := colors()
	v.pill(s, p.Hover, p.Muted, left, y+3*unit, width)
}

// fresh draws the line "new since you left".
func (v *rowView) fresh(left, y, width float32) {
	p := colors()
	y += 3 * unit
	x, w, h := v.pill(tr("room.fresh"), p.AccentSoft, p.Accent, left, y, width)
	for _, part := range [2][2]float32{{left + rowMargin, x - 2*unit}, {x + w + 2*unit, left + width - rowMargin}} {
		if part[1] > part[0] {
			v.add(canvas.NewRectangle(p.AccentSoft), part[0], y+float32(int(h/2)), part[1]-part[0], 1)
		}
	}
}

func (v *rowView) gap(r *row, left, y, width float32) {
	p := colors()
	x, w, h := v.pill(tr("room.gap"), p.WarningSoft, p.Warning, left, y, width)
	v.hits = append(v.hits, hit{hitGap, fyne.NewPos(x-2*unit, y-2*unit), fyne.NewSize(w+4*unit, h+4*unit), r, ""})
}

// inks are the colours on a bubble.
type inks struct{ ground, text, muted, link color.NRGBA }

func (r *row) inks(p *palette) inks {
	if r.item.Delivery == session.Failed {
		return inks{p.Surface, p.Text, p.Error, p.Accent}
	}
	if r.item.Mine && !r.jumbo() {
		return inks{p.Mine, p.OnMine, p.OnMineMuted, p.OnMine}
	}
	return inks{p.Theirs, p.Text, p.Muted, p.Accent}
}

func (v *rowView) message(r *row, f frame, p *palette, left, y, width float32) {
	s := r.shape(f)
	ink := r.inks(p)
	x := left + rowMargin
	if r.item.Mine {
		x = left + width - rowMargin - s.width
	} else if f.avatars() {
		if r.first {
			v.add(newAvatar(r.item.User, authorOf(r.item), f.avatarSide()), x, y, f.avatarSide(), f.avatarSide())
		}
		x = left + f.left()
	}
	if !r.jumbo() {
		v.add(r.bubble(ink.ground), x, y, s.width, s.height)
	}
	v.hits = append(v.hits, hit{hitBubble, fyne.NewPos(x, y), fyne.NewSize(s.width, s.height), r, ""})

	tx, ty := x+bubbleInset, y+f.pad()
	inner := s.width - 2*bubbleInset
	if r.named(f) {
		name := newText(r.item.User, fontLabel, func(*palette) color.NRGBA { return nameColor(authorOf(r.item)) }).lines(1)
		v.add(name, tx, ty, inner, fontLabel.lineHeight())
		ty += fontLabel.lineHeight() + 2
	}
	fo := r.font()
	for _, line := range fo.wrapper().Lay(r.text, f.maxText())[:s.lines] {
		lx := tx
		if line.RTL {
			lx = tx + inner - line.Width
		}
		v.line(r, line, fo, ink, lx, ty)
		ty += fo.lineHeight()
	}
	if s.fold != "" {
		v.fold(r, s.fold, ink, tx, ty, inner)
		ty += foldHeight()
	}
	if mw := r.metaWidth(); mw > 0 {
		my := ty
		if s.metaInline {
			my = ty - fo.lineHeight() + fo.baseline() - fontTiny.baseline() + 1
		}
		v.meta(r, ink, tx+inner-mw, my)
	}
	v.note(r, f, p, left, y+s.height, width)
}

// fold draws the line under a long text.
func (v *rowView) fold(r *row, label string, ink inks, x, y, width float32) {
	for _, line := range fontLabel.wrapper().Lay(label, width)[:1] {
		v.root.Objects = appendRuns(v.root.Objects, line, fontLabel, ink.link, x, y+unit)
	}
	v.hits = append(v.hits, hit{hitFold, fyne.NewPos(x-bubbleInset, y-unit), fyne.NewSize(width+2*bubbleInset, foldHeight()+2*unit), r, ""})
}

// bubbleRound is the radius of a bubble's corners.
const bubbleRound = 18

// bubble is the ground of a message, with small corners at its sender's side and
// where the rows of a group meet.
func (r *row) bubble(c color.Color) *canvas.Rectangle {
	const tight = 5
	b := canvas.NewRectangle(c)
	b.CornerRadius = bubbleRound
	if r.item.Delivery == session.Failed {
		b.StrokeColor, b.StrokeWidth = colors().Error, 1
	}
	if !r.item.Mine && !isDark() {
		b.Shadow = canvas.Shadow{Color: alpha(0x1a1c2c, 0x14), BlurRadius: 3, Offset: fyne.NewPos(0, 1)}
	}
	if r.item.Mine {
		b.BottomRightCornerRadius = tight
		if !r.first {
			b.TopRightCornerRadius = tight
		}
	} else {
		b.TopLeftCornerRadius = tight
		if !r.last {
			b.BottomLeftCornerRadius = tight
		}
	}
	return b
}

// line draws a line of the text; its links are underlined and become hits.
func (v *rowView) line(r *row, line text.Line, fo font, ink inks, x, y float32) {
	for _, run := range line.Runs {
		c := ink.text
		if run.Link != "" {
			c = ink.link
			v.add(canvas.NewRectangle(c), x+run.X, y+fo.baseline()+2, run.Width, 1)
			v.hits = append(v.hits, hit{hitLink, fyne.NewPos(x+run.X, y), fyne.NewSize(run.Width, fo.lineHeight()), r, run.Link})
		}
		v.root.Objects = appendRun(v.root.Objects, run, fo, c, x, y)
	}
}

// meta draws the time and, behind it, how far an own message came.
func (v *rowView) meta(r *row, ink inks, x, y float32) {
	c := ink.muted
	for _, line := range fontTiny.wrapper().Lay(r.meta(), 1e6) {
		v.root.Objects = appendRuns(v.root.Objects, line, fontTiny, c, x, y)
		x += line.Width
	}
	if !r.marked() {
		return
	}
	name := "check"
	switch r.item.Delivery {
	case session.Pending:
		name = "clock"
	case session.Failed:
		name = "warning"
	}
	image := canvas.NewImageFromResource(icon(name, ink.muted))
	image.FillMode = canvas.ImageFillContain
	side := markSide * textScale()
	v.add(image, x+unit, y+float32(int((fontTiny.lineHeight()-side)/2)), side, side)
}

// failedNote is the line under a refused message.
func failedNote(item session.Item) string {
	return failureSentence(item) + " " + tr("room.failed.tap")
}

// note draws why a message was refused.
func (v *rowView) note(r *row, f frame, p *palette, left, y, width float32) {
	if r.item.Delivery != session.Failed {
		return
	}
	h := r.noteHeight(f)
	ny := y + unit
	for _, line := range fontSmall.wrapper().Lay(text.Clean(failedNote(r.item)), f.noteWidth()) {
		v.root.Objects = appendRuns(v.root.Objects, line, fontSmall, p.Error, left+width-rowMargin-unit-line.Width, ny)
		ny += fontSmall.lineHeight()
	}
	bubble := v.hits[0]
	v.hits = append(v.hits, hit{hitFailed, fyne.NewPos(left+rowMargin, bubble.at.Y), fyne.NewSize(width-2*rowMargin, bubble.size.Height+h), r, ""})
}
