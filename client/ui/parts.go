package ui

import (
	"image/color"

	"fyne.io/fyne/v2"
	"fyne.io/fyne/v2/container"
	"fyne.io/fyne/v2/widget"
)

// newHeader is the bar at the top of a page: what it is about, with buttons
// before and after.
func newHeader(before, about, after fyne.CanvasObject) fyne.CanvasObject {
	objects := []fyne.CanvasObject{}
	flex := 0
	if before != nil {
		objects = append(objects, before)
		flex = 1
	}
	objects = append(objects, about)
	if after != nil {
		objects = append(objects, after)
	}
	bar := newHRow(unit, flex, objects...).padded(insets{unit + 2, 2 * unit, unit + 2, 2 * unit})
	c := newCard(newColumn(0, bar, newHairline()), insets{})
	c.radius = 0
	return c
}

// newTitle is a page's title and a line on it.
func newTitle(title, sub *textBlock) *column { return newColumn(1, title, sub) }

// newEmptyState says in the middle of a place that there is nothing, and why.
func newEmptyState(emoji, line, strong string) fyne.CanvasObject {
	body := newColumn(2*unit,
		newText(emoji, font{size: 44}, roleText).centered(),
		newText(line, fontBody, roleMuted).centered())
	if strong != "" {
		body.objects = append(body.objects, newText(strong, fontTitle, roleText).centered())
	}
	return newCentered(body.padded(insets{0, 6 * unit, 0, 6 * unit}).limited(420))
}

// centered puts an object at its full width into the middle of the height.
type centered struct {
	widget.BaseWidget
	object fyne.CanvasObject
}

func newCentered(o fyne.CanvasObject) *centered {
	c := &centered{object: o}
	c.ExtendBaseWidget(c)
	return c
}

func (c *centered) CreateRenderer() fyne.WidgetRenderer {
	return &boxRenderer{
		objects: func() []fyne.CanvasObject { return []fyne.CanvasObject{c.object} },
		layout: func(size fyne.Size) {
			h := heightFor(c.object, size.Width)
			put(c.object, 0, max(float32(int((size.Height-h)/2)), 0), size.Width, h)
		},
		height: func() float32 { return 1 },
		size:   c.Size,
	}
}

// newNotice is a line on a soft ground: a warning, a problem.
func newNotice(t *textBlock, ground role) *card {
	c := newCard(t, insets{3 * unit, 4 * unit, 3 * unit, 4 * unit})
	c.ground = ground
	return c
}

// newSection is a small heading over a list.
func newSection(label string) fyne.CanvasObject {
	return newColumn(0, newText(label, fontLabel, roleMuted)).padded(insets{3 * unit, 2 * unit, unit, 2 * unit})
}

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
		objects: func() []fyne.CanvasObject { return f.objects },
		layout:  func(size fyne.Size) { f.place(size.Width, put) },
		height:  func() float32 { return f.fit(f.Size().Width) },
		size:    f.Size,
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

// over puts objects above each other, each over the whole place.
func over(objects ...fyne.CanvasObject) fyne.CanvasObject { return container.NewStack(objects...) }

// newFooter is the bar at the bottom of a page.
func newFooter(o fyne.CanvasObject) fyne.CanvasObject {
	c := newCard(newColumn(0, newHairline(), o), insets{})
	c.radius = 0
	return c
}

// note is a line that floats over the lower edge of a list.
type note struct {
	widget.BaseWidget
	card *card
	text *textBlock
}

func newNote() *note {
	n := &note{text: newText("", fontSmall, roleMuted).lines(2)}
	n.card = newCard(n.text, insets{2, 2 * unit, 2, 2 * unit})
	n.card.radius = 2 * unit
	n.card.ground = func(p *palette) color.NRGBA { return p.Ground }
	n.ExtendBaseWidget(n)
	n.Hide()
	return n
}

// say shows a sentence, or nothing.
func (n *note) say(s string, r role) {
	if s == n.text.text && n.Hidden == (s == "") {
		return
	}
	n.text.role = r
	n.text.setText(s)
	n.Hidden = s == ""
	n.Refresh()
}

func (n *note) place(width float32) (w, h float32) {
	w = min(n.card.natural(), width-2*rowMargin)
	return w, n.card.fit(w)
}

// height is what the note takes at a width, with the room around it.
func (n *note) height(width float32) float32 {
	if n.Hidden || width <= 0 {
		return 0
	}
	_, h := n.place(width)
	return h + unit
}

func (n *note) CreateRenderer() fyne.WidgetRenderer {
	return &boxRenderer{
		objects: func() []fyne.CanvasObject { return []fyne.CanvasObject{n.card} },
		layout: func(size fyne.Size) {
			w, h := n.place(size.Width)
			put(n.card, rowMargin, size.Height-h-2, w, h)
		},
		height: func() float32 { return 1 },
		size:   n.Size,
	}
}
