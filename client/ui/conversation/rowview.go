package conversation

import (
	"image/color"
	"math"

	"fyne.io/fyne/v2"

	"parley/client/ui/kit"
)

// HitKind says what lies under a finger.
type HitKind int

// What can lie there.
const (
	hitNothing HitKind = iota
	hitBubble
	HitLink
	HitFailed // a message that was refused: retry, discard
	HitGap
	hitFold // shows a long text whole, or folds it
	HitQuote
	HitReaction
	HitCode   // copies it
	HitFile   // shows or opens it
	HitCancel // ends the sending of a file
	hitPill
)

// area is a part of what is drawn that can be tapped.
type area struct {
	Kind   HitKind
	at     fyne.Position
	size   fyne.Size
	Link   string // of a HitLink: the address
	Text   string // of a HitReaction: the emoji; of a HitCode: the code
	Offset int64  // of a HitQuote: the quoted message's
}

func (h area) contains(p fyne.Position) bool {
	return p.X >= h.at.X && p.Y >= h.at.Y && p.X < h.at.X+h.size.Width && p.Y < h.at.Y+h.size.Height
}

// rowView is a row as it is drawn, with its areas in its own coordinates. It is
// made when the row comes into sight and dropped when it leaves. The first area
// of a message is its bubble.
type rowView struct {
	root  *fyne.Container
	areas []area // later ones lie above earlier ones
}

func (v *rowView) add(o fyne.CanvasObject, x, y, w, h float32) {
	o.Move(fyne.NewPos(x, y))
	o.Resize(fyne.NewSize(w, h))
	v.root.Objects = append(v.root.Objects, o)
}

// cut draws a text in one line, as much of it as fits a width.
func (v *rowView) cut(s string, f kit.Font, c color.Color, x, y, width float32) {
	for _, line := range f.Wrapper().Lay(f.Wrapper().Cut(s, width), math.MaxFloat32) {
		v.root.Objects = kit.AppendRuns(v.root.Objects, line, f, c, x, y)
	}
}

// bubble is the bubble of a message.
func (v *rowView) bubble() area { return v.areas[0] }

func (v *rowView) areaAt(p fyne.Position) area {
	for i := len(v.areas) - 1; i >= 0; i-- {
		if v.areas[i].contains(p) {
			return v.areas[i]
		}
	}
	return area{}
}
