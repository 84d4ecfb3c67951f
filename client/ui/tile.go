package ui

import (
	"image/color"

	"fyne.io/fyne/v2"
	"fyne.io/fyne/v2/canvas"
	"fyne.io/fyne/v2/driver/desktop"
	"fyne.io/fyne/v2/widget"
)

// tile is a ground with something on it that can be tapped, reached with Tab,
// and pressed with the space bar or Return.
type tile struct {
	widget.BaseWidget
	content       fyne.CanvasObject
	inset         insets
	ground, hover role // nil is transparent
	radius        float32
	minHeight     float32
	onTap         func()
	onMenu        func(at fyne.Position) // long press or right click, in the interactive area

	hovered, focused, pressed bool
	scroll                    fyne.Draggable // what a finger's drag on it moves, on a phone
}

func newTile(content fyne.CanvasObject, onTap func()) *tile {
	t := &tile{content: content, onTap: onTap, radius: 3 * unit, minHeight: touch, inset: around(2 * unit)}
	t.hover = func(p *palette) color.NRGBA { return p.Hover }
	t.ExtendBaseWidget(t)
	return t
}

func (t *tile) innerWidth(width float32) float32 { return width - t.inset.left - t.inset.right }

func (t *tile) fit(width float32) float32 {
	return max(t.minHeight, heightFor(t.content, t.innerWidth(width))+t.inset.top+t.inset.bottom)
}

func (t *tile) natural() float32 {
	return max(t.minHeight, naturalWidth(t.content)+t.inset.left+t.inset.right)
}

func (t *tile) Tapped(*fyne.PointEvent) {
	t.press(false)
	if t.onTap != nil {
		t.onTap()
	}
}

func (t *tile) TappedSecondary(e *fyne.PointEvent) {
	t.press(false)
	switch {
	case t.onMenu != nil:
		t.onMenu(fyne.CurrentApp().Driver().AbsolutePositionForObject(t).Add(e.Position))
	case isPhone():
		t.Tapped(e) // a slow tap is still a tap
	}
}

func (t *tile) MouseIn(*desktop.MouseEvent)    { t.hovered = true; t.Refresh() }
func (t *tile) MouseMoved(*desktop.MouseEvent) {}
func (t *tile) MouseOut()                      { t.hovered, t.pressed = false, false; t.Refresh() }
func (t *tile) Cursor() desktop.Cursor         { return desktop.PointerCursor }
func (t *tile) FocusGained()                   { t.focused = true; t.Refresh() }
func (t *tile) FocusLost()                     { t.focused = false; t.Refresh() }
func (t *tile) TypedRune(rune)                 {}

func (t *tile) TypedKey(e *fyne.KeyEvent) {
	switch e.Name {
	case fyne.KeySpace, fyne.KeyReturn, fyne.KeyEnter:
		t.Tapped(nil)
	default:
		typedOnPage(t, e)
	}
}

// typedOnPage hands a key that a focused widget has no use for to the page, as
// if nothing had the focus.
func typedOnPage(o fyne.CanvasObject, e *fyne.KeyEvent) {
	if c := canvasOf(o); c != nil {
		if f := c.OnTypedKey(); f != nil {
			f(e)
		}
	}
}

func (t *tile) CreateRenderer() fyne.WidgetRenderer {
	r := &tileRenderer{tile: t, ground: &canvas.Rectangle{}}
	r.Refresh()
	return r
}

type tileRenderer struct {
	tile   *tile
	ground *canvas.Rectangle
}

func (r *tileRenderer) Layout(size fyne.Size) {
	t := r.tile
	r.ground.Resize(size)
	w := t.innerWidth(size.Width)
	h := heightFor(t.content, w)
	put(t.content, t.inset.left, t.inset.top+float32(int((size.Height-t.inset.top-t.inset.bottom-h)/2)), w, h)
}

func (r *tileRenderer) MinSize() fyne.Size {
	if w := r.tile.Size().Width; w > 0 {
		return fyne.NewSize(1, r.tile.fit(w))
	}
	return fyne.NewSquareSize(r.tile.minHeight)
}

func (r *tileRenderer) Refresh() {
	t, p := r.tile, colors()
	r.ground.CornerRadius = t.radius
	r.ground.FillColor = color.Transparent
	if t.ground != nil {
		r.ground.FillColor = t.ground(p)
	}
	if t.hovered && t.hover != nil && !isPhone() {
		r.ground.FillColor = t.hover(p)
	}
	if t.pressed {
		ground, _ := r.ground.FillColor.(color.NRGBA)
		r.ground.FillColor = blend(ground, p.Press)
	}
	r.ground.StrokeWidth = 0
	if t.focused && !isPhone() {
		r.ground.StrokeWidth = 2
		r.ground.StrokeColor = p.Accent
	}
	r.Layout(t.Size())
	t.content.Refresh()
	repaint(t)
}

func (r *tileRenderer) Objects() []fyne.CanvasObject {
	return []fyne.CanvasObject{r.ground, r.tile.content}
}
func (r *tileRenderer) Destroy() {}

var (
	fontTiny    = font{size: sizeTiny}
	fontSmall   = font{size: sizeSmall}
	fontBody    = font{size: sizeBody}
	fontStrong  = font{size: sizeBody, bold: true}
	fontLabel   = font{size: sizeSmall, bold: true}
	fontTitle   = font{size: sizeTitle, bold: true}
	fontHeading = font{size: sizeHeading, bold: true}
)

// newPrimary is the button for what a page is there for.
func newPrimary(label string, onTap func()) *tile {
	t := newTile(newText(label, fontStrong, func(p *palette) color.NRGBA { return p.OnAccent }).centered(), onTap)
	t.ground = func(p *palette) color.NRGBA { return p.Fill }
	t.hover = func(p *palette) color.NRGBA { return p.Mine }
	t.minHeight = 48
	t.inset = insets{2 * unit, 4 * unit, 2 * unit, 4 * unit}
	return t
}

// newSecondary is a button beside the primary one.
func newSecondary(label string, onTap func()) *tile {
	t := newTile(newText(label, fontStrong, roleAccent).centered(), onTap)
	t.ground = func(p *palette) color.NRGBA { return p.AccentSoft }
	t.inset = insets{2 * unit, 4 * unit, 2 * unit, 4 * unit}
	return t
}

// newDanger is the button for what can't be taken back.
func newDanger(label string, onTap func()) *tile {
	t := newTile(newText(label, fontStrong, roleError).centered(), onTap)
	t.ground = func(p *palette) color.NRGBA { return p.Raised }
	t.inset = insets{2 * unit, 4 * unit, 2 * unit, 4 * unit}
	return t
}

// newIconButton is a button of one icon, with room around it for a finger.
func newIconButton(name string, onTap func()) *tile {
	t := newTile(newPicture(name, roleText, 22), onTap)
	pad := (touch - 22*textScale()) / 2
	t.inset = around(max(pad, unit))
	t.radius = touch / 2
	return t
}
