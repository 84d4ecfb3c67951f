package main

import (
	"bufio"
	"bytes"
	"fmt"
	"io"
	"net"
	"net/http"
	"regexp"
	"strings"
	"time"
)

// strayListener is below TLS. Its connections lead whoever comes with plain HTTP
// to https at the same address: that is what a browser does with an address that
// somebody typed.
type strayListener struct{ net.Listener }

func (l strayListener) Accept() (net.Conn, error) {
	c, err := l.Listener.Accept()
	if tcp, ok := c.(*net.TCPConn); ok {
		return &strayConn{TCPConn: tcp}, err
	}
	return c, err
}

// strayConn remembers what came first. If that is no TLS record, crypto/tls gives
// up without a word, and net/http writes a sentence that this takes the place of.
type strayConn struct {
	*net.TCPConn
	read  bool
	plain []byte // what came first, if it is not TLS
}

const handshakeRecord = 22 // RFC 8446, section 5.1

func (c *strayConn) Read(p []byte) (int, error) {
	n, err := c.TCPConn.Read(p)
	if n > 0 && !c.read {
		c.read = true
		if p[0] != handshakeRecord {
			c.plain = bytes.Clone(p[:n])
		}
	}
	return n, err
}

func (c *strayConn) Write(p []byte) (int, error) {
	if c.plain == nil {
		return c.TCPConn.Write(p)
	}
	_, err := io.WriteString(c.TCPConn, answerStray(c.plain))
	// The rest of the request is read, because closing before that takes the answer back.
	_ = c.CloseWrite()
	_ = c.SetReadDeadline(time.Now().Add(time.Second))
	_, _ = io.Copy(io.Discard, io.LimitReader(c.TCPConn, 64<<10))
	return len(p), err
}

var plainHost = regexp.MustCompile(`^[A-Za-z0-9._:\[\]-]+$`)

// answerStray is the answer to the beginning of a plain HTTP request.
func answerStray(request []byte) string {
	const refusal = "HTTP/1.1 400 Bad Request\r\nContent-Type: application/problem+json\r\nConnection: close\r\n\r\n" +
		`{"type":"about:blank","title":"Bad Request","status":400,"detail":"This port takes connections with TLS only: the address begins with https:// or wss://."}` + "\n"
	// The rest of a long header may still be on its way; the line and the Host are here.
	if end := bytes.LastIndex(request, []byte("\r\n")); end >= 0 {
		request = append(bytes.Clone(request[:end]), "\r\n\r\n"...)
	}
	r, err := http.ReadRequest(bufio.NewReader(bytes.NewReader(request)))
	if err != nil || r.Method != http.MethodGet && r.Method != http.MethodHead || !plainHost.MatchString(r.Host) ||
		!strings.HasPrefix(r.URL.Path, "/") || r.Header.Get("Upgrade") != "" {
		return refusal
	}
	// Not for good: the server may be started without TLS again.
	return fmt.Sprintf("HTTP/1.1 307 Temporary Redirect\r\nLocation: https://%s%s\r\nContent-Length: 0\r\nConnection: close\r\n\r\n", r.Host, r.URL.RequestURI())
}
