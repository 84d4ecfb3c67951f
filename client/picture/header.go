package picture

import (
	"bufio"
	"bytes"
	"encoding/binary"
	"errors"
	"image"
	"image/color"
	"image/gif"
	"image/jpeg"
	"image/png"
	"io"

	"golang.org/x/image/webp"
)

// header is what the beginning of a file tells of a picture, before it is decoded.
type header struct {
	kind          string // jpeg, png, gif, webp; "" for anything else
	width, height int    // as they are stored; 0 if the file is broken
	orientation   int    // of EXIF, 1 to 8
	perPixel      int    // bytes that decoding takes for each pixel
	moving        bool   // it has several frames
}

// upright is the size of the picture when it is turned as EXIF says.
func (h header) upright() (width, height int) {
	if h.orientation >= 5 {
		return h.height, h.width
	}
	return h.width, h.height
}

// bounded reports whether the picture can be decoded within most pixels and the memory
// that there is for it.
func (h header) bounded(most int) bool {
	pixels := int64(h.width) * int64(h.height)
	return pixels <= int64(most) && pixels*int64(h.perPixel) <= maxMemory
}

// lossless reports whether the picture came without loss.
func (h header) lossless() bool { return h.kind == "png" || h.kind == "gif" }

const maxSegments = 4096 // that are looked at

// readHeader reads a file's header. The error is r's; one in the picture leaves its
// width 0.
func readHeader(r io.ReadSeeker) (header, error) {
	h := header{orientation: 1, perPixel: 4}
	var magic [12]byte
	if err := rewind(r); err != nil {
		return h, err
	}
	n, err := io.ReadFull(r, magic[:])
	if err != nil && err != io.EOF && !errors.Is(err, io.ErrUnexpectedEOF) {
		return h, err
	}
	var config func(io.Reader) (image.Config, error)
	var scan func(*header, *bufio.Reader)
	switch m := magic[:n]; {
	case bytes.HasPrefix(m, []byte("\xff\xd8\xff")):
		h.kind, config, scan = "jpeg", jpeg.DecodeConfig, (*header).scanJPEG
	case bytes.HasPrefix(m, []byte("\x89PNG\r\n\x1a\n")):
		h.kind, config, scan = "png", png.DecodeConfig, (*header).scanPNG
	case bytes.HasPrefix(m, []byte("GIF8")):
		h.kind, config, scan = "gif", gif.DecodeConfig, (*header).scanGIF
	case n == 12 && bytes.HasPrefix(m, []byte("RIFF")) && string(m[8:]) == "WEBP":
		h.kind, config, scan = "webp", webp.DecodeConfig, (*header).scanWebP
	default:
		return h, nil
	}
	if err := rewind(r); err != nil {
		return h, err
	}
	c, err := config(bufio.NewReader(r))
	if err != nil || c.Width <= 0 || c.Height <= 0 {
		return h, rewind(r)
	}
	h.width, h.height = c.Width, c.Height
	switch c.ColorModel {
	case color.RGBA64Model, color.NRGBA64Model:
		h.perPixel = 8
	case color.CMYKModel:
		h.perPixel = 8
	}
	if err := rewind(r); err != nil {
		return h, err
	}
	scan(&h, bufio.NewReader(r))
	return h, rewind(r)
}

func rewind(r io.Seeker) error {
	_, err := r.Seek(0, io.SeekStart)
	return err
}

// scanJPEG reads the segments before the picture (ITU T.81, B.1): the orientation, and
// whether it is progressive. The decoder keeps such a one's coefficients, which are
// four bytes, next to its pixels.
func (h *header) scanJPEG(r *bufio.Reader) {
	_, _ = r.Discard(2)
	for range maxSegments {
		b, err := r.ReadByte()
		for err == nil && b != 0xff {
			b, err = r.ReadByte()
		}
		for err == nil && b == 0xff {
			b, err = r.ReadByte()
		}
		if err != nil {
			return
		}
		if b == 0 || b == 0x01 || b >= 0xd0 && b <= 0xd8 { // without a length
			continue
		}
		size, err := be16(r)
		if err != nil || size < 2 || b == 0xd9 || b == 0xda {
			return
		}
		size -= 2
		switch {
		case b == 0xe1 && h.orientation == 1:
			data := make([]byte, size)
			if _, err := io.ReadFull(r, data); err != nil {
				return
			}
			if exif, ok := bytes.CutPrefix(data, []byte("Exif\x00\x00")); ok {
				h.orientation = orientationOf(exif)
			}
		case b >= 0xc0 && b <= 0xcf && b != 0xc4 && b != 0xc8 && b != 0xcc:
			data := make([]byte, size)
			if _, err := io.ReadFull(r, data); err != nil || size < 6 {
				return
			}
			h.perPixel += planes(data[5:], b == 0xc2)
			return
		default:
			if _, err := r.Discard(size); err != nil {
				return
			}
		}
	}
}

// planes is what the planes of a JPEG take for a pixel, in bytes, less the four that
// are counted already. components is the frame header from the number of components on.
func planes(components []byte, progressive bool) int {
	n, most, sum := int(components[0]), 1, 0
	if len(components) < 1+3*n {
		return 0
	}
	for i := range n {
		hv := components[1+3*i+1]
		area := int(hv>>4) * int(hv&15)
		most, sum = max(most, area), sum+area
	}
	perPixel := (sum + most - 1) / most
	if progressive {
		return perPixel*5 - 4
	}
	return max(perPixel-4, 0)
}

// scanPNG reads the chunks before the picture: its orientation, and whether it moves.
func (h *header) scanPNG(r *bufio.Reader) {
	_, _ = r.Discard(8)
	for range maxSegments {
		var head [8]byte
		if _, err := io.ReadFull(r, head[:]); err != nil {
			return
		}
		size := binary.BigEndian.Uint32(head[:])
		switch string(head[4:]) {
		case "IDAT", "IEND":
			return
		case "acTL":
			h.moving = true
		case "eXIf":
			if size > 64<<10 {
				return
			}
			data := make([]byte, size)
			if _, err := io.ReadFull(r, data); err != nil {
				return
			}
			h.orientation = orientationOf(data)
			size = 0
		}
		if _, err := io.CopyN(io.Discard, r, int64(size)+4); err != nil { // and its checksum
			return
		}
	}
}

// scanGIF looks for a second frame.
func (h *header) scanGIF(r *bufio.Reader) {
	var screen [13]byte
	if _, err := io.ReadFull(r, screen[:]); err != nil {
		return
	}
	table := func(flags byte) {
		if flags&0x80 != 0 {
			_, _ = r.Discard(3 << (flags&7 + 1))
		}
	}
	blocks := func() error {
		for {
			n, err := r.ReadByte()
			if err != nil || n == 0 {
				return err
			}
			if _, err := r.Discard(int(n)); err != nil {
				return err
			}
		}
	}
	table(screen[10])
	for frames := 0; frames < 2; {
		what, err := r.ReadByte()
		if err != nil {
			return
		}
		switch what {
		case 0x21: // an extension
			_, err = r.Discard(1)
		case 0x2c: // a frame
			frames++
			h.moving = frames > 1
			var frame [9]byte
			if _, err = io.ReadFull(r, frame[:]); err == nil {
				table(frame[8])
				_, err = r.Discard(1)
			}
		default:
			return
		}
		if err != nil || blocks() != nil {
			return
		}
	}
}

// scanWebP reads the chunks: the orientation, and whether it moves.
func (h *header) scanWebP(r *bufio.Reader) {
	_, _ = r.Discard(12)
	for range maxSegments {
		var head [8]byte
		if _, err := io.ReadFull(r, head[:]); err != nil {
			return
		}
		size := int64(binary.LittleEndian.Uint32(head[4:]))
		size += size & 1
		switch kind := string(head[:4]); {
		case kind == "ANIM" || kind == "ANMF":
			h.moving = true
			return
		case kind == "EXIF" && size <= 64<<10:
			data := make([]byte, size)
			if _, err := io.ReadFull(r, data); err != nil {
				return
			}
			h.orientation = orientationOf(bytes.TrimPrefix(data, []byte("Exif\x00\x00")))
			return
		}
		if _, err := io.CopyN(io.Discard, r, size); err != nil {
			return
		}
	}
}

// orientationOf is the tag Orientation (0x0112) in the first directory of an EXIF
// block, 1 if there is none (TIFF 6.0, 2).
func orientationOf(exif []byte) int {
	if len(exif) < 8 {
		return 1
	}
	var order binary.ByteOrder
	switch string(exif[:4]) {
	case "II*\x00":
		order = binary.LittleEndian
	case "MM\x00*":
		order = binary.BigEndian
	default:
		return 1
	}
	at := int64(order.Uint32(exif[4:]))
	if at+2 > int64(len(exif)) {
		return 1
	}
	entries := exif[at+2:]
	for range order.Uint16(exif[at:]) {
		if len(entries) < 12 {
			return 1
		}
		if order.Uint16(entries) == 0x0112 && order.Uint16(entries[2:]) == 3 {
			if o := int(order.Uint16(entries[8:])); o >= 1 && o <= 8 {
				return o
			}
			return 1
		}
		entries = entries[12:]
	}
	return 1
}

func be16(r io.Reader) (int, error) {
	var b [2]byte
	_, err := io.ReadFull(r, b[:])
	return int(binary.BigEndian.Uint16(b[:])), err
}
