package conversation

import (
	"image/color"

	"fyne.io/fyne/v2"
	"fyne.io/fyne/v2/canvas"
	"fyne.io/fyne/v2/container"

	"parley/client/session"
	"parley/client/ui/kit"
	"parley/client/ui/lang"
	"parley/client/ui/text"
)

// drawRow makes the view of a row that was measured in f; marked if it names the
// person.
func drawRow(r *row, f frame, now lang.Clock, marked bool, thumbs Thumbs) *rowView {
	v := &rowView{root: container.NewWithoutLayout()}
	left, width := f.column()
	y := float32(rowGap)
	if r.first {
		y = f.groupGap()
	}
	p := kit.Colors()
	if r.day {
		v.day(now.Day(r.item.Time), left, y, width)
		y += dividerHeight()
	}
	if r.fresh {
		v.fresh(left, y, width)
		y += dividerHeight()
	}
	switch {
	case r.item.Kind == session.KindGap:
		v.gap(left, y, width)
	case r.item.Kind == session.KindNotice:
		v.notice(r, f, p, left, y, width)
	case r.item.Deleted:
		v.deleted(r, p, left, y, width)
	default:
		if marked {
			v.mark(p, left, y, width, r.height-y)
		}
		v.message(r, f, p, thumbs, left, y, width)
	}
	v.root.Resize(fyne.NewSize(f.width, r.height))
	return v
}

// pill draws a short centered text on a rounded ground.
func (v *rowView) pill(s string, ground, on color.Color, left, y, width float32) (x, w, h float32) {
	e := kit.FontLabel.Wrapper().Measure(s, 1e6)
	w = min(e.Widest+6*kit.Unit, width-2*rowMargin)
	h = kit.FontLabel.LineHeight() + 2*kit.Unit
	x = left + float32(int((width-w)/2))
	rect := canvas.NewRectangle(ground)
	rect.CornerRadius = h / 2
	v.add(rect, x, y, w, h)
	for _, line := range kit.FontLabel.Wrapper().Lay(s, w-2*kit.Unit)[:1] {
		v.root.Objects = kit.AppendRuns(v.root.Objects, line, kit.FontLabel, on, x+(w-line.Width)/2, y+kit.Unit)
	}
	return x, w, h
}

func (v *rowView) day(s string, left, y, width float32) {
	p := kit.Colors()
	v.pill(s, p.Hover, p.Muted, left, y+3*kit.Unit, width)
}

// fresh draws the line "new since you left".
func (v *rowView) fresh(left, y, width float32) {
	p := kit.Colors()
	y += 3 * kit.Unit
	x, w, h := v.pill(lang.T("room.fresh"), p.AccentSoft, p.Accent, left, y, width)
	for _, part := range [2][2]float32{{left + rowMargin, x - 2*kit.Unit}, {x + w + 2*kit.Unit, left + width - rowMargin}} {
		if part[1] > part[0] {
			v.add(canvas.NewRectangle(p.AccentSoft), part[0], y+float32(int(h/2)), part[1]-part[0], 1)
		}
	}
}

func (v *rowView) gap(left, y, width float32) {
	p := kit.Colors()
	x, w, h := v.pill(lang.T("room.gap"), p.WarningSoft, p.Warning, left, y, width)
	v.areas = append(v.areas, area{Kind: HitGap, at: fyne.NewPos(x-2*kit.Unit, y-2*kit.Unit), size: fyne.NewSize(w+4*kit.Unit, h+4*kit.Unit)})
}

// deleted draws the line that stands for messages that were deleted.
func (v *rowView) deleted(r *row, p *kit.Palette, left, y, width float32) {
	inner := width - 2*rowMargin
	for _, line := range kit.FontSmall.Wrapper().Lay(kit.FontSmall.Wrapper().Cut(lang.Plural("log.deleted", r.deleted), inner), inner) {
		x := left + float32(int((width-line.Width)/2))
		v.root.Objects = kit.AppendRuns(v.root.Objects, line, kit.FontSmall, p.Muted, x, y)
		if side := markSide * kit.TextScale(); r.deleting {
			v.delivery("clock", p.Muted, x+line.Width+kit.Unit, y+float32(int((kit.FontSmall.LineHeight()-side)/2)))
		}
	}
}

// mark draws the ground of a message that names the person.
func (v *rowView) mark(p *kit.Palette, left, y, width, height float32) {
	v.add(canvas.NewRectangle(p.AccentSoft), left, y-rowGap, width, height+2*rowGap)
	v.add(canvas.NewRectangle(p.Accent), left, y-rowGap, 3, height+2*rowGap)
}

// inks are the colours on a bubble.
type inks struct {
	ground, text, muted, link color.NRGBA
	soft                      color.NRGBA // the ground of a quote and of code
}

func (r *row) inks(p *kit.Palette) inks {
	if r.item.Delivery == session.Failed {
		return inks{p.Surface, p.Text, p.Error, p.Accent, p.Raised}
	}
	if r.item.Mine && !r.jumbo() {
		return inks{p.Mine, p.OnMine, p.OnMineMuted, p.OnMine, p.MineSoft}
	}
	return inks{p.Theirs, p.Text, p.Muted, p.Accent, p.TheirsSoft}
}

func (v *rowView) message(r *row, f frame, p *kit.Palette, thumbs Thumbs, left, y, width float32) {
	s := r.shape(f, nil)
	ink := r.inks(p)
	x := left + rowMargin
	if r.item.Mine {
		x = left + width - rowMargin - s.width
	} else if f.avatars() {
		if r.first {
			v.add(kit.NewAvatar(r.item.User, authorOf(r.item), f.avatarSide()), x, y, f.avatarSide(), f.avatarSide())
		}
		x = left + f.left()
	}
	if !r.jumbo() {
		v.add(r.bubble(ink.ground), x, y, s.width, s.height)
	}
	v.areas = append(v.areas, area{Kind: hitBubble, at: fyne.NewPos(x, y), size: fyne.NewSize(s.width, s.height)})

	tx, ty := x+bubbleInset, y+f.pad()
	inner := s.width - 2*bubbleInset
	if r.named(f) {
		name := kit.NewText(r.item.User, kit.FontLabel, func(*kit.Palette) color.NRGBA { return kit.NameColor(authorOf(r.item)) }).Lines(1)
		v.add(name, tx, ty, inner, kit.FontLabel.LineHeight())
		ty += kit.FontLabel.LineHeight() + 2
	}
	if q := r.item.Quote; q != nil {
		v.quote(q, ink, tx, ty, inner)
		ty += quoteHeight()
	}
	if r.item.File != nil {
		ty -= r.fileLift(f)
		_, h := r.fileSize(f)
		v.file(r, f, thumbs, ink, tx, ty, inner)
		ty += h + r.fileGap()
	}
	fo := r.font()
	for i, piece := range s.pieces {
		if i > 0 {
			ty += codeGap
		}
		if piece.Code {
			v.code(piece, ink, tx, ty, inner)
			ty += piece.height(fo)
			continue
		}
		for _, line := range fo.Wrapper().Lay(piece.Text, s.wrap)[:piece.shown] {
			lx := tx
			if line.RTL {
				lx = tx + inner - line.Width
			}
			v.line(line, fo, ink, lx, ty)
			ty += fo.LineHeight()
		}
	}
	if s.fold != "" {
		v.fold(s.fold, ink, tx, ty, inner)
		ty += foldHeight()
	}
	if mw := r.metaWidth(); mw > 0 {
		my := ty
		if s.metaInline {
			my = ty - fo.LineHeight() + fo.Baseline() - kit.FontTiny.Baseline() + 1
		}
		v.meta(r, ink, tx+inner-mw, my)
	}
	cx := x
	if r.item.Mine {
		cx = x + s.width - chipsWidth(s.chips)
	}
	v.chips(s.chips, p, cx, y+s.height)
	v.note(r, f, p, left, y+s.height+chipsHeight(s.chips), width)
}

// fold draws the line under a long text.
func (v *rowView) fold(label string, ink inks, x, y, width float32) {
	for _, line := range kit.FontLabel.Wrapper().Lay(label, width)[:1] {
		v.root.Objects = kit.AppendRuns(v.root.Objects, line, kit.FontLabel, ink.link, x, y+kit.Unit)
	}
	v.areas = append(v.areas, area{Kind: hitFold, at: fyne.NewPos(x-bubbleInset, y-kit.Unit), size: fyne.NewSize(width+2*bubbleInset, foldHeight()+2*kit.Unit)})
}

// bubbleRound is the radius of a bubble's corners.
const bubbleRound = 18

// bubble is the ground of a message. It has small corners at its sender's side and
// between the rows of a group.
func (r *row) bubble(c color.Color) *canvas.Rectangle {
	const tight = 5
	b := canvas.NewRectangle(c)
	b.CornerRadius = bubbleRound
	if r.item.Delivery == session.Failed {
		b.StrokeColor, b.StrokeWidth = kit.Colors().Error, 1
	}
	if !r.item.Mine && !kit.IsDark() {
		b.Shadow = canvas.Shadow{Color: kit.Alpha(0x1a1c2c, 0x14), BlurRadius: 3, Offset: fyne.NewPos(0, 1)}
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

// line draws a line of the text; its links are underlined and become areas.
func (v *rowView) line(line text.Line, fo kit.Font, ink inks, x, y float32) {
	for _, run := range line.Runs {
		c := ink.text
		if run.Link != "" {
			c = ink.link
			v.add(canvas.NewRectangle(c), x+run.X, y+fo.Baseline()+2, run.Width, 1)
			v.areas = append(v.areas, area{Kind: HitLink, at: fyne.NewPos(x+run.X, y), size: fyne.NewSize(run.Width, fo.LineHeight()), Link: run.Link})
		}
		v.root.Objects = kit.AppendRun(v.root.Objects, run, fo, c, x, y)
	}
}

// meta draws the time and, behind it, how far an own message came.
func (v *rowView) meta(r *row, ink inks, x, y float32) {
	c := ink.muted
	for _, line := range kit.FontTiny.Wrapper().Lay(r.meta(), 1e6) {
		v.root.Objects = kit.AppendRuns(v.root.Objects, line, kit.FontTiny, c, x, y)
		x += line.Width
	}
	if !r.marked() {
		return
	}
	name := "check"
	switch {
	case r.item.Delivery == session.Failed:
		name = "warning"
	case r.item.Delivery == session.Pending, r.item.Waits == session.DidEdit:
		name = "clock"
	}
	v.delivery(name, ink.muted, x+kit.Unit, y+float32(int((kit.FontTiny.LineHeight()-markSide*kit.TextScale())/2)))
}

// delivery draws how far something came.
func (v *rowView) delivery(name string, c color.NRGBA, x, y float32) {
	image := canvas.NewImageFromResource(kit.Icon(name, c))
	image.FillMode = canvas.ImageFillContain
	side := markSide * kit.TextScale()
	v.add(image, x, y, side, side)
}

// note draws why a message was refused.
func (v *rowView) note(r *row, f frame, p *kit.Palette, left, y, width float32) {
	if r.item.Delivery != session.Failed {
		return
	}
	h := r.noteHeight(f)
	ny := y + kit.Unit
	for _, line := range kit.FontSmall.Wrapper().Lay(text.CleanSentence(failedNote(r.item)), f.noteWidth()) {
		v.root.Objects = kit.AppendRuns(v.root.Objects, line, kit.FontSmall, p.Error, left+width-rowMargin-kit.Unit-line.Width, ny)
		ny += kit.FontSmall.LineHeight()
	}
	bubble := v.bubble()
	v.areas = append(v.areas, area{Kind: HitFailed, at: fyne.NewPos(left+rowMargin, bubble.at.Y), size: fyne.NewSize(width-2*rowMargin, bubble.size.Height+h)})
}
