package kit

import (
	"os"
	"testing"
	"time"

	"fyne.io/fyne/v2"
	"go.uber.org/goleak"

	"parley/client/ui/lang"
	"parley/client/ui/uitest"
	"parley/shared/servertest"
)

func TestMain(m *testing.M) {
	time.Local = time.UTC
	os.Exit(servertest.Main(m, goleak.IgnoreCurrent())) // Fyne's desktop driver has one goroutine from the start
}

// show puts an object into a window, whose animations the reel winds.
func show(t testing.TB, o fyne.CanvasObject, size fyne.Size) (*uitest.Stage[*Motion], *uitest.Reel) {
	t.Helper()
	newLightApp()
	r := &uitest.Reel{}
	m := NewMotion(r.Later, func() bool { return false })
	m.Start, m.Stop = r.Start, r.Stop
	return uitest.NewStage(t, o, m, size), r
}

// newLightApp is an app in the light look and in English.
func newLightApp() fyne.App {
	a := uitest.NewApp()
	a.Settings().SetTheme(NewTheme(LookLight, 100))
	if err := lang.Use("en"); err != nil {
		panic(err)
	}
	return a
}
