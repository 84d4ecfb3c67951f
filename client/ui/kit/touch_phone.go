//go:build android || ios || mobile

package kit

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
} = (*Tile)(nil)

func (t *Tile) TouchDown(*mobile.TouchEvent)   { t.press(true) }
func (t *Tile) TouchUp(*mobile.TouchEvent)     { t.press(false) }
func (t *Tile) TouchCancel(*mobile.TouchEvent) { t.press(false) }
func (t *Tile) Dragged(e *fyne.DragEvent)      { t.dragged(e) }
func (t *Tile) DragEnd()                       { t.dragEnd() }
