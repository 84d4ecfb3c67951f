package files

import (
	"bytes"
	"encoding/binary"
	"image"
	_ "image/gif"  // for image.DecodeConfig
	_ "image/jpeg" // the same
	_ "image/png"  // the same
	"io"
	"path"
	"slices"
	"strings"
	"unicode"
)

// Other is the type of a file that is not shown: it is saved, whatever it says it is.
const Other = "application/octet-stream"

const (
	headBytes    = 16 << 10 // that are looked at to tell a file's type
	pageBytes    = 4096     // of these, where programs look for what makes a page
	configBytes  = 16 << 20 // before the size of a picture is found: what cameras add comes first
	mostPixels   = 64e6     // of a picture that is shown
	longestPixel = 1 << 15  // of its longer side
)

// kinds are the types that are shown, with the endings that their files have.
var kinds = map[string][]string{
	"image/jpeg": {"jpg", "jpeg", "jpe", "jfif"},
	"image/png":  {"png"},
	"image/gif":  {"gif"},
	"image/webp": {"webp"},
	"image/avif": {"avif"},
	"video/mp4":  {"mp4", "m4v"},
	"video/webm": {"webm"},
	"audio/mpeg": {"mp3"},
	"audio/mp4":  {"m4a", "m4b"},
	"audio/ogg":  {"ogg", "oga", "opus"},
	"video/ogg":  {"ogv", "ogg"},
	"audio/wav":  {"wav"},
}

// Kind returns the type of a file, as its content tells it, or Other. A file whose name
// has an ending of another type, or whose beginning could also be taken for a page, is
// Other, and so is a picture that is broken, or too large to be decoded on a phone. No
// more is decoded than how large it is.
func Kind(r io.ReaderAt, size int64, name string) string {
	head := make([]byte, min(size, headBytes))
	if _, err := r.ReadAt(head, 0); err != nil && err != io.EOF {
		return Other
	}
	kind := magic(head)
	switch {
	case kind == Other, !endsAs(name, kind), couldBePage(head):
		return Other
	case strings.HasPrefix(kind, "image/") && !showable(pixels(kind, head, io.NewSectionReader(r, 0, min(size, configBytes)))):
		return Other
	}
	return kind
}

// Shown reports whether a type is shown where it is, and not only saved.
func Shown(kind string) bool { return kinds[kind] != nil }

// endsAs reports whether a name may be that of a file of a kind. One without an ending,
// as in "trip 2.5", may be.
func endsAs(name, kind string) bool {
	ending := strings.ToLower(strings.TrimPrefix(path.Ext(name), "."))
	if strings.ContainsFunc(ending, unicode.IsSpace) || !strings.ContainsFunc(ending, unicode.IsLetter) {
		return true
	}
	return slices.Contains(kinds[kind], ending)
}

// couldBePage reports whether a beginning has what makes programs take a file for a
// page or a document, whatever its first bytes are.
func couldBePage(head []byte) bool {
	head = bytes.ToLower(head[:min(len(head), pageBytes)])
	for _, mark := range []string{"<!doctype", "<html", "<head", "<body", "<script", "<svg", "<iframe", "<img", "<object", "<embed", "<?php", "%pdf-"} {
		if bytes.Contains(head, []byte(mark)) {
			return true
		}
	}
	return false
}

// magic returns the type that the first bytes of a file are those of.
func magic(head []byte) string {
	at := func(offset int, mark string) bool {
		return len(head) >= offset+len(mark) && string(head[offset:offset+len(mark)]) == mark
	}
	switch {
	case at(0, "\xff\xd8\xff"):
		return "image/jpeg"
	case at(0, "\x89PNG\r\n\x1a\n") && at(12, "IHDR"):
		return "image/png"
	case at(0, "GIF87a"), at(0, "GIF89a"):
		return "image/gif"
	case at(0, "RIFF") && at(8, "WEBPVP8"):
		return "image/webp"
	case at(0, "RIFF") && at(8, "WAVEfmt "):
		return "audio/wav"
	case at(0, "\x1a\x45\xdf\xa3") && bytes.Contains(head[:min(len(head), 64)], []byte("\x42\x82\x84webm")):
		return "video/webm"
	case at(4, "ftyp"):
		return ofBrands(head)
	case at(0, "OggS"):
		return ofOgg(head)
	case at(0, "ID3"), isLayer3(head):
		return "audio/mpeg"
	}
	return Other
}

// ofBrands tells the types apart that ISO 14496-12 describes, by their brands.
func ofBrands(head []byte) string {
	end := int(min(uint64(binary.BigEndian.Uint32(head)), uint64(len(head))))
	var brands []string
	for i := 8; i+4 <= end; i += 4 {
		if i != 12 { // the version of the first one
			brands = append(brands, string(head[i:i+4]))
		}
	}
	has := func(of ...string) bool {
		return slices.ContainsFunc(brands, func(b string) bool { return slices.Contains(of, b) })
	}
	switch {
	case len(brands) == 0:
		return Other
	case has("avif", "avis"):
		return "image/avif"
	case has("heic", "heix", "hevc", "mif1", "msf1", "crx "):
		return Other
	case brands[0] == "M4A " || brands[0] == "M4B ":
		return "audio/mp4"
	case brands[0] != "qt  " && has("isom", "iso2", "iso4", "iso5", "iso6", "mp41", "mp42", "avc1", "dash", "M4V ", "MSNV"):
		return "video/mp4"
	}
	return Other
}

// ofOgg tells sound from video by the first packet (RFC 3533, RFC 5334).
func ofOgg(head []byte) string {
	if len(head) < 28 {
		return Other
	}
	packet := head[min(27+int(head[26]), len(head)):]
	for mark, kind := range map[string]string{
		"OpusHead": "audio/ogg", "\x01vorbis": "audio/ogg", "\x7fFLAC": "audio/ogg", "Speex   ": "audio/ogg", "\x80theora": "video/ogg",
	} {
		if bytes.HasPrefix(packet, []byte(mark)) {
			return kind
		}
	}
	return Other
}

// isLayer3 reports whether a file begins with two frames of MPEG audio, layer III.
func isLayer3(head []byte) bool {
	n := layer3(head)
	return n > 0 && n < len(head) && layer3(head[n:]) > 0
}

// layer3 returns how many bytes the frame has that b begins with; 0 for none.
func layer3(b []byte) int {
	if len(b) < 4 || b[0] != 0xff || b[1]&0xe6 != 0xe2 {
		return 0
	}
	version, rate, sampling, padding := b[1]>>3&3, int(b[2]>>4), b[2]>>2&3, int(b[2]>>1&1)
	if version == 1 || rate == 0 || rate == 15 || sampling == 3 {
		return 0
	}
	hertz, factor := []int{44100, 48000, 32000}[sampling], 144
	var kbit int
	if version == 3 {
		kbit = []int{0, 32, 40, 48, 56, 64, 80, 96, 112, 128, 160, 192, 224, 256, 320}[rate]
	} else {
		kbit, factor = []int{0, 8, 16, 24, 32, 40, 48, 56, 64, 80, 96, 112, 128, 144, 160}[rate], 72
		if hertz /= 2; version == 0 {
			hertz /= 2
		}
	}
	return factor*kbit*1000/hertz + padding
}

// pixels returns how large a picture says it is; zeros if it does not.
func pixels(kind string, head []byte, r io.Reader) (width, height int) {
	switch kind {
	case "image/webp":
		return ofWebP(head)
	case "image/avif":
		return ofAVIF(head)
	}
	config, _, err := image.DecodeConfig(r)
	if err != nil {
		return 0, 0
	}
	return config.Width, config.Height
}

func showable(width, height int) bool {
	return width > 0 && height > 0 && max(width, height) <= longestPixel && width*height <= mostPixels
}

// ofWebP reads the first chunk (RFC 9649).
func ofWebP(head []byte) (width, height int) {
	if len(head) < 30 {
		return 0, 0
	}
	le := binary.LittleEndian
	switch chunk := head[20:]; string(head[12:16]) {
	case "VP8X":
		return 1 + int(le.Uint32(chunk[4:])&0xffffff), 1 + int(le.Uint32(chunk[6:])>>8)
	case "VP8L":
		bits := le.Uint32(chunk[1:])
		if chunk[0] != 0x2f {
			return 0, 0
		}
		return 1 + int(bits&0x3fff), 1 + int(bits>>14&0x3fff)
	case "VP8 ":
		if string(chunk[3:6]) != "\x9d\x01\x2a" {
			return 0, 0
		}
		return int(le.Uint16(chunk[6:]) & 0x3fff), int(le.Uint16(chunk[8:]) & 0x3fff)
	}
	return 0, 0
}

// ofAVIF returns the largest that a part of the picture says it is.
func ofAVIF(head []byte) (width, height int) {
	for {
		i := bytes.Index(head, []byte("ispe"))
		if i < 0 || len(head) < i+16 {
			return width, height
		}
		be := binary.BigEndian
		width = max(width, int(be.Uint32(head[i+8:])&0x7fffffff))
		height = max(height, int(be.Uint32(head[i+12:])&0x7fffffff))
		head = head[i+16:]
	}
}
