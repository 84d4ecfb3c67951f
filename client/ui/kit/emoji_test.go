package kit

import (
	"image"
	"runtime"
	"testing"

	"fyne.io/fyne/v2"
	"fyne.io/fyne/v2/test"

	"parley/shared"
)

// Emoji have their colours, whatever was drawn before them and stands next to them, and
// after the theme has changed. Fonts without colours have some of these, too: the one
// that Fyne takes for a letter in Hebrew, or for a ✓.
func TestEmojiHaveColours(t *testing.T) {
	if emojiFont() == nil && runtime.GOOS == "linux" {
		t.Fatal("no font of this system has coloured emoji: make test-packages installs one")
	} else if emojiFont() == nil {
		t.Skip("Fyne can't draw the coloured emoji of this system")
	}
	if n := len(emojiFont().Content()); n > 1000 {
		t.Errorf("after each change of the theme, Fyne keeps %d bytes more", n)
	}
	for _, look := range []Look{LookLight, LookDark} {
		a := newLightApp()
		a.Settings().SetTheme(NewTheme(look, 100))
		for _, f := range []Font{FontBody, FontStrong, FontCode} {
			for _, first := range []string{"☕", "ש", "✓", "Ա"} {
				fyne.MeasureText(first, f.points(), f.style())
			}
			texts := append([]string{"so❤️", "Բարեւ❤️", "שלום ❤️ עולם", "✓❤️"}, shared.Emojis...)
			for _, s := range texts {
				drawn := NewText(s, f, RoleText)
				if !coloured(picture(t, drawn)) {
					t.Errorf("%q has no colours in %v, %q", s, f, look)
				}
			}
		}
		for _, key := range []string{"1️⃣", "#⃣"} {
			if w, one := NewText(key, FontBody, RoleText).Natural(), NewText("👍", FontBody, RoleText).Natural(); w != one {
				t.Errorf("the key %q is %v wide, and 👍 %v: it is drawn in parts", key, w, one)
			}
		}
		plain := NewText("so ✓", FontBody, RoleText)
		if coloured(picture(t, plain)) {
			t.Error("a text without emoji has colours")
		}
		if avatar := NewRoomAvatar("❤ and more", 40); !reddish(picture(t, avatar)) {
			t.Error("an emoji has no colours on a room's square")
		}
	}
}

func picture(t *testing.T, o fyne.CanvasObject) image.Image {
	t.Helper()
	w := test.NewTempWindow(t, o)
	w.Resize(fyne.NewSize(200, 60))
	return w.Canvas().Capture()
}

// coloured reports whether a picture has a colour in it, other than a greyish one.
func coloured(p image.Image) bool {
	return has(p, func(r, g, b uint32) bool { return max(r, g, b)-min(r, g, b) > 0x6000 })
}

// reddish reports whether a picture has the red of a heart.
func reddish(p image.Image) bool {
	return has(p, func(r, g, b uint32) bool { return r > 0xc000 && max(g, b) < 0x5000 })
}

func has(p image.Image, is func(r, g, b uint32) bool) bool {
	for y := p.Bounds().Min.Y; y < p.Bounds().Max.Y; y++ {
		for x := p.Bounds().Min.X; x < p.Bounds().Max.X; x++ {
			if r, g, b, _ := p.At(x, y).RGBA(); is(r, g, b) {
				return true
			}
		}
	}
	return false
}
