package ui

import (
	"fyne.io/fyne/v2"
	"fyne.io/fyne/v2/canvas"
)

// repaint has an object drawn again. Fyne draws nothing for an object that its
// canvas does not know: one that has never been drawn, or that has been hidden,
// or on a page out of sight, for a minute.
func repaint(o fyne.CanvasObject) {
	driver := fyne.CurrentApp().Driver()
	if driver.CanvasForObject(o) != nil {
		canvas.Refresh(o)
		return
	}
	for _, w := range driver.AllWindows() {
		if c, ok := w.Canvas().(interface{ SetDirty() }); ok {
			c.SetDirty()
		}
	}
}
