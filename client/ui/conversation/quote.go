package conversation

import (
	"cmp"
	"math"
	"strings"

	"fyne.io/fyne/v2"
	"fyne.io/fyne/v2/canvas"

	"parley/client/session"
	"parley/client/ui/kit"
	"parley/client/ui/lang"
	"parley/client/ui/text"
)

// Measures of a quote, in units of the grid.
const (
	quoteBar   = 3            // the line at its left
	quoteInset = 2 * kit.Unit // from there to the text
	quoteGap   = kit.Unit     // under it
)

// quoteHeight is the height of what a message answers, over its text.
func quoteHeight() float32 {
	return kit.FontLabel.LineHeight() + kit.FontSmall.LineHeight() + 2*kit.Unit + quoteGap
}

// quotedName and quotedText are the two lines of a quote.
func quotedName(q *session.Quote) string { return cmp.Or(text.OneLine(q.User), "?") }

func quotedText(q *session.Quote) string {
	return cmp.Or(oneLine(q.Text), lang.Plural("log.deleted", 1))
}

// oneLine is a text in a line, without the backquotes around code.
func oneLine(s string) string { return text.OneLine(strings.ReplaceAll(s, "```", " ")) }

// quoteWidth is what a quote takes with all the room it wants.
func quoteWidth(q *session.Quote) float32 {
	name := kit.FontLabel.Wrapper().Measure(quotedName(q), math.MaxFloat32).Widest
	said := kit.FontSmall.Wrapper().Measure(quotedText(q), math.MaxFloat32).Widest
	return max(name, said) + quoteBar + 2*quoteInset
}

// quote draws what a message answers: a tap leads there.
func (v *rowView) quote(q *session.Quote, ink inks, x, y, width float32) {
	h := quoteHeight() - quoteGap
	v.add(&canvas.Rectangle{FillColor: ink.soft, CornerRadius: kit.Unit}, x, y, width, h)
	v.add(&canvas.Rectangle{FillColor: ink.link, CornerRadius: quoteBar / 2.0}, x, y, quoteBar, h)
	tx, inner := x+quoteBar+quoteInset, max(width-quoteBar-2*quoteInset, 1)
	v.cut(quotedName(q), kit.FontLabel, ink.link, tx, y+kit.Unit, inner)
	v.cut(quotedText(q), kit.FontSmall, ink.muted, tx, y+kit.Unit+kit.FontLabel.LineHeight(), inner)
	if q.Offset > 0 && q.Text != "" {
		v.areas = append(v.areas, area{Kind: HitQuote, at: fyne.NewPos(x, y), size: fyne.NewSize(width, h), Offset: q.Offset})
	}
}
