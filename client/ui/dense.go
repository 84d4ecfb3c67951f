package ui

import (
	"fyne.io/fyne/v2"

	"parley/client/ui/kit"
)

// denseHeight is the height under which a phone's room, on its side with the
// keyboard up, shows the messages and where one writes alone.
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
