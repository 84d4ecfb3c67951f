package main

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"

	"parley/shared"
	"parley/shared/servertest"
)

// TestBots asks the bots in testdata/bots while they and the server are killed.
// Each question gets one answer.
func TestBots(t *testing.T) {
	for name, command := range servertest.Commands(t, "testdata/bots/bot.go", "testdata/bots/bot.py", "testdata/bots/bot.mjs") {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			testBot(t, command)
		})
	}
}

func testBot(t *testing.T, command []string) {
	server := servertest.Start(t)
	b := &bot{
		t: t, server: server, command: command, file: filepath.Join(t.TempDir(), "bot.json"),
		said: servertest.NewOutput(), reader: servertest.NewDevice(), asked: map[string]bool{},
	}
	t.Cleanup(b.kill)
	ann := server.Join("Lobby", "Ann")
	ann.Say("@bot before you came")
	ann.Hear("@bot before you came")

	b.start()
	for f := ann.Next(shared.TypePresence); !slices.Contains(f.Users, "bot"); {
		f = ann.Next(shared.TypePresence)
	}
	b.ask(ann, "Hello @Bot, are you there?")
	ann.Say("write to me@bot.example, or to @bottom")
	first, err := os.ReadFile(b.file)
	if err != nil {
		t.Fatal(err)
	}
	if info, err := os.Stat(b.file); err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("the bot's file with its secret: %v, %v", info.Mode(), err)
	}

	// More than the bot may answer at once. It is killed when it has read all of
	// them: its second answer comes after the echo of the first, which lies behind
	// them. The server is killed, too.
	b.kill()
	for i := range 3 {
		member := server.Join("Lobby", fmt.Sprint("Member ", i))
		for j := range 8 {
			text := fmt.Sprintf("@bot question %d of %d", j, i)
			b.asked[text] = true
			member.Say(text)
			member.Hear(text)
		}
		member.Conn.CloseNow()
	}
	b.start()
	ann.Hear("Here I am, Member 0.")
	ann.Hear("Here I am, Member 0.")
	b.kill()
	server.Kill()
	server.MustStart()
	b.start()
	ann = server.Join("Lobby", "Anna")
	b.ask(ann, "@bot after the bot and the server")

	// The server alone.
	server.Kill()
	server.MustStart()
	ann = server.Join("Lobby", "Anne")
	b.ask(ann, "@bot after the server")
	b.check(ann)

	// A file that was not kept in time: the bot answers again, the server knows.
	copied := filepath.Join(t.TempDir(), "backup.db")
	server.Run("backup", copied)
	b.kill()
	if err := os.WriteFile(b.file, first, 0o600); err != nil {
		t.Fatal(err)
	}
	b.start()
	b.ask(ann, "@bot after a place that is old")
	b.check(ann)

	// A server that was restored: the bot's place means nothing in the new epoch.
	server.Stop()
	server.Run("restore", "--replace", copied)
	delete(b.asked, "@bot after a place that is old")
	server.MustStart()
	ann = server.Join("Lobby", "Annie")
	b.ask(ann, "@bot after a restore")
	b.check(ann)

	if strings.Contains(b.said.String(), "refuses") {
		t.Errorf("the bot says:\n%s", b.said)
	}
}

// bot is a program in testdata/bots that comes and goes over one file.
type bot struct {
	t       *testing.T
	server  *servertest.Server
	command []string
	file    string
	said    *servertest.Output
	cmd     *exec.Cmd
	reader  string          // the device that reads the room
	asked   map[string]bool // what is to be answered, by text
}

func (b *bot) start() {
	b.t.Helper()
	b.cmd = exec.Command(b.command[0], append(b.command[1:len(b.command):len(b.command)], "ws://"+b.server.Addr()+"/ws/chat/Lobby", b.file)...)
	b.cmd.Stdout, b.cmd.Stderr = b.said, b.said
	if err := b.cmd.Start(); err != nil {
		b.t.Fatal(err)
	}
}

func (b *bot) kill() {
	if b.cmd != nil {
		_ = b.cmd.Process.Signal(syscall.SIGKILL)
		_ = b.cmd.Wait()
		b.cmd = nil
	}
}

// ask has a member say something and waits for the bot's answer to it.
func (b *bot) ask(member *servertest.Member, text string) {
	b.t.Helper()
	b.asked[text] = true
	member.Say(text)
	asked := member.Hear(text)
	for f := member.Next(shared.TypeChat); f.Reply != asked.Offset; {
		f = member.Next(shared.TypeChat)
	}
}

// check waits until all questions are answered, and looks for one answer to each
// and none to other messages. The member's connection knows the epoch.
func (b *bot) check(member *servertest.Member) {
	b.t.Helper()
	reader := b.server.Hello("Lobby", shared.Message{User: "Reader", Device: b.reader, Epoch: member.Welcome.Epoch})
	answers := map[int64]int{}
	for len(answers) < len(b.asked) {
		if f := reader.Next(shared.TypeChat); f.Reply != 0 {
			answers[f.Reply]++
		}
	}
	reader.Conn.CloseNow()
	clear(answers)
	all := b.server.Messages("Lobby", 0)
	for _, m := range all {
		if m.Reply != 0 {
			answers[m.Reply]++
		}
	}
	for _, m := range all {
		wanted := 0
		if b.asked[m.Text] {
			wanted = 1
		}
		if answers[m.Offset] != wanted {
			b.t.Errorf("%q has %d answers, not %d", m.Text, answers[m.Offset], wanted)
		}
	}
}
