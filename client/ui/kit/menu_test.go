package kit

import (
	"testing"

	"fyne.io/fyne/v2"

	"parley/client/ui/uitest"
)

func TestMenuGrowsFromItsPoint(t *testing.T) {
	stage, r := show(t, NewColumn(0), uitest.Phone)
	c := stage.Canvas()
	menu := func() {
		nothing := func() {}
		ShowMenu(c, fyne.NewPos(200, 300), 40, nil, Action{Icon: "copy", Label: "Copy", Do: nothing}, Action{Icon: "trash", Label: "Discard", Danger: true, Do: nothing})
	}
	menu()
	o := c.Overlays().Top().(*Overlay)
	at, size := o.place(o.Size())
	r.Frame(0.5)
	if got := o.panel.Size(); got.Height < 0.5*size.Height || got.Height > 0.6*size.Height || got.Width >= size.Width {
		t.Errorf("half grown it is %v of %v", got, size)
	}
	if y := o.panel.Position().Y; y < at.Y || y > at.Y+size.Height {
		t.Errorf("half grown it lies at %v", y)
	}
	if a := o.shade(Colors()).A; a == 0 || a >= o.scrim(Colors()).A {
		t.Errorf("half grown the page is darkened by %d", a)
	}
	r.Frame(1)
	if o.panel.Size() != size || o.panel.Position() != at || stage.Motion().Running != 0 {
		t.Errorf("grown it is %v of %v", o.panel.Size(), size)
	}
	CloseOverlay(c)
	menu()
	CloseOverlay(c) // before it has grown
	if stage.Motion().Running != 0 {
		t.Error("a menu that is closed goes on growing")
	}
}
