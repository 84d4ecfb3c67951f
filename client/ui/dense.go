package ui

import "fyne.io/fyne/v2"

// denseHeight is the height under which a phone's room, on its side with the
// keyboard up, shows the messages and where one writes alone.
const denseHeight = 280

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
