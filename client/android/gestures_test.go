//go:build linux && amd64

package main

import (
	"fmt"
	"image"
	"image/color"
	"testing"
	"time"
)

// longTouch is longer than Fyne wants a finger to stay for a menu.
const longTouch = 400 * time.Millisecond

// The packaged app under a finger: what is touched is drawn as pressed, a tile
// lets the page scroll, a swipe from the left edge goes back, and on its side with
// the keyboard up the phone shows three messages.
func TestGestures(t *testing.T) {
	if *apk == "" {
		t.Skip("make apk-run runs it")
	}
	const scale = 2
	r := newRig(t, *apk)
	server := startServer(t)
	p := r.start(t, t.TempDir(), scale)
	enter(t, p, server, "Garden")
	bob, cleo := server.join(t, "Garden", "Bob"), server.join(t, "Garden", "Cleo")
	for i := range 4 {
		bob.say(t, fmt.Sprint("what Bob says, ", i))
		cleo.say(t, fmt.Sprint("and Cleo, ", i))
	}
	p.find("what they say", func(s screen) (image.Rectangle, bool) { return image.Rectangle{}, len(theirs(s)) >= 8 })

	// A bubble under a finger is darker, until it is lifted.
	bubble := one(theirs(p.screen()))
	inside := image.Pt(bubble.Max.X-4, (bubble.Min.Y+bubble.Max.Y)/2)
	p.do("down %d %d", inside.X*scale, inside.Y*scale)
	p.find("a pressed bubble", func(s screen) (image.Rectangle, bool) { return bubble, s.at(inside) != paper })
	p.save("pressed.png")
	time.Sleep(longTouch)
	p.do("up %d %d", inside.X*scale, inside.Y*scale)
	p.find("its menu, as that was long", func(s screen) (image.Rectangle, bool) {
		above, _ := s.bars()
		return bubble, above != earth
	})
	p.do("back")
	p.find("the bubble as it was", func(s screen) (image.Rectangle, bool) { return bubble, s.at(inside) == paper })

	// On its side, with the keyboard up, three messages can be read.
	p.write()
	p.do("rotate")
	p.find("three messages over the keyboard", func(s screen) (image.Rectangle, bool) {
		n := 0
		for _, b := range s.boxes(paper, image.Pt(40, 22)) {
			if b.Dy() < 60 && b.Max.X < s.size().X-60 && b.Max.Y < s.size().Y-180 {
				n++
			}
		}
		// The header has gone, and nothing lies under the keyboard.
		return image.Rectangle{}, s.size() == image.Pt(860, 412) && n >= 3 && s.at(image.Pt(780, 30)) == earth && s.at(image.Pt(324, 412-24)) == earth
	})
	p.save("landscape-keyboard.png")
	p.do("rotate")
	p.do("back")
	p.wait("keyboard hidden")
	p.find("the room upright", func(s screen) (image.Rectangle, bool) {
		return image.Rectangle{}, s.size() == image.Pt(412, 860) && len(theirs(s)) >= 8
	})

	// A short swipe from the edge changes nothing; a long one goes back.
	p.do("drag %d %d %d %d", 4*scale, 500*scale, 70*scale, 500*scale)
	p.find("the room still", isRoom)
	p.do("drag %d %d %d %d", 4*scale, 500*scale, 330*scale, 510*scale)
	p.find("the rooms", roomEntry)
	p.save("swiped.png")
	server.people(t, "Garden", 3) // nobody has left it

	// A drag that begins on a tile scrolls the page, and chooses nothing.
	p.tap(image.Rect(412-56, 24, 412, 24+56)) // the settings
	chips := func(s screen) []image.Rectangle { return s.boxes(fill, image.Pt(40, 28)) }
	chosen := p.find("what is chosen", func(s screen) (image.Rectangle, bool) { b := chips(s); return one(b), len(b) >= 3 })
	middle := image.Pt((chosen.Min.X+chosen.Max.X)/2, (chosen.Min.Y+chosen.Max.Y)/2)
	p.do("drag %d %d %d %d", middle.X*scale, (middle.Y+8)*scale, middle.X*scale, (middle.Y-160)*scale)
	p.find("the settings further down", func(s screen) (image.Rectangle, bool) {
		b := chips(s)
		return one(b), len(b) > 0 && one(b).Min.Y != chosen.Min.Y
	})
	p.save("scrolled-by-a-tile.png")
}

// enter goes the way of a first day into a room.
func enter(t *testing.T, p *phone, server *testServer, room string) {
	t.Helper()
	p.introduce(server)
	p.tap(p.find("the rooms", roomEntry))
	p.wait("keyboard shown")
	p.do("type %s", room)
	p.do("done")
	server.people(t, room, 1)
	p.find("the room", isRoom)
}

// at is the colour at a point, in units.
func (s screen) at(p image.Point) color.NRGBA { return s.NRGBAAt(p.X*s.scale, p.Y*s.scale) }
