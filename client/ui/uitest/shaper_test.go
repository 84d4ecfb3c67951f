package uitest

import (
	"runtime"
	"testing"

	"fyne.io/fyne/v2"
)

// An app leaves none of its fonts to the apps after it.
func TestAppsLeaveNoFonts(t *testing.T) {
	heap := func(apps int) uint64 {
		for range apps {
			NewApp()
			fyne.MeasureText("hello", 16, fyne.TextStyle{})
		}
		runtime.GC()
		var m runtime.MemStats
		runtime.ReadMemStats(&m)
		return m.HeapAlloc
	}
	few := heap(2)
	if many := heap(20); many > 2*few {
		t.Errorf("with 2 apps, %d KB are in use; with 20 more, %d KB", few>>10, many>>10)
	}
}
