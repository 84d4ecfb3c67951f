package kit

import (
	"unicode/utf8"

	"fyne.io/fyne/v2"

	"parley/client/ui/text"
)

// Font is what a text is drawn in.
type Font struct {
	Size float32 // at 100 %
	bold bool
	mono bool
}

// The fonts of the app.
var (
	FontTiny    = Font{Size: sizeTiny}
	FontSmall   = Font{Size: sizeSmall}
	FontBody    = Font{Size: SizeBody}
	FontStrong  = Font{Size: SizeBody, bold: true}
	FontLabel   = Font{Size: sizeSmall, bold: true}
	FontTitle   = Font{Size: sizeTitle, bold: true}
	FontHeading = Font{Size: sizeHeading, bold: true}
	FontCode    = Font{Size: sizeSmall, mono: true}
)

func (f Font) style() fyne.TextStyle { return fyne.TextStyle{Bold: f.bold, Monospace: f.mono} }

// points is the size at the present setting.
func (f Font) points() float32 { return f.Size * TextScale() }

// LineHeight is the distance of two lines, on whole units so that nothing blurs.
func (f Font) LineHeight() float32 {
	return float32(int(f.points()*1.34 + 0.5))
}

// Baseline is the distance of the letters' foot from the top of a line.
func (f Font) Baseline() float32 {
	return float32(int(f.points()*1.04 + 0.5))
}

type wrapperKey struct {
	points     float32
	bold, mono bool
}

// wrappers has one text.Wrapper for each font in use, and with it the widths of
// its words. Only the UI goroutine uses it.
var wrappers = make(map[wrapperKey]*text.Wrapper)

// maxWrappers is more than one setting of the text's size needs; old sizes go.
const maxWrappers = 16

// ForgetWidths forgets how wide words are, as after a start of the app.
func ForgetWidths() { clear(wrappers) }

// Wrapper breaks texts into lines in this font. It remembers the widths of words.
func (f Font) Wrapper() *text.Wrapper {
	key := wrapperKey{f.points(), f.bold, f.mono}
	w, ok := wrappers[key]
	if !ok {
		if len(wrappers) >= maxWrappers {
			ForgetWidths()
		}
		w = text.NewWrapper(func(s string) float32 { return f.width(s, key.points) })
		wrappers[key] = w
	}
	return w
}

// width is how wide a text is on one line.
func (f Font) width(s string, points float32) (w float32) {
	for piece, emoji := range text.Pieces(s) {
		size, _ := fyne.CurrentApp().Driver().RenderedTextSize(piece, points, f.style(), fontOf(emoji))
		w += size.Width
	}
	return w
}

// strut is a character without width that only the app's own font has.
const strut = "\u034f"

// onBaseline makes a run stand on the line's baseline. Fyne hangs a text by the
// ascent of the fonts that it is drawn in, but returns the ascent of the text's
// font. A word in a font with a smaller ascent, such as Hebrew or emoji, would stand
// too high. A strut at its beginning adds the text's font.
func onBaseline(s string) string {
	if r, _ := utf8.DecodeRuneInString(s); r < 0x590 {
		return s
	}
	return strut + s
}

// rise is how far above its place a run has to be put so that runs of several
// fonts stand on one baseline. source is the run's font; nil is the text's.
func (f Font) rise(s string, source fyne.Resource) float32 {
	_, base := fyne.CurrentApp().Driver().RenderedTextSize(s, f.points(), f.style(), source)
	return f.Baseline() - base
}
