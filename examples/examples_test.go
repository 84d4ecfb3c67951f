// Package examples runs the programs below it against the real server.
package examples

import (
	"os"
	"os/exec"
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
	for name, command := range servertest.Commands(t, "./go", "python/hello.py", "javascript/hello.mjs") {
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
