package ui

import (
	"slices"

	"fyne.io/fyne/v2"
	"fyne.io/fyne/v2/widget"
)

// page is a screen of the app.
type page interface {
	object() fyne.CanvasObject
	entered()      // it came onto the screen
	left()         // it went off the screen
	focus()        // it is on top now: what is typed goes here on a desktop
	title() string // for the window; "" is none
}

// main is a page that stands at the left of the one above it in a wide window.
type mainPage interface{ isMain() }

// sided is a page that differs when it stands beside the main page.
type sided interface{ beside(main bool) }

// wideWidth is the width from which two pages stand side by side, at 100 %.
const wideWidth = 720

// paneWidth is the width of the left one.
const paneWidth = 320

// slot is a page of the stack and how to make it anew when the language or the
// text's size changes.
type slot struct {
	make func() page
	page page
}

// navigator is the stack of pages and shows the top one; in a wide window the
// main page too.
type navigator struct {
	widget.BaseWidget
	stack     []slot
	shown     []page // from the left
	depth     int    // of the stack, when shown was set
	front     page   // the top one when focus was last called
	rest      fyne.CanvasObject
	rule      *fill
	wide      bool
	still     bool // pages change without a slide
	slide     *slide
	edge      *edge
	toast     *toast
	motion    *motion
	render    *navRenderer
	onChanged func()
	onSwiped  func() // a finger has pushed the top page away
}

func newNavigator() *navigator {
	n := &navigator{}
	n.rule = newHairline()
	n.edge = newEdge(n)
	n.toast = newToast(n)
	n.ExtendBaseWidget(n)
	return n
}

func (n *navigator) push(make func() page) {
	n.stack = append(n.stack, slot{make, make()})
	n.update()
}

// replace puts a page above the main one in place of all that is there.
func (n *navigator) replace(make func() page) {
	if i := n.mainIndex(); i >= 0 {
		n.stack = n.stack[:i+1]
	}
	n.push(make)
}

// reset makes the stack anew.
func (n *navigator) reset(makes ...func() page) {
	n.stack = nil
	for _, m := range makes {
		n.stack = append(n.stack, slot{m, m()})
	}
	n.update()
}

// pop goes back one page. It reports whether there was one to go back to.
func (n *navigator) pop() bool {
	if len(n.stack) < 2 {
		return false
	}
	n.stack = n.stack[:len(n.stack)-1]
	n.update()
	return true
}

// drop takes pages out of the stack.
func (n *navigator) drop(gone func(page) bool) {
	n.stack = slices.DeleteFunc(n.stack, func(s slot) bool { return gone(s.page) })
	n.update()
}

// rebuild makes every page anew.
func (n *navigator) rebuild() {
	for i := range n.stack {
		n.stack[i].page = n.stack[i].make()
	}
	n.rest = nil
	n.stillUpdate()
}

func (n *navigator) top() page {
	if len(n.stack) == 0 {
		return nil
	}
	return n.stack[len(n.stack)-1].page
}

// has reports whether a page is in the stack, in sight or not.
func (n *navigator) has(p page) bool {
	return slices.ContainsFunc(n.stack, func(s slot) bool { return s.page == p })
}

func (n *navigator) mainIndex() int {
	return slices.IndexFunc(n.stack, func(s slot) bool { _, ok := s.page.(mainPage); return ok })
}

// visible are the pages to show, from the left.
func (n *navigator) visible() []page {
	if len(n.stack) == 0 {
		return nil
	}
	if i := n.mainIndex(); n.wide && i >= 0 {
		if i == len(n.stack)-1 {
			return []page{n.stack[i].page}
		}
		return []page{n.stack[i].page, n.top()}
	}
	return []page{n.top()}
}

// update shows what the stack and the width ask for, and tells pages that came
// or went.
func (n *navigator) update() {
	was, depth := n.shown, n.depth
	before := n.pane()
	n.shown, n.depth = n.visible(), len(n.stack)
	if n.top() != n.front { // not when a phone turns while one types
		if c := fyne.CurrentApp().Driver().CanvasForObject(n); c != nil {
			c.Unfocus()
		}
	}
	for _, p := range was {
		if !slices.Contains(n.shown, p) {
			p.left()
		}
	}
	for _, p := range n.shown {
		if s, ok := p.(sided); ok {
			s.beside(n.split())
		}
	}
	if after := n.pane(); n.still || before == nil || after == nil {
		n.endSlide()
	} else if before != after {
		n.slideTo(before, after, n.depth < depth)
	}
	n.Refresh()
	for _, p := range n.shown {
		if !slices.Contains(was, p) {
			p.entered()
		}
	}
	if top := n.top(); top != nil && top != n.front {
		n.front = top
		if !isPhone() {
			top.focus()
		}
	}
	if n.onChanged != nil {
		n.onChanged()
	}
}

// split reports whether the main page stands beside another, or beside nothing.
func (n *navigator) split() bool { return n.wide && n.mainIndex() >= 0 }

// stillUpdate is update without a slide.
func (n *navigator) stillUpdate() {
	was := n.still
	n.still = true
	n.update()
	n.still = was
}

// pane is what changes with the page on top: all of a narrow window, the right
// part of a wide one.
func (n *navigator) pane() fyne.CanvasObject {
	switch {
	case len(n.shown) == 0:
		return nil
	case !n.split():
		return n.shown[0].object()
	case len(n.shown) > 1:
		return n.shown[1].object()
	}
	if n.rest == nil {
		n.rest = newEmptyState("💬", tr("rooms.pick"), "")
	}
	return n.rest
}

func (n *navigator) CreateRenderer() fyne.WidgetRenderer {
	n.render = &navRenderer{n: n}
	return n.render
}

type navRenderer struct{ n *navigator }

func (r *navRenderer) Layout(size fyne.Size) {
	n := r.n
	if wide := size.Width >= wideWidth*min(textScale(), largeText); wide != n.wide {
		n.wide = wide
		n.stillUpdate() // comes back here
		return
	}
	if len(n.shown) == 0 {
		return
	}
	x := float32(0)
	if n.split() {
		left := paneWidth * min(textScale(), largeText)
		put(n.shown[0].object(), 0, 0, left, size.Height)
		put(n.rule, left, 0, 1, size.Height)
		x = left + 1
	}
	put(n.edge, 0, 0, edgeWidth, size.Height)
	n.toast.place(size)
	if n.slide != nil {
		n.slide.place(x, 0, size.Width-x, size.Height)
		return
	}
	put(n.pane(), x, 0, size.Width-x, size.Height)
}

func (r *navRenderer) Objects() []fyne.CanvasObject {
	n := r.n
	if len(n.shown) == 0 {
		return nil
	}
	var objects []fyne.CanvasObject
	if n.slide != nil {
		objects = n.slide.objects() // under the page at the left, where there is one
	}
	if n.split() {
		objects = append(objects, n.shown[0].object(), n.rule)
	}
	if n.slide == nil {
		objects = append(objects, n.pane())
	}
	if isPhone() && n.below() != nil && (n.slide == nil || n.slide.springs) {
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
	repaint(r.n)
}
func (r *navRenderer) MinSize() fyne.Size { return fyne.NewSize(320, 200) }
func (r *navRenderer) Destroy()           {}
