package ui

import (
	"fyne.io/fyne/v2"

	"parley/client/ui/kit"
)

func (n *navigator) CreateRenderer() fyne.WidgetRenderer {
	r := &navRenderer{n: n}
	n.layOut = r.Layout
	return r
}

type navRenderer struct{ n *navigator }

func (r *navRenderer) Layout(size fyne.Size) {
	n := r.n
	if wide := size.Width >= wideWidth*min(kit.TextScale(), kit.LargeText); wide != n.wide {
		n.wide = wide
		n.stillUpdate() // comes back here
		return
	}
	if len(n.shown) == 0 {
		return
	}
	x := float32(0)
	if n.split() {
		left := paneWidth * min(kit.TextScale(), kit.LargeText)
		kit.Put(n.shown[0].object(), 0, 0, left, size.Height)
		kit.Put(n.rule, left, 0, 1, size.Height)
		x = left + 1
	}
	kit.Put(n.edge, 0, 0, edgeWidth, size.Height)
	n.toast.Place(size)
	if n.slide != nil {
		n.slide.place(x, 0, size.Width-x, size.Height)
		return
	}
	kit.Put(n.pane(), x, 0, size.Width-x, size.Height)
}

func (r *navRenderer) Objects() []fyne.CanvasObject {
	n := r.n
	if len(n.shown) == 0 {
		return nil
	}
	var objects []fyne.CanvasObject
	if n.slide != nil {
		objects = n.slide.objects() // under the page at the left, if there is one
	}
	if n.split() {
		objects = append(objects, n.shown[0].object(), n.rule)
	}
	if n.slide == nil {
		objects = append(objects, n.pane())
	}
	if kit.IsPhone() && n.below() != nil && (n.slide == nil || n.slide.springs) {
		objects = append(objects, n.edge)
	}
	if n.toast.Visible() {
		objects = append(objects, n.toast)
	}
	return objects
}

func (r *navRenderer) Refresh() {
	r.Layout(r.n.Size())
	for _, o := range r.Objects() {
		o.Refresh()
	}
	kit.Repaint(r.n)
}
func (r *navRenderer) MinSize() fyne.Size { return fyne.NewSize(320, 200) }
func (r *navRenderer) Destroy()           {}
