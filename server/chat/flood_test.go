package chat_test

import (
	"bufio"
	"bytes"
	"fmt"
	"io"
	"net"
	"net/http"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"parley/server/chat"
)

// rawSocket is a WebSocket in the tutorial's dialect, from an address, whose frames
// the test makes itself.
func (s *server) rawSocket(address, room string) (net.Conn, *bufio.Reader) {
	s.t.Helper()
	c := s.connect()
	fmt.Fprintf(c, "GET /ws/chat/%s HTTP/1.1\r\nHost: localhost\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nX-Forwarded-For: %s\r\n"+
		"Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n\r\n", room, address)
	r := bufio.NewReader(c)
	resp, err := http.ReadResponse(r, nil)
	if err != nil || resp.StatusCode != http.StatusSwitchingProtocols {
		s.t.Fatalf("no upgrade: %v, %v", resp, err)
	}
	return c, r
}

func (s *server) connect() net.Conn {
	s.t.Helper()
	c, err := net.Dial("tcp", strings.TrimPrefix(s.http.URL, "http://"))
	if err != nil {
		s.t.Fatal(err)
	}
	s.t.Cleanup(func() { c.Close() })
	c.SetDeadline(time.Now().Add(patience))
	return c
}

// maskedFrame is a client's frame of less than 126 bytes, masked with zeros.
func maskedFrame(first byte, payload string) []byte {
	return append([]byte{first, 0x80 | byte(len(payload)), 0, 0, 0, 0}, payload...)
}

// Whatever an address floods the server with, it comes to wait. The machine is a slow
// one, or whoever floods might be slower than the server.
func TestFloodsWait(t *testing.T) {
	for name, flood := range map[string]struct{ first, frame []byte }{
		"pings":           {nil, maskedFrame(0x89, "x")},
		"pongs":           {nil, maskedFrame(0x8a, "")},
		"empty fragments": {maskedFrame(0x01, ""), maskedFrame(0x00, "")},
		"typing":          {nil, maskedFrame(0x81, `{"type":"typing"}`)},
		"history":         {nil, maskedFrame(0x81, `{"type":"history","limit":100}`)},
		"messages":        {nil, maskedFrame(0x81, `{"message":"x"}`)},
		"API":             {nil, []byte("GET /api/server HTTP/1.1\r\nHost: localhost\r\nX-Forwarded-For: 192.0.2.1\r\n\r\n")},
		"readiness":       {nil, []byte("GET /readyz HTTP/1.1\r\nHost: localhost\r\nX-Forwarded-For: 192.0.2.1\r\n\r\n")},
	} {
		t.Run(name, func(t *testing.T) {
			s := start(t, behindProxy, func(c *chat.Config) { c.Burst = 1 << 20 })
			s.hub.SlowMachine()
			var c net.Conn
			var r io.Reader
			if flood.frame[0] == 'G' {
				c = s.connect()
				r = c
			} else {
				c, r = s.rawSocket("192.0.2.1", "den")
			}
			go io.Copy(io.Discard, r)
			c.Write(flood.first)
			burst := bytes.Repeat(flood.frame, 1+4000/len(flood.frame))
			go func() {
				for {
					if _, err := c.Write(burst); err != nil {
						return // the test is over
					}
				}
			}()
			before := s.hub.Waited("192.0.2.1") // to come in, perhaps
			s.until("it waits", func() bool { return s.hub.Waited("192.0.2.1") > before+3 })
		})
	}
}

// Between its close frame and the answer, which an attacker never gives, a connection
// costs what it did before.
func TestFloodsOfTheClosingWait(t *testing.T) {
	var pauses atomic.Int64
	s := start(t, behindProxy, func(c *chat.Config) {
		c.CloseLimit = time.Hour
		c.Pause = func(d time.Duration) {
			pauses.Add(1)
			time.Sleep(d)
		}
	})
	s.hub.SlowMachine()
	c, r := s.rawSocket("192.0.2.1", "den")
	c.Write(maskedFrame(0x82, "binary"))
	for first := byte(0); first != 0x88; {
		var err error
		if first, err = r.ReadByte(); err != nil {
			t.Fatal(err)
		}
	}
	before := pauses.Load() // for the frame that closed it
	go io.Copy(io.Discard, r)
	burst := bytes.Repeat(maskedFrame(0x81, `{"message":"x"}`), 200)
	go func() {
		for {
			if _, err := c.Write(burst); err != nil {
				return // the test is over
			}
		}
	}()
	s.until("it waits", func() bool { return pauses.Load() > before+3 })
}

// A pong that comes with others takes the library longer than its six bytes say.
func TestPongsArePaidFor(t *testing.T) {
	s := start(t, behindProxy)
	s.hub.StopMeters()
	c, r := s.rawSocket("192.0.2.1", "den")
	const n = 10_000
	if _, err := c.Write(append(bytes.Repeat(maskedFrame(0x8a, ""), n), maskedFrame(0x89, "last")...)); err != nil {
		t.Fatal(err)
	}
	answer := make([]byte, 6)
	if _, err := io.ReadFull(r, answer); err != nil || string(answer[2:]) != "last" {
		t.Fatalf("%q, %v", answer, err)
	}
	if used := s.hub.Used("192.0.2.1"); used < n*chat.CostPong {
		t.Errorf("%d pongs are counted as %v", n, used)
	}
}
