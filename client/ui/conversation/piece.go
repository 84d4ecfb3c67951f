package conversation

import (
	"math"
	"slices"
	"strings"

	"fyne.io/fyne/v2"
	"fyne.io/fyne/v2/canvas"

	"parley/client/ui/kit"
	"parley/client/ui/lang"
	"parley/client/ui/text"
)

// piece is a part of a message's text as it is laid out.
type piece struct {
	text.Part
	extent text.Extent
	shown  int // of its lines
}

// Measures of code, in units of the grid.
const (
	codePad = 2 * kit.Unit // around the lines
	codeGap = kit.Unit     // between code and what stands over or under it
)

// partsOf are the parts of a text that Clean returned, without the line breaks that
// part what is code from what is not; nil if there is no code in it.
func partsOf(s string) []text.Part {
	if !strings.Contains(s, "```") {
		return nil
	}
	parts := text.Parts(s)
	if !slices.ContainsFunc(parts, func(p text.Part) bool { return p.Code }) {
		return nil
	}
	kept := parts[:0:0]
	for i, p := range parts {
		if !p.Code && i > 0 {
			p.Text = strings.TrimPrefix(p.Text, "\n")
		}
		if !p.Code && i+1 < len(parts) {
			p.Text = strings.TrimSuffix(p.Text, "\n")
		}
		if p.Code || strings.TrimSpace(p.Text) != "" {
			kept = append(kept, p)
		}
	}
	return kept
}

// newPiece measures a part of a text in a width. Code is not wrapped: what is wider
// is cut off.
func newPiece(p text.Part, fo kit.Font, width float32) piece {
	if !p.Code {
		return piece{Part: p, extent: fo.Wrapper().Measure(p.Text, width)}
	}
	e := kit.FontCode.Wrapper().Measure(p.Text, math.MaxFloat32)
	e.Widest = min(max(e.Widest+2*codePad, copyWidth()+2*codePad), width)
	return piece{Part: p, extent: e}
}

// height is what the lines that are shown take.
func (p piece) height(fo kit.Font) float32 {
	if !p.Code {
		return float32(p.shown) * fo.LineHeight()
	}
	return float32(p.shown)*kit.FontCode.LineHeight() + codePad + copyHeight()
}

// copyHeight is the height of the line under code that copies it.
func copyHeight() float32 { return kit.FontLabel.LineHeight() + 2*kit.Unit }

func copyWidth() float32 {
	return kit.FontLabel.Wrapper().Measure(lang.T("menu.copy"), math.MaxFloat32).Widest + copySide() + kit.Unit
}

// copySide is the width of the icon on that line.
func copySide() float32 { return 14 * kit.TextScale() }

// code draws the lines of code that are shown, and what copies all of it.
func (v *rowView) code(p piece, ink inks, x, y, width float32) {
	v.add(&canvas.Rectangle{FillColor: ink.soft, CornerRadius: 2 * kit.Unit}, x, y, width, p.height(kit.FontCode))
	w := kit.FontCode.Wrapper()
	ly := y + codePad
	for _, line := range strings.SplitN(p.Text, "\n", p.shown+1)[:p.shown] {
		for _, l := range w.Lay(w.Cut(line, width-2*codePad), math.MaxFloat32) {
			v.root.Objects = kit.AppendRuns(v.root.Objects, l, kit.FontCode, ink.text, x+codePad, ly)
		}
		ly += kit.FontCode.LineHeight()
	}
	image := canvas.NewImageFromResource(kit.Icon("copy", ink.link))
	image.FillMode = canvas.ImageFillContain
	v.add(image, x+codePad, ly+kit.Unit+float32(int((kit.FontLabel.LineHeight()-copySide())/2)), copySide(), copySide())
	for _, l := range kit.FontLabel.Wrapper().Lay(lang.T("menu.copy"), math.MaxFloat32) {
		v.root.Objects = kit.AppendRuns(v.root.Objects, l, kit.FontLabel, ink.link, x+codePad+copySide()+kit.Unit, ly+kit.Unit)
	}
	v.areas = append(v.areas, area{Kind: HitCode, at: fyne.NewPos(x, ly-kit.Unit),
		size: fyne.NewSize(copyWidth()+2*codePad, copyHeight()+2*kit.Unit), Text: p.Text})
}
