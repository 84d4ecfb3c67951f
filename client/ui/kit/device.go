package kit

import "fyne.io/fyne/v2"

// IsPhone reports whether the app is used with fingers and an on-screen keyboard.
func IsPhone() bool { return fyne.CurrentDevice().IsMobile() }
