package ui

import (
	"fyne.io/fyne/v2"
	"fyne.io/fyne/v2/canvas"
)

// repaint has an object drawn again. Fyne draws nothing for an object that its
// canvas does not know: one that has never been drawn, or that has been hidden,
// or on a page out of sight, for a minute.
func repaint(o fyne.CanvasObject) {
	if fyne.CurrentApp().Driver().CanvasForObject(o) != nil {
		canvas.Refresh(o)
	} else {
		nextFrame()
	}
}
