package ui

import (
	"fyne.io/fyne/v2"
	"fyne.io/fyne/v2/widget"
)

// hrow puts its objects side by side, centered on a line: one takes the room
// that the others leave.
type hrow struct {
	widget.BaseWidget
	objects []fyne.CanvasObject
	flex    int // which of the objects stretches
	gap     float32
	inset   insets
	top     bool    // align at the top instead
	minFlex float32 // at 100 %: with less room for the stretching one, all stand below each other
}

func newHRow(gap float32, flex int, objects ...fyne.CanvasObject) *hrow {
	r := &hrow{objects: objects, flex: flex, gap: gap}
	r.ExtendBaseWidget(r)
	return r
}

func (r *hrow) padded(in insets) *hrow { r.inset = in; return r }

func (r *hrow) place(width float32, put func(o fyne.CanvasObject, x, y, w, h float32)) (height float32) {
	rest := width - r.inset.left - r.inset.right
	shown := 0
	for i, o := range r.objects {
		if !o.Visible() {
			continue
		}
		shown++
		if i != r.flex {
			rest -= naturalWidth(o)
		}
	}
	rest = max(rest-r.gap*float32(max(shown-1, 0)), 1)
	if rest < r.minFlex*textScale() {
		return r.stacked(width, put)
	}
	widthOf := func(i int) float32 {
		if i == r.flex {
			return rest
		}
		return naturalWidth(r.objects[i])
	}
	for i, o := range r.objects {
		if o.Visible() {
			height = max(height, heightFor(o, widthOf(i)))
		}
	}
	if put != nil {
		x := r.inset.left
		for i, o := range r.objects {
			if !o.Visible() {
				continue
			}
			w := widthOf(i)
			h := heightFor(o, w)
			y := r.inset.top
			if !r.top {
				y += float32(int((height - h) / 2))
			}
			put(o, x, y, w, h)
			x += w + r.gap
		}
	}
	return height + r.inset.top + r.inset.bottom
}

// stacked places the objects below each other.
func (r *hrow) stacked(width float32, put func(o fyne.CanvasObject, x, y, w, h float32)) float32 {
	c := &column{objects: r.objects, gap: r.gap, inset: r.inset}
	return c.place(width, put)
}

func (r *hrow) fit(width float32) float32 { return r.place(width, nil) }

func (r *hrow) natural() float32 {
	w := r.inset.left + r.inset.right
	shown := 0
	for _, o := range r.objects {
		if o.Visible() {
			w += naturalWidth(o)
			shown++
		}
	}
	return w + r.gap*float32(max(shown-1, 0))
}

func (r *hrow) CreateRenderer() fyne.WidgetRenderer {
	return &boxRenderer{
		box:     r,
		objects: func() []fyne.CanvasObject { return r.objects },
		layout:  func(size fyne.Size) { r.place(size.Width, put) },
		height:  func() float32 { return r.fit(r.Size().Width) },
	}
}
