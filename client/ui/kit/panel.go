package kit

import "fyne.io/fyne/v2"

// ShowPanel shows a column in the middle of the window, as high as it needs.
func ShowPanel(c fyne.Canvas, body *Column) *Overlay {
	panel := NewCard(NewScroller(body), Around(0))
	return ShowOverlay(c, panel, func(size fyne.Size) (fyne.Position, fyne.Size) {
		w := min(size.Width-6*Unit, 400*min(TextScale(), LargeText))
		margin := min(6*Unit, float32(int(size.Height/30))) // little is left above a keyboard
		h := min(body.Fit(w), size.Height-2*margin)
		return fyne.NewPos(float32(int((size.Width-w)/2)), max(float32(int((size.Height-h)/3)), margin)), fyne.NewSize(w, h)
	})
}
