package ui

import (
	"slices"

	"fyne.io/fyne/v2"
	"fyne.io/fyne/v2/widget"

	"parley/client/ui/kit"
	"parley/client/ui/lang"
)

// page is a screen of the app.
type page interface {
	object() fyne.CanvasObject
	entered()      // it came onto the screen
	left()         // it went off the screen
	focus()        // it is on top now: what is typed goes here on a desktop
	title() string // for the window; "" is none
}

// mainPage is a page that stands at the left of the one above it in a wide window.
type mainPage interface{ isMain() }

// sided is a page that differs if it stands next to the main page.
type sided interface{ beside(main bool) }

// wideWidth is the width from which two pages stand side by side, at 100 %.
const wideWidth = 720

// paneWidth is the width of the left one.
const paneWidth = 320

// flick is the speed, in units a frame, with which a short push is enough.
const flick = 8

// slot is a page of the stack, and what makes it again when the language or the
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
	rule      *kit.Fill
	wide      bool
	still     bool // pages change without a slide
	slide     *slide
	edge      *edge
	toast     *kit.Toast
	moves     *kit.Motion
	layOut    func(fyne.Size) // puts all into place; nil before the first time
	onChanged func()
	onSwiped  func() // a finger has pushed the top page away
}

func newNavigator(m *kit.Motion) *navigator {
	n := &navigator{moves: m}
	n.rule = kit.NewHairline()
	n.edge = newEdge(n)
	n.toast = kit.NewToast()
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

// reset replaces the stack.
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

// rebuild makes every page again.
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
		if !kit.IsPhone() {
			top.focus()
		}
	}
	if n.onChanged != nil {
		n.onChanged()
	}
}

// split reports whether the main page stands at the left, next to another or to
// nothing.
func (n *navigator) split() bool { return n.wide && n.mainIndex() >= 0 }

// stillUpdate is update without a slide.
func (n *navigator) stillUpdate() {
	was := n.still
	n.still = true
	n.update()
	n.still = was
}

// Motion runs what moves in the window.
func (n *navigator) Motion() *kit.Motion { return n.moves }

// Say shows a sentence for a while.
func (n *navigator) Say(sentence string) { n.toast.Say(sentence, n.moves, n.Size) }

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
		n.rest = kit.NewEmptyState("💬", lang.T("rooms.pick"), "")
	}
	return n.rest
}

// below is the page that a finger can push the top one away to.
func (n *navigator) below() page {
	if len(n.stack) < 2 || n.split() {
		return nil
	}
	if _, main := n.top().(mainPage); main {
		return nil
	}
	return n.stack[len(n.stack)-2].page
}

// hold begins to push the top page away. It reports whether there is one below.
func (n *navigator) hold() bool {
	to := n.below()
	if s := n.slide; s != nil && s.springs { // caught on its way to its place
		s.cancel()
		s.springs = false
		return true
	}
	if to == nil || n.slide != nil {
		return false
	}
	if s, ok := to.(sided); ok {
		s.beside(false)
	}
	n.slide = &slide{from: n.pane(), to: to.object(), back: true, stop: kit.NewBlocker(), cancel: func() {}}
	n.moved()
	return true
}

// pull moves the page that is held.
func (n *navigator) pull(dx float32) {
	if s := n.slide; s != nil && n.Size().Width > 0 {
		s.done = min(max(s.done+dx/n.Size().Width, 0), 1)
		n.moved()
	}
}

// letGo ends a push: the page goes when it is half away, or on its way fast.
func (n *navigator) letGo(speed float32) {
	s := n.slide
	if s == nil {
		return
	}
	if s.done > 0.5 && speed > -flick || speed >= flick {
		n.glide(s, s.done, 1, func() {
			was := n.still
			n.still = true
			n.onSwiped()
			n.still = was
			n.endSlide()
		})
		return
	}
	s.springs = true
	n.glide(s, s.done, 0, n.endSlide)
}

// under is what scrolls on the page on top.
func (n *navigator) under() fyne.Draggable {
	if top := n.top(); top != nil {
		return kit.DraggableIn(top.object())
	}
	return nil
}

// swipe is the edge, for a finger that came down on it and has left it before it
// was noticed; nil if the finger does not push a page away.
func (n *navigator) swipe(from fyne.Position, e *fyne.DragEvent) fyne.Draggable {
	if from.X < edgeWidth && (n.slide == nil || n.slide.springs) && n.below() != nil && goesRight(e) {
		return n.edge
	}
	return nil
}

// slideTo makes a page take the place of the one that was shown.
func (n *navigator) slideTo(from, to fyne.CanvasObject, back bool) {
	s := &slide{from: from, to: to, back: back, stop: kit.NewBlocker(), cancel: func() {}}
	n.endSlide()
	n.slide = s
	n.glide(s, 0, 1, n.endSlide)
}

// glide moves a slide from one state to another.
func (n *navigator) glide(s *slide, from, to float32, ended func()) {
	s.done = from
	s.cancel = n.moves.Run(kit.SlideTime, func(done float32) {
		s.done = from + (to-from)*done
		n.moved()
	}, ended)
}

// moved draws the pages at their present places, without drawing them again.
func (n *navigator) moved() {
	if n.slide != nil && n.layOut != nil {
		n.layOut(n.Size())
		kit.NextFrame()
	}
}

// endSlide shows the pages that are there to stay.
func (n *navigator) endSlide() {
	if n.slide == nil {
		return
	}
	n.slide.cancel()
	n.slide = nil
	if n.layOut != nil {
		n.layOut(n.Size())
		kit.NextFrame()
	}
}
