package session_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"strings"
	"syscall"
	"testing"

	"github.com/coder/websocket"

	"parley/client/session"
	"parley/shared/servertest"
)

func TestProbeAndRooms(t *testing.T) {
	s := startServer(t, "--name", "Our server")
	ann := enter(t, session.Config{Server: s.base, Room: "Lobby", User: "Ann"})
	ann.send("hi")
	ann.shows("hi")
	info, err := session.DialFunc(nil).Probe(t.Context(), s.base, session.NewPins(nil))
	if err != nil || info.Name != "Our server" || info.Version == "" || info.People != 1 || info.Rooms != 1 ||
		info.Limits.Message != 4096 || info.Limits.Burst != 10 {
		t.Errorf("%+v, %v", info, err)
	}
	rooms, err := session.DialFunc(nil).Rooms(t.Context(), s.base, session.NewPins(nil))
	if err != nil || len(rooms) != 1 || rooms[0].Name != "Lobby" || rooms[0].Count != 1 ||
		!rooms[0].LastActivity.Equal(ann.rows[0].Time) {
		t.Errorf("%+v, %v", rooms, err)
	}
}

// elsewhere are servers that are not ours, each with the cause that it gives to
// Probe and to a Room.
func elsewhere(t *testing.T) map[string]struct {
	base        string
	probe, room session.Cause
} {
	t.Helper()
	serve := func(h http.HandlerFunc) string {
		s := httptest.NewServer(h)
		t.Cleanup(s.Close)
		return s.URL
	}
	upgrade := func(w http.ResponseWriter, r *http.Request, protocols ...string) {
		ws, err := websocket.Accept(w, r, &websocket.AcceptOptions{Subprotocols: protocols})
		if err == nil {
			defer ws.CloseNow()
			_, _, _ = ws.Read(r.Context()) // until the client has seen enough
		}
	}
	secure := httptest.NewUnstartedServer(http.NotFoundHandler())
	secure.Config.ErrorLog = log.New(io.Discard, "", 0)
	secure.StartTLS()
	t.Cleanup(secure.Close)
	telnet, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { telnet.Close() })
	go func() {
		for {
			c, err := telnet.Accept()
			if err != nil {
				return
			}
			_, _ = c.Read(make([]byte, 1000))
			_, _ = io.WriteString(c, "500 what do you mean?\r\n")
			c.Close()
		}
	}()
	type server = struct {
		base        string
		probe, room session.Cause
	}
	return map[string]server{
		"web site": {serve(http.NotFound), session.CauseNotParley, session.CauseNotParley},
		"html": {serve(func(w http.ResponseWriter, _ *http.Request) {
			_, _ = io.WriteString(w, "<h1>Log in to the hotel</h1>")
		}), session.CauseNotParley, session.CauseNotParley},
		"tutorial": {serve(func(w http.ResponseWriter, r *http.Request) {
			if r.URL.Path == "/api/server" {
				http.NotFound(w, r)
				return
			}
			upgrade(w, r)
		}), session.CauseNotParley, session.CauseNotParley},
		"newer": {serve(func(w http.ResponseWriter, r *http.Request) {
			if r.URL.Path == "/api/server" {
				_, _ = io.WriteString(w, `{"name":"n","version":"9","protocol":"parley.v2"}`)
				return
			}
			upgrade(w, r, "parley.v2")
		}), session.CauseVersion, session.CauseVersion},
		"full": {serve(func(w http.ResponseWriter, _ *http.Request) {
			w.WriteHeader(http.StatusServiceUnavailable)
		}), session.CauseServerFull, session.CauseServerFull},
		"refusing": {serve(func(w http.ResponseWriter, _ *http.Request) {
			w.WriteHeader(http.StatusForbidden)
		}), session.CauseRefusedOrigin, session.CauseRefusedOrigin},
		"choosy": {serve(func(w http.ResponseWriter, _ *http.Request) {
			w.WriteHeader(http.StatusBadRequest)
			_, _ = io.WriteString(w, `{"detail":"not this room"}`)
		}), session.CauseBadRoom, session.CauseBadRoom},
		"own certificate": {secure.URL, session.CauseNotParley, session.CauseNotParley}, // taken, and what answers is none
		"no TLS":          {"https" + serve(http.NotFound)[len("http"):], session.CauseTLS, session.CauseTLS},
		"closed port":     {fmt.Sprint("http://127.0.0.1:", servertest.FreePort(t)), session.CauseRefused, session.CauseRefused},
		"mail":            {"http://" + telnet.Addr().String(), session.CauseNotParley, session.CauseNotParley},
		"no such host":    {"http://parley.invalid:8000", session.CauseNoSuchHost, session.CauseNoSuchHost},
	}
}

func TestElsewhere(t *testing.T) {
	for name, s := range elsewhere(t) {
		t.Run(name, func(t *testing.T) {
			var p *session.Problem
			_, err := session.DialFunc(nil).Probe(t.Context(), s.base, session.NewPins(nil))
			if !errors.As(err, &p) || p.Cause != s.probe || p.Error() == "" {
				t.Errorf("Probe: %#v, want %s", err, s.probe)
			}
			if _, err := session.DialFunc(nil).Rooms(t.Context(), s.base, session.NewPins(nil)); err == nil {
				t.Error("Rooms: no error")
			}
			v := enter(t, session.Config{Server: s.base, Room: "r", User: "Ann"})
			v.cause(s.room)
			if s.room.Final() && v.status.State != session.Closed {
				t.Errorf("the state is %s", v.status.State)
			}
		})
	}
}

// TestNoNetwork has the system know no way to the server.
func TestNoNetwork(t *testing.T) {
	v := enter(t, session.Config{
		Server: "http://192.0.2.1:8000", Room: "r", User: "Ann",
		Dial: func(context.Context, string, string) (net.Conn, error) {
			return nil, &net.OpError{Op: "dial", Net: "tcp", Err: os.NewSyscallError("connect", syscall.ENETUNREACH)}
		},
	})
	v.cause(session.CauseUnreachable)
	if v.status.Detail == "" {
		t.Error("no detail")
	}
}

func TestProbeTimeout(t *testing.T) {
	mute, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer mute.Close()
	ctx, cancel := context.WithTimeout(t.Context(), 1)
	defer cancel()
	var p *session.Problem
	if _, err = session.DialFunc(nil).Probe(ctx, "http://"+mute.Addr().String(), session.NewPins(nil)); !errors.As(err, &p) || p.Cause != session.CauseTimeout {
		t.Errorf("Probe: %v", err)
	}

	clock := newClock()
	v := enter(t, session.Config{Server: "http://" + mute.Addr().String(), Room: "r", User: "Ann", Clock: clock})
	v.until("the try", func() bool { return v.status.State == session.Connecting })
	clock.advance(15e9)
	v.cause(session.CauseTimeout)
}

// A server that does not know itself by the name that was typed says so, and not
// that something else is there.
func TestWrongHost(t *testing.T) {
	s := servertest.Start(t)
	dial := session.DialFunc(func(ctx context.Context, network, _ string) (net.Conn, error) {
		return new(net.Dialer).DialContext(ctx, network, s.Addr())
	})
	var p *session.Problem
	if _, err := dial.Probe(t.Context(), "http://chat.example.org:8000", session.NewPins(nil)); !errors.As(err, &p) || p.Cause != session.CauseWrongHost ||
		!strings.Contains(p.Error(), "--allow-host") || !strings.Contains(p.Detail, "--allow-host chat.example.org") {
		t.Errorf("%#v", err)
	}
	s.Stop()
	s.Flags = []string{"--allow-host", "*.example.org", "--base-path", "/parley"}
	s.MustStart()
	if info, err := dial.Probe(t.Context(), "http://chat.example.org:8000/parley", session.NewPins(nil)); err != nil || info.Version == "" {
		t.Errorf("%+v, %v", info, err)
	}
	bob := s.Join("hall", "Bob")
	v := enter(t, session.Config{Server: "http://chat.example.org:8000/parley", Dial: dial, Room: "hall", User: "Ann"})
	v.send("hello from below")
	bob.Hear("hello from below")
}
