package wire

import (
	"bufio"
	"context"
	"encoding/binary"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"
	"time"
	"unicode/utf8"

	"github.com/coder/websocket"
)

// raw is a client's frame with every bit as a case wants it.
type raw struct {
	first   byte // FIN, the reserved bits and the opcode
	payload []byte
	bare    bool // not masked
}

const (
	fin       = finalBit
	rsv1      = 0x40
	opMore    = 0x0
	opBinary  = 0x2
	maxInline = 125
)

func (f raw) bytes() []byte {
	mask := byte(maskBit)
	if f.bare {
		mask = 0
	}
	b := []byte{f.first}
	switch n := len(f.payload); {
	case n <= maxInline:
		b = append(b, mask|byte(n))
	case n <= 0xffff:
		b = binary.BigEndian.AppendUint16(append(b, mask|126), uint16(n))
	default:
		b = binary.BigEndian.AppendUint64(append(b, mask|127), uint64(n))
	}
	if f.bare {
		return append(b, f.payload...)
	}
	key := [4]byte{0x12, 0x34, 0x56, 0x78}
	b = append(b, key[:]...)
	for i, c := range f.payload {
		b = append(b, c^key[i%4])
	}
	return b
}

func send(first byte, payload string) raw { return raw{first: first, payload: []byte(payload)} }

func closing(code uint16, reason string) raw {
	return raw{first: fin | opClose, payload: append(binary.BigEndian.AppendUint16(nil, code), reason...)}
}

// echo answers every message with a frame of this package, over a Sock.
func echo(w http.ResponseWriter, r *http.Request) {
	s := NewSock()
	var c *websocket.Conn
	c, err := websocket.Accept(&Hijacker{ResponseWriter: w, Sock: s}, r, &websocket.AcceptOptions{
		OnPingReceived: func(_ context.Context, payload []byte) bool {
			s.Mu.Lock()
			defer s.Mu.Unlock()
			_ = s.WriteAll(Pong(payload), time.Minute)
			return false
		},
	})
	if err != nil {
		return
	}
	defer c.CloseNow()
	c.SetReadLimit(1 << 20)
	for {
		s.Await()
		kind, data, err := c.Read(context.Background())
		if err != nil {
			return
		}
		if kind == websocket.MessageText && !utf8.Valid(data) {
			_, _ = s.Write(Close(1007, "not UTF-8"))
			return
		}
		f := Text(data)
		if kind == websocket.MessageBinary {
			f[0] = finalBit | opBinary
		}
		s.Mu.Lock()
		err = s.WriteAll(f, time.Minute)
		s.Mu.Unlock()
		if err != nil {
			return
		}
	}
}

// answer is one frame of the server's, in words, or how the connection ended.
func answer(r *bufio.Reader) string {
	head := make([]byte, 2)
	if _, err := io.ReadFull(r, head); err != nil {
		return "end"
	}
	n := int(head[1])
	switch n {
	case 126:
		long := make([]byte, 2)
		_, _ = io.ReadFull(r, long)
		n = int(binary.BigEndian.Uint16(long))
	case 127:
		long := make([]byte, 8)
		_, _ = io.ReadFull(r, long)
		n = int(binary.BigEndian.Uint64(long))
	}
	payload := make([]byte, n)
	if _, err := io.ReadFull(r, payload); err != nil {
		return "end inside a frame"
	}
	switch head[0] {
	case fin | opText:
		return "text " + string(payload)
	case fin | opBinary:
		return "binary " + string(payload)
	case fin | opPong:
		return "pong " + string(payload)
	case fin | opClose:
		if len(payload) < 2 {
			return "close"
		}
		return fmt.Sprint("close ", binary.BigEndian.Uint16(payload))
	}
	return fmt.Sprintf("frame %x", head[0])
}

// TestAutobahn has the cases of the Autobahn test suite that concern the frames:
// what a client sends, and all that may come back. Each runs with the bytes sent
// at once and one by one, as its chopped variants do.
func TestAutobahn(t *testing.T) {
	long := func(n int) string { return strings.Repeat("*", n) }
	const (
		text, binary, more = fin | opText, fin | opBinary, fin | opMore
		ping, pong         = fin | opPing, fin | opPong
		failed             = "failed" // with 1002, or without a word
	)
	type c struct {
		name string
		send []raw
		want []string // "" for any close
	}
	ok := "text ok"
	probe := send(text, "ok") // the connection still works
	cases := []c{
		{"1.1.1 empty text", []raw{send(text, "")}, []string{"text "}},
		{"1.2.1 empty binary", []raw{send(binary, "")}, []string{"binary "}},
		{"2.1 ping", []raw{send(ping, "")}, []string{"pong "}},
		{"2.3 ping, binary payload", []raw{send(ping, "\x00\xff\xfe")}, []string{"pong \x00\xff\xfe"}},
		{"2.4 longest ping", []raw{send(ping, long(125))}, []string{"pong " + long(125)}},
		{"2.5 ping too long", []raw{send(ping, long(126))}, []string{failed}},
		{"2.7 unasked pong", []raw{send(pong, ""), probe}, []string{ok}},
		{"2.8 unasked pong with payload", []raw{send(pong, "unasked"), probe}, []string{ok}},
		{"2.9 pong and ping", []raw{send(pong, "unasked"), send(ping, "asked")}, []string{"pong asked"}},
		{"2.10 ten pings", []raw{send(ping, "0"), send(ping, "1"), send(ping, "2"), send(ping, "3")}, []string{"pong 0", "pong 1", "pong 2", "pong 3"}},
		{"3.1 reserved bit", []raw{send(text|rsv1, "hi")}, []string{failed}},
		{"3.2 reserved bit after a message", []raw{probe, send(text|0x20, "hi")}, []string{ok, failed}},
		{"3.5 reserved bit, binary", []raw{send(binary|0x70, "hi")}, []string{failed}},
		{"3.6 reserved bit, ping", []raw{send(ping|rsv1, "hi")}, []string{failed}},
		{"3.7 reserved bit, close", []raw{{first: fin | opClose | 0x10, payload: []byte{3, 232}}}, []string{failed}},
		{"4.1.1 opcode 3", []raw{send(fin|3, "")}, []string{failed}},
		{"4.1.3 opcode 5 after a message", []raw{probe, send(fin|5, ""), send(ping, "")}, []string{ok, failed}},
		{"4.1.5 opcode 7", []raw{send(fin|7, "hi")}, []string{failed}},
		{"4.2.1 opcode 11", []raw{send(fin|11, "")}, []string{failed}},
		{"4.2.5 opcode 15", []raw{send(fin|15, "hi")}, []string{failed}},
		{"5.1 ping in two frames", []raw{send(opPing, "a"), send(more, "b")}, []string{failed}},
		{"5.2 pong in two frames", []raw{send(opPong, "a"), send(more, "b")}, []string{failed}},
		{"5.3 text in two frames", []raw{send(opText, "one "), send(more, "two")}, []string{"text one two"}},
		{"5.6 ping inside a message", []raw{send(opText, "one "), send(ping, "p"), send(more, "two")}, []string{"pong p", "text one two"}},
		{"5.9 continuation of nothing", []raw{send(more, "nothing"), probe}, []string{failed}},
		{"5.10 the same, unfinished", []raw{send(opMore, "nothing"), probe}, []string{failed}},
		{"5.15 continuation after the end", []raw{send(opText, "one "), send(more, "two"), send(opMore, "three"), send(text, "four")}, []string{"text one two", failed}},
		{"5.18 a text inside a text", []raw{send(opText, "one"), send(text, "two")}, []string{failed}},
		{"5.19 pings among fragments", []raw{send(opText, "1"), send(opMore, "2"), send(ping, "a"), send(opMore, "3"), send(opMore, "4"), send(ping, "b"), send(more, "5")},
			[]string{"pong a", "pong b", "text 12345"}},
		{"empty fragments", []raw{send(opText, ""), send(opMore, ""), send(opMore, ""), send(more, "")}, []string{"text "}},
		{"6.2.1 UTF-8", []raw{send(text, "Hello-µ@ßöäüàá-UTF-8!!")}, []string{"text Hello-µ@ßöäüàá-UTF-8!!"}},
		{"6.2.3 UTF-8 cut inside a character", []raw{send(opText, "\xce"), send(more, "\xba")}, []string{"text κ"}},
		{"6.3.1 no UTF-8", []raw{send(text, "\xce\xba\xed\xa0\x80")}, []string{"close 1007"}},
		{"6.6.1 half a character", []raw{send(text, "\xce")}, []string{"close 1007"}},
		{"6.10 overlong", []raw{send(text, "\xf8\x88\x80\x80\x80")}, []string{"close 1007"}},
		{"7.1.1 a message, then close", []raw{probe, closing(1000, "")}, []string{ok, "close 1000"}},
		{"7.1.2 two closes", []raw{closing(1000, ""), closing(1000, "")}, []string{"close 1000"}},
		{"7.1.3 ping after close", []raw{closing(1000, ""), send(ping, "")}, []string{"close 1000"}},
		{"7.1.4 text after close", []raw{closing(1000, ""), probe}, []string{"close 1000"}},
		{"7.1.5 close inside a message", []raw{send(opText, "one"), closing(1000, ""), send(more, "two")}, []string{"close 1000"}},
		{"7.3.1 close without a code", []raw{send(fin|opClose, "")}, []string{""}},
		{"7.3.2 close with half a code", []raw{send(fin|opClose, "a")}, []string{failed}},
		{"7.3.4 close with a reason", []raw{closing(1000, "Hello World!")}, []string{"close 1000"}},
		{"7.3.5 the longest reason", []raw{closing(1000, long(123))}, []string{"close 1000"}},
		{"7.3.6 a reason too long", []raw{closing(1000, long(124))}, []string{failed}},
		{"no mask", []raw{{first: text, payload: []byte("hi"), bare: true}}, []string{failed}},
	}
	for _, n := range []int{125, 126, 127, 128, 65535, 65536} {
		cases = append(cases, c{fmt.Sprint("1.1 text of ", n), []raw{send(text, long(n))}, []string{"text " + long(n)}},
			c{fmt.Sprint("1.2 binary of ", n), []raw{send(binary, long(n))}, []string{"binary " + long(n)}})
	}
	for _, code := range []uint16{1000, 1001, 1002, 1003, 1007, 1008, 1009, 1010, 1011, 3000, 3999, 4000, 4999} {
		cases = append(cases, c{fmt.Sprint("7.7 code ", code), []raw{closing(code, "")}, []string{fmt.Sprint("close ", code)}})
	}
	for _, code := range []uint16{0, 999, 1004, 1005, 1006, 1016, 1100, 2000, 2999, 5000, 65535} {
		cases = append(cases, c{fmt.Sprint("7.9 code ", code), []raw{closing(code, "")}, []string{failed}})
	}

	server := httptest.NewServer(http.HandlerFunc(echo))
	defer server.Close()
	for _, c := range cases {
		for _, chopped := range []bool{false, true} {
			var all []byte
			for _, f := range c.send {
				all = append(all, f.bytes()...)
			}
			if chopped && len(all) > 1000 {
				continue // one by one takes long, and 126 bytes have tried it
			}
			t.Run(fmt.Sprint(c.name, map[bool]string{true: ", chopped"}[chopped]), func(t *testing.T) {
				conn, r := open(t, server)
				size := len(all)
				if chopped {
					size = 1
				}
				for b := range slices.Chunk(all, size) {
					if _, err := conn.Write(b); err != nil {
						break // the server has ended it, which the answers show
					}
				}
				for i, want := range c.want {
					got := answer(r)
					switch {
					case want == failed && (got == "close 1002" || got == "end"):
					case want == "" && strings.HasPrefix(got, "close"):
					case got != want:
						t.Fatalf("answer %d is %.80q, not %.80q", i, got, want)
					}
				}
				last := c.want[len(c.want)-1]
				over := last == failed || last == "" || strings.HasPrefix(last, "close")
				if over {
					if got := answer(r); got != "end" {
						t.Errorf("after the end comes %.80q", got)
					}
				} else if _, err := conn.Write(probe.bytes()); err != nil || answer(r) != ok {
					t.Error("the connection does not work any more")
				}
			})
		}
	}
}

func open(t *testing.T, server *httptest.Server) (net.Conn, *bufio.Reader) {
	t.Helper()
	conn, err := net.Dial("tcp", server.Listener.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { conn.Close() })
	_ = conn.SetDeadline(time.Now().Add(time.Minute))
	fmt.Fprintf(conn, "GET / HTTP/1.1\r\nHost: x\r\nConnection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: MDEyMzQ1Njc4OWFiY2RlZg==\r\n\r\n")
	r := bufio.NewReader(conn)
	resp, err := http.ReadResponse(r, nil)
	if err != nil || resp.StatusCode != http.StatusSwitchingProtocols {
		t.Fatalf("the upgrade: %v, %v", resp, err)
	}
	return conn, r
}
