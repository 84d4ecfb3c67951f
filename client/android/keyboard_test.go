//go:build linux && amd64

package main

import (
	"image"
	"image/color"
	"testing"
)

// accent is the colour of the border of the entry with the focus.
var accent = color.NRGBA{0x43, 0x38, 0xca, 0xff}

// lowKeyboardHeight is the height of the host's keyboard on a phone on its side,
// statusHeight that of the bar at the top.
const (
	lowKeyboardHeight = 180
	statusHeight      = 24
)

// On a small phone the keyboard covers more than half of the screen, and comes
// after the entry has the focus. The entry moves into sight, also when the phone
// turns.
func TestAppKeyboard(t *testing.T) {
	if *apk == "" {
		t.Skip("make apk-run runs it")
	}
	r := newRig(t, *apk)
	r.screen = image.Pt(320, 568)
	p := r.start(t, t.TempDir(), 2)
	button := p.find("the first page", still(smallMainButton))
	entries := p.screen().boxes(paper, image.Pt(button.Dx()-8, 40))
	if len(entries) != 2 {
		t.Fatalf("the first page has the entries %v", entries)
	}
	p.tap(entries[1])
	p.wait("keyboard shown")
	p.focused("the server", keyboardHeight)
	p.save("landing-keyboard.png")
	p.do("type 192.168.1.5:8000")
	p.focused("the server, written", keyboardHeight)
	p.do("rotate")
	p.focused("the server on a phone on its side", lowKeyboardHeight)
	p.save("landing-keyboard-landscape.png")
	p.do("rotate")
	server := p.focused("the server on a phone turned back", keyboardHeight)
	p.do("back")
	p.wait("keyboard hidden")

	name := p.find("the name above it", still(func(s screen) (image.Rectangle, bool) {
		b := s.boxes(paper, image.Pt(button.Dx()-8, 40))
		return one(b), len(b) == 2
	}))
	p.tap(name)
	p.wait("keyboard shown")
	if again := p.focused("the name", keyboardHeight); again == server {
		t.Error("the focus has stayed on the server")
	}
}

func smallMainButton(s screen) (image.Rectangle, bool) {
	b := s.boxes(fill, image.Pt(200, 40))
	return one(b), len(b) == 1
}

// focused waits until the entry with the focus is wholly above the keyboard.
func (p *phone) focused(what string, keyboard int) image.Rectangle {
	p.t.Helper()
	return p.find(what+" above the keyboard", func(s screen) (image.Rectangle, bool) {
		var ring image.Rectangle
		for _, edge := range s.boxes(accent, image.Pt(200, 1)) {
			ring = ring.Union(edge)
		}
		return ring, ring.Dy() > 40 && ring.Min.Y >= statusHeight && ring.Max.Y <= s.size().Y-keyboard
	})
}
