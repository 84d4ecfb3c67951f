// Package examples runs the programs below it against the real server.
package examples

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"parley/shared/servertest"
)

func TestMain(m *testing.M) { os.Exit(servertest.Main(m)) }

// TestExamples has each program say something that another member hears, and
// print what that one answers, control characters escaped.
func TestExamples(t *testing.T) {
	server := servertest.Start(t)
	program := filepath.Join(t.TempDir(), "go-example")
	if out, err := exec.Command("go", "build", "-o", program, "./go").CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	for name, command := range map[string][]string{
		"Go":         {program},
		"Python":     {python(t), "python/hello.py"},
		"JavaScript": {"node", javascript(t)},
	} {
		t.Run(name, func(t *testing.T) {
			bob := server.Join(name, "Bob")
			said := servertest.NewOutput()
			text := "hello from " + name
			cmd := exec.Command(command[0], append(command[1:], "ws://"+server.Addr()+"/ws/chat/"+name+"/ann", text)...)
			cmd.Stdout, cmd.Stderr = said, said
			if err := cmd.Start(); err != nil {
				t.Fatal(err)
			}
			defer func() {
				_ = cmd.Process.Signal(syscall.SIGKILL)
				_ = cmd.Wait()
			}()
			said.Wait(t, text) // its own message comes back, as in the tutorial
			if m := bob.Hear(text); m.User != "ann" {
				t.Errorf("the sender is %q, not ann", m.User)
			}
			bob.Say("hello\x1b[31m " + name)
			said.Wait(t, `Bob.*hello.*\[31m `+name)
			if strings.Contains(said.String(), "\x1b") {
				t.Error("a control character reached the terminal")
			}
		})
	}
}

// python finds the system's Python, which has Debian's websockets.
func python(t *testing.T) string {
	for _, p := range []string{"/usr/bin/python3", "python3"} {
		if exec.Command(p, "-c", "import websockets").Run() == nil {
			return p
		}
	}
	t.Fatal("No Python with websockets: apt install python3-websockets, or pip install websockets.")
	return ""
}

// javascript returns the program in a folder from which an older Node finds ws,
// which `make test` puts into build/npm.
func javascript(t *testing.T) string {
	const file = "javascript/hello.mjs"
	source, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	if exec.Command("node", "-e", "process.exit(globalThis.WebSocket ? 0 : 1)").Run() == nil {
		return file
	}
	npm := filepath.Join("..", "build", "npm")
	if _, err := os.Stat(filepath.Join(npm, "node_modules", "ws")); err != nil {
		t.Fatal("This Node has no WebSocket. Run: npm install --prefix build/npm ws")
	}
	copied := filepath.Join(npm, "hello.mjs")
	if err := os.WriteFile(copied, source, 0o644); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { os.Remove(copied) })
	return copied
}
