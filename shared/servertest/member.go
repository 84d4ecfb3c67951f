package servertest

import (
	"context"
	"crypto/rand"
	"errors"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"testing"

	"github.com/coder/websocket"

	"parley/shared"
)

// Member is a person on the wire.
type Member struct {
	Conn    *websocket.Conn
	Welcome shared.Message // the zero Message in the tutorial's dialect

	t testing.TB
}

// Join enters a room as a new device that speaks parley.v1.
func (s *Server) Join(room, user string) *Member {
	s.t.Helper()
	return s.Hello(room, shared.Message{User: user})
}

// Hello enters a room with a hello, which gets a type, and a device if it has
// none.
func (s *Server) Hello(room string, hello shared.Message) *Member {
	s.t.Helper()
	m := s.Dial("/ws/chat/"+url.PathEscape(room), shared.Protocol)
	hello.Type = shared.TypeHello
	if hello.Device == "" {
		hello.Device = NewDevice()
	}
	m.Send(hello)
	m.Welcome = m.Next(shared.TypeWelcome)
	return m
}

// NewDevice returns the secret of a new installation.
func NewDevice() string { return rand.Text() }

// Tutorial enters a room in the tutorial's dialect.
func (s *Server) Tutorial(room, user string) *Member {
	s.t.Helper()
	return s.Dial("/ws/chat/"+url.PathEscape(room)+"/"+url.PathEscape(user), "")
}

// Dial opens a WebSocket at a path, "" for no subprotocol.
func (s *Server) Dial(path, protocol string) *Member {
	s.t.Helper()
	return s.DialFrom("", path, protocol)
}

// DialFrom is Dial through a proxy at the server's own host, which says that the client
// is at an address, "" for none.
func (s *Server) DialFrom(address, path, protocol string) *Member {
	s.t.Helper()
	opt := &websocket.DialOptions{HTTPClient: direct}
	if address != "" {
		opt.HTTPHeader = http.Header{"X-Forwarded-For": {address}}
	}
	if protocol != "" {
		opt.Subprotocols = []string{protocol}
	}
	ctx, cancel := context.WithTimeout(context.Background(), tooLong)
	defer cancel()
	conn, _, err := websocket.Dial(ctx, "ws://"+s.addr+path, opt)
	if err != nil {
		s.t.Fatal(err)
	}
	conn.SetReadLimit(shared.ReadLimit)
	s.t.Cleanup(func() { conn.CloseNow() })
	return &Member{Conn: conn, t: s.t}
}

// Send writes a frame.
func (m *Member) Send(f shared.Message) {
	m.t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), tooLong)
	defer cancel()
	if err := m.Conn.Write(ctx, websocket.MessageText, shared.Encode(f)); err != nil {
		m.t.Fatal(err)
	}
}

// Say sends a message under an id of its own.
func (m *Member) Say(text string) {
	m.t.Helper()
	m.Send(shared.Message{Type: shared.TypeChat, ID: rand.Text(), Text: text})
}

// Next returns the next frame of one of the types, and skips the others.
func (m *Member) Next(types ...shared.Type) shared.Message {
	m.t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), tooLong)
	defer cancel()
	for {
		_, data, err := m.Conn.Read(ctx)
		if err != nil {
			m.t.Fatalf("waiting for %q: %v", types, err)
		}
		f, err := shared.Decode(data)
		if err != nil {
			m.t.Fatalf("%s: %v", data, err)
		}
		if slices.Contains(types, f.Type) {
			return f
		}
	}
}

// Hear waits for a message with a text and returns it.
func (m *Member) Hear(text string) shared.Message {
	m.t.Helper()
	for {
		if f := m.Next(shared.TypeChat); f.Text == text {
			return f
		}
	}
}

// Closed waits until the server closes the connection with a code and a reason that
// contains some words.
func (m *Member) Closed(code shared.CloseCode, reason string) {
	m.t.Helper()
	closed := m.end()
	if closed.Code != websocket.StatusCode(code) || !strings.Contains(closed.Reason, reason) {
		m.t.Errorf("the connection ended with %v, not %d %q", closed, code, reason)
	}
}

// End waits until the server closes the connection, and returns the code.
func (m *Member) End() shared.CloseCode {
	m.t.Helper()
	return shared.CloseCode(m.end().Code)
}

func (m *Member) end() (closed websocket.CloseError) {
	m.t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), tooLong)
	defer cancel()
	for {
		_, _, err := m.Conn.Read(ctx)
		if err == nil {
			continue
		}
		if !errors.As(err, &closed) {
			m.t.Errorf("the connection ended with %v", err)
		}
		return closed
	}
}
