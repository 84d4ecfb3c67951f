package ui

import (
	"time"

	"parley/client/session"
	"parley/client/ui/text"
)

// row is a row of the timeline and how it is shown: the message, what stands
// above it, and where it is in its group.
type row struct {
	item session.Item
	text string // item.Text, fit to be drawn

	day         bool // a day line above
	fresh       bool // the line "new since you left" above
	first, last bool // of a group: one sender, one minute
	unfolded    bool // a long text is shown whole

	height float32
	view   *rowView // while it is on the screen
}

func newRow(item session.Item) *row {
	return &row{item: item, text: text.Clean(item.Text)}
}

// Measures of a row, in units of the grid.
const (
	rowMargin   = 3 * unit // from the edge of the list
	groupGap    = 3 * unit // above a group
	rowGap      = 2        // between rows of a group
	avatarSide  = 36
	avatarDense = 28
	bubbleInset = 3 * unit // left and right of the text
	bubblePad   = 2 * unit // above and below
	metaGap     = 2 * unit // between the last line and the time
	markSide    = 14       // the mark of a message on its way, at 100 %
)

// frame is what rows are measured against: the list's width and what follows
// from it. Two frames are equal when no row changes its height.
type frame struct {
	width float32
	scale float32
	dense bool // as many messages as possible, in little height
}

// column is where the conversation lies in a wide list.
func (f frame) column() (x, width float32) {
	width = min(f.width, 860)
	return float32(int((f.width - width) / 2)), width
}

// avatars reports whether there is room for them beside large text.
func (f frame) avatars() bool { return f.width >= 336*f.scale }

func (f frame) left() float32 {
	if f.avatars() {
		return rowMargin + f.avatarSide() + 2*unit
	}
	return rowMargin
}

func (f frame) avatarSide() float32 {
	if f.dense {
		return avatarDense
	}
	return avatarSide
}

// pad is the room over and under a bubble's text.
func (f frame) pad() float32 {
	if f.dense {
		return unit
	}
	return bubblePad
}

// groupGap is the room over a group.
func (f frame) groupGap() float32 {
	if f.dense {
		return unit
	}
	return groupGap
}

// maxText is how wide a bubble's text may be.
func (f frame) maxText() float32 {
	_, w := f.column()
	bubble := w - f.left() - rowMargin - 7*unit
	if !f.avatars() {
		bubble = w - 2*rowMargin - 4*unit
	}
	return max(min(bubble, 560*f.scale)-2*bubbleInset, 40)
}

// fontOf is what a row's text is drawn in.
func (r *row) font() font {
	if text.Jumbo(r.text) {
		return font{size: 2.6 * sizeBody}
	}
	return fontBody
}

func (r *row) jumbo() bool { return text.Jumbo(r.text) }

// named reports whether the sender's name stands above the bubble's text. In
// little height the avatar alone says who it is.
func (r *row) named(f frame) bool { return r.first && !r.item.Mine && !(f.dense && f.avatars()) }

// meta is what stands at the end of the bubble: the time in the last row of a
// group, and always for a message that is not in the room yet.
func (r *row) meta() string {
	if r.last || r.item.Delivery != session.Sent {
		return clockTime(r.item.Time)
	}
	return ""
}

// marked reports whether the meta has a mark behind the time.
func (r *row) marked() bool { return r.item.Mine && r.meta() != "" }

func (r *row) metaWidth() float32 {
	m := r.meta()
	if m == "" {
		return 0
	}
	w := fontTiny.wrapper().Measure(m, 1e6).Widest
	if r.marked() {
		w += unit + markSide*textScale()
	}
	return float32(int(w + 1))
}

// shape is the geometry of a row's bubble.
type shape struct {
	extent        text.Extent
	width, height float32 // of the bubble
	metaInline    bool    // the time stands behind the last line
	lines         int     // of the text that are shown
	fold          string  // what the line under a long text says, or ""
}

func (r *row) shape(f frame) shape {
	fo := r.font()
	s := shape{extent: fo.wrapper().Measure(r.text, f.maxText())}
	inner := s.extent.Widest
	s.lines, s.fold = r.folded(s.extent.Lines)
	height := float32(s.lines) * fo.lineHeight()
	if s.fold != "" {
		inner = max(inner, min(fontLabel.wrapper().Measure(s.fold, 1e6).Widest, f.maxText()))
		height += foldHeight()
	}
	if r.named(f) {
		name := fontLabel.wrapper().Measure(r.item.User, 1e6).Widest
		inner = max(inner, min(name, f.maxText()))
		height += nameHeight()
	}
	if mw := r.metaWidth(); mw > 0 {
		s.metaInline = s.fold == "" && !s.extent.RTL && !r.jumbo() && s.extent.Last+metaGap+mw <= f.maxText()
		if s.metaInline {
			inner = max(inner, s.extent.Last+metaGap+mw)
		} else {
			inner = max(inner, min(mw, f.maxText()))
			height += fontTiny.lineHeight()
		}
	}
	s.width = float32(int(inner+1)) + 2*bubbleInset
	s.height = height + 2*f.pad()
	return s
}

// noteHeight is the height of a failed message's reason under its bubble.
func (r *row) noteHeight(f frame) float32 {
	if r.item.Delivery != session.Failed {
		return 0
	}
	return float32(fontSmall.wrapper().Measure(failedNote(r.item), f.noteWidth()).Lines)*fontSmall.lineHeight() + 3*unit
}

func (f frame) noteWidth() float32 {
	_, w := f.column()
	return w - 2*rowMargin - 2*unit
}

// lineHeight of a day line or of "new since you left", with the room around it.
func dividerHeight() float32 { return fontLabel.lineHeight() + 8*unit }

// above is the height of everything over the bubble.
func (r *row) above(f frame) float32 {
	h := float32(rowGap)
	if r.first {
		h = f.groupGap()
	}
	if r.day {
		h += dividerHeight()
	}
	if r.fresh {
		h += dividerHeight()
	}
	return h
}

// nameHeight is the height of the sender's name over the text.
func nameHeight() float32 { return fontLabel.lineHeight() + 2 }

// lead is what comes and goes over the text with the rows before.
func (r *row) lead(f frame) float32 {
	if r.named(f) {
		return r.above(f) + nameHeight()
	}
	return r.above(f)
}

func gapHeight() float32 { return fontLabel.lineHeight() + 3*unit }

func (r *row) measure(f frame) {
	r.height = r.above(f)
	if r.item.Kind == session.KindGap {
		r.height += gapHeight() + groupGap
		return
	}
	r.height += r.shape(f).height + r.noteHeight(f)
}

// sameGroup reports whether two neighbours belong together: the same sender in
// the same minute.
func sameGroup(a, b *row) bool {
	return a.item.Kind == session.KindMessage && b.item.Kind == session.KindMessage &&
		sameAuthor(a.item, b.item) &&
		a.item.Time.Truncate(time.Minute).Equal(b.item.Time.Truncate(time.Minute))
}

func sameDay(a, b time.Time) bool {
	ay, am, ad := a.Local().Date()
	by, bm, bd := b.Local().Date()
	return ay == by && am == bm && ad == bd
}
