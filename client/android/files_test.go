//go:build linux && amd64

package main

import (
	"bytes"
	"image"
	"image/color"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"testing"

	"parley/client/picture/picturetest"
)

// The packaged app sends a photo that is picked in Android's own way, through its
// content resolver: it arrives upright, and without what the camera noted. It is shown
// whole, and saved in Android's way again.
func TestAppSendsAPhoto(t *testing.T) {
	if *apk == "" {
		t.Skip("make apk-run runs it")
	}
	const scale = 2
	r := newRig(t, *apk)
	server := startServer(t)
	p := r.start(t, t.TempDir(), scale)
	enter(t, p, server, "Garden")
	p.find("the room", isRoom)
	photo := filepath.Join(t.TempDir(), "IMG_1.jpeg")
	if err := os.WriteFile(photo, picturetest.Photo(6, 1200, 900), 0o600); err != nil {
		t.Fatal(err)
	}

	// Nothing is picked; then the photo is.
	s := p.screen().size()
	attach := image.Rect(s.X-96, s.Y-barHeight-52, s.X-52, s.Y-barHeight-8)
	p.tap(attach)
	p.wait(`picks \*/\*`)
	p.do("pick")
	p.find("the room still", isRoom)
	p.tap(attach)
	p.wait(`picks \*/\*`)
	p.do("pick %s", photo)
	send := p.find("the sheet", func(s screen) (image.Rectangle, bool) {
		b := s.boxes(fill, image.Pt(300, 40))
		return one(b), len(b) == 1 && hasPhoto(s)
	})
	p.save("file-sheet.png")
	p.tap(send)
	var sent struct {
		Messages []struct {
			File struct {
				ID, Name, Type string
				Width, Height  int
			}
		}
	}
	eventually(t, "the photo in the room", func() bool {
		server.get(t, "/api/rooms/Garden/messages", &sent)
		return len(sent.Messages) == 1
	})
	file := sent.Messages[0].File
	if file.Name != "IMG_1.jpg" || file.Type != "image/jpeg" || file.Width != 1200 || file.Height != 900 {
		t.Errorf("the message has %+v", file)
	}
	data := fetch(t, "http://"+server.behind+"/files/"+file.ID)
	img, _, err := image.Decode(bytes.NewReader(data))
	if err != nil {
		t.Fatal(err)
	}
	if wrong := picturetest.Wrong(img); wrong != "" || bytes.Contains(data, []byte("Exif")) || bytes.Contains(data, []byte("GPS")) {
		t.Errorf("the photo is not upright at its %s, or has the camera's notes", wrong)
	}

	// Its row has a thumbnail. A tap shows it whole, the button over it saves it.
	bubble := p.find("the photo in its bubble", func(s screen) (image.Rectangle, bool) {
		b := mine(s)
		return one(b), len(b) == 1 && hasPhoto(s)
	})
	p.save("file-row.png")
	p.tap(bubble)
	p.find("the photo, whole", func(s screen) (image.Rectangle, bool) {
		return image.Rectangle{}, len(mine(s)) == 0 && hasPhoto(s) && s.at(image.Pt(2, s.size().Y/2-20)) != earth
	})
	p.save("file-whole.png")
	saved := filepath.Join(t.TempDir(), "saved.jpg")
	p.tap(image.Rect(s.X-4-3*44, 24+4, s.X-4-2*44, 24+48)) // next to it are those that answer it and delete it
	p.wait(`saves IMG_1\.jpg as image/jpeg`)
	p.do("pick %s", saved)
	eventually(t, "the photo in the file", func() bool {
		got, err := os.ReadFile(saved)
		return err == nil && bytes.Equal(got, data)
	})
	p.do("back")
	p.find("the room again", func(s screen) (image.Rectangle, bool) { return image.Rectangle{}, len(mine(s)) == 1 })

	// Another app plays a sound, where it is saved.
	sound := filepath.Join(t.TempDir(), "Bell.wav")
	if err := os.WriteFile(sound, []byte("RIFF\x2c\x00\x00\x00WAVEfmt \x10\x00\x00\x00\x01\x00\x01\x00\x40\x1f\x00\x00\x40\x1f\x00\x00\x01\x00\x08\x00data\x08\x00\x00\x00abcdefgh"), 0o600); err != nil {
		t.Fatal(err)
	}
	p.tap(attach)
	p.wait(`picks \*/\*`)
	p.do("pick %s", sound)
	p.tap(p.find("the sheet", func(s screen) (image.Rectangle, bool) {
		b := s.boxes(fill, image.Pt(300, 40))
		return one(b), len(b) == 1
	}))
	last := p.find("the sound in its bubble", func(s screen) (image.Rectangle, bool) {
		b := mine(s)
		if len(b) != 2 {
			return image.Rectangle{}, false
		}
		return b[1], true
	})
	eventually(t, "the sound in the room", func() bool {
		server.get(t, "/api/rooms/Garden/messages", &sent)
		return len(sent.Messages) == 2 && sent.Messages[1].File.Type == "audio/wav"
	})
	p.save("file-sound.png")
	saved = filepath.Join(t.TempDir(), "Bell.wav")
	p.tap(last)
	p.wait(`saves Bell\.wav as audio/wav`)
	p.do("pick %s", saved)
	p.wait("opens content://phone" + saved + " as audio/wav")
}

// hasPhoto reports whether the photo's four quarters can be seen, as they are upright.
func hasPhoto(s screen) bool {
	var middle [4]image.Point
	for i, c := range [...]color.RGBA{picturetest.TopLeft, picturetest.TopRight, picturetest.BottomLeft, picturetest.BottomRight} {
		n, size := 0, s.size()
		for y := range size.Y {
			for x := range size.X {
				if got := s.at(image.Pt(x, y)); near(got.R, c.R) && near(got.G, c.G) && near(got.B, c.B) {
					middle[i] = middle[i].Add(image.Pt(x, y))
					n++
				}
			}
		}
		if n < 500 {
			return false
		}
		middle[i] = middle[i].Div(n)
	}
	return middle[0].X < middle[1].X && middle[2].X < middle[3].X && middle[0].Y < middle[2].Y && middle[1].Y < middle[3].Y
}

func near(a, b uint8) bool { return max(int(a)-int(b), int(b)-int(a)) < 12 }

func fetch(t *testing.T, url string) []byte {
	t.Helper()
	resp, err := http.Get(url)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	data, err := io.ReadAll(resp.Body)
	if err != nil || resp.StatusCode != http.StatusOK {
		t.Fatalf("%s: %v", resp.Status, err)
	}
	return data
}
