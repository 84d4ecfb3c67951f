// Package picture makes a picture ready to leave the device: turned upright, no larger
// than a screen needs, and without what a camera notes about place and time. It knows
// neither Fyne nor the network.
package picture

import (
	"bufio"
	"errors"
	"image"
	"image/gif"
	"image/jpeg"
	"image/png"
	"io"
	"path"
	"strings"
	"sync"

	"golang.org/x/image/webp"
)

const (
	// MaxSide is the longest side of a picture that was prepared, in pixels.
	MaxSide = 2560
	// MaxPixels is what a picture may have to be decoded. Cameras of "64 megapixels"
	// have a few more than 64,000,000.
	MaxPixels = 64 << 20
	// MaxShown is what a picture may have to be shown whole, in pixels.
	MaxShown = 40_000_000

	maxMemory = 256 << 20 // what decoding may take, in bytes
	quality   = 82        // of a JPEG
	sharp     = 1 << 20   // up to this size a PNG stays one, in bytes
)

// Why says why a file goes as it is.
type Why int

// The reasons.
const (
	Encoded    Why = iota // it does not: it was encoded anew
	Asked                 // the person wants it so
	NoPicture             // it is none, or one that Parley does not read, as HEIC
	TooLarge              // it has too many pixels to be decoded
	Unreadable            // it is broken
	Moving                // it has several frames
)

// Prepared is a file as it leaves the device.
type Prepared struct {
	Name          string // its ending fits the content
	Data          []byte // what leaves the device; nil: the file itself, see Why
	Why           Why
	Width, Height int    // upright, in pixels; 0 if they are not known
	Thumb         []byte // a JPEG of at most shared.MaxThumb bytes and MaxThumbSide pixels, or nil

	untouched *Prepared // the same file as it is
}

// AsItIs is the same file, untouched.
func (p Prepared) AsItIs() Prepared {
	if p.untouched != nil {
		return *p.untouched
	}
	return p
}

// ErrTooLarge is why a picture is not shown: it has too many pixels.
var ErrTooLarge = errors.New("the picture has too many pixels")

// decoding admits one picture at a time: two would take twice the memory. A small one,
// as a thumbnail, does not wait.
var decoding sync.Mutex

const small = 1 << 20 // pixels

// Prepare makes a file of a name ready to be sent. With asItIs, and if it is no picture
// that can be decoded, the file goes untouched; Why says so. The error is r's.
func Prepare(r io.ReadSeeker, name string, asItIs bool) (Prepared, error) {
	p := Prepared{Name: name}
	h, err := readHeader(r)
	if err != nil {
		return p, err
	}
	if p.Width, p.Height = h.upright(); !h.bounded(MaxPixels) {
		p.Width, p.Height = 0, 0
	}
	switch {
	case h.kind == "":
		p.Why = NoPicture
		return p, nil
	case h.width == 0:
		p.Why = Unreadable
		return p, nil
	case !h.bounded(MaxPixels):
		p.Why = TooLarge
		return p, nil
	}
	decoding.Lock()
	defer decoding.Unlock()
	img, err := h.decode(r, MaxSide)
	if err != nil {
		p.Why, p.Width, p.Height = Unreadable, 0, 0
		return p, nil
	}
	p.Thumb = thumb(img)
	switch {
	case asItIs:
		p.Why = Asked
	case h.moving:
		p.Why = Moving
	default:
		untouched := p
		untouched.Why = Asked
		p.untouched = &untouched
		p.Width, p.Height = img.Bounds().Dx(), img.Bounds().Dy()
		var ending string
		p.Data, ending = encode(img, h.lossless())
		p.Name = strings.TrimSuffix(name, path.Ext(name)) + ending
	}
	return p, nil
}

// Decode reads a picture upright, with at most most pixels, and makes it as small as
// side by side. The error is ErrTooLarge, the decoder's or r's.
func Decode(r io.ReadSeeker, most, side int) (image.Image, error) {
	h, err := readHeader(r)
	switch {
	case err != nil:
		return nil, err
	case h.kind == "" || h.width == 0:
		return nil, image.ErrFormat
	case !h.bounded(most):
		return nil, ErrTooLarge
	}
	if h.width*h.height > small {
		decoding.Lock()
		defer decoding.Unlock()
	}
	return h.decode(r, side)
}

// decode reads all of a picture, scales it and turns it upright.
func (h header) decode(r io.ReadSeeker, side int) (*image.RGBA, error) {
	if err := rewind(r); err != nil {
		return nil, err
	}
	in := bufio.NewReader(r)
	var img image.Image
	var err error
	switch h.kind {
	case "jpeg":
		img, err = jpeg.Decode(in)
	case "png":
		img, err = png.Decode(in)
	case "gif":
		img, err = gif.Decode(in)
	case "webp":
		img, err = webp.Decode(in)
	default:
		err = image.ErrFormat
	}
	if err != nil {
		return nil, err
	}
	if b := img.Bounds(); b.Empty() {
		return nil, image.ErrFormat
	}
	return turn(scale(img, side), h.orientation), nil
}
