package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net"
	"os"
	"path/filepath"
	"regexp"
	"runtime"
	"strings"
	"testing"

	"parley/server/chat"
	"parley/server/sqlitelog"
	"parley/shared"
	"parley/shared/servertest"
)

// TestRoomCommands manages rooms as an operator would, while the server runs and
// while it does not.
func TestRoomCommands(t *testing.T) {
	deep := filepath.Join(t.TempDir(), strings.Repeat("a folder with a long name/", 5)) // longer than a socket's path may be
	for _, c := range []struct {
		what, data string
		running    bool
	}{{"running", t.TempDir(), true}, {"running in a deep folder", deep, true}, {"stopped", t.TempDir(), false}} {
		t.Run(c.what, func(t *testing.T) {
			if c.data == deep && runtime.GOOS != "linux" {
				t.Skip("only Linux takes a socket in a folder whose path is that long")
			}
			s := servertest.New(t, "--rooms", "Lobby")
			s.Data = c.data
			s.MustStart()
			ann := s.Hello("Attic", shared.Message{User: "Ann", Key: "correct horse", Hidden: true})
			ann.Say("words")
			ann.Hear("words")
			bob := s.Join("Caf\u00e9", "Bob")
			bob.Say("more words")
			bob.Hear("more words")
			if !c.running {
				s.Stop()
			}
			succeeds := func(want string, args ...string) {
				t.Helper()
				if out, err := do(t, append(args, "--data", s.Data)...); err != nil || !regexp.MustCompile(want).MatchString(out) {
					t.Errorf("%q printed %q, %v", args, out, err)
				}
			}
			fails := func(want string, args ...string) {
				t.Helper()
				if out, err := do(t, append(args, "--data", s.Data)...); err == nil || !strings.Contains(err.Error(), want) {
					t.Errorf("%q printed %q, %v", args, out, err)
				}
			}
			succeeds(`(?m)^1 +168 +20\d\d-.* [+-]\d{4} +hidden  Attic$`, "rooms")
			succeeds(`(?m)^1 +173 +20\d\d-.* +Café$`, "rooms")
			fails("add --yes", "delete", "--room", "attic")
			fails("no such room", "delete", "--room", "nowhere", "--yes")
			fails("no room of that name has a passphrase", "unlock", "--room", "café")
			fails("no room of that name", "unlock", "--room", "nowhere")
			fails("choose another name", "rename", "--room", "attic", "--to", "CAFÉ")
			fails("--to", "rename", "--room", "attic")

			succeeds(`"attic" is open to everyone`, "unlock", "--room", "attic")
			succeeds(`"attic" is now called "Lab"`, "rename", "--room", "attic", "--to", "Lab")
			succeeds(`"café" was deleted`, "delete", "--room", "café", "--yes")
			if c.running {
				ann.Closed(shared.CloseOpenRoom, "opened this room")
				bob.Closed(shared.CloseRemoved, "deleted")
			} else {
				s.MustStart()
			}
			var list struct{ Rooms []struct{ Name string } }
			s.JSON("/api/rooms", &list)
			if len(list.Rooms) != 2 || list.Rooms[0].Name != "Lab" || list.Rooms[1].Name != "Lobby" {
				t.Errorf("listed are %+v", list)
			}
			eve := s.Join("Lab", "Eve")
			if m := eve.Next(shared.TypeChat); m.Text != "words" {
				t.Errorf("in the lab is %+v", m)
			}
			s.Stop()
			if _, err := os.Lstat(filepath.Join(s.Data, controlName)); !errors.Is(err, os.ErrNotExist) {
				t.Errorf("the socket is left: %v", err)
			}

			out, err := do(t, "rooms", "--format", "jsonl", "--data", s.Data)
			var room map[string]any
			if err := errors.Join(err, json.Unmarshal([]byte(out), &room)); err != nil || room["name"] != "Lab" || room["messages"] != 1.0 || room["locked"] != false {
				t.Errorf("rooms printed %s, %v", out, err)
			}
		})
	}
}

// Only the server's own user reaches its socket, and one that a killed server left
// does not matter.
func TestControlSocket(t *testing.T) {
	s := servertest.New(t)
	if err := os.Mkdir(s.Data, 0o777); err != nil {
		t.Fatal(err)
	}
	s.MustStart()
	for range 2 {
		info, err := os.Lstat(filepath.Join(s.Data, controlName))
		if err != nil || info.Mode() != os.ModeSocket|0o600 {
			t.Errorf("the socket is %v, %v", info, err)
		}
		s.Kill()
		if _, err := do(t, "delete", "--yes", "--room", "r", "--data", s.Data); err == nil || !strings.Contains(err.Error(), "no such room") {
			t.Errorf("with the socket of a killed server: %v", err)
		}
		s.MustStart()
	}
	if left, _ := filepath.Glob(filepath.Join(s.Data, ".*")); len(left) > 0 {
		t.Errorf("it left %v", left)
	}
	s.Stop()
	if _, err := do(t, "unlock", "--room", "r", "--data", filepath.Join(s.Data, "missing")); err == nil || !strings.Contains(err.Error(), "no log in") {
		t.Errorf("in a folder without a log: %v", err)
	}
}

// What people have called a room moves no cursor in the operator's terminal.
func TestListedRoomNames(t *testing.T) {
	var out strings.Builder
	err := roomFormats["txt"](&out, []chat.RoomTotals{{Name: "a\x1b]0;t\a\u202e\u009b2J\nb"}})
	if want := "a\\u{1b}]0;t\\u{7}\\u{202e}\\u{9b}2J\n    b\n"; err != nil || !strings.HasSuffix(out.String(), want) {
		t.Errorf("it printed %q, %v", &out, err)
	}
}

// A room that was locked before it was reserved is named when the server starts.
func TestReservedRoomThatIsLocked(t *testing.T) {
	s := servertest.Start(t)
	ann := s.Hello("Lobby", shared.Message{User: "Ann", Key: "correct horse"})
	ann.Say("words")
	ann.Hear("words")
	s.Stop()
	s.Flags = []string{"--rooms", "Class 4b,lobby"}
	s.MustStart()
	s.Output.Wait(t, "unlock --room NAME.*room=lobby")
	s.Stop()
}

// fill has a room called Attic in the log of a data folder, with so many messages.
func fill(t *testing.T, data string, messages int) {
	t.Helper()
	log, err := sqlitelog.Open(t.Context(), data, sqlitelog.Options{Sync: sqlitelog.Normal})
	if err != nil {
		t.Fatal(err)
	}
	kept := make(chan error, messages)
	for i := range messages {
		log.Append(t.Context(), shared.Name{Text: "Attic", Key: "attic"}, chat.Entry{ID: fmt.Sprint(i), Device: "d", User: "u", Text: "x"},
			func(_ chat.Receipt, err error) { kept <- err })
	}
	for range messages {
		if err := <-kept; err != nil {
			t.Fatal(err)
		}
	}
	if err := log.Close(); err != nil {
		t.Fatal(err)
	}
}

// A room is deleted to its end, though whoever asked for it goes away.
func TestInterruptedDelete(t *testing.T) {
	for _, running := range []bool{true, false} {
		s := servertest.New(t)
		fill(t, s.Data, 20_000) // deleted in many steps
		if running {
			s.MustStart()
			conn, err := net.Dial("unix", filepath.Join(s.Data, controlName))
			if err != nil {
				t.Fatal(err)
			}
			const body = "room=attic"
			fmt.Fprintf(conn, "POST /delete HTTP/1.1\r\nHost: parley\r\nContent-Type: application/x-www-form-urlencoded\r\nContent-Length: %d\r\n\r\n%s", len(body), body)
			conn.Close()
			s.Output.Wait(t, "room was changed by command.*delete")
			s.Stop()
		} else {
			ctx, interrupt := context.WithCancel(t.Context())
			err := manage(ctx, s.Data, func(ctx context.Context, m manager) error {
				interrupt()
				return m.Delete(ctx, shared.Name{Text: "Attic", Key: "attic"})
			})
			if err != nil {
				t.Error(err)
			}
		}
		if out, err := do(t, "rooms", "--format", "jsonl", "--data", s.Data); err != nil || out != "" {
			t.Errorf("running %v: left are %s, %v", running, out, err)
		}
	}
}
