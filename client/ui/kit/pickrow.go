package kit

import (
	"image/color"

	"fyne.io/fyne/v2"
	"fyne.io/fyne/v2/widget"
)

// pickRow is short labels side by side, all as wide: in one line, or in two halves
// if a finger would not hit them in one.
type pickRow struct {
	widget.BaseWidget
	objects []fyne.CanvasObject
}

// leastPick is the width that a finger hits.
const leastPick = 40

func newPickRow(p Picks, picked func()) *pickRow {
	r := &pickRow{}
	for _, label := range p.Labels {
		t := NewTile(NewText(label, Font{Size: 22}, RoleText).Centered(), func() {
			picked()
			p.Do(label)
		})
		t.Inset = Around(0)
		t.Radius = 2 * Unit
		if label == p.Chosen {
			t.Ground = func(p *Palette) color.NRGBA { return p.AccentSoft }
		}
		r.objects = append(r.objects, t)
	}
	r.ExtendBaseWidget(r)
	return r
}

func (r *pickRow) place(width float32, put func(o fyne.CanvasObject, x, y, w, h float32)) (height float32) {
	n := len(r.objects)
	if n == 0 {
		return 0
	}
	if width < float32(n)*leastPick*min(TextScale(), LargeText) {
		n = (n + 1) / 2
	}
	w := float32(int(width / float32(n)))
	h := heightFor(r.objects[0], w)
	for i, o := range r.objects {
		if put != nil {
			put(o, float32(i%n)*w, float32(i/n)*h, w, h)
		}
	}
	return float32((len(r.objects)+n-1)/n) * h
}

func (r *pickRow) Fit(width float32) float32 { return r.place(width, nil) }
func (r *pickRow) Natural() float32 {
	return float32(len(r.objects)) * Touch * min(TextScale(), LargeText)
}
func (r *pickRow) Children() []fyne.CanvasObject { return r.objects }

func (r *pickRow) CreateRenderer() fyne.WidgetRenderer {
	return &boxRenderer{
		box:     r,
		objects: func() []fyne.CanvasObject { return r.objects },
		layout:  func(size fyne.Size) { r.place(size.Width, Put) },
		height:  func() float32 { return r.Fit(r.Size().Width) },
	}
}
