package kit

import (
	"fyne.io/fyne/v2"
	"fyne.io/fyne/v2/driver/mobile"
)

// Stage is the content of the app's window: it runs what moves in it, and says
// short sentences over its lower edge.
type Stage interface {
	Motion() *Motion
	Say(sentence string)
}

// stageIn is the stage on a canvas; nil if there is none.
func stageIn(c fyne.Canvas) Stage {
	if c == nil {
		return nil
	}
	s, _ := c.Content().(Stage)
	return s
}

// stageOf is the stage that an object is on; nil if it is in no window.
func stageOf(o fyne.CanvasObject) Stage { return stageIn(CanvasOf(o)) }

// CanvasOf is what an object is drawn on: the app's window for one that has not
// been drawn yet, which Fyne does not know.
func CanvasOf(o fyne.CanvasObject) fyne.Canvas {
	driver := fyne.CurrentApp().Driver()
	if c := driver.CanvasForObject(o); c != nil {
		return c
	}
	for _, w := range driver.AllWindows() {
		if stageIn(w.Canvas()) != nil {
			return w.Canvas()
		}
	}
	return nil
}

// MotionOf is the motion of the window that an object is in; nil if it is in none.
func MotionOf(o fyne.CanvasObject) *Motion { return motionOn(stageOf(o)) }

// motionIn is the motion of a window by its canvas.
func motionIn(c fyne.Canvas) *Motion { return motionOn(stageIn(c)) }

func motionOn(s Stage) *Motion {
	if s == nil {
		return nil
	}
	return s.Motion()
}

// TypedOnPage hands a key that a focused widget has no use for to the page, as
// if nothing had the focus.
func TypedOnPage(o fyne.CanvasObject, e *fyne.KeyEvent) {
	if c := CanvasOf(o); c != nil {
		if f := c.OnTypedKey(); f != nil {
			f(e)
		}
	}
}

// GoesBack reports whether a key goes back a page: Escape, or Android's Back.
func GoesBack(k *fyne.KeyEvent) bool { return k.Name == mobile.KeyBack || k.Name == fyne.KeyEscape }
