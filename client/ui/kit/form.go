package kit

import (
	"image/color"

	"fyne.io/fyne/v2"
)

// ShowForm shows a panel with a title, a line on it, and what is to be filled in.
func ShowForm(c fyne.Canvas, title string, why *Text, objects ...fyne.CanvasObject) *Overlay {
	head := NewColumn(Unit, NewText(title, FontTitle, RoleText).Lines(4), why)
	return ShowPanel(c, NewColumn(3*Unit, append([]fyne.CanvasObject{head}, objects...)...).Padded(Around(4*Unit)))
}

// NewToggle is a line that a tap turns on and off; turned, if not nil, is called
// after each.
func NewToggle(label string, on *bool, turned func()) *Tile {
	mark := NewPicture("check", RoleMuted, 20)
	var t *Tile
	draw := func() {
		r, ground := RoleMuted, Role(func(p *Palette) color.NRGBA { return p.Raised })
		if *on {
			r, ground = RoleAccent, func(p *Palette) color.NRGBA { return p.AccentSoft }
		}
		t.Ground, t.Hover = ground, ground
		mark.Hidden = !*on
		mark.Set("check", r)
	}
	t = NewTile(NewRow(3*Unit, 0, NewText(label, FontBody, RoleText), mark), func() {
		*on = !*on
		draw()
		t.Refresh()
		if turned != nil {
			turned()
		}
	})
	t.Inset = Sides(2*Unit, 4*Unit, 2*Unit, 4*Unit)
	draw()
	return t
}

// Problem says what is wrong with what was filled in. It has the room for that,
// so that no button moves away when it does.
type Problem struct{ Text *Text }

// NewProblem makes a problem that has room for any of these sentences.
func NewProblem(sentences ...string) Problem {
	return Problem{NewText("", FontSmall, RoleError).roomFor(sentences...)}
}

// Say shows a sentence in the form o; "" shows nothing.
func (p Problem) Say(o *Overlay, sentence string) {
	if p.Text.Text != sentence {
		p.Text.SetText(sentence)
		o.Refresh()
	}
}
