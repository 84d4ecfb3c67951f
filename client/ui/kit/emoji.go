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

// emojiFont leads to the system's font of coloured emoji; it is nil if there is none that
// Fyne can draw: it knows no colours other than those of bitmaps.
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
	return emptyFont{}
})

// fontIndex is the folder in which the index of the system's fonts is kept: where Fyne
// has it.
func fontIndex() string {
	if runtime.GOOS == "android" {
		return filepath.Join(os.Getenv("FILESDIR"), "fontcache")
	}
	return ""
}

// emptyFont is a font without characters: Fyne looks for all of them in the family of its
// name, and has that font of the system's once. Of one with characters it would keep
// another copy after each change of the theme, 10 MB of the usual one.
type emptyFont struct{}

// Name is the family.
func (emptyFont) Name() string { return fontscan.Emoji }

// Content is the least that a font must have (OpenType): a directory and three tables.
func (emptyFont) Content() []byte {
	return []byte("\x00\x01\x00\x00\x00\x03\x00\x20\x00\x01\x00\x10" + // three tables
		"cmap\x00\x00\x00\x00\x00\x00\x00\x3c\x00\x00\x00\x24" + // at 60, 36 bytes
		"head\x00\x00\x00\x00\x00\x00\x00\x60\x00\x00\x00\x36" + // at 96, 54 bytes
		"maxp\x00\x00\x00\x00\x00\x00\x00\x98\x00\x00\x00\x06" + // at 152, 6 bytes
		"\x00\x00\x00\x01\x00\x03\x00\x01\x00\x00\x00\x0c" + // cmap: one, of Unicode, at 12
		"\x00\x04\x00\x18\x00\x00\x00\x02\x00\x02\x00\x00\x00\x00\xff\xff\x00\x00\xff\xff\x00\x01\x00\x00" + // nothing but its end
		"\x00\x01\x00\x00\x00\x01\x00\x00\x00\x00\x00\x00\x5f\x0f\x3c\xf5\x00\x00\x03\xe8" + // head: 1000 units an em
		strings.Repeat("\x00", 36) +
		"\x00\x00\x50\x00\x00\x01") // maxp: one glyph, of what is not there
}

type silent struct{}

func (silent) Printf(string, ...any) {}
