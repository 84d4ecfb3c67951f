package kit

import (
	"image/color"
	"testing"

	"fyne.io/fyne/v2"
	"fyne.io/fyne/v2/test"
	"fyne.io/fyne/v2/theme"

	"parley/client/ui/uitest"
)

// notched is a canvas with the bars of a phone's system above and below.
type notched struct{ fyne.Canvas }

func (n notched) InteractiveArea() (fyne.Position, fyne.Size) {
	return fyne.NewPos(0, 24), n.Size().SubtractWidthHeight(0, 24+16)
}

// What stands above a page darkens the system's bars too.
func TestScrimCoversTheSystemBars(t *testing.T) {
	stage, _ := show(t, NewColumn(0), uitest.Phone)
	o := ShowPanel(notched{stage.Canvas()}, NewColumn(0, NewText("Leave?", FontBody, RoleText)))
	scrim := test.WidgetRenderer(o).Objects()[0]
	if at := o.Position().Add(scrim.Position()); at != (fyne.Position{}) || scrim.Size() != stage.Canvas().Size() {
		t.Errorf("the scrim lies at %v and is %v large", at, scrim.Size())
	}
}

// Fyne's driver for phones clears the screen to the pages' ground.
func TestSystemBarsHaveTheGround(t *testing.T) {
	newLightApp()
	uitest.OnPhone(t, true)
	for l, want := range map[Look]color.NRGBA{LookLight: light.Ground, LookDark: dark.Ground} {
		r, g, b, a := NewTheme(l, 100).Color(theme.ColorNameBackground, theme.VariantLight).RGBA()
		drawn := func(c uint32) uint8 { return uint8(min(float32(c)/(255*255), 1)*255 + 0.5) } // as it gives it to OpenGL
		if got := (color.NRGBA{drawn(r), drawn(g), drawn(b), drawn(a)}); got != want {
			t.Errorf("%s: the bars are %v, the pages %v", l, got, want)
		}
	}
}
