package kit

import (
	"image/color"

	"fyne.io/fyne/v2"
)

// Action is a line of a menu.
type Action struct {
	Icon, Label string
	Danger      bool
	Do          func()
}

// Picks are labels in a row over a menu's actions, of which one may be chosen.
type Picks struct {
	Labels []string
	Chosen string
	Do     func(label string)
}

// ShowMenu shows actions under a point of the interactive area, or above what
// ends there when there is no room: about is how high that is. picks may be nil.
func ShowMenu(c fyne.Canvas, near fyne.Position, about float32, picks *Picks, actions ...Action) {
	list := NewColumn(0)
	var o *Overlay
	if picks != nil {
		list.Objects = append(list.Objects, newPickRow(*picks, func() { o.Close() }))
	}
	for _, a := range actions {
		r := RoleText
		if a.Danger {
			r = RoleError
		}
		t := NewTile(NewRow(3*Unit, 1, NewPicture(a.Icon, r, 20), NewText(a.Label, FontBody, r)), func() {
			o.Close()
			a.Do()
		})
		t.Inset = Sides(2*Unit, 4*Unit, 2*Unit, 3*Unit)
		t.Radius = 2 * Unit
		list.Objects = append(list.Objects, t)
	}
	inside := newReveal(list)
	panel := NewCard(inside, Around(Unit+2))
	o = ShowOverlay(c, panel, func(size fyne.Size) (fyne.Position, fyne.Size) {
		w := min(max(panel.Natural(), 200), size.Width-4*Unit)
		h := panel.Fit(w)
		inside.width = w - panel.Inset.Left - panel.Inset.Right
		x := min(max(near.X-w/2, 2*Unit), size.Width-w-2*Unit)
		y := near.Y + 2*Unit
		if y+h > size.Height-2*Unit {
			y = max(near.Y-about-h-2*Unit, 2*Unit)
		}
		return fyne.NewPos(float32(int(x)), float32(int(y))), fyne.NewSize(w, h)
	})
	o.scrim = func(p *Palette) color.NRGBA { // what the menu is about stays in sight
		c := p.Scrim
		c.A /= 3
		return c
	}
	o.Refresh()
	o.growFrom(near)
}
