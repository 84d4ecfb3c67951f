package main

import (
	"encoding/json"
	"os"
	"path/filepath"
	"regexp"
	"runtime"
	"strings"
	"testing"
	"time"

	"parley/server/chat"
	"parley/server/sqlitelog"
	"parley/shared"
	"parley/shared/servertest"
)

// seed puts entries into the log of a data folder on which no server runs.
func seed(t *testing.T, data string, room string, entries ...chat.Entry) {
	t.Helper()
	log, err := sqlitelog.Open(t.Context(), data, sqlitelog.Options{Sync: sqlitelog.Normal})
	if err != nil {
		t.Fatal(err)
	}
	name, err := shared.RoomName(room)
	if err != nil {
		t.Fatal(err)
	}
	for _, e := range entries {
		added := make(chan error, 1)
		log.Append(t.Context(), name, e, func(_ chat.Receipt, err error) { added <- err })
		if err := <-added; err != nil {
			t.Fatal(err)
		}
	}
	if err := log.Close(); err != nil {
		t.Fatal(err)
	}
}

// did is a notice of what Ann does.
func did(id, do string, a chat.Act) chat.Entry {
	a.Do = do
	return chat.Entry{Kind: chat.KindNotice, ID: id, Device: "ann", User: "Ann", Time: time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC),
		Extra: &chat.Extra{Act: &a}}
}

// TestHostCommand prints links with the operator's key, which the server itself never
// prints, and makes another key.
func TestHostCommand(t *testing.T) {
	s := servertest.Start(t)
	file := filepath.Join(s.Data, "host.key")
	read := func() string {
		t.Helper()
		data, err := os.ReadFile(file)
		if err != nil || !shared.IsHostKey(strings.TrimSpace(string(data))) {
			t.Fatalf("the key is %q, %v", data, err)
		}
		return strings.TrimSpace(string(data))
	}
	key := read()
	if info, err := os.Stat(file); err != nil || runtime.GOOS != "windows" && info.Mode() != 0o600 {
		t.Errorf("its file is %v, %v", info, err)
	}
	out, err := do(t, "host", "--room", "Team Pizza?", "--data", s.Data)
	link := regexp.MustCompile(`(?m)^  (http://127\.0\.0\.1:\S+)$`).FindStringSubmatch(out)
	if err != nil || link == nil || !strings.Contains(out, "█") || !strings.Contains(out, file) {
		t.Fatalf("it printed %q, %v", out, err)
	}
	if l, err := shared.ParseLink(link[1]); err != nil || l != (shared.Link{Host: s.Addr(), Room: "Team Pizza?", HostKey: key}) {
		t.Errorf("the link is %+v, %v", l, err)
	}
	if _, err := do(t, "host", "--data", s.Data); err == nil || !strings.Contains(err.Error(), "--room") {
		t.Errorf("without a room: %v", err)
	}
	s.Stop()
	if _, err := do(t, "host", "--room", "Lobby", "--data", s.Data); err == nil || !strings.Contains(err.Error(), "start it first") {
		t.Errorf("without a server: %v", err)
	}
	s.MustStart()
	if again := read(); again != key {
		t.Errorf("after a start, the key is %s and not %s", again, key)
	}
	if err := os.Remove(file); err != nil {
		t.Fatal(err)
	}
	if _, err := do(t, "host", "--room", "Lobby", "--data", s.Data); err == nil || !strings.Contains(err.Error(), "start the server again") {
		t.Errorf("without the key: %v", err)
	}
	s.Stop()
	s.MustStart()
	other := read()
	if other == key {
		t.Error("the key that was deleted is back")
	}
	s.Stop()
	log, err := sqlitelog.Open(t.Context(), s.Data, sqlitelog.Options{})
	if err != nil {
		t.Fatal(err)
	}
	hash, err := log.HostKey(t.Context())
	if err != nil || string(hash) != string(chat.HashHostKey(other)) {
		t.Errorf("the log has the hash %x, %v", hash, err)
	}
	if err := log.Close(); err != nil {
		t.Fatal(err)
	}
	database, err := os.ReadFile(filepath.Join(s.Data, sqlitelog.FileName))
	for what, text := range map[string]string{"the terminal": s.Output.String(), "the log": string(database)} {
		if err != nil || strings.Contains(text, key) || strings.Contains(text, other) {
			t.Errorf("%s has the key, %v", what, err)
		}
	}

	if err := os.WriteFile(file, []byte("correct horse\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	if err := s.Start(); err == nil || !strings.Contains(s.Output.String(), "has no host's key: delete it") || strings.Contains(s.Output.String(), "correct horse") {
		t.Errorf("with a damaged key: %v", err)
	}
}

// TestHostsCommand lists hosts and unmakes them, while the server runs and while it
// does not.
func TestHostsCommand(t *testing.T) {
	for _, running := range []bool{true, false} {
		s := servertest.New(t)
		seed(t, s.Data, "Class", did("1", shared.DoOpen, chat.Act{}), did("2", shared.DoHost, chat.Act{Device: "bob", About: "Bob \u202e"}),
			did("3", shared.DoHost, chat.Act{Device: "eve", About: "Eve"}))
		s.MustStart()
		eve := s.Join("Class", "Eve")
		if !running {
			s.Stop()
		}
		runs := func(want string, args ...string) {
			t.Helper()
			out, err := do(t, append(args, "--room", "class", "--data", s.Data)...)
			if err != nil {
				out = err.Error()
			}
			if !regexp.MustCompile(want).MatchString(out) {
				t.Errorf("%q printed %q", args, out)
			}
		}
		runs(`^NUMBER +SINCE +NAME\n1 +2026-.* Ann\n2 .* Bob \\u\{202e\}\n3 .* Eve\n$`, "hosts")
		runs(`stay as they are: the room has no host of that number`, "hosts", "--remove", "7")
		runs(`takes a number`, "hosts", "--remove", "-1")
		runs(`NAME\n2 .* Bob .*\n3 .* Eve\n$`, "hosts", "--remove", "1")
		if running {
			n := eve.Next(shared.TypeNotice)
			for n.Offset < 4 { // what was there when she came
				n = eve.Next(shared.TypeNotice)
			}
			if n.Did != shared.DoUnhost || n.About != "Ann" || n.User != "" || n.Offset != 4 || n.Whom != shared.By("class", "ann") {
				t.Errorf("everyone is told %+v", n)
			}
		}
		runs(`NAME\n3 .* Eve\n$`, "hosts", "--remove", "2")
		runs(`has no host`, "hosts", "--remove", "3")
		runs(`(?m)^\S+ \S+ \S+  \* The server's operator ended that Bob .* is a host\.$`, "export")
		if out, err := do(t, "hosts", "--room", "nowhere", "--data", s.Data); err == nil || !strings.Contains(err.Error(), `"nowhere" can't be listed: there is no such room: parley-server rooms`) {
			t.Errorf("a room that is not there: %q, %v", out, err)
		}
		if out, err := do(t, "hosts", "--room", "nowhere", "--remove", "1", "--data", s.Data); err == nil || !strings.Contains(err.Error(), "no such room") {
			t.Errorf("a room that is not there: %q, %v", out, err)
		}
	}
}

// TestHostsAreRestored backs a room up and restores it: who was made host after that
// is none.
func TestHostsAreRestored(t *testing.T) {
	data, backup := t.TempDir(), filepath.Join(t.TempDir(), "backup.db")
	seed(t, data, "Class", did("1", shared.DoOpen, chat.Act{}), did("2", shared.DoRemove, chat.Act{Device: "bob", About: "Bob"}),
		did("3", shared.DoSet, chat.Act{Settings: &shared.Settings{Door: shared.DoorKnown, Slow: new(30)}}))
	name, _ := shared.RoomName("Class")
	before, err := sqlitelog.Rules(t.Context(), data, name)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := do(t, "backup", backup, "--data", data); err != nil {
		t.Fatal(err)
	}
	seed(t, data, "Class", did("4", shared.DoHost, chat.Act{Device: "eve", About: "Eve"}), did("5", shared.DoAdmit, chat.Act{Device: "bob", About: "Bob"}))
	if _, err := do(t, "restore", backup, "--replace", "--data", data); err != nil {
		t.Fatal(err)
	}
	after, err := sqlitelog.Rules(t.Context(), data, name)
	got, _ := json.Marshal(after)
	if want, _ := json.Marshal(before); err != nil || string(got) != string(want) || len(before.Hosts) != 1 || len(before.Barred) != 1 {
		t.Errorf("restored are %s, %v, not %s", got, err, want)
	}
}

// TestExportOfNotices writes every kind of notice.
func TestExportOfNotices(t *testing.T) {
	data := t.TempDir()
	pin := did("7", shared.DoPin, chat.Act{})
	pin.Target, pin.Own().Of = 1, "0"
	seed(t, data, "Class", chat.Entry{ID: "0", Device: "ann", User: "Ann", Text: "hi", Time: time.Now()})
	open := did("1", shared.DoOpen, chat.Act{Operator: true})
	seed(t, data, "Class", open, did("2", shared.DoHost, chat.Act{Device: "hal", About: "Hal"}), did("3", shared.DoUnhost, chat.Act{Device: "hal", About: "Hal"}),
		did("4", shared.DoSilence, chat.Act{Device: "bob", About: "Bob\n  * Ann"}), did("5", shared.DoUnsilence, chat.Act{Device: "bob", About: "Bob"}),
		did("6", shared.DoSet, chat.Act{Settings: &shared.Settings{Write: shared.WhoHosts, Door: shared.DoorKnown, Files: shared.WhoNone, Slow: new(30)}}),
		pin, did("8", shared.DoPin, chat.Act{}), did("9", shared.DoRemove, chat.Act{Device: "bob", About: "Bob"}), did("10", shared.DoAdmit, chat.Act{Device: "bob", About: "Bob"}),
		did("11", shared.DoSet, chat.Act{Settings: &shared.Settings{Slow: new(0)}}), did("12", shared.DoDeleteAll, chat.Act{Device: "bob", About: "Bob"}))
	out, err := do(t, "export", "--room", "class", "--data", data)
	if err != nil {
		t.Fatal(err)
	}
	var got []string
	for _, line := range strings.Split(strings.TrimSuffix(out, "\n"), "\n") {
		_, sentence, _ := strings.Cut(line, "  ")
		got = append(got, sentence)
	}
	want := []string{"Ann: hi", "* Ann hosts this room.", "* Ann made Hal a host.", "* Ann ended that Hal is a host.", "* Ann silenced Bob", "    * Ann.", "* Ann let Bob write again.",
		"* Ann set: only hosts write, only those come in who were here before, nobody sends files, everyone waits 30 s between two messages.",
		"* Ann pinned a message.", "* Ann pinned no message any more.", "* Ann removed Bob.", "* Ann let Bob in again.",
		"* Ann set: nobody waits between two messages.", "* Ann deleted everything that Bob wrote."}
	if strings.Join(got, "\n") != strings.Join(want, "\n") {
		t.Errorf("got\n%s\nwant\n%s", strings.Join(got, "\n"), strings.Join(want, "\n"))
	}
	out, err = do(t, "export", "--room", "class", "--data", data, "--format", "jsonl")
	if err != nil || !strings.Contains(out, `"did":"remove","user":"Ann","about":"Bob","whom":"`) || strings.Contains(out, `"device"`) {
		t.Errorf("as objects: %s, %v", out, err)
	}
	for _, line := range strings.Split(strings.TrimSuffix(out, "\n"), "\n") {
		if _, err := shared.Decode([]byte(line)); err != nil {
			t.Errorf("%s: %v", line, err)
		}
	}
	if out, err := do(t, "check", "--data", data); err != nil || !strings.Contains(out, "is whole: 1 message in") {
		t.Errorf("the check says %q, %v", out, err)
	}
}
