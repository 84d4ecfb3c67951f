package kit

import (
	"fyne.io/fyne/v2"
	"fyne.io/fyne/v2/canvas"
	"fyne.io/fyne/v2/widget"
)

// Field is a one-line entry on a rounded ground, with a label above it.
type Field struct {
	widget.BaseWidget
	label   *Text
	Entry   *Entry
	content *Column
}

// NewField makes an entry with a label; an empty label is hidden.
func NewField(label, placeholder string, do Shortcut) *Field {
	f := &Field{label: NewText(label, FontLabel, RoleMuted), Entry: NewEntry(placeholder, do)}
	f.content = NewColumn(Unit, f.label, NewEntryBox(f.Entry))
	f.Entry.frame = f
	if label == "" {
		f.label.Hide()
	}
	f.ExtendBaseWidget(f)
	return f
}

func (f *Field) Fit(width float32) float32 { return f.content.Fit(width) }

func (f *Field) Children() []fyne.CanvasObject       { return []fyne.CanvasObject{f.content} }
func (f *Field) CreateRenderer() fyne.WidgetRenderer { return Holding(f, f.content) }

// EntryBox is the ground of an entry; its border shows the focus.
type EntryBox struct {
	widget.BaseWidget
	entry   *Entry
	focused bool
}

// NewEntryBox puts a ground under an entry.
func NewEntryBox(e *Entry) *EntryBox {
	b := &EntryBox{entry: e}
	e.onFocus = func(on bool) { b.focused = on; b.Refresh() }
	e.box, e.frame = b, b
	b.ExtendBaseWidget(b)
	return b
}

func (b *EntryBox) Children() []fyne.CanvasObject { return []fyne.CanvasObject{b.entry} }

func (b *EntryBox) Fit(float32) float32 {
	return max(48, b.entry.MinSize().Height+2*Unit)
}

func (b *EntryBox) CreateRenderer() fyne.WidgetRenderer {
	return LaidOut(b, &entryboxRenderer{box: b, ground: &canvas.Rectangle{}})
}

type entryboxRenderer struct {
	box    *EntryBox
	ground *canvas.Rectangle
}

func (r *entryboxRenderer) Layout(size fyne.Size) {
	StyleField(r.ground, r.box.focused)
	r.ground.CornerRadius = 3 * Unit
	r.ground.Resize(size)
	h := r.box.entry.MinSize().Height
	Put(r.box.entry, Unit, float32(int((size.Height-h)/2)), size.Width-2*Unit, h)
}

// StyleField paints the ground of something to type into.
func StyleField(r *canvas.Rectangle, focused bool) {
	p := Colors()
	r.FillColor = p.Surface
	r.StrokeColor = p.Line
	r.StrokeWidth = 1
	if focused {
		r.StrokeColor = p.Accent
		r.StrokeWidth = 2
	}
}

func (r *entryboxRenderer) Refresh() {
	r.Layout(r.box.Size())
	r.box.entry.Refresh()
	Repaint(r.box)
}
func (r *entryboxRenderer) MinSize() fyne.Size { return fyne.NewSize(1, r.box.Fit(0)) }
func (r *entryboxRenderer) Objects() []fyne.CanvasObject {
	return []fyne.CanvasObject{r.ground, r.box.entry}
}
func (r *entryboxRenderer) Destroy() {}
