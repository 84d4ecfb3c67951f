package session

import (
	"context"
	"net"
	"net/http"
	"time"
)

// dialWait bounds how long a server takes to answer at all.
const dialWait = 10 * time.Second

// DialFunc opens a connection to host:port. It opens all sockets of this package,
// so a caller can choose another network than the system would. nil dials as the
// system does.
type DialFunc func(ctx context.Context, network, address string) (net.Conn, error)

func (d DialFunc) dial(ctx context.Context, network, address string) (net.Conn, error) {
	if d == nil {
		d = (&net.Dialer{Timeout: dialWait}).DialContext
	}
	return d(ctx, network, address)
}

// client is for one request to the server at base. It goes straight there: a
// server of the local network is not behind a proxy. It follows no redirect, which
// could lead to another server than the person named. Its CloseIdleConnections ends a
// dial that the request no longer waits for, which net/http would go on with.
func (d DialFunc) client(base string, pins *Pins) *http.Client {
	return &http.Client{
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
		Transport: &http.Transport{
			DialContext:         d.dial,
			DisableKeepAlives:   true,
			TLSHandshakeTimeout: dialWait,
			TLSClientConfig:     pins.config(base),
		},
	}
}
