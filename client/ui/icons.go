package ui

import (
	"embed"
	"fmt"
	"image/color"
	"strings"

	"fyne.io/fyne/v2"
	"fyne.io/fyne/v2/canvas"
	"fyne.io/fyne/v2/widget"
)

//go:embed icons/*.svg
var iconFiles embed.FS

func iconFile(name string) string {
	data, err := iconFiles.ReadFile("icons/" + name + ".svg")
	if err != nil {
		panic(err) // a name that is not in this folder
	}
	return string(data)
}

// Logo is the app's icon.
func Logo() fyne.Resource { return fyne.NewStaticResource("logo.svg", []byte(iconFile("logo"))) }

var icons = make(map[string]fyne.Resource)

// icon gives one of icons/*.svg in a colour. Fyne's themed resources colour
// what is filled and leave strokes black.
func icon(name string, c color.NRGBA) fyne.Resource {
	hex := fmt.Sprintf("%02x%02x%02x", c.R, c.G, c.B)
	key := name + "-" + hex + ".svg"
	r, ok := icons[key]
	if !ok {
		r = fyne.NewStaticResource(key, []byte(strings.ReplaceAll(iconFile(name), "#000000", "#"+hex)))
		icons[key] = r
	}
	return r
}

// picture is an icon in the colour of a role, or the logo.
type picture struct {
	widget.BaseWidget
	name string
	role role
	side float32 // at 100 %
}

func newPicture(name string, r role, side float32) *picture {
	p := &picture{name: name, role: r, side: side}
	p.ExtendBaseWidget(p)
	return p
}

// newLogo is the app's icon, as large whatever the text's size.
func newLogo(side float32) *picture { return newPicture("logo", nil, side) }

func (p *picture) set(name string, r role) {
	p.name, p.role = name, r
	p.Refresh()
}

func (p *picture) natural() float32 {
	if p.role == nil {
		return p.side
	}
	return p.side * textScale()
}
func (p *picture) fit(float32) float32 { return p.natural() }
func (p *picture) MinSize() fyne.Size  { return fyne.NewSquareSize(p.natural()) }

func (p *picture) CreateRenderer() fyne.WidgetRenderer {
	r := &pictureRenderer{p: p, image: canvas.NewImageFromResource(nil)}
	r.image.FillMode = canvas.ImageFillContain
	r.Refresh()
	return r
}

type pictureRenderer struct {
	p     *picture
	image *canvas.Image
}

func (r *pictureRenderer) Layout(size fyne.Size) { r.image.Resize(size) }
func (r *pictureRenderer) MinSize() fyne.Size    { return r.p.MinSize() }
func (r *pictureRenderer) Refresh() {
	r.image.Resource = Logo()
	if r.p.role != nil {
		r.image.Resource = icon(r.p.name, r.p.role(colors()))
	}
	r.image.Refresh()
	r.Layout(r.p.Size())
	repaint(r.p)
}
func (r *pictureRenderer) Objects() []fyne.CanvasObject { return []fyne.CanvasObject{r.image} }
func (r *pictureRenderer) Destroy()                     {}
