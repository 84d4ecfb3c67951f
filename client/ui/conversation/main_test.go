package conversation

import (
	"os"
	"testing"
	"time"

	"fyne.io/fyne/v2"
	"go.uber.org/goleak"

	"parley/client/session"
	"parley/client/ui/kit"
	"parley/client/ui/lang"
	"parley/client/ui/uitest"
	"parley/shared/servertest"
)

func TestMain(m *testing.M) {
	time.Local = time.UTC
	os.Exit(servertest.Main(m, goleak.IgnoreCurrent())) // Fyne's desktop driver has one goroutine from the start
}

// noon is the clock of these tests.
func noon() time.Time { return uitest.Noon }

// show puts a part of a room's page into a window, whose animations the
// reel winds.
func show(t testing.TB, o fyne.CanvasObject, size fyne.Size) (*uitest.Stage[*kit.Motion], *uitest.Reel) {
	t.Helper()
	r := &uitest.Reel{}
	m := kit.NewMotion(r.Later, func() bool { return false })
	m.Start, m.Stop = r.Start, r.Stop
	return uitest.NewStage(t, o, m, size), r
}

func newLightApp() fyne.App {
	a := uitest.NewApp()
	a.Settings().SetTheme(kit.NewTheme(kit.LookLight, 100))
	if err := lang.Use("en"); err != nil {
		panic(err)
	}
	return a
}

// listSize is that of a list on a phone.
var listSize = fyne.NewSize(412, 700)

// newList shows a list with messages in a window.
func newList(t testing.TB, items ...session.Item) *List {
	l, _ := newListOnReel(t, items...)
	return l
}

func newListOnReel(t testing.TB, items ...session.Item) (*List, *uitest.Reel) {
	t.Helper()
	newLightApp()
	l := NewList(newTimeline(noon))
	_, r := show(t, l, listSize)
	l.Change([]session.Change{{Kind: session.Reset, Items: items, More: true}})
	return l, r
}
