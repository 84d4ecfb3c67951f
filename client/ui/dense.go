package ui

import "fyne.io/fyne/v2"

// denseHeight is the height under which a phone's room, on its side with the
// keyboard up, shows the messages and where one writes alone.
const denseHeight = 280

// yields has a page's header go in little height.
func yields(header fyne.CanvasObject) func(fyne.Size) {
	return func(size fyne.Size) {
		if dense := isPhone() && size.Height < denseHeight; dense == header.Visible() {
			if dense {
				header.Hide()
			} else {
				header.Show()
			}
		}
	}
}

// squeeze makes the most of little height: the header goes, and rows and the
// composer take less.
func (p *roomPage) squeeze(size fyne.Size) {
	dense := isPhone() && size.Height < denseHeight
	if dense == p.list.dense {
		return
	}
	p.list.dense, p.composer.dense = dense, dense
	if dense {
		p.header.Hide()
	} else {
		p.header.Show()
	}
}
