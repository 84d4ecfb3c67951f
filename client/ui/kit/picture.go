package kit

import (
	"fyne.io/fyne/v2"
	"fyne.io/fyne/v2/canvas"
	"fyne.io/fyne/v2/widget"
)

// Picture is an icon in the colour of a role, or the logo.
type Picture struct {
	widget.BaseWidget
	Name string
	role Role
	side float32 // at 100 %
}

// NewPicture shows the icon of a name; side is its width and height at 100 %.
func NewPicture(name string, r Role, side float32) *Picture {
	p := &Picture{Name: name, role: r, side: side}
	p.ExtendBaseWidget(p)
	return p
}

// NewLogo is the app's icon, as large whatever the text's size.
func NewLogo(side float32) *Picture { return NewPicture("logo", nil, side) }

// Set shows another icon in another colour.
func (p *Picture) Set(name string, r Role) {
	p.Name, p.role = name, r
	p.Refresh()
}

func (p *Picture) Natural() float32 {
	if p.role == nil {
		return p.side
	}
	return p.side * TextScale()
}
func (p *Picture) Fit(float32) float32 { return p.Natural() }
func (p *Picture) MinSize() fyne.Size  { return fyne.NewSquareSize(p.Natural()) }

func (p *Picture) CreateRenderer() fyne.WidgetRenderer {
	r := &pictureRenderer{p: p, image: canvas.NewImageFromResource(nil)}
	r.image.FillMode = canvas.ImageFillContain
	r.Refresh()
	return r
}

type pictureRenderer struct {
	p     *Picture
	image *canvas.Image
}

func (r *pictureRenderer) Layout(size fyne.Size) { r.image.Resize(size) }
func (r *pictureRenderer) MinSize() fyne.Size    { return r.p.MinSize() }
func (r *pictureRenderer) Refresh() {
	r.image.Resource = Logo()
	if r.p.role != nil {
		r.image.Resource = Icon(r.p.Name, r.p.role(Colors()))
	}
	r.image.Refresh()
	r.Layout(r.p.Size())
	Repaint(r.p)
}
func (r *pictureRenderer) Objects() []fyne.CanvasObject { return []fyne.CanvasObject{r.image} }
func (r *pictureRenderer) Destroy()                     {}
