package kit

import (
	"fyne.io/fyne/v2"
	"fyne.io/fyne/v2/widget"
)

// Fitter is an object whose height follows from its width. Fyne asks for a
// least size before it gives one, which can't be answered for text that wraps.
type Fitter interface {
	Fit(width float32) float32
}

func heightFor(o fyne.CanvasObject, width float32) float32 {
	if f, ok := o.(Fitter); ok {
		return f.Fit(width)
	}
	return o.MinSize().Height
}

// naturalSizer is an object that knows how wide it is with all the room it wants.
type naturalSizer interface{ Natural() float32 }

func naturalWidth(o fyne.CanvasObject) float32 {
	if n, ok := o.(naturalSizer); ok {
		return n.Natural()
	}
	return o.MinSize().Width
}

// Insets are the margins inside a container.
type Insets struct{ top, Right, bottom, Left float32 }

// Around are insets that are the same on all sides.
func Around(v float32) Insets { return Insets{v, v, v, v} }

// Sides are insets that differ, from the top clockwise.
func Sides(top, right, bottom, left float32) Insets { return Insets{top, right, bottom, left} }

// Column stacks its objects, each as wide as the column and as high as it needs
// at that width. Hidden ones take no room.
type Column struct {
	widget.BaseWidget
	Objects  []fyne.CanvasObject
	gap      float32
	inset    Insets
	maxWidth float32 // of the objects; wider columns center them. 0 is no limit
}

// NewColumn stacks objects with a gap between them.
func NewColumn(gap float32, objects ...fyne.CanvasObject) *Column {
	c := &Column{Objects: objects, gap: gap}
	c.ExtendBaseWidget(c)
	return c
}

// Padded sets the margins inside the column.
func (c *Column) Padded(in Insets) *Column { c.inset = in; return c }

// Limited bounds the width of the objects; a wider column centers them.
func (c *Column) Limited(width float32) *Column { c.maxWidth = width; return c }

// Set replaces the objects.
func (c *Column) Set(objects ...fyne.CanvasObject) { c.Objects = objects; c.Refresh() }

// inner returns the left edge and the width of the objects.
func (c *Column) inner(width float32) (x, w float32) {
	x, w = c.inset.Left, max(width-c.inset.Left-c.inset.Right, 1)
	if c.maxWidth > 0 && w > c.maxWidth {
		x += float32(int((w - c.maxWidth) / 2))
		w = c.maxWidth
	}
	return x, w
}

func (c *Column) place(width float32, put func(o fyne.CanvasObject, x, y, w, h float32)) (height float32) {
	x, w := c.inner(width)
	y := c.inset.top
	first := true
	for _, o := range c.Objects {
		if !o.Visible() {
			continue
		}
		if !first {
			y += c.gap
		}
		first = false
		h := heightFor(o, w)
		if put != nil {
			put(o, x, y, w, h)
		}
		y += h
	}
	return y + c.inset.bottom
}

func (c *Column) Fit(width float32) float32 { return c.place(width, nil) }

func (c *Column) Children() []fyne.CanvasObject { return c.Objects }

func (c *Column) Natural() float32 {
	widest := float32(0)
	for _, o := range c.Objects {
		if o.Visible() {
			widest = max(widest, naturalWidth(o))
		}
	}
	return widest + c.inset.Left + c.inset.Right
}

func (c *Column) CreateRenderer() fyne.WidgetRenderer {
	return &boxRenderer{
		box:     c,
		objects: func() []fyne.CanvasObject { return c.Objects },
		layout:  func(size fyne.Size) { c.place(size.Width, Put) },
		height:  func() float32 { return c.Fit(c.Size().Width) },
	}
}

// Put moves and resizes an object.
func Put(o fyne.CanvasObject, x, y, w, h float32) {
	o.Move(fyne.NewPos(x, y))
	o.Resize(fyne.NewSize(w, h))
}

// boxRenderer renders a widget that only places other objects.
type boxRenderer struct {
	box     fyne.Widget
	objects func() []fyne.CanvasObject
	layout  func(fyne.Size)
	height  func() float32
}

// Holding renders a widget that only shows another object.
func Holding(box fyne.Widget, o fyne.CanvasObject) fyne.WidgetRenderer {
	return &boxRenderer{
		box:     box,
		objects: func() []fyne.CanvasObject { return []fyne.CanvasObject{o} },
		layout:  func(size fyne.Size) { Put(o, 0, 0, size.Width, size.Height) },
		height:  func() float32 { return heightFor(o, box.Size().Width) },
	}
}

// Placing renders a widget that only places another object in its size.
func Placing(box fyne.Widget, o fyne.CanvasObject, layout func(fyne.Size)) fyne.WidgetRenderer {
	return &boxRenderer{
		box:     box,
		objects: func() []fyne.CanvasObject { return []fyne.CanvasObject{o} },
		layout:  layout,
		height:  func() float32 { return 1 },
	}
}

func (b *boxRenderer) Layout(size fyne.Size) { b.layout(size) }
func (b *boxRenderer) MinSize() fyne.Size {
	if b.box.Size().Width == 0 {
		return fyne.NewSize(1, 1)
	}
	return fyne.NewSize(1, b.height())
}

func (b *boxRenderer) Refresh() {
	b.layout(b.box.Size())
	for _, o := range b.objects() {
		o.Refresh()
	}
	Repaint(b.box)
}
func (b *boxRenderer) Objects() []fyne.CanvasObject { return b.objects() }
func (b *boxRenderer) Destroy()                     {}

// Filled stacks objects over its whole height: one takes what the others leave.
type Filled struct {
	widget.BaseWidget
	objects []fyne.CanvasObject
	flex    int
	Sized   func(fyne.Size) // called with the size before the objects get theirs
}

// NewFilled stacks objects; the one of index flex takes the height that is left.
func NewFilled(flex int, objects ...fyne.CanvasObject) *Filled {
	f := &Filled{objects: objects, flex: flex}
	f.ExtendBaseWidget(f)
	return f
}

func (f *Filled) Children() []fyne.CanvasObject { return f.objects }

func (f *Filled) layout(size fyne.Size) {
	if f.Sized != nil {
		f.Sized(size)
	}
	rest := size.Height
	for i, o := range f.objects {
		if i != f.flex && o.Visible() {
			rest -= heightFor(o, size.Width)
		}
	}
	y := float32(0)
	for i, o := range f.objects {
		if !o.Visible() {
			continue
		}
		h := max(rest, 0)
		if i != f.flex {
			h = heightFor(o, size.Width)
		}
		if i == f.flex+1 { // what is at the lower end stays in sight, whatever goes
			y += min(rest, 0)
		}
		Put(o, 0, y, size.Width, h)
		y += h
	}
}

func (f *Filled) CreateRenderer() fyne.WidgetRenderer {
	return &boxRenderer{
		box:     f,
		objects: func() []fyne.CanvasObject { return f.objects },
		layout:  f.layout,
		height:  func() float32 { return 1 },
	}
}
