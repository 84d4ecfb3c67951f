package main

import (
	"bufio"
	"bytes"
	"context"
	"crypto/rand"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"regexp"
	"runtime"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/coder/websocket"

	"parley/shared"
)

// hostile is a server with somebody in it who minds her own business, and an attacker at
// other addresses of this host. Its twin is a server with the same somebody, and no attacker.
type hostile struct {
	t         *testing.T
	addr      string
	metrics   string // their address
	ann, twin *bystander
	attackers int // so many addresses have attacked
}

func startHostile(t *testing.T, flags ...string) *hostile {
	t.Helper()
	h := &hostile{t: t}
	h.addr, h.metrics, h.ann = startCalm(t, flags...)
	_, _, h.twin = startCalm(t, flags...)
	return h
}

// startCalm starts a server with Ann in it.
func startCalm(t *testing.T, flags ...string) (addr, metrics string, ann *bystander) {
	t.Helper()
	out, _ := runServer(t, append([]string{"--data", t.TempDir(), "--metrics-addr", "127.0.0.1:0", "--rate", "100"}, flags...)...)
	metrics = out.wait(t, `http://127\.0\.0\.1:\d+/metrics`)
	addr = strings.TrimPrefix(out.wait(t, `http://127\.0\.0\.1:\d+`), "http://")
	ann = &bystander{pace: 10 * time.Millisecond, conn: dial(t, "http://"+addr+"/ws/chat/hall", shared.Protocol)}
	write(t, ann.conn, string(shared.Encode(shared.Message{Type: shared.TypeHello, User: "Ann", Device: device})))
	readUntil(t, ann.conn, shared.TypeWelcome)
	return addr, metrics, ann
}

// bystander is somebody who says one thing after the other, and hears each.
type bystander struct {
	conn *websocket.Conn
	pace time.Duration // from one message to the next, as the rate lets her
	said int
	sent atomic.Int64 // bytes, on the wire
}

// talk says something and hears it, and all of it only once.
func (b *bystander) talk(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, time.Minute) // hung
	defer cancel()
	b.said++
	id := fmt.Sprint("said", b.said)
	frame := []byte(`{"type":"chat_message","id":"` + id + `","message":"still here"}`)
	b.sent.Add(int64(6 + len(frame)))
	if err := b.conn.Write(ctx, websocket.MessageText, frame); err != nil {
		return err
	}
	for {
		_, data, err := b.conn.Read(ctx)
		if err != nil {
			return err
		}
		m, err := shared.Decode(data)
		switch {
		case err != nil:
			return err
		case m.ID == id && m.Type == shared.TypeChat:
			return nil
		case strings.HasPrefix(m.ID, "said"):
			return fmt.Errorf("instead of %s came %s", id, data)
		}
	}
}

// metric is the value of a line of /metrics.
func (h *hostile) metric(name string) (value float64) {
	h.t.Helper()
	resp, err := http.Get(h.metrics)
	if err != nil {
		h.t.Fatal(err)
	}
	defer resp.Body.Close()
	body, _ := io.ReadAll(resp.Body)
	for line := range strings.Lines(string(body)) {
		if s, ok := strings.CutPrefix(line, name+" "); ok {
			fmt.Sscan(s, &value)
		}
	}
	return value
}

// read is how many bytes the server has read that are not the bystander's.
func (h *hostile) read() int {
	h.t.Helper()
	all := h.metric("parley_read_bytes_total")
	return int(all) - int(h.ann.sent.Load())
}

// reads waits until the server has read so many bytes more than it had before. That may
// take as long as it likes while it goes on: on a busy machine, who floods waits for long.
func (h *hostile) reads(bytes, before int) {
	h.t.Helper()
	got, last := h.read()-before, time.Now()
	for got < bytes {
		time.Sleep(time.Millisecond)
		if now := h.read() - before; now > got {
			got, last = now, time.Now()
		}
		if time.Since(last) > time.Minute {
			h.t.Fatalf("of the attack, only %d bytes of %d were read", got, bytes)
		}
	}
}

// connect is the attacker's connection.
func (h *hostile) connect() net.Conn {
	h.t.Helper()
	d := net.Dialer{LocalAddr: &net.TCPAddr{IP: net.IPv4(127, 0, byte(1+h.attackers/250), byte(1+h.attackers%250))}}
	c, err := d.DialContext(h.t.Context(), "tcp", h.addr)
	if err != nil {
		h.t.Fatal(err)
	}
	h.t.Cleanup(func() { c.Close() })
	c.SetDeadline(time.Now().Add(10 * time.Minute)) // hung
	return c
}

// upgrade is the attacker's WebSocket; header is more of the request's.
func (h *hostile) upgrade(path, header string) (net.Conn, *bufio.Reader, *http.Response) {
	h.t.Helper()
	c := h.connect()
	fmt.Fprintf(c, "GET %s HTTP/1.1\r\nHost: %s\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"+
		"Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n%s\r\n", path, h.addr, header)
	r := bufio.NewReader(c)
	resp, err := http.ReadResponse(r, nil)
	if err != nil {
		h.t.Fatal(err)
	}
	return c, r, resp
}

// enter is the attacker's WebSocket in the bystander's room.
func (h *hostile) enter() (net.Conn, *bufio.Reader) {
	h.t.Helper()
	c, r, resp := h.upgrade("/ws/chat/hall/eve", "")
	if resp.StatusCode != http.StatusSwitchingProtocols {
		h.t.Fatalf("no upgrade: %d", resp.StatusCode)
	}
	return c, r
}

// frameOf is a frame masked with zeros; first is its first byte.
func frameOf(first byte, payload string) []byte {
	b := []byte{first}
	switch n := len(payload); {
	case n < 126:
		b = append(b, 0x80|byte(n))
	case n < 1<<16:
		b = binary.BigEndian.AppendUint16(append(b, 0x80|126), uint16(n))
	default:
		b = binary.BigEndian.AppendUint64(append(b, 0x80|127), uint64(n))
	}
	return append(append(b, 0, 0, 0, 0), payload...)
}

const (
	text         = 0x81
	unfinished   = 0x01
	continuation = 0x00
	ping         = 0x89
	pong         = 0x8a
)

// closed reads the server's frames to the end, and returns the code of its close
// frame, 0 if there is none.
func (h *hostile) closed(r *bufio.Reader) int {
	h.t.Helper()
	for {
		head := make([]byte, 2)
		if _, err := io.ReadFull(r, head); err == io.EOF {
			return 0
		} else if err != nil {
			h.t.Fatalf("no end: %v", err)
		}
		n := int(head[1])
		if n == 126 {
			var long [2]byte
			io.ReadFull(r, long[:])
			n = int(binary.BigEndian.Uint16(long[:]))
		}
		p := make([]byte, n)
		if _, err := io.ReadFull(r, p); err != nil {
			h.t.Fatal(err)
		}
		if head[0] == 0x88 {
			return int(binary.BigEndian.Uint16(p))
		}
	}
}

// TestHostile is what strangers send. Meanwhile the bystander talks on, about as often
// as at the twin, and after each the server's memory is what it was, near enough.
func TestHostile(t *testing.T) {
	if runtime.GOOS != "linux" {
		t.Skip("needs a second address of this host")
	}
	// What is refused with an error, on a connection that goes on.
	frames := map[string]string{
		"deep JSON":              `{"message":` + strings.Repeat("[", 30000) + strings.Repeat("]", 30000) + `}`,
		"deep objects":           strings.Repeat(`{"a":`, 9000) + "1" + strings.Repeat("}", 9000),
		"a number of 10⁴ digits": `{"type":"history","before":1` + strings.Repeat("0", 10000) + `}`,
		"an infinite number":     `{"message":"x","offset":1e999999}`,
		"a number as text":       `{"message":12}`,
		"half a surrogate pair":  `{"message":"\ud800","user":"\udfff"}`,
		"keys given twice":       `{"message":"one","message":"two","type":"chat_message","type":"welcome"}`,
		"not UTF-8":              "{\"message\":\"\xff\xfe\"}",
		"20,000 keys":            `{` + strings.TrimSuffix(strings.Repeat(`"k":1,`, 10000), ",") + `}`,
		"an unending string":     `{"message":"` + strings.Repeat("x", 50000),
		"NULs":                   strings.Repeat("\x00", 60000),
	}
	h := startHostile(t, "--burst", "100")
	for name, frame := range frames {
		h.run(t, "frame/"+name, len(frame), func(h *hostile) {
			c, r := h.enter()
			c.Write(frameOf(text, frame))
			c.Write(frameOf(0x88, "\x03\xe8"))
			if code := h.closed(r); code != 1000 {
				h.t.Errorf("the connection ended with %d", code)
			}
		})
	}
	// What ends its connection, with a code.
	for name, attack := range map[string]struct {
		bytes []byte
		code  int
	}{
		"a long frame":             {frameOf(text, strings.Repeat("x", shared.MaxClientFrame+1)), 1009},
		"a flood of fragments":     {append(frameOf(unfinished, "x"), bytes.Repeat(frameOf(continuation, "0123456789"), 8000)...), 1009},
		"a compressed frame":       {frameOf(text|0x40, "x"), 1002},
		"an unknown opcode":        {frameOf(0x83, "x"), 1002},
		"a frame without its mask": {[]byte{text, 1, 'x'}, 0},
		"a long ping":              {frameOf(ping, strings.Repeat("x", 126)), 1002},
		"a binary frame":           {frameOf(0x82, "x"), 1003},
	} {
		h.run(t, "ending/"+name, min(len(attack.bytes), 3), func(h *hostile) {
			c, r := h.enter()
			go c.Write(attack.bytes) // the server may not read it all
			if code := h.closed(r); code != attack.code {
				h.t.Errorf("the connection ended with %d, want %d", code, attack.code)
			}
		})
	}
	// The same where a hello should be, with a message after it.
	for name, bytes := range map[string][]byte{
		"a frame without its mask": {text, 0},
		"an unknown opcode":        frameOf(0x83, "x"),
		"a long frame":             frameOf(text, strings.Repeat("x", shared.MaxClientFrame+1)),
		"no hello":                 frameOf(text, `{"message":"x"}`),
	} {
		h.run(t, "hello/"+name, min(len(bytes), 3), func(h *hostile) {
			c, r, resp := h.upgrade("/ws/chat/hall/eve", "Sec-WebSocket-Protocol: "+shared.Protocol+"\r\n")
			if resp.StatusCode != http.StatusSwitchingProtocols {
				h.t.Fatalf("no upgrade: %d", resp.StatusCode)
			}
			go func() {
				c.Write(bytes)
				c.Write(frameOf(text, `{"type":"chat_message","id":"a","message":"x"}`))
				c.Write(frameOf(text, `{"type":"typing"}`))
			}()
			h.closed(r)
		})
	}
	// What goes on for long. The server reads all of it.
	flood := func(name string, first, frame []byte, n int) {
		h.run(t, "flood/"+name, len(first)+n*len(frame), func(h *hostile) {
			c, r := h.enter()
			go io.Copy(io.Discard, r)
			c.Write(first)
			burst := bytes.Repeat(frame, 1000)
			for range n / 1000 {
				if _, err := c.Write(burst); err != nil {
					break
				}
			}
		})
	}
	flood("pings", nil, frameOf(ping, "x"), 50_000)
	flood("pongs", nil, frameOf(pong, ""), 200_000)
	flood("empty fragments", frameOf(unfinished, ""), frameOf(continuation, ""), 200_000)
	h.run(t, "flood/pings whose answers are not read", 1000*len(frameOf(ping, strings.Repeat("x", 125))), func(h *hostile) {
		c, _ := h.enter()
		c.SetWriteDeadline(time.Now().Add(time.Second))
		burst := bytes.Repeat(frameOf(ping, strings.Repeat("x", 125)), 1000)
		for range 100 {
			if _, err := c.Write(burst); err != nil {
				return // the server has stopped reading, or closed it
			}
		}
	})
	h.run(t, "a frame that never comes", 30*14, func(h *hostile) {
		for range 30 {
			c, _ := h.enter()
			c.Write(append([]byte{text, 0x80 | 127, 0x40}, make([]byte, 11)...)) // 14 of 2⁶² bytes
		}
	})
	h.run(t, "an offer of compression", 0, func(h *hostile) {
		_, _, resp := h.upgrade("/ws/chat/hall/eve", "Sec-WebSocket-Extensions: permessage-deflate; client_max_window_bits, x-webkit-deflate-frame\r\n")
		if resp.StatusCode != 101 || resp.Header.Get("Sec-WebSocket-Extensions") != "" {
			h.t.Errorf("answered with %d %q", resp.StatusCode, resp.Header)
		}
	})
	h.run(t, "a megabyte of headers", 0, func(h *hostile) {
		c := h.connect()
		go io.WriteString(c, "GET / HTTP/1.1\r\nHost: x\r\nX: "+strings.Repeat("x", 1<<20))
		if resp, err := http.ReadResponse(bufio.NewReader(c), nil); err != nil || resp.StatusCode != 431 {
			h.t.Errorf("answered with %v, %v", resp, err)
		}
	})
	h.run(t, "20,000 names of rooms", 0, func(h *hostile) {
		c := h.connect()
		const names = 20_000
		go func() {
			w := bufio.NewWriter(c)
			for i := range names {
				path := "/ws/chat/room%d"
				if i%20 == 0 {
					path = "/api/rooms/room%d/messages"
				}
				fmt.Fprintf(w, "GET "+path+" HTTP/1.1\r\nHost: %s\r\n\r\n", i, h.addr)
			}
			w.Flush()
		}()
		r := bufio.NewReader(c)
		for i := range names {
			resp, err := http.ReadResponse(r, nil)
			if err != nil || (resp.StatusCode == 200) != (i%20 == 0) {
				h.t.Fatalf("request %d: %v, %v", i, resp, err)
			}
			io.Copy(io.Discard, resp.Body)
		}
		if n := h.metric("parley_rooms"); n > 2 {
			h.t.Errorf("%v rooms are in memory", n)
		}
	})
	// At servers of their own: who says nothing for a minute is taken for gone.
	slow := startHostile(t, "--rate", "5")
	slow.ann.pace, slow.twin.pace = time.Second/5, time.Second/5
	const messages = 200_000
	spam := bytes.Repeat(frameOf(text, `{"message":"x"}`), messages)
	slow.run(t, "flood/messages", len(spam)/messages*1000, func(h *hostile) {
		c, r := h.enter()
		go c.Write(spam)
		if code := h.closed(r); code != int(shared.CloseFlooding) {
			h.t.Errorf("the connection ended with %d", code)
		}
	})
	few := startHostile(t, "--max-per-address", "64")
	few.run(t, "10,000 half-open upgrades", 0, func(h *hostile) {
		var open []net.Conn
		begin := func() {
			c := h.connect()
			io.WriteString(c, "GET /ws/chat/hall HTTP/1.1\r\nHost: x\r\nUpgrade: websocket\r\n") // and no more
			if open = append(open, c); len(open) > 1000 {
				open[0].Close()
				open = open[1:]
			}
		}
		for range 10_000 {
			begin()
		}
		refused := func() bool {
			for range 100 {
				begin()
			}
			b, _ := io.ReadAll(h.connect())
			return bytes.HasPrefix(b, []byte("HTTP/1.1 429"))
		}
		once := refused()
		if !once && !refused() { // the first time, those that held the places may just have timed out
			h.t.Error("another one is not refused")
		}
		// Some because the places are taken, others because the address has cost too much.
		if n := h.metric(`parley_limit_hits_total{limit="half_open"}`) + h.metric(`parley_limit_hits_total{limit="meter"}`); n < 9000 {
			h.t.Errorf("%v were refused", n)
		}
	})
}

// TestHostileResumes has one address resume a room with long messages 64 times, and
// read nothing. Nobody else notices, and the server holds little for it.
func TestHostileResumes(t *testing.T) {
	if runtime.GOOS != "linux" {
		t.Skip("needs a second address of this host")
	}
	const texts, resumes = 640, 64
	h := startHostile(t, "--rate", "0")
	parley := "Sec-WebSocket-Protocol: " + shared.Protocol + "\r\n"
	c, r, _ := h.upgrade("/ws/chat/den", parley)
	c.Write(frameOf(text, `{"type":"hello","user":"Eve","device":"`+rand.Text()+`"}`))
	epoch := regexp.MustCompile(`"epoch":"[^"]+"`).FindString(nextFrame(t, r))
	long := strings.Repeat("\U0001F600", shared.MaxText)
	go func() {
		for i := range texts {
			c.Write(frameOf(text, fmt.Sprintf(`{"type":"chat_message","id":"%d","message":"%s"}`, i, long)))
		}
	}()
	for n := 0; n < texts; {
		if strings.Contains(nextFrame(t, r), `"chat_message"`) {
			n++
		}
	}
	before := heap()
	talking := talkOn(t, h.ann, h.twin, 20)
	for i := range resumes {
		c, r, resp := h.upgrade("/ws/chat/den", parley)
		c.(*net.TCPConn).SetReadBuffer(32 << 10)
		if resp.StatusCode != http.StatusSwitchingProtocols {
			t.Fatalf("resume %d: %d", i, resp.StatusCode)
		}
		c.Write(frameOf(text, fmt.Sprintf(`{"type":"hello","user":"Eve%d","device":"%s",%s,"after":0}`, i, rand.Text(), epoch)))
		if !strings.Contains(nextFrame(t, r), `"resumed":true`) {
			t.Fatalf("resume %d is none", i)
		}
	}
	for h.metric("parley_held_bytes") < resumes*100<<10 {
		time.Sleep(10 * time.Millisecond) // all of them stall
	}
	if held := h.metric("parley_held_bytes"); held > resumes*200<<10 {
		t.Errorf("%v bytes are held", held)
	}
	if grown := heap() - before; grown > 64<<20 {
		t.Errorf("the memory has grown by %d bytes", grown)
	}
	for i := range 10 {
		bob := dial(t, "http://"+h.addr+"/ws/chat/hall", shared.Protocol)
		write(t, bob, string(shared.Encode(shared.Message{Type: shared.TypeHello, User: fmt.Sprint("Bob", i), Device: rand.Text()})))
		readUntil(t, bob, shared.TypeWelcome)
		bob.CloseNow()
	}
	if !talking.over(t) {
		t.Errorf("the bystander was heard less than 1/%d as often as the one at the idle twin", atTwin)
	}
	if n := h.metric(`parley_limit_hits_total{limit="memory"}`); n > 0 {
		t.Errorf("%v were refused or closed for the memory", n)
	}
}

// nextFrame returns the payload of the server's next frame.
func nextFrame(t *testing.T, r *bufio.Reader) string {
	t.Helper()
	head := make([]byte, 2)
	if _, err := io.ReadFull(r, head); err != nil {
		t.Fatal(err)
	}
	n := uint64(head[1])
	switch n {
	case 126:
		var b [2]byte
		io.ReadFull(r, b[:])
		n = uint64(binary.BigEndian.Uint16(b[:]))
	case 127:
		var b [8]byte
		io.ReadFull(r, b[:])
		n = binary.BigEndian.Uint64(b[:])
	}
	p := make([]byte, n)
	if _, err := io.ReadFull(r, p); err != nil {
		t.Fatal(err)
	}
	return string(p)
}

// run plays one attack in a subtest, again and again from other addresses, until the
// bystander has been heard many times. Each time the server must read a number of the
// attack's bytes. It sees what became of the bystander and of the memory.
func (h *hostile) run(t *testing.T, name string, bytes int, attack func(*hostile)) {
	const often = 20
	t.Run(name, func(t *testing.T) {
		before := heap()
		here := *h
		here.t = t
		defer func() { h.attackers = here.attackers }()
		inPeace(t, func() bool {
			talking := talkOn(t, h.ann, h.twin, often)
			for talking.goesOn() {
				read := here.read()
				attack(&here)
				here.attackers++
				here.reads(bytes, read)
			}
			return talking.over(t)
		})
		// Connections that were refused may linger for some seconds.
		grown := heap() - before
		for deadline := time.Now().Add(time.Minute); grown > 16<<20; grown = heap() - before {
			if time.Now().After(deadline) {
				t.Fatalf("the memory has grown by %d bytes", grown)
			}
			time.Sleep(100 * time.Millisecond)
		}
	})
}

// inPeace has an attack made until the bystander does not notice it. A machine that is
// busy with something else may be in her way now and then; an attack would be each time.
func inPeace(t *testing.T, attack func() bool) {
	t.Helper()
	for range 5 {
		if attack() {
			return
		}
	}
	t.Errorf("each time, the bystander was heard less than 1/%d as often as the one at the idle twin", atTwin)
}

// talking is what two bystanders say at the same time, one of them at an idle server.
type talking struct {
	stop        context.CancelFunc
	enough      chan struct{} // closed when the one here was heard often enough, or fails
	both        sync.WaitGroup
	here, there atomic.Int64 // how often each was heard
	failed      [2]error
}

// atTwin is how much more often a bystander may be heard at an idle server.
const atTwin = 4

// talkOn has two bystanders talk until over is called, and longer if the one here has
// not been heard so often yet.
func talkOn(t *testing.T, here, there *bystander, often int64) *talking {
	ctx, stop := context.WithCancel(t.Context())
	l := &talking{stop: stop, enough: make(chan struct{})}
	enough := sync.OnceFunc(func() { close(l.enough) })
	talk := func(b *bystander, heard func()) error {
		pace := time.NewTicker(b.pace)
		defer pace.Stop()
		for ctx.Err() == nil {
			if err := b.talk(t.Context()); err != nil {
				return err
			}
			heard()
			<-pace.C
		}
		return nil
	}
	l.both.Go(func() {
		defer enough()
		l.failed[0] = talk(here, func() {
			if l.here.Add(1) == often {
				enough()
			}
		})
	})
	l.both.Go(func() { l.failed[1] = talk(there, func() { l.there.Add(1) }) })
	t.Cleanup(func() { stop(); l.both.Wait() })
	return l
}

// goesOn reports whether the one here has still to be heard.
func (l *talking) goesOn() bool {
	select {
	case <-l.enough:
		return false
	default:
		return true
	}
}

// over sees that nobody was cut or lost a message, and reports whether the one here was
// heard about as often as the one at the idle server.
func (l *talking) over(t *testing.T) bool {
	t.Helper()
	<-l.enough
	here, there := l.here.Load(), l.there.Load()
	l.stop()
	l.both.Wait()
	if err := errors.Join(l.failed[0], l.failed[1]); err != nil {
		t.Fatalf("a bystander, at the server or its twin: %v", err)
	}
	t.Logf("heard %d times, at the twin %d", here, there)
	return there <= atTwin*here
}

func heap() int64 {
	runtime.GC()
	runtime.GC() // what sync.Pool keeps goes at the second
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return int64(m.HeapAlloc + m.StackInuse)
}
