package kit

import (
	"image"
	"image/color"

	"fyne.io/fyne/v2"
	"fyne.io/fyne/v2/canvas"
	"fyne.io/fyne/v2/widget"
	"rsc.io/qr"
)

// maxQR is how many bytes a QR code has at most. A phone reads more only from
// close by.
const maxQR = 1 << 10

// quiet is the white border that ISO/IEC 18004 asks for, in modules.
const quiet = 4

// maxSide is the width and height of a QR code, at most: what a phone reads well
// from an arm's length.
const maxSide = 280

// QR is a QR code, black on white in every look. Its modules are whole units
// large if there is room for it.
type QR struct {
	widget.BaseWidget
	text  string
	code  *qr.Code // nil if there is none
	image image.Image
}

// NewQR makes a QR code that says nothing yet.
func NewQR() *QR {
	q := &QR{}
	q.ExtendBaseWidget(q)
	return q
}

// SetText shows a text. It reports false, and hides the code, if the text is too
// long for a code that phones can read.
func (q *QR) SetText(s string) bool {
	q.text, q.code, q.image = s, nil, nil
	if len(s) <= maxQR {
		if code, err := qr.Encode(s, qr.M); err == nil {
			q.code, q.image = code, drawn(code)
		}
	}
	q.Hidden = q.code == nil
	q.Refresh()
	return q.code != nil
}

// Text is what the code says.
func (q *QR) Text() string { return q.text }

// drawn is the picture of a code, a pixel for each module.
func drawn(code *qr.Code) image.Image {
	size := code.Size + 2*quiet
	img := image.NewPaletted(image.Rect(0, 0, size, size), color.Palette{color.White, color.Black})
	for y := range code.Size {
		for x := range code.Size {
			if code.Black(x, y) {
				img.SetColorIndex(x+quiet, y+quiet, 1)
			}
		}
	}
	return img
}

// side is the width and height of the code in a width.
func (q *QR) side(width float32) float32 {
	if q.code == nil {
		return 0
	}
	side := min(width, maxSide)
	if modules := q.code.Size + 2*quiet; int(side) >= modules {
		return float32(int(side) / modules * modules)
	}
	return side
}

// Fit is the height at a width.
func (q *QR) Fit(width float32) float32 { return q.side(width) }

// CreateRenderer draws the code in the middle of the width.
func (q *QR) CreateRenderer() fyne.WidgetRenderer {
	img := &canvas.Image{FillMode: canvas.ImageFillStretch, ScaleMode: canvas.ImageScalePixels}
	return LaidOut(q, &qrRenderer{qr: q, image: img})
}

type qrRenderer struct {
	qr    *QR
	image *canvas.Image
}

func (r *qrRenderer) Layout(size fyne.Size) {
	r.image.Image = r.qr.image
	side := r.qr.side(size.Width)
	Put(r.image, float32(int((size.Width-side)/2)), 0, side, side)
}

func (r *qrRenderer) MinSize() fyne.Size {
	return fyne.NewSize(1, r.qr.side(max(r.qr.Size().Width, 1)))
}
func (r *qrRenderer) Refresh() {
	r.Layout(r.qr.Size())
	r.image.Refresh()
	Repaint(r.qr)
}
func (r *qrRenderer) Objects() []fyne.CanvasObject { return []fyne.CanvasObject{r.image} }
func (r *qrRenderer) Destroy()                     {}
