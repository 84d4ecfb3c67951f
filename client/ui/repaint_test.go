package ui

import (
	"fmt"
	"reflect"
	"strings"
	"testing"

	"fyne.io/fyne/v2"
	"fyne.io/fyne/v2/canvas"
	"fyne.io/fyne/v2/test"

	"parley/client/ui/kit"
	"parley/client/ui/uitest"
)

// Fyne forgets the renderers of what is out of sight for a minute. Those that it
// makes when it comes back draw the same, though no size has changed.
func TestForgottenRenderers(t *testing.T) {
	for _, s := range scenes {
		w := newWorld(t, uitest.Phone, nil)
		s.show(w)
		root := w.window.Content()
		if o := w.window.Canvas().Overlays().Top(); o != nil {
			root = o
		}
		for _, widget := range ownWidgets(root) {
			was, now := drawnBy(test.WidgetRenderer(widget)), drawnBy(widget.CreateRenderer())
			if !reflect.DeepEqual(was, now) {
				t.Errorf("%s: a forgotten %T draws %v, and did %v", s.name, widget, now, was)
			}
		}
	}
}

// drawnBy is what a renderer draws itself, with the places.
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

// ownWidgets are the widgets of the app's own packages that are drawn of an object.
func ownWidgets(o fyne.CanvasObject) (widgets []fyne.Widget) {
	uitest.Walk(o, func(v uitest.Seen) {
		if w, ok := v.Object.(fyne.Widget); ok && strings.HasPrefix(reflect.TypeOf(w).Elem().PkgPath(), "parley/client/ui") {
			widgets = append(widgets, w)
		}
	})
	return widgets
}

// forgetfulDriver behaves like Fyne's desktop driver with an object that it has never
// drawn, or has forgotten: it does not know the object's canvas.
type forgetfulDriver struct {
	fyne.Driver
	window forgetfulWindow
}

func (forgetfulDriver) CanvasForObject(fyne.CanvasObject) fyne.Canvas { return nil }
func (d forgetfulDriver) AllWindows() []fyne.Window                   { return []fyne.Window{d.window} }

type forgetfulWindow struct {
	fyne.Window
	canvas *countedCanvas
}

func (w forgetfulWindow) Canvas() fyne.Canvas { return w.canvas }

// countedCanvas counts the requests to draw it again.
type countedCanvas struct {
	fyne.Canvas
	dirty int
}

func (c *countedCanvas) SetDirty() { c.dirty++ }

type forgetfulApp struct {
	fyne.App
	driver forgetfulDriver
}

func (a forgetfulApp) Driver() fyne.Driver { return a.driver }

// Whatever of the app's own is refreshed is drawn again, also when Fyne does not
// know on which canvas it is. Else the title would be another page's than the
// picture.
func TestRefreshDrawsWhatIsForgotten(t *testing.T) {
	for _, s := range scenes {
		w := newWorld(t, uitest.Phone, nil)
		s.show(w)
		widgets := ownWidgets(w.window.Content())
		if o := w.window.Canvas().Overlays().Top(); o != nil {
			widgets = append(widgets, ownWidgets(o)...)
		}
		canvas := &countedCanvas{Canvas: w.window.Canvas()}
		fyne.SetCurrentApp(forgetfulApp{w.app, forgetfulDriver{w.app.Driver(), forgetfulWindow{w.window, canvas}}})
		for _, widget := range widgets {
			switch widget.(type) {
			case *kit.Blocker, *edge:
				continue // nothing is to be seen of them
			}
			canvas.dirty = 0
			if widget.Refresh(); canvas.dirty == 0 {
				t.Errorf("%s: a %T that is refreshed is not drawn", s.name, widget)
			}
		}
		fyne.SetCurrentApp(w.app)
	}
}
