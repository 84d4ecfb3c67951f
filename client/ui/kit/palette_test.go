package kit

import (
	"fmt"
	"image/color"
	"math"
	"os"
	"regexp"
	"testing"
)

// contrast is the ratio of WCAG 2.1.
func contrast(a, b color.NRGBA) float64 {
	l := func(c color.NRGBA) float64 {
		f := func(v uint8) float64 {
			s := float64(v) / 255
			if s <= 0.04045 {
				return s / 12.92
			}
			return math.Pow((s+0.055)/1.055, 2.4)
		}
		return 0.2126*f(c.R) + 0.7152*f(c.G) + 0.0722*f(c.B)
	}
	x, y := l(a), l(b)
	return (max(x, y) + 0.05) / (min(x, y) + 0.05)
}

func TestContrast(t *testing.T) {
	for name, p := range map[string]Palette{"light": light, "dark": dark} {
		for _, tc := range []struct {
			what       string
			on, ground color.NRGBA
		}{
			{"text on ground", p.Text, p.Ground}, {"text on surface", p.Text, p.Surface}, {"text on a bubble", p.Text, p.Theirs},
			{"muted on ground", p.Muted, p.Ground}, {"muted on surface", p.Muted, p.Surface}, {"muted on a bubble", p.Muted, p.Theirs},
			{"muted on a day line", p.Muted, p.Hover},
			{"accent on surface", p.Accent, p.Surface}, {"accent on a bubble", p.Accent, p.Theirs}, {"accent on soft", p.Accent, p.AccentSoft},
			{"text on soft", p.Text, p.AccentSoft}, {"muted on soft", p.Muted, p.AccentSoft},
			{"text in a quote", p.Text, p.TheirsSoft}, {"muted in a quote", p.Muted, p.TheirsSoft}, {"a name in a quote", p.Accent, p.TheirsSoft},
			{"own text in a quote", p.OnMine, p.MineSoft}, {"muted in an own quote", p.OnMineMuted, p.MineSoft},
			{"own text", p.OnMine, p.Mine}, {"own time", p.OnMineMuted, p.Mine}, {"button", p.OnAccent, p.Fill},
			{"error on ground", p.Error, p.Ground}, {"error on surface", p.Error, p.Surface},
			{"warning", p.Warning, p.WarningSoft}, {"warning on surface", p.Warning, p.Surface}, {"yes", p.Yes, p.Ground},
			{"what was found", p.Text, p.Mark},
		} {
			if c := contrast(tc.on, tc.ground); c < 4.5 {
				t.Errorf("%s: %s has a contrast of %.2f", name, tc.what, c)
			}
		}
		for i, h := range hues {
			on := h.avatar
			if name == "dark" {
				on = h.onDark
			}
			if c := contrast(on, p.Theirs); c < 4.5 {
				t.Errorf("%s: name %d has a contrast of %.2f", name, i, c)
			}
			if c := contrast(light.OnAccent, h.avatar); c < 4.4 {
				t.Errorf("avatar %d has a contrast of %.2f", i, c)
			}
		}
	}
}

// The app's hues are those of the page.
func TestHuesAreThePages(t *testing.T) {
	for file, rule := range map[string]string{"style.css": `--hue%d:#([0-9a-f]{6})`, "dark.css": `\.name\.hue%d\{--name:#([0-9a-f]{6})`} {
		css, err := os.ReadFile("../../../server/web/static/" + file)
		if err != nil {
			t.Fatal(err)
		}
		for i, h := range hues {
			c := h.avatar
			if file == "dark.css" {
				c = h.onDark
			}
			own := fmt.Sprintf("%02x%02x%02x", c.R, c.G, c.B)
			page := regexp.MustCompile(fmt.Sprintf(rule, i)).FindSubmatch(css)
			if page == nil || string(page[1]) != own {
				t.Errorf("%s: hue %d is %q, the app has %s", file, i, page, own)
			}
		}
		if next := regexp.MustCompile(fmt.Sprintf(rule, len(hues))); next.Match(css) {
			t.Errorf("%s has more than %d hues", file, len(hues))
		}
	}
}

// The page derives the same colours; these are its vectors too.
func TestHueOfName(t *testing.T) {
	for name, want := range map[string]int{"Ann": 2, "ann": 2, "Bob": 2, "Łukasz": 5, "田中": 8} {
		got := -1
		for i, h := range hues {
			if h == hueOf(name) {
				got = i
			}
		}
		if got != want {
			t.Errorf("%s has hue %d, want %d", name, got, want)
		}
	}
}
