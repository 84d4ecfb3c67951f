package kit

import "image/color"

// NewPrimary is the button for what a page is there for.
func NewPrimary(label string, onTap func()) *Tile {
	t := NewTile(NewText(label, FontStrong, func(p *Palette) color.NRGBA { return p.OnAccent }).Centered(), onTap)
	t.Ground = func(p *Palette) color.NRGBA { return p.Fill }
	t.Hover = func(p *Palette) color.NRGBA { return p.Mine }
	t.MinHeight = 48
	t.Inset = Sides(2*Unit, 4*Unit, 2*Unit, 4*Unit)
	return t
}

// NewSecondary is a button next to the primary one.
func NewSecondary(label string, onTap func()) *Tile {
	t := NewTile(NewText(label, FontStrong, RoleAccent).Centered(), onTap)
	t.Ground = func(p *Palette) color.NRGBA { return p.AccentSoft }
	t.Inset = Sides(2*Unit, 4*Unit, 2*Unit, 4*Unit)
	return t
}

// NewDanger is the button for what can't be taken back.
func NewDanger(label string, onTap func()) *Tile {
	t := NewTile(NewText(label, FontStrong, RoleError).Centered(), onTap)
	t.Ground = func(p *Palette) color.NRGBA { return p.Raised }
	t.Inset = Sides(2*Unit, 4*Unit, 2*Unit, 4*Unit)
	return t
}

// NewIconButton is a button of one icon, with room around it for a finger.
func NewIconButton(name string, onTap func()) *Tile {
	t := NewTile(NewPicture(name, RoleText, 22), onTap)
	pad := (Touch - 22*TextScale()) / 2
	t.Inset = Around(max(pad, Unit))
	t.Radius = Touch / 2
	return t
}
