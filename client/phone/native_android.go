package phone

// #cgo LDFLAGS: -ldl
// #include "jni_android.h"
import "C"

import (
	"errors"
	"strconv"
	"unicode/utf16"
	"unsafe"

	"fyne.io/fyne/v2/driver"
)

// java is a way to Android's objects, on one thread.
type java struct {
	env                   *C.JNIEnv
	activity, application C.jobject
}

// inJava runs f with Android's objects, and reports false if there are none.
func inJava(f func(java)) bool {
	err := driver.RunNative(func(context any) error {
		android := context.(*driver.AndroidContext)
		j := java{env: (*C.JNIEnv)(unsafe.Pointer(android.Env)), activity: C.jobject(android.Ctx)}
		if C.phone_begin(j.env) == 0 {
			return errors.New("no room for references to Java")
		}
		defer C.phone_end(j.env)
		j.application = C.phone_application(j.env, j.activity)
		f(j)
		return nil
	})
	return err == nil
}

func (j java) string(s string) C.jstring {
	units := utf16.Encode([]rune(s))
	return C.phone_string(j.env, (*C.uint16_t)(unsafe.SliceData(units)), C.int(len(units)))
}

func wifi() (w wifiNetwork) {
	inJava(func(j java) {
		var chosen C.int
		w.handle = uint64(C.phone_wifi(j.env, j.application, &chosen))
		w.chosen = chosen != 0
	})
	return w
}

func prefix() (s string) {
	inJava(func(j java) {
		var address [64]C.char
		if bits := C.phone_prefix(j.env, j.application, &address[0], C.int(len(address))); bits > 0 {
			s = C.GoString(&address[0]) + "/" + strconv.Itoa(int(bits))
		}
	})
	return s
}

// HearMulticast makes the phone's Wi-Fi take in multicast and broadcast packets, which
// it leaves out to save its battery, or ends that.
func HearMulticast(on bool) {
	inJava(func(j java) { C.phone_multicast(j.env, j.application, C.int(map[bool]int{true: 1}[on])) })
}

func resolveOn(handle uint64)        { C.phone_resolve_on(C.uint64_t(handle)) }
func bind(handle uint64, fd uintptr) { C.phone_bind(C.uint64_t(handle), C.int(fd)) }

// FontScale is how large the person wants text, as a multiple of the usual size:
// 1 if Android does not say.
func FontScale() float32 {
	var scale float32
	inJava(func(j java) { scale = float32(C.phone_font_scale(j.env, j.application)) })
	if scale <= 0 {
		return 1
	}
	return scale
}

// Still reports whether the person has turned the system's animations off.
func Still() (still bool) {
	inJava(func(j java) { still = C.phone_still(j.env) != 0 })
	return still
}

// AsksToNotify reports whether the person still has to allow notifications, as
// Android demands since version 13.
func AsksToNotify() (asks bool) {
	inJava(func(j java) { asks = C.phone_asks_to_notify(j.env, j.application) != 0 })
	return asks
}

// AskToNotify shows the system's question whether the app may notify. The
// channel is what the system's settings call its notifications.
func AskToNotify(channel string) {
	inJava(func(j java) { C.phone_ask_to_notify(j.env, j.activity, j.string(channel)) })
}

// AsksForNetwork reports whether the person still has to allow the app to reach the
// devices of a local network, as Android demands since version 17 of apps that are made
// for it.
func AsksForNetwork() (asks bool) {
	inJava(func(j java) { asks = C.phone_asks_for_network(j.env, j.application) != 0 })
	return asks
}

// AskForNetwork shows the system's question for that. The app loses the focus to it.
func AskForNetwork() {
	inJava(func(j java) { C.phone_ask_for_network(j.env, j.activity) })
}

// Notify shows a notification, if the person allows it. It reports false if
// Android does not take it.
func Notify(n Notice) (shown bool) {
	inJava(func(j java) {
		shown = C.phone_notify(j.env, j.application, j.string(n.Tag), j.string(n.Title), j.string(n.Text), j.string(n.Channel), j.string(n.Link)) != 0
	})
	return shown
}

// Withdraw takes back the notification with a tag.
func Withdraw(tag string) {
	inJava(func(j java) { C.phone_withdraw(j.env, j.application, j.string(tag)) })
}

// Open lets an app show or play a file of a type, such as audio/mpeg, that the person
// has saved at an address. It reports false if no app does.
func Open(address, kind string) (opened bool) {
	inJava(func(j java) { opened = C.phone_open(j.env, j.activity, j.string(address), j.string(kind)) != 0 })
	return opened
}
