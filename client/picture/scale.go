package picture

import (
	"bytes"
	"image"
	"image/color"
	"image/jpeg"
	"image/png"

	"golang.org/x/image/draw"

	"parley/shared"
)

// within is the size of a picture that is made as small as side by side.
func within(width, height, side int) (w, h int) {
	switch longest := max(width, height); {
	case longest <= side:
		return width, height
	case width >= height:
		return side, max((height*side+width/2)/width, 1)
	default:
		return max((width*side+height/2)/height, 1), side
	}
}

// scale draws a picture as small as side by side. ApproxBiLinear takes a tenth of the
// time and the memory of draw.CatmullRom. It averages four pixels only, so what is to
// become very small goes by halves.
func scale(img image.Image, side int) *image.RGBA {
	for b := img.Bounds(); max(b.Dx(), b.Dy()) > 4*side; b = img.Bounds() {
		img = resize(img, (b.Dx()+1)/2, (b.Dy()+1)/2)
	}
	w, h := within(img.Bounds().Dx(), img.Bounds().Dy(), side)
	return resize(img, w, h)
}

func resize(img image.Image, w, h int) *image.RGBA {
	to := image.NewRGBA(image.Rect(0, 0, w, h))
	draw.ApproxBiLinear.Scale(to, to.Bounds(), img, img.Bounds(), draw.Src, nil)
	return to
}

// turn makes a picture upright by its EXIF orientation, 1 to 8 (CIPA DC-008, 4.6.5.1).
func turn(img *image.RGBA, orientation int) *image.RGBA {
	if orientation < 2 || orientation > 8 {
		return img
	}
	w, h := img.Bounds().Dx(), img.Bounds().Dy()
	size := image.Rect(0, 0, w, h)
	if orientation >= 5 {
		size = image.Rect(0, 0, h, w)
	}
	to := image.NewRGBA(size)
	for y := range h {
		for x := range w {
			tx, ty := x, y
			switch orientation {
			case 2:
				tx = w - 1 - x
			case 3:
				tx, ty = w-1-x, h-1-y
			case 4:
				ty = h - 1 - y
			case 5:
				tx, ty = y, x
			case 6:
				tx, ty = h-1-y, x
			case 7:
				tx, ty = h-1-y, w-1-x
			case 8:
				tx, ty = y, w-1-x
			}
			i, j := img.PixOffset(x, y), to.PixOffset(tx, ty)
			copy(to.Pix[j:j+4:j+4], img.Pix[i:i+4:i+4])
		}
	}
	return to
}

// encode makes a JPEG; or, of what came without loss, a PNG if that is the smaller or
// small enough, so that screenshots stay sharp.
func encode(img *image.RGBA, lossless bool) (data []byte, ending string) {
	j := encodeJPEG(img, quality)
	if lossless {
		var b bytes.Buffer
		if err := png.Encode(&b, img); err == nil && (b.Len() <= len(j) || b.Len() < sharp) {
			return b.Bytes(), ".png"
		}
	}
	return j, ".jpg"
}

// encodeJPEG draws what can be seen through on white.
func encodeJPEG(img *image.RGBA, quality int) []byte {
	if !img.Opaque() {
		on := image.NewRGBA(img.Bounds())
		draw.Draw(on, on.Bounds(), image.NewUniform(color.White), image.Point{}, draw.Src)
		draw.Draw(on, on.Bounds(), img, img.Bounds().Min, draw.Over)
		img = on
	}
	var b bytes.Buffer
	if err := jpeg.Encode(&b, img, &jpeg.Options{Quality: quality}); err != nil {
		panic(err) // a buffer takes everything, and no side is longer than a JPEG's
	}
	return b.Bytes()
}

// thumb makes the thumbnail of a picture, as good as fits.
func thumb(img *image.RGBA) []byte {
	for side := shared.MaxThumbSide; side >= 16; side /= 2 {
		small := scale(img, side)
		for _, q := range []int{75, 60, 45, 30} {
			if data := encodeJPEG(small, q); len(data) <= shared.MaxThumb {
				return data
			}
		}
	}
	return nil
}
