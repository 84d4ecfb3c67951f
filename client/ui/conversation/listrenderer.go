package conversation

import (
	"fyne.io/fyne/v2"
	"fyne.io/fyne/v2/canvas"

	"parley/client/ui/kit"
)

func (l *List) CreateRenderer() fyne.WidgetRenderer {
	r := &listRenderer{list: l, bar: &canvas.Rectangle{CornerRadius: 2}, lit: &canvas.Rectangle{}, ring: &canvas.Rectangle{}}
	l.redraw = r.draw
	return kit.LaidOut(l, r)
}

type listRenderer struct {
	list    *List
	bar     *canvas.Rectangle
	lit     *canvas.Rectangle // over what is pressed
	ring    *canvas.Rectangle // around what is chosen from the keyboard
	objects []fyne.CanvasObject
	height  float32 // of the last layout
}

func (r *listRenderer) Layout(size fyne.Size) {
	l := r.list
	f := frame{size.Width, kit.TextScale(), l.Dense}
	at := l.timeline.anchorAt(l.Offset)
	if l.timeline.setFrame(f) {
		if offset, ok := l.timeline.offsetOf(at); ok {
			l.Offset = offset
		}
	} else if r.height > 0 {
		l.Offset += r.height - size.Height // the lower edge stays when a keyboard comes
	}
	r.height = size.Height
	if l.stick {
		l.Offset = l.maxOffset()
	}
	l.Settle()
	l.find()
	if l.held != "" {
		l.ShowRow(l.held)
	}
}

// draw puts the rows in sight into place and makes those that are new there.
func (r *listRenderer) draw() {
	l := r.list
	t, size := l.timeline, l.Size()
	if size.Height <= 0 || t.frame.width != size.Width {
		return
	}
	last := l.shown
	l.shown = nil
	r.objects = r.objects[:0]
	top, offset := l.top(), l.Offset-l.lift
	if len(t.rows) > 0 {
		for i := t.at(offset); i < len(t.rows) && t.tops[i] < offset+size.Height; i++ {
			row := t.rows[i]
			if row.height == 0 {
				continue
			}
			if row.view == nil {
				row.view = drawRow(row, t.frame, t.clock, t.marks(row), t.Thumbs)
			}
			row.view.root.Move(fyne.NewPos(0, t.tops[i]-offset+top))
			l.shown = append(l.shown, row)
			r.objects = append(r.objects, row.view.root)
		}
	}
	r.forget(last)
	r.drawBar()
	r.drawRing()
	if day := l.floating(); day != "" {
		r.objects = append(r.objects, l.date.objects(day, size.Width)...)
	}
	r.objects = append(r.objects, l.pill.objects(size, l.maxOffset()-l.Offset, l.Unseen)...)
	r.objects = append(r.objects, r.lightOn()...)
	kit.Repaint(l)
}

// forget drops the views of rows that went out of sight.
func (r *listRenderer) forget(last []*row) {
	kept := make(map[*row]bool, len(r.list.shown))
	for _, row := range r.list.shown {
		kept[row] = true
	}
	for _, row := range last {
		if !kept[row] {
			row.view = nil
		}
	}
}

func (r *listRenderer) drawBar() {
	l := r.list
	size, total := l.Size(), l.timeline.total()
	if total <= size.Height {
		return
	}
	c := kit.Colors().Muted
	c.A = 0x70
	r.bar.FillColor = c
	h := max(size.Height*size.Height/total, 32)
	y := (size.Height - h) * l.Offset / l.maxOffset()
	kit.Put(r.bar, size.Width-5, y, 3, h)
	r.objects = append(r.objects, r.bar)
}

func (r *listRenderer) drawRing() {
	for _, row := range r.list.shown {
		if row.item.ID != r.list.chosen || len(row.view.areas) == 0 {
			continue
		}
		b := row.view.bubble()
		at := row.view.root.Position().Add(b.at)
		r.ring.StrokeColor, r.ring.StrokeWidth, r.ring.CornerRadius = kit.Colors().Accent, 2, bubbleRound
		kit.Put(r.ring, at.X-3, at.Y-3, b.size.Width+6, b.size.Height+6)
		r.objects = append(r.objects, r.ring)
	}
}

func (r *listRenderer) MinSize() fyne.Size { return fyne.NewSize(1, 1) }

// Refresh draws all rows again: the theme, the language or the text's size may have
// changed.
func (r *listRenderer) Refresh() {
	for _, row := range r.list.shown {
		row.view = nil
	}
	r.list.pill.drawn, r.list.date.drawn = nil, nil
	if size := r.list.Size(); size.Width > 0 {
		r.Layout(size)
	}
}

func (r *listRenderer) Objects() []fyne.CanvasObject { return r.objects }
func (r *listRenderer) Destroy()                     {}

// lightOn is what is drawn over what is pressed.
func (r *listRenderer) lightOn() []fyne.CanvasObject {
	l := r.list
	h := l.lit
	at := h.at
	switch {
	case h.Kind == hitNothing:
		return nil
	case h.Kind == hitPill && l.pill.visible:
		at, h.size = l.pill.at, l.pill.size
	case h.row == nil || h.row.view == nil:
		return nil
	default:
		at = at.Add(h.row.view.root.Position())
	}
	rect := r.lit // the same one: Fyne would lay out the list for a new one, and draw it again
	rect.FillColor = kit.Colors().Press
	rect.CornerRadius = min(h.size.Height/2, bubbleRound)
	if h.Kind == HitLink || h.Kind == HitQuote || h.Kind == HitFile {
		rect.CornerRadius = kit.Unit
	}
	kit.Put(rect, at.X, at.Y, h.size.Width, h.size.Height)
	return []fyne.CanvasObject{rect}
}
