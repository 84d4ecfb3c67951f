package kit

import (
	"slices"

	"fyne.io/fyne/v2"
)

// parent is an object of ours that holds others.
type parent interface{ Children() []fyne.CanvasObject }

// held are the objects that an object holds.
func held(o fyne.CanvasObject) []fyne.CanvasObject {
	switch o := o.(type) {
	case *fyne.Container:
		return o.Objects
	case parent:
		return o.Children()
	}
	return nil
}

// place is the position of an object in another that holds it.
func place(in, o fyne.CanvasObject) (at fyne.Position, ok bool) {
	for _, h := range held(in) {
		if h == o {
			return h.Position(), true
		}
		if at, ok := place(h, o); ok {
			return at.Add(h.Position()), true
		}
	}
	return fyne.Position{}, false
}

// find is the first object, in an object and all that it holds, of which is
// holds.
func find(o fyne.CanvasObject, is func(fyne.CanvasObject) bool) fyne.CanvasObject {
	if o == nil || is(o) {
		return o
	}
	for _, h := range held(o) {
		if f := find(h, is); f != nil {
			return f
		}
	}
	return nil
}

// KeepFocus calls draw, which makes the tiles in an object anew, and gives the focus to
// the one that has the place of the one that had it.
func KeepFocus(o fyne.CanvasObject, draw func()) {
	c, at := CanvasOf(o), -1
	tiles := func() (list []*Tile) {
		find(o, func(o fyne.CanvasObject) bool {
			if t, ok := o.(*Tile); ok && t.Visible() {
				list = append(list, t)
			}
			return false
		})
		return list
	}
	if c != nil {
		at = slices.IndexFunc(tiles(), func(t *Tile) bool { return c.Focused() == fyne.Focusable(t) })
	}
	draw()
	if fresh := tiles(); at >= 0 && len(fresh) > 0 {
		c.Focus(fresh[min(at, len(fresh)-1)])
	}
}

// scrolls is an object of ours that a finger's drag scrolls.
type scrolls interface{ Draggable() fyne.Draggable }

// DraggableIn is what a finger's drag scrolls in an object; nil if nothing does.
func DraggableIn(o fyne.CanvasObject) fyne.Draggable {
	found := find(o, func(o fyne.CanvasObject) bool { _, ok := o.(scrolls); return ok })
	if s, ok := found.(scrolls); ok {
		return s.Draggable()
	}
	return nil
}
