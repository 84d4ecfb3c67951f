//go:build !android

package phone

func wifi() wifiNetwork    { return wifiNetwork{} }
func resolveOn(uint64)     {}
func bind(uint64, uintptr) {}

var prefix func() string // see dialer

// HearMulticast makes the phone's Wi-Fi take in multicast and broadcast packets, which
// it leaves out to save its battery, or ends that.
func HearMulticast(bool) {}

// FontScale is how large the person wants text, as a multiple of the usual size:
// 1 on systems that draw Fyne's windows in that size anyway.
func FontScale() float32 { return 1 }

// Still reports whether the person has turned the system's animations off, if
// Fyne does not know it.
func Still() bool { return false }

// AsksToNotify reports whether the person has to allow notifications first.
func AsksToNotify() bool { return false }

// AskToNotify shows the system's question whether the app may notify. The
// string is what the system's settings call the app's notifications.
func AskToNotify(_ string) {}

// AsksForNetwork reports whether the person has to allow the app to reach the devices of
// a local network first.
func AsksForNetwork() bool { return false }

// AskForNetwork shows the system's question for that.
func AskForNetwork() {}

// Notify shows a notification. It reports false if this package can't: Fyne
// can, on other systems than Android.
func Notify(Notice) bool { return false }

// Withdraw takes back the notification with a tag.
func Withdraw(string) {}

// Open lets an app show or play a file. It reports false if this package can't: Fyne
// can, on other systems than Android.
func Open(_, _ string) bool { return false }
