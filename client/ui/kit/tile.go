package kit

import (
	"image/color"

	"fyne.io/fyne/v2"
	"fyne.io/fyne/v2/canvas"
	"fyne.io/fyne/v2/driver/desktop"
	"fyne.io/fyne/v2/widget"
)

// Tile is a ground with something on it that can be tapped, reached with Tab,
// and pressed with the space bar or Return.
type Tile struct {
	widget.BaseWidget
	Content       fyne.CanvasObject
	Inset         Insets
	Ground, Hover Role // nil is transparent
	Radius        float32
	MinHeight     float32
	onTap         func()
	OnMenu        func(at fyne.Position) // long press or right click, in the interactive area

	hovered, focused, pressed bool
	scroll                    fyne.Draggable // what a finger's drag on it moves, on a phone
}

// NewTile makes a tile; onTap may be nil.
func NewTile(content fyne.CanvasObject, onTap func()) *Tile {
	t := &Tile{Content: content, onTap: onTap, Radius: 3 * Unit, MinHeight: Touch, Inset: Around(2 * Unit)}
	t.Hover = func(p *Palette) color.NRGBA { return p.Hover }
	t.ExtendBaseWidget(t)
	return t
}

func (t *Tile) innerWidth(width float32) float32 { return width - t.Inset.Left - t.Inset.Right }

func (t *Tile) Children() []fyne.CanvasObject { return []fyne.CanvasObject{t.Content} }

func (t *Tile) Fit(width float32) float32 {
	return max(t.MinHeight, heightFor(t.Content, t.innerWidth(width))+t.Inset.top+t.Inset.bottom)
}

func (t *Tile) Natural() float32 {
	return max(t.MinHeight, naturalWidth(t.Content)+t.Inset.Left+t.Inset.Right)
}

func (t *Tile) Tapped(*fyne.PointEvent) {
	t.press(false)
	if t.onTap != nil {
		t.onTap()
	}
}

func (t *Tile) TappedSecondary(e *fyne.PointEvent) {
	t.press(false)
	switch {
	case t.OnMenu != nil:
		t.OnMenu(fyne.CurrentApp().Driver().AbsolutePositionForObject(t).Add(e.Position))
	case IsPhone():
		t.Tapped(e) // a slow tap is still a tap
	}
}

// press draws the tile as one that a finger, or the mouse, is on.
func (t *Tile) press(on bool) {
	if t.pressed != on {
		t.pressed = on
		t.Refresh()
	}
}

func (t *Tile) MouseDown(*desktop.MouseEvent) { t.press(true) }
func (t *Tile) MouseUp(*desktop.MouseEvent)   { t.press(false) }

// dragged hands a finger's drag on to what scrolls.
func (t *Tile) dragged(e *fyne.DragEvent) {
	t.press(false)
	if t.scroll != nil {
		t.scroll.Dragged(e)
	}
}

func (t *Tile) dragEnd() { //nolint:unused // on phones
	if t.scroll != nil {
		t.scroll.DragEnd()
	}
}

// adopt makes the tiles in an object hand drags on to what scrolls it.
func adopt(o fyne.CanvasObject, by fyne.Draggable) {
	find(o, func(o fyne.CanvasObject) bool {
		if t, ok := o.(*Tile); ok {
			t.scroll = by
		}
		return false
	})
}

func (t *Tile) MouseIn(*desktop.MouseEvent)    { t.hovered = true; t.Refresh() }
func (t *Tile) MouseMoved(*desktop.MouseEvent) {}
func (t *Tile) MouseOut()                      { t.hovered, t.pressed = false, false; t.Refresh() }
func (t *Tile) Cursor() desktop.Cursor         { return desktop.PointerCursor }
func (t *Tile) FocusGained()                   { t.focused = true; t.Refresh() }
func (t *Tile) FocusLost()                     { t.focused = false; t.Refresh() }
func (t *Tile) TypedRune(rune)                 {}

func (t *Tile) TypedKey(e *fyne.KeyEvent) {
	switch e.Name {
	case fyne.KeySpace, fyne.KeyReturn, fyne.KeyEnter:
		t.Tapped(nil)
	case fyne.KeyDown, fyne.KeyRight, fyne.KeyUp, fyne.KeyLeft:
		t.typedArrow(e)
	default:
		TypedOnPage(t, e)
	}
}

// typedArrow goes to a neighbour in a menu or a panel; elsewhere arrows are the
// page's.
func (t *Tile) typedArrow(e *fyne.KeyEvent) {
	c := CanvasOf(t)
	switch {
	case c == nil || c.Overlays().Top() == nil:
		TypedOnPage(t, e)
	case e.Name == fyne.KeyDown || e.Name == fyne.KeyRight:
		c.FocusNext()
	default:
		c.FocusPrevious()
	}
}

func (t *Tile) CreateRenderer() fyne.WidgetRenderer {
	r := &tileRenderer{tile: t, ground: &canvas.Rectangle{}}
	r.Refresh()
	return r
}

type tileRenderer struct {
	tile   *Tile
	ground *canvas.Rectangle
}

func (r *tileRenderer) Layout(size fyne.Size) {
	t := r.tile
	r.ground.Resize(size)
	w := t.innerWidth(size.Width)
	h := heightFor(t.Content, w)
	Put(t.Content, t.Inset.Left, t.Inset.top+float32(int((size.Height-t.Inset.top-t.Inset.bottom-h)/2)), w, h)
}

func (r *tileRenderer) MinSize() fyne.Size {
	if w := r.tile.Size().Width; w > 0 {
		return fyne.NewSize(1, r.tile.Fit(w))
	}
	return fyne.NewSquareSize(r.tile.MinHeight)
}

func (r *tileRenderer) Refresh() {
	t, p := r.tile, Colors()
	r.ground.CornerRadius = t.Radius
	r.ground.FillColor = color.Transparent
	if t.Ground != nil {
		r.ground.FillColor = t.Ground(p)
	}
	if t.hovered && t.Hover != nil && !IsPhone() {
		r.ground.FillColor = t.Hover(p)
	}
	if t.pressed {
		ground, _ := r.ground.FillColor.(color.NRGBA)
		r.ground.FillColor = Blend(ground, p.Press)
	}
	r.ground.StrokeWidth = 0
	if t.focused && !IsPhone() {
		r.ground.StrokeWidth = 2
		r.ground.StrokeColor = p.Accent
	}
	r.Layout(t.Size())
	t.Content.Refresh()
	Repaint(t)
}

func (r *tileRenderer) Objects() []fyne.CanvasObject {
	return []fyne.CanvasObject{r.ground, r.tile.Content}
}
func (r *tileRenderer) Destroy() {}
