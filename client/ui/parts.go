package ui

import (
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
		box:     c,
		objects: func() []fyne.CanvasObject { return []fyne.CanvasObject{c.object} },
		layout: func(size fyne.Size) {
			h := heightFor(c.object, size.Width)
			put(c.object, 0, max(float32(int((size.Height-h)/2)), 0), size.Width, h)
		},
		height: func() float32 { return 1 },
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

// over puts objects above each other, each over the whole place.
func over(objects ...fyne.CanvasObject) fyne.CanvasObject { return container.NewStack(objects...) }

// newFooter is the bar at the bottom of a page.
func newFooter(o fyne.CanvasObject) fyne.CanvasObject {
	c := newCard(newColumn(0, newHairline(), o), insets{})
	c.radius = 0
	return c
}
