package kit

import "fyne.io/fyne/v2"

// grow is a panel on its way from the point that it belongs to.
type grow struct {
	from   fyne.Position
	done   float32 // 0 to 1
	cancel func()
}

// place is the present place and size of a panel on its way to at and size.
func (g *grow) place(at fyne.Position, size fyne.Size) (fyne.Position, fyne.Size) {
	wide, high := 0.5+0.5*g.done, 0.1+0.9*g.done
	from := fyne.NewPos(min(max(g.from.X, at.X), at.X+size.Width), min(max(g.from.Y, at.Y), at.Y+size.Height))
	return fyne.NewPos(from.X+(at.X-from.X)*wide, from.Y+(at.Y-from.Y)*high),
		fyne.NewSize(size.Width*wide, size.Height*high)
}
