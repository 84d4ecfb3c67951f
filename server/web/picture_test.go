package web_test

import (
	"bytes"
	"encoding/base64"
	"encoding/binary"
	"hash/crc32"
	"image"
	"image/color"
	"image/draw"
	"image/gif"
	"image/jpeg"
	"image/png"
	"math/rand"
	"strings"
	"testing"
)

// taken is what a camera writes into a picture besides the picture.
const taken = "TAKEN-AT-HOME"

// halves is a picture whose left half is red and whose right half is blue.
func halves(width, height int) *image.RGBA {
	m := image.NewRGBA(image.Rect(0, 0, width, height))
	draw.Draw(m, m.Bounds(), image.NewUniform(color.RGBA{B: 200, A: 255}), image.Point{}, draw.Src)
	draw.Draw(m, image.Rect(0, 0, width/2, height), image.NewUniform(color.RGBA{R: 200, A: 255}), image.Point{}, draw.Src)
	return m
}

// noise is a picture that no format makes small.
func noise(width, height int) *image.RGBA {
	m, r := image.NewRGBA(image.Rect(0, 0, width, height)), rand.New(rand.NewSource(1))
	for i := range m.Pix {
		m.Pix[i] = byte(r.Intn(256)) | byte(255*(i%4/3))
	}
	return m
}

// photo is a JPEG as a phone takes it: lying on its side, which its EXIF says, and
// with the place.
func photo(t *testing.T, m image.Image, orientation uint16) []byte {
	t.Helper()
	var exif bytes.Buffer
	exif.WriteString("Exif\x00\x00II*\x00\x08\x00\x00\x00")
	entry := func(tag, kind uint16, count, value uint32) {
		binary.Write(&exif, binary.LittleEndian, tag)
		binary.Write(&exif, binary.LittleEndian, kind)
		binary.Write(&exif, binary.LittleEndian, []uint32{count, value})
	}
	const ifd, gps = 8, 8 + 2 + 2*12 + 4
	binary.Write(&exif, binary.LittleEndian, uint16(2))
	entry(0x0112, 3, 1, uint32(orientation))
	entry(0x8825, 4, 1, gps)
	binary.Write(&exif, binary.LittleEndian, uint32(0))
	binary.Write(&exif, binary.LittleEndian, uint16(1))
	entry(0x001c, 2, uint32(len(taken)+1), gps+2+12+4) // GPSAreaInformation
	binary.Write(&exif, binary.LittleEndian, uint32(0))
	exif.WriteString(taken + "\x00")

	var picture bytes.Buffer
	if err := jpeg.Encode(&picture, m, &jpeg.Options{Quality: 95}); err != nil {
		t.Fatal(err)
	}
	out := []byte{0xff, 0xd8, 0xff, 0xe1}
	out = binary.BigEndian.AppendUint16(out, uint16(exif.Len()+2))
	return append(append(out, exif.Bytes()...), picture.Bytes()[2:]...)
}

func encodePNG(t *testing.T, m image.Image) []byte {
	t.Helper()
	var b bytes.Buffer
	if err := png.Encode(&b, m); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

// vast is a PNG that says it has sides of 60,000 pixels.
func vast(t *testing.T) []byte {
	data := encodePNG(t, halves(2, 2))
	binary.BigEndian.PutUint32(data[16:], 60000)
	binary.BigEndian.PutUint32(data[20:], 60000)
	binary.BigEndian.PutUint32(data[29:], crc32.ChecksumIEEE(data[12:29]))
	return data
}

// vastGIF is a GIF whose first picture is larger than all of it.
func vastGIF(data []byte) []byte {
	data = bytes.Clone(data)
	at := bytes.IndexByte(data[13+6:], 0x2c) + 13 + 6
	binary.LittleEndian.PutUint16(data[at+5:], 60000)
	binary.LittleEndian.PutUint16(data[at+7:], 60000)
	return data
}

// prepared is what the page makes of a file.
type prepared struct {
	Name, Only, Data, Thumb string // base64
	Width, Height           int
	Original                struct{ Width, Height int }
}

// prepare has the page prepare files, the data of each by its name.
func (p *page) prepare(name string, data []byte) prepared {
	p.t.Helper()
	return eval[prepared](p, `(async (name, data) => {
		const {prepare} = await import('/static/picture.js');
		const base64 = async blob => blob ? btoa(Array.from(new Uint8Array(await blob.arrayBuffer()), c => String.fromCharCode(c)).join('')) : '';
		const {anew, thumb, only = '', original} = await prepare(new File([Uint8Array.from(atob(data), c => c.charCodeAt(0))], name), name);
		const {blob, name: named, width, height} = anew || original;
		return {Name: named, Only: only, Width: width, Height: height, Original: {Width: original.width, Height: original.height}, Data: await base64(blob), Thumb: await base64(thumb)};
	})(`+quote(name)+`, "`+base64.StdEncoding.EncodeToString(data)+`")`)
}

func decoded(t *testing.T, data string) (image.Image, string, []byte) {
	t.Helper()
	raw, err := base64.StdEncoding.DecodeString(data)
	if err != nil {
		t.Fatal(err)
	}
	m, format, err := image.Decode(bytes.NewReader(raw))
	if err != nil {
		t.Fatalf("%v: %.40q", err, raw)
	}
	return m, format, raw
}

func isRed(c color.Color) bool { r, _, b, _ := c.RGBA(); return r > 0x8000 && b < 0x4000 }

func TestPreparedPictures(t *testing.T) {
	t.Parallel()
	p := newPerson(t)
	p.open(staticServer(t) + "/")
	small, wide := encodePNG(t, halves(300, 200)), encodePNG(t, noise(900, 500))
	clear := image.NewRGBA(image.Rect(0, 0, 64, 64))
	var moving bytes.Buffer
	frame := image.NewPaletted(image.Rect(0, 0, 60, 40), color.Palette{color.RGBA{R: 200, A: 255}, color.Black})
	if err := gif.EncodeAll(&moving, &gif.GIF{Image: []*image.Paletted{frame, frame}, Delay: []int{10, 10}}); err != nil {
		t.Fatal(err)
	}
	for _, test := range []struct {
		file          string
		data          []byte
		name, format  string
		width, height int
		only          string
	}{
		{"IMG_1.JPG", photo(t, halves(400, 200), 6), "IMG_1.jpg", "jpeg", 200, 400, ""},
		{"IMG_2.jpeg", photo(t, halves(4000, 1000), 1), "IMG_2.jpg", "jpeg", 2560, 640, ""},
		{"IMG_3.jpeg", photo(t, halves(3000, 400), 6), "IMG_3.jpg", "jpeg", 341, 2560, ""},
		{"line.png", encodePNG(t, halves(5200, 1)), "line.png", "png", 2560, 1, ""},
		{"screen.png", small, "screen.png", "png", 300, 200, ""},
		{"noise.png", wide, "noise.jpg", "jpeg", 900, 500, ""},
		{"clear.png", encodePNG(t, clear), "clear.png", "png", 64, 64, ""},
		{"lies.txt", small, "lies.png", "png", 300, 200, ""},
		{"moves.gif", moving.Bytes(), "moves.gif", "gif", 60, 40, "moves"},
		{"vast.png", vast(t), "vast.png", "", 0, 0, "large"},
		{"vast.gif", vastGIF(moving.Bytes()), "vast.gif", "", 0, 0, "large"},
		{"cut.png", small[:40], "cut.png", "", 0, 0, "broken"},
		{"empty.jpg", []byte("\xff\xd8\xff"), "empty.jpg", "", 0, 0, "broken"},
		{"page.html", []byte("<script>alert(1)</script>"), "page.html", "", 0, 0, ""},
		{"drawing.svg", []byte(`<svg xmlns="http://www.w3.org/2000/svg"/>`), "drawing.svg", "", 0, 0, ""},
		{"", nil, "", "", 0, 0, ""},
	} {
		got := p.prepare(test.file, test.data)
		if got.Name != test.name || got.Width != test.width || got.Height != test.height || got.Only != test.only {
			t.Errorf("%s: %q, %d × %d, only %q", test.file, got.Name, got.Width, got.Height, got.Only)
		}
		if test.format == "" {
			if got.Thumb != "" || got.Data != base64.StdEncoding.EncodeToString(test.data) {
				t.Errorf("%s: is not left as it is", test.file)
			}
			continue
		}
		m, format, raw := decoded(t, got.Data)
		if format != test.format || m.Bounds().Dx() != test.width || m.Bounds().Dy() != test.height {
			t.Errorf("%s: is a %s of %v", test.file, format, m.Bounds())
		}
		if bytes.Contains(raw, []byte(taken)) || bytes.Contains(raw, []byte("Exif")) {
			t.Errorf("%s: says where it was taken", test.file)
		}
		if strings.HasPrefix(test.file, "IMG") && (!isRed(m.At(1, 1)) || isRed(m.At(test.width-2, test.height-2)) || (test.height > test.width) != isRed(m.At(test.width-2, 1))) {
			t.Errorf("%s: does not stand upright", test.file)
		}
		small, format, raw := decoded(t, got.Thumb)
		if format != "jpeg" || max(small.Bounds().Dx(), small.Bounds().Dy()) > 480 || len(raw) > 32<<10 || bytes.Contains(raw, []byte("Exif")) {
			t.Errorf("%s: the thumbnail is a %s of %v with %d bytes", test.file, format, small.Bounds(), len(raw))
		}
	}
	if got := p.prepare("clear.png", encodePNG(t, clear)); got.Thumb != "" {
		m, _, _ := decoded(t, got.Thumb)
		if r, _, _, _ := m.At(9, 9).RGBA(); r < 0xf000 {
			t.Error("what is transparent is dark in the thumbnail")
		}
	}
}

// TestNoisyCanvas has a browser that gives out noise for what is drawn: no picture
// is made of that.
func TestNoisyCanvas(t *testing.T) {
	t.Parallel()
	p := newPerson(t)
	p.open(staticServer(t) + "/")
	eval[any](p, "CanvasRenderingContext2D.prototype.getImageData = () => ({data: [255, 255, 255, 255]})")
	if got := p.prepare("a.png", encodePNG(t, halves(30, 20))); got.Only != "broken" || got.Thumb != "" {
		t.Errorf("%+v", got)
	}
}
