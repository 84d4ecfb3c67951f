package kit

import (
	"image/color"
	"testing"

	"fyne.io/fyne/v2"
	"fyne.io/fyne/v2/canvas"
	"fyne.io/fyne/v2/driver/desktop"
	"fyne.io/fyne/v2/test"

	"parley/client/ui/uitest"
)

// A slow tap on a phone is a tap; a right click on a button is none.
func TestSecondaryTapOnATile(t *testing.T) {
	newLightApp()
	taps := 0
	tile := NewPrimary("go", func() { taps++ })
	tile.TappedSecondary(&fyne.PointEvent{})
	if taps != 0 {
		t.Error("a right click does what a click does")
	}
	uitest.OnPhone(t, true)
	tile.TappedSecondary(&fyne.PointEvent{})
	if taps != 1 {
		t.Error("a slow tap does nothing")
	}
}

// groundOf is the colour that a tile's ground is drawn in.
func groundOf(tl *Tile) color.Color {
	return test.WidgetRenderer(tl).Objects()[0].(*canvas.Rectangle).FillColor
}

func TestPressedState(t *testing.T) {
	newLightApp()
	for name, tl := range map[string]*Tile{"icon": NewIconButton("back", nil), "primary": NewPrimary("Go", nil), "secondary": NewSecondary("Go", nil)} {
		free := groundOf(tl)
		tl.MouseDown(&desktop.MouseEvent{})
		if groundOf(tl) == free {
			t.Errorf("%s: it looks the same under a finger", name)
		}
		tl.MouseUp(&desktop.MouseEvent{})
		if groundOf(tl) != free {
			t.Errorf("%s: it stays pressed", name)
		}
		tl.press(true)
		tl.dragged(&fyne.DragEvent{})
		if groundOf(tl) != free {
			t.Errorf("%s: it stays pressed when the finger scrolls", name)
		}
	}
}

// A drag that begins on a tile moves what the tile lies in.
func TestTilesHandDragsOn(t *testing.T) {
	newLightApp()
	var tiles []*Tile
	list := NewColumn(0)
	for range 3 {
		tiles = append(tiles, NewPrimary("Go", nil), NewIconButton("back", nil))
		list.Objects = append(list.Objects, NewRow(0, 0, NewCard(tiles[len(tiles)-2], Around(4)), tiles[len(tiles)-1]))
	}
	var got float32
	adopt(NewFilled(0, list), dragged(func(e *fyne.DragEvent) { got += e.Dragged.DY }))
	for _, tl := range tiles {
		tl.dragged(&fyne.DragEvent{Dragged: fyne.NewDelta(0, 1)})
	}
	if got != float32(len(tiles)) {
		t.Errorf("of %d tiles %v hand a drag on", len(tiles), got)
	}
}

type dragged func(*fyne.DragEvent)

func (d dragged) Dragged(e *fyne.DragEvent) { d(e) }
func (d dragged) DragEnd()                  {}
