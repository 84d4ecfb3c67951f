package files

import (
	"bytes"
	"encoding/binary"
	"hash/crc32"
	"image"
	"image/color"
	"image/gif"
	"image/jpeg"
	"image/png"
	"strings"
	"testing"
)

// picture is a picture of 30 × 20 pixels.
func picture(t *testing.T, encode func(*bytes.Buffer, image.Image) error) []byte {
	t.Helper()
	var b bytes.Buffer
	if err := encode(&b, image.NewPaletted(image.Rect(0, 0, 30, 20), color.Palette{color.Black, color.White})); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

func aJPEG(t *testing.T) []byte {
	return picture(t, func(b *bytes.Buffer, i image.Image) error { return jpeg.Encode(b, i, nil) })
}

func aPNG(t *testing.T) []byte {
	return picture(t, func(b *bytes.Buffer, i image.Image) error { return png.Encode(b, i) })
}

func aGIF(t *testing.T) []byte {
	return picture(t, func(b *bytes.Buffer, i image.Image) error { return gif.Encode(b, i, nil) })
}

// pngOf is a PNG that says how large it is, and has no pixels.
func pngOf(width, height uint32) []byte {
	b := []byte("\x89PNG\r\n\x1a\n\x00\x00\x00\x0dIHDR")
	b = binary.BigEndian.AppendUint32(b, width)
	b = binary.BigEndian.AppendUint32(b, height)
	b = append(b, 8, 2, 0, 0, 0)
	return binary.BigEndian.AppendUint32(b, crc32.ChecksumIEEE(b[12:]))
}

// ftyp is the first box of an ISO file, with what comes after it.
func ftyp(brands string, rest string) []byte {
	b := binary.BigEndian.AppendUint32(nil, uint32(12+len(brands)))
	return append(b, "ftyp"+brands[:4]+"\x00\x00\x00\x00"+brands[4:]+rest...)
}

func ispe(width, height uint32) string {
	b := []byte("\x00\x00\x00\x14ispe\x00\x00\x00\x00")
	return string(binary.BigEndian.AppendUint32(binary.BigEndian.AppendUint32(b, width), height))
}

// ogg is a page with one packet.
func ogg(packet string) []byte {
	return append([]byte("OggS\x00\x02"+strings.Repeat("\x00", 20)+"\x01"+string(rune(len(packet)))), packet+strings.Repeat("\x00", 16)...)
}

// A layer III frame of 128 kbit/s and 44.1 kHz.
func mp3(frames int) []byte {
	return bytes.Repeat(append([]byte("\xff\xfb\x90\x00"), make([]byte, 413)...), frames)
}

func TestKind(t *testing.T) {
	t.Parallel()
	vp8x := "RIFF\x00\x00\x00\x00WEBPVP8X\x0a\x00\x00\x00\x00\x00\x00\x00"
	webm := "\x1a\x45\xdf\xa3\x9f\x42\x86\x81\x01\x42\xf7\x81\x01\x42\xf2\x81\x04\x42\xf3\x81\x08\x42\x82\x84"
	for _, test := range []struct {
		what, name string
		data       []byte
		want       string
	}{
		{"a JPEG", "IMG.JPG", aJPEG(t), "image/jpeg"},
		{"a JPEG without an ending", "photo", aJPEG(t), "image/jpeg"},
		{"a JPEG with a number", "trip 2.5", aJPEG(t), "image/jpeg"},
		{"a JPEG named as a page", "a.html", aJPEG(t), Other},
		{"a JPEG named as a program", "a.jpg.exe", aJPEG(t), Other},
		{"a JPEG named as a PNG", "a.png", aJPEG(t), Other},
		{"a PNG", "a.png", aPNG(t), "image/png"},
		{"a GIF", "a.gif", aGIF(t), "image/gif"},
		{"a WebP, extended", "a.webp", []byte(vp8x + "\x1d\x00\x00\x13\x00\x00" + "rest"), "image/webp"},
		{"a WebP, lossy", "a.webp", []byte("RIFF\x00\x00\x00\x00WEBPVP8 \x20\x00\x00\x00\x10\x00\x00\x9d\x01\x2a\x1e\x00\x14\x00rest"), "image/webp"},
		{"a WebP, lossless", "a.webp", []byte("RIFF\x00\x00\x00\x00WEBPVP8L\x20\x00\x00\x00\x2f\x1d\xc0\x04\x00restrest"), "image/webp"},
		{"an AVIF", "a.avif", ftyp("avifmif1", "...."+ispe(30, 20)), "image/avif"},
		{"an MP4", "a.mp4", ftyp("isomiso2avc1mp41", ""), "video/mp4"},
		{"an M4A", "a.m4a", ftyp("M4A isommp42", ""), "audio/mp4"},
		{"a WebM", "a.webm", []byte(webm + "webm\x42\x87"), "video/webm"},
		{"an MP3", "a.mp3", mp3(2), "audio/mpeg"},
		{"an MP3 with a title", "a.mp3", []byte("ID3\x04\x00\x00\x00\x00\x00\x0aTIT2"), "audio/mpeg"},
		{"Opus", "a.ogg", ogg("OpusHead\x01\x02"), "audio/ogg"},
		{"Vorbis", "a.oga", ogg("\x01vorbis\x00\x00"), "audio/ogg"},
		{"Theora", "a.ogv", ogg("\x80theora\x03\x02"), "video/ogg"},
		{"a WAV", "a.wav", []byte("RIFF\x24\x00\x00\x00WAVEfmt \x10\x00\x00\x00"), "audio/wav"},

		{"nothing", "a.jpg", nil, Other},
		{"a page", "a.jpg", []byte("<!DOCTYPE html><script>alert(1)</script>"), Other},
		{"a drawing", "a.svg", []byte(`<svg xmlns="http://www.w3.org/2000/svg"><script>alert(1)</script></svg>`), Other},
		{"a PDF", "a.pdf", []byte("%PDF-1.7\n"), Other},
		{"an archive", "a.zip", []byte("PK\x03\x04"), Other},
		{"a text", "a.txt", []byte("RIFF and raff"), Other},
		{"a JPEG, broken", "a.jpg", aJPEG(t)[:30], Other},
		{"a JPEG's first bytes", "a.jpg", []byte("\xff\xd8\xff"), Other},
		{"a PNG, broken", "a.png", aPNG(t)[:20], Other},
		{"a GIF, broken", "a.gif", []byte("GIF89a"), Other},
		{"a WebP, broken", "a.webp", []byte("RIFF\x00\x00\x00\x00WEBPVP8X"), Other},
		{"an AVIF without a size", "a.avif", ftyp("avifmif1", "...."), Other},
		{"a huge PNG", "a.png", pngOf(60000, 60000), Other},
		{"a long PNG", "a.png", pngOf(1<<16, 1), Other},
		{"a huge WebP", "a.webp", []byte(vp8x + "\xff\xff\xff\xff\xff\xff" + "rest"), Other},
		{"an AVIF with a huge part", "a.avif", ftyp("avifmif1", ispe(30, 20)+ispe(60000, 60000)), Other},
		{"a GIF that is a page", "a.gif", append(aGIF(t), "<html><script>alert(1)</script>"...), Other},
		{"a GIF that is a script", "a.gif", []byte("GIF89a=1;/*<Script>*/alert(1)"), Other},
		{"a JPEG that is a PDF", "a.jpg", append([]byte("\xff\xd8\xff\xfe\x00\x0b%PDF-1.7\n"), aJPEG(t)[2:]...), Other},
		{"a HEIC", "a.heic", ftyp("heicmif1heic", ispe(30, 20)), Other},
		{"QuickTime", "a.mov", ftyp("qt  ", ""), Other},
		{"Matroska", "a.mkv", []byte(webm + "matroska"), Other},
		{"an empty ftyp", "a.mp4", []byte("\x00\x00\x00\x08ftypisom"), Other},
		{"UTF-16", "a.txt", []byte("\xff\xfea\x00b\x00"), Other},
		{"one frame of MP3", "a.mp3", mp3(1), Other},
		{"an ogg page of nothing", "a.ogg", []byte("OggS"), Other},
		{"an ogg page that lies", "a.ogg", append([]byte("OggS"+strings.Repeat("\x00", 22)+"\xff"), "OpusHead"...), Other},
	} {
		if got := Kind(bytes.NewReader(test.data), int64(len(test.data)), test.name); got != test.want {
			t.Errorf("%s, %q: %s, want %s", test.what, test.name, got, test.want)
		}
	}
	for kind := range kinds {
		if !Shown(kind) || Shown(Other) || Shown("text/html") || Shown("") {
			t.Errorf("%s is shown: %v", kind, Shown(kind))
		}
	}
}

// A thumbnail is a small JPEG, and nothing else.
func TestCheckThumb(t *testing.T) {
	t.Parallel()
	large := new(bytes.Buffer)
	if err := jpeg.Encode(large, image.NewGray(image.Rect(0, 0, 481, 1)), nil); err != nil {
		t.Fatal(err)
	}
	whole := aJPEG(t)
	for _, test := range []struct {
		what string
		data []byte
		want string
	}{
		{"one", whole, ""},
		{"one of 32 KiB", append(bytes.Clone(whole), make([]byte, 32<<10-len(whole))...), ""},
		{"a byte more", append(bytes.Clone(whole), make([]byte, 32<<10+1-len(whole))...), "over 32768 bytes"},
		{"nothing", nil, "no JPEG"},
		{"a PNG", aPNG(t), "no JPEG"},
		{"half a header", whole[:40], "no JPEG"},
		{"a page, too", append([]byte("\xff\xd8\xff\xfe\x00\x0a<script>"), whole[2:]...), "no JPEG"},
		{"too wide", large.Bytes(), "480 pixels"},
	} {
		if got := checkThumb(test.data); got != test.want && (test.want == "" || !strings.Contains(got, test.want)) {
			t.Errorf("%s: %q, want %q", test.what, got, test.want)
		}
	}
}

func FuzzKind(f *testing.F) {
	for _, s := range []string{"", "\xff\xd8\xff", "GIF89a", "\x00\x00\x00\x20ftypavif", "OggS", "\xff\xfb\x90\x00", "RIFF\x00\x00\x00\x00WEBPVP8 ", string(pngOf(1, 1))} {
		f.Add([]byte(s), "a.jpg")
	}
	f.Fuzz(func(t *testing.T, data []byte, name string) {
		kind := Kind(bytes.NewReader(data), int64(len(data)), name)
		if kind != Other && (!Shown(kind) || couldBePage(data)) {
			t.Errorf("%q is %s", data, kind)
		}
		checkThumb(data)
	})
}
