package conversation

import (
	"image/color"

	"fyne.io/fyne/v2"
	"fyne.io/fyne/v2/driver/desktop"
	"fyne.io/fyne/v2/widget"

	"parley/client/ui/kit"
)

// Quiet stands in the place of a Composer while one may not write, and says why.
// Messages can be chosen with it from the keyboard, as with the composer.
type Quiet struct {
	widget.BaseWidget
	List     Chooser
	Leaf     func(pages float32) // PageUp, PageDown
	shortcut kit.Shortcut
	text     *kit.Text
	card     *kit.Card
	focused  bool
}

// NewQuiet makes one that is hidden.
func NewQuiet(do kit.Shortcut) *Quiet {
	q := &Quiet{shortcut: do, text: kit.NewText("", kit.FontBody, kit.RoleMuted)}
	row := kit.NewRow(3*kit.Unit, 1, kit.NewPicture("mute", kit.RoleMuted, 20), q.text).Padded(kit.Sides(2*kit.Unit+2, 4*kit.Unit, 2*kit.Unit+2, 4*kit.Unit))
	q.card = kit.NewCard(row, kit.Insets{})
	q.card.Radius = kit.Touch / 2
	q.card.Ground = func(p *kit.Palette) color.NRGBA {
		if q.focused && !kit.IsPhone() {
			return p.AccentSoft
		}
		return p.Raised
	}
	q.ExtendBaseWidget(q)
	q.Hide()
	return q
}

// Say shows a sentence; "" hides the widget. It reports whether that changes what is
// in sight.
func (q *Quiet) Say(sentence string) (changed bool) {
	if q.Hidden == (sentence == "") && (q.Hidden || sentence == q.text.Text) {
		return false
	}
	if q.Hidden = sentence == ""; !q.Hidden {
		q.text.SetText(sentence)
	}
	return true
}

func (q *Quiet) Fit(width float32) float32 { return q.card.Fit(width-4*kit.Unit) + 4*kit.Unit }

// Children are what it holds.
func (q *Quiet) Children() []fyne.CanvasObject { return []fyne.CanvasObject{q.card} }

func (q *Quiet) CreateRenderer() fyne.WidgetRenderer {
	return kit.Placing(q, q.card, func(size fyne.Size) {
		kit.Put(q.card, 2*kit.Unit, 2*kit.Unit, size.Width-4*kit.Unit, size.Height-4*kit.Unit)
	})
}

func (q *Quiet) TypedRune(rune)          {}
func (q *Quiet) KeyDown(*fyne.KeyEvent)  {}
func (q *Quiet) KeyUp(*fyne.KeyEvent)    {}
func (q *Quiet) Tapped(*fyne.PointEvent) {}
func (q *Quiet) FocusGained()            { q.focused = true; q.card.Refresh() }
func (q *Quiet) FocusLost()              { q.focused = false; q.card.Refresh() }

func (q *Quiet) TypedKey(k *fyne.KeyEvent) {
	switch {
	case kit.GoesBack(k):
		if !q.List.Unchoose() {
			kit.TypedOnPage(q, k)
		}
	case k.Name == fyne.KeyReturn, k.Name == fyne.KeyEnter:
		q.List.OpenChosen()
	case k.Name == fyne.KeyPageUp:
		q.Leaf(1)
	case k.Name == fyne.KeyPageDown:
		q.Leaf(-1)
	}
}

func (q *Quiet) TypedShortcut(s fyne.Shortcut) {
	if !q.shortcut(s) {
		chooseBy(q.List, s)
	}
}

// chooseBy chooses a message: Control and an arrow, on a Mac Command. It reports whether
// it was such a shortcut.
func chooseBy(l Chooser, s fyne.Shortcut) bool {
	k, ok := s.(*desktop.CustomShortcut)
	if !ok || l == nil || k.Modifier != fyne.KeyModifierShortcutDefault {
		return false
	}
	switch k.KeyName {
	case fyne.KeyUp:
		l.Choose(-1)
	case fyne.KeyDown:
		l.Choose(1)
	default:
		return false
	}
	return true
}
