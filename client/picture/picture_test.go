package picture

import (
	"bytes"
	"encoding/binary"
	"errors"
	"hash/crc32"
	"image"
	"image/color"
	"image/gif"
	"image/jpeg"
	"image/png"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"parley/client/picture/picturetest"

	"parley/shared"
)

func prepared(t *testing.T, data []byte, name string, asItIs bool) Prepared {
	t.Helper()
	p, err := Prepare(bytes.NewReader(data), name, asItIs)
	if err != nil {
		t.Fatal(err)
	}
	return p
}

func decoded(t *testing.T, data []byte) image.Image {
	t.Helper()
	img, _, err := image.Decode(bytes.NewReader(data))
	if err != nil {
		t.Fatal(err)
	}
	return img
}

// A photo leaves upright, whatever its camera noted, and nothing else of the note does.
func TestOrientations(t *testing.T) {
	t.Parallel()
	for o := 1; o <= 8; o++ {
		photo := picturetest.Photo(o, 320, 200)
		if !bytes.Contains(photo, []byte(picturetest.Place)) {
			t.Fatal("the photo does not tell its place")
		}
		p := prepared(t, photo, "IMG_1.JPEG", false)
		if p.Why != Encoded || p.Name != "IMG_1.jpg" || p.Width != 320 || p.Height != 200 {
			t.Errorf("orientation %d: %q, %d×%d, %d", o, p.Name, p.Width, p.Height, p.Why)
		}
		for what, data := range map[string][]byte{"picture": p.Data, "thumbnail": p.Thumb} {
			if wrong := picturetest.Wrong(decoded(t, data)); wrong != "" {
				t.Errorf("orientation %d: the %s has another colour at its %s", o, what, wrong)
			}
			if bytes.Contains(data, []byte("GPS")) || bytes.Contains(data, []byte("Exif")) {
				t.Errorf("orientation %d: the %s has the camera's notes", o, what)
			}
		}
		if u := p.AsItIs(); u.Why != Asked || u.Data != nil || u.Name != "IMG_1.JPEG" || u.Width != 320 {
			t.Errorf("orientation %d, untouched after all: %q, %d×%d, %d", o, u.Name, u.Width, u.Height, u.Why)
		}
		p = prepared(t, photo, "IMG_1.JPEG", true)
		if p.Why != Asked || p.Data != nil || p.Name != "IMG_1.JPEG" || p.Width != 320 || p.Height != 200 {
			t.Errorf("orientation %d as it is: %q, %d×%d, %d", o, p.Name, p.Width, p.Height, p.Why)
		}
		if wrong := picturetest.Wrong(decoded(t, p.Thumb)); wrong != "" {
			t.Errorf("orientation %d as it is: the thumbnail has another colour at its %s", o, wrong)
		}
		img, err := Decode(bytes.NewReader(photo), MaxShown, 100)
		if err != nil || img.Bounds() != image.Rect(0, 0, 100, 63) || picturetest.Wrong(img) != "" {
			t.Errorf("orientation %d is shown as %v: %v", o, img.Bounds(), err)
		}
	}
}

func TestSizes(t *testing.T) {
	t.Parallel()
	for _, tc := range []struct{ w, h, wantW, wantH int }{
		{1, 1, 1, 1}, {2560, 10, 2560, 10}, {2561, 40, 2560, 40}, {2720, 340, 2560, 320}, {20, 6000, 9, 2560}, {1, 12000, 1, 2560},
	} {
		p := prepared(t, picturetest.Photo(1, tc.w, tc.h), "a", false)
		if p.Width != tc.wantW || p.Height != tc.wantH || p.Name != "a.jpg" {
			t.Errorf("%d×%d becomes %d×%d, %q", tc.w, tc.h, p.Width, p.Height, p.Name)
		}
		if b := decoded(t, p.Data).Bounds(); b.Dx() != p.Width || b.Dy() != p.Height {
			t.Errorf("%d×%d is %v", tc.w, tc.h, b)
		}
		b := decoded(t, p.Thumb).Bounds()
		if max(b.Dx(), b.Dy()) > shared.MaxThumbSide || len(p.Thumb) > shared.MaxThumb {
			t.Errorf("the thumbnail of %d×%d is %v, %d bytes", tc.w, tc.h, b, len(p.Thumb))
		}
	}
}

// noise is what encodes worst.
func noise(w, h int) *image.NRGBA {
	img := image.NewNRGBA(image.Rect(0, 0, w, h))
	r := rand.New(rand.NewPCG(1, 2))
	for i := range img.Pix {
		img.Pix[i] = byte(r.Uint32())
		if i%4 == 3 {
			img.Pix[i] = 255
		}
	}
	return img
}

func asPNG(t *testing.T, img image.Image) []byte {
	t.Helper()
	var b bytes.Buffer
	if err := png.Encode(&b, img); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

// A screenshot stays a PNG; a photo that came as one does not.
func TestScreenshotsStaySharp(t *testing.T) {
	t.Parallel()
	if p := prepared(t, asPNG(t, picturetest.Upright(800, 600)), "shot.png", false); p.Name != "shot.png" || picturetest.Wrong(decoded(t, p.Data)) != "" {
		t.Errorf("a screenshot becomes %q", p.Name)
	}
	p := prepared(t, asPNG(t, noise(610, 610)), "photo.png", false)
	if p.Name != "photo.jpg" {
		t.Errorf("a photo of %d bytes becomes %q", len(p.Data), p.Name)
	}
	if len(p.Thumb) == 0 || len(p.Thumb) > shared.MaxThumb {
		t.Errorf("the thumbnail of noise has %d bytes", len(p.Thumb))
	}
}

// What can be seen through is white in a JPEG, not black.
func TestTransparentThumbnail(t *testing.T) {
	p := prepared(t, asPNG(t, image.NewNRGBA(image.Rect(0, 0, 50, 50))), "logo.png", false)
	if r, g, b, _ := decoded(t, p.Thumb).At(25, 25).RGBA(); r>>8 < 250 || g>>8 < 250 || b>>8 < 250 {
		t.Errorf("it is %d %d %d", r>>8, g>>8, b>>8)
	}
	if _, _, _, a := decoded(t, p.Data).At(25, 25).RGBA(); a != 0 {
		t.Error("the PNG can't be seen through")
	}
}

// huge is a PNG that says it has so many pixels, and has none.
func huge(w, h uint32) []byte {
	b := []byte("\x89PNG\r\n\x1a\n")
	head := append(binary.BigEndian.AppendUint32(binary.BigEndian.AppendUint32([]byte("IHDR"), w), h), 8, 6, 0, 0, 0)
	b = append(binary.BigEndian.AppendUint32(b, 13), head...)
	return binary.BigEndian.AppendUint32(b, crc32.ChecksumIEEE(head))
}

func animated(t *testing.T, frames int) []byte {
	t.Helper()
	var all gif.GIF
	for range frames {
		all.Image = append(all.Image, image.NewPaletted(image.Rect(0, 0, 30, 20), color.Palette{color.White, color.Black}))
		all.Delay = append(all.Delay, 10)
	}
	var b bytes.Buffer
	if err := gif.EncodeAll(&b, &all); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

// What can't be encoded anew goes as it is, and says why.
func TestAsItIs(t *testing.T) {
	photo := picturetest.Photo(6, 300, 200)
	for name, tc := range map[string]struct {
		data  []byte
		why   Why
		w, h  int
		thumb bool
	}{
		"nothing":     {nil, NoPicture, 0, 0, false},
		"a text":      {[]byte("Hello, Ann"), NoPicture, 0, 0, false},
		"HEIC":        {[]byte("\x00\x00\x00\x18ftypheic\x00\x00\x00\x00mif1heic"), NoPicture, 0, 0, false},
		"HTML":        {[]byte("<!doctype html><script>alert(1)</script>"), NoPicture, 0, 0, false},
		"cut":         {photo[:len(photo)/2], Unreadable, 0, 0, false},
		"a beginning": {photo[:3], Unreadable, 0, 0, false},
		"huge":        {huge(60000, 60000), TooLarge, 0, 0, false},
		"long":        {huge(1, 1<<30), TooLarge, 0, 0, false},
		"a liar":      {huge(8000, 8000), Unreadable, 0, 0, false},
		"a film":      {animated(t, 3), Moving, 30, 20, true},
	} {
		t.Run(name, func(t *testing.T) {
			p := prepared(t, tc.data, "IMG.bin", false)
			if p.Why != tc.why || p.Data != nil || p.Name != "IMG.bin" || p.Width != tc.w || p.Height != tc.h || (p.Thumb != nil) != tc.thumb {
				t.Errorf("%d, %q, %d×%d, %d bytes, thumbnail of %d", p.Why, p.Name, p.Width, p.Height, len(p.Data), len(p.Thumb))
			}
			if _, err := Decode(bytes.NewReader(tc.data), MaxShown, 100); (err == nil) != tc.thumb {
				t.Errorf("shown: %v", err)
			}
		})
	}
	if p := prepared(t, animated(t, 1), "still.gif", false); p.Why != Encoded || p.Name != "still.png" {
		t.Errorf("a still GIF becomes %q, %d", p.Name, p.Why)
	}
	if _, err := Decode(bytes.NewReader(huge(7000, 7000)), MaxShown, 100); !errors.Is(err, ErrTooLarge) {
		t.Errorf("49 megapixels are shown: %v", err)
	}
}

// A progressive JPEG takes five times the memory of another one.
func TestProgressiveIsBounded(t *testing.T) {
	data := picturetest.Photo(1, 16, 16)
	i := bytes.Index(data, []byte{0xff, 0xc0})
	data = bytes.Clone(data)
	binary.BigEndian.PutUint16(data[i+5:], 7000)
	binary.BigEndian.PutUint16(data[i+7:], 7000)
	for marker, want := range map[byte]bool{0xc0: true, 0xc2: false} {
		data[i+1] = marker
		h, err := readHeader(bytes.NewReader(data))
		if err != nil || h.width != 7000 || h.bounded(MaxPixels) != want {
			t.Errorf("%x: %+v, %v", marker, h, err)
		}
	}
}

// A PNG and a WebP can have an orientation, too, and a PNG can move.
func TestChunks(t *testing.T) {
	plain := asPNG(t, picturetest.Stored(picturetest.Upright(60, 40), 6))
	chunk := func(kind string, data []byte) []byte {
		c := append([]byte(kind), data...)
		b := append(binary.BigEndian.AppendUint32(nil, uint32(len(data))), c...)
		return binary.BigEndian.AppendUint32(b, crc32.ChecksumIEEE(c))
	}
	with := func(c []byte) []byte { return bytes.Join([][]byte{plain[:33], c, plain[33:]}, nil) }
	p := prepared(t, with(chunk("eXIf", picturetest.EXIF(6))), "a.png", false)
	if p.Width != 60 || p.Height != 40 || picturetest.Wrong(decoded(t, p.Data)) != "" || bytes.Contains(p.Data, []byte("GPS")) {
		t.Errorf("a PNG with an orientation is %d×%d", p.Width, p.Height)
	}
	if p := prepared(t, with(chunk("acTL", make([]byte, 8))), "a.png", false); p.Why != Moving {
		t.Errorf("a PNG of several frames: %d", p.Why)
	}
	webp, err := os.ReadFile(filepath.Join("testdata", "quarters.webp"))
	if err != nil {
		t.Fatal(err)
	}
	if p := prepared(t, webp, "a.webp", false); p.Why != Encoded || p.Name != "a.jpg" || picturetest.Wrong(decoded(t, p.Data)) != "" {
		t.Errorf("a WebP: %d, %q", p.Why, p.Name)
	}
	exif := picturetest.EXIF(8)
	webp = append(binary.LittleEndian.AppendUint32(append(bytes.Clone(webp), "EXIF"...), uint32(len(exif))), exif...)
	if h, err := readHeader(bytes.NewReader(webp)); err != nil || h.orientation != 8 {
		t.Errorf("a WebP's orientation: %+v, %v", h, err)
	}
}

// A camera's notes may be broken in every way: the picture is sent as it lies.
func TestBrokenEXIF(t *testing.T) {
	exif := picturetest.EXIF(6)
	for cut := range len(exif) {
		orientationOf(exif[:cut])
	}
	for i := range exif[:40] {
		for _, b := range []byte{0, 1, 0x7f, 0xff} {
			broken := bytes.Clone(exif)
			broken[i] = b
			if o := orientationOf(broken); o < 1 || o > 8 {
				t.Fatalf("byte %d as %d: %d", i, b, o)
			}
		}
	}
	if o := orientationOf([]byte("II*\x00\x08\x00\x00\x00\x01\x00\x12\x01\x03\x00\x01\x00\x00\x00\x03\x00\x00\x00")); o != 3 {
		t.Errorf("the other byte order: %d", o)
	}
}

type broken struct{ *strings.Reader }

var errBroken = errors.New("the card was pulled out")

func (broken) Read([]byte) (int, error) { return 0, errBroken }

func TestReadError(t *testing.T) {
	if _, err := Prepare(broken{strings.NewReader("")}, "a", false); !errors.Is(err, errBroken) {
		t.Errorf("it is %v", err)
	}
}

func FuzzPrepare(f *testing.F) {
	f.Add(picturetest.Photo(6, 20, 10))
	f.Add(huge(100, 100))
	f.Fuzz(func(t *testing.T, data []byte) {
		if h, err := readHeader(bytes.NewReader(data)); err != nil || h.width*h.height > 1<<20 {
			return // slow
		}
		p, err := Prepare(bytes.NewReader(data), "a", false)
		if err != nil {
			t.Fatal(err)
		}
		if len(p.Thumb) > shared.MaxThumb || (p.Data != nil) != (p.Why == Encoded) {
			t.Errorf("%d, %d bytes, thumbnail of %d", p.Why, len(p.Data), len(p.Thumb))
		}
		for _, out := range [][]byte{p.Data, p.Thumb} {
			if out == nil {
				continue
			}
			c, _, err := image.DecodeConfig(bytes.NewReader(out))
			if err != nil || max(c.Width, c.Height) > MaxSide {
				t.Errorf("%d×%d: %v", c.Width, c.Height, err)
			}
		}
	})
}

func BenchmarkPrepare(b *testing.B) {
	var photo bytes.Buffer
	if err := jpeg.Encode(&photo, picturetest.Upright(4000, 3000), nil); err != nil {
		b.Fatal(err)
	}
	for b.Loop() {
		if _, err := Prepare(bytes.NewReader(photo.Bytes()), "a", false); err != nil {
			b.Fatal(err)
		}
	}
}
