package uitest

import (
	"testing"

	"fyne.io/fyne/v2"
	"fyne.io/fyne/v2/test"
	"fyne.io/fyne/v2/widget"
)

// Stage is a window's content that holds one object, as the app's pages do in its
// window (kit.Stage). M is *kit.Motion, which kit's own tests can't have from here.
type Stage[M any] struct {
	widget.BaseWidget
	Said   []string // the sentences that were shown
	motion M
	object fyne.CanvasObject
}

// NewStage shows an object in a window of a size.
func NewStage[M any](t testing.TB, o fyne.CanvasObject, motion M, size fyne.Size) *Stage[M] {
	t.Helper()
	s := &Stage[M]{motion: motion, object: o}
	s.ExtendBaseWidget(s)
	w := test.NewWindow(s)
	w.SetPadded(false)
	w.Resize(size)
	t.Cleanup(w.Close)
	return s
}

// Motion is what runs the window's animations.
func (s *Stage[M]) Motion() M { return s.motion }

// Say keeps a sentence.
func (s *Stage[M]) Say(sentence string) { s.Said = append(s.Said, sentence) }

// Canvas is the window's.
func (s *Stage[M]) Canvas() fyne.Canvas { return fyne.CurrentApp().Driver().CanvasForObject(s) }

// CreateRenderer draws the object over the whole window.
func (s *Stage[M]) CreateRenderer() fyne.WidgetRenderer { return widget.NewSimpleRenderer(s.object) }
