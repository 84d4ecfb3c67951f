//go:build linux && !android

package ui

import (
	"bufio"
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/coder/websocket"

	"parley/shared"
)

// The real app in a real window types into a real server, and shows what
// others say: the way of a person from the first page into a room.
func TestWindow(t *testing.T) {
	if testing.Short() {
		t.Skip("builds the server and the app")
	}
	for _, tool := range []string{"Xvfb", "xdotool", "openbox"} {
		if _, err := exec.LookPath(tool); err != nil {
			t.Fatalf("%s is not installed: make test-packages installs it", tool)
		}
	}
	ctx, cancel := context.WithTimeout(t.Context(), 5*deadline)
	defer cancel()
	dir := t.TempDir()
	address := startServer(t, ctx, dir)
	x := startScreen(t, ctx)
	x.startApp(dir)

	x.typeText("Ann")
	x.key("Tab")
	x.key("ctrl+a")
	x.typeText(address)
	x.key("Return")
	x.waitTitle("Rooms – Parley")
	x.typeText("Lobby")
	x.key("Return")
	x.waitTitle("Lobby – Parley")

	bob := join(t, ctx, address, "Lobby", "Bob")
	x.typeText("hello from the window")
	x.key("Return")
	m := bob.next(ctx, shared.TypeChat)
	if m.User != "Ann" || m.Text != "hello from the window" {
		t.Fatalf("Bob received %+v", m)
	}
	if got := history(t, ctx, address, "Lobby"); len(got) != 1 || got[0] != "Ann: hello from the window" {
		t.Fatalf("the server keeps %q", got)
	}

	// With the rooms before it the room stays open and counts what comes in.
	x.key("Escape")
	x.waitTitle("Rooms – Parley")
	bob.say(ctx, "hi Ann")
	x.waitTitle("(1) Rooms – Parley")
	bob.say(ctx, "still there?")
	x.waitTitle("(2) Rooms – Parley")

	// Ctrl+K and Return lead back, and what was new has been seen.
	x.key("ctrl+k")
	x.key("Return")
	x.waitTitle("Lobby – Parley")
	x.typeText("I am")
	x.key("Return")
	if m := bob.next(ctx, shared.TypeChat); m.Text != "I am" {
		t.Fatalf("Bob received %+v", m)
	}

	// Closing the window leaves the room.
	x.close()
	for m.Event != shared.Leave {
		m = bob.next(ctx, shared.TypePresence)
	}
	if len(m.Users) != 1 || m.Users[0] != "Ann" {
		t.Fatalf("Bob received %+v", m)
	}
}

// startServer builds and starts a server and returns its host and port.
func startServer(t *testing.T, ctx context.Context, dir string) string {
	t.Helper()
	bin := filepath.Join(dir, "server")
	build(t, ctx, bin, "parley/server")
	cmd := exec.CommandContext(ctx, bin, "--addr", "127.0.0.1:0", "--data", filepath.Join(dir, "data"))
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	start(t, cmd)
	address := regexp.MustCompile(`http://(127\.0\.0\.1:\d+)/`)
	lines := bufio.NewScanner(out)
	for lines.Scan() {
		if m := address.FindStringSubmatch(lines.Text()); m != nil {
			go func() {
				for lines.Scan() {
				}
			}()
			return m[1]
		}
	}
	t.Fatal("the server did not say where it listens")
	return ""
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

// screen is an X server of the test's own.
type screen struct {
	t       *testing.T
	ctx     context.Context
	display string
	app     *exec.Cmd
	window  string
}

func startScreen(t *testing.T, ctx context.Context) *screen {
	t.Helper()
	read, write, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	defer read.Close()
	cmd := exec.CommandContext(ctx, "Xvfb", "-displayfd", "3", "-screen", "0", "1000x1000x24", "-nolisten", "tcp")
	cmd.ExtraFiles = []*os.File{write}
	start(t, cmd)
	write.Close()
	line, err := bufio.NewReader(read).ReadString('\n')
	if err != nil {
		t.Fatalf("Xvfb did not start: %v", err)
	}
	s := &screen{t: t, ctx: ctx, display: ":" + strings.TrimSpace(line)}
	wm := exec.CommandContext(ctx, "openbox")
	wm.Env = append(os.Environ(), "DISPLAY="+s.display)
	start(t, wm)
	return s
}

// startApp builds and starts the app with a home of its own and waits for its
// window to have the focus.
func (s *screen) startApp(dir string) {
	s.t.Helper()
	bin := filepath.Join(dir, "client")
	build(s.t, s.ctx, bin, "parley/client", "-tags", "x11,migrated_fynedo,no_emoji")
	home := filepath.Join(dir, "home")
	if err := os.MkdirAll(filepath.Join(home, ".cache"), 0o700); err != nil {
		s.t.Fatal(err)
	}
	log, err := os.Create(filepath.Join(dir, "app.log"))
	if err != nil {
		s.t.Fatal(err)
	}
	s.t.Cleanup(func() {
		if s.t.Failed() {
			data, _ := os.ReadFile(log.Name())
			s.t.Logf("the app said:\n%s", data)
		}
		log.Close()
	})
	s.app = exec.CommandContext(s.ctx, bin)
	s.app.Env = append(os.Environ(), "DISPLAY="+s.display, "HOME="+home, "XDG_CONFIG_HOME="+home, "XDG_CACHE_HOME="+home, "LC_ALL=C.UTF-8")
	s.app.Stderr = log
	start(s.t, s.app)
	s.window = strings.TrimSpace(s.do("search", "--sync", "--onlyvisible", "--name", "Parley"))
	s.do("windowactivate", "--sync", s.window)
	s.do("windowfocus", "--sync", s.window)
}

func (s *screen) do(args ...string) string {
	s.t.Helper()
	ctx, cancel := context.WithTimeout(s.ctx, deadline)
	defer cancel()
	cmd := exec.CommandContext(ctx, "xdotool", args...)
	cmd.Env = append(os.Environ(), "DISPLAY="+s.display)
	out, err := cmd.CombinedOutput()
	if err != nil {
		s.t.Fatalf("xdotool %s: %v\n%s", strings.Join(args, " "), err, out)
	}
	return string(out)
}

func (s *screen) typeText(text string) { s.t.Helper(); s.do("type", "--delay", "0", text) }
func (s *screen) key(name string)      { s.t.Helper(); s.do("key", name) }

// waitTitle polls the window's title, the only thing of the app that another
// program can read.
func (s *screen) waitTitle(want string) {
	s.t.Helper()
	tick := time.NewTicker(20 * time.Millisecond)
	defer tick.Stop()
	limit := time.After(deadline)
	got := ""
	for got != want {
		select {
		case <-limit:
			s.t.Fatalf("the window's title is %q, want %q", got, want)
		case <-tick.C:
		}
		got = strings.TrimSpace(s.do("getwindowname", s.window))
	}
}

func (s *screen) close() {
	s.t.Helper()
	s.key("alt+F4")
	if err := s.app.Wait(); err != nil {
		s.t.Fatalf("the app ended with %v", err)
	}
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

func (m *member) say(ctx context.Context, text string) {
	m.t.Helper()
	m.n++
	m.write(ctx, shared.Message{Type: shared.TypeChat, ID: fmt.Sprint(m.name, m.n), Text: text})
	m.next(ctx, shared.TypeChat)
}

// next is the next frame of a type; others are passed over.
func (m *member) next(ctx context.Context, want shared.Type) shared.Message {
	m.t.Helper()
	ctx, cancel := context.WithTimeout(ctx, deadline)
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

// history is what the server keeps of a room.
func history(t *testing.T, ctx context.Context, address, room string) (lines []string) {
	t.Helper()
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, "http://"+address+"/api/rooms/"+room+"/messages?limit=100", nil)
	if err != nil {
		t.Fatal(err)
	}
	res, err := http.DefaultClient.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	defer res.Body.Close()
	var answer struct {
		Messages []struct{ User, Message string }
	}
	if err := json.NewDecoder(res.Body).Decode(&answer); err != nil {
		t.Fatal(err)
	}
	for _, m := range answer.Messages {
		lines = append(lines, m.User+": "+m.Message)
	}
	return lines
}
