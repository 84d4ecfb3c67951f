package kit

import (
	"image/color"

	"fyne.io/fyne/v2"
	"fyne.io/fyne/v2/theme"
)

// Fyne would take its own emoji, which are of 2017, before the system's.
func init() {
	if r, ok := theme.DefaultEmojiFont().(*fyne.StaticResource); ok { // none with -tags no_emoji
		r.StaticContent = theme.DefaultSymbolFont().Content()
	}
}

// Look says which variant the app is drawn in.
type Look string

// The variants.
const (
	LookSystem Look = ""
	LookLight  Look = "light"
	LookDark   Look = "dark"
)

// Sizes of text at 100 %. All of them grow with the setting.
const (
	sizeTiny    = 11
	sizeSmall   = 13
	SizeBody    = 16
	sizeTitle   = 18
	sizeHeading = 28
)

// LargeText is the factor from which pages leave out what only adorns them.
const LargeText = 1.4

// Unit is the grid that margins and gaps are multiples of. They don't grow with
// the text: the room is better spent on it.
const Unit = 4

// Touch is the least height of what a finger is meant to hit.
const Touch = 44

// Theme is Parley's look for Fyne's own widgets. It also holds the setting of the
// text's size.
type Theme struct {
	look  Look
	scale float32 // 1 to 2
}

// NewTheme makes the theme of a look; percent is the size of the text, from 100 to
// 200.
func NewTheme(l Look, percent int) *Theme {
	return &Theme{look: l, scale: float32(min(max(percent, 100), 200)) / 100}
}

func (t *Theme) dark(system fyne.ThemeVariant) bool {
	if t.look == LookSystem {
		return system == theme.VariantDark
	}
	return t.look == LookDark
}

// Color is the colour of one of Fyne's names.
func (t *Theme) Color(n fyne.ThemeColorName, v fyne.ThemeVariant) color.Color {
	p := &light
	if t.dark(v) {
		p = &dark
	}
	switch n {
	case theme.ColorNameBackground:
		if IsPhone() {
			return cleared(p.Ground)
		}
		return p.Ground
	case theme.ColorNameForeground:
		return p.Text
	case theme.ColorNamePlaceHolder, theme.ColorNameDisabled:
		return p.Muted
	case theme.ColorNamePrimary, theme.ColorNameHyperlink:
		return p.Accent
	case theme.ColorNameForegroundOnPrimary:
		return p.OnAccent
	case theme.ColorNameInputBackground, theme.ColorNameInputBorder, theme.ColorNameShadow,
		theme.ColorNameScrollBarBackground:
		return color.Transparent // fields and panels draw their own ground
	case theme.ColorNameSelection, theme.ColorNameFocus:
		return p.AccentSoft
	case theme.ColorNameHover, theme.ColorNamePressed:
		return p.Hover
	case theme.ColorNameScrollBar:
		c := p.Muted
		c.A = 0x80
		return c
	case theme.ColorNameSeparator:
		return p.Line
	case theme.ColorNameMenuBackground:
		return p.Hover // no shadow parts an entry's menu from the page
	case theme.ColorNameOverlayBackground, theme.ColorNameHeaderBackground:
		return p.Surface
	case theme.ColorNameError:
		return p.Error
	case theme.ColorNameSuccess:
		return p.Yes
	}
	if t.dark(v) {
		v = theme.VariantDark
	} else {
		v = theme.VariantLight
	}
	return theme.DefaultTheme().Color(n, v)
}

// Font is Fyne's.
func (t *Theme) Font(s fyne.TextStyle) fyne.Resource { return theme.DefaultTheme().Font(s) }

// Icon is Fyne's.
func (t *Theme) Icon(n fyne.ThemeIconName) fyne.Resource { return theme.DefaultTheme().Icon(n) }

// Size is one of Fyne's sizes, in units.
func (t *Theme) Size(n fyne.ThemeSizeName) float32 {
	switch n {
	case theme.SizeNameText:
		return SizeBody * t.scale
	case theme.SizeNameCaptionText:
		return sizeSmall * t.scale
	case theme.SizeNameSubHeadingText:
		return sizeTitle * t.scale
	case theme.SizeNameHeadingText:
		return sizeHeading * t.scale
	case theme.SizeNamePadding:
		return Unit
	case theme.SizeNameInnerPadding:
		return 2 * Unit
	case theme.SizeNameInputBorder:
		return 0 // fields draw their own
	case theme.SizeNameLineSpacing:
		return Unit
	case theme.SizeNameScrollBarSmall:
		return 3
	case theme.SizeNameScrollBar:
		return 10
	}
	return theme.DefaultTheme().Size(n)
}

// TextScale is the factor of the text-size setting, 1 to 2.
func TextScale() float32 {
	if t, ok := fyne.CurrentApp().Settings().Theme().(*Theme); ok {
		return t.scale
	}
	return 1
}

// cleared is the colour with which Fyne's driver for phones clears the screen to c.
// That shows under the system's bars, where no page is. The driver takes 255·255,
// not 65535, for white.
func cleared(c color.NRGBA) color.Color {
	return color.NRGBA64{uint16(c.R) * 0xff, uint16(c.G) * 0xff, uint16(c.B) * 0xff, 0xffff}
}

// IsDark reports whether the app is drawn dark now.
func IsDark() bool {
	if t, ok := fyne.CurrentApp().Settings().Theme().(*Theme); ok {
		return t.dark(fyne.CurrentApp().Settings().ThemeVariant())
	}
	return fyne.CurrentApp().Settings().ThemeVariant() == theme.VariantDark
}

// Colors is the palette that the app is drawn in now.
func Colors() *Palette {
	if IsDark() {
		return &dark
	}
	return &light
}

// NameColor is the colour of a person's name over a bubble.
func NameColor(author string) color.NRGBA {
	if IsDark() {
		return hueOf(author).onDark
	}
	return hueOf(author).avatar
}
