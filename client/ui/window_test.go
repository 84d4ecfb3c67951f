//go:build linux && !android

package ui

import (
	"bufio"
	"context"
	"fmt"
	"math/rand/v2"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	"parley/client/session"
	"parley/client/store"
	"parley/client/ui/uitest"
	"parley/shared"
)

// The real app in a real window, with a real server.
func TestWindow(t *testing.T) {
	if testing.Short() {
		t.Skip("builds the server and the app")
	}
	for _, tool := range []string{"Xvfb", "xdotool", "openbox"} {
		if _, err := exec.LookPath(tool); err != nil {
			t.Fatalf("%s is not installed: make test-packages installs it", tool)
		}
	}
	ctx, cancel := context.WithTimeout(t.Context(), 5*uitest.Deadline)
	defer cancel()
	dir := t.TempDir()
	address := startServer(t)
	x := startScreen(t, ctx, dir)
	build(t, ctx, x.bin, "parley", "-tags", "nosearch") // nothing goes out to the network of this machine
	x.startApp()
	talk(t, ctx, x, address)
	idle(t, ctx, x, address)
	killed(t, ctx, x, address)
}

// talk goes the way of a person from the first page into a room, writes there,
// and sees what others say.
func talk(t *testing.T, ctx context.Context, x *Screen, address string) {
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
	if got := logOf(t, "http://"+address, "Lobby"); len(got) != 1 || got[0] != "Ann: hello from the window" {
		t.Fatalf("the server keeps %q", got)
	}

	// With the rooms before it the room stays open and counts what comes in.
	x.key("Escape")
	x.waitTitle("Rooms – Parley")
	bob.Say(ctx, "hi Ann")
	x.waitTitle("(1) Rooms – Parley")
	bob.Say(ctx, "still there?")
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

// killed ends the app without a word five times while a person writes and Bob
// does. Each time it begins in the room that it was killed in. All that the app
// had saved, and all that the server had taken, is in the log once and in the
// order of writing, and in the end the app shows the log.
func killed(t *testing.T, ctx context.Context, x *Screen, address string) {
	const room, kills, each = "Killed", 5, 4
	bob := join(t, ctx, address, room, "Bob")
	ann := func(rows []string) (own []string) {
		for _, row := range rows {
			if text, ok := strings.CutPrefix(row, "Ann: "); ok {
				own = append(own, text)
			}
		}
		return own
	}
	// write says text in the window and waits until Bob has it.
	write := func(text string) {
		x.key("ctrl+a") // what an app that was killed had kept of a half-written message
		x.typeText(text)
		x.key("Return")
		for bob.next(ctx, shared.TypeChat).Text != text {
		}
	}
	x.startApp()
	x.waitTitle("Lobby – Parley") // which it was closed in
	x.key("ctrl+k")
	x.typeText(room)
	x.key("Return")
	kept := map[string]bool{}
	for k := range kills {
		if k > 0 {
			x.startApp()
		}
		x.waitTitle(room + " – Parley")
		write(fmt.Sprintf("%d-0", k))
		kill := time.AfterFunc(time.Duration(rand.IntN(500))*time.Millisecond, func() { _ = x.app.Process.Kill() })
		for i := 1; i < each; i++ {
			x.typeText(fmt.Sprintf("%d-%d", k, i))
			x.key("Return")
			bob.write(ctx, shared.Message{Type: shared.TypeChat, ID: fmt.Sprintf("b%d-%d", k, i), Text: fmt.Sprintf("b %d-%d", k, i)})
		}
		_ = x.app.Wait()
		kill.Stop()
		// As if the app had been killed while Fyne was writing it.
		if err := os.Truncate(filepath.Join(x.home, "fyne", ID, "preferences.json"), 0); err != nil {
			t.Fatal(err)
		}
		saved := x.saved(address, room)
		for _, row := range saved {
			kept[row] = true
		}
		for _, text := range ann(logOf(t, "http://"+address, room)) {
			if !slices.Contains(saved, "Ann: "+text) {
				t.Errorf("kill %d: %q was sent and not saved before", k, text)
			}
		}
	}
	x.startApp()
	x.waitTitle(room + " – Parley")
	write("9-9")
	x.close()
	log := logOf(t, "http://"+address, room)
	if shown := x.saved(address, room); !slices.Equal(shown, log) {
		t.Errorf("the app shows %q, the log has %q", shown, log)
	}
	for row := range kept {
		if !slices.Contains(log, row) {
			t.Errorf("%q is lost", row)
		}
	}
	own := ann(log)
	for i := 1; i < len(own); i++ {
		if own[i-1] >= own[i] {
			t.Errorf("%s follows %s", own[i], own[i-1])
		}
	}
	t.Logf("%d kills, %d messages kept at them, %d of Ann's in the log: none lost, none doubled, all in order", kills, len(kept), len(own))
}

// Screen is an X server of the test's own.
type Screen struct {
	t       *testing.T
	ctx     context.Context
	display string
	bin     string // the app
	home    string // the folder that the app keeps its things in
	env     []string
	app     *exec.Cmd
	window  string
}

func startScreen(t *testing.T, ctx context.Context, dir string) *Screen {
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
	s := &Screen{t: t, ctx: ctx, display: ":" + strings.TrimSpace(line), bin: filepath.Join(dir, "client"), home: filepath.Join(dir, "home")}
	wm := exec.CommandContext(ctx, "openbox")
	wm.Env = append(os.Environ(), "DISPLAY="+s.display)
	start(t, wm)
	return s
}

// startApp starts the app in its home and waits for its window to have the focus.
func (s *Screen) startApp(args ...string) {
	s.t.Helper()
	if err := os.MkdirAll(filepath.Join(s.home, ".cache"), 0o700); err != nil {
		s.t.Fatal(err)
	}
	log, err := os.Create(filepath.Join(s.home, "app.log"))
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
	s.app = s.command(args...)
	s.app.Stderr = log
	start(s.t, s.app)
	s.window = strings.TrimSpace(s.do("search", "--sync", "--onlyvisible", "--name", "Parley"))
	s.do("windowactivate", "--sync", s.window)
	s.do("windowfocus", "--sync", s.window)
}

// command is a start of the app.
func (s *Screen) command(args ...string) *exec.Cmd {
	cmd := exec.CommandContext(s.ctx, s.bin, args...)
	cmd.Env = append(os.Environ(), "DISPLAY="+s.display, "HOME="+s.home, "XDG_CONFIG_HOME="+s.home, "XDG_CACHE_HOME="+s.home, "LC_ALL=C.UTF-8")
	cmd.Env = append(cmd.Env, s.env...)
	return cmd
}

// saved is what the app, which has ended, would show of a room at once.
func (s *Screen) saved(address, room string) (rows []string) {
	s.t.Helper()
	found, err := filepath.Glob(filepath.Join(s.home, "fyne", ID, "rooms.db"))
	if err != nil || len(found) != 1 {
		s.t.Fatalf("the app's store is at %q (%v)", found, err)
	}
	store, err := store.Open(found[0])
	if err != nil {
		s.t.Fatal(err)
	}
	defer store.Close()
	wake := make(chan struct{}, 1)
	r := session.Open(session.Config{
		Server: "http://" + address, Room: room, User: "Ann", Store: store,
		Dial:   func(context.Context, string, string) (net.Conn, error) { return nil, syscall.ENETUNREACH },
		OnWake: func() { wake <- struct{}{} },
	})
	<-wake
	first := r.Take()[0]
	r.Close()
	for _, item := range first.Items {
		rows = append(rows, item.User+": "+item.Text)
	}
	return rows
}

func (s *Screen) do(args ...string) string {
	s.t.Helper()
	ctx, cancel := context.WithTimeout(s.ctx, uitest.Deadline)
	defer cancel()
	cmd := exec.CommandContext(ctx, "xdotool", args...)
	cmd.Env = append(os.Environ(), "DISPLAY="+s.display)
	out, err := cmd.CombinedOutput()
	if err != nil {
		s.t.Fatalf("xdotool %s: %v\n%s", strings.Join(args, " "), err, out)
	}
	return string(out)
}

func (s *Screen) typeText(text string) { s.t.Helper(); s.do("type", "--delay", "0", text) }
func (s *Screen) key(name string)      { s.t.Helper(); s.do("key", name) }

// waitTitle polls the window's title, the only thing of the app that another
// program can read.
func (s *Screen) waitTitle(want string) {
	s.t.Helper()
	tick := time.NewTicker(20 * time.Millisecond)
	defer tick.Stop()
	limit := time.After(uitest.Deadline)
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

func (s *Screen) close() {
	s.t.Helper()
	s.key("alt+F4")
	if err := s.app.Wait(); err != nil {
		s.t.Fatalf("the app ended with %v", err)
	}
}
