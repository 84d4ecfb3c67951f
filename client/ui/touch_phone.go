//go:build android || ios || mobile

package ui

import (
	"fyne.io/fyne/v2"
	"fyne.io/fyne/v2/driver/mobile"
)

// On a phone a tile feels the finger as it comes down. Fyne gives a drag to what
// felt the finger, so the tile hands it on to what scrolls. On a desktop neither
// may be: a click with a trembling hand would be a drag.
var _ interface {
	mobile.Touchable
	fyne.Draggable
} = (*tile)(nil)

func (t *tile) TouchDown(*mobile.TouchEvent)   { t.press(true) }
func (t *tile) TouchUp(*mobile.TouchEvent)     { t.press(false) }
func (t *tile) TouchCancel(*mobile.TouchEvent) { t.press(false) }
func (t *tile) Dragged(e *fyne.DragEvent)      { t.dragged(e) }
func (t *tile) DragEnd()                       { t.dragEnd() }
