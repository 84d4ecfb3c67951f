package uitest

import (
	"testing"

	"fyne.io/fyne/v2"
	"fyne.io/fyne/v2/test"
)

// Phone is the size of a phone's window.
var Phone = fyne.NewSize(412, 860)

// deviceApp is an app on a phone, or on a desktop.
type deviceApp struct {
	fyne.App
	phone bool
}

func (a deviceApp) Driver() fyne.Driver { return deviceDriver{a.App.Driver(), a.phone} }

type deviceDriver struct {
	fyne.Driver
	phone bool
}

func (d deviceDriver) Device() fyne.Device { return device{d.Driver.Device(), d.phone} }

type device struct {
	fyne.Device
	phone bool
}

func (d device) IsMobile() bool { return d.phone }

// NewApp is an app in Fyne's test driver, on the device that OnPhone has chosen.
func NewApp() fyne.App {
	last, chosen := fyne.CurrentApp().(deviceApp)
	a := test.NewApp()
	forgetFonts()
	if chosen {
		a = deviceApp{a, last.phone}
		fyne.SetCurrentApp(a)
	}
	return a
}

// OnPhone runs the app, for the rest of the test, on a phone or on a desktop.
func OnPhone(t testing.TB, on bool) {
	t.Helper()
	was := fyne.CurrentApp()
	a := was
	if d, ok := was.(deviceApp); ok {
		a = d.App
	}
	fyne.SetCurrentApp(deviceApp{a, on})
	t.Cleanup(func() { fyne.SetCurrentApp(was) })
}
