package main

import (
	"bytes"
	"errors"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"parley/server/chat"
	"parley/shared"
)

// do runs the program and returns what it printed.
func do(t *testing.T, args ...string) (stdout string, err error) {
	t.Helper()
	var out, problems bytes.Buffer
	err = run(t.Context(), args, nil, &out, &problems)
	return out.String(), err
}

// TestCommands uses each command as an operator would, the first three while
// the server runs.
func TestCommands(t *testing.T) {
	data, backup := t.TempDir(), filepath.Join(t.TempDir(), "backup.db")
	url, stop := startServer(t, data)
	ann := dial(t, url+"/ws/chat/Lobby/Ann", "")
	write(t, ann, `{"message":"secret words\nand more \u001b[31m"}`)
	readUntil(t, ann, shared.TypeChat)
	readOn(ann)

	succeeds := func(want string, args ...string) {
		t.Helper()
		if out, err := do(t, args...); err != nil || !strings.Contains(out, want) {
			t.Errorf("%q printed %q, %v", args, out, err)
		}
	}
	succeeds("is whole: 1 message in 1 room", "check", "--data", data)
	succeeds(backup, "backup", "--data", data, backup)
	succeeds("  Ann: secret words\n    and more \\u{1b}[31m\n", "export", "--data", data, "--room", "LOBBY")
	succeeds(`"user":"Ann","message":"secret words\nand more \u001b[31m"`, "export", "--data", data, "--room=lobby", "--format=jsonl")
	if _, err := do(t, "restore", backup, "--data", data, "--replace"); err == nil || !strings.Contains(err.Error(), "another Parley server") {
		t.Errorf("restore beside a server: %v", err)
	}
	stop()
	if _, err := do(t, "restore", backup, "--data", data); err == nil || !strings.Contains(err.Error(), "--replace") {
		t.Errorf("restore over a log: %v", err)
	}
	succeeds("The log that was there is now", "restore", backup, "--data", data, "--replace")
	succeeds("is whole: 1 message in", "check", "--data", data)
}

func TestCommandArguments(t *testing.T) {
	for want, args := range map[string][]string{
		"backup needs a file":         {"backup"},
		`backup has no use for "b"`:   {"backup", "a", "b"},
		`check has no use for "a"`:    {"check", "a"},
		"--format takes txt or jsonl": {"export", "--room", "r", "--format", "xml"},
		"--room NAME is missing":      {"export"},
		"--to NAME is missing":        {"rename", "--room", "r"},
		"--room: The room's name":     {"delete", "--room", "a/b"},
		"no flag --x":                 {"restore", "-x"},
		"no command or argument":      {"chekc"},
	} {
		if _, err := do(t, args...); !errors.Is(err, errUsage) || !strings.Contains(err.Error(), want) {
			t.Errorf("%q: %v", args, err)
		}
	}
	for _, c := range commands() {
		var help bytes.Buffer
		if err := run(t.Context(), []string{c.name, "--help"}, nil, &help, io.Discard); err != errHelp || !strings.Contains(help.String(), wrapped(c.about, "")) {
			t.Errorf("%s --help: %v\n%s", c.name, err, help.String())
		}
	}
	var out bytes.Buffer
	missing := filepath.Join(t.TempDir(), "missing")
	if err := run(t.Context(), []string{"check"}, []string{"PARLEY_DATA=" + missing}, &out, &out); err == nil || !strings.Contains(err.Error(), missing) {
		t.Errorf("PARLEY_DATA: %v", err)
	}
	if _, err := os.Stat(missing); err == nil {
		t.Error("check made a folder")
	}
}

// A text can't move the cursor, reverse the line, or pass for another message.
func TestExportedText(t *testing.T) {
	var out strings.Builder
	at := time.Date(2026, 1, 2, 3, 4, 5, 0, time.FixedZone("", 3600))
	defer func(before *time.Location) { time.Local = before }(time.Local)
	time.Local = at.Location()
	err := exportFormats["txt"](&out)(chat.Entry{
		User: "Ann\u202e", Text: "a\r\n2026-01-02 03:04:05  Bob: b\x07\x1b]0;t\u009b2J\u2028\u2066 日本\u3000語 👩\u200d🚀❤\ufe0f", Time: at.UTC(),
	})
	want := "2026-01-02 03:04:05 +0100  Ann\\u{202e}: a\\u{d}\n    2026-01-02 03:04:05  Bob: b\\u{7}\\u{1b}]0;t\\u{9b}2J\\u{2028}\\u{2066} 日本\u3000語 👩\u200d🚀❤\ufe0f\n"
	if err != nil || out.String() != want {
		t.Errorf("got %q\nwant %q, %v", out.String(), want, err)
	}
}

// What became of a message, and whom it answers, is told before its text.
func TestExportedState(t *testing.T) {
	defer func(before *time.Location) { time.Local = before }(time.Local)
	time.Local = time.UTC
	e := chat.Entry{
		ID: "a", Offset: 7, User: "Ann", Text: "Gate 4", Time: time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC), Edited: true, Reply: 3,
		Extra: &chat.Extra{
			Quote:     &shared.Quote{User: "Bob\n", Text: "Where?"},
			Reactions: []chat.Reaction{{Device: "x", Emoji: "🎉"}, {Device: "y", Emoji: "👍"}, {Device: "z", Emoji: "🎉"}},
		},
	}
	gone := e
	gone.Edited, gone.Extra = false, nil
	for format, want := range map[string]string{
		"txt": "2026-01-02 03:04:05 +0000  Ann (to Bob\n    , edited, 👍 1, 🎉 2): Gate 4\n" +
			"2026-01-02 03:04:05 +0000  Ann (to a deleted message): Gate 4\n",
		"jsonl": `{"type":"chat_message","id":"a","offset":7,"user":"Ann","message":"Gate 4","time":"2026-01-02T03:04:05.000Z",` +
			`"reply":3,"edited":true,"reactions":{"👍":1,"🎉":2}}` + "\n" +
			`{"type":"chat_message","id":"a","offset":7,"user":"Ann","message":"Gate 4","time":"2026-01-02T03:04:05.000Z","reply":3}` + "\n",
	} {
		var out strings.Builder
		for _, e := range []chat.Entry{e, gone} {
			if err := exportFormats[format](&out)(e); err != nil {
				t.Fatal(err)
			}
		}
		if out.String() != want {
			t.Errorf("got  %s\nwant %s", out.String(), want)
		}
	}
}

// TestCommandsWithoutALog names a folder that has no log: each says what to do, and makes none.
func TestCommandsWithoutALog(t *testing.T) {
	dir := t.TempDir()
	for _, args := range [][]string{
		{"check"}, {"backup", filepath.Join(t.TempDir(), "backup.db")}, {"export", "--room", "Hall"}, {"rooms"},
		{"unlock", "--room", "Hall"}, {"rename", "--room", "Hall", "--to", "Attic"}, {"delete", "--room", "Hall", "--yes"}, {"hosts", "--room", "Hall"},
	} {
		_, err := do(t, append(args, "--data", dir)...)
		if err == nil || !strings.Contains(err.Error(), "there is no log in "+dir+": choose its folder with --data") {
			t.Errorf("%v: %v", args, err)
		}
	}
	if made, err := os.ReadDir(dir); err != nil || len(made) > 0 {
		t.Errorf("they have made %v, %v", made, err)
	}
}
