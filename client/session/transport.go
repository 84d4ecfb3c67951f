package session

import (
	"context"
	"net"
	"net/http"
	"time"
)

// dialFunc opens the connection to host:port.
type dialFunc func(ctx context.Context, network, address string) (net.Conn, error)

// transport is for one request to the server at base. It goes straight there: a
// server of the local network is not behind a proxy.
func transport(base string, pins *Pins, dial dialFunc) *http.Transport {
	if dial == nil {
		dial = (&net.Dialer{Timeout: 10 * time.Second}).DialContext
	}
	return &http.Transport{
		DialContext:         dial,
		DisableKeepAlives:   true,
		TLSHandshakeTimeout: 10 * time.Second,
		TLSClientConfig:     pins.config(base),
	}
}
