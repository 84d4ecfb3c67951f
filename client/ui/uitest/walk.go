package uitest

import (
	"strings"
	"testing"

	"fyne.io/fyne/v2"
	"fyne.io/fyne/v2/canvas"
	"fyne.io/fyne/v2/test"
)

// Seen is an object that is drawn, with its place and the box it is clipped to.
type Seen struct {
	Object fyne.CanvasObject
	Text   *canvas.Text // if it is one
	At     fyne.Position
	Clip   Box
}

// Box is a rectangle by its edges.
type Box struct{ Left, Top, Right, Bottom float32 }

// Cut is what two boxes have in common.
func (b Box) Cut(o Box) Box {
	return Box{max(b.Left, o.Left), max(b.Top, o.Top), min(b.Right, o.Right), min(b.Bottom, o.Bottom)}
}

// Walk visits everything that is drawn of an object.
func Walk(o fyne.CanvasObject, visit func(Seen)) {
	walkIn(o, fyne.Position{}, Box{-1e9, -1e9, 1e9, 1e9}, visit)
}

func walkIn(o fyne.CanvasObject, at fyne.Position, clip Box, visit func(Seen)) {
	if o == nil || !o.Visible() {
		return
	}
	at = at.Add(o.Position())
	if _, ok := o.(fyne.Scrollable); ok {
		clip = clip.Cut(Box{at.X, at.Y, at.X + o.Size().Width, at.Y + o.Size().Height})
	}
	v := Seen{Object: o, At: at, Clip: clip}
	v.Text, _ = o.(*canvas.Text)
	visit(v)
	switch o := o.(type) {
	case *fyne.Container:
		for _, child := range o.Objects {
			walkIn(child, at, clip, visit)
		}
	case fyne.Widget:
		for _, child := range test.WidgetRenderer(o).Objects() {
			walkIn(child, at, clip, visit)
		}
	}
}

// Texts are what a person can read of an object, a line for each text.
func Texts(o fyne.CanvasObject) string {
	var b strings.Builder
	Walk(o, func(v Seen) {
		if v.Text != nil {
			b.WriteString(v.Text.Text + "\n")
		}
	})
	return b.String()
}

// Sentence is what a person can read of an object, in one line.
func Sentence(o fyne.CanvasObject) string {
	return strings.Join(strings.Fields(strings.ReplaceAll(Texts(o), Strut, "")), " ")
}

// Strut is the character without width that texts in some scripts are drawn with.
const Strut = "\u034f"

// Where is the middle of the first text that contains a part, in an object.
func Where(t testing.TB, o fyne.CanvasObject, part string) fyne.Position {
	t.Helper()
	at, found := fyne.Position{}, false
	Walk(o, func(v Seen) {
		if !found && v.Text != nil && strings.Contains(v.Text.Text, part) {
			at, found = v.At.Subtract(o.Position()).AddXY(v.Text.Size().Width/2, v.Text.Size().Height/2), true
		}
	})
	if !found {
		t.Fatalf("%q is not there:\n%s", part, Texts(o))
	}
	return at
}
