package kit

import (
	"fyne.io/fyne/v2"
	"fyne.io/fyne/v2/canvas"
)

// Repaint draws an object again. Fyne draws nothing for an object that its canvas
// does not know: one that has never been drawn, or has been hidden, or on a page out
// of sight, for a minute.
func Repaint(o fyne.CanvasObject) {
	if fyne.CurrentApp().Driver().CanvasForObject(o) != nil {
		canvas.Refresh(o)
	} else {
		NextFrame()
	}
}

// LaidOut is a renderer for a widget that may have its size. Fyne forgets the
// renderer of what is out of sight for a minute, and then asks for another one,
// but lays it out only when the size changes.
func LaidOut(w fyne.Widget, r fyne.WidgetRenderer) fyne.WidgetRenderer {
	if size := w.Size(); !size.IsZero() {
		r.Layout(size)
	}
	return r
}

// NextFrame draws the windows from what they know already. Unlike a refresh it keeps
// every texture; a moving page would need new ones for each frame.
func NextFrame() {
	for _, w := range fyne.CurrentApp().Driver().AllWindows() {
		if c, ok := w.Canvas().(interface{ SetDirty() }); ok {
			c.SetDirty()
		}
	}
}
