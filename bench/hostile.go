package main

import (
	"bufio"
	"bytes"
	"context"
	"fmt"
	"io"
	"net"
	"os"
	"os/exec"
	"slices"
	"strings"
	"sync"
	"time"
)

// limitedParley is the server with its limits as they are, but for the rate of
// who is measured.
func limitedParley(p peer, binary string) peer {
	p.command = func(addr string) (*exec.Cmd, error) {
		dir, err := os.MkdirTemp("", "parley-bench-")
		if err != nil {
			return nil, err
		}
		return exec.Command(binary, "--addr", addr, "--data", dir, "--rate", "100", "--burst", "100"), nil
	}
	return p
}

// bystander measures the round trip of somebody's own messages, first in quiet,
// then while another address of this host does all that it can think of.
func bystander(p peer, duration time.Duration) (quiet, hostile measure, err error) {
	s, err := start(p)
	if err != nil {
		return quiet, hostile, err
	}
	defer s.stop()
	var mu sync.Mutex
	var latencies []time.Duration
	c, err := gather(p, s, 1, 1, func(m *member) {
		m.got = func(_ *member, _ int, sent int64) {
			mu.Lock()
			defer mu.Unlock()
			latencies = append(latencies, time.Duration(now()-sent))
		}
	})
	if err != nil {
		return quiet, hostile, err
	}
	defer c.disperse()
	settle()
	seq := 0
	talk := func() (m measure, err error) {
		n := int(2 * 50 * duration.Seconds())
		ticker := time.NewTicker(time.Second / 50)
		defer ticker.Stop()
		for range n {
			<-ticker.C
			seq++
			if err := c.members[0].send(p.message("room0", seq, text(seq, now()))); err != nil {
				return m, err
			}
		}
		c.wait(int64(seq))
		mu.Lock()
		defer mu.Unlock()
		slices.Sort(latencies)
		m = measure{p50: quantile(latencies, 0.5), p99: quantile(latencies, 0.99)}
		if len(latencies) != n {
			m.lost = fmt.Sprintf("LOST (%d of %d)", len(latencies), n)
		}
		latencies = nil
		return m, nil
	}
	if quiet, err = talk(); err != nil {
		return quiet, hostile, err
	}
	ctx, cancel := context.WithCancel(context.Background())
	var attackers sync.WaitGroup
	for _, attack := range attacks {
		attackers.Go(func() {
			for ctx.Err() == nil {
				attack(s.addr)
				time.Sleep(10 * time.Millisecond) // it is not the generator's CPU that is measured
			}
		})
	}
	hostile, err = talk()
	cancel()
	attackers.Wait()
	return quiet, hostile, err
}

// attacks are each played over and over; an error only ends its turn.
var attacks = []func(addr string){
	func(addr string) { // half-open upgrades
		var open []net.Conn
		for range 100 {
			if c := stranger(addr); c != nil {
				io.WriteString(c, "GET /ws/chat/room0 HTTP/1.1\r\nHost: x\r\n")
				open = append(open, c)
			}
		}
		time.Sleep(100 * time.Millisecond)
		for _, c := range open {
			c.Close()
		}
	},
	flood(0x89, "x"),                  // pings
	flood(0x81, `{"message":"spam"}`), // over the rate
	flood(0x81, strings.Repeat("[", 20000)),
	flood(0x00, ""), // fragments of nothing
	func(addr string) { // frames over the limit
		if c := enterAs(addr, "big"); c != nil {
			defer c.Close()
			f := masked(0x81, strings.Repeat("x", 65000))
			for range 10 {
				c.Write(f)
			}
		}
	},
	func(addr string) { // names of rooms
		if c := stranger(addr); c != nil {
			defer c.Close()
			for i := range 200 {
				fmt.Fprintf(c, "GET /api/rooms/room%d%d/messages HTTP/1.1\r\nHost: x\r\n\r\n", i, now())
			}
			c.SetReadDeadline(time.Now().Add(100 * time.Millisecond))
			io.Copy(io.Discard, c)
		}
	},
}

// flood sends one kind of frame in bursts until it is thrown out.
func flood(first byte, payload string) func(string) {
	frame := masked(first, payload)
	burst := bytes.Repeat(frame, max(1, 20000/len(frame)))
	return func(addr string) {
		c := enterAs(addr, "eve")
		if c == nil {
			return
		}
		defer c.Close()
		go io.Copy(io.Discard, c)
		for range 20 {
			c.SetWriteDeadline(time.Now().Add(100 * time.Millisecond))
			if _, err := c.Write(burst); err != nil {
				return
			}
			time.Sleep(5 * time.Millisecond)
		}
	}
}

// stranger connects from another address of this host; nil where it can't.
func stranger(addr string) net.Conn {
	d := net.Dialer{LocalAddr: &net.TCPAddr{IP: net.IPv4(127, 0, 0, 2)}, Timeout: time.Second}
	c, err := d.Dial("tcp", addr)
	if err != nil {
		return nil
	}
	return c
}

func enterAs(addr, name string) net.Conn {
	c := stranger(addr)
	if c == nil {
		return nil
	}
	fmt.Fprintf(c, "GET /ws/chat/attic/%s HTTP/1.1\r\nHost: %s\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"+
		"Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n\r\n", name, addr)
	if status, err := bufio.NewReaderSize(c, 16).ReadString(' '); err != nil || !strings.HasPrefix(status, "HTTP") {
		c.Close()
		return nil
	}
	return c
}

func masked(first byte, payload string) []byte {
	n := len(payload)
	f := []byte{first, 0x80 | byte(min(n, 126))}
	if n >= 126 {
		f = append(f, byte(n>>8), byte(n))
	}
	return append(append(f, 0, 0, 0, 0), payload...)
}
