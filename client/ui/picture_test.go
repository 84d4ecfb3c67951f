//go:build linux && !android

package ui

import (
	"bytes"
	"context"
	"fmt"
	"image"
	"os"
	"os/exec"
	"testing"
	"time"

	"parley/client/ui/uitest"
)

// forgetful makes Fyne forget what is out of sight after a second instead of
// after a minute. It looks for what to forget every ten seconds.
const forgetful = "FYNE_CACHE=1s"

// forgotten is when Fyne has forgotten what went out of sight just now.
const forgotten = 12 * time.Second

// After every way from page to page, narrow and wide, the window shows the page
// that its title names: at once, and when Fyne has forgotten the page to go to.
func TestPictureIsThePages(t *testing.T) {
	if testing.Short() {
		t.Skip("builds the server and the app")
	}
	ctx, cancel := context.WithTimeout(t.Context(), 10*uitest.Deadline)
	defer cancel()
	dir := t.TempDir()
	address := startServer(t)
	x := startScreen(t, ctx, dir)
	build(t, ctx, x.bin, "parley", "-tags", "nosearch") // as in TestWindow
	x.env = append(x.env, forgetful)
	x.startApp()

	const rooms, room, settings = "Rooms – Parley", "Lobby – Parley", "Settings – Parley"
	escape := func() { x.key("Escape") }
	enter := func() { x.typeText("Lobby"); x.key("Return") }
	x.typeText("Ann")
	x.key("Tab")
	x.key("ctrl+a")
	x.typeText(address)
	x.way("the first page to the rooms", rooms, nil, func() { x.key("Return") })
	x.way("the rooms to the settings", settings, nil, x.gear)
	x.way("one size of text to the next", settings, nil, func() { x.click(151, 262) })
	x.way("the settings back to the rooms", rooms, nil, escape)
	x.way("the rooms to a room", room, nil, enter)
	theRoom := x.rest()
	x.way("a room to the switcher", room, nil, func() { x.key("ctrl+k") })
	x.way("the switcher back to the room", room, theRoom, escape)
	x.click(200, 400)
	x.way("a room back to the rooms", rooms, nil, escape)
	theRooms := x.rest()
	x.way("the rooms back to the first page", "Parley", nil, escape)
	firstPage := x.rest()
	x.way("the first page to the rooms again", rooms, theRooms, func() { x.key("Return"); x.key("Return") })
	x.way("the rooms to the room of before", room, theRoom, enter)
	x.click(200, 400)
	time.Sleep(forgotten)
	x.way("a room back to forgotten rooms", rooms, theRooms, escape)
	time.Sleep(forgotten)
	x.way("the rooms to a forgotten room", room, theRoom, enter)
	x.way("the room back to the rooms", rooms, theRooms, escape)
	x.way("the rooms back to a forgotten first page", "Parley", firstPage, escape)
	x.way("the first page to the rooms once more", rooms, theRooms, func() { x.key("Return"); x.key("Return") })

	x.resize(980, 700)
	x.way("the rooms to a room beside them", room, nil, enter)
	wide := x.rest()
	x.way("the room to the settings", settings, nil, x.gearOfWide)
	x.way("the settings back to the room", room, wide, escape)
	x.way("the room to the settings again", settings, nil, x.gearOfWide)
	time.Sleep(forgotten)
	x.way("the settings back to a forgotten room", room, wide, escape)
	x.way("a wide window to a narrow one", room, theRoom, func() { x.resize(int(firstSize.Width), int(firstSize.Height)) })
	time.Sleep(forgotten)
	x.way("a narrow window to a wide one", room, wide, func() { x.resize(980, 700) })
	x.close()
}

// way does what leads to another page. It fails if the window goes on showing the
// last page, or does not show what the new page showed first, if that is known.
func (s *Screen) way(what, title string, first *shot, lead func()) {
	s.t.Helper()
	before := s.picture()
	lead()
	s.waitTitle(title)
	s.until(what+": the window shows another page", func() bool {
		now := s.picture()
		return !now.like(before) && (first == nil || now.like(*first))
	})
	s.save(what + ".png")
}

// rest is what the window shows when it has come to rest.
func (s *Screen) rest() *shot {
	s.t.Helper()
	last := s.picture()
	for same := 0; same < 5; same++ {
		if now := s.picture(); !now.like(last) {
			last, same = now, -1
		}
	}
	return &last
}

// until polls a condition.
func (s *Screen) until(otherwise string, holds func() bool) {
	s.t.Helper()
	for end := time.Now().Add(uitest.Deadline); !holds(); {
		if time.Now().After(end) {
			s.save("failed.png")
			s.t.Fatal(otherwise)
		}
	}
}

// click clicks at a place, when pages have come to where they stay.
func (s *Screen) click(x, y int) {
	s.t.Helper()
	s.rest()
	s.do("mousemove", "--window", s.window, fmt.Sprint(x), fmt.Sprint(y), "click", "1")
	s.do("mousemove", "--window", s.window, "2", "300") // nothing there shows that it is under the pointer
}

func (s *Screen) resize(width, height int) {
	s.t.Helper()
	s.do("windowsize", "--sync", s.window, fmt.Sprint(width), fmt.Sprint(height))
}

// gear opens the settings from the rooms in a narrow window, gearOfWide in a
// wide one, with text of 125 %.
func (s *Screen) gear()       { s.t.Helper(); s.click(s.picture().size().X-30, 34) }
func (s *Screen) gearOfWide() { s.t.Helper(); s.click(paneWidth*5/4-30, 34) }

// shot is what a window shows.
type shot struct {
	width int
	rgb   []byte
}

func (p shot) size() image.Point { return image.Pt(p.width, len(p.rgb)/3/p.width) }

// like reports whether two pictures show the same, but for a blinking cursor.
func (p shot) like(other shot) bool {
	if p.width != other.width || len(p.rgb) != len(other.rgb) {
		return false
	}
	const cursor = 3 * 4 * 40
	different := 0
	for i := range p.rgb {
		if p.rgb[i] != other.rgb[i] {
			different++
		}
	}
	return different <= cursor
}

func (s *Screen) picture() shot {
	s.t.Helper()
	data, err := s.imported("ppm:-").Output()
	var width, height int
	if err == nil {
		_, err = fmt.Fscanf(bytes.NewReader(data), "P6\n%d %d\n255\n", &width, &height)
	}
	if err != nil || len(data) < 3*width*height {
		s.t.Fatalf("import: %v, %d bytes", err, len(data))
	}
	return shot{width, data[len(data)-3*width*height:]}
}

// save writes what the window shows to a file in $PICTURES, if that is set.
func (s *Screen) save(name string) {
	if dir := os.Getenv("PICTURES"); dir != "" {
		s.rest()
		_ = s.imported(dir + "/" + name).Run()
	}
}

// imported is the command that writes what the window shows to a file.
func (s *Screen) imported(to string) *exec.Cmd {
	cmd := exec.CommandContext(s.ctx, "import", "-silent", "-window", s.window, "-depth", "8", to)
	cmd.Env = append(os.Environ(), "DISPLAY="+s.display)
	return cmd
}
