package kit

import (
	"image/color"

	"fyne.io/fyne/v2"
	"fyne.io/fyne/v2/widget"
)

// Flow puts objects side by side and begins a new line when one is full.
type Flow struct {
	widget.BaseWidget
	objects []fyne.CanvasObject
}

func newFlow(objects ...fyne.CanvasObject) *Flow {
	f := &Flow{objects: objects}
	f.ExtendBaseWidget(f)
	return f
}

func (f *Flow) place(width float32, put func(o fyne.CanvasObject, x, y, w, h float32)) (height float32) {
	var x, y, line float32
	for _, o := range f.objects {
		w := min(naturalWidth(o), width)
		h := heightFor(o, w)
		if x > 0 && x+w > width {
			x, y, line = 0, y+line+2*Unit, 0
		}
		if put != nil {
			put(o, x, y, w, h)
		}
		x += w + 2*Unit
		line = max(line, h)
	}
	return y + line
}

func (f *Flow) Fit(width float32) float32 { return f.place(width, nil) }

func (f *Flow) Children() []fyne.CanvasObject { return f.objects }

func (f *Flow) CreateRenderer() fyne.WidgetRenderer {
	return &boxRenderer{
		box:     f,
		objects: func() []fyne.CanvasObject { return f.objects },
		layout:  func(size fyne.Size) { f.place(size.Width, Put) },
		height:  func() float32 { return f.Fit(f.Size().Width) },
	}
}

// NewChoice is a group of chips of which one is chosen.
func NewChoice[T comparable](values []T, label func(T) string, chosen T, choose func(T)) *Flow {
	f := newFlow()
	for _, v := range values {
		r, ground := RoleText, Role(func(p *Palette) color.NRGBA { return p.Raised })
		if v == chosen {
			r = func(p *Palette) color.NRGBA { return p.OnAccent }
			ground = func(p *Palette) color.NRGBA { return p.Fill }
		}
		t := NewTile(NewText(label(v), FontBody, r).Centered(), func() { choose(v) })
		t.Ground = ground
		if v == chosen {
			t.Hover = ground
		}
		t.Inset = Sides(2*Unit, 4*Unit, 2*Unit, 4*Unit)
		f.objects = append(f.objects, t)
	}
	return f
}
