package main

import (
	"bufio"
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"net"
	"strconv"
	"strings"
	"sync/atomic"
	"time"
)

// member is one connection of the load generator: the least that speaks
// WebSocket, so that the two cores are left to the server.
type member struct {
	conn   net.Conn
	reader *bufio.Reader // only until the handshake is read
	room   string
	id     int

	// got is called for each message, with its sequence number and the time that
	// it was sent, in Unix nanoseconds.
	got func(m *member, seq int, sent int64)
	// frame is called for frames that hold no message; it may be nil.
	frame func(m *member, payload []byte)

	begun []byte // of a message in several frames
	next  int    // the sequence number to come
	bad   int    // messages that came out of turn
	count *atomic.Int64
	done  chan error
}

// dial opens a WebSocket and completes its handshake.
func dial(addr, path, protocol string) (*member, error) {
	c, err := net.Dial("tcp", addr)
	if err != nil {
		return nil, err
	}
	if protocol != "" {
		protocol = "Sec-WebSocket-Protocol: " + protocol + "\r\n"
	}
	fmt.Fprintf(c, "GET %s HTTP/1.1\r\nHost: %s\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"+
		"Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n%s\r\n", path, addr, protocol)
	r := bufio.NewReaderSize(c, 512)
	status, err := r.ReadString('\n')
	if err != nil || !strings.Contains(status, " 101 ") {
		c.Close()
		return nil, fmt.Errorf("no upgrade of %s: %q %v", path, status, err)
	}
	for {
		line, err := r.ReadString('\n')
		if err != nil {
			c.Close()
			return nil, err
		}
		if line == "\r\n" {
			break
		}
	}
	return &member{conn: c, reader: r, done: make(chan error, 1), next: 1}, nil
}

// send writes one text frame, masked with zeros.
func (m *member) send(payload []byte) error {
	return m.write(1, payload)
}

func (m *member) write(opcode byte, payload []byte) error {
	f := make([]byte, 0, 14+len(payload))
	f = append(f, 0x80|opcode)
	if n := len(payload); n < 126 {
		f = append(f, 0x80|byte(n))
	} else {
		f = binary.BigEndian.AppendUint16(append(f, 0x80|126), uint16(n))
	}
	f = append(append(f, 0, 0, 0, 0), payload...)
	_, err := m.conn.Write(f)
	return err
}

// run reads until the connection ends.
func (m *member) run(buffer int) { m.done <- m.read(buffer) }

var errClosed = errors.New("closed by the server")

func (m *member) read(buffer int) error {
	buf := make([]byte, buffer)
	n, err := m.reader.Read(buf[:min(m.reader.Buffered(), buffer)])
	m.reader = nil
	if err != nil {
		return err
	}
	for {
		used := 0
		messages := 0
		for {
			opcode, payload, final, size := parseFrame(buf[used:n])
			if size == 0 {
				break
			}
			used += size
			if opcode < 8 && (!final || len(m.begun) > 0) {
				m.begun = append(m.begun, payload...)
				if !final {
					continue
				}
				payload, m.begun = m.begun, m.begun[:0]
			}
			switch opcode {
			case 0, 1:
				found := m.scan(payload)
				if found == 0 && m.frame != nil {
					m.frame(m, payload)
				}
				messages += found
			case 8:
				return errClosed
			case 9:
				if err := m.write(10, payload); err != nil {
					return err
				}
			}
		}
		if messages > 0 && m.count != nil {
			m.count.Add(int64(messages))
		}
		n = copy(buf, buf[used:n])
		if n == len(buf) {
			buf = append(buf, make([]byte, len(buf))...)
		}
		got, err := m.conn.Read(buf[n:])
		if n += got; err != nil {
			if errors.Is(err, net.ErrClosed) {
				err = io.EOF
			}
			return err
		}
	}
}

// parseFrame returns the first frame in b, whether it ends its message, and its
// size; 0 where it is not whole.
func parseFrame(b []byte) (opcode byte, payload []byte, final bool, size int) {
	if len(b) < 2 {
		return 0, nil, false, 0
	}
	length, header := int(b[1]&0x7f), 2
	switch {
	case length == 126 && len(b) >= 4:
		length, header = int(binary.BigEndian.Uint16(b[2:])), 4
	case length == 127 && len(b) >= 10:
		length, header = int(binary.BigEndian.Uint64(b[2:])), 10
	case length >= 126:
		return 0, nil, false, 0
	}
	if len(b) < header+length {
		return 0, nil, false, 0
	}
	return b[0] & 0xf, b[header : header+length], b[0]&0x80 != 0, header + length
}

// Every text of the generator is #SEQUENCE@NANOSECONDS! and filling.
const (
	textLength = 100
	markLength = 1 + 10 + 1 + 19 + 1
)

func text(seq int, sent int64) string {
	mark := fmt.Sprintf("#%010d@%019d!", seq, sent)
	return mark + strings.Repeat("x", textLength-len(mark))
}

// scan counts the messages in a payload, which may hold several.
func (m *member) scan(p []byte) (found int) {
	for {
		i := bytes.IndexByte(p, '#')
		if i < 0 || len(p) < i+markLength {
			return found
		}
		seq, err := atoi(p[i+1 : i+11])
		if err != nil {
			return found
		}
		sent, err := atoi(p[i+12 : i+31])
		if err != nil {
			return found
		}
		p = p[i+markLength:]
		found++
		if seq != m.next {
			m.bad++
		}
		m.next = seq + 1
		if m.got != nil {
			m.got(m, seq, int64(sent))
		}
	}
}

func atoi(b []byte) (n int, err error) {
	for _, c := range b {
		if c < '0' || c > '9' {
			return 0, strconv.ErrSyntax
		}
		n = n*10 + int(c-'0')
	}
	return n, nil
}

func (m *member) close() { m.conn.Close() }

func now() int64 { return time.Now().UnixNano() }
