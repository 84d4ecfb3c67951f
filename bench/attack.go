package main

import (
	"bufio"
	"bytes"
	"context"
	"crypto/rand"
	"encoding/binary"
	"fmt"
	"io"
	"net"
	"strings"
	"sync"
	"time"
)

// attack is one thing that a stranger does over and over. An error ends its turn.
type attack struct {
	name string
	turn func(stranger)
}

var attacks = []attack{
	{"pings", flood(0x89, "x")},
	{"pongs", flood(0x8a, "")},
	{"ping frames", flood(0x81, `{"type":"ping"}`)},
	{"typing", flood(0x81, `{"type":"typing"}`)},
	{"empty fragments", func(s stranger) {
		if c := s.enter("den", ""); c != nil {
			defer c.Close()
			c.Write(masked(0x01, "")) // the first; without it, the others are refused at once
			pour(c, masked(0x00, ""))
		}
	}},
	{"messages, with new connections", flood(0x81, `{"message":"spam"}`)},
	{"deep JSON", flood(0x81, strings.Repeat("[", 20000))},
	{"frames over the limit", flood(0x81, strings.Repeat("x", 65000))},
	{"history", func(s stranger) {
		if c := s.enter("room0", shared); c != nil {
			defer c.Close()
			pour(c, masked(0x81, `{"type":"history","limit":100}`))
		}
	}},
	{"half-open connections", func(s stranger) {
		var open []net.Conn
		for range 100 {
			if c := s.connect(); c != nil {
				io.WriteString(c, "GET /ws/chat/room0 HTTP/1.1\r\nHost: x\r\n")
				open = append(open, c)
			}
		}
		for _, c := range open {
			c.Close()
		}
	}},
	{"GET a room's messages", get("/api/rooms/room0/messages?limit=100")},
	{"GET /api/server", get("/api/server")},
	{"GET /readyz", get("/readyz")},
	{"GET the page", get("/")},
	{"new rooms", func(s stranger) {
		if c := s.enter(rand.Text(), ""); c != nil {
			c.Close()
		}
	}},
	{"new locked rooms", func(s stranger) {
		if c := s.enter(rand.Text(), shared); c != nil {
			c.Close()
		}
	}},
	{"resumes that read nothing", resumes},
	{"60 loud members of a room", func(s stranger) {
		var all sync.WaitGroup
		for range max(1, 60/s.of) {
			all.Go(func() {
				c := s.enter("loud", shared)
				if c == nil {
					return
				}
				defer c.Close()
				go io.Copy(io.Discard, c)
				for i := range 10 {
					c.SetWriteDeadline(time.Now().Add(time.Second))
					if _, err := c.Write(masked(0x81, fmt.Sprintf(`{"type":"chat_message","id":"%d","message":"LOUD"}`, i))); err != nil {
						return
					}
					time.Sleep(200 * time.Millisecond)
				}
			})
		}
		all.Wait()
	}},
}

// shared is the protocol of a member that greets.
const shared = "parley.v1"

// attackFrom plays an attack from n addresses of this host until ctx ends.
func attackFrom(ctx context.Context, name, addr string, n int) error {
	for _, a := range attacks {
		if a.name != name {
			continue
		}
		var all sync.WaitGroup
		for i := range n {
			all.Go(func() {
				for ctx.Err() == nil {
					a.turn(stranger{addr, net.IPv4(127, 0, 1, byte(i+1)), n})
					time.Sleep(time.Millisecond)
				}
			})
		}
		all.Wait()
		return nil
	}
	return fmt.Errorf("there is no attack %q", name)
}

// stranger is at one of several addresses.
type stranger struct {
	addr string
	ip   net.IP
	of   int
}

// connect returns nil if it can't.
func (s stranger) connect() net.Conn {
	d := net.Dialer{LocalAddr: &net.TCPAddr{IP: s.ip}, Timeout: time.Second}
	c, err := d.Dial("tcp", s.addr)
	if err != nil {
		return nil
	}
	return c
}

// enter returns a connection in a room, which has greeted if it has a protocol.
func (s stranger) enter(room, protocol string) net.Conn {
	return s.enterWith(room, protocol, "")
}

// enterWith greets with more fields.
func (s stranger) enterWith(room, protocol, fields string) net.Conn {
	c := s.connect()
	if c == nil {
		return nil
	}
	offer, key := "", ""
	if protocol != "" {
		offer = "Sec-WebSocket-Protocol: " + protocol + "\r\n"
	}
	c.SetDeadline(time.Now().Add(10 * time.Second))
	fmt.Fprintf(c, "GET /ws/chat/%s HTTP/1.1\r\nHost: %s\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"+
		"Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n%s\r\n", room, s.addr, offer)
	r := bufio.NewReaderSize(c, 16)
	if status, err := r.ReadString('\n'); err != nil || !strings.Contains(status, " 101 ") {
		c.Close()
		return nil
	}
	for line := ""; line != "\r\n"; {
		var err error
		if line, err = r.ReadString('\n'); err != nil {
			c.Close()
			return nil
		}
	}
	if protocol != "" {
		if len(room) == 26 { // a new one, which it locks
			key = `,"key":"correct horse"`
		}
		c.Write(masked(0x81, fmt.Sprintf(`{"type":"hello","user":"%s","device":"%s"%s%s}`, rand.Text()[:12], rand.Text(), key, fields)))
		if _, err := r.ReadByte(); err != nil {
			c.Close()
			return nil
		}
	}
	return c
}

// flood sends one kind of frame until it is thrown out, or for a second.
func flood(first byte, payload string) func(stranger) {
	frame := masked(first, payload)
	return func(s stranger) {
		if c := s.enter("den", ""); c != nil {
			defer c.Close()
			pour(c, frame)
		}
	}
}

// pour reads and drops what comes, and writes one frame over and over.
func pour(c net.Conn, frame []byte) {
	go io.Copy(io.Discard, c)
	burst := bytes.Repeat(frame, max(1, 20000/len(frame)))
	c.SetDeadline(time.Now().Add(time.Second))
	for {
		if _, err := c.Write(burst); err != nil {
			return
		}
	}
}

// get asks for a path, many times without waiting for an answer.
func get(path string) func(stranger) {
	return func(s stranger) {
		if c := s.connect(); c != nil {
			defer c.Close()
			pour(c, fmt.Appendf(nil, "GET %s HTTP/1.1\r\nHost: %s\r\n\r\n", path, s.addr))
		}
	}
}

// resumes fills a room with long messages, and resumes it 64 times from the
// beginning.
func resumes(s stranger) {
	room := "den-of-" + s.ip.String()
	epoch := ""
	for range 10 {
		c := s.connect()
		if c == nil {
			return
		}
		c.Close()
		if c = s.enter(room, shared); c == nil {
			continue
		}
		head := make([]byte, 400)
		n, _ := c.Read(head)
		if _, rest, ok := strings.Cut(string(head[:n]), `"epoch":"`); ok {
			epoch, _, _ = strings.Cut(rest, `"`)
		}
		go io.Copy(io.Discard, c)
		for i := range 10 {
			c.Write(masked(0x81, fmt.Sprintf(`{"type":"chat_message","id":"%d","message":"%s"}`, i, strings.Repeat("\U0001F600", 4000))))
		}
		time.Sleep(50 * time.Millisecond)
		c.Close()
	}
	var open []net.Conn
	for range 64 {
		if c := s.enterWith(room, shared, `,"epoch":"`+epoch+`","after":0`); c != nil {
			open = append(open, c)
		}
	}
	time.Sleep(200 * time.Millisecond)
	for _, c := range open {
		c.Close()
	}
}

// masked is a client's frame, masked with zeros.
func masked(first byte, payload string) []byte {
	f := []byte{first}
	switch n := len(payload); {
	case n < 126:
		f = append(f, 0x80|byte(n))
	case n < 1<<16:
		f = binary.BigEndian.AppendUint16(append(f, 0x80|126), uint16(n))
	default:
		f = binary.BigEndian.AppendUint64(append(f, 0x80|127), uint64(n))
	}
	return append(append(f, 0, 0, 0, 0), payload...)
}
