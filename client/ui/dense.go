package ui

import (
	"fyne.io/fyne/v2"

	"parley/client/ui/kit"
)

// denseHeight is the height under which a room on a phone shows only the messages and
// the composer, as on a phone on its side with the keyboard up.
const denseHeight = 280

// yields has a page's header go in little height.
func yields(header fyne.CanvasObject) func(fyne.Size) {
	return func(size fyne.Size) {
		if dense := kit.IsPhone() && size.Height < denseHeight; dense == header.Visible() {
			if dense {
				header.Hide()
			} else {
				header.Show()
			}
		}
	}
}
