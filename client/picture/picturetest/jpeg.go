// Package picturetest makes the photos that tests send.
package picturetest

import (
	"bytes"
	"encoding/binary"
	"image"
	"image/color"
	"image/draw"
	"image/jpeg"
)

// Place is in a Photo's EXIF, where a camera has the place and the time.
const Place = "GPS: 52.5200 N 13.4050 E 2026:07:14 12:34:56"

// The colours of an upright Photo's corners.
var (
	TopLeft     = color.RGBA{220, 30, 30, 255}
	TopRight    = color.RGBA{30, 200, 30, 255}
	BottomLeft  = color.RGBA{30, 30, 220, 255}
	BottomRight = color.RGBA{230, 220, 30, 255}
)

// Upright is a picture with four different quarters.
func Upright(width, height int) *image.RGBA {
	img := image.NewRGBA(image.Rect(0, 0, width, height))
	w, h := (width+1)/2, (height+1)/2
	for at, c := range map[image.Point]color.RGBA{{0, 0}: TopLeft, {w, 0}: TopRight, {0, h}: BottomLeft, {w, h}: BottomRight} {
		draw.Draw(img, image.Rect(at.X, at.Y, at.X+w, at.Y+h), image.NewUniform(c), image.Point{}, draw.Src)
	}
	return img
}

// Photo is a JPEG that is width by height when it is turned as its EXIF orientation, 1
// to 8, says. Its EXIF has Place, too.
func Photo(orientation, width, height int) []byte {
	return Tagged(Stored(Upright(width, height), orientation), orientation)
}

// Tagged is a picture as a JPEG with an EXIF orientation and Place.
func Tagged(img image.Image, orientation int) []byte {
	var plain bytes.Buffer
	if err := jpeg.Encode(&plain, img, &jpeg.Options{Quality: 95}); err != nil {
		panic(err)
	}
	exif := append([]byte("Exif\x00\x00"), EXIF(orientation)...)
	segment := binary.BigEndian.AppendUint16([]byte{0xff, 0xe1}, uint16(len(exif)+2))
	return bytes.Join([][]byte{plain.Bytes()[:2], segment, exif, plain.Bytes()[2:]}, nil)
}

// EXIF is a block of two tags: a description, which is Place, and the orientation.
func EXIF(orientation int) []byte {
	o := binary.BigEndian
	b := []byte("MM\x00*\x00\x00\x00\x08\x00\x02")
	b = append(o.AppendUint32(append(b, 0x01, 0x0e, 0, 2), uint32(len(Place))), 0, 0, 0, 38) // ImageDescription
	b = append(b, 0x01, 0x12, 0, 3, 0, 0, 0, 1, 0, byte(orientation), 0, 0)
	return append(append(b, 0, 0, 0, 0), Place...)
}

// Stored is how a camera stores an upright picture that it notes an orientation for:
// row 0 and column 0 of what is stored are the sides that CIPA DC-008 names.
func Stored(upright *image.RGBA, orientation int) *image.RGBA {
	w, h := upright.Bounds().Dx(), upright.Bounds().Dy()
	sw, sh := w, h
	if orientation >= 5 {
		sw, sh = h, w
	}
	to := image.NewRGBA(image.Rect(0, 0, sw, sh))
	for row := range sh {
		for column := range sw {
			var x, y int
			switch orientation {
			case 1: // row 0 is the top, column 0 the left side
				x, y = column, row
			case 2: // top, right
				x, y = w-1-column, row
			case 3: // bottom, right
				x, y = w-1-column, h-1-row
			case 4: // bottom, left
				x, y = column, h-1-row
			case 5: // left, top
				x, y = row, column
			case 6: // right, top
				x, y = w-1-row, column
			case 7: // right, bottom
				x, y = w-1-row, h-1-column
			case 8: // left, bottom
				x, y = row, h-1-column
			}
			copy(to.Pix[to.PixOffset(column, row):], upright.Pix[upright.PixOffset(x, y):][:4])
		}
	}
	return to
}

// Wrong names the first corner of a picture that does not have the colour it has
// upright; "" if all are right. JPEGs blur colours a little.
func Wrong(img image.Image) string {
	b := img.Bounds()
	x1, x2 := b.Min.X+b.Dx()/8, b.Max.X-1-b.Dx()/8
	y1, y2 := b.Min.Y+b.Dy()/8, b.Max.Y-1-b.Dy()/8
	for _, at := range []struct {
		name string
		x, y int
		want color.RGBA
	}{
		{"top left", x1, y1, TopLeft}, {"top right", x2, y1, TopRight},
		{"bottom left", x1, y2, BottomLeft}, {"bottom right", x2, y2, BottomRight},
	} {
		r, g, b, _ := img.At(at.x, at.y).RGBA()
		if far(r>>8, at.want.R) || far(g>>8, at.want.G) || far(b>>8, at.want.B) {
			return at.name
		}
	}
	return ""
}

func far(a uint32, b uint8) bool { return max(int(a)-int(b), int(b)-int(a)) > 24 }
