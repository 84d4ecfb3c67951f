package ui

import (
	"fmt"
	"reflect"
	"strings"
	"testing"

	"fyne.io/fyne/v2"
	"fyne.io/fyne/v2/canvas"
	"fyne.io/fyne/v2/test"
)

// Fyne forgets the renderers of what is out of sight for a minute. Those that it
// makes when it comes back draw the same, though no size has changed.
func TestForgottenRenderers(t *testing.T) {
	for _, s := range scenes {
		w := newWorld(t, phone, nil)
		s.show(w)
		root := w.window.Content()
		if o := w.window.Canvas().Overlays().Top(); o != nil {
			root = o
		}
		var widgets []fyne.Widget
		walk(root, fyne.Position{}, func(v seen) {
			if widget, ok := v.object.(fyne.Widget); ok && strings.HasPrefix(reflect.TypeOf(widget).String(), "*ui.") {
				widgets = append(widgets, widget)
			}
		})
		for _, widget := range widgets {
			was, now := drawnBy(test.WidgetRenderer(widget)), drawnBy(widget.CreateRenderer())
			if !reflect.DeepEqual(was, now) {
				t.Errorf("%s: a forgotten %T draws %v, and did %v", s.name, widget, now, was)
			}
		}
	}
}

// drawnBy is what a renderer draws itself, with where that is.
func drawnBy(r fyne.WidgetRenderer) (drawn []string) {
	for _, o := range r.Objects() {
		what := ""
		switch o := o.(type) {
		case *canvas.Text:
			what = o.Text
		case *canvas.Rectangle, *canvas.Image:
		default:
			continue // draws itself
		}
		drawn = append(drawn, fmt.Sprintf("%T %q at %v, %v large", o, what, o.Position(), o.Size()))
	}
	return drawn
}
