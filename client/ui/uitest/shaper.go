package uitest

import (
	_ "unsafe" // for go:linkname

	"github.com/go-text/typesetting/shaping"
)

// shaper is what Fyne lays out texts with. Its buffer has plans for each font that it
// was ever given, and so keeps all of them; and Fyne reads its fonts anew for each app
// and each theme. Over all tests of client/ui that is 3 GB, and more than twice as
// much with the race detector.
//
//go:linkname shaper fyne.io/fyne/v2/internal/painter.shaper
var shaper *shaping.HarfbuzzShaper

// forgetFonts lets go of the fonts of all apps.
func forgetFonts() { *shaper = shaping.HarfbuzzShaper{} }
