package ui

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

// look says which variant the app is drawn in.
type look string

const (
	lookSystem look = ""
	lookLight  look = "light"
	lookDark   look = "dark"
)

// Sizes of text at 100 %. All of them grow with the setting.
const (
	sizeTiny    = 11
	sizeSmall   = 13
	sizeBody    = 16
	sizeTitle   = 18
	sizeHeading = 28
)

// largeText is the factor from which pages leave out what only adorns them.
const largeText = 1.4

// unit is the grid that margins and gaps are multiples of. They don't grow with
// the text: the room is better spent on it.
const unit = 4

// touch is the least height of what a finger is meant to hit.
const touch = 44

// appTheme is Parley's look for Fyne's own widgets, and where the setting of
// the text's size lives.
type appTheme struct {
	look  look
	scale float32 // 1 to 2
}

func newTheme(l look, percent int) *appTheme {
	return &appTheme{look: l, scale: float32(min(max(percent, 100), 200)) / 100}
}

func (t *appTheme) dark(system fyne.ThemeVariant) bool {
	if t.look == lookSystem {
		return system == theme.VariantDark
	}
	return t.look == lookDark
}

func (t *appTheme) Color(n fyne.ThemeColorName, v fyne.ThemeVariant) color.Color {
	p := &light
	if t.dark(v) {
		p = &dark
	}
	switch n {
	case theme.ColorNameBackground:
		if isPhone() {
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

func (t *appTheme) Font(s fyne.TextStyle) fyne.Resource { return theme.DefaultTheme().Font(s) }

func (t *appTheme) Icon(n fyne.ThemeIconName) fyne.Resource { return theme.DefaultTheme().Icon(n) }

func (t *appTheme) Size(n fyne.ThemeSizeName) float32 {
	switch n {
	case theme.SizeNameText:
		return sizeBody * t.scale
	case theme.SizeNameCaptionText:
		return sizeSmall * t.scale
	case theme.SizeNameSubHeadingText:
		return sizeTitle * t.scale
	case theme.SizeNameHeadingText:
		return sizeHeading * t.scale
	case theme.SizeNamePadding:
		return unit
	case theme.SizeNameInnerPadding:
		return 2 * unit
	case theme.SizeNameInputBorder:
		return 0 // fields draw their own
	case theme.SizeNameLineSpacing:
		return unit
	case theme.SizeNameScrollBarSmall:
		return 3
	case theme.SizeNameScrollBar:
		return 10
	}
	return theme.DefaultTheme().Size(n)
}

// textScale is the factor of the text-size setting, 1 to 2.
func textScale() float32 {
	if t, ok := fyne.CurrentApp().Settings().Theme().(*appTheme); ok {
		return t.scale
	}
	return 1
}

// cleared is the colour that Fyne's driver for phones clears the screen to c
// with, where no page is: under the system's bars. It takes 255·255 for the
// white of 65535.
func cleared(c color.NRGBA) color.Color {
	return color.NRGBA64{uint16(c.R) * 0xff, uint16(c.G) * 0xff, uint16(c.B) * 0xff, 0xffff}
}
