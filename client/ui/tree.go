package ui

import "fyne.io/fyne/v2"

// parent is an object of ours that holds others.
type parent interface{ children() []fyne.CanvasObject }

func (c *column) children() []fyne.CanvasObject   { return c.objects }
func (r *hrow) children() []fyne.CanvasObject     { return r.objects }
func (f *flow) children() []fyne.CanvasObject     { return f.objects }
func (f *filled) children() []fyne.CanvasObject   { return f.objects }
func (c *card) children() []fyne.CanvasObject     { return []fyne.CanvasObject{c.content} }
func (t *tile) children() []fyne.CanvasObject     { return []fyne.CanvasObject{t.content} }
func (c *centered) children() []fyne.CanvasObject { return []fyne.CanvasObject{c.object} }
func (s *scroller) children() []fyne.CanvasObject { return []fyne.CanvasObject{s.body} }

func (f *field) children() []fyne.CanvasObject    { return []fyne.CanvasObject{f.content} }
func (b *entryBox) children() []fyne.CanvasObject { return []fyne.CanvasObject{b.entry} }

// held are the objects that an object holds.
func held(o fyne.CanvasObject) []fyne.CanvasObject {
	switch o := o.(type) {
	case *fyne.Container:
		return o.Objects
	case parent:
		return o.children()
	}
	return nil
}

// place is where an object is in another that holds it.
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

// draggableIn is what scrolls in an object, if something does.
func draggableIn(o fyne.CanvasObject) fyne.Draggable {
	found := find(o, func(o fyne.CanvasObject) bool {
		switch o.(type) {
		case *scroller, *messageList:
			return true
		}
		return false
	})
	if s, ok := found.(*scroller); ok {
		found = s.scroll
	}
	d, _ := any(found).(fyne.Draggable) // Fyne's scroll is one on phones alone
	return d
}
