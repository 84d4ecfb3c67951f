package kit

import (
	"fyne.io/fyne/v2"
	"fyne.io/fyne/v2/container"
	"fyne.io/fyne/v2/widget"
)

// NewHeader is the bar at the top of a page: what it is about, with buttons
// before and after.
func NewHeader(before, about, after fyne.CanvasObject) fyne.CanvasObject {
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
	bar := NewRow(Unit, flex, objects...).Padded(Sides(Unit+2, 2*Unit, Unit+2, 2*Unit))
	c := NewCard(NewColumn(0, bar, NewHairline()), Insets{})
	c.Radius = 0
	return c
}

// NewTitle is a page's title and a line on it.
func NewTitle(title, sub *Text) *Column { return NewColumn(1, title, sub) }

// NewEmptyState says in the middle of a place that there is nothing, and why.
func NewEmptyState(emoji, line, strong string) fyne.CanvasObject {
	body := NewColumn(2*Unit,
		NewText(emoji, Font{Size: 44}, RoleText).Centered(),
		NewText(line, FontBody, RoleMuted).Centered())
	if strong != "" {
		body.Objects = append(body.Objects, NewText(strong, FontTitle, RoleText).Centered())
	}
	return newCentered(body.Padded(Sides(0, 6*Unit, 0, 6*Unit)).Limited(420))
}

// Centered puts an object at its full width into the middle of the height.
type Centered struct {
	widget.BaseWidget
	object fyne.CanvasObject
}

func newCentered(o fyne.CanvasObject) *Centered {
	c := &Centered{object: o}
	c.ExtendBaseWidget(c)
	return c
}

func (c *Centered) Children() []fyne.CanvasObject { return []fyne.CanvasObject{c.object} }

func (c *Centered) CreateRenderer() fyne.WidgetRenderer {
	return Placing(c, c.object, func(size fyne.Size) {
		h := heightFor(c.object, size.Width)
		Put(c.object, 0, max(float32(int((size.Height-h)/2)), 0), size.Width, h)
	})
}

// NewNotice is a line on a soft ground: a warning, a problem.
func NewNotice(t *Text, ground Role) *Card {
	c := NewCard(t, Sides(3*Unit, 4*Unit, 3*Unit, 4*Unit))
	c.Ground = ground
	return c
}

// NewSection is a small heading over a list.
func NewSection(label string) fyne.CanvasObject {
	return NewColumn(0, NewText(label, FontLabel, RoleMuted)).Padded(Sides(3*Unit, 2*Unit, Unit, 2*Unit))
}

// Over puts objects above each other, each over the whole place.
func Over(objects ...fyne.CanvasObject) fyne.CanvasObject { return container.NewStack(objects...) }

// NewFooter is the bar at the bottom of a page, with what is in sight of its objects.
func NewFooter(objects ...fyne.CanvasObject) fyne.CanvasObject {
	c := NewCard(NewColumn(0, append([]fyne.CanvasObject{NewHairline()}, objects...)...), Insets{})
	c.Radius = 0
	return c
}
