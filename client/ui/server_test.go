//go:build !android

package ui

import (
	"context"
	"fmt"
	"os/exec"
	"strings"
	"testing"

	"github.com/coder/websocket"

	"parley/client/ui/uitest"
	"parley/shared"
	"parley/shared/servertest"
)

// startServer starts a server and returns its host and port.
func startServer(t *testing.T, flags ...string) string {
	t.Helper()
	return servertest.Start(t, flags...).Addr()
}

func build(t *testing.T, ctx context.Context, bin, pkg string, flags ...string) {
	t.Helper()
	args := append(append([]string{"build"}, flags...), "-o", bin, pkg)
	if out, err := exec.CommandContext(ctx, "go", args...).CombinedOutput(); err != nil {
		t.Fatalf("go %s: %v\n%s", strings.Join(args, " "), err, out)
	}
}

// start runs a command until the test's end.
func start(t *testing.T, cmd *exec.Cmd) {
	t.Helper()
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		_ = cmd.Process.Kill()
		_ = cmd.Wait()
	})
}

// member is a person of a room, played by the test.
type member struct {
	t    *testing.T
	conn *websocket.Conn
	n    int
	name string
}

func join(t *testing.T, ctx context.Context, address, room, name string) *member {
	t.Helper()
	conn, _, err := websocket.Dial(ctx, "ws://"+address+"/ws/chat/"+room, &websocket.DialOptions{Subprotocols: []string{shared.Protocol}})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { conn.CloseNow() })
	conn.SetReadLimit(shared.ReadLimit)
	m := &member{t: t, conn: conn, name: name}
	m.write(ctx, shared.Message{Type: shared.TypeHello, User: name, Device: strings.Repeat(name, 12)})
	m.next(ctx, shared.TypeWelcome)
	return m
}

func (m *member) write(ctx context.Context, f shared.Message) {
	m.t.Helper()
	if err := m.conn.Write(ctx, websocket.MessageText, shared.Encode(f)); err != nil {
		m.t.Fatal(err)
	}
}

func (m *member) Say(ctx context.Context, text string) {
	m.t.Helper()
	m.n++
	m.write(ctx, shared.Message{Type: shared.TypeChat, ID: fmt.Sprint(m.name, m.n), Text: text})
	m.next(ctx, shared.TypeChat)
}

// next is the next frame of a type; others are passed over.
func (m *member) next(ctx context.Context, want shared.Type) shared.Message {
	m.t.Helper()
	ctx, cancel := context.WithTimeout(ctx, uitest.Deadline)
	defer cancel()
	for {
		_, data, err := m.conn.Read(ctx)
		if err != nil {
			m.t.Fatalf("waiting for %s: %v", want, err)
		}
		f, err := shared.Decode(data)
		if err != nil {
			m.t.Fatal(err)
		}
		if f.Type == want {
			return f
		}
	}
}
