package kit

import (
	"image/color"
	"strings"
)

// Palette is every colour of the app in one variant. Text on its ground has a
// contrast of 4.5 to 1 or more.
type Palette struct {
	Ground, Surface, Raised, Hover   color.NRGBA // from the back to the front
	Line                             color.NRGBA // hairlines and borders
	Text, Muted                      color.NRGBA
	Accent, OnAccent, AccentSoft     color.NRGBA // Accent as text and icon, AccentSoft as a ground
	Fill                             color.NRGBA // the ground of a primary button
	Mine, OnMine, OnMineMuted        color.NRGBA // own bubbles
	Theirs                           color.NRGBA
	MineSoft, TheirsSoft             color.NRGBA // in a bubble, the ground of a quote and of code
	Error, Warning, WarningSoft, Yes color.NRGBA
	Mark                             color.NRGBA // under what was searched for
	Scrim, Shadow                    color.NRGBA
	Press                            color.NRGBA // over what a finger is on
}

func hex(v uint32) color.NRGBA {
	return color.NRGBA{uint8(v >> 16), uint8(v >> 8), uint8(v), 0xff}
}

// Alpha is the colour 0xrrggbb with an opacity of a/255.
func Alpha(v uint32, a uint8) color.NRGBA {
	c := hex(v)
	c.A = a
	return c
}

var light = Palette{
	Ground: hex(0xf2f3f8), Surface: hex(0xffffff), Raised: hex(0xf2f3f8), Hover: hex(0xe8eaf3),
	Line: hex(0xdfe2ec),
	Text: hex(0x161824), Muted: hex(0x5b6178),
	Accent: hex(0x4338ca), OnAccent: hex(0xffffff), AccentSoft: hex(0xe6e5fc), Fill: hex(0x4f46e5),
	Mine: hex(0x4f46e5), OnMine: hex(0xffffff), OnMineMuted: hex(0xdcdafc),
	Theirs:   hex(0xffffff),
	MineSoft: hex(0x4339d0), TheirsSoft: hex(0xeef0f6),
	Error: hex(0xb42323), Warning: hex(0x7a4a00), WarningSoft: hex(0xfdf0d5), Yes: hex(0x157347),
	Mark:  hex(0xffe08a),
	Scrim: Alpha(0x10121c, 0x66), Shadow: Alpha(0x1a1c2c, 0x24),
	Press: Alpha(0x10121c, 0x1c),
}

var dark = Palette{
	Ground: hex(0x0d0f15), Surface: hex(0x161922), Raised: hex(0x1f2330), Hover: hex(0x282d3c),
	Line: hex(0x2a2f3e),
	Text: hex(0xeceef6), Muted: hex(0x9aa1b8),
	Accent: hex(0xa7a2ff), OnAccent: hex(0xffffff), AccentSoft: hex(0x2a2852), Fill: hex(0x5b52ea),
	Mine: hex(0x5148de), OnMine: hex(0xffffff), OnMineMuted: hex(0xe0dffc),
	Theirs:   hex(0x1f2330),
	MineSoft: hex(0x4139b8), TheirsSoft: hex(0x2a3041),
	Error: hex(0xff8a8a), Warning: hex(0xf5c76e), WarningSoft: hex(0x33290f), Yes: hex(0x63d69b),
	Mark:  hex(0x5c4a12),
	Scrim: Alpha(0x000000, 0x99), Shadow: Alpha(0x000000, 0x66),
	Press: Alpha(0xffffff, 0x24),
}

// Role picks a colour of the palette, so that a text follows the theme.
type Role func(*Palette) color.NRGBA

// RoleGround and those that follow are the roles of texts and icons.
func RoleGround(p *Palette) color.NRGBA  { return p.Ground }
func RoleText(p *Palette) color.NRGBA    { return p.Text }
func RoleMuted(p *Palette) color.NRGBA   { return p.Muted }
func RoleAccent(p *Palette) color.NRGBA  { return p.Accent }
func RoleError(p *Palette) color.NRGBA   { return p.Error }
func RoleWarning(p *Palette) color.NRGBA { return p.Warning }
func RoleYes(p *Palette) color.NRGBA     { return p.Yes }

// hue is a person's colour: the ground of the avatar, which is also the name's
// colour in the light look, and the name's colour in the dark.
type hue struct{ avatar, onDark color.NRGBA }

// hues are the page's: style.css has the avatars, dark.css the names.
var hues = [10]hue{
	{hex(0x1d4ed8), hex(0x93c5fd)}, {hex(0xb45309), hex(0xfcd34d)}, {hex(0x6d28d9), hex(0xc4b5fd)},
	{hex(0x0f766e), hex(0x5eead4)}, {hex(0xbe123c), hex(0xfda4af)}, {hex(0x15803d), hex(0x86efac)},
	{hex(0x0369a1), hex(0x7dd3fc)}, {hex(0xa21caf), hex(0xf0abfc)}, {hex(0x475569), hex(0xcbd5e1)},
	{hex(0x854d0e), hex(0xfde68a)},
}

// hueOf derives a person's colour from what tells them apart, such as a name in any
// case, as the page does.
func hueOf(author string) hue {
	hash := 0
	for _, r := range strings.ToLower(author) {
		hash = (hash*33 + int(r)) % 65521
	}
	return hues[hash%len(hues)]
}

// Blend is a ground with a colour laid over it.
func Blend(ground, over color.NRGBA) color.NRGBA {
	if ground.A == 0 {
		return over
	}
	mix := func(a, b uint8) uint8 {
		return uint8((int(a)*(0xff-int(over.A)) + int(b)*int(over.A)) / 0xff)
	}
	return color.NRGBA{mix(ground.R, over.R), mix(ground.G, over.G), mix(ground.B, over.B), ground.A}
}
