package kit

import (
	"testing"

	"fyne.io/fyne/v2"
)

// Emoji are the system's: an astronaut, of 2019, is one picture, not the two of
// Fyne's own font of 2017.
func TestEmojiAreTheSystems(t *testing.T) {
	newLightApp()
	width := func(s string) float32 { return fyne.MeasureText(s, SizeBody, fyne.TextStyle{}).Width }
	if width("🧑") == width("�") {
		t.Skip("no font of this system has emoji: make test-packages installs one")
	}
	if person, astronaut := width("🧑"), width("🧑‍🚀"); astronaut != person {
		t.Errorf("an astronaut is %v wide, a person %v", astronaut, person)
	}
}
