package conversation

import (
	"fmt"
	"math"

	"fyne.io/fyne/v2"
	"fyne.io/fyne/v2/canvas"

	"parley/client/session"
	"parley/client/ui/kit"
)

// chip is how often a message got one reaction, at its place under the bubble.
type chip struct {
	emoji, count string
	mine         bool // the person's own is among them
	waits        bool // as yet on this device alone
	x, y, width  float32
}

// chipGap is the room over and between chips.
const chipGap = kit.Unit

func chipHeight() float32 { return kit.FontSmall.LineHeight() + 2*kit.Unit }

// emojiWidth is the room for an emoji, whichever font it is drawn in.
func emojiWidth() float32 { return float32(int(1.5 * kit.FontSmall.Size * kit.TextScale())) }

// chipsOf places the reactions to a message in lines of a width.
func chipsOf(item session.Item, width float32) []chip {
	if len(item.Reactions) == 0 {
		return nil
	}
	chips := make([]chip, len(item.Reactions))
	x, y := float32(0), float32(chipGap)
	for i, r := range item.Reactions {
		c := chip{emoji: r.Emoji, count: fmt.Sprint(r.Count), mine: r.Emoji == item.Reacted, waits: r.Emoji == item.Reacted && item.Waits == session.DidReact}
		c.width = float32(int(kit.FontSmall.Wrapper().Measure(c.count, math.MaxFloat32).Widest + emojiWidth() + 5*kit.Unit))
		if x > 0 && x+c.width > width {
			x, y = 0, y+chipHeight()+chipGap
		}
		c.x, c.y = x, y
		x += c.width + chipGap
		chips[i] = c
	}
	return chips
}

// chipsHeight is what chips take under a bubble.
func chipsHeight(chips []chip) float32 {
	if len(chips) == 0 {
		return 0
	}
	return chips[len(chips)-1].y + chipHeight()
}

// chipsWidth is that of the widest line.
func chipsWidth(chips []chip) (widest float32) {
	for _, c := range chips {
		widest = max(widest, c.x+c.width)
	}
	return widest
}

// chips draws the reactions under a bubble: a tap adds the person's own or takes it
// back, a long press says who reacted.
func (v *rowView) chips(chips []chip, p *kit.Palette, x, y float32) {
	h := chipHeight()
	for _, c := range chips {
		ground, on := p.Raised, p.Text
		rect := &canvas.Rectangle{CornerRadius: h / 2, StrokeWidth: 1, StrokeColor: p.Line}
		if c.mine {
			ground, on = p.AccentSoft, p.Accent
			rect.StrokeColor, rect.StrokeWidth = p.Accent, 1.5
		}
		rect.FillColor = ground
		v.add(rect, x+c.x, y+c.y, c.width, h)
		w := kit.FontSmall.Wrapper()
		for _, line := range w.Lay(c.emoji, math.MaxFloat32) {
			v.root.Objects = kit.AppendRuns(v.root.Objects, line, kit.FontSmall, on, x+c.x+2*kit.Unit+(emojiWidth()-line.Width)/2, y+c.y+kit.Unit)
		}
		for _, line := range w.Lay(c.count, math.MaxFloat32) {
			v.root.Objects = kit.AppendRuns(v.root.Objects, line, kit.FontSmall, on, x+c.x+3*kit.Unit+emojiWidth(), y+c.y+kit.Unit)
		}
		if side := markSide * kit.TextScale(); c.waits { // over the corner: the chip keeps its width
			v.add(&canvas.Rectangle{FillColor: p.Ground, CornerRadius: side / 2}, x+c.x+c.width-side, y+c.y-side/3, side, side)
			v.delivery("clock", p.Accent, x+c.x+c.width-side, y+c.y-side/3)
		}
		v.areas = append(v.areas, area{Kind: HitReaction, at: fyne.NewPos(x+c.x-chipGap/2, y+c.y-chipGap),
			size: fyne.NewSize(c.width+chipGap, h+2*chipGap), Text: c.emoji})
	}
}
