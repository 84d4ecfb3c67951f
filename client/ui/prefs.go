package ui

import (
	"cmp"
	"math"
	"slices"

	"fyne.io/fyne/v2"

	handset "parley/client/phone"
	"parley/client/ui/kit"
)

// prefs are the settings of this installation. What must not be lost is in the
// session's store, too: Fyne writes preferences some time later, and an app that
// is killed meanwhile finds them empty.
type prefs struct{ p fyne.Preferences }

func (s prefs) name() string         { return s.p.String("name") }
func (s prefs) setName(v string)     { s.p.SetString("name", v) }
func (s prefs) server() string       { return s.p.String("server") }
func (s prefs) setServer(v string)   { s.p.SetString("server", v) }
func (s prefs) look() kit.Look       { return kit.Look(s.p.String("look")) }
func (s prefs) setLook(v kit.Look)   { s.p.SetString("look", string(v)) }
func (s prefs) percent() int         { return s.p.IntWithFallback("text", 100) }
func (s prefs) setPercent(v int)     { s.p.SetInt("text", v) }
func (s prefs) language() string     { return s.p.String("language") }
func (s prefs) setLanguage(v string) { s.p.SetString("language", v) }
func (s prefs) still() bool          { return s.p.Bool("still") }
func (s prefs) setStill(v bool)      { s.p.SetBool("still", v) }
func (s prefs) askedToNotify() bool  { return s.p.Bool("asked to notify") }
func (s prefs) setAskedToNotify()    { s.p.SetBool("asked to notify", true) }
func (s prefs) theme() *kit.Theme    { return kit.NewTheme(s.look(), s.percent()) }
func (s prefs) setSize(v fyne.Size) {
	s.p.SetFloat("width", float64(v.Width))
	s.p.SetFloat("height", float64(v.Height))
}

// textSizes are the sizes on offer, in percent.
var textSizes = []int{100, 125, 150, 175, 200}

// setFirstPercent takes the system's size of text on a first start: the nearest
// of those on offer.
func (s prefs) setFirstPercent(fontScale float32) {
	if s.p.Int("text") != 0 {
		return
	}
	s.setPercent(slices.MinFunc(textSizes, func(a, b int) int {
		return cmp.Compare(math.Abs(float64(100*fontScale)-float64(a)), math.Abs(float64(100*fontScale)-float64(b)))
	}))
}

// firstSize is the window's on a first start: as wide as a phone, and so high that a
// screen of 1366 × 768, or of 1920 × 1080 at 150 %, shows all of it.
var firstSize = fyne.NewSize(412, 640)

// size is what the window was last.
func (s prefs) size() fyne.Size {
	w, h := s.p.FloatWithFallback("width", float64(firstSize.Width)), s.p.FloatWithFallback("height", float64(firstSize.Height))
	return fyne.NewSize(float32(min(max(w, 320), 4000)), float32(min(max(h, 400), 4000)))
}

// reducedMotion reports whether what comes and goes jumps to its place: the
// person wants it, or the system's animations are off, as far as Fyne or Android
// says.
func (s prefs) reducedMotion() bool {
	return s.still() || !fyne.CurrentApp().Settings().ShowAnimations() || handset.Still()
}
