package kit

import (
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"sync"

	"fyne.io/fyne/v2"
	"github.com/go-text/typesetting/font"
	"github.com/go-text/typesetting/fontscan"
)

// Emoji are drawn in a font that the app names. Fyne takes the first font that has a
// character, and tries those first that an earlier character needed, or that the
// system's language has: after a ☕ or in Arabic it may draw a ❤ of a font without colours.

// fontOf is the font that emoji are drawn in, and nil, the text's, for all else.
func fontOf(emoji bool) fyne.Resource {
	if !emoji {
		return nil
	}
	return emojiFont()
}

// emojiFont is the system's font of coloured emoji; nil if there is none that Fyne can
// draw: it reads no collections of fonts, and no colours other than those of bitmaps.
var emojiFont = sync.OnceValue(func() fyne.Resource {
	fonts := fontscan.NewFontMap(silent{})
	if err := fonts.UseSystemFonts(fontIndex()); err != nil {
		return nil // Fyne has none of the system's either
	}
	fonts.SetQuery(fontscan.Query{Families: []string{fontscan.Emoji}})
	const sample = '👍'
	face := fonts.ResolveFace(sample)
	if face == nil {
		return nil
	}
	glyph, has := face.NominalGlyph(sample)
	if _, coloured := face.GlyphData(glyph).(font.GlyphBitmap); !has || !coloured {
		return nil
	}
	file := fontFile(fonts.FontLocation(face.Font).File)
	if strings.EqualFold(filepath.Ext(string(file)), ".ttc") {
		return nil
	}
	return file
})

// fontIndex is the folder in which the index of the system's fonts is kept: where Fyne
// has it.
func fontIndex() string {
	if runtime.GOOS == "android" {
		return filepath.Join(os.Getenv("FILESDIR"), "fontcache")
	}
	return ""
}

// fontFile is the path of a font, which is not kept in memory: Fyne parses it once for
// each theme.
type fontFile string

// Name is the family in which Fyne looks for what the font has not.
func (fontFile) Name() string { return fontscan.Emoji }

// Content is the file; nil if it can't be read, whereupon Fyne takes the theme's font.
func (f fontFile) Content() []byte {
	data, err := os.ReadFile(string(f))
	if err != nil {
		return nil
	}
	return data
}

type silent struct{}

func (silent) Printf(string, ...any) {}
