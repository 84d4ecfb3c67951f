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
	filled bool   // while it is active it has a ground
	label  string // stands in the icon's place; "" without

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

func (b *insideButton) setLabel(s string) {
	if b.label != s {
		b.label = s
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
	r := &insideRenderer{b: b, disc: &canvas.Rectangle{CornerRadius: insideSide / 2}, picture: canvas.NewImageFromResource(nil), label: &canvas.Text{Alignment: fyne.TextAlignCenter}}
	r.picture.FillMode = canvas.ImageFillContain
	r.Refresh()
	return r
}

const insideSide = 34

type insideRenderer struct {
	b       *insideButton
	disc    *canvas.Rectangle
	picture *canvas.Image
	label   *canvas.Text
}

func (r *insideRenderer) Layout(size fyne.Size) {
	x, y := size.Width-insideSide-kit.Unit, size.Height-insideSide-kit.Unit
	kit.Put(r.disc, x, y, insideSide, insideSide)
	kit.Put(r.picture, x+7, y+7, insideSide-14, insideSide-14)
	r.label.TextSize = kit.FontLabel.Size * kit.TextScale()
	if w := r.label.MinSize().Width; w > insideSide+kit.Unit { // it is never cut
		r.label.TextSize *= (insideSide + kit.Unit) / w
	}
	h := r.label.MinSize().Height
	kit.Put(r.label, x-kit.Unit, y+(insideSide-h)/2, insideSide+2*kit.Unit, h)
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
	r.label.Text, r.label.Color, r.label.TextStyle.Bold = r.b.label, p.Accent, true
	r.picture.Hidden, r.label.Hidden = r.b.label != "", r.b.label == ""
	if r.b.label != "" {
		r.disc.FillColor = p.AccentSoft
	}
	if r.b.pressed {
		ground, _ := r.disc.FillColor.(color.NRGBA)
		r.disc.FillColor = kit.Blend(ground, p.Press)
	}
	r.picture.Refresh()
	r.Layout(r.b.Size())
	kit.Repaint(r.b)
}
func (r *insideRenderer) Objects() []fyne.CanvasObject {
	return []fyne.CanvasObject{r.disc, r.picture, r.label}
}
func (r *insideRenderer) Destroy() {}
