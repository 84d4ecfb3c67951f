package conversation

import (
	"image/color"

	"fyne.io/fyne/v2"
	"fyne.io/fyne/v2/canvas"
	"fyne.io/fyne/v2/driver/desktop"
	"fyne.io/fyne/v2/widget"

	"parley/client/ui/kit"
)

// insideButton lies inside the entry and is only Tappable: a button that takes
// the focus would close the keyboard and move away under the finger.
type insideButton struct {
	widget.BaseWidget
	icon   string
	tap    func()
	filled bool // while it is active it has a ground

	active, pressed bool
}

func newInsideButton(icon string, tap func()) *insideButton {
	b := &insideButton{icon: icon, tap: tap}
	b.ExtendBaseWidget(b)
	return b
}

func (b *insideButton) setActive(on bool) {
	if b.active != on {
		b.active = on
		b.Refresh()
	}
}

func (b *insideButton) press(on bool) {
	if b.pressed != on {
		b.pressed = on
		b.Refresh()
	}
}

func (b *insideButton) MouseDown(*desktop.MouseEvent) { b.press(true) }
func (b *insideButton) MouseUp(*desktop.MouseEvent)   { b.press(false) }

// TappedSecondary is a slow tap, which is still a tap.
func (b *insideButton) TappedSecondary(*fyne.PointEvent) {
	if kit.IsPhone() {
		b.Tapped(nil)
	}
}

func (b *insideButton) Tapped(*fyne.PointEvent) { b.press(false); b.tap() }
func (b *insideButton) Cursor() desktop.Cursor  { return desktop.PointerCursor }
func (b *insideButton) MinSize() fyne.Size      { return fyne.NewSquareSize(kit.Touch) }
func (b *insideButton) CreateRenderer() fyne.WidgetRenderer {
	r := &insideRenderer{b: b, disc: &canvas.Rectangle{CornerRadius: insideSide / 2}, picture: canvas.NewImageFromResource(nil)}
	r.picture.FillMode = canvas.ImageFillContain
	r.Refresh()
	return r
}

const insideSide = 34

type insideRenderer struct {
	b       *insideButton
	disc    *canvas.Rectangle
	picture *canvas.Image
}

func (r *insideRenderer) Layout(size fyne.Size) {
	x, y := size.Width-insideSide-kit.Unit, size.Height-insideSide-kit.Unit
	kit.Put(r.disc, x, y, insideSide, insideSide)
	kit.Put(r.picture, x+7, y+7, insideSide-14, insideSide-14)
}

func (r *insideRenderer) MinSize() fyne.Size { return fyne.NewSquareSize(kit.Touch) }
func (r *insideRenderer) Refresh() {
	p := kit.Colors()
	r.disc.FillColor = color.Transparent
	r.picture.Resource = kit.Icon(r.b.icon, p.Muted)
	if r.b.active && r.b.filled {
		r.disc.FillColor = p.Fill
		r.picture.Resource = kit.Icon(r.b.icon, p.OnAccent)
	}
	if r.b.pressed {
		ground, _ := r.disc.FillColor.(color.NRGBA)
		r.disc.FillColor = kit.Blend(ground, p.Press)
	}
	r.picture.Refresh()
	r.Layout(r.b.Size())
	kit.Repaint(r.b)
}
func (r *insideRenderer) Objects() []fyne.CanvasObject { return []fyne.CanvasObject{r.disc, r.picture} }
func (r *insideRenderer) Destroy()                     {}
