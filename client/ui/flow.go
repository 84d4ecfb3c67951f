package ui

import (
	"image/color"

	"fyne.io/fyne/v2"
	"fyne.io/fyne/v2/widget"
)

// flow puts objects side by side and begins a new line when one is full.
type flow struct {
	widget.BaseWidget
	objects []fyne.CanvasObject
}

func newFlow(objects ...fyne.CanvasObject) *flow {
	f := &flow{objects: objects}
	f.ExtendBaseWidget(f)
	return f
}

func (f *flow) place(width float32, put func(o fyne.CanvasObject, x, y, w, h float32)) (height float32) {
	var x, y, line float32
	for _, o := range f.objects {
		w := min(naturalWidth(o), width)
		h := heightFor(o, w)
		if x > 0 && x+w > width {
			x, y, line = 0, y+line+2*unit, 0
		}
		if put != nil {
			put(o, x, y, w, h)
		}
		x += w + 2*unit
		line = max(line, h)
	}
	return y + line
}

func (f *flow) fit(width float32) float32 { return f.place(width, nil) }

func (f *flow) CreateRenderer() fyne.WidgetRenderer {
	return &boxRenderer{
		box:     f,
		objects: func() []fyne.CanvasObject { return f.objects },
		layout:  func(size fyne.Size) { f.place(size.Width, put) },
		height:  func() float32 { return f.fit(f.Size().Width) },
	}
}

// newChoice is a group of chips of which one is chosen.
func newChoice[T comparable](values []T, label func(T) string, chosen T, choose func(T)) *flow {
	f := newFlow()
	for _, v := range values {
		r, ground := roleText, role(func(p *palette) color.NRGBA { return p.Raised })
		if v == chosen {
			r = func(p *palette) color.NRGBA { return p.OnAccent }
			ground = func(p *palette) color.NRGBA { return p.Fill }
		}
		t := newTile(newText(label(v), fontBody, r).centered(), func() { choose(v) })
		t.ground = ground
		if v == chosen {
			t.hover = ground
		}
		t.inset = insets{2 * unit, 4 * unit, 2 * unit, 4 * unit}
		f.objects = append(f.objects, t)
	}
	return f
}
