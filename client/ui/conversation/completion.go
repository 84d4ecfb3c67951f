package conversation

import (
	"image/color"
	"slices"
	"strings"

	"fyne.io/fyne/v2"
	"fyne.io/fyne/v2/driver/desktop"
	"fyne.io/fyne/v2/widget"

	"parley/client/ui/kit"
	"parley/client/ui/text"
	"parley/shared"
)

// maxCompletions is how many names are offered, maxCompletionsDense in little
// height.
const (
	maxCompletions      = 4
	maxCompletionsDense = 1
)

// begunName is the beginning of a name that was typed after an @, up to the caret.
// at is the position behind the @, in code points; ok is false if there is none.
func begunName(runes []rune, caret int) (name string, at int, ok bool) {
	for at = caret; at > 0 && caret-at <= shared.MaxName; at-- {
		switch r := runes[at-1]; {
		case r == '\n':
			return "", 0, false
		case r == '@':
			if at > 1 && inWord(runes[at-2]) { // an address
				return "", 0, false
			}
			return string(runes[at:caret]), at, true
		}
	}
	return "", 0, false
}

// completionsOf are the names that go on with what was typed, at the beginning or at
// a later word, at most most of them. A name that is typed whole needs no completion.
func completionsOf(typed string, names []string, most int) (found []string) {
	typed = strings.ToLower(typed)
	for _, later := range []bool{false, true} {
		for _, name := range names {
			lower := strings.ToLower(name)
			if lower == typed {
				return nil
			}
			fits := strings.HasPrefix(lower, typed)
			if later {
				fits = !fits && strings.Contains(lower, " "+typed)
			}
			if fits && len(found) < most && !slices.Contains(found, name) {
				found = append(found, name)
			}
		}
	}
	return found
}

// completion offers names over the text that one writes.
type completion struct {
	widget.BaseWidget
	names  []string
	chosen int
	rows   []fyne.CanvasObject
	pick   func(name string)
}

func newCompletion(pick func(string)) *completion {
	c := &completion{pick: pick}
	c.ExtendBaseWidget(c)
	c.Hide()
	return c
}

// offer shows names; none hides the widget.
func (c *completion) offer(names []string) {
	if slices.Equal(names, c.names) {
		return
	}
	c.names, c.chosen, c.Hidden = names, 0, len(names) == 0
	c.rows = nil
	for i, name := range names {
		c.rows = append(c.rows, newCompletionRow(name, func() bool { return c.chosen == i }, func() { c.pick(name) }))
	}
	c.Refresh()
}

// move chooses the next name, or the one before.
func (c *completion) move(by int) {
	c.chosen = (c.chosen + by + len(c.names)) % len(c.names)
	c.Refresh()
}

func completionHeight() float32 { return max(kit.FontBody.LineHeight()+2*kit.Unit, 40) }

func (c *completion) height() float32 {
	if c.Hidden {
		return 0
	}
	return float32(len(c.rows))*completionHeight() + 2*kit.Unit
}

func (c *completion) CreateRenderer() fyne.WidgetRenderer {
	return kit.LaidOut(c, &completionRenderer{c})
}

type completionRenderer struct{ c *completion }

func (r *completionRenderer) Layout(size fyne.Size) {
	for i, o := range r.c.rows {
		kit.Put(o, kit.Unit, 2*kit.Unit+float32(i)*completionHeight(), size.Width-2*kit.Unit, completionHeight())
	}
}
func (r *completionRenderer) MinSize() fyne.Size { return fyne.NewSize(1, 1) }
func (r *completionRenderer) Refresh() {
	r.Layout(r.c.Size())
	for _, o := range r.c.rows {
		o.Refresh()
	}
	kit.Repaint(r.c)
}
func (r *completionRenderer) Objects() []fyne.CanvasObject { return r.c.rows }
func (r *completionRenderer) Destroy()                     {}

// completionRow is a name that is offered. It is only Tappable: what takes the focus
// would close a phone's keyboard.
type completionRow struct {
	widget.BaseWidget
	card *kit.Card
	tap  func()
}

func newCompletionRow(name string, chosen func() bool, tap func()) *completionRow {
	r := &completionRow{tap: tap}
	line := kit.NewRow(2*kit.Unit, 1, kit.NewAvatar(name, name, 28), kit.NewText(text.OneLine(name), kit.FontBody, kit.RoleText).Lines(1))
	r.card = kit.NewCard(line, kit.Sides(kit.Unit+2, 2*kit.Unit, kit.Unit+2, 2*kit.Unit))
	r.card.Radius = 4 * kit.Unit
	r.card.Ground = func(p *kit.Palette) color.NRGBA {
		if chosen() {
			return p.AccentSoft
		}
		return p.Raised
	}
	r.ExtendBaseWidget(r)
	return r
}

func (r *completionRow) Tapped(*fyne.PointEvent) { r.tap() }

// TappedSecondary is a slow tap, which is still a tap.
func (r *completionRow) TappedSecondary(*fyne.PointEvent) { r.tap() }
func (r *completionRow) Cursor() desktop.Cursor           { return desktop.PointerCursor }
func (r *completionRow) CreateRenderer() fyne.WidgetRenderer {
	return kit.Holding(r, r.card)
}
