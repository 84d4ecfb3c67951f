package ui

import "fyne.io/fyne/v2"

// isPhone reports whether the app is used with fingers and an on-screen
// keyboard. Fyne decides it when it is built, a test at run time.
var isPhone = func() bool { return fyne.CurrentDevice().IsMobile() }
