package ui

import (
	"fyne.io/fyne/v2"
	"fyne.io/fyne/v2/widget"
)

// fitter is an object whose height follows from its width. Fyne asks for a
// least size before it gives one, which can't be answered for text that wraps.
type fitter interface {
	fit(width float32) float32
}

func heightFor(o fyne.CanvasObject, width float32) float32 {
	if f, ok := o.(fitter); ok {
		return f.fit(width)
	}
	return o.MinSize().Height
}

// naturalSizer is an object that knows how wide it is with all the room it wants.
type naturalSizer interface{ natural() float32 }

func naturalWidth(o fyne.CanvasObject) float32 {
	if n, ok := o.(naturalSizer); ok {
		return n.natural()
	}
	return o.MinSize().Width
}

// insets are the margins inside a container.
type insets struct{ top, right, bottom, left float32 }

func around(v float32) insets { return insets{v, v, v, v} }

// column stacks its objects, each as wide as the column and as high as it needs
// at that width. Hidden ones take no room.
type column struct {
	widget.BaseWidget
	objects  []fyne.CanvasObject
	gap      float32
	inset    insets
	maxWidth float32 // of the objects; wider columns center them. 0 is no limit
}

func newColumn(gap float32, objects ...fyne.CanvasObject) *column {
	c := &column{objects: objects, gap: gap}
	c.ExtendBaseWidget(c)
	return c
}

func (c *column) padded(in insets) *column         { c.inset = in; return c }
func (c *column) limited(width float32) *column    { c.maxWidth = width; return c }
func (c *column) set(objects ...fyne.CanvasObject) { c.objects = objects; c.Refresh() }

// inner is where the objects begin and how wide they are.
func (c *column) inner(width float32) (x, w float32) {
	x, w = c.inset.left, max(width-c.inset.left-c.inset.right, 1)
	if c.maxWidth > 0 && w > c.maxWidth {
		x += float32(int((w - c.maxWidth) / 2))
		w = c.maxWidth
	}
	return x, w
}

func (c *column) place(width float32, put func(o fyne.CanvasObject, x, y, w, h float32)) (height float32) {
	x, w := c.inner(width)
	y := c.inset.top
	first := true
	for _, o := range c.objects {
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

func (c *column) fit(width float32) float32 { return c.place(width, nil) }

func (c *column) natural() float32 {
	widest := float32(0)
	for _, o := range c.objects {
		if o.Visible() {
			widest = max(widest, naturalWidth(o))
		}
	}
	return widest + c.inset.left + c.inset.right
}

func (c *column) CreateRenderer() fyne.WidgetRenderer {
	return &boxRenderer{
		box:     c,
		objects: func() []fyne.CanvasObject { return c.objects },
		layout:  func(size fyne.Size) { c.place(size.Width, put) },
		height:  func() float32 { return c.fit(c.Size().Width) },
	}
}

func put(o fyne.CanvasObject, x, y, w, h float32) {
	o.Move(fyne.NewPos(x, y))
	o.Resize(fyne.NewSize(w, h))
}

// boxRenderer renders a widget that draws nothing but places others.
type boxRenderer struct {
	box     fyne.Widget
	objects func() []fyne.CanvasObject
	layout  func(fyne.Size)
	height  func() float32
}

// holding renders a widget that is nothing but another object.
func holding(box fyne.Widget, o fyne.CanvasObject) *boxRenderer {
	return &boxRenderer{
		box:     box,
		objects: func() []fyne.CanvasObject { return []fyne.CanvasObject{o} },
		layout:  func(size fyne.Size) { put(o, 0, 0, size.Width, size.Height) },
		height:  func() float32 { return heightFor(o, box.Size().Width) },
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
	repaint(b.box)
}
func (b *boxRenderer) Objects() []fyne.CanvasObject { return b.objects() }
func (b *boxRenderer) Destroy()                     {}

// filled stacks objects over its whole height: one takes what the others leave.
type filled struct {
	widget.BaseWidget
	objects []fyne.CanvasObject
	flex    int
	sized   func(fyne.Size) // is told the size before the objects get theirs
}

func newFilled(flex int, objects ...fyne.CanvasObject) *filled {
	f := &filled{objects: objects, flex: flex}
	f.ExtendBaseWidget(f)
	return f
}

func (f *filled) layout(size fyne.Size) {
	if f.sized != nil {
		f.sized(size)
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
		put(o, 0, y, size.Width, h)
		y += h
	}
}

func (f *filled) CreateRenderer() fyne.WidgetRenderer {
	return &boxRenderer{
		box:     f,
		objects: func() []fyne.CanvasObject { return f.objects },
		layout:  f.layout,
		height:  func() float32 { return 1 },
	}
}
