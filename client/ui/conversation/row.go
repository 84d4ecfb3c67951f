package conversation

import (
	"time"

	"parley/client/session"
	"parley/client/ui/kit"
	"parley/client/ui/lang"
	"parley/client/ui/text"
)

// row is a row of the timeline: the message, what stands above it, and its place in
// its group.
type row struct {
	item  session.Item
	text  string      // item.Text, fit to be drawn
	parts []text.Part // of the text, if there is code in it

	day         bool   // a day line above
	fresh       bool   // the line "new since you left" above
	first, last bool   // of a group: one sender, one minute
	unfolded    bool   // a long text is shown whole
	leads       int64  // the offset that its line leads to, that of the message that was pinned; 0 for none
	notice      string // what its line says, for a run of notices that begins with it; "" if another row's does
	deleting    bool   // one of these is deleted on this device alone, as yet
	deleted     int    // how many deleted messages, from this one on, its line stands for; 0 if another row's does

	height float32
	view   *rowView // while it is on the screen
}

func newRow(item session.Item) *row {
	s := text.Clean(item.Text)
	return &row{item: item, text: s, parts: partsOf(s)}
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
	if r.jumbo() {
		return kit.Font{Size: 2.6 * kit.SizeBody}
	}
	return kit.FontBody
}

func (r *row) jumbo() bool { return r.item.File == nil && text.Jumbo(r.text) }

// named reports whether the sender's name stands above the bubble's text. In
// little height the avatar alone says who it is.
func (r *row) named(f frame) bool {
	return r.first && !r.item.Mine && !r.item.Deleted && !(f.dense && f.avatars())
}

// meta is what stands at the end of the bubble: the time in the last row of a
// group, and always for a message that is not in the room yet, or was edited.
func (r *row) meta() string {
	switch {
	case r.item.Edited:
		return lang.T("message.edited") + " " + lang.TimeOfDay(r.item.Time)
	case r.last || r.item.Delivery != session.Sent:
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

// shape is the geometry of a row's bubble, and of the reactions under it.
type shape struct {
	width, height float32 // of the bubble
	wrap          float32 // how wide the text may be
	pieces        []piece // of the text
	fold          string  // what the line under a long text says, or ""
	metaInline    bool    // the time stands behind the last line
	chips         []chip
}

// shape puts the pieces of the text into a slice that is made for them: most messages
// have one, and what opens a room measures thousands.
func (r *row) shape(f frame, pieces []piece) shape {
	fo, most := r.font(), f.maxText()
	s := shape{pieces: pieces[:0], wrap: r.wrapWidth(f)}
	var inner, height float32
	lines := 0
	parts := r.parts
	if parts == nil && r.spoken() {
		parts = []text.Part{{Text: r.text}}
	}
	for _, p := range parts {
		piece := newPiece(p, fo, s.wrap)
		lines += piece.extent.Lines
		inner = max(inner, piece.extent.Widest)
		s.pieces = append(s.pieces, piece)
	}
	lines, s.fold = r.folded(lines)
	for i := range s.pieces {
		p := &s.pieces[i]
		if p.shown = min(p.extent.Lines, lines); p.shown == 0 {
			s.pieces = s.pieces[:i]
			break
		}
		lines -= p.shown
		if height += p.height(fo); i > 0 {
			height += codeGap
		}
	}
	if s.fold != "" {
		inner = max(inner, min(kit.FontLabel.Wrapper().Measure(s.fold, 1e6).Widest, most))
		height += foldHeight()
	}
	if r.item.File != nil {
		w, h := r.fileSize(f)
		if height += h + r.fileGaps(f); r.pictured() {
			w += 2*pictureInset - 2*bubbleInset
		}
		inner = max(inner, w)
	}
	if r.named(f) {
		name := kit.FontLabel.Wrapper().Measure(r.item.User, 1e6).Widest
		inner = max(inner, min(name, most))
		height += nameHeight()
	}
	if q := r.item.Quote; q != nil {
		inner = max(inner, min(quoteWidth(q), most))
		height += quoteHeight()
	}
	if mw := r.metaWidth(); mw > 0 {
		var last piece
		if n := len(s.pieces); n > 0 {
			last = s.pieces[n-1]
			s.metaInline = s.fold == "" && !last.Code && !last.extent.RTL && !r.jumbo() && last.extent.Last+metaGap+mw <= s.wrap
		}
		if s.metaInline {
			inner = max(inner, last.extent.Last+metaGap+mw)
		} else {
			inner = max(inner, min(mw, most))
			height += kit.FontTiny.LineHeight()
		}
	}
	s.width = float32(int(inner+1)) + 2*bubbleInset
	s.height = height + 2*f.pad()
	s.chips = chipsOf(r.item, most+2*bubbleInset)
	return s
}

// noteHeight is the height of a failed message's reason under its bubble.
func (r *row) noteHeight(f frame) float32 {
	if r.item.Delivery != session.Failed {
		return 0
	}
	return float32(kit.FontSmall.Wrapper().Measure(failedNote(r.item), f.noteWidth()).Lines)*kit.FontSmall.LineHeight() + 3*kit.Unit
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
	if r.item.Kind == session.KindNotice {
		if r.height += r.noticeHeight(f); r.notice == "" {
			r.height = 0
		}
		return
	}
	if r.item.Deleted {
		if r.height += deletedHeight(); r.deleted == 0 {
			r.height = 0
		}
		return
	}
	var room [1]piece
	s := r.shape(f, room[:])
	r.height += s.height + chipsHeight(s.chips) + r.noteHeight(f)
}

// deletedHeight is the height of the line that stands for deleted messages.
func deletedHeight() float32 { return kit.FontSmall.LineHeight() }

// sameGroup reports whether two neighbours belong together: the same sender in
// the same minute.
func sameGroup(a, b *row) bool {
	return a.item.Kind == session.KindMessage && b.item.Kind == session.KindMessage &&
		!a.item.Deleted && !b.item.Deleted && sameAuthor(a.item, b.item) &&
		a.item.Time.Truncate(time.Minute).Equal(b.item.Time.Truncate(time.Minute))
}
