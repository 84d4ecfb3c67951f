// Package phone is what the app needs of Android and Fyne does not ask it for:
// sockets on the Wi-Fi network, the size of text that the person has set and
// whether things move, the permission to notify, and notifications of which there
// is one for each room. It asks through JNI, without Java of its own. On other
// systems there is nothing to ask, and its functions say so.
//
// android.go and jni_android.c are the way to Android; dial.go, which decides
// what to do with what they find, runs everywhere.
package phone

import (
	"context"
	"net"
)

// sockets are those of this process.
var sockets = dialer{wifi: wifi, resolveOn: resolveOn, bind: bind}

// Dial opens a connection as net.Dialer does, on the phone's Wi-Fi network if
// it has one. Android prefers mobile data to a Wi-Fi network without Internet,
// and sockets that are not told otherwise don't reach a server there.
func Dial(ctx context.Context, network, address string) (net.Conn, error) {
	return sockets.dial(ctx, network, address)
}

// Notice is a notification. Another one with its Tag takes its place.
type Notice struct {
	Tag, Title, Text string
	Channel          string // what the system's settings call this kind of notification
}
