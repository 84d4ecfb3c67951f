package cluster

import (
	"bytes"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"parley/server/pglog/pgtest"
)

// TestCommands has an operator type what is right and what is wrong, with a log in a
// database.
func TestCommands(t *testing.T) {
	t.Parallel()
	at, empty := pgtest.Address(database.Create(t), database), pgtest.Address(database.Create(t), database)
	shared, folder := t.TempDir(), t.TempDir()
	l := openDatabase(t, at)
	id := filed(t, l, shared, 1, 5)[0]
	logID := l.ID()
	must(t, l.Close())
	says := func(want string, args ...string) {
		t.Helper()
		out, _ := parley(t, args...)
		if !bytes.Contains(out, []byte(want)) || bytes.Contains(out, []byte("Tr0ub4dor")) {
			t.Errorf("parley-server %s says:\n%s", strings.Join(args, " "), out)
		}
	}
	for _, args := range [][]string{{"check"}, {"rooms"}, {"export", "--room", "Hall"}, {"unlock", "--room", "Hall"}, {"hosts", "--room", "Hall"}} {
		says("--log takes the address of a PostgreSQL database", append(args, "--log", folder)...)
		says("there is no log in it: correct the address in --log", append(args, "--log", empty)...)
	}
	if made := database.QueryAt(t, empty, "SELECT to_regnamespace('parley') IS NOT NULL"); made != "f" {
		t.Error("commands have begun a log")
	}
	secret := strings.Replace(at, "@", ":Tr0ub4dor@", 1)
	says("no server runs on "+folder+": start it first", "host", "--room", "Hall", "--log", secret, "--data", folder)
	says("good      Log: the database of --log answers, and has one.", "doctor", "--wait", "0", "--log", at)
	says("doubtful  Log: there is none in the database of --log.", "doctor", "--wait", "0", "--log", empty)
	says("wrong     Log: the database can't be used.", "doctor", "--wait", "0", "--log", "postgres://ann:Tr0ub4dor@127.0.0.1:1/x?sslmode=disable")

	says("The log is whole: 1 message in 1 room", "check", "--log", at)
	says("--files is for a log in a database", "check", "--data", folder, "--files", shared)
	says("is not the one of this log's files, or not mounted", "check", "--log", at, "--files", shared)
	says("--to-files needs --from-files, too", "export", "--room", "Hall", "--log", at, "--to-files", folder)
	says("is not the one of this log's files, or not mounted", "export", "--room", "Hall", "--log", at, "--to-files", folder, "--from-files", shared)
	put(t, filepath.Join(shared, "parley-log"), logID+"\n")
	says("It has 1 file. None is missing.", "check", "--log", at, "--files", shared)
	says("Bob", "export", "--room", "Hall", "--log", at, "--to-files", folder, "--from-files", shared)
	if got, err := os.ReadFile(filepath.Join(folder, "1 a")); err != nil || string(got) != strings.Repeat(id[:1], 5) {
		t.Errorf("the export's file has %q, %v", got, err)
	}
	must(t, os.Remove(filepath.Join(shared, "files", id[:2], id)))
	says("of 1 file, 1 is missing", "check", "--log", at, "--files", shared)
}
