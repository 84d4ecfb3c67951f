// Package phone asks Android for what Fyne does not: sockets on the Wi-Fi network,
// the size of text, whether animations are on, the permissions to notify and to reach
// local networks, one notification for each room, and an app that plays a file. It asks
// through JNI, without any Java. On other systems its functions say that there is nothing
// to ask.
//
// android.go and jni_android.c are the way to Android; dial.go and
// network.go, which decide what to do with what they find, run everywhere.
package phone

import (
	"context"
	"net"
)

// sockets are those of this process.
var sockets = dialer{wifi: wifi, resolveOn: resolveOn, bind: bind, prefix: prefix}

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
	Link             string // where a tap leads, if the app can be told; otherwise it opens the app
}
