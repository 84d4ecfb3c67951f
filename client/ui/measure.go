package ui

import (
	"fyne.io/fyne/v2"

	"parley/client/ui/text"
)

// font is what a text is drawn in.
type font struct {
	size float32 // at 100 %
	bold bool
}

func (f font) style() fyne.TextStyle { return fyne.TextStyle{Bold: f.bold} }

// points is the size at the setting of now.
func (f font) points() float32 { return f.size * textScale() }

// lineHeight is the distance of two lines, on whole units so that nothing blurs.
func (f font) lineHeight() float32 {
	return float32(int(f.points()*1.34 + 0.5))
}

// baseline is where letters stand in a line, from its top.
func (f font) baseline() float32 {
	return float32(int(f.points()*1.04 + 0.5))
}

type wrapperKey struct {
	points float32
	bold   bool
}

// wrappers has one text.Wrapper for each font in use, and with it the widths of
// its words. Only the UI goroutine uses it.
var wrappers = make(map[wrapperKey]*text.Wrapper)

// maxWrappers is more than one setting of the text's size needs; old sizes go.
const maxWrappers = 16

func (f font) wrapper() *text.Wrapper {
	key := wrapperKey{f.points(), f.bold}
	w, ok := wrappers[key]
	if !ok {
		if len(wrappers) >= maxWrappers {
			clear(wrappers)
		}
		style := f.style()
		w = text.NewWrapper(func(s string) float32 { return fyne.MeasureText(s, key.points, style).Width })
		wrappers[key] = w
	}
	return w
}

// rise is how far above its place a run has to be put so that runs of several
// fonts stand on one baseline.
func (f font) rise(s string) float32 {
	_, base := fyne.CurrentApp().Driver().RenderedTextSize(s, f.points(), f.style(), nil)
	if text.OnlyEmoji(s) {
		// Fyne tells the text font's ascent, but hangs a text by the ascent of
		// the fonts that it is drawn in: 1.07 em there, 0.93 em in Noto Color Emoji.
		base -= 0.14 * f.points()
	}
	return f.baseline() - base
}
