package kit

import (
	"fyne.io/fyne/v2"
	"fyne.io/fyne/v2/widget"
)

// Row puts its objects side by side, centered on a line: one takes the room
// that the others leave.
type Row struct {
	widget.BaseWidget
	Objects []fyne.CanvasObject
	flex    int // which of the objects stretches
	gap     float32
	inset   Insets
	Top     bool    // align at the top instead
	MinFlex float32 // at 100 %: with less room for the stretching one, all stand below each other
}

// NewRow puts objects side by side; the one of index flex takes the width that is
// left.
func NewRow(gap float32, flex int, objects ...fyne.CanvasObject) *Row {
	r := &Row{Objects: objects, flex: flex, gap: gap}
	r.ExtendBaseWidget(r)
	return r
}

// Padded sets the margins inside the row.
func (r *Row) Padded(in Insets) *Row { r.inset = in; return r }

func (r *Row) place(width float32, put func(o fyne.CanvasObject, x, y, w, h float32)) (height float32) {
	rest := width - r.inset.Left - r.inset.Right
	shown := 0
	for i, o := range r.Objects {
		if !o.Visible() {
			continue
		}
		shown++
		if i != r.flex {
			rest -= naturalWidth(o)
		}
	}
	rest = max(rest-r.gap*float32(max(shown-1, 0)), 1)
	if rest < r.MinFlex*TextScale() {
		return r.stacked(width, put)
	}
	widthOf := func(i int) float32 {
		if i == r.flex {
			return rest
		}
		return naturalWidth(r.Objects[i])
	}
	for i, o := range r.Objects {
		if o.Visible() {
			height = max(height, heightFor(o, widthOf(i)))
		}
	}
	if put != nil {
		x := r.inset.Left
		for i, o := range r.Objects {
			if !o.Visible() {
				continue
			}
			w := widthOf(i)
			h := heightFor(o, w)
			y := r.inset.top
			if !r.Top {
				y += float32(int((height - h) / 2))
			}
			put(o, x, y, w, h)
			x += w + r.gap
		}
	}
	return height + r.inset.top + r.inset.bottom
}

// stacked places the objects below each other.
func (r *Row) stacked(width float32, put func(o fyne.CanvasObject, x, y, w, h float32)) float32 {
	c := &Column{Objects: r.Objects, gap: r.gap, inset: r.inset}
	return c.place(width, put)
}

func (r *Row) Fit(width float32) float32 { return r.place(width, nil) }

func (r *Row) Children() []fyne.CanvasObject { return r.Objects }

func (r *Row) Natural() float32 {
	w := r.inset.Left + r.inset.Right
	shown := 0
	for _, o := range r.Objects {
		if o.Visible() {
			w += naturalWidth(o)
			shown++
		}
	}
	return w + r.gap*float32(max(shown-1, 0))
}

func (r *Row) CreateRenderer() fyne.WidgetRenderer {
	return &boxRenderer{
		box:     r,
		objects: func() []fyne.CanvasObject { return r.Objects },
		layout:  func(size fyne.Size) { r.place(size.Width, Put) },
		height:  func() float32 { return r.Fit(r.Size().Width) },
	}
}
