package conversation

import (
	"time"

	"parley/client/session"
	"parley/client/ui/kit"
	"parley/client/ui/lang"
	"parley/client/ui/text"
	"parley/shared"
)

// row is a row of the timeline: the message, what stands above it, and its place in
// its group.
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
	rowMargin   = 3 * kit.Unit // from the edge of the list
	groupGap    = 3 * kit.Unit // above a group
	rowGap      = 2            // between rows of a group
	AvatarSide  = 36
	avatarDense = 28
	bubbleInset = 3 * kit.Unit // left and right of the text
	bubblePad   = 2 * kit.Unit // above and below
	metaGap     = 2 * kit.Unit // between the last line and the time
	markSide    = 14           // the mark of a message on its way, at 100 %
)

// frame is what rows are measured against: the list's width and what follows
// from it. Two frames are equal when no row changes its height.
type frame struct {
	width float32
	scale float32
	dense bool // as many messages as possible, in little height
}

// column is the left edge and the width of the conversation in a wide list.
func (f frame) column() (x, width float32) {
	width = min(f.width, 860)
	return float32(int((f.width - width) / 2)), width
}

// avatars reports whether there is room for avatars next to large text.
func (f frame) avatars() bool { return f.width >= 336*f.scale }

func (f frame) left() float32 {
	if f.avatars() {
		return rowMargin + f.avatarSide() + 2*kit.Unit
	}
	return rowMargin
}

func (f frame) avatarSide() float32 {
	if f.dense {
		return avatarDense
	}
	return AvatarSide
}

// pad is the room over and under a bubble's text.
func (f frame) pad() float32 {
	if f.dense {
		return kit.Unit
	}
	return bubblePad
}

// groupGap is the room over a group.
func (f frame) groupGap() float32 {
	if f.dense {
		return kit.Unit
	}
	return groupGap
}

// maxText is how wide a bubble's text may be.
func (f frame) maxText() float32 {
	_, w := f.column()
	bubble := w - f.left() - rowMargin - 7*kit.Unit
	if !f.avatars() {
		bubble = w - 2*rowMargin - 4*kit.Unit
	}
	return max(min(bubble, 560*f.scale)-2*bubbleInset, 40)
}

// fontOf is what a row's text is drawn in.
func (r *row) font() kit.Font {
	if text.Jumbo(r.text) {
		return kit.Font{Size: 2.6 * kit.SizeBody}
	}
	return kit.FontBody
}

func (r *row) jumbo() bool { return text.Jumbo(r.text) }

// named reports whether the sender's name stands above the bubble's text. In
// little height the avatar alone says who it is.
func (r *row) named(f frame) bool { return r.first && !r.item.Mine && !(f.dense && f.avatars()) }

// meta is what stands at the end of the bubble: the time in the last row of a
// group, and always for a message that is not in the room yet.
func (r *row) meta() string {
	if r.last || r.item.Delivery != session.Sent {
		return lang.TimeOfDay(r.item.Time)
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
	w := kit.FontTiny.Wrapper().Measure(m, 1e6).Widest
	if r.marked() {
		w += kit.Unit + markSide*kit.TextScale()
	}
	return float32(int(w + 1))
}

// A text of more than foldOver lines is folded: it shows foldTo of them, and the
// rest when "Show more" is tapped.
const (
	foldOver = 20
	foldTo   = 15
)

// folded is how many of a text's lines are shown, and what the line under them
// says, if there is one.
func (r *row) folded(lines int) (shown int, label string) {
	switch {
	case lines <= foldOver:
		return lines, ""
	case r.unfolded:
		return lines, lang.T("room.less")
	}
	return foldTo, lang.T("room.more")
}

// foldHeight is the height of that line.
func foldHeight() float32 { return kit.FontLabel.LineHeight() + 2*kit.Unit }

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
	s := shape{extent: fo.Wrapper().Measure(r.text, f.maxText())}
	inner := s.extent.Widest
	s.lines, s.fold = r.folded(s.extent.Lines)
	height := float32(s.lines) * fo.LineHeight()
	if s.fold != "" {
		inner = max(inner, min(kit.FontLabel.Wrapper().Measure(s.fold, 1e6).Widest, f.maxText()))
		height += foldHeight()
	}
	if r.named(f) {
		name := kit.FontLabel.Wrapper().Measure(r.item.User, 1e6).Widest
		inner = max(inner, min(name, f.maxText()))
		height += nameHeight()
	}
	if mw := r.metaWidth(); mw > 0 {
		s.metaInline = s.fold == "" && !s.extent.RTL && !r.jumbo() && s.extent.Last+metaGap+mw <= f.maxText()
		if s.metaInline {
			inner = max(inner, s.extent.Last+metaGap+mw)
		} else {
			inner = max(inner, min(mw, f.maxText()))
			height += kit.FontTiny.LineHeight()
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
	return float32(kit.FontSmall.Wrapper().Measure(failedNote(r.item), f.noteWidth()).Lines)*kit.FontSmall.LineHeight() + 3*kit.Unit
}

// failureSentence says why a message was refused. If the reason is one of the
// server's, it is in the server's words.
func failureSentence(item session.Item) string {
	switch item.Code {
	case shared.CodeEmpty, shared.CodeTooLong:
		return lang.T("failed." + string(item.Code))
	}
	if item.Reason != "" {
		return item.Reason
	}
	return lang.T("failed.refused")
}

// failedNote is the line under a refused message.
func failedNote(item session.Item) string {
	return failureSentence(item) + " " + lang.T("room.failed.tap")
}

func (f frame) noteWidth() float32 {
	_, w := f.column()
	return w - 2*rowMargin - 2*kit.Unit
}

// lineHeight of a day line or of "new since you left", with the room around it.
func dividerHeight() float32 { return kit.FontLabel.LineHeight() + 8*kit.Unit }

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
func nameHeight() float32 { return kit.FontLabel.LineHeight() + 2 }

// lead is what comes and goes over the text with the rows before.
func (r *row) lead(f frame) float32 {
	if r.named(f) {
		return r.above(f) + nameHeight()
	}
	return r.above(f)
}

func gapHeight() float32 { return kit.FontLabel.LineHeight() + 3*kit.Unit }

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
